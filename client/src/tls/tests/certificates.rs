//! Which certificates of brokers are accepted, and what is said about the others.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use rustls::client::danger::ServerCertVerifier;
use rustls_native_certs::CertificateResult;
use rustls_pki_types::UnixTime;

use super::pki::*;
use crate::tls::{Refusal, Seen, Store, Tls, TlsError, TlsSettings};

async fn shown(tls: &TlsSettings, host: &str, own: &Made, others: &[&Made]) -> Result<Seen, Refusal> {
    match connect(&super::pki::tls(tls).unwrap(), host, server(own, others, None)).await {
        Ok((_, seen)) => Ok(seen),
        Err(TlsError::Refused { host: named, refusal }) => {
            assert_eq!(named, host);
            Err(refusal)
        }
        Err(other) => panic!("{other}"),
    }
}

fn dated(from: i32, to: i32) -> CertificateParams {
    let mut params = params("broker", &["broker.example"]);
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

#[tokio::test]
async fn a_trusted_chain_is_accepted_and_described() {
    let root = root("root");
    let broker = root.issue(params("broker", &["broker.example", "10.0.0.1"]));
    let seen = shown(&trusting(&[&root]), "broker.example", &broker, &[]).await.unwrap();
    assert_eq!(seen.protocol, "TLSv1.3");
    assert!(seen.cipher_suite.starts_with("TLS_") && !seen.cipher_suite.contains("TLS13"));
    let certificate = seen.certificate;
    assert_eq!((certificate.subject.as_str(), certificate.issuer.as_str()), ("CN=broker", "CN=root"));
    assert_eq!(certificate.dns_names, ["broker.example"]);
    assert_eq!(certificate.addresses[0].to_string(), "10.0.0.1");
    assert_eq!((certificate.not_before, certificate.not_after), (1_767_225_600, 2_082_758_400));
    assert!(seen.warnings.is_empty());
}

#[tokio::test]
async fn an_expired_certificate_is_refused_with_its_end() {
    let root = root("root");
    let broker = root.issue(dated(2025, 2026));
    let refusal = shown(&trusting(&[&root]), "broker.example", &broker, &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Expired { .. }));
    assert_eq!(
        refusal.to_string(),
        "certificate CN=broker expired on 2026-01-01T00:00:00Z; it is 2027-01-15T08:00:00Z now: renew it on the \
         broker (or correct this machine's clock)"
    );
}

#[tokio::test]
async fn an_expired_intermediate_is_the_one_that_is_named() {
    let root = root("root");
    let mut old = root.middle("middle").params;
    old.not_after = date_time_ymd(2026, 6, 1);
    let middle = root.issue(old);
    let refusal =
        shown(&trusting(&[&root]), "broker.example", &middle.broker(), &[&middle]).await.unwrap_err();
    assert!(matches!(&refusal, Refusal::Expired { subject, .. } if subject == "CN=middle"), "{refusal}");
}

#[tokio::test]
async fn a_certificate_of_the_future_is_refused_with_its_begin() {
    let root = root("root");
    let broker = root.issue(dated(2028, 2030));
    let refusal = shown(&trusting(&[&root]), "broker.example", &broker, &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::NotYetValid { .. }));
    assert!(refusal.to_string().contains("CN=broker is not valid before 2028-01-01T00:00:00Z"), "{refusal}");
}

#[tokio::test]
async fn a_wrong_host_is_refused_with_the_names_that_there_are() {
    let root = root("root");
    let broker = root.issue(params("broker", &["broker.example", "10.0.0.1"]));
    let refusal = shown(&trusting(&[&root]), "other.example", &broker, &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::WrongHost { .. }));
    let text = refusal.to_string();
    assert!(text.contains("not for host other.example: it has broker.example, 10.0.0.1"), "{text}");
}

#[tokio::test]
async fn a_wrong_address_is_refused_and_a_common_name_does_not_help() {
    let root = root("root");
    for broker in [root.issue(params("10.0.0.2", &["10.0.0.1"])), root.issue(params("10.0.0.2", &[]))] {
        let refusal = shown(&trusting(&[&root]), "10.0.0.2", &broker, &[]).await.unwrap_err();
        assert!(matches!(refusal, Refusal::WrongAddress { .. }), "{refusal}");
    }
}

#[tokio::test]
async fn an_unknown_ca_is_refused_by_name() {
    let (known, unknown) = (root("root"), root("stranger"));
    let middle = unknown.middle("middle");
    let broker = middle.broker();
    let refusal =
        shown(&trusting(&[&known]), "broker.example", &broker, &[&middle, &unknown]).await.unwrap_err();
    let Refusal::UnknownCa { root, trust, .. } = &refusal else { panic!("{refusal}") };
    assert_eq!((root.as_str(), trust.as_str()), ("CN=stranger", "ssl.truststore.certificates"));
}

#[tokio::test]
async fn a_missing_intermediate_is_refused_by_name() {
    let root = root("root");
    let upper = root.middle("upper");
    let lower = upper.middle("lower");
    let broker = lower.broker();
    for (others, missing) in [(&[][..], "CN=lower"), (&[&lower][..], "CN=upper")] {
        let refusal = shown(&trusting(&[&root]), "broker.example", &broker, others).await.unwrap_err();
        let Refusal::MissingIssuer { issuer, .. } = &refusal else { panic!("{refusal}") };
        assert_eq!(issuer, missing);
        assert!(refusal.to_string().contains("into the broker's key store"));
    }
    shown(&trusting(&[&root]), "broker.example", &broker, &[&lower, &upper]).await.unwrap();
}

#[tokio::test]
async fn an_untrusted_self_signed_certificate_is_refused() {
    let known = root("root");
    let mut as_ca = params("broker", &["broker.example"]);
    as_ca.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    for params in [params("broker", &["broker.example"]), as_ca] {
        let broker = self_signed(params);
        let refusal = shown(&trusting(&[&known]), "broker.example", &broker, &[]).await.unwrap_err();
        assert!(matches!(refusal, Refusal::SelfSigned { .. }), "{refusal}");
    }
}

#[tokio::test]
async fn a_trusted_self_signed_certificate_is_accepted_for_its_host_and_time() {
    let mut as_ca = params("broker", &["broker.example"]);
    as_ca.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    for params in [params("broker", &["broker.example"]), as_ca] {
        let broker = self_signed(params);
        shown(&trusting(&[&broker]), "broker.example", &broker, &[]).await.unwrap();
        let refusal = shown(&trusting(&[&broker]), "other.example", &broker, &[]).await.unwrap_err();
        assert!(matches!(refusal, Refusal::WrongHost { .. }), "{refusal}");
    }
    let old = self_signed(dated(2025, 2026));
    let refusal = shown(&trusting(&[&old]), "broker.example", &old, &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
}

#[tokio::test]
async fn what_a_trusted_certificate_that_is_no_ca_signs_is_not_trusted() {
    let pinned = self_signed(params("broker", &["broker.example"]));
    shown(&trusting(&[&pinned]), "broker.example", &pinned, &[]).await.unwrap();
    let forged = pinned.issue(params("other", &["other.example"]));
    for trusted in [&[&pinned][..], &[&pinned, &root("root")]] {
        let refusal = shown(&trusting(trusted), "other.example", &forged, &[&pinned]).await.unwrap_err();
        assert!(!matches!(refusal, Refusal::WrongHost { .. }), "{refusal}");
    }
}

#[tokio::test]
async fn a_common_name_does_not_pass_the_limits_of_a_ca() {
    let root = root("root");
    let mut limited = params("limited", &[]);
    limited.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let permitted_subtrees = vec![rcgen::GeneralSubtree::DnsName("dev.example".into())];
    limited.name_constraints = Some(rcgen::NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
    let limited = root.issue(limited);
    let broker = limited.issue(params("broker.example", &[]));
    let refusal = shown(&trusting(&[&root]), "broker.example", &broker, &[&limited]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::WrongHost { .. }), "{refusal}");
}

#[tokio::test]
async fn a_trusted_certificate_of_an_unknown_ca_is_accepted() {
    let broker = root("stranger").broker();
    shown(&trusting(&[&broker]), "broker.example", &broker, &[]).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_only_looks_like_a_trusted_one_is_refused() {
    let real = self_signed(params("broker", &["broker.example"]));
    let false_one = self_signed(params("broker", &["broker.example"]));
    let refusal = shown(&trusting(&[&real]), "broker.example", &false_one, &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::SelfSigned { .. }), "{refusal}");
}

#[tokio::test]
async fn a_misordered_chain_is_accepted() {
    let root = root("root");
    let upper = root.middle("upper");
    let lower = upper.middle("lower");
    let others = [&root, &upper, &lower];
    shown(&trusting(&[&root]), "broker.example", &lower.broker(), &others).await.unwrap();
}

#[tokio::test]
async fn addresses_among_the_alternative_names_are_accepted() {
    let root = root("root");
    let broker = root.issue(params("broker", &["127.0.0.1", "::1"]));
    for host in ["127.0.0.1", "::1", "[::1]", "0:0:0:0:0:0:0:1"] {
        shown(&trusting(&[&root]), host, &broker, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_common_name_alone_is_accepted_with_a_warning() {
    let root = root("root");
    // As in Java, addresses among the alternative names do not count against it.
    for (name, names) in
        [("Broker.example", &[][..]), ("*.example.com", &[][..]), ("b.example", &["10.0.0.1"])]
    {
        let host = name.replace('*', "a");
        let seen = shown(&trusting(&[&root]), &host, &root.issue(params(name, names)), &[]).await.unwrap();
        assert_eq!(seen.warnings.len(), 1);
        assert!(seen.warnings[0].contains("common name only"), "{}", seen.warnings[0]);
    }
    let other_name = root.issue(params("broker.example", &["other.example"]));
    let refusal = shown(&trusting(&[&root]), "broker.example", &other_name, &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::WrongHost { .. }), "{refusal}");
    let too_wide = root.issue(params("*.example", &[]));
    let refusal = shown(&trusting(&[&root]), "broker.example", &too_wide, &[]).await.unwrap_err();
    assert!(refusal.to_string().contains("only the common name *.example"), "{refusal}");
}

#[tokio::test]
async fn without_the_host_check_chain_and_dates_still_count() {
    let root = root("root");
    let lax = TlsSettings { check_host: false, ..trusting(&[&root]) };
    assert!(tls(&lax).unwrap().warnings()[0].contains("pose as a broker"));
    let seen = shown(&lax, "other.example", &root.broker(), &[]).await.unwrap();
    assert!(seen.warnings.is_empty());
    let refusal = shown(&lax, "other.example", &root.issue(dated(2025, 2026)), &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
    let refusal = shown(&lax, "other.example", &super::pki::root("x").broker(), &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::MissingIssuer { .. }), "{refusal}");
}

#[tokio::test]
async fn a_ca_that_was_renewed_with_a_new_key_is_told_from_an_unknown_one() {
    let (old, new) = (root("root"), root("root"));
    for others in [&[][..], &[&new][..]] {
        let refusal = shown(&trusting(&[&old]), "broker.example", &new.broker(), others).await.unwrap_err();
        let Refusal::OtherCaKey { issuer, .. } = &refusal else { panic!("{refusal}") };
        assert_eq!(issuer, "CN=root");
    }
}

#[tokio::test]
async fn a_clients_certificate_is_refused_for_a_broker() {
    let root = root("root");
    let mut params = params("broker", &["broker.example"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let refusal = shown(&trusting(&[&root]), "broker.example", &root.issue(params), &[]).await.unwrap_err();
    assert!(matches!(refusal, Refusal::WrongUsage { .. }), "{refusal}");
}

#[tokio::test]
async fn an_intermediate_in_the_trust_store_is_trusted_alone() {
    let middle = root("root").middle("middle");
    shown(&trusting(&[&middle]), "broker.example", &middle.broker(), &[]).await.unwrap();
}

#[tokio::test]
async fn the_systems_roots_are_trusted_without_a_trust_store() {
    let root = root("root");
    let settings = TlsSettings::default();
    let mut found = CertificateResult::default();
    found.certs.push(root.der.clone());
    let tls = Tls::with_system_roots(&settings, &wall(), || found).unwrap();
    connect(&tls, "broker.example", server(&root.broker(), &[], None)).await.unwrap();
    let error = Tls::with_system_roots(&settings, &wall(), CertificateResult::default).unwrap_err();
    assert!(matches!(error, TlsError::NoRoots { .. }));
    assert!(error.to_string().contains("set ssl.truststore.location"));
}

fn check_fixture(leaf: &str) -> Result<(), String> {
    let certificates = include_str!("../../../testdata/stores/v1-ca.pem").to_owned();
    let trust = Some(Store::Inline { certificates, key: None, key_password: None });
    let settings = TlsSettings { trust, ..TlsSettings::default() };
    let provider = crate::tls::suites::provider(&settings, &mut Vec::new()).unwrap();
    let verifier =
        crate::tls::verifier(&settings, &provider, CertificateResult::default, &mut Vec::new()).unwrap();
    let leaf = crate::tls::pem::certificates(leaf).unwrap().remove(0).into();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
    let checked = verifier.verify_server_cert(&leaf, &[], &"broker.example".try_into().unwrap(), &[], now);
    checked.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn a_ca_of_version_1_is_trusted_and_a_broker_of_version_1_is_refused() {
    check_fixture(include_str!("../../../testdata/stores/v3-leaf.pem")).unwrap();
    let error = check_fixture(include_str!("../../../testdata/stores/v1-leaf.pem")).unwrap_err();
    assert!(error.contains("OldVersion") && error.contains("version: 1"), "{error}");
}
