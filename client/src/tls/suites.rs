//! Which versions and cipher suites are offered, by Java's names.

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};

use super::error::TlsError;
use super::settings::{Protocol, TlsSettings};

/// ring's algorithms, or those of aws-lc-rs.
fn algorithms() -> CryptoProvider {
    #[cfg(feature = "aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    rustls::crypto::ring::default_provider()
}

/// The algorithms, with no other cipher suites than the settings allow. Suites that Java may have and we do not (CBC,
/// DHE, RSA) are left out as long as others remain, so that lists written for Java work.
pub(super) fn provider(
    settings: &TlsSettings,
    warnings: &mut Vec<String>,
) -> Result<CryptoProvider, TlsError> {
    let mut provider = algorithms();
    if settings.cipher_suites.is_empty() {
        return Ok(provider);
    }
    let all = std::mem::take(&mut provider.cipher_suites);
    let supported = || all.iter().map(|suite| name(suite.suite())).collect::<Vec<_>>().join(", ");
    let mut left_out = Vec::new();
    for wanted in &settings.cipher_suites {
        match all.iter().find(|suite| name(suite.suite()) == *wanted) {
            Some(found) => provider.cipher_suites.push(*found),
            None if wanted.starts_with("TLS_") || wanted.starts_with("SSL_") => {
                left_out.push(wanted.as_str());
            }
            None => return Err(TlsError::CipherSuite { name: wanted.clone(), supported: supported() }),
        }
    }
    let names = left_out.join(", ");
    if provider.cipher_suites.is_empty() {
        return Err(TlsError::CipherSuites { names, supported: supported() });
    }
    if !left_out.is_empty() {
        warnings.push(format!("ssl.cipher.suites: left out, because they are not supported: {names}"));
    }
    Ok(provider)
}

/// The versions that the settings allow.
pub(super) fn versions(settings: &TlsSettings) -> Vec<&'static SupportedProtocolVersion> {
    match settings.protocols[..] {
        [] => vec![&TLS13, &TLS12],
        _ => {
            let version = |protocol: &Protocol| match protocol {
                Protocol::Tls12 => &TLS12,
                Protocol::Tls13 => &TLS13,
            };
            settings.protocols.iter().map(version).collect()
        }
    }
}

/// The IANA name: rustls marks the suites of TLS 1.3 by a prefix of its own.
pub(super) fn name(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}
