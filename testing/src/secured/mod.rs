//! Secured clusters: listeners with TLS and SASL beside the PLAINTEXT one, and what their clients need.

mod access;
mod authority;
mod broker;
mod certificates;
mod client;
mod endpoint;
mod kind;
mod password;

pub use access::Through;
pub use authority::{Authority, Identity, Leaf, Validity};
pub use certificates::{Certificates, Flaw, Store, StoreFormat};
pub use kind::{Kind, USER};

use crate::install::Install;
use endpoint::Endpoint;
use password::password;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a secured cluster has beside its nodes.
#[derive(Debug)]
pub(crate) struct Security {
    kinds: Vec<Kind>,
    folder: PathBuf,
    certificates: Certificates,
    /// The password of [`USER`] on each listener that asks for one; with OAuth the client's secret.
    passwords: BTreeMap<Kind, String>,
    endpoint: Option<Endpoint>,
}

impl Security {
    /// Makes certificates and passwords and starts the token endpoint, as far as these listeners need them.
    pub(crate) fn make(kinds: &[Kind], folder: &Path, install: &Install) -> Security {
        fs::create_dir_all(folder).expect("a folder for the certificates cannot be made");
        let certificates = Certificates::make(folder, USER);
        let has_password = |kind: &&Kind| !matches!(kind, Kind::Ssl | Kind::Mtls | Kind::Unsecured);
        let labelled = |kind: &Kind| (*kind, password(&kind.listener().to_lowercase().replace('_', "-")));
        let passwords: BTreeMap<Kind, String> = kinds.iter().filter(has_password).map(labelled).collect();
        let start = |secret: &String| {
            let store = certificates.server_store();
            Endpoint::start(install, folder, &store, secret)
        };
        let endpoint = passwords.get(&Kind::Oidc).map(start);
        Security { kinds: kinds.to_vec(), folder: folder.to_path_buf(), certificates, passwords, endpoint }
    }

    /// What brokers and stock tools need on their command line (`KAFKA_OPTS`): 4.x refuses every address and file of
    /// OAuth that is not listed. 3.9 refuses an address only where there is a list.
    pub(crate) fn flags(&self) -> Vec<String> {
        let Some(endpoint) = &self.endpoint else { return Vec::new() };
        let (urls, keys) = ([endpoint.url(), endpoint.keys_url()].join(","), endpoint.keys_file());
        vec![
            format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={urls}"),
            format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.files={}", keys.display()),
        ]
    }

    /// What must not be seen: passwords, a line of the client's key, the client's credential as it goes to the token
    /// endpoint, and the signatures of the tokens that have been given out.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut all = self.certificates.secrets();
        all.extend(self.passwords.values().cloned());
        all.extend(self.endpoint.iter().flat_map(Endpoint::secrets));
        all
    }

    pub(crate) fn certificates(&self) -> &Certificates {
        &self.certificates
    }
}
