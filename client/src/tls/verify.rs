//! Whom we trust: Java's rules on top of webpki's.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::certificate::{Certificate, Moment, NamedBy};

/// Why a broker's certificate is not accepted. Dates are UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It, or a CA certificate between it and the root, is past its end.
    #[error(
        "certificate {subject} expired on {}; it is {} now: renew it on the broker (or correct this machine's \
         clock)", Moment(*not_after), Moment(*now)
    )]
    Expired {
        /// Whose certificate.
        subject: String,
        /// Its end, in seconds since 1970.
        not_after: u64,
        /// The time here, in seconds since 1970.
        now: u64,
    },
    /// Its validity has not begun.
    #[error(
        "certificate {subject} is not valid before {}; it is {} now: correct the clock of this machine, or of the \
         one that made the certificate", Moment(*not_before), Moment(*now)
    )]
    NotYetValid {
        /// Whose certificate.
        subject: String,
        /// Its begin, in seconds since 1970.
        not_before: u64,
        /// The time here, in seconds since 1970.
        now: u64,
    },
    /// It is for other hosts.
    #[error(
        "certificate {subject} is not for host {host}: it has {names}: connect by one of these names (see the \
         broker's advertised.listeners), or issue a certificate that has {host} as a DNS alternative name"
    )]
    WrongHost {
        /// Whose certificate.
        subject: String,
        /// The host that was connected to.
        host: String,
        /// What it is for.
        names: String,
    },
    /// It is not for the IP address that we connect to.
    #[error(
        "certificate {subject} is not for address {address}: it has {names}: connect by one of these (see the \
         broker's advertised.listeners), or issue a certificate that has {address} as an IP alternative name"
    )]
    WrongAddress {
        /// Whose certificate.
        subject: String,
        /// The address that was connected to.
        address: String,
        /// What it is for.
        names: String,
    },
    /// It is signed by itself, and not trusted.
    #[error(
        "certificate {subject} is self-signed and not in {trust}: if it is the right one, add it to the trust store"
    )]
    SelfSigned {
        /// Whose certificate.
        subject: String,
        /// Where we looked.
        trust: String,
    },
    /// The chain that the broker sends ends in a root that is not trusted.
    #[error(
        "certificate {subject} comes from the unknown CA {root}, which is not in {trust}: if it is the right one, \
         add that CA's certificate to the trust store"
    )]
    UnknownCa {
        /// Whose certificate.
        subject: String,
        /// Subject of the root that the broker sent.
        root: String,
        /// Where we looked.
        trust: String,
    },
    /// The chain breaks off: an issuer is neither sent nor trusted.
    #[error(
        "certificate {subject} was issued by {issuer}, which the broker does not send and {trust} does not have: \
         if that is an intermediate CA, put its certificate into the broker's key store, behind the broker's own; \
         otherwise add that CA to the trust store"
    )]
    MissingIssuer {
        /// The last certificate that was sent.
        subject: String,
        /// Who is missing.
        issuer: String,
        /// Where we looked.
        trust: String,
    },
    /// A trusted CA has the issuer's name, but did not sign it.
    #[error(
        "certificate {subject} names {issuer} as its issuer, but was not signed by the key of that CA in {trust}: \
         was the CA renewed with a new key? then add its new certificate to the trust store"
    )]
    OtherCaKey {
        /// The certificate whose signature does not fit.
        subject: String,
        /// The CA.
        issuer: String,
        /// Where the CA's certificate is.
        trust: String,
    },
    /// It may not be used by a server.
    #[error(
        "certificate {subject} is not meant for servers (extended key usage): issue one with serverAuth for the \
         broker"
    )]
    WrongUsage {
        /// Whose certificate.
        subject: String,
    },
    /// Signed in a way that we do not accept.
    #[error(
        "certificate {subject} or a CA above it has a key or signature of a kind that is not accepted: RSA (2048 to \
         8192 bits) with SHA-2, ECDSA on P-256 or P-384, and Ed25519 are"
    )]
    WeakSignature {
        /// Whose certificate.
        subject: String,
    },
    /// It is of a version without extensions.
    #[error(
        "certificate {subject} is of X.509 version {version}, which is not accepted for servers: issue one of \
         version 3, with alternative names (openssl makes version 1 unless it is given extensions)"
    )]
    OldVersion {
        /// Whose certificate.
        subject: String,
        /// 1 or 2.
        version: u8,
    },
    /// It cannot be read, or breaks the rules in another way.
    #[error("certificate {subject} cannot be accepted: {reason}")]
    Unacceptable {
        /// Whose certificate, if it says.
        subject: String,
        /// What the checker says.
        reason: String,
    },
}

/// Checks a broker's certificate.
pub(super) struct Verifier {
    pub(super) roots: RootCertStore,
    /// DER of all that is trusted: a broker may show one of these itself, as Java accepts.
    pub(super) trusted: BTreeSet<Vec<u8>>,
    pub(super) check_host: bool,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    /// What `roots` came from, for messages.
    pub(super) origin: String,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({}, check_host={})", self.origin, self.check_host)
    }
}

impl Verifier {
    pub(super) fn check(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let Some(shown) = Certificate::read(leaf) else {
            let reason = "it is not a readable X.509 certificate".to_owned();
            return Err(Refusal::Unacceptable { subject: "of the broker".to_owned(), reason });
        };
        if self.trusted.contains(leaf.as_ref()) {
            // webpki would refuse a CA certificate, or one without an issuer, as a server's.
            check_dates(&shown, now.as_secs())?;
        } else {
            self.check_chain(leaf, others, now).map_err(|error| self.refusal(error, &shown, others, now))?;
        }
        if self.check_host && match_host(leaf, &shown, host)? == NamedBy::CommonName {
            self.may_be_named_by_common_name(&shown, others, host)?;
        }
        Ok(())
    }

    /// webpki holds alternative names only to the limits that a CA sets.
    fn may_be_named_by_common_name(
        &self,
        shown: &Certificate,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
    ) -> Result<(), Refusal> {
        let mut all = others.iter().map(AsRef::as_ref).chain(self.trusted.iter().map(Vec::as_slice));
        if all.any(|der| Certificate::read(der).is_some_and(|ca| ca.is_constraining)) {
            return Err(wrong_host(shown, host));
        }
        Ok(())
    }

    fn check_chain(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let parsed = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, others, now, self.algorithms.all)
    }

    fn refusal(
        &self,
        error: rustls::Error,
        shown: &Certificate,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Refusal {
        use CertificateError as E;
        let subject = shown.subject.clone();
        let now = now.as_secs();
        let sent = || others.iter().filter_map(|other| Certificate::read(other)).chain([shown.clone()]);
        let rustls::Error::InvalidCertificate(error) = error else {
            // Nothing else comes from webpki today.
            return Refusal::Unacceptable { subject, reason: error.to_string() };
        };
        match error {
            E::ExpiredContext { not_after, .. } => {
                let not_after = not_after.as_secs();
                let subject = sent().find(|c| c.not_after == not_after).map_or(subject, |c| c.subject);
                Refusal::Expired { subject, not_after, now }
            }
            E::NotValidYetContext { not_before, .. } => {
                let not_before = not_before.as_secs();
                let subject = sent().find(|c| c.not_before == not_before).map_or(subject, |c| c.subject);
                Refusal::NotYetValid { subject, not_before, now }
            }
            E::UnknownIssuer | E::BadSignature => self.broken_chain(shown, sent().collect()),
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => Refusal::WrongUsage { subject },
            E::UnsupportedSignatureAlgorithmContext { .. }
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Refusal::WeakSignature { subject }
            }
            _ if shown.is_self_issued() => self.broken_chain(shown, Vec::new()),
            _ if shown.version < 3 => Refusal::OldVersion { subject, version: shown.version },
            // What webpki has no rustls name for, such as a CA in the place of a broker.
            E::Other(other) => Refusal::Unacceptable { subject, reason: other.0.to_string() },
            other => Refusal::Unacceptable { subject, reason: other.to_string() },
        }
    }

    /// Follows the issuers from the broker's certificate to the one at which trust ends.
    fn broken_chain(&self, shown: &Certificate, mut sent: Vec<Certificate>) -> Refusal {
        let subject = shown.subject.clone();
        let trust = self.origin.clone();
        if shown.is_self_issued() {
            return Refusal::SelfSigned { subject, trust };
        }
        let mut last = shown.clone();
        while !last.is_self_issued() {
            let Some(at) = sent.iter().position(|c| c.subject == last.issuer) else { break };
            last = sent.swap_remove(at);
        }
        if last.is_self_issued() && !self.trusted_by_name(&last.subject) {
            return Refusal::UnknownCa { subject, root: last.subject, trust };
        }
        if self.trusted_by_name(&last.issuer) {
            return Refusal::OtherCaKey { subject: last.subject, issuer: last.issuer, trust };
        }
        Refusal::MissingIssuer { subject: last.subject, issuer: last.issuer, trust }
    }

    fn trusted_by_name(&self, subject: &str) -> bool {
        self.trusted.iter().filter_map(|der| Certificate::read(der)).any(|ca| ca.subject == subject)
    }
}

fn check_dates(shown: &Certificate, now: u64) -> Result<(), Refusal> {
    let subject = shown.subject.clone();
    if now > shown.not_after {
        return Err(Refusal::Expired { subject, not_after: shown.not_after, now });
    }
    if now < shown.not_before {
        return Err(Refusal::NotYetValid { subject, not_before: shown.not_before, now });
    }
    Ok(())
}

/// By which name the certificate is for `host`.
pub(super) fn match_host(
    leaf: &CertificateDer<'_>,
    shown: &Certificate,
    host: &ServerName<'_>,
) -> Result<NamedBy, Refusal> {
    let by_alternative_name = ParsedCertificate::try_from(leaf).and_then(|c| verify_server_name(&c, host));
    if by_alternative_name.is_ok() {
        return Ok(NamedBy::AlternativeName);
    }
    if shown.common_name_is(host) {
        return Ok(NamedBy::CommonName);
    }
    Err(wrong_host(shown, host))
}

fn wrong_host(shown: &Certificate, host: &ServerName<'_>) -> Refusal {
    let (subject, names) = (shown.subject.clone(), shown.names());
    let host_text = host.to_str().into_owned();
    match host {
        ServerName::IpAddress(_) => Refusal::WrongAddress { subject, address: host_text, names },
        _ => Refusal::WrongHost { subject, host: host_text, names },
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.check(end_entity, intermediates, server_name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(refusal) => Err(CertificateError::Other(OtherError(Arc::new(refusal))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
