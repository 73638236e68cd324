//! What a certificate says: names and dates, for decisions and for messages.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rustls_pki_types::ServerName;
use x509_cert::Version;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{DateTime, Decode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::error::shown;

/// The part of a certificate that people look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Version of X.509; 3 but for relics.
    pub version: u8,
    /// Distinguished name of the owner, as RFC 4514 writes it.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// DNS names of the subject alternative name extension.
    pub dns_names: Vec<String>,
    /// IP addresses of the subject alternative name extension.
    pub addresses: Vec<IpAddr>,
    /// The (last) common name of the subject, which old certificates have in place of alternative names.
    pub common_name: Option<String>,
    /// First moment of validity, in seconds since 1970.
    pub not_before: u64,
    /// Last moment of validity, in seconds since 1970.
    pub not_after: u64,
    /// Whether it may sign other certificates: a CA's, or of a version that cannot say.
    pub may_sign: bool,
    /// Whether it limits the names of those that it signs (RFC 5280 section 4.2.1.10).
    pub(super) is_constraining: bool,
    /// Whether alternative names are there that cannot be read.
    has_odd_names: bool,
}

/// By which of its names a certificate is for a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedBy {
    AlternativeName,
    CommonName,
}

impl Certificate {
    /// Reads the DER of an X.509 certificate; none if it is not one.
    pub fn read(der: &[u8]) -> Option<Certificate> {
        // Raw: odd serial numbers are no reason for us to say nothing.
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let (dns_names, addresses, has_odd_names) = alternative_names(&certificate);
        let common_names = body.subject().iter().filter(|part| part.oid == COMMON_NAME);
        Some(Certificate {
            // V1 is written as 0.
            version: body.version() as u8 + 1,
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            dns_names,
            addresses,
            common_name: common_names.last().and_then(|part| text(part.value.value())),
            not_before: body.validity().not_before.to_unix_duration().as_secs(),
            not_after: body.validity().not_after.to_unix_duration().as_secs(),
            may_sign: may_sign(&certificate),
            is_constraining: has_extension(&certificate, NAME_CONSTRAINTS),
            has_odd_names,
        })
    }

    /// Whether subject and issuer are one.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Java compares the common name when there is no DNS name among the alternative names
    /// (`sun.security.util.HostnameChecker`), and never for an address.
    pub(super) fn common_name_is(&self, host: &ServerName<'_>) -> bool {
        let (ServerName::DnsName(host), [], Some(name)) = (host, &self.dns_names[..], &self.common_name)
        else {
            return false;
        };
        if self.has_odd_names {
            return false;
        }
        let host = host.as_ref();
        match (name.strip_prefix("*."), host.split_once('.')) {
            (Some(domain), Some((_, rest))) => domain.contains('.') && domain.eq_ignore_ascii_case(rest),
            _ => name.eq_ignore_ascii_case(host),
        }
    }

    /// All names that a client may know it by, for messages.
    pub(super) fn names(&self) -> String {
        let mut names: Vec<String> = self.dns_names.iter().map(|name| shown(name.as_bytes())).collect();
        names.extend(self.addresses.iter().map(IpAddr::to_string));
        if names.is_empty() {
            return match &self.common_name {
                Some(name) => format!("no alternative names, only the common name {name}"),
                None => "no names".to_owned(),
            };
        }
        names.join(", ")
    }
}

/// `id-at-commonName` (RFC 5280 appendix A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// `id-ce-nameConstraints`.
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");

/// Text of a directory string. BMP strings are not worth a decoder here.
fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(str::to_owned)
}

/// RFC 5280 section 4.2.1: an anchor of trust is not held to be a CA by webpki, as it is by Java.
fn may_sign(certificate: &CertificateInner<Raw>) -> bool {
    let body = certificate.tbs_certificate();
    if body.version() != Version::V3 {
        return true;
    }
    let basic = body.get_extension::<BasicConstraints>().ok().flatten();
    let usage = body.get_extension::<KeyUsage>();
    basic.is_some_and(|(_, basic)| basic.ca)
        && usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.key_cert_sign()))
}

fn has_extension(certificate: &CertificateInner<Raw>, oid: ObjectIdentifier) -> bool {
    let mut extensions = certificate.tbs_certificate().extensions().into_iter().flatten();
    extensions.any(|extension| extension.extn_id == oid)
}

/// DNS names and addresses, and whether there are some that cannot be read.
fn alternative_names(certificate: &CertificateInner<Raw>) -> (Vec<String>, Vec<IpAddr>, bool) {
    let mut dns_names = Vec::new();
    let mut addresses = Vec::new();
    let names = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let has_odd_names = names.is_err();
    for name in names.ok().flatten().map(|(_, names)| names.0).unwrap_or_default() {
        match name {
            GeneralName::DnsName(name) => dns_names.push(name.to_string()),
            GeneralName::IpAddress(octets) => addresses.extend(address(octets.as_bytes())),
            _ => {}
        }
    }
    (dns_names, addresses, has_odd_names)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(octets).ok().map(|v6| Ipv6Addr::from(v6).into())
}

/// The certificate's public key, for the private keys that lack their own.
pub(super) fn public_key(der: &[u8]) -> Option<SubjectPublicKeyInfoOwned> {
    let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
    Some(certificate.tbs_certificate().subject_public_key_info().clone())
}

/// A moment for messages, in seconds since 1970.
pub(super) struct Moment(pub(super) u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(date) => write!(f, "{date}"),
            Err(_) => write!(f, "{} s after 1970", self.0),
        }
    }
}
