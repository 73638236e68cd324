//! Why a login came to nothing: no text in here holds a password, a token or what was derived from them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(super) use crate::error::shown;

/// Why a login failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SaslError {
    /// A field that the mechanism cannot carry.
    #[error("the {what} holds a NUL character, which SASL cannot carry")]
    Nul {
        /// Which one.
        what: &'static str,
    },
    /// Nothing where something is needed.
    #[error("the {what} is empty")]
    Empty {
        /// What is.
        what: &'static str,
    },
    /// An extension that Kafka's brokers would refuse (KIP-342).
    #[error(
        "SASL extension {name:?} cannot be sent: names are ASCII letters and not `auth`, values are printable ASCII"
    )]
    Extension {
        /// Its name.
        name: String,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random numbers for the SCRAM nonce")]
    NoRandom,
    /// The broker's message breaks the mechanism's rules.
    #[error("the broker's {mechanism} message is not valid: {what}")]
    Malformed {
        /// The mechanism.
        mechanism: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A SCRAM iteration count that is weaker than Kafka allows, or so high that only harm can be meant.
    #[error(
        "the broker asks for {count} {mechanism} iterations, but {min} to {max} are accepted; set the credential \
         anew with kafka-configs"
    )]
    Iterations {
        /// The mechanism.
        mechanism: &'static str,
        /// What the broker wants.
        count: String,
        /// The fewest that we accept.
        min: u32,
        /// The most that we accept.
        max: u32,
    },
    /// The broker accepted us without showing that it knows the credential.
    #[error(
        "the broker did not prove that it knows the {mechanism} credential: it may not be the broker that it claims \
         to be; check the address, and use TLS"
    )]
    NoProof {
        /// The mechanism.
        mechanism: &'static str,
    },
    /// The broker said no.
    #[error("the broker refused the {mechanism} login{}{}: {advice}", who(principal.as_deref()), quoted(said))]
    Refused {
        /// The mechanism.
        mechanism: &'static str,
        /// As whom, where we know.
        principal: Option<String>,
        /// The broker's own words, cut and escaped; may be empty.
        said: String,
        /// What to look at.
        advice: &'static str,
    },
    /// There was no token to log in with.
    #[error("no OAuth token: {source}")]
    Token {
        /// Why.
        #[from]
        source: TokenError,
    },
}

/// Why a source gave no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// A token file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: Arc<io::Error>,
    },
    /// A token file that is a directory, a pipe or a device.
    #[error("{} is not a regular file; use a token command for what is not", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A variable is missing.
    #[error("the environment variable {name} is not set")]
    NotSet {
        /// Its name.
        name: String,
    },
    /// A program could not be run.
    #[error("cannot run {program}: {source}; it is run without a shell")]
    NotRun {
        /// The program, without its arguments.
        program: String,
        /// The operating system's reason.
        source: Arc<io::Error>,
    },
    /// A program failed. What it printed is not shown, because that may hold secrets.
    #[error("{program} failed ({status}); run it by hand to see why")]
    Failed {
        /// The program, without its arguments.
        program: String,
        /// How it ended.
        status: String,
    },
    /// The URL of the token endpoint is of no use.
    #[error("the token endpoint URL {reason}")]
    BadEndpoint {
        /// Why.
        reason: &'static str,
    },
    /// Something that the client credentials grant needs is blank.
    #[error("{what} is blank")]
    Blank {
        /// The key.
        what: &'static str,
    },
    /// No connection to the token endpoint.
    #[error("cannot connect to the token endpoint {host}: {source}")]
    Unreachable {
        /// The host, with the port where the URL has one.
        host: String,
        /// The reason.
        source: Arc<io::Error>,
    },
    /// The connection to the token endpoint broke, or does not speak HTTP.
    #[error("the exchange with the token endpoint {host} broke: {reason}")]
    Broken {
        /// The host.
        host: String,
        /// What happened.
        reason: String,
    },
    /// The token endpoint said no.
    #[error("the token endpoint {host} answered {status}{}", quoted(said))]
    Status {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// `error` and `error_description` of RFC 6749 section 5.2, cut and escaped; may be empty.
        said: String,
    },
    /// The token endpoint sends us elsewhere. The client's secret is not carried there.
    #[error(
        "the token endpoint {host} answered {status}, a redirect, which is not followed; configure the URL itself"
    )]
    Redirect {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The token endpoint's yes holds no token.
    #[error("the answer of the token endpoint {host} is not JSON with an access_token")]
    NoToken {
        /// The host.
        host: String,
    },
    /// A source took too long.
    #[error("{place} gave no token within {} ms", after.as_millis())]
    TimedOut {
        /// The source.
        place: String,
        /// The deadline.
        after: Duration,
    },
    /// A source gave more bytes than any token has.
    #[error("{place} gave more than {limit} bytes, which is no token")]
    TooLong {
        /// The source.
        place: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// What a source gave is not a token.
    #[error("what {place} gave is not one bearer token: letters, digits and -._~+/ with = only at the end")]
    NotAToken {
        /// The source.
        place: String,
    },
}

fn who(principal: Option<&str>) -> String {
    principal.map(|name| format!(" of {name:?}")).unwrap_or_default()
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" (it said: {said})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_peer_is_cut_and_escaped() {
        assert_eq!(shown(b"\"no's\"\x1b[2J\n"), "\"no's\"\\u{1b}[2J\\n");
        assert_eq!(shown(&[0xff; 3]), "\u{fffd}\u{fffd}\u{fffd}");
        let long = shown("é".repeat(100_000).as_bytes());
        assert_eq!(long, format!("{}…", "é".repeat(200)));
        assert_eq!(shown("é".repeat(200).as_bytes()), "é".repeat(200));
    }
}
