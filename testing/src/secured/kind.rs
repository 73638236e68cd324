//! The listeners that a secured cluster may have.

use super::certificates::StoreFormat;

/// A client listener beside PLAINTEXT. Its user is [`USER`], whatever the mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `SSL`: the broker has a certificate, the client (`User:ANONYMOUS`) none.
    Ssl,
    /// `SSL` with `ssl.client.auth=required`: the client is its certificate's subject (`User:CN=restow`).
    Mtls,
    /// `SASL_PLAINTEXT` with `PLAIN`: the password is on the wire for all to read.
    PlainClear,
    /// `SASL_SSL` with `PLAIN`.
    Plain,
    /// `SASL_SSL` with `SCRAM-SHA-256`.
    ScramSha256,
    /// `SASL_SSL` with `SCRAM-SHA-512`.
    ScramSha512,
    /// `SASL_SSL` with `OAUTHBEARER`; the client makes its own token and the broker believes it.
    Unsecured,
    /// `SASL_SSL` with `OAUTHBEARER`; a token endpoint over TLS signs the token (client credentials).
    Oidc,
}

/// Who logs in.
pub const USER: &str = "restow";

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 8] = [
        Kind::Ssl,
        Kind::Mtls,
        Kind::PlainClear,
        Kind::Plain,
        Kind::ScramSha256,
        Kind::ScramSha512,
        Kind::Unsecured,
        Kind::Oidc,
    ];

    /// What brokers know its clients as, in ACLs.
    #[must_use]
    pub fn principal(self) -> String {
        match self {
            Kind::Ssl => "User:ANONYMOUS".to_owned(),
            Kind::Mtls => format!("User:CN={USER}"),
            _ => format!("User:{USER}"),
        }
    }

    /// The value of `security.protocol`.
    #[must_use]
    pub fn protocol(self) -> &'static str {
        match self {
            Kind::Ssl | Kind::Mtls => "SSL",
            Kind::PlainClear => "SASL_PLAINTEXT",
            _ => "SASL_SSL",
        }
    }

    /// The value of `sasl.mechanism`.
    #[must_use]
    pub fn mechanism(self) -> Option<&'static str> {
        match self {
            Kind::Ssl | Kind::Mtls => None,
            Kind::PlainClear | Kind::Plain => Some("PLAIN"),
            Kind::ScramSha256 => Some("SCRAM-SHA-256"),
            Kind::ScramSha512 => Some("SCRAM-SHA-512"),
            Kind::Unsecured | Kind::Oidc => Some("OAUTHBEARER"),
        }
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn is_tls(self) -> bool {
        self != Kind::PlainClear
    }

    /// The name of the listener on the brokers.
    pub(crate) fn listener(self) -> &'static str {
        match self {
            Kind::Ssl => "SSL",
            Kind::Mtls => "MTLS",
            Kind::PlainClear => "PLAIN_CLEAR",
            Kind::Plain => "PLAIN",
            Kind::ScramSha256 => "SCRAM_256",
            Kind::ScramSha512 => "SCRAM_512",
            Kind::Unsecured => "UNSECURED",
            Kind::Oidc => "OIDC",
        }
    }

    /// What stands before the listener's own properties on the brokers.
    pub(crate) fn prefix(self) -> String {
        format!("listener.name.{}.", self.listener().to_lowercase())
    }

    /// The form of the stores in its client.properties: each form comes to its turn.
    pub(crate) fn stores(self) -> StoreFormat {
        match self {
            Kind::Mtls | Kind::ScramSha512 => StoreFormat::Pkcs12,
            Kind::Plain | Kind::Unsecured => StoreFormat::Jks,
            Kind::Ssl | Kind::PlainClear | Kind::ScramSha256 | Kind::Oidc => StoreFormat::Pem,
        }
    }
}
