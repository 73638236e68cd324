//! Fuzz target: what a broker says in a login.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{SaslSettings, ScramHash, Step, TokenSource, Tokens, World};
use crate::connect::Stream;
use crate::secret::Secret;
use crate::tls::TlsSettings;

const SECRET: &str = "Hunter2!";
/// Stands between messages. No message in UTF-8 has it.
const END: u8 = 0xff;
/// Stands for our nonce, which a challenge has to repeat.
const NONCE: u8 = 1;
/// Begins a message that came with an error code.
const REFUSAL: u8 = 2;

/// One mechanism, by the first byte, and the broker's messages. True if one of them was taken.
pub fn sasl(data: &[u8]) -> bool {
    let [mechanism, messages @ ..] = data else { return false };
    // Up to 600,000 rounds are done: half a second, in which nothing is found.
    if messages.split(|byte| !byte.is_ascii_digit()).any(|number| number.len() > 4) {
        return false;
    }
    let begun =
        settings(*mechanism).begin(&Nowhere, &Tokens::default()).now_or_never().expect("nothing is fetched");
    let (first, mut exchange) = begun.expect("the settings can be said");
    let nonce = nonce(first.expose());
    let mut is_taken = false;
    for message in messages.split(|byte| *byte == END) {
        let parts: Vec<&[u8]> = message.split(|byte| *byte == NONCE).collect();
        let message = parts.join(nonce);
        let step = match message.strip_prefix(&[REFUSAL]) {
            Some(said) => Err(exchange.refused(&String::from_utf8_lossy(said))),
            None => exchange.next(&message),
        };
        match step {
            Ok(Step::Send { then, .. }) => (is_taken, exchange) = (true, then),
            Ok(Step::Done) => return true,
            Err(error) => {
                let told = error.to_string();
                assert!(
                    !told.contains(SECRET) || String::from_utf8_lossy(messages).contains(SECRET),
                    "{told}"
                );
                break;
            }
        }
    }
    is_taken
}

/// A login with `PLAIN`.
pub(crate) fn login() -> crate::Login {
    crate::Login::new(settings(0), Arc::new(Nowhere))
}

fn settings(mechanism: u8) -> SaslSettings {
    let (username, password) = ("alice".to_owned(), Secret::new(SECRET));
    let scram = |hash, is_token| SaslSettings::Scram {
        hash,
        username: username.clone(),
        password: password.clone(),
        is_token,
    };
    match mechanism % 5 {
        0 => SaslSettings::Plain { username, password },
        1 => scram(ScramHash::Sha256, false),
        2 => scram(ScramHash::Sha512, false),
        3 => scram(ScramHash::Sha512, true),
        _ => {
            SaslSettings::OAuthBearer { source: TokenSource::Env("TOKEN".to_owned()), extensions: Vec::new() }
        }
    }
}

/// The nonce in the first message of SCRAM.
fn nonce(first: &[u8]) -> &[u8] {
    let mut fields = first.split(|byte| *byte == b',');
    fields.find_map(|field| field.strip_prefix(b"r=")).unwrap_or_default()
}

/// A world with a token and without a network.
#[derive(Debug)]
struct Nowhere;

impl World for Nowhere {
    fn wall(&self) -> u64 {
        0
    }

    fn variable(&self, _: &str) -> Option<Secret> {
        Some(Secret::new("token"))
    }

    fn open<'a>(
        &'a self,
        _: &'a str,
        _: u16,
        _: Option<&'a TlsSettings>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        std::future::ready(Err(io::ErrorKind::Unsupported.into())).boxed()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    /// Both ends of each mechanism.
    pub(crate) fn seeds() -> Vec<Vec<u8>> {
        let challenge = b"r=\x01theirs,s=c2FsdA==,i=4096\xffv=rmF9pqV8S7suAoZWja4dJRkFsKQ=";
        let wrong = b"r=theirs,s=c2FsdA==,i=1\xff";
        let mut seeds =
            vec![b"\x00".to_vec(), b"\x00more?".to_vec(), b"\x00\x02no".to_vec(), b"\x04".to_vec()];
        seeds.push(b"\x04{\"status\":\"invalid_token\"}\xff\x02no".to_vec());
        for scram in 1..=3 {
            seeds.push([&[scram], &challenge[..]].concat());
            seeds.push([&[scram], &challenge[..], b",x=y"].concat());
            seeds.push([&[scram], &wrong[..]].concat());
            seeds.push([&[scram], &b"e=unknown-user"[..]].concat());
        }
        seeds
    }
}
