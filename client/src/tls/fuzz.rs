//! Fuzz targets: stores, and the certificates that a peer shows.

use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::certificate::Certificate;
use super::settings::StoreKind;
use super::verify::Verifier;
use super::{identity, server_name, store};

/// 15 January 2027.
const NOW: u64 = 1_800_000_000;
const PASSWORD: &str = "changeit";

/// A store. The first byte chooses its type, what is wanted of it, and whether the store's own password is given:
/// without it a JKS store is read past its digest.
pub fn stores(data: &[u8]) -> bool {
    let [how, store @ ..] = data else { return false };
    let kind = [StoreKind::Pem, StoreKind::Jks, StoreKind::Pkcs12][usize::from(how % 3)];
    let password = (how & 0x40 == 0).then_some(PASSWORD);
    if how & 0x80 == 0 {
        let trusted = store::trusted_in(store, kind, password);
        let mut roots = RootCertStore::empty();
        for der in trusted.iter().flatten() {
            let _ = (Certificate::read(der), roots.add(CertificateDer::from_slice(der)));
        }
        return trusted.is_ok();
    }
    let own = store::identity_in(store, kind, password, Some(PASSWORD));
    own.is_ok_and(|own| identity::certified(own, &default_provider()).is_ok())
}

/// A trusted certificate, the one that a peer shows, and others that it sends, each after its length in two bytes.
pub fn certificates(data: &[u8]) -> bool {
    let mut rest = data;
    let mut sent = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (der, after) = after.split_at(usize::from(u16::from_be_bytes(*length)).min(after.len()));
        sent.push(CertificateDer::from_slice(der));
        rest = after;
    }
    let [root, leaf, others @ ..] = sent.as_slice() else { return false };
    let mut roots = RootCertStore::empty();
    if roots.add(root.clone()).is_err() {
        return false;
    }
    let algorithms = default_provider().signature_verification_algorithms;
    let (trusted, origin) = ([root.to_vec()].into(), "roots".to_owned());
    let verifier = Verifier { roots, trusted, check_host: true, algorithms, origin };
    let is_for = |host| {
        let host = server_name(host).expect("a host");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        verifier.check(leaf, others, &host, now).map_err(|refusal| refusal.to_string()).is_ok()
    };
    ["broker.example", "127.0.0.1", "::1"].map(is_for).contains(&true)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::tests::pki;

    /// Each file of `testdata/stores` in each of the ways in which it is taken, or else in one.
    pub(crate) fn stores() -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/stores");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut seeds = Vec::new();
        for bytes in
            files.iter().filter(|path| !path.ends_with("make.sh")).map(|path| fs::read(path).unwrap())
        {
            let ways = [0, 1, 2, 0x80, 0x81, 0x82, 0x41, 0xc1];
            let ways: Vec<_> = ways.map(|how| [&[how], &bytes[..]].concat()).into();
            let taken = ways.iter().filter(|seed| super::stores(seed)).cloned();
            let before = seeds.len();
            seeds.extend(taken);
            if seeds.len() == before {
                seeds.extend(ways.into_iter().take(1));
            }
        }
        seeds
    }

    /// Chains that are accepted, that break off, and a host that is another.
    pub(crate) fn certificates() -> Vec<Vec<u8>> {
        let seed = |chain: &[&pki::Made]| {
            let one = |made: &&pki::Made| {
                let length = u16::try_from(made.der.len()).unwrap();
                [&length.to_be_bytes()[..], &made.der].concat()
            };
            chain.iter().map(one).collect::<Vec<_>>().concat()
        };
        let (root, other) = (pki::root("root"), pki::root("other"));
        let middle = root.middle("middle");
        let (direct, below) = (root.broker(), middle.broker());
        let named = root.issue(pki::params("broker.example", &["127.0.0.1", "::1", "*.example"]));
        let bare = root.issue(pki::params("broker.example", &[]));
        let own = pki::self_signed(pki::params("broker.example", &[]));
        vec![
            seed(&[&root, &direct]),
            seed(&[&root, &below, &middle]),
            seed(&[&root, &below, &middle, &root]),
            seed(&[&root, &named, &other]),
            seed(&[&root, &bare]),
            seed(&[&own, &own]),
            seed(&[&root, &below]),
            seed(&[&other, &direct, &root]),
            seed(&[&root, &own]),
        ]
    }
}
