//! The client.properties of each listener, as an operator writes them.

use super::certificates::{Store, StoreFormat};
use super::kind::{Kind, USER};
use super::{Security, endpoint::Endpoint};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

impl Security {
    /// Writes the client.properties of a listener, with stores of this form; only its owner may read it.
    pub(crate) fn client_properties(&self, kind: Kind, format: StoreFormat) -> PathBuf {
        assert!(self.kinds.contains(&kind), "this cluster has no {kind:?} listener");
        let name = format!("{}-{}.properties", kind.listener(), format.name()).to_lowercase();
        let path = self.folder.join(name);
        let mut lines =
            vec![format!("# {}", kind.listener()), property("security.protocol", kind.protocol())];
        if kind.is_tls() {
            lines.extend(store("ssl.truststore", &self.certificates.trust_store(format)));
        }
        if kind == Kind::Mtls {
            let own = self.certificates.key_store(format);
            lines.extend(store("ssl.keystore", &own));
            lines.extend(own.key_password.map(|password| property("ssl.key.password", &password)));
        }
        if let Some(mechanism) = kind.mechanism() {
            lines.push(property("sasl.mechanism", mechanism));
            lines.push(self.jaas(kind, format));
        }
        if let (Kind::Oidc, Some(endpoint)) = (kind, &self.endpoint) {
            lines.extend(oidc(endpoint));
        }
        let text = lines.join("\n") + "\n";
        let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("a client.properties cannot be written");
        path
    }

    /// The login, over as many lines as it has options.
    fn jaas(&self, kind: Kind, format: StoreFormat) -> String {
        let password = || self.passwords[&kind].clone();
        let (module, options) = match kind {
            Kind::PlainClear | Kind::Plain => {
                ("plain.PlainLoginModule", vec![option("username", USER), option("password", &password())])
            }
            Kind::ScramSha256 | Kind::ScramSha512 => {
                ("scram.ScramLoginModule", vec![option("username", USER), option("password", &password())])
            }
            Kind::Oidc => {
                let mut options = vec![
                    option("clientId", USER),
                    option("clientSecret", &password()),
                    option("scope", "kafka"),
                ];
                let trusted = store("ssl.truststore", &self.certificates.trust_store(format));
                options.extend(
                    trusted.iter().filter_map(|line| line.split_once('=')).map(|(k, v)| option(k, v)),
                );
                ("oauthbearer.OAuthBearerLoginModule", options)
            }
            _ => ("oauthbearer.OAuthBearerLoginModule", vec![option("unsecuredLoginStringClaim_sub", USER)]),
        };
        let options = options.join(" \\\n    ");
        format!("sasl.jaas.config=org.apache.kafka.common.security.{module} required \\\n    {options};")
    }
}

fn oidc(endpoint: &Endpoint) -> [String; 2] {
    let handler = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
    [
        property("sasl.login.callback.handler.class", handler),
        property("sasl.oauthbearer.token.endpoint.url", &endpoint.url()),
    ]
}

fn store(key: &str, store: &Store) -> Vec<String> {
    let mut lines = vec![
        property(&format!("{key}.type"), store.format.name()),
        property(&format!("{key}.location"), &store.path.display().to_string()),
    ];
    lines.extend(store.password.as_ref().map(|password| property(&format!("{key}.password"), password)));
    lines
}

fn property(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

fn option(key: &str, value: &str) -> String {
    format!("{key}=\"{value}\"")
}
