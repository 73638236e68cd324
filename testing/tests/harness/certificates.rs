//! The certificates that tests get, judged by `openssl` and `keytool`.

use restow_testing::{Certificates, Flaw, Store, StoreFormat, available_or_skip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is removed at the end, and what was made in it.
struct Made {
    folder: PathBuf,
    certificates: Certificates,
}

impl Made {
    fn new(name: &str) -> Made {
        let folder = std::env::temp_dir().join(format!("restow-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let certificates = Certificates::make(&folder, "restow");
        Made { folder, certificates }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn every_flaw_is_refused_for_what_it_is() {
    let Some(()) = available_or_skip() else { return };
    let made = Made::new("flaws");
    let cases = [
        (Flaw::Expired, "certificate has expired"),
        (Flaw::NotYetValid, "certificate is not yet valid"),
        (Flaw::WrongHost, "hostname mismatch"),
        (Flaw::UnknownCa, "unable to get local issuer certificate"),
        (Flaw::SelfSigned, "self-signed certificate"),
        (Flaw::MissingIntermediate, "unable to get local issuer certificate"),
        (Flaw::WrongIp, "hostname mismatch"),
    ];
    for (flaw, reason) in cases {
        let said = verified(&made.certificates, &made.certificates.flawed(flaw).chain);
        assert!(said.contains(reason), "{flaw:?}: {said}");
    }
    let taken = [made.certificates.flawed(Flaw::CommonNameOnly), made.certificates.broker().clone()];
    for identity in taken {
        let said = verified(&made.certificates, &identity.chain);
        assert!(said.ends_with(": OK\n"), "{said}");
    }
}

/// What `openssl verify` says of this chain, for a server at `localhost`.
fn verified(certificates: &Certificates, chain: &Path) -> String {
    let mut command = Command::new("openssl");
    command.args(["verify", "-verify_hostname", "localhost", "-CAfile"]);
    let output = command.arg(certificates.authority().certificate()).arg(chain).output().unwrap();
    said(&output)
}

#[test]
fn every_store_opens_with_its_passwords_only() {
    let Some(()) = available_or_skip() else { return };
    let made = Made::new("stores");
    let certificates = &made.certificates;
    for format in [StoreFormat::Pkcs12, StoreFormat::Jks] {
        let cases = [
            (certificates.trust_store(format), "trustedCertEntry"),
            (certificates.key_store(format), "PrivateKeyEntry"),
        ];
        for (store, entry) in cases {
            let password = store.password.clone().unwrap();
            let right = listed(&store, &password);
            assert!(right.contains(entry), "{right}");
            assert!(right.contains(&format!("Keystore type: {}", format.name())), "{right}");
            let wrong = listed(&store, "not-the-password");
            assert!(wrong.contains("password was incorrect"), "{wrong}");
        }
    }
    for pem in [certificates.key_store(StoreFormat::Pem), certificates.key_store_pbes2()] {
        let text = fs::read_to_string(&pem.path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{text}");
        assert!(opens(&pem, &pem.key_password.clone().unwrap()) && !opens(&pem, "not-the-password"));
    }
}

fn opens(pem: &Store, password: &str) -> bool {
    let mut command = Command::new("openssl");
    command.args(["pkey", "-noout", "-passin", &format!("pass:{password}"), "-in"]);
    command.arg(&pem.path).output().unwrap().status.success()
}

fn listed(store: &Store, password: &str) -> String {
    let mut command = Command::new("keytool");
    // keytool finds out the type by itself.
    command.args(["-J-Duser.language=en", "-list", "-storepass", password, "-keystore"]);
    said(&command.arg(&store.path).output().unwrap())
}

fn said(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}
