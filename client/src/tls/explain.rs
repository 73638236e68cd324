//! What a TLS failure means to the one who operates the cluster.

use std::io;

use rustls::{AlertDescription as Alert, CertificateError, Error};

use super::verify::Refusal;

/// The TLS error within an I/O error, if there is one.
pub(super) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// Our own verdict on the broker's certificate, if that is what went wrong.
pub(super) fn refusal(error: &io::Error) -> Option<Refusal> {
    match tls_error(error)? {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref().cloned(),
        _ => None,
    }
}

/// A failure before the handshake was done. `has_identity`: whether we have a certificate of our own.
pub(super) fn handshake(error: &io::Error, has_identity: bool) -> String {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.kind() {
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe if tls_error(error).is_none() => {
            "the broker closed the connection instead of answering: this listener probably does not speak TLS (is \
             it a PLAINTEXT or SASL_PLAINTEXT port? see security.protocol)"
                .to_owned()
        }
        _ => later(error, has_identity),
    }
}

/// A failure at any time. TLS 1.3 brokers refuse our certificate only after the handshake.
pub(super) fn later(error: &io::Error, has_identity: bool) -> String {
    if let Some(refusal) = refusal(error) {
        return refusal.to_string();
    }
    match tls_error(error) {
        None => error.to_string(),
        Some(Error::AlertReceived(alert)) => explain_alert(*alert, has_identity),
        Some(Error::InvalidMessage(_) | Error::PeerSentOversizedRecord) => {
            "the answer is not TLS: this listener does not speak TLS (is it a PLAINTEXT or SASL_PLAINTEXT port? see \
             security.protocol)"
                .to_owned()
        }
        Some(Error::PeerIncompatible(reason)) => format!(
            "the broker and restow have no TLS version, cipher suite or key exchange in common ({reason:?}): restow \
             speaks TLS 1.2 with forward secrecy and TLS 1.3; see ssl.enabled.protocols and ssl.cipher.suites here \
             and on the broker"
        ),
        Some(other) => other.to_string(),
    }
}

fn explain_alert(alert: Alert, has_identity: bool) -> String {
    let what = match (alert, has_identity) {
        (Alert::CertificateRequired | Alert::BadCertificate | Alert::HandshakeFailure, false) => {
            "it probably demands a client certificate, and none is set: set ssl.keystore.location (or \
             ssl.keystore.key and ssl.keystore.certificate.chain); if it demands none, compare ssl.enabled.protocols \
             and ssl.cipher.suites with the broker's"
        }
        (Alert::HandshakeFailure | Alert::InsufficientSecurity, _) => {
            "there is no cipher suite or key exchange in common, or it does not accept the kind of our certificate: \
             compare ssl.cipher.suites with the broker's"
        }
        (Alert::ProtocolVersion, _) => {
            "it speaks none of our TLS versions: compare ssl.enabled.protocols with the broker's (restow speaks \
             TLSv1.2 and TLSv1.3)"
        }
        (Alert::CertificateExpired, _) => "our certificate has expired: renew the one in the key store",
        (Alert::CertificateRevoked, _) => "our certificate is revoked: get a new one into the key store",
        (Alert::UnknownCA, true) => {
            "it does not know the CA of our certificate: add that CA to the broker's trust store, or use a \
             certificate of a CA that is in it"
        }
        (Alert::CertificateRequired, true) => {
            "it demands a client certificate, and did not get one that it can use: check the chain in the key store"
        }
        (Alert::BadCertificate | Alert::CertificateUnknown | Alert::UnsupportedCertificate, true) => {
            "it does not accept our certificate: is its CA in the broker's trust store, is it valid today, is the \
             chain in the key store complete, and is it meant for clients (extended key usage)?"
        }
        (Alert::AccessDenied, _) => "it accepts our certificate, but does not let us in",
        (Alert::DecryptError, true) => "our signature did not convince it: does the key fit the certificate?",
        (Alert::UnrecognisedName, _) => "it does not know the host name that we connect to",
        _ => "see the broker's log for its reason",
    };
    format!("the broker refused with the TLS alert {alert:?}: {what}")
}
