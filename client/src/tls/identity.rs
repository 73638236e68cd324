//! Our own certificate and key, made ready to sign with.

use std::sync::Arc;

use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::der::asn1::{AnyRef, BitStringRef, ContextSpecificRef, OctetStringRef};
use x509_cert::der::{Decode, Encode, Reader, SliceReader, Tag, TagMode, TagNumber, Tagged};
use zeroize::Zeroizing;

use super::certificate::{self, Certificate};
use super::error::Fault;
use super::store::{Identity, Key};

/// `id-ecPublicKey` (RFC 5480 section 2.1.1).
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// Loads the key and checks that it is the certificate's.
pub(super) fn certified(identity: Identity, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, Fault> {
    let Identity { chain, key: Key(key), .. } = identity;
    let leaf = chain.first().ok_or(Fault::NoCertificate)?;
    let subject = Certificate::read(leaf).map_or_else(|| "unreadable".to_owned(), |leaf| leaf.subject);
    let key = with_public_half(&key, leaf).unwrap_or(key);
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    match CertifiedKey::from_der(chain, key, provider) {
        Ok(certified) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(Fault::OtherKey { subject }),
        Err(rustls::Error::InvalidCertificate(error)) => {
            Err(Fault::Damaged { reason: format!("the first certificate ({subject}): {error}") })
        }
        Err(_) => Err(Fault::Key {
            reason: "it is not RSA (2048 bits or more), ECDSA on P-256 or P-384, or Ed25519".to_owned(),
        }),
    }
}

/// Java stores elliptic curve keys without the public key (optional in RFC 5915), and ring insists on it. None: this
/// key is of another kind, or complete.
fn with_public_half(key: &PrivateKeyDer<'_>, leaf: &[u8]) -> Option<PrivateKeyDer<'static>> {
    let PrivateKeyDer::Pkcs8(key) = key else { return None };
    let info = PrivateKeyInfoRef::from_der(key.secret_pkcs8_der()).ok()?;
    if info.algorithm.oid != ELLIPTIC_CURVE {
        return None;
    }
    let public = certificate::public_key(leaf)?;
    let number = lonely_number(info.private_key.as_bytes())?;
    let mut body = Zeroizing::new(Vec::new());
    1u8.encode_to_vec(&mut body).ok()?;
    OctetStringRef::new(number).ok()?.encode_to_vec(&mut body).ok()?;
    let point = BitStringRef::from_bytes(public.subject_public_key.raw_bytes()).ok()?;
    let point = ContextSpecificRef { tag_number: TagNumber(1), tag_mode: TagMode::Explicit, value: &point };
    point.encode_to_vec(&mut body).ok()?;
    let inner = Zeroizing::new(AnyRef::new(Tag::Sequence, &body).ok()?.to_der().ok()?);
    let whole = PrivateKeyInfoRef::new(info.algorithm, OctetStringRef::new(&inner).ok()?).to_der().ok()?;
    Some(PrivateKeyDer::Pkcs8(whole.into()))
}

/// The private number of an `ECPrivateKey` that has nothing else but its curve.
fn lonely_number(der: &[u8]) -> Option<&[u8]> {
    let read = || {
        SliceReader::new(der)?.sequence(|key| {
            let _version = u8::decode(key)?;
            let number = <&OctetStringRef>::decode(key)?.as_bytes();
            let mut is_lonely = true;
            while !key.is_finished() {
                is_lonely &= AnyRef::decode(key)?.tag().number() != TagNumber(1);
            }
            x509_cert::der::Result::Ok(is_lonely.then_some(number))
        })
    };
    read().ok().flatten()
}
