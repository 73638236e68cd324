//! TLS to brokers, as the `ssl.*` keys of a client.properties ask for it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::CertificateResult;
use rustls_pki_types::{CertificateDer, DnsName, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

mod certificate;
mod error;
mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod identity;
mod jks;
mod pbe;
mod pem;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod sealed;
mod settings;
pub(crate) mod store;
mod suites;
mod verify;

#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use error::{Fault, TlsError};
pub use rustls_pki_types::UnixTime;
pub use settings::{Protocol, Store, StoreKind, TlsSettings};
pub use verify::Refusal;

use certificate::{Moment, NamedBy};
use verify::Verifier;

/// Tells the time of day, against which certificates are checked.
pub type Wall = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// Certificates that end sooner than this are warned about, ours and those of brokers: 30 days.
pub const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Makes TLS connections, all with the same settings.
pub struct Tls {
    connector: TlsConnector,
    check_host: bool,
    has_identity: bool,
    warnings: Vec<String>,
}

/// What a handshake told about the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `TLSv1.2` or `TLSv1.3`.
    pub protocol: &'static str,
    /// Name of the cipher suite, as Java and IANA write it.
    pub cipher_suite: String,
    /// The broker's own certificate.
    pub certificate: Certificate,
    /// What is accepted, but should be changed.
    pub warnings: Vec<String>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tls { check_host, has_identity, .. } = self;
        write!(f, "Tls {{ check_host: {check_host}, has_identity: {has_identity} }}")
    }
}

impl Tls {
    /// Reads the stores. Without a trust store the operating system's roots are trusted.
    ///
    /// # Errors
    ///
    /// Stores that cannot be read or used, and settings that leave nothing to offer.
    pub fn new(settings: &TlsSettings, wall: &Wall) -> Result<Tls, TlsError> {
        Tls::with_system_roots(settings, wall, rustls_native_certs::load_native_certs)
    }

    fn with_system_roots(
        settings: &TlsSettings,
        wall: &Wall,
        system: impl FnOnce() -> CertificateResult,
    ) -> Result<Tls, TlsError> {
        let mut warnings = Vec::new();
        let provider = Arc::new(suites::provider(settings, &mut warnings)?);
        let verifier = verifier(settings, &provider, system, &mut warnings)?;
        let builder = ClientConfig::builder_with_details(provider.clone(), Arc::new(Clock(wall.clone())))
            .with_protocol_versions(&suites::versions(settings))
            .map_err(|_| TlsError::NothingToOffer)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some(store) => {
                let own = own_certificate(store, &provider, wall().as_secs(), &mut warnings)?;
                builder.with_client_cert_resolver(Arc::new(own))
            }
        };
        // A resumed session would not check the certificate again, and we connect rarely.
        config.resumption = Resumption::disabled();
        Ok(Tls {
            connector: TlsConnector::from(Arc::new(config)),
            check_host: settings.check_host,
            has_identity: settings.identity.is_some(),
            warnings,
        })
    }

    /// What should be changed in the settings or the stores, but does no harm to working on.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Secures `stream`, which leads to `host`: a DNS name, or an IP address (IPv6 with or without brackets).
    ///
    /// There is no deadline in here. With TLS 1.3 a broker that refuses our certificate says so only on the first
    /// read: see [`Tls::explain`].
    ///
    /// # Errors
    ///
    /// A host that TLS cannot name, a certificate that is not accepted, and whatever else ends a handshake.
    pub async fn wrap<S>(&self, host: &str, stream: S) -> Result<(TlsStream<S>, Seen), TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = server_name(host)?;
        let stream = self.connector.connect(name.clone(), stream).await.map_err(|e| self.failed(host, &e))?;
        let seen = self.seen(stream.get_ref().1, &name).ok_or_else(|| TlsError::Handshake {
            host: host.to_owned(),
            reason: "the broker sent no certificate that can be read".to_owned(),
        })?;
        Ok((stream, seen))
    }

    /// What an I/O error of a stream of ours means, and what to do. The first read or write after a handshake may
    /// fail for what TLS 1.3 tells late: that our certificate is missing or not accepted.
    pub fn explain(&self, error: &io::Error) -> String {
        explain::later(error, self.has_identity)
    }

    fn failed(&self, host: &str, error: &io::Error) -> TlsError {
        let host = host.to_owned();
        match explain::refusal(error) {
            Some(refusal) => TlsError::Refused { host, refusal },
            None => TlsError::Handshake { host, reason: explain::handshake(error, self.has_identity) },
        }
    }

    fn seen(&self, connection: &rustls::ClientConnection, name: &ServerName<'_>) -> Option<Seen> {
        let leaf = connection.peer_certificates()?.first()?;
        let certificate = Certificate::read(leaf)?;
        let mut warnings = Vec::new();
        if self.check_host && verify::match_host(leaf, &certificate, name) == Ok(NamedBy::CommonName) {
            warnings.push(format!(
                "certificate {} has no DNS alternative name and was matched by its common name only, which current \
                 software no longer does: issue one with alternative names",
                certificate.subject
            ));
        }
        let protocol = match connection.protocol_version()? {
            rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3",
            _ => "TLSv1.2",
        };
        let cipher_suite = suites::name(connection.negotiated_cipher_suite()?.suite());
        Some(Seen { protocol, cipher_suite, certificate, warnings })
    }
}

struct Clock(Wall);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some((self.0)())
    }
}

fn verifier(
    settings: &TlsSettings,
    provider: &CryptoProvider,
    system: impl FnOnce() -> CertificateResult,
    warnings: &mut Vec<String>,
) -> Result<Verifier, TlsError> {
    let (trusted, origin) = match &settings.trust {
        Some(store) => (store::trusted(store)?, store::place(store, store::TRUST)),
        None => (system_roots(system)?, "the operating system's roots (no trust store is set)".to_owned()),
    };
    let mut roots = RootCertStore::empty();
    let mut has_pinned = false;
    for der in &trusted {
        // What is no CA is trusted as it is, and nothing that it signs.
        if Certificate::read(der).is_some_and(|one| !one.may_sign) {
            has_pinned = true;
            continue;
        }
        if let Err(error) = roots.add(CertificateDer::from_slice(der)) {
            let subject = Certificate::read(der).map_or_else(|| "unreadable".to_owned(), |ca| ca.subject);
            warnings
                .push(format!("{origin}: certificate {subject} cannot be a root and is left out: {error}"));
        }
    }
    if roots.is_empty() && !has_pinned {
        let fault = Fault::Damaged { reason: warnings.join("; ") };
        return Err(TlsError::Store { place: origin, fault });
    }
    if !settings.check_host {
        warnings.push(
            "ssl.endpoint.identification.algorithm is empty: anyone with a certificate of a trusted CA can pose as \
             a broker"
                .to_owned(),
        );
    }
    let (algorithms, trusted) = (provider.signature_verification_algorithms, trusted.into_iter().collect());
    Ok(Verifier { roots, trusted, check_host: settings.check_host, algorithms, origin })
}

fn system_roots(system: impl FnOnce() -> CertificateResult) -> Result<Vec<Vec<u8>>, TlsError> {
    let found = system();
    if found.certs.is_empty() {
        let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        let reason = if errors.is_empty() { "none was found".to_owned() } else { errors.join("; ") };
        return Err(TlsError::NoRoots { reason });
    }
    Ok(found.certs.iter().map(|der| der.to_vec()).collect())
}

fn own_certificate(
    store: &Store,
    provider: &CryptoProvider,
    now: u64,
    warnings: &mut Vec<String>,
) -> Result<SingleCertAndKey, TlsError> {
    let mut identity = store::identity(store)?;
    let place = || store::place(store, store::IDENTITY);
    warnings.append(&mut identity.warnings);
    if let Some(own) = identity.chain.first().and_then(|der| Certificate::read(der)) {
        let (subject, end) = (&own.subject, Moment(own.not_after));
        if own.not_after < now {
            warnings.push(format!("{}: our certificate {subject} expired on {end}: renew it", place()));
        } else if own.not_after < now + SOON.as_secs() {
            warnings.push(format!("{}: our certificate {subject} expires on {end}: renew it", place()));
        }
    }
    let certified =
        identity::certified(identity, provider).map_err(|fault| TlsError::Store { place: place(), fault })?;
    Ok(SingleCertAndKey::from(certified))
}

/// What the certificate has to be for, and what SNI tells (nothing for addresses).
fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let refused = |reason| TlsError::Host { host: host.to_owned(), reason };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(bare) = bare.or(host.contains(':').then_some(host)) {
        if bare.contains('%') {
            return Err(refused(
                "no certificate can be for an address with a zone id: use a name or a global address",
            ));
        }
        let address: Ipv6Addr = bare.parse().map_err(|_| refused("it is not an IPv6 address"))?;
        return Ok(ServerName::from(IpAddr::from(address)));
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(ServerName::from(address));
    }
    // A trailing dot marks a name as absolute; certificates do not have it.
    let name = host.strip_suffix('.').unwrap_or(host);
    let name = DnsName::try_from(name.to_owned()).map_err(|_| refused("it is not a DNS name"))?;
    Ok(ServerName::DnsName(name))
}
