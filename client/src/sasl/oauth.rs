//! `OAUTHBEARER` (RFC 7628), as Kafka has it (KIP-255, KIP-342).

use zeroize::Zeroizing;

use super::{Message, SaslError};
use crate::secret::Secret;

/// Whether brokers take these extensions (`OAuthBearerClientInitialResponse.validateExtensions`).
pub(super) fn check(extensions: &[(String, String)]) -> Result<(), SaslError> {
    let fits = |name: &str, value: &str| {
        let letters = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic());
        let printable = |b: u8| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        letters && name != "auth" && !value.is_empty() && value.bytes().all(printable)
    };
    match extensions.iter().find(|(name, value)| !fits(name, value)) {
        Some((name, _)) => Err(SaslError::Extension { name: name.clone() }),
        None => Ok(()),
    }
}

/// The first message. Token and extensions have been checked: none of them holds a separator.
pub(super) fn message(token: &Secret, extensions: &[(String, String)]) -> Message {
    let pairs: String = extensions.iter().map(|(name, value)| format!("{name}={value}\x01")).collect();
    let pairs = Zeroizing::new(pairs);
    Message::new(["n,,\x01auth=Bearer ", token.expose(), "\x01", &pairs, "\x01"].concat())
}

/// The answer to an error document: brokers wait for it before they say no (RFC 7628 section 3.2.3).
pub(super) fn acknowledgement() -> Message {
    Message::new([1])
}

/// Whether it is a `b64token` of RFC 6750 section 2.1.
pub(super) fn is_bearer_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && body.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_message_is_laid_out_as_kafka_lays_it_out() {
        let token = Secret::new("a.b.c");
        assert_eq!(message(&token, &[]).expose(), b"n,,\x01auth=Bearer a.b.c\x01\x01");
        let extensions = pairs(&[("logicalCluster", "lkc-1"), ("traceId", "1 2")]);
        assert_eq!(
            message(&token, &extensions).expose(),
            b"n,,\x01auth=Bearer a.b.c\x01logicalCluster=lkc-1\x01traceId=1 2\x01\x01"
        );
    }

    #[test]
    fn extensions_that_brokers_refuse_are_named() {
        check(&pairs(&[("a", "1"), ("Z", "x=y ~\t\r\n")])).unwrap();
        for (name, value) in
            [("auth", "x"), ("", "x"), ("a1", "x"), ("a-b", "x"), ("a", ""), ("a", "x\x01auth=y"), ("a", "é")]
        {
            let error = check(&pairs(&[("ok", "1"), (name, value)])).unwrap_err();
            assert!(error.to_string().starts_with(&format!("SASL extension {name:?} cannot")), "{error}");
        }
    }

    #[test]
    fn a_token_has_only_the_characters_of_tokens() {
        for good in ["a", "eyJ.e30.", "AZaz09-._~+/==", "a="] {
            assert!(is_bearer_token(good), "{good}");
        }
        for bad in ["", "=", "a=b", "a b", "a\x01", "a\n", "ä", "\"a\"", "a,b"] {
            assert!(!is_bearer_token(bad), "{bad:?}");
        }
    }
}
