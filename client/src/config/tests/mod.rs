pub(super) mod hostile;
mod keys;
mod oauth;
mod sasl;
mod tls;
mod variables;
mod vectors;

use std::path::{Path, PathBuf};

use super::{ClientConfig, ConfigError, read};
use crate::sasl::SaslSettings;
use crate::tls::TlsSettings;

/// Reads a text with no environment.
fn config(text: &str) -> Result<ClientConfig, ConfigError> {
    read(text.as_bytes(), "client.properties", &|_| None)
}

/// Why a text is not taken.
fn refusal(text: &str) -> String {
    config(text).unwrap_err().to_string()
}

fn tls(keys: &str) -> TlsSettings {
    config(&format!("security.protocol=SSL\n{keys}")).unwrap().security.tls.unwrap()
}

fn tls_refusal(keys: &str) -> String {
    refusal(&format!("security.protocol=SSL\n{keys}"))
}

fn sasl(keys: &str) -> SaslSettings {
    config(&format!("security.protocol=SASL_SSL\n{keys}")).unwrap().security.sasl.unwrap()
}

fn sasl_refusal(keys: &str) -> String {
    refusal(&format!("security.protocol=SASL_SSL\n{keys}"))
}

/// Asserts that a message has all of some words in it.
#[track_caller]
fn assert_names(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

/// A directory of a test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("restow-config-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
