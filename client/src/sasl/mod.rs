//! The client's side of SASL, as state machines without input or output, and where tokens come from.
//!
//! ```text
//! plain, scram, oauth   a mechanism: settings → first message; broker's message → next one, or done
//! token, oidc           a token source → a bearer token
//! kept                  the last token, while it lives
//! ```
//!
//! Kafka carries the messages in `SaslAuthenticate` requests, after a `SaslHandshake` that names the mechanism
//! (KIP-43, KIP-152). A new [`begin`](SaslSettings::begin) is made for each login, also to authenticate again
//! on a connection (KIP-368).

mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod kept;
mod oauth;
mod oidc;
mod plain;
mod scram;
mod settings;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;
use std::io;

use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

use crate::connect::Stream;
use crate::secret::Secret;
use crate::tls::TlsSettings;

pub use error::{SaslError, TokenError};
pub use kept::Tokens;
pub use settings::{Oidc, SaslSettings, ScramHash, TokenSource};

/// What a login needs of the world outside.
pub trait World: Send + Sync + fmt::Debug {
    /// Wall time in milliseconds since the Unix epoch.
    fn wall(&self) -> u64;

    /// An environment variable, if it is set.
    fn variable(&self, name: &str) -> Option<Secret>;

    /// Opens a stream to a token endpoint: over TLS with these settings, or plain TCP without any. `host` is a name
    /// or an IP address without brackets. The caller bounds the time.
    ///
    /// # Errors
    /// If no stream came about. [`io::ErrorKind::InvalidData`] says that trying again is of no use (TLS).
    fn open<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        tls: Option<&'a TlsSettings>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;
}

/// The bytes of one `SaslAuthenticate` request. They may hold a password or a token: they do not print, and are
/// wiped when dropped.
pub struct Message(Zeroizing<Vec<u8>>);

impl Message {
    fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Message(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for the request.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message(…)")
    }
}

/// One login that waits for the broker's answer to the message sent last.
pub struct Exchange {
    mechanism: &'static str,
    principal: Option<String>,
    advice: &'static str,
    state: State,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({}, {:?})", self.mechanism, self.principal)
    }
}

enum State {
    Plain,
    Scram(scram::AwaitsChallenge),
    ScramProof(Box<scram::AwaitsProof>),
    OAuth,
    /// The broker's error document, to which we answered as RFC 7628 wants it.
    OAuthRefused(String),
}

/// What comes after an answer of the broker.
#[derive(Debug)]
#[must_use = "a login is only over with `Done`"]
pub enum Step {
    /// Another message is to be sent.
    Send {
        /// The message.
        message: Message,
        /// Waits for the answer to it.
        then: Exchange,
    },
    /// Both sides have shown what the mechanism demands: we are logged in.
    Done,
}

impl SaslSettings {
    /// The mechanism's name, for `SaslHandshake`.
    pub fn mechanism(&self) -> &'static str {
        match self {
            SaslSettings::Plain { .. } => "PLAIN",
            SaslSettings::Scram { hash: ScramHash::Sha256, .. } => "SCRAM-SHA-256",
            SaslSettings::Scram { hash: ScramHash::Sha512, .. } => "SCRAM-SHA-512",
            SaslSettings::OAuthBearer { .. } => "OAUTHBEARER",
        }
    }

    /// The user that we log in as, where we can know it: a delegation token stands for its owner, and what an
    /// OAuth token stands for is the broker's to say.
    pub fn principal_name(&self) -> Option<&str> {
        match self {
            SaslSettings::Plain { username, .. } => Some(username),
            SaslSettings::Scram { username, is_token, .. } => (!is_token).then_some(username),
            SaslSettings::OAuthBearer { source: TokenSource::Unsecured { subject, .. }, .. } => Some(subject),
            SaslSettings::OAuthBearer { .. } => None,
        }
    }

    /// Begins a login: the first message, and who waits for the answer to it. A token is fetched in here, which may
    /// take as long as its source's settings allow: call it before connecting, because brokers drop a connection
    /// that is silent.
    ///
    /// # Errors
    /// If the settings cannot be said in the mechanism, or if there is no token.
    pub async fn begin(&self, world: &dyn World, tokens: &Tokens) -> Result<(Message, Exchange), SaslError> {
        let (message, state) = match self {
            SaslSettings::Plain { username, password } => (plain::message(username, password)?, State::Plain),
            SaslSettings::Scram { hash, username, password, is_token } => {
                let nonce = scram::nonce()?;
                let (message, awaits) =
                    scram::begin((*hash).into(), username, password.clone(), *is_token, nonce)?;
                (message, State::Scram(awaits))
            }
            SaslSettings::OAuthBearer { source, extensions } => {
                oauth::check(extensions)?;
                (oauth::message(&tokens.get(source, world).await?, extensions), State::OAuth)
            }
        };
        let principal = self.principal_name().map(str::to_owned);
        Ok((message, Exchange { mechanism: self.mechanism(), principal, advice: self.advice(), state }))
    }

    /// What to look at when a broker says no. Brokers do not tell a wrong password from an unknown user.
    fn advice(&self) -> &'static str {
        match self {
            SaslSettings::Plain { .. } => {
                "check user name and password; the broker does not say which of them is wrong"
            }
            SaslSettings::Scram { is_token: false, .. } => {
                "check user name and password, and that the user has a credential for this very mechanism; the \
                 broker does not say which of them is wrong"
            }
            SaslSettings::Scram { is_token: true, .. } => {
                "check the delegation token's id and HMAC, and that it has not expired"
            }
            SaslSettings::OAuthBearer { .. } => {
                "check that the token has not expired, and that its issuer, audience and scope are those that the \
                 broker expects"
            }
        }
    }
}

impl Exchange {
    /// Takes the broker's answer, if it came without an error code.
    ///
    /// # Errors
    /// If the answer is not one that the mechanism allows here, if it says no, or if it claims success before the
    /// broker has proved what it must prove.
    pub fn next(self, answer: &[u8]) -> Result<Step, SaslError> {
        let Exchange { mechanism, principal, advice, state } = self;
        let after = |state| Exchange { mechanism, principal, advice, state };
        let (message, state) = match state {
            State::Plain | State::OAuth if answer.is_empty() => return Ok(Step::Done),
            State::Plain => {
                return Err(SaslError::Malformed { mechanism, what: "data where only a yes or no belongs" });
            }
            State::OAuth => (oauth::acknowledgement(), State::OAuthRefused(error::shown(answer))),
            state @ State::OAuthRefused(_) => return Err(after(state).refused("")),
            State::Scram(_) | State::ScramProof(_) if answer.starts_with(b"e=") => {
                let said = String::from_utf8_lossy(&answer[2..]);
                return Err(after(state).refused(&said));
            }
            State::Scram(awaits) => {
                let (message, awaits) = awaits.answer(answer).map_err(|fault| fault.into_error(mechanism))?;
                (message, State::ScramProof(Box::new(awaits)))
            }
            State::ScramProof(awaits) => {
                awaits.verify(answer).map_err(|fault| fault.into_error(mechanism))?;
                return Ok(Step::Done);
            }
        };
        Ok(Step::Send { message, then: after(state) })
    }

    /// The error for a broker that answered with an error code instead (`SASL_AUTHENTICATION_FAILED`), and `said`
    /// this.
    pub fn refused(self, said: &str) -> SaslError {
        let said = match self.state {
            State::OAuthRefused(document) => document,
            _ => error::shown(said.as_bytes()),
        };
        SaslError::Refused { mechanism: self.mechanism, principal: self.principal, said, advice: self.advice }
    }
}
