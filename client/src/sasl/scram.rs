//! `SCRAM-SHA-256` and `SCRAM-SHA-512` (RFC 5802, RFC 7677), without channel binding, as Kafka has them (KIP-84).
//!
//! Like Kafka's `ScramFormatter`, names and passwords are taken as their UTF-8 bytes: no SASLprep. A password whose
//! credential was made by kafka-configs would not match otherwise.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use zeroize::Zeroizing;

use super::error::shown;
use super::{Message, SaslError, ScramHash};
use crate::secret::Secret;

/// What Kafka demands (`ScramMechanism`).
const MIN_ITERATIONS: u32 = 4096;
/// Kafka's own credentials have at most 16,384. PBKDF2 blocks the thread, and this many of SHA-512 take half a
/// second.
const MAX_ITERATIONS: u32 = 600_000;
/// Kafka's messages have some 100 bytes.
const MAX_MESSAGE: usize = 4096;
/// No authorisation identity, no channel binding; `biws` is its base64.
const GS2_HEADER: &str = "n,,";

/// The algorithms of a mechanism.
#[derive(Clone, Copy)]
pub(super) struct Hash {
    hmac: hmac::Algorithm,
    pbkdf2: pbkdf2::Algorithm,
}

impl From<ScramHash> for Hash {
    fn from(hash: ScramHash) -> Self {
        match hash {
            ScramHash::Sha256 => Hash { hmac: hmac::HMAC_SHA256, pbkdf2: pbkdf2::PBKDF2_HMAC_SHA256 },
            ScramHash::Sha512 => Hash { hmac: hmac::HMAC_SHA512, pbkdf2: pbkdf2::PBKDF2_HMAC_SHA512 },
        }
    }
}

/// What a broker's message was found wanting.
#[derive(Debug)]
pub(super) enum Fault {
    Malformed(&'static str),
    Iterations(String),
    NoProof,
}

impl Fault {
    pub(super) fn into_error(self, mechanism: &'static str) -> SaslError {
        match self {
            Fault::Malformed(what) => SaslError::Malformed { mechanism, what },
            Fault::Iterations(count) => {
                SaslError::Iterations { mechanism, count, min: MIN_ITERATIONS, max: MAX_ITERATIONS }
            }
            Fault::NoProof => SaslError::NoProof { mechanism },
        }
    }
}

/// The first message is out.
pub(super) struct AwaitsChallenge {
    hash: Hash,
    password: Secret,
    nonce: String,
    bare: String,
}

/// Our proof is out, and the broker's has to come.
pub(super) struct AwaitsProof {
    server_key: hmac::Key,
    auth_message: String,
}

/// A fresh nonce: 192 random bits.
pub(super) fn nonce() -> Result<String, SaslError> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SaslError::NoRandom)?;
    Ok(BASE64.encode(bytes))
}

/// The first message. That the name is a delegation token's id is said by an extension at its end (KIP-48,
/// `ScramLoginModule.TOKEN_AUTH_CONFIG`).
pub(super) fn begin(
    hash: Hash,
    username: &str,
    password: Secret,
    is_token: bool,
    nonce: String,
) -> Result<(Message, AwaitsChallenge), SaslError> {
    if username.is_empty() {
        return Err(SaslError::Empty { what: "user name" });
    }
    if username.contains('\0') {
        return Err(SaslError::Nul { what: "user name" });
    }
    let name = username.replace('=', "=3D").replace(',', "=2C");
    let extension = if is_token { ",tokenauth=true" } else { "" };
    let bare = format!("n={name},r={nonce}{extension}");
    let message = Message::new(format!("{GS2_HEADER}{bare}"));
    Ok((message, AwaitsChallenge { hash, password, nonce, bare }))
}

impl AwaitsChallenge {
    /// The answer to the broker's nonce, salt and iteration count: our proof that we know the password.
    pub(super) fn answer(self, challenge: &[u8]) -> Result<(Message, AwaitsProof), Fault> {
        let text = text(challenge)?;
        let Challenge { nonce, salt, iterations } = Challenge::parse(text, &self.nonce)?;
        let last = format!("c={},r={nonce}", BASE64.encode(GS2_HEADER));
        let auth_message = format!("{},{text},{last}", self.bare);
        let (proof, server_key) = self.prove(&salt, iterations, auth_message.as_bytes());
        let message = Message::new(format!("{last},p={}", BASE64.encode(&proof)));
        Ok((message, AwaitsProof { server_key, auth_message }))
    }

    /// ClientProof, and the ServerKey that the broker's signature is checked with (RFC 5802 section 3).
    fn prove(
        &self,
        salt: &[u8],
        iterations: NonZeroU32,
        auth_message: &[u8],
    ) -> (Zeroizing<Vec<u8>>, hmac::Key) {
        let hmac = self.hash.hmac;
        let mut salted = Zeroizing::new(vec![0; hmac.digest_algorithm().output_len()]);
        pbkdf2::derive(self.hash.pbkdf2, iterations, salt, self.password.expose().as_bytes(), &mut salted);
        let salted = hmac::Key::new(hmac, &salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let stored_key = digest::digest(hmac.digest_algorithm(), client_key.as_ref());
        let signature = hmac::sign(&hmac::Key::new(hmac, stored_key.as_ref()), auth_message);
        let proof = client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let server_key = hmac::Key::new(hmac, hmac::sign(&salted, b"Server Key").as_ref());
        (Zeroizing::new(proof), server_key)
    }
}

impl AwaitsProof {
    /// Whether the broker knows the credential too.
    pub(super) fn verify(self, answer: &[u8]) -> Result<(), Fault> {
        let signature = text(answer)?.split(',').next().and_then(|field| field.strip_prefix("v="));
        let signature = signature.ok_or(Fault::Malformed("it has no v= or e="))?;
        let signature = BASE64.decode(signature).map_err(|_| Fault::Malformed("v= is not base64"))?;
        // This comparison takes the same time for every signature.
        hmac::verify(&self.server_key, self.auth_message.as_bytes(), &signature).map_err(|_| Fault::NoProof)
    }
}

/// The broker's first message (`server-first-message` of RFC 5802 section 7).
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: NonZeroU32,
}

impl<'a> Challenge<'a> {
    fn parse(text: &'a str, ours: &str) -> Result<Self, Fault> {
        if text.starts_with("m=") {
            return Err(Fault::Malformed("it has a mandatory extension (m=), which we do not know"));
        }
        let mut fields = text.split(',');
        // Extensions at the end are to be ignored.
        let mut field = |prefix, missing| {
            fields.next().and_then(|field| field.strip_prefix(prefix)).ok_or(Fault::Malformed(missing))
        };
        let nonce = field("r=", "it has no r= where it belongs")?;
        let salt = field("s=", "it has no s= where it belongs")?;
        let iterations = field("i=", "it has no i= where it belongs")?;
        let theirs =
            nonce.strip_prefix(ours).ok_or(Fault::Malformed("its nonce does not begin with ours"))?;
        if theirs.is_empty() || !theirs.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Fault::Malformed("it adds no nonce of its own to ours"));
        }
        let salt = BASE64.decode(salt).ok().filter(|salt| !salt.is_empty());
        let salt = salt.ok_or(Fault::Malformed("its salt is empty or not base64"))?;
        Ok(Challenge { nonce, salt, iterations: count(iterations)? })
    }
}

fn count(text: &str) -> Result<NonZeroU32, Fault> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::Malformed("its iteration count is not a number"));
    }
    let count = text.parse().ok().filter(|count| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(count));
    count.and_then(NonZeroU32::new).ok_or_else(|| Fault::Iterations(shown(text.as_bytes())))
}

/// A message as text. An empty one is how other mechanisms end in success: here nothing has been proved yet.
fn text(message: &[u8]) -> Result<&str, Fault> {
    if message.is_empty() {
        return Err(Fault::NoProof);
    }
    if message.len() > MAX_MESSAGE {
        return Err(Fault::Malformed("it is far too long"));
    }
    std::str::from_utf8(message).map_err(|_| Fault::Malformed("it is not UTF-8"))
}

#[cfg(test)]
mod tests;
