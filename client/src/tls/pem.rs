//! PEM text, as Kafka takes it in files and in properties (KIP-651, `DefaultSslEngineFactory.PemStore`).

use base64ct::{Base64, Encoding};
use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::error::Fault;
use super::sealed;
use super::store::Key;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// What stands between a `BEGIN` and its `END`.
struct Section<'a> {
    label: String,
    body: &'a str,
}

/// DER of all certificates in `text`, in order. There is at least one.
pub(super) fn certificates(text: &str) -> Result<Vec<Vec<u8>>, Fault> {
    let sections = sections(text)?;
    let certificates = sections.iter().filter(|s| s.label == "CERTIFICATE" || s.label == "X509 CERTIFICATE");
    let certificates: Vec<_> =
        certificates.map(|s| decode(s).map(|der| der.to_vec())).collect::<Result<_, _>>()?;
    if certificates.is_empty() { Err(Fault::NoCertificate) } else { Ok(certificates) }
}

/// The only private key in `text`. Kafka takes PKCS#8 alone; the traditional forms do no harm.
pub(super) fn key(text: &str, password: Option<&str>) -> Result<Key, Fault> {
    let sections = sections(text)?;
    let keys: Vec<_> = sections.iter().filter(|s| s.label.ends_with("PRIVATE KEY")).collect();
    let key = match keys[..] {
        [] => return Err(Fault::NoKey),
        [key] => key,
        [..] => return Err(unusable(format!("there are {} private keys, and one is expected", keys.len()))),
    };
    if key.body.contains(':') {
        let reason =
            "its traditional OpenSSL encryption is not supported: convert it with openssl pkcs8 -topk8";
        return Err(unusable(reason.to_owned()));
    }
    let der = decode(key)?;
    let der = match key.label.as_str() {
        "PRIVATE KEY" => PrivateKeyDer::Pkcs8(der.to_vec().into()),
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(der.to_vec().into()),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(der.to_vec().into()),
        "ENCRYPTED PRIVATE KEY" => PrivateKeyDer::Pkcs8(sealed::open(&der, password)?.to_vec().into()),
        other => {
            return Err(unusable(format!("{other} is not supported: convert it with openssl pkcs8 -topk8")));
        }
    };
    Ok(Key(der))
}

fn unusable(reason: String) -> Fault {
    Fault::Key { reason }
}

fn damaged(reason: impl Into<String>) -> Fault {
    Fault::Damaged { reason: reason.into() }
}

/// Line breaks may be any white space: in properties they are often spaces.
fn sections(text: &str) -> Result<Vec<Section<'_>>, Fault> {
    let mut sections = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES).ok_or_else(|| damaged("it ends in a BEGIN line"))?;
        let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
        let no_end = || damaged(format!("there is no END of {label}"));
        let (body, after) = after.split_once(END).ok_or_else(no_end)?;
        let (end, after) = after.split_once(DASHES).ok_or_else(no_end)?;
        if !end.split_whitespace().eq(label.split_whitespace()) {
            return Err(no_end());
        }
        rest = after;
        sections.push(Section { label, body });
    }
    if rest.contains(DASHES) { Err(damaged("it ends in a BEGIN line")) } else { Ok(sections) }
}

fn decode(section: &Section<'_>) -> Result<Zeroizing<Vec<u8>>, Fault> {
    // Properties that are not unescaped have \n as two letters; no backslash is base64.
    let text = Zeroizing::new(section.body.replace("\\n", "").replace("\\r", ""));
    let mut packed = Zeroizing::new(String::with_capacity(text.len()));
    packed.extend(text.split_whitespace());
    Base64::decode_vec(&packed)
        .map(Zeroizing::new)
        .map_err(|_| damaged(format!("{} is not base64", section.label)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUST: &str = include_str!("../../testdata/stores/trust.pem");
    const SEALED: &str = include_str!("../../testdata/stores/client.aes256.pem");

    #[test]
    fn line_breaks_may_be_spaces_or_letters_or_missing() {
        let expected = certificates(TRUST).unwrap();
        assert_eq!(expected.len(), 2);
        for instead in [" ", "\\n", "\r\n", "\n\n  "] {
            assert_eq!(certificates(&TRUST.replace('\n', instead)).unwrap(), expected, "{instead:?}");
        }
        let password = Some("changeit");
        let Key(expected) = key(SEALED, password).unwrap();
        assert_eq!(key(&SEALED.replace('\n', " "), password).unwrap().0, expected);
    }

    #[test]
    fn text_around_the_sections_does_not_matter() {
        let text = format!("Bag Attributes\n  friendlyName: x\n{TRUST}\n# the end");
        assert_eq!(certificates(&text).unwrap().len(), 2);
    }

    #[test]
    fn traditional_encryption_is_refused_with_the_way_out() {
        let text = include_str!("../../testdata/stores/client.oldcrypt.pem");
        let fault = key(text, Some("changeit")).unwrap_err().to_string();
        assert!(fault.contains("openssl pkcs8 -topk8"), "{fault}");
    }

    #[test]
    fn traditional_keys_are_read() {
        let rsa = key(include_str!("../../testdata/stores/client.rsa.pem"), None).unwrap();
        assert!(matches!(rsa.0, PrivateKeyDer::Pkcs1(_)));
        let ec = key(include_str!("../../testdata/stores/ca.ec.pem"), None).unwrap();
        assert!(matches!(ec.0, PrivateKeyDer::Sec1(_)));
    }

    #[test]
    fn a_wrong_and_a_missing_password_are_named() {
        let fault = key(SEALED, Some("wrong")).unwrap_err();
        assert!(matches!(fault, Fault::WrongPassword { setting: "ssl.key.password" }), "{fault}");
        let fault = key(SEALED, None).unwrap_err();
        assert!(matches!(fault, Fault::NeedsPassword { setting: "ssl.key.password" }), "{fault}");
    }

    #[test]
    fn a_missing_a_second_and_no_key_are_told_apart() {
        assert!(matches!(key(TRUST, None).unwrap_err(), Fault::NoKey));
        assert!(key(&format!("{SEALED}{SEALED}"), None).unwrap_err().to_string().contains("2 private keys"));
        assert!(matches!(certificates(SEALED).unwrap_err(), Fault::NoCertificate));
    }

    #[test]
    fn a_cut_anywhere_in_a_section_is_noticed() {
        let one = &TRUST[..TRUST.find("-----END").unwrap() + "-----END CERTIFICATE-----".len()];
        for end in 0..one.len() {
            let fault = certificates(&one[..end]).unwrap_err();
            assert!(matches!(fault, Fault::Damaged { .. } | Fault::NoCertificate), "{end}: {fault}");
        }
    }
}
