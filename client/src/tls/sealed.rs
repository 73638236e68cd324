//! Private keys under a password: `EncryptedPrivateKeyInfo` (RFC 5958 section 3).

use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, SecretDocument};
use x509_cert::der::asn1::OctetStringRef;
use x509_cert::der::{self, Decode, Reader, SliceReader};
use zeroize::Zeroizing;

use super::error::Fault;
use super::pbe::{self, Pbe};

/// Rounds of PBKDF2 above which a key is not tried: a second of work. OpenSSL uses 2048.
const MAX_ROUNDS: u32 = 1_000_000;

/// Bytes that scrypt may take. OpenSSL's parameters take 16 MiB.
const MAX_SCRYPT_BYTES: u64 = 1 << 28;

enum Scheme<'a> {
    /// PKCS#12's with 3DES. Java 17 has no key factory for PBES2, so that this is what Kafka's clients are given.
    Pbe(Pbe<'a>),
    /// PKCS#5's current one (RFC 8018 section 6.2), OpenSSL's default.
    Pbes2(Parameters),
}

/// How a key is encrypted, and its octets.
pub(super) fn parts(der: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    SliceReader::new(der)?.sequence(|info| {
        let algorithm = AlgorithmIdentifierRef::decode(info)?;
        Ok((algorithm, <&OctetStringRef>::decode(info)?.as_bytes()))
    })
}

/// PKCS#8 out of the DER of an `ENCRYPTED PRIVATE KEY`.
pub(super) fn open(der: &[u8], password: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let (algorithm, octets) = parts(der).map_err(|_| damaged())?;
    let scheme = Scheme::read(algorithm)?;
    if scheme.is_too_costly() {
        let reason = "its encryption takes too many rounds or too much memory".to_owned();
        return Err(Fault::Key { reason });
    }
    let setting = super::store::KEY_PASSWORD;
    let password = password.ok_or(Fault::NeedsPassword { setting })?;
    let key = match scheme {
        Scheme::Pbe(pbe) => pbe.open(octets, password),
        Scheme::Pbes2(parameters) => parameters.decrypt(password, octets).ok().map(Zeroizing::new),
    };
    // One wrong password in 256 leaves what looks like padding, but not DER of just that length.
    let is_der = |key: &Zeroizing<Vec<u8>>| SecretDocument::try_from(key.as_slice()).is_ok();
    key.filter(is_der).ok_or(Fault::WrongPassword { setting })
}

fn damaged() -> Fault {
    Fault::Damaged { reason: "the encrypted key is not DER".to_owned() }
}

impl<'a> Scheme<'a> {
    fn read(algorithm: AlgorithmIdentifierRef<'a>) -> Result<Self, Fault> {
        if algorithm.oid == pbe::OID {
            return Pbe::read(algorithm.parameters).map(Scheme::Pbe).map_err(|_| damaged());
        }
        match EncryptionScheme::try_from(algorithm) {
            Ok(EncryptionScheme::Pbes2(parameters)) => Ok(Scheme::Pbes2(parameters)),
            _ => Err(Fault::Key {
                reason: format!(
                    "its encryption {} is not supported: convert it with openssl pkcs8 -topk8 -v2 aes-256-cbc, or with \
                     -v1 PBE-SHA1-3DES if Java 17 has to read it too",
                    name(algorithm.oid)
                ),
            }),
        }
    }

    fn is_too_costly(&self) -> bool {
        let parameters = match self {
            Scheme::Pbe(pbe) => return pbe.rounds > pbe::MAX_ROUNDS,
            Scheme::Pbes2(parameters) => parameters,
        };
        match &parameters.kdf {
            Kdf::Pbkdf2(kdf) => kdf.iteration_count > MAX_ROUNDS,
            Kdf::Scrypt(kdf) => {
                let bytes = kdf.cost_parameter.saturating_mul(u64::from(kdf.block_size)).saturating_mul(128);
                bytes > MAX_SCRYPT_BYTES || kdf.parallelization > 16
            }
            _ => true,
        }
    }
}

/// What RFC 7292 appendix C and RFC 8018 appendix A.3 call a scheme.
fn name(oid: ObjectIdentifier) -> String {
    let oid = oid.to_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.12.1.1" => "pbeWithSHAAnd128BitRC4",
        "1.2.840.113549.1.12.1.2" => "pbeWithSHAAnd40BitRC4",
        "1.2.840.113549.1.12.1.4" => "pbeWithSHAAnd2-KeyTripleDES-CBC",
        "1.2.840.113549.1.12.1.5" => "pbeWithSHAAnd128BitRC2-CBC",
        "1.2.840.113549.1.12.1.6" => "pbeWithSHAAnd40BitRC2-CBC",
        "1.2.840.113549.1.5.1" => "pbeWithMD2AndDES-CBC",
        "1.2.840.113549.1.5.3" => "pbeWithMD5AndDES-CBC",
        "1.2.840.113549.1.5.4" => "pbeWithMD2AndRC2-CBC",
        "1.2.840.113549.1.5.6" => "pbeWithMD5AndRC2-CBC",
        "1.2.840.113549.1.5.10" => "pbeWithSHA1AndDES-CBC",
        "1.2.840.113549.1.5.11" => "pbeWithSHA1AndRC2-CBC",
        "1.2.840.113549.1.5.13" => "PBES2 with these parameters",
        _ => return oid,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::pem;
    use crate::tls::store::Key;

    const PBE: &str = include_str!("../../testdata/stores/client.pbe.pem");
    const ONCE: &str = include_str!("../../testdata/stores/client.pbe.once.pem");
    const PASSWORD: Option<&str> = Some("changeit");

    fn plain() -> Key {
        pem::key(include_str!("../../testdata/stores/client.key.pem"), None).unwrap()
    }

    fn der(text: &str) -> Vec<u8> {
        let section = text.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        <base64ct::Base64 as base64ct::Encoding>::decode_vec(&section).unwrap()
    }

    #[test]
    fn pbes2_scrypt_and_the_3des_of_pkcs12_are_read() {
        for text in [
            include_str!("../../testdata/stores/client.aes256.pem"),
            include_str!("../../testdata/stores/client.sha1.pem"),
            include_str!("../../testdata/stores/client.3des.pem"),
            include_str!("../../testdata/stores/client.scrypt.pem"),
            PBE,
        ] {
            assert_eq!(pem::key(text, PASSWORD).unwrap(), plain());
        }
    }

    #[test]
    fn a_password_need_not_be_ascii() {
        assert_eq!(pem::key(ONCE, Some("pä€𝄞")).unwrap(), plain());
    }

    #[test]
    fn older_encryptions_are_refused_by_name() {
        for (text, name) in [
            (include_str!("../../testdata/stores/client.pbe.rc2.pem"), "pbeWithSHAAnd40BitRC2-CBC"),
            (include_str!("../../testdata/stores/client.pbe.md5.pem"), "pbeWithMD5AndDES-CBC"),
        ] {
            let fault = pem::key(text, PASSWORD).unwrap_err().to_string();
            assert!(fault.contains(&format!("its encryption {name} is not supported")), "{fault}");
            assert!(fault.contains("openssl pkcs8 -topk8"), "{fault}");
        }
    }

    /// Far more than 256 passwords, so that some leave what looks like padding.
    #[test]
    fn no_wrong_password_passes_by_luck() {
        let sealed = der(ONCE);
        for number in 0..3000 {
            let fault = open(&sealed, Some(&number.to_string())).unwrap_err();
            assert!(
                matches!(fault, Fault::WrongPassword { setting: "ssl.key.password" }),
                "{number}: {fault}"
            );
        }
    }

    #[test]
    fn a_missing_password_is_named() {
        let fault = open(&der(PBE), None).unwrap_err();
        assert!(matches!(fault, Fault::NeedsPassword { setting: "ssl.key.password" }), "{fault}");
    }

    #[test]
    fn a_cut_key_is_damaged_at_every_length() {
        for whole in [der(PBE), der(include_str!("../../testdata/stores/client.aes256.pem"))] {
            for len in 0..whole.len() {
                let fault = open(&whole[..len], PASSWORD).unwrap_err();
                assert!(matches!(fault, Fault::Damaged { .. }), "{len}: {fault}");
            }
        }
    }

    #[test]
    fn key_encryption_that_costs_too_much_is_not_tried() {
        let pbkdf2 =
            Parameters::generate_pbkdf2_sha256_aes256cbc(MAX_ROUNDS + 1, b"saltsalt", [0; 16]).unwrap();
        assert!(Scheme::Pbes2(pbkdf2).is_too_costly());
        // 2048 rounds become 8388607, in one byte more of INTEGER and of all that it is in.
        let at = der(PBE).windows(4).position(|bytes| bytes == [2, 2, 8, 0]).unwrap();
        let mut many = der(PBE);
        many.splice(at..at + 4, [2, 3, 0x7F, 0xFF, 0xFF]);
        for len in [3, 5, 19] {
            many[len] += 1;
        }
        let fault = open(&many, PASSWORD).unwrap_err().to_string();
        assert!(fault.contains("too many rounds"), "{fault}");
    }
}
