//! Protocols, cipher suites, and hosts.

use super::pki::*;
use crate::tls::{Protocol, TlsSettings, server_name};

async fn agreed(settings: &TlsSettings, root: &Made) -> (&'static str, String) {
    let tls = tls(settings).unwrap();
    let (_, seen) = connect(&tls, "broker.example", server(&root.broker(), &[], None)).await.unwrap();
    (seen.protocol, seen.cipher_suite)
}

#[tokio::test]
async fn only_the_protocols_and_suites_of_the_settings_are_spoken() {
    let root = root("root");
    let protocols = vec![Protocol::Tls12];
    let settings = TlsSettings { protocols, ..trusting(&[&root]) };
    assert_eq!(agreed(&settings, &root).await.0, "TLSv1.2");
    for (suite, protocol) in
        [("TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3"), ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLSv1.2")]
    {
        let settings = TlsSettings { cipher_suites: vec![suite.to_owned()], ..trusting(&[&root]) };
        assert_eq!(agreed(&settings, &root).await, (protocol, suite.to_owned()));
    }
}

fn with_suites(names: &[&str], root: &Made) -> TlsSettings {
    let cipher_suites = names.iter().map(|name| name.to_string()).collect();
    TlsSettings { cipher_suites, ..trusting(&[root]) }
}

#[tokio::test]
async fn suites_that_only_java_has_are_left_out_with_one_warning() {
    let root = root("root");
    let [cbc, dhe, ours, old] = [
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_AES_128_GCM_SHA256",
        "SSL_RSA_WITH_3DES_EDE_CBC_SHA",
    ];
    let settings = with_suites(&[cbc, dhe, ours, old], &root);
    let made = tls(&settings).unwrap();
    assert_eq!(
        made.warnings(),
        [format!("ssl.cipher.suites: left out, because they are not supported: {cbc}, {dhe}, {old}")]
    );
    assert_eq!(agreed(&settings, &root).await.1, ours);
    assert!(tls(&with_suites(&[ours], &root)).unwrap().warnings().is_empty());
}

#[test]
fn suites_that_leave_none_are_an_error_that_names_the_supported_ones() {
    let names = ["TLS_RSA_WITH_AES_128_CBC_SHA", "SSL_RSA_WITH_3DES_EDE_CBC_SHA"];
    let error = tls(&with_suites(&names, &root("root"))).unwrap_err().to_string();
    assert!(error.contains(&names.join(", ")), "{error}");
    assert!(error.contains("choose from") && error.contains("TLS_AES_256_GCM_SHA384"), "{error}");
}

#[test]
fn a_word_that_is_no_cipher_suite_is_an_error_beside_good_ones() {
    for word in ["HIGH", "tls_aes_128_gcm_sha256", "ECDHE-RSA-AES128-GCM-SHA256"] {
        let settings = with_suites(&["TLS_AES_128_GCM_SHA256", word], &root("root"));
        let error = tls(&settings).unwrap_err().to_string();
        assert!(error.contains(&format!("{word:?} is no cipher suite")), "{error}");
        assert!(error.contains("TLS_AES_256_GCM_SHA384"), "{error}");
    }
}

#[test]
fn suites_of_another_protocol_leave_nothing_to_offer() {
    let settings = TlsSettings {
        protocols: vec![Protocol::Tls12],
        cipher_suites: vec!["TLS_AES_256_GCM_SHA384".to_owned()],
        ..trusting(&[&root("root")])
    };
    assert!(tls(&settings).unwrap_err().to_string().contains("leave nothing to offer"));
}

#[test]
fn hosts_are_names_or_addresses() {
    for (host, name) in [
        ("broker.example", "broker.example"),
        ("broker.example.", "broker.example"),
        ("broker_1", "broker_1"),
        ("10.0.0.1", "10.0.0.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
    ] {
        assert_eq!(server_name(host).unwrap().to_str(), name);
    }
    for (host, reason) in [
        ("fe80::1%eth0", "zone id"),
        ("[fe80::1%2]", "zone id"),
        ("a:b", "not an IPv6 address"),
        ("", "not a DNS name"),
        ("bro ker", "not a DNS name"),
    ] {
        let error = server_name(host).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn debug_tells_no_key() {
    let root = root("root");
    let ours = root.issue(params("restow", &[]));
    let settings = TlsSettings { identity: Some(ours.as_identity()), ..trusting(&[&root]) };
    let key = ours.key.serialize_pem();
    let secret = key.lines().nth(1).unwrap();
    let identity = crate::tls::store::identity(settings.identity.as_ref().unwrap()).unwrap();
    assert_eq!(format!("{settings:?} {:?} {identity:?}", tls(&settings).unwrap()).find(secret), None);
}
