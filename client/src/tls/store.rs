//! Key and trust stores of all types, from files and from properties.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::certificate;
use super::error::{Fault, TlsError};
use super::settings::{Store, StoreKind};
use super::{jks, pem};
use crate::secret::Secret;

/// The setting of a private key's own password.
pub(super) const KEY_PASSWORD: &str = "ssl.key.password";

/// What the settings of a trust store begin with.
pub(super) const TRUST: &str = "ssl.truststore";

/// What the settings of a key store begin with.
pub(super) const IDENTITY: &str = "ssl.keystore";

/// No store comes near this: the Mozilla roots take 200 kB.
const MAX_BYTES: u64 = 16 << 20;

/// A private key that does not print.
#[derive(PartialEq, Eq)]
pub(super) struct Key(pub(super) PrivateKeyDer<'static>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A private key in PKCS#8, as binary stores have it, and its certificates, our own first.
pub(super) struct KeyEntry {
    pub(super) alias: String,
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) chain: Vec<Vec<u8>>,
}

/// What we show to brokers that ask who we are.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) key: Key,
    pub(super) warnings: Vec<String>,
}

/// DER of the certificates that are trusted, at least one.
pub(super) fn trusted(store: &Store) -> Result<Vec<Vec<u8>>, TlsError> {
    let read = || match store {
        Store::Inline { certificates, .. } => pem::certificates(certificates),
        Store::File { kind, path, password, .. } => trusted_in(&read_file(path)?, *kind, expose(password)),
    };
    read().map_err(|fault| TlsError::Store { place: place(store, TRUST), fault })
}

/// As [`trusted`], from the bytes of a file.
pub(crate) fn trusted_in(
    bytes: &[u8],
    kind: StoreKind,
    password: Option<&str>,
) -> Result<Vec<Vec<u8>>, Fault> {
    let setting = "ssl.truststore.password";
    let certificates = match kind_of(bytes, kind, TRUST)? {
        StoreKind::Pem => pem::certificates(&text(bytes))?,
        StoreKind::Jks => jks::trusted(bytes, password, setting)?,
        StoreKind::Pkcs12 => pkcs12_trusted(bytes, password, setting)?,
    };
    if certificates.is_empty() { Err(Fault::NoCertificate) } else { Ok(certificates) }
}

/// Our private key and its certificates.
pub(super) fn identity(store: &Store) -> Result<Identity, TlsError> {
    let read = || match store {
        Store::Inline { certificates, key, key_password } => {
            pem_identity(certificates, expose(key).unwrap_or(certificates), expose(key_password))
        }
        Store::File { kind, path, password, key_password } => {
            identity_in(&read_file(path)?, *kind, expose(password), expose(key_password))
        }
    };
    read().map_err(|fault| TlsError::Store { place: place(store, IDENTITY), fault })
}

/// As [`identity`], from the bytes of a file.
pub(crate) fn identity_in(
    bytes: &[u8],
    kind: StoreKind,
    password: Option<&str>,
    key_password: Option<&str>,
) -> Result<Identity, Fault> {
    match kind_of(bytes, kind, IDENTITY)? {
        StoreKind::Pem => pem_identity(&text(bytes), &text(bytes), key_password),
        StoreKind::Jks => jks::keys(bytes, password, key_password).and_then(one),
        StoreKind::Pkcs12 => pkcs12_keys(bytes, password).and_then(one),
    }
}

/// How messages call a store.
pub(super) fn place(store: &Store, setting: &str) -> String {
    match store {
        Store::File { path, .. } => format!("{setting}.location ({})", path.display()),
        Store::Inline { .. } if setting == TRUST => "ssl.truststore.certificates".to_owned(),
        Store::Inline { .. } => "ssl.keystore.key with ssl.keystore.certificate.chain".to_owned(),
    }
}

fn expose(secret: &Option<Secret>) -> Option<&str> {
    secret.as_ref().map(Secret::expose)
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let unreadable = |source| Fault::Unreadable { source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES { Err(Fault::TooLarge { limit: MAX_BYTES }) } else { Ok(bytes) }
}

/// Comments around the sections may be in any encoding.
fn text(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())
}

/// What the file really is. Java reads JKS as PKCS12 and the reverse (`keystore.type.compat`), and so do we; PEM it
/// has to be told.
fn kind_of(bytes: &[u8], told: StoreKind, setting: &'static str) -> Result<StoreKind, Fault> {
    let found = match bytes {
        [] => return Err(Fault::NotAStore { reason: "it is empty" }),
        _ if bytes.starts_with(&jks::MAGIC) => StoreKind::Jks,
        [0xCE, 0xCE, 0xCE, 0xCE, ..] => {
            let advice = "convert it with keytool -importkeystore -deststoretype PKCS12";
            return Err(Fault::Unsupported { found: "JCEKS", advice });
        }
        [0x30, 0x80, ..] => {
            let advice = "open it with openssl pkcs12, and export it again";
            return Err(Fault::Unsupported { found: "BER-encoded PKCS12", advice });
        }
        // A DER sequence of more than 127 bytes.
        [0x30, 0x81..=0x84, ..] if certificate::Certificate::read(bytes).is_some() => {
            let advice = "convert it with openssl x509 -inform DER, and set the store's type to PEM";
            return Err(Fault::Unsupported { found: "DER certificate and not a", advice });
        }
        [0x30, 0x81..=0x84, ..] => StoreKind::Pkcs12,
        _ if bytes.windows(5).any(|window| window == b"-----") => StoreKind::Pem,
        _ if told == StoreKind::Pem => return Err(Fault::NotAStore { reason: "there is no BEGIN line" }),
        _ => return Err(Fault::NotAStore { reason: "its first bytes are unknown" }),
    };
    if (found == StoreKind::Pem) == (told == StoreKind::Pem) {
        return Ok(found);
    }
    let found = match found {
        StoreKind::Pem => "PEM",
        StoreKind::Jks => "JKS",
        StoreKind::Pkcs12 => "PKCS12",
    };
    Err(Fault::OtherType { found, setting })
}

fn pem_identity(chain: &str, key: &str, password: Option<&str>) -> Result<Identity, Fault> {
    let key = pem::key(key, password)?;
    Ok(Identity { chain: pem::certificates(chain)?, key, warnings: Vec::new() })
}

fn one(keys: Vec<KeyEntry>) -> Result<Identity, Fault> {
    let others = keys.len().saturating_sub(1);
    let first = keys.into_iter().next().ok_or(Fault::NoKey)?;
    if first.chain.is_empty() {
        return Err(Fault::NoCertificate);
    }
    let alias = first.alias;
    let warning = format!("the key store has {others} more private keys: {alias:?} is used, the first");
    let warnings = if others > 0 { vec![warning] } else { Vec::new() };
    let key = Key(PrivateKeyDer::Pkcs8(first.key.to_vec().into()));
    Ok(Identity { chain: first.chain, key, warnings })
}

#[cfg(feature = "pkcs12")]
use super::pkcs12::{keys as pkcs12_keys, trusted as pkcs12_trusted};

#[cfg(not(feature = "pkcs12"))]
const NO_PKCS12: Fault = Fault::Unsupported {
    found: "PKCS12",
    advice: "this restow is built without its feature pkcs12; convert the store to PEM with openssl pkcs12",
};

#[cfg(not(feature = "pkcs12"))]
fn pkcs12_trusted(_: &[u8], _: Option<&str>, _: &'static str) -> Result<Vec<Vec<u8>>, Fault> {
    Err(NO_PKCS12)
}

#[cfg(not(feature = "pkcs12"))]
fn pkcs12_keys(_: &[u8], _: Option<&str>) -> Result<Vec<KeyEntry>, Fault> {
    Err(NO_PKCS12)
}
