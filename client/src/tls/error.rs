//! Why TLS cannot be set up or a connection cannot be secured, and what to do about it.

use super::verify::Refusal;

/// What is wrong with the `ssl.*` settings, with a store that they name, or with a connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A key or trust store cannot be used.
    #[error("{place}: {fault}")]
    Store {
        /// Which store: the setting, and the file if it is one.
        place: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// No trust store is set, and the operating system has no roots either.
    #[error(
        "no trust store is set and the operating system has no root certificates ({reason}): set \
         ssl.truststore.location to the certificate of the CA that signed the brokers' certificates"
    )]
    NoRoots {
        /// What came of looking for them.
        reason: String,
    },
    /// A word in `ssl.cipher.suites` that is no name of a cipher suite.
    #[error("ssl.cipher.suites: {name:?} is no cipher suite: choose from {supported}, or remove the setting")]
    CipherSuite {
        /// The word as written.
        name: String,
        /// The names that can be used.
        supported: String,
    },
    /// `ssl.cipher.suites` has only names that we cannot offer.
    #[error(
        "ssl.cipher.suites: nothing in it is supported ({names}): choose from {supported}, or remove the setting"
    )]
    CipherSuites {
        /// The names as written.
        names: String,
        /// The names that can be used.
        supported: String,
    },
    /// None of the supported cipher suites belongs to one of the protocols.
    #[error(
        "ssl.cipher.suites and ssl.enabled.protocols leave nothing to offer: none of the supported cipher suites \
         in it belongs to one of the protocols"
    )]
    NothingToOffer,
    /// A host that TLS cannot name.
    #[error("{host:?} cannot be connected to by TLS: {reason}")]
    Host {
        /// As given.
        host: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// We do not trust the broker's certificate.
    #[error("TLS to {host} is refused: {refusal}")]
    Refused {
        /// The host that was connected to.
        host: String,
        /// Why.
        refusal: Refusal,
    },
    /// The handshake failed for another reason.
    #[error("TLS handshake with {host} failed: {reason}")]
    Handshake {
        /// The host that was connected to.
        host: String,
        /// What happened and what to do.
        reason: String,
    },
}

/// What is wrong with a key or trust store.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error("cannot be read: {source}")]
    Unreadable {
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The file is far larger than any store.
    #[error("is larger than {limit} bytes: is this the right file?")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The file is of another type than the settings say, and Java would not read it either.
    #[error("is a {found} file: set {setting}.type={found}")]
    OtherType {
        /// `PEM`, `JKS` or `PKCS12`.
        found: &'static str,
        /// `ssl.truststore` or `ssl.keystore`.
        setting: &'static str,
    },
    /// A type of store that we do not read.
    #[error("is a {found} store, which is not supported: {advice}")]
    Unsupported {
        /// The type.
        found: &'static str,
        /// How to convert it.
        advice: &'static str,
    },
    /// The file is no store at all.
    #[error("is neither PEM, JKS nor PKCS12 ({reason}): is this the right file?")]
    NotAStore {
        /// What it begins with.
        reason: &'static str,
    },
    /// The file is of the right type, but ends early or makes no sense.
    #[error("is cut off or damaged: {reason}")]
    Damaged {
        /// Where reading stopped.
        reason: String,
    },
    /// There is no password, and it takes one.
    #[error("needs a password: set {setting}")]
    NeedsPassword {
        /// The key to set.
        setting: &'static str,
    },
    /// The password does not open it.
    #[error("wrong password (or the content was changed): check {setting}")]
    WrongPassword {
        /// The key to check.
        setting: &'static str,
    },
    /// A private key of a kind or an encryption that we cannot use.
    #[error("the private key cannot be used: {reason}")]
    Key {
        /// Why, and how to convert it.
        reason: String,
    },
    /// There is no certificate in it.
    #[error("has no certificate: a trust store needs those of CAs, a key store our own with its chain")]
    NoCertificate,
    /// There is no private key in it.
    #[error("has no private key: a key store needs our private key and its certificate chain")]
    NoKey,
    /// The private key is not the one of the first certificate.
    #[error(
        "the private key does not belong to the first certificate ({subject}): the chain has to begin with our own \
         certificate"
    )]
    OtherKey {
        /// Subject of the first certificate.
        subject: String,
    },
}
