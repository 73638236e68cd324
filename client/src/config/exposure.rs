//! Which files hold a secret, and whether others can read them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Security;
use super::jaas::Login;
use super::providers::Providers;
use super::sasl::JAAS;
use crate::sasl::{SaslSettings, TokenSource};
use crate::secret::Secret;
use crate::tls::{Store, TlsSettings};

/// Keys whose value is a secret. The password of a trust store is none: it keeps nothing from anybody.
const SECRETS: [&str; 4] = [
    "ssl.keystore.password",
    "ssl.keystore.key",
    "ssl.key.password",
    "sasl.oauthbearer.client.credentials.client.secret",
];

/// Options of a JAAS line whose value is a secret.
const SECRET_OPTIONS: [&str; 4] = ["password", "clientSecret", "ssl.keystore.password", "ssl.key.password"];

/// A warning for each file with a secret that users other than its owner may read or change: the properties
/// file itself, and those that it names.
pub(super) fn warnings(
    own: &Path,
    entries: &BTreeMap<String, Secret>,
    providers: &Providers<'_>,
    security: &Security,
) -> Vec<String> {
    let mut files: BTreeSet<PathBuf> = secrets(entries).flat_map(|secret| providers.files(secret)).collect();
    files.extend(key_stores(security).cloned());
    if let Some(SaslSettings::OAuthBearer { source: TokenSource::File(path), .. }) = &security.sasl {
        files.insert(path.clone());
    }
    if is_written_out(entries) {
        files.insert(own.to_owned());
    }
    files.iter().filter_map(|path| exposed(path)).collect()
}

fn secrets(entries: &BTreeMap<String, Secret>) -> impl Iterator<Item = &Secret> {
    SECRETS.into_iter().chain([JAAS]).filter_map(|key| entries.get(key))
}

/// Whether a secret stands in the file, and not by a variable.
fn is_written_out(entries: &BTreeMap<String, Secret>) -> bool {
    let is_secret = |value: &Secret| !value.expose().trim().is_empty() && !value.expose().contains("${");
    let has_secret = |keys: &[&str], entries: &BTreeMap<String, Secret>| {
        keys.iter().filter_map(|key| entries.get(*key)).any(is_secret)
    };
    let login = entries.get(JAAS).and_then(|line| Login::parse(line.expose()).ok());
    has_secret(&SECRETS, entries) || login.is_some_and(|login| has_secret(&SECRET_OPTIONS, &login.options))
}

fn key_stores(security: &Security) -> impl Iterator<Item = &PathBuf> {
    let endpoint: Option<&TlsSettings> = match &security.sasl {
        Some(SaslSettings::OAuthBearer { source: TokenSource::Oidc(oidc), .. }) => Some(&oidc.tls),
        _ => None,
    };
    security.tls.iter().chain(endpoint).filter_map(|tls| match &tls.identity {
        Some(Store::File { path, .. }) => Some(path),
        _ => None,
    })
}

#[cfg(unix)]
fn exposed(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    // What is missing or unreadable is reported by whoever reads it.
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then(|| {
        let path = path.display();
        format!("{path} holds a secret, and its mode {mode:04o} lets others at it: chmod 600 {path}")
    })
}

/// Other systems have no mode to look at.
#[cfg(not(unix))]
fn exposed(_: &Path) -> Option<String> {
    None
}
