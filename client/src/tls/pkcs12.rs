//! PKCS#12 stores (RFC 7292), of keytool (its default since Java 9) and of openssl.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{Decode, Encode};
use zeroize::Zeroizing;

use super::error::Fault;
use super::store::KeyEntry;

/// DER of what is trusted, as Java sees it: what keytool marked as trusted, and the certificates that the store has
/// keys for. In a store without keys (openssl's, which marks nothing) everything is.
pub(super) fn trusted(
    bytes: &[u8],
    password: Option<&str>,
    setting: &'static str,
) -> Result<Vec<Vec<u8>>, Fault> {
    let archive = open(bytes, password, setting)?;
    let is_trusted = |bag: &&p12_keystore::CertificateBag| {
        bag.trusted || archive.keys.is_empty() || bag.local_key_id.is_some()
    };
    Ok(archive.certs.iter().filter(is_trusted).map(|bag| bag.cert.as_der().to_vec()).collect())
}

/// The private keys with their chains. Keys have the password of the store: keytool makes no others.
pub(super) fn keys(bytes: &[u8], password: Option<&str>) -> Result<Vec<KeyEntry>, Fault> {
    let archive = open(bytes, password, "ssl.keystore.password")?;
    let others: Vec<_> = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect();
    let entry = |key: p12_keystore::PrivateKeyBag| {
        let id = key.local_key_id.as_ref().map(|id| id.as_ref().to_vec());
        let own = archive.certs.iter().find(|bag| id.is_some() && bag.local_key_id == id);
        // Only the order tells when nothing is marked: the owner's certificate comes first.
        let leaf = own.or(archive.certs.first().filter(|_| id.is_none()));
        KeyEntry {
            alias: key.friendly_name.unwrap_or_default(),
            key: Zeroizing::new(key.key.as_der().to_vec()),
            chain: leaf.map(|leaf| chain(leaf.cert.as_der(), &others)).unwrap_or_default(),
        }
    };
    Ok(archive.keys.into_iter().map(entry).collect())
}

fn open(bytes: &[u8], password: Option<&str>, setting: &'static str) -> Result<Pkcs12Archive, Fault> {
    // Java 18 and Debian make trust stores without encryption and digest: they open with any password, or none.
    Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default()).map_err(|error| match error {
        Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError => match password {
            None => Fault::NeedsPassword { setting },
            Some(_) => Fault::WrongPassword { setting },
        },
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => Fault::Unsupported {
            found: "differently encrypted PKCS12",
            advice: "export it again, with AES or 3DES and a SHA-1 or SHA-2 digest",
        },
        Error::InvalidParameters => {
            Fault::Damaged { reason: "its encryption parameters make no sense".to_owned() }
        }
        other => Fault::Damaged { reason: other.to_string() },
    })
}

/// Leaf first, then each issuer as far as `others` have it: the order in which a chain is sent.
fn chain(leaf: &[u8], others: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let names = |der: &[u8]| {
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        Some((body.subject().to_der().ok()?, body.issuer().to_der().ok()?))
    };
    let mut chain = vec![leaf.to_vec()];
    while let Some((_, issuer)) = chain.last().and_then(|last| names(last)) {
        let next = others.iter().find(|other| {
            names(other).is_some_and(|(subject, _)| subject == issuer) && !chain.contains(other)
        });
        match next {
            Some(next) => chain.push(next.clone()),
            None => break,
        }
    }
    chain
}
