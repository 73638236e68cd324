//! What the `sasl.*` keys of a client.properties say.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;
use crate::tls::TlsSettings;

/// A SASL mechanism with what it needs to log in.
#[derive(Debug, Clone)]
pub enum SaslSettings {
    /// `PLAIN`: the password itself goes over the wire.
    Plain {
        /// User name.
        username: String,
        /// Password.
        password: Secret,
    },
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512` (RFC 5802, RFC 7677): the password stays here.
    Scram {
        /// Which hash.
        hash: ScramHash,
        /// User name, or the id of a delegation token.
        username: String,
        /// Password, or the token's HMAC.
        password: Secret,
        /// Whether it is a delegation token (JAAS `tokenauth=true`, KIP-48).
        is_token: bool,
    },
    /// `OAUTHBEARER` (RFC 7628, KIP-255, KIP-768).
    OAuthBearer {
        /// Where tokens come from; asked again for each login.
        source: TokenSource,
        /// SASL extensions (JAAS `extension_NAME`, KIP-342).
        extensions: Vec<(String, String)>,
    },
}

/// The hash of a SCRAM mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScramHash {
    /// `SCRAM-SHA-256`.
    Sha256,
    /// `SCRAM-SHA-512`.
    Sha512,
}

/// Where OAuth tokens come from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// A file that holds the token and nothing else (`sasl.oauthbearer.token.endpoint.url=file:///…`).
    File(PathBuf),
    /// An environment variable (`restow.oauth.token.env`).
    Env(String),
    /// The standard output of a program, run without a shell (`restow.oauth.token.command`): also for MSK IAM.
    Command {
        /// What is run.
        program: String,
        /// Its arguments; everybody on the machine sees them in the process list.
        arguments: Vec<Secret>,
        /// How long it may take.
        timeout: Duration,
    },
    /// The client credentials grant of a token endpoint (RFC 6749 section 4.4, KIP-768).
    Oidc(Oidc),
    /// An unsecured JWS made here (`unsecuredLoginStringClaim_sub`): for development only, as Kafka says.
    Unsecured {
        /// Claim `sub`: who we say we are.
        subject: String,
        /// Claim `scope`, if any.
        scope: Vec<String>,
        /// How long the token lives (`unsecuredLoginLifetimeSeconds`, an hour by default).
        lifetime: Duration,
    },
}

/// A token endpoint and who we are there.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// `sasl.oauthbearer.token.endpoint.url`, `https://…` (or `http://` to loopback).
    pub endpoint: String,
    /// `clientId`.
    pub client_id: String,
    /// `clientSecret`.
    pub client_secret: Secret,
    /// `scope`.
    pub scope: Option<String>,
    /// Whether id, secret and scope are URL-encoded, as RFC 6749 section 2.3.1 has it
    /// (`sasl.oauthbearer.header.urlencode`, Kafka's default is false).
    pub url_encode: bool,
    /// Whom to trust at the endpoint: the `ssl.*` options of the JAAS line, as in Kafka; never those of the brokers.
    pub tls: Box<TlsSettings>,
    /// How long one try may take (`sasl.login.connect.timeout.ms` and `sasl.login.read.timeout.ms` together).
    pub timeout: Duration,
}
