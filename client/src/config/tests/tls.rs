use super::*;
use crate::tls::{Protocol, Store, StoreKind};

#[test]
fn without_keys_the_roots_of_the_system_are_trusted_and_hosts_are_checked() {
    let tls = tls("");
    assert!(tls.trust.is_none() && tls.identity.is_none() && tls.check_host);
    assert!(tls.protocols.is_empty() && tls.cipher_suites.is_empty());
}

#[test]
fn stores_have_kind_path_and_passwords() {
    let tls =
        tls("ssl.truststore.location=/t.jks\nssl.truststore.password=changeit\nssl.keystore.type=pkcs12\n\
         ssl.keystore.location=/k.p12\nssl.keystore.password=one \nssl.key.password=two");
    let Some(Store::File { kind: StoreKind::Jks, path, password: Some(password), key_password: None }) =
        tls.trust
    else {
        panic!("{:?}", tls.trust)
    };
    assert_eq!((path.to_str(), password.expose()), (Some("/t.jks"), "changeit"));
    let Some(Store::File { kind: StoreKind::Pkcs12, path, password: Some(one), key_password: Some(two) }) =
        tls.identity
    else {
        panic!("{:?}", tls.identity)
    };
    assert_eq!((path.to_str(), one.expose(), two.expose()), (Some("/k.p12"), "one", "two"));
}

#[test]
fn pem_can_stand_in_the_file() {
    let tls = tls(
        "ssl.truststore.type=PEM\nssl.truststore.certificates=-----BEGIN CERTIFICATE-----\\n\\\n  MIIB\\n\\\n  -----END \
         CERTIFICATE-----\nssl.keystore.type=PEM\nssl.keystore.certificate.chain=chain\nssl.keystore.key=key",
    );
    let Some(Store::Inline { certificates, key: None, .. }) = tls.trust else { panic!() };
    assert_eq!(certificates, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----");
    let Some(Store::Inline { certificates, key: Some(key), key_password: None }) = tls.identity else {
        panic!()
    };
    assert_eq!((certificates.as_str(), key.expose()), ("chain", "key"));
}

#[test]
fn stores_that_kafka_refuses_are_refused_by_key() {
    for (keys, named) in [
        ("ssl.truststore.type=BCFKS", "ssl.truststore.type is `BCFKS`"),
        ("ssl.truststore.password=Hunter2!", "ssl.truststore.password has no ssl.truststore.location"),
        ("ssl.truststore.location=", "ssl.truststore.location is empty"),
        ("ssl.truststore.certificates=x", "ssl.truststore.certificates needs ssl.truststore.type=PEM"),
        (
            "ssl.truststore.type=PEM\nssl.truststore.certificates=x\nssl.truststore.location=/x",
            "exclude each other",
        ),
        (
            "ssl.truststore.type=PEM\nssl.truststore.location=/x\nssl.truststore.password=Hunter2!",
            "not for PEM",
        ),
        ("ssl.keystore.location=/x", "ssl.keystore.location needs its ssl.keystore.password"),
        ("ssl.keystore.password=Hunter2!", "ssl.keystore.password has no ssl.keystore.location"),
        (
            "ssl.keystore.type=PEM\nssl.keystore.location=/x\nssl.keystore.password=Hunter2!",
            "ssl.key.password",
        ),
        ("ssl.keystore.type=PEM\nssl.keystore.key=Hunter2!", "needs its ssl.keystore.certificate.chain"),
        ("ssl.keystore.type=PEM\nssl.keystore.certificate.chain=x", "needs its ssl.keystore.key"),
        ("ssl.keystore.key=Hunter2!\nssl.keystore.certificate.chain=x", "ssl.keystore.type=PEM"),
        (
            "ssl.keystore.type=PEM\nssl.keystore.key=Hunter2!\nssl.keystore.certificate.chain=x\nssl.keystore.location=/x",
            "exclude",
        ),
    ] {
        let message = tls_refusal(keys);
        assert_names(&message, &[named]);
        assert!(!message.contains("Hunter2"), "{message}");
    }
}

#[test]
fn an_empty_identification_algorithm_switches_host_names_off_loudly() {
    let config = config("security.protocol=SSL\nssl.endpoint.identification.algorithm=").unwrap();
    assert!(!config.security.tls.unwrap().check_host);
    assert_names(&config.warnings.concat(), &["ssl.endpoint.identification.algorithm", "NOT checked"]);
    assert!(tls("ssl.endpoint.identification.algorithm=HTTPS").check_host);
    assert_names(&tls_refusal("ssl.endpoint.identification.algorithm=LDAPS"), &["`LDAPS`", "https"]);
}

#[test]
fn versions_are_those_that_both_keys_leave() {
    use Protocol::{Tls12, Tls13};
    for (keys, versions) in [
        ("ssl.enabled.protocols=TLSv1.2,TLSv1.3", &[Tls12, Tls13][..]),
        ("ssl.enabled.protocols=TLSv1.3 , TLSv1.2\nssl.protocol=TLS", &[Tls13, Tls12]),
        ("ssl.enabled.protocols=TLSv1.1,TLSv1.2", &[Tls12]),
        ("ssl.enabled.protocols=\nssl.protocol=TLSv1.3", &[]),
        ("ssl.protocol=TLSv1.2", &[Tls12]),
        ("ssl.protocol=TLSv1.2\nssl.enabled.protocols=TLSv1.2,TLSv1.3", &[Tls12]),
    ] {
        assert_eq!(tls(keys).protocols, versions, "{keys}");
    }
    assert_names(&tls_refusal("ssl.enabled.protocols=TLSv1.1"), &["ssl.enabled.protocols", "TLSv1.2"]);
    assert_names(&tls_refusal("ssl.enabled.protocols=TLSv1,TLSv1.1"), &["ssl.enabled.protocols", "TLSv1.2"]);
    assert_names(&tls_refusal("ssl.enabled.protocols=TLSv1.4"), &["ssl.enabled.protocols", "TLSv1.3"]);
    assert_names(&tls_refusal("ssl.protocol=TLSv1.1"), &["ssl.protocol is `TLSv1.1`"]);
    assert_names(
        &tls_refusal("ssl.protocol=TLSv1.2\nssl.enabled.protocols=TLSv1.3"),
        &["ssl.protocol is TLSv1.2"],
    );
    let old = config("security.protocol=SSL\nssl.enabled.protocols=TLSv1.2,TLSv1.1").unwrap();
    assert_names(&old.warnings.concat(), &["TLSv1.1", "not spoken"]);
}

#[test]
fn cipher_suites_are_a_list() {
    let suites = tls("ssl.cipher.suites=TLS_AES_128_GCM_SHA256 , TLS_AES_256_GCM_SHA384").cipher_suites;
    assert_eq!(suites, ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]);
}
