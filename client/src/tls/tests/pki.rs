//! Certificates made on the spot, and a server that shows them.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use rustls_native_certs::CertificateResult;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::client::TlsStream;

use crate::secret::Secret;
use crate::tls::{Seen, Store, Tls, TlsError, TlsSettings, Wall};

/// 15 January 2027, 08:00:00 UTC.
pub(in crate::tls) const NOW: u64 = 1_800_000_000;

pub(in crate::tls) fn wall() -> Wall {
    Arc::new(|| UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW)))
}

/// A certificate and its key.
pub(in crate::tls) struct Made {
    pub(in crate::tls) params: CertificateParams,
    pub(in crate::tls) key: KeyPair,
    pub(in crate::tls) pem: String,
    pub(in crate::tls) der: CertificateDer<'static>,
}

/// Valid from 2026 to 2036.
pub(in crate::tls) fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.subject_alt_names = names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        })
        .collect();
    params
}

fn authority(common_name: &str) -> CertificateParams {
    let mut params = params(common_name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

pub(in crate::tls) fn self_signed(params: CertificateParams) -> Made {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Made { pem: certificate.pem(), der: certificate.der().clone(), params, key }
}

pub(in crate::tls) fn root(common_name: &str) -> Made {
    self_signed(authority(common_name))
}

impl Made {
    pub(in crate::tls) fn issue(&self, params: CertificateParams) -> Made {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Made { pem: certificate.pem(), der: certificate.der().clone(), params, key }
    }

    pub(in crate::tls) fn middle(&self, common_name: &str) -> Made {
        self.issue(authority(common_name))
    }

    pub(in crate::tls) fn broker(&self) -> Made {
        self.issue(params("broker", &["broker.example"]))
    }

    pub(in crate::tls) fn as_identity(&self) -> Store {
        Store::Inline {
            certificates: self.pem.clone(),
            key: Some(Secret::new(self.key.serialize_pem())),
            key_password: None,
        }
    }
}

pub(in crate::tls) fn trust(made: &[&Made]) -> Option<Store> {
    let certificates = made.iter().map(|made| made.pem.as_str()).collect();
    Some(Store::Inline { certificates, key: None, key_password: None })
}

pub(in crate::tls) fn trusting(made: &[&Made]) -> TlsSettings {
    TlsSettings { trust: trust(made), ..TlsSettings::default() }
}

/// Never the roots of the machine that the tests run on.
pub(in crate::tls) fn tls(settings: &TlsSettings) -> Result<Tls, TlsError> {
    Tls::with_system_roots(settings, &wall(), CertificateResult::default)
}

/// A server that shows `own` and then `others`, and asks for certificates of `clients`, if any.
pub(in crate::tls) fn server(own: &Made, others: &[&Made], clients: Option<&Made>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ClientCertVerifier> = match clients {
        None => Arc::new(NoClientAuth),
        Some(root) => {
            let mut roots = RootCertStore::empty();
            roots.add(root.der.clone()).unwrap();
            WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap()
        }
    };
    let chain = [own].into_iter().chain(others.iter().copied()).map(|made| made.der.clone()).collect();
    let key = PrivateKeyDer::Pkcs8(own.key.serialize_der().into());
    let clock = Arc::new(crate::tls::Clock(wall()));
    ServerConfig::builder_with_details(provider, clock)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap()
}

/// A handshake over a stream in memory; the server then sends one byte, or the alert that it has.
pub(in crate::tls) async fn connect(
    tls: &Tls,
    host: &str,
    server: ServerConfig,
) -> Result<(TlsStream<DuplexStream>, Seen), TlsError> {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let serve = async {
        if let Ok(mut stream) = acceptor.accept(theirs).await {
            let _ = stream.write_all(b"!").await;
        }
    };
    tokio::join!(tls.wrap(host, ours), serve).0
}

/// What the first read brings: the server's byte, or what its error means.
pub(in crate::tls) async fn first_read(
    tls: &Tls,
    stream: &mut TlsStream<DuplexStream>,
) -> Result<u8, String> {
    stream.read_u8().await.map_err(|error| tls.explain(&error))
}
