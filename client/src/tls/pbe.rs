//! PKCS#12's own encryption under a password, with SHA-1 and 3DES (RFC 7292 appendices B and C).
//!
//! It is weak by today's standards, but the only one of OpenSSL 3's that Java 17 reads in PEM keys.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use pkcs8::ObjectIdentifier;
use ring::digest::SHA1_OUTPUT_LEN;
use x509_cert::der::asn1::{AnyRef, OctetStringRef};
use x509_cert::der::{self, Decode, Tag};
use zeroize::Zeroizing;

use super::jks::{sha1, utf16};

/// `pbeWithSHAAnd3-KeyTripleDES-CBC`.
pub(super) const OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");

/// Rounds above which a key is not tried: about a second of work. OpenSSL uses 2048.
pub(super) const MAX_ROUNDS: u32 = 1_000_000;

/// What SHA-1 takes in at once, in bytes: the RFC's v.
const BLOCK: usize = 64;

/// What the derived bytes are for: the RFC's ID (appendix B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
}

/// `pkcs-12PbeParams`.
pub(super) struct Pbe<'a> {
    salt: &'a [u8],
    pub(super) rounds: u32,
}

impl<'a> Pbe<'a> {
    pub(super) fn read(parameters: Option<AnyRef<'a>>) -> der::Result<Self> {
        let parameters = parameters.ok_or_else(|| Tag::Sequence.value_error())?;
        parameters.sequence(|parameters| {
            let salt = <&OctetStringRef>::decode(parameters)?.as_bytes();
            Ok(Pbe { salt, rounds: u32::decode(parameters)? })
        })
    }

    /// None: the padding is wrong, and so was most likely the password.
    pub(super) fn open(&self, sealed: &[u8], password: &str) -> Option<Zeroizing<Vec<u8>>> {
        // A BMPString with its end: two zero bytes (appendix B.1).
        let mut password = utf16(password);
        password.extend([0, 0]);
        let key = self.derive::<24>(Purpose::Key, &password);
        let iv = self.derive::<8>(Purpose::Iv, &password);
        let mut opened = Zeroizing::new(sealed.to_vec());
        let cipher = Decryptor::<TdesEde3>::new((&*key).into(), (&*iv).into());
        let len = cipher.decrypt_padded::<Pkcs7>(&mut opened).ok()?.len();
        opened.truncate(len);
        Some(opened)
    }

    /// Appendix B.2.
    fn derive<const LEN: usize>(&self, purpose: Purpose, password: &[u8]) -> Zeroizing<[u8; LEN]> {
        let mut mixed = Zeroizing::new(filled(self.salt).chain(filled(password)).collect::<Vec<_>>());
        let mut derived = Zeroizing::new([0; LEN]);
        for piece in derived.chunks_mut(SHA1_OUTPUT_LEN) {
            let mut digest = Zeroizing::new(sha1(&[&[purpose as u8; BLOCK], &mixed]));
            for _ in 1..self.rounds {
                *digest = sha1(&[&*digest]);
            }
            piece.copy_from_slice(&digest[..piece.len()]);
            mixed.chunks_mut(BLOCK).for_each(|block| add(block, &digest));
        }
        derived
    }
}

/// `text` over and over, up to a whole number of blocks.
fn filled(text: &[u8]) -> impl Iterator<Item = u8> {
    text.iter().copied().cycle().take(text.len().next_multiple_of(BLOCK))
}

/// Adds to a big-endian number one, and another that is `digest` over and over.
fn add(block: &mut [u8], digest: &[u8; SHA1_OUTPUT_LEN]) {
    let mut sum = 1u16;
    for (at, byte) in block.iter_mut().enumerate().rev() {
        sum += u16::from(*byte) + u16::from(digest[at % SHA1_OUTPUT_LEN]);
        [_, *byte] = sum.to_be_bytes();
        sum >>= 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived<const LEN: usize>(purpose: Purpose, password: &str, salt: &[u8], rounds: u32) -> String {
        let mut password = utf16(password);
        password.extend([0, 0]);
        let bytes = Pbe { salt, rounds }.derive::<LEN>(purpose, &password);
        bytes.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// All by `openssl kdf -kdfopt digest:SHA1 … PKCS12KDF`.
    #[test]
    fn keys_are_derived_as_openssl_does() {
        let salt = [0x0A, 0x58, 0xCF, 0x64, 0x53, 0x0D, 0x82, 0x3F];
        assert_eq!(
            derived::<24>(Purpose::Key, "smeg", &salt, 1),
            "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3"
        );
        assert_eq!(derived::<8>(Purpose::Iv, "smeg", &salt, 1), "79993DFE048D3B76");
        let salt = [0x05, 0xDE, 0xC9, 0x59, 0xAC, 0xFF, 0x72, 0xF7];
        assert_eq!(
            derived::<24>(Purpose::Key, "queeg", &salt, 1000),
            "ED2034E36328830FF09DF1E1A07DD357185DAC0D4F9EB3D4"
        );
    }

    #[test]
    fn salts_and_passwords_of_more_than_a_block_are_derived_from_as_openssl_does() {
        assert_eq!(
            derived::<64>(Purpose::Key, &"a".repeat(40), &[0xFF; 70], 3),
            "87EA7C0304C969EADEDB4F41AA3DB0DB9C95F4BE61A8F5FD73AB16247DE43B45\
             7F0BBA4EB85BCD9EE28EE0FB35015F149CCE67D5561972983A16777E5899258A"
        );
    }

    #[test]
    fn salt_and_password_may_be_empty() {
        assert_eq!(derived::<8>(Purpose::Iv, "", &[], 1), "6E50AD0EBF03C795");
    }
}
