//! Stores made by the real openssl and keytool (`testdata/stores/make.sh`).

use std::path::PathBuf;

use super::pki::wall;
use crate::secret::Secret;
use crate::tls::store::{identity_in, trusted_in};
use crate::tls::{Certificate, Fault, Store, StoreKind, Tls, TlsError, TlsSettings};

const PASSWORD: Option<&str> = Some("changeit");

const TRUST: [(&str, StoreKind); 4] = [
    ("trust.pem", StoreKind::Pem),
    ("trust.jks", StoreKind::Jks),
    ("trust.keytool.p12", StoreKind::Pkcs12),
    ("trust.openssl.p12", StoreKind::Pkcs12),
];

const IDENTITY: [(&str, StoreKind); 8] = [
    ("identity.pem", StoreKind::Pem),
    ("identity.aes256.pem", StoreKind::Pem),
    ("identity.pbe.pem", StoreKind::Pem),
    ("identity.jks", StoreKind::Jks),
    ("identity.keytool.p12", StoreKind::Pkcs12),
    ("identity.openssl.p12", StoreKind::Pkcs12),
    ("identity.legacy.p12", StoreKind::Pkcs12),
    ("identity.rc2.p12", StoreKind::Pkcs12),
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/stores").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn file(name: &str, kind: StoreKind, key_password: Option<&str>) -> Store {
    let key_password = key_password.map(Secret::new);
    Store::File { kind, path: path(name), password: PASSWORD.map(Secret::new), key_password }
}

fn subjects(certificates: &[Vec<u8>]) -> Vec<String> {
    let mut subjects: Vec<_> =
        certificates.iter().map(|der| Certificate::read(der).unwrap().subject).collect();
    subjects.sort();
    subjects
}

fn settings(trust: &str, identity: Option<Store>) -> TlsSettings {
    TlsSettings { trust: Some(file(trust, StoreKind::Pem, None)), identity, ..TlsSettings::default() }
}

#[test]
fn every_trust_store_has_both_cas() {
    for (name, kind) in TRUST {
        let found = subjects(&trusted_in(&bytes(name), kind, PASSWORD).unwrap());
        assert_eq!(found, ["CN=other root,O=restow test", "CN=root,O=restow test"], "{name}");
    }
}

#[test]
fn every_key_store_has_the_key_and_its_chain() {
    let expected = identity_in(&bytes("identity.pem"), StoreKind::Pem, None, None).unwrap();
    for (name, kind) in IDENTITY {
        // Java takes ssl.key.password for the same as the store's when it is given, and so do we.
        let identity = identity_in(&bytes(name), kind, PASSWORD, PASSWORD).unwrap();
        assert_eq!(identity.chain, expected.chain, "{name}");
        assert!(identity.key == expected.key, "{name}");
        Tls::new(&settings("trust.pem", Some(file(name, kind, PASSWORD))), &wall()).unwrap();
    }
}

#[test]
fn a_jks_key_may_have_its_own_password() {
    let store = bytes("identity.keypass.jks");
    identity_in(&store, StoreKind::Jks, PASSWORD, Some("keychangeit")).unwrap();
    for wrong in [None, PASSWORD] {
        let fault = identity_in(&store, StoreKind::Jks, PASSWORD, wrong).unwrap_err();
        assert!(matches!(fault, Fault::WrongPassword { setting: "ssl.key.password" }), "{fault}");
    }
    // The key's password opens the key even when the store's is not given: it is then not checked, as in Java.
    identity_in(&store, StoreKind::Jks, None, Some("keychangeit")).unwrap();
}

#[test]
fn elliptic_curve_keys_of_keytool_are_used() {
    for (name, kind) in [("ec.p12", StoreKind::Pkcs12), ("ec.jks", StoreKind::Jks)] {
        Tls::new(&settings("trust.pem", Some(file(name, kind, None))), &wall()).unwrap();
    }
}

#[test]
fn the_first_of_several_keys_is_used_with_a_warning() {
    let identity = identity_in(&bytes("two-keys.jks"), StoreKind::Jks, PASSWORD, None).unwrap();
    assert!(identity.warnings[0].contains("1 more private key"), "{:?}", identity.warnings);
}

#[test]
fn a_wrong_password_is_named() {
    for (name, kind) in TRUST.into_iter().filter(|(_, kind)| *kind != StoreKind::Pem) {
        let fault = trusted_in(&bytes(name), kind, Some("wrong")).unwrap_err();
        assert!(
            matches!(fault, Fault::WrongPassword { setting: "ssl.truststore.password" }),
            "{name}: {fault}"
        );
    }
    for (name, kind) in IDENTITY.into_iter().skip(1) {
        let setting = if kind == StoreKind::Pem { "ssl.key.password" } else { "ssl.keystore.password" };
        let fault = identity_in(&bytes(name), kind, Some("wrong"), Some("wrong")).unwrap_err();
        assert!(matches!(fault, Fault::WrongPassword { setting: s } if s == setting), "{name}: {fault}");
    }
}

#[test]
fn a_missing_password_is_named_where_java_needs_it() {
    for name in ["trust.keytool.p12", "trust.openssl.p12"] {
        let fault = trusted_in(&bytes(name), StoreKind::Pkcs12, None).unwrap_err();
        assert!(matches!(fault, Fault::NeedsPassword { .. }), "{name}: {fault}");
    }
    for (name, kind) in IDENTITY.into_iter().skip(1) {
        let fault = identity_in(&bytes(name), kind, None, None).unwrap_err();
        assert!(matches!(fault, Fault::NeedsPassword { .. }), "{name}: {fault}");
    }
    assert_eq!(trusted_in(&bytes("trust.jks"), StoreKind::Jks, None).unwrap().len(), 2);
    assert_eq!(trusted_in(&bytes("trust.open.p12"), StoreKind::Pkcs12, None).unwrap().len(), 2);
}

#[test]
fn a_cut_store_is_one_clear_error_at_every_length() {
    for (name, kind) in TRUST.into_iter().filter(|(_, kind)| *kind != StoreKind::Pem) {
        let whole = bytes(name);
        for len in 0..whole.len() {
            let fault = trusted_in(&whole[..len], kind, PASSWORD).unwrap_err();
            assert!(
                matches!(fault, Fault::Damaged { .. } | Fault::NotAStore { .. }),
                "{name} {len}: {fault}"
            );
        }
    }
    for (name, kind) in IDENTITY.into_iter().filter(|(_, kind)| *kind != StoreKind::Pem) {
        let whole = bytes(name);
        for len in 0..whole.len() {
            let fault = identity_in(&whole[..len], kind, PASSWORD, None).unwrap_err();
            assert!(
                matches!(fault, Fault::Damaged { .. } | Fault::NotAStore { .. }),
                "{name} {len}: {fault}"
            );
        }
    }
}

#[test]
fn a_changed_byte_never_gives_other_certificates() {
    let real = trusted_in(&bytes("trust.jks"), StoreKind::Jks, PASSWORD).unwrap();
    let whole = bytes("trust.jks");
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x41;
        let read = trusted_in(&changed, StoreKind::Jks, PASSWORD);
        assert!(read.is_err() || read.is_ok_and(|read| read == real), "{at}");
    }
}

#[test]
fn huge_lengths_in_a_jks_file_are_refused_without_allocating() {
    let mut store = bytes("trust.jks");
    store[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    let fault = trusted_in(&store, StoreKind::Jks, PASSWORD).unwrap_err();
    assert!(matches!(fault, Fault::Damaged { .. }), "{fault}");
}

#[test]
fn jks_and_pkcs12_are_read_as_what_they_are() {
    for (name, kind) in [("trust.jks", StoreKind::Pkcs12), ("trust.keytool.p12", StoreKind::Jks)] {
        assert_eq!(trusted_in(&bytes(name), kind, PASSWORD).unwrap().len(), 2);
    }
}

#[test]
fn another_type_that_java_would_not_read_names_the_setting() {
    for (name, told, advice) in [
        ("trust.pem", StoreKind::Jks, "set ssl.truststore.type=PEM"),
        ("trust.pem", StoreKind::Pkcs12, "set ssl.truststore.type=PEM"),
        ("trust.jks", StoreKind::Pem, "set ssl.truststore.type=JKS"),
        ("trust.keytool.p12", StoreKind::Pem, "set ssl.truststore.type=PKCS12"),
        ("trust.jceks", StoreKind::Jks, "is a JCEKS store"),
        ("ca.der", StoreKind::Pkcs12, "openssl x509 -inform DER"),
        ("make.sh", StoreKind::Jks, "neither PEM, JKS nor PKCS12"),
        ("make.sh", StoreKind::Pem, "neither PEM, JKS nor PKCS12"),
    ] {
        let fault = trusted_in(&bytes(name), told, PASSWORD).unwrap_err().to_string();
        assert!(fault.contains(advice), "{name}: {fault}");
    }
    let ber = trusted_in(b"\x30\x80\x02\x01\x03", StoreKind::Pkcs12, PASSWORD).unwrap_err().to_string();
    assert!(ber.contains("BER-encoded"), "{ber}");
    let fault = identity_in(&bytes("identity.pem"), StoreKind::Jks, None, None).unwrap_err().to_string();
    assert!(fault.contains("set ssl.keystore.type=PEM"), "{fault}");
}

#[test]
fn a_trust_store_is_no_key_store() {
    for (name, kind) in TRUST {
        let fault = identity_in(&bytes(name), kind, PASSWORD, None).unwrap_err();
        assert!(matches!(fault, Fault::NoKey), "{name}: {fault}");
    }
}

#[test]
fn a_key_store_as_a_trust_store_trusts_its_own_certificate_only() {
    for (name, kind) in IDENTITY.into_iter().filter(|(_, kind)| *kind != StoreKind::Pem) {
        let found = subjects(&trusted_in(&bytes(name), kind, PASSWORD).unwrap());
        assert_eq!(found, ["CN=client,O=restow test"], "{name}");
    }
}

#[test]
fn errors_name_setting_and_file() {
    let error = Tls::new(&settings("nowhere.pem", None), &wall()).unwrap_err();
    assert!(matches!(&error, TlsError::Store { fault: Fault::Unreadable { .. }, .. }));
    let text = error.to_string();
    assert!(text.starts_with("ssl.truststore.location (") && text.contains("nowhere.pem"), "{text}");
}

#[test]
fn a_plain_key_with_a_password_is_read_all_the_same() {
    identity_in(&bytes("identity.pem"), StoreKind::Pem, PASSWORD, PASSWORD).unwrap();
}
