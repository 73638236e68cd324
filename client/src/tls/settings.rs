//! What the `ssl.*` keys of a client.properties say.

use std::path::PathBuf;

use crate::secret::Secret;

/// How TLS connections are made.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// Who is trusted; none: the roots of the operating system.
    pub trust: Option<Store>,
    /// Our own certificate and key, for brokers that ask for one (mTLS).
    pub identity: Option<Store>,
    /// Whether the certificate has to be for the host that we connect to
    /// (`ssl.endpoint.identification.algorithm=https`, Kafka's default).
    pub check_host: bool,
    /// TLS versions that may be spoken (`ssl.enabled.protocols`); none: 1.2 and 1.3.
    pub protocols: Vec<Protocol>,
    /// Cipher suites that may be used, by IANA name, as Java has them (`ssl.cipher.suites`); none: all that are safe.
    /// Those that we do not have are left out with a warning.
    pub cipher_suites: Vec<String>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        TlsSettings {
            trust: None,
            identity: None,
            check_host: true,
            protocols: Vec::new(),
            cipher_suites: Vec::new(),
        }
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `TLSv1.2`.
    Tls12,
    /// `TLSv1.3`.
    Tls13,
}

/// Certificates, and keys where they are ours.
#[derive(Debug, Clone)]
pub enum Store {
    /// `ssl.truststore.location`, `ssl.keystore.location`.
    File {
        /// `ssl.truststore.type`, `ssl.keystore.type`.
        kind: StoreKind,
        /// Where it is.
        path: PathBuf,
        /// Of the store: `ssl.truststore.password`, `ssl.keystore.password`.
        password: Option<Secret>,
        /// Of the private key in it, if it has its own: `ssl.key.password`.
        key_password: Option<Secret>,
    },
    /// PEM text in the properties themselves: `ssl.truststore.certificates`, or `ssl.keystore.certificate.chain` and
    /// `ssl.keystore.key`.
    Inline {
        /// One or more certificates.
        certificates: String,
        /// PKCS#8, encrypted or not.
        key: Option<Secret>,
        /// `ssl.key.password`.
        key_password: Option<Secret>,
    },
}

/// The format of a file of certificates and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Text; a key store holds the PKCS#8 key and its certificate chain in one file (Kafka 2.7, KIP-651).
    Pem,
    /// `PKCS12`, what Java's keytool makes today.
    Pkcs12,
    /// `JKS`, what it made before Java 9.
    Jks,
}
