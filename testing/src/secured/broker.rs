//! The listeners in the server.properties.

use super::kind::{Kind, USER};
use super::{Security, StoreFormat};
use crate::spec::{HOST, Place};

const MODULES: &str = "org.apache.kafka.common.security";

impl Security {
    /// The properties of a broker at this place.
    pub(crate) fn broker_properties(&self, place: &Place) -> Vec<(String, String)> {
        let mut map = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT".to_owned();
        let mut listeners = format!("PLAINTEXT://{HOST}:{}", place.port);
        let mut advertised = listeners.clone();
        let mut all = Vec::new();
        for &kind in &self.kinds {
            let (name, port) = (kind.listener(), place.secured[&kind]);
            map.push_str(&format!(",{name}:{}", kind.protocol()));
            listeners.push_str(&format!(",{name}://{HOST}:{port}"));
            advertised.push_str(&format!(",{name}://localhost:{port}"));
            let own = self.tls(kind).into_iter().chain(self.sasl(kind));
            all.extend(own.map(|(key, value)| (kind.prefix() + &key, value)));
        }
        let own = |(key, value): (&str, String)| (key.to_owned(), value);
        let three = [
            ("listener.security.protocol.map", map),
            ("listeners", listeners),
            ("advertised.listeners", advertised),
        ];
        all.extend(three.map(own));
        all
    }

    /// More arguments for `StorageTool format`: the users of SCRAM (KIP-900).
    pub(crate) fn format(&self) -> Vec<String> {
        let mut all = Vec::new();
        for kind in [Kind::ScramSha256, Kind::ScramSha512] {
            if let (Some(mechanism), Some(password)) = (kind.mechanism(), self.passwords.get(&kind)) {
                all.push("--add-scram".to_owned());
                all.push(format!("{mechanism}=[name={USER},password={password}]"));
            }
        }
        all
    }

    fn tls(&self, kind: Kind) -> Vec<(String, String)> {
        if !kind.is_tls() {
            return Vec::new();
        }
        let store = self.certificates.broker_store();
        let mut all = vec![("ssl.keystore", store)];
        if kind == Kind::Mtls {
            all.push(("ssl.truststore", self.certificates.trust_store(StoreFormat::Pem)));
        }
        let mut properties: Vec<(String, String)> = all
            .into_iter()
            .flat_map(|(key, store)| {
                let path = store.path.display().to_string();
                [(format!("{key}.type"), store.format.name().to_owned()), (format!("{key}.location"), path)]
            })
            .collect();
        let auth = if kind == Kind::Mtls { "required" } else { "none" };
        properties.push(("ssl.client.auth".to_owned(), auth.to_owned()));
        properties
    }

    fn sasl(&self, kind: Kind) -> Vec<(String, String)> {
        let Some(mechanism) = kind.mechanism() else { return Vec::new() };
        let module = match kind {
            Kind::PlainClear | Kind::Plain => {
                format!(r#"plain.PlainLoginModule required user_{USER}="{}";"#, self.passwords[&kind])
            }
            Kind::ScramSha256 | Kind::ScramSha512 => "scram.ScramLoginModule required;".to_owned(),
            _ => "oauthbearer.OAuthBearerLoginModule required;".to_owned(),
        };
        let prefix = mechanism.to_lowercase();
        let mut all = vec![
            ("sasl.enabled.mechanisms".to_owned(), mechanism.to_owned()),
            (format!("{prefix}.sasl.jaas.config"), format!("{MODULES}.{module}")),
        ];
        if let (Kind::Oidc, Some(endpoint)) = (kind, &self.endpoint) {
            let handler = format!("{MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler");
            all.push((format!("{prefix}.sasl.server.callback.handler.class"), handler));
            all.push(("sasl.oauthbearer.jwks.endpoint.url".to_owned(), endpoint.keys_url()));
            all.push(("sasl.oauthbearer.expected.audience".to_owned(), "kafka".to_owned()));
            all.push(("sasl.oauthbearer.expected.issuer".to_owned(), endpoint.issuer()));
        }
        all
    }
}
