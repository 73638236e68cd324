//! The `ssl.*` keys: which certificates, which versions (Kafka's `DefaultSslEngineFactory`).

use super::error::ConfigError;
use super::values::Values;
use crate::tls::{Protocol, Store, StoreKind, TlsSettings};

/// Reads them from a file, or from the options of a JAAS line.
pub(super) fn read(values: &Values<'_>, warnings: &mut Vec<String>) -> Result<TlsSettings, ConfigError> {
    Ok(TlsSettings {
        trust: trust(values)?,
        identity: identity(values)?,
        check_host: check_host(values, warnings)?,
        protocols: protocols(values, warnings)?,
        cipher_suites: values.list("ssl.cipher.suites")?,
    })
}

fn check_host(values: &Values<'_>, warnings: &mut Vec<String>) -> Result<bool, ConfigError> {
    let key = "ssl.endpoint.identification.algorithm";
    match values.text(key)? {
        Some(algorithm) if algorithm.eq_ignore_ascii_case("https") => Ok(true),
        Some(_) => Err(values.bad(key, format!("is `{}`: it can be https, or empty", values.written(key)))),
        None if !values.has(key) => Ok(true),
        None => {
            warnings.push(values.warning(format!(
                "{key} is empty: the names in brokers' certificates are NOT checked, so that any holder of a \
                 trusted certificate can pass for a broker; remove the line to have them checked"
            )));
            Ok(false)
        }
    }
}

/// `ssl.enabled.protocols`, and what `ssl.protocol` leaves of it: with TLSv1.2, Java does not speak 1.3.
fn protocols(values: &Values<'_>, warnings: &mut Vec<String>) -> Result<Vec<Protocol>, ConfigError> {
    let (enabled_key, key) = ("ssl.enabled.protocols", "ssl.protocol");
    let is_limited = match values.text(key)?.as_deref() {
        None | Some("TLSv1.3" | "TLS" | "SSL") => false,
        Some("TLSv1.2") => true,
        Some(_) => {
            return Err(
                values.bad(key, format!("is `{}`: it can be TLSv1.3 or TLSv1.2", values.written(key)))
            );
        }
    };
    let mut enabled = Vec::new();
    let names = values.list(enabled_key)?;
    for name in &names {
        match name.as_str() {
            "TLSv1.2" => enabled.push(Protocol::Tls12),
            "TLSv1.3" => enabled.push(Protocol::Tls13),
            "TLSv1.1" | "TLSv1" | "SSLv3" | "SSLv2Hello" => {
                warnings.push(
                    values.warning(format!("{enabled_key} has {name}, which is broken: it is not spoken")),
                );
            }
            _ => return Err(values.bad(enabled_key, "has a version that is neither TLSv1.2 nor TLSv1.3")),
        }
    }
    match (enabled.is_empty() && !names.is_empty(), is_limited) {
        (true, _) => Err(values.bad(enabled_key, "has neither TLSv1.2 nor TLSv1.3")),
        (false, false) => Ok(enabled),
        (false, true) if enabled.is_empty() || enabled.contains(&Protocol::Tls12) => {
            Ok(vec![Protocol::Tls12])
        }
        (false, true) => Err(values.bad(key, format!("is TLSv1.2, which {enabled_key} leaves out"))),
    }
}

fn kind(values: &Values<'_>, key: &str) -> Result<StoreKind, ConfigError> {
    match values.text(key)?.map(|kind| kind.to_ascii_uppercase()).as_deref() {
        None | Some("JKS") => Ok(StoreKind::Jks),
        Some("PKCS12") => Ok(StoreKind::Pkcs12),
        Some("PEM") => Ok(StoreKind::Pem),
        Some(_) => {
            Err(values.bad(key, format!("is `{}`: it can be PEM, PKCS12 or JKS", values.written(key))))
        }
    }
}

fn trust(values: &Values<'_>) -> Result<Option<Store>, ConfigError> {
    let (certificates_key, password_key) = ("ssl.truststore.certificates", "ssl.truststore.password");
    let kind = kind(values, "ssl.truststore.type")?;
    let path = values.path("ssl.truststore.location")?;
    let password = values.secret(password_key)?;
    if kind == StoreKind::Pem && password.is_some() {
        return Err(
            values.bad(password_key, "is not for PEM, where certificates are not encrypted: leave it out")
        );
    }
    match (values.text(certificates_key)?, path) {
        (Some(_), _) if kind != StoreKind::Pem => {
            Err(values.bad(certificates_key, "needs ssl.truststore.type=PEM"))
        }
        (Some(_), Some(_)) => {
            Err(values.bad(certificates_key, "and ssl.truststore.location exclude each other"))
        }
        (Some(certificates), None) => Ok(Some(Store::Inline { certificates, key: None, key_password: None })),
        (None, Some(path)) => Ok(Some(Store::File { kind, path, password, key_password: None })),
        (None, None) if password.is_some() => Err(values.bad(password_key, "has no ssl.truststore.location")),
        (None, None) => Ok(None),
    }
}

fn identity(values: &Values<'_>) -> Result<Option<Store>, ConfigError> {
    let (location_key, password_key) = ("ssl.keystore.location", "ssl.keystore.password");
    let kind = kind(values, "ssl.keystore.type")?;
    let path = values.path(location_key)?;
    let password = values.secret(password_key)?;
    if kind == StoreKind::Pem && password.is_some() {
        let advice = "is not for PEM: the password of an encrypted key goes into ssl.key.password";
        return Err(values.bad(password_key, advice));
    }
    if let Some(store) = inline_identity(values, kind)? {
        return if path.is_none() {
            Ok(Some(store))
        } else {
            Err(values.bad(location_key, "and ssl.keystore.key exclude each other"))
        };
    }
    let key_password = values.secret("ssl.key.password")?;
    match path {
        Some(_) if kind != StoreKind::Pem && password.is_none() => {
            Err(values.bad(location_key, format!("needs its {password_key}")))
        }
        Some(path) => Ok(Some(Store::File { kind, path, password, key_password })),
        None if password.is_some() => Err(values.bad(password_key, format!("has no {location_key}"))),
        None => Ok(None),
    }
}

/// Key and certificate chain in the properties themselves.
fn inline_identity(values: &Values<'_>, kind: StoreKind) -> Result<Option<Store>, ConfigError> {
    let (key_key, chain_key) = ("ssl.keystore.key", "ssl.keystore.certificate.chain");
    match (values.secret(key_key)?, values.text(chain_key)?) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(values.bad(key_key, format!("needs its {chain_key}"))),
        (None, Some(_)) => Err(values.bad(chain_key, format!("needs its {key_key}"))),
        (Some(_), Some(_)) if kind != StoreKind::Pem => {
            Err(values.bad(key_key, "needs ssl.keystore.type=PEM"))
        }
        (key, Some(certificates)) => {
            Ok(Some(Store::Inline { certificates, key, key_password: values.secret("ssl.key.password")? }))
        }
    }
}
