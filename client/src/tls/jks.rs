//! Java's own key store (`sun.security.provider.JavaKeyStore`), which keytool made before Java 9.
//!
//! All numbers are big-endian: magic, version, count of entries, entries, and a SHA-1 over the password and all that
//! precedes.

use pkcs8::ObjectIdentifier;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};
use zeroize::Zeroizing;

use super::error::Fault;
use super::sealed;
use super::store::KeyEntry;

/// The first four bytes of a file.
pub(super) const MAGIC: [u8; 4] = [0xFE, 0xED, 0xFE, 0xED];

/// `JavaKeyStore.getPreKeyedHash` puts this between password and data.
const WHITENER: &[u8] = b"Mighty Aphrodite";

/// `sun.security.provider.KeyProtector`, in an `EncryptedPrivateKeyInfo`.
const KEY_PROTECTOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.42.2.17.1.1");

enum Entry<'a> {
    Key { alias: String, sealed: &'a [u8], chain: Vec<Vec<u8>> },
    Certificate(Vec<u8>),
}

/// DER of what is trusted: the trusted certificates, and as in Java those that the store has keys for.
///
/// Without a password the content is taken unchecked, as Java does.
pub(super) fn trusted(
    bytes: &[u8],
    password: Option<&str>,
    setting: &'static str,
) -> Result<Vec<Vec<u8>>, Fault> {
    let certificate = |entry| match entry {
        Entry::Key { chain, .. } => chain.into_iter().next(),
        Entry::Certificate(der) => Some(der),
    };
    Ok(entries(bytes, password, setting)?.into_iter().filter_map(certificate).collect())
}

/// The private keys with their chains; `key_password` is theirs if it is not the store's.
pub(super) fn keys(
    bytes: &[u8],
    password: Option<&str>,
    key_password: Option<&str>,
) -> Result<Vec<KeyEntry>, Fault> {
    let store_setting = "ssl.keystore.password";
    let own = super::store::KEY_PASSWORD;
    let setting = if key_password.is_some() { own } else { store_setting };
    let mut keys = Vec::new();
    for entry in entries(bytes, password, store_setting)? {
        let Entry::Key { alias, sealed, chain } = entry else { continue };
        let password = key_password.or(password).ok_or(Fault::NeedsPassword { setting })?;
        // The store has opened: what does not open now has a password of its own.
        let key = open(sealed, password)?.ok_or(Fault::WrongPassword { setting: own })?;
        keys.push(KeyEntry { alias, key, chain });
    }
    Ok(keys)
}

fn entries<'a>(
    bytes: &'a [u8],
    password: Option<&str>,
    setting: &'static str,
) -> Result<Vec<Entry<'a>>, Fault> {
    let mut reader = Reader { bytes, at: 0 };
    reader.take(MAGIC.len())?;
    let version = reader.number()?;
    if !(1..=2).contains(&version) {
        return Err(Fault::Damaged { reason: format!("version {version} of JKS is unknown") });
    }
    let count = reader.number()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(reader.entry(version)?);
    }
    let end = reader.at;
    let digest = reader.take(SHA1_OUTPUT_LEN)?;
    let seal = |password| sha1(&[&utf16(password), WHITENER, &bytes[..end]]);
    match password {
        Some(password) if seal(password)[..] != *digest => Err(Fault::WrongPassword { setting }),
        _ => Ok(entries),
    }
}

/// Every length is checked against the bytes that are left, before anything is allocated for it.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let left = &self.bytes[self.at..];
        let taken = left.get(..len).ok_or_else(|| Fault::Damaged {
            reason: format!("{len} bytes are missing at offset {}, there are {}", self.at, left.len()),
        })?;
        self.at += len;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Fault> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn block(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.number()?;
        self.take(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// `DataOutput.writeUTF`: two bytes of length, then UTF-8 but for odd characters.
    fn text(&mut self) -> Result<String, Fault> {
        let len = self.take(2)?;
        let text = self.take(usize::from(len[0]) << 8 | usize::from(len[1]))?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn certificate(&mut self, version: u32) -> Result<Vec<u8>, Fault> {
        let kind = if version == 2 { self.text()? } else { "X.509".to_owned() };
        if kind != "X.509" {
            return Err(Fault::Damaged { reason: format!("a certificate of type {kind:?}") });
        }
        Ok(self.block()?.to_vec())
    }

    fn entry(&mut self, version: u32) -> Result<Entry<'a>, Fault> {
        let tag = self.number()?;
        let alias = self.text()?;
        let _created = self.take(8)?;
        match tag {
            1 => {
                let sealed = self.block()?;
                let mut chain = Vec::new();
                for _ in 0..self.number()? {
                    chain.push(self.certificate(version)?);
                }
                Ok(Entry::Key { alias, sealed, chain })
            }
            2 => Ok(Entry::Certificate(self.certificate(version)?)),
            _ => Err(Fault::Damaged { reason: format!("an entry of kind {tag} at offset {}", self.at) }),
        }
    }
}

pub(super) fn sha1(parts: &[&[u8]]) -> [u8; SHA1_OUTPUT_LEN] {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = [0; SHA1_OUTPUT_LEN];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// Big-endian, as Java and PKCS#12 (BMPString) make bytes of passwords.
pub(super) fn utf16(password: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len() * 2));
    bytes.extend(password.encode_utf16().flat_map(u16::to_be_bytes));
    bytes
}

/// PKCS#8 out of what `KeyProtector` made of it: 20 bytes of salt, the key XORed with a chain of digests, and the
/// digest of password and key. None: it is another password.
fn open(sealed: &[u8], password: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    let sealed = unwrap(sealed)?;
    let (Some((salt, rest)), password) = (sealed.split_at_checked(SHA1_OUTPUT_LEN), utf16(password)) else {
        return Err(too_short());
    };
    let len = rest.len().checked_sub(SHA1_OUTPUT_LEN).ok_or_else(too_short)?;
    let (body, check) = rest.split_at(len);
    let mut key = Zeroizing::new(body.to_vec());
    let mut digest = Zeroizing::new(sha1(&[&password, salt]));
    for chunk in key.chunks_mut(SHA1_OUTPUT_LEN) {
        chunk.iter_mut().zip(digest.iter()).for_each(|(byte, mask)| *byte ^= mask);
        *digest = sha1(&[&password, &*digest]);
    }
    Ok((sha1(&[&password, &key])[..] == *check).then_some(key))
}

fn too_short() -> Fault {
    Fault::Damaged { reason: "a sealed key is too short".to_owned() }
}

/// The octets of an `EncryptedPrivateKeyInfo` (RFC 5958 section 3) whose algorithm is Java's.
fn unwrap(sealed: &[u8]) -> Result<&[u8], Fault> {
    match sealed::parts(sealed) {
        Ok((algorithm, octets)) if algorithm.oid == KEY_PROTECTOR => Ok(octets),
        Ok((algorithm, _)) => {
            Err(Fault::Key { reason: format!("its protection {} is not Java's own", algorithm.oid) })
        }
        Err(_) => Err(Fault::Damaged { reason: "a sealed key is not DER".to_owned() }),
    }
}
