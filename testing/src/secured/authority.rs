//! A certificate authority, played by `openssl`.

use crate::install::run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// From when to when a certificate is valid, as `openssl ca` reads times (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: &'static str,
    /// The last one.
    pub until: &'static str,
}

impl Validity {
    /// Valid for as long as these tests may live.
    pub const NOW: Validity = Validity { from: "20200101000000Z", until: "20490101000000Z" };
    /// Valid for a year that is gone.
    pub const PAST: Validity = Validity { from: "20200101000000Z", until: "20210101000000Z" };
    /// Valid for a year that is to come.
    pub const FUTURE: Validity = Validity { from: "20480101000000Z", until: "20490101000000Z" };
}

/// A certificate to sign.
#[derive(Debug, Clone, Copy)]
pub struct Leaf<'a> {
    /// The name of its files, without an extension.
    pub file: &'a str,
    /// The common name.
    pub common_name: &'a str,
    /// Subject alternative names, as `openssl` writes them.
    pub alternative_names: Option<&'a str>,
    /// When it is valid.
    pub validity: Validity,
}

impl<'a> Leaf<'a> {
    /// A server on this machine, with nothing wrong.
    #[must_use]
    pub fn server(file: &'a str) -> Leaf<'a> {
        let alternative_names = Some("DNS:localhost,IP:127.0.0.1");
        Leaf { file, common_name: "localhost", alternative_names, validity: Validity::NOW }
    }

    /// A client of this common name.
    #[must_use]
    pub fn client(name: &'a str) -> Leaf<'a> {
        Leaf { file: name, common_name: name, alternative_names: None, validity: Validity::NOW }
    }
}

/// A certificate and its private key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate alone.
    pub certificate: PathBuf,
    /// The certificate, and behind it those between it and the root.
    pub chain: PathBuf,
    /// PKCS#8, not encrypted.
    pub key: PathBuf,
}

impl Identity {
    /// Key and chain in one file, as Kafka wants a PEM key store.
    #[must_use]
    pub fn key_store(&self) -> PathBuf {
        let path = self.key.with_extension("store.pem");
        concatenate(&[&self.key, &self.chain], &path);
        path
    }
}

/// Somebody who signs certificates.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    identity: Identity,
    is_root: bool,
}

/// What `openssl` reads: who may ask for what, and what stands in a root.
const CONFIG: &str = "\
[ca]
default_ca = authority
[authority]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = names
[names]
commonName = supplied
[req]
distinguished_name = subject
x509_extensions = root
[subject]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
";

/// The extensions of an authority below the root.
const INTERMEDIATE: &str =
    "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n";
/// The extensions of a server or a client.
const END: &str =
    "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\n";

impl Authority {
    /// A root with a folder of its own in `folder`. The name is also the common name.
    ///
    /// # Panics
    /// When `openssl` cannot do it; so with every method here.
    #[must_use]
    pub fn root(folder: &Path, name: &str) -> Authority {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).expect("a folder for the authority cannot be made");
        fs::write(folder.join("openssl.cnf"), CONFIG).expect("openssl.cnf cannot be written");
        fs::write(folder.join("index"), "").expect("the authority's index cannot be written");
        let authority = Authority { identity: identity(&folder, name), folder, is_root: true };
        authority.self_signed(&Leaf::client(name));
        authority
    }

    /// An authority that this one vouches for.
    #[must_use]
    pub fn intermediate(&self, name: &str) -> Authority {
        let identity = self.sign(&Leaf::client(name), INTERMEDIATE);
        Authority { folder: self.folder.clone(), identity, is_root: false }
    }

    /// Signs the certificate of a server or client.
    #[must_use]
    pub fn issue(&self, leaf: &Leaf<'_>) -> Identity {
        let names = leaf.alternative_names.map(|names| format!("subjectAltName = {names}\n"));
        self.sign(leaf, &format!("{END}{}", names.unwrap_or_default()))
    }

    /// A certificate that nobody vouches for but itself. It is valid from this moment.
    #[allow(clippy::must_use_candidate)]
    pub fn self_signed(&self, leaf: &Leaf<'_>) -> Identity {
        let made = identity(&self.folder, leaf.file);
        let mut command = self.request(leaf, &made);
        command.args(["-x509", "-days", "3650", "-out"]).arg(&made.certificate);
        if let Some(names) = leaf.alternative_names {
            command.args(["-addext", &format!("subjectAltName = {names}")]);
        }
        run(&mut command);
        concatenate(&[&made.certificate], &made.chain);
        made
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.identity.certificate
    }

    fn sign(&self, leaf: &Leaf<'_>, extensions: &str) -> Identity {
        let made = identity(&self.folder, leaf.file);
        let (request, wanted) = (made.key.with_extension("csr"), made.key.with_extension("extensions"));
        fs::write(&wanted, extensions).expect("the extensions cannot be written");
        run(self.request(leaf, &made).arg("-out").arg(&request));
        let (from, until) = (leaf.validity.from, leaf.validity.until);
        run(self
            .openssl("ca")
            .args(["-batch", "-notext", "-startdate", from, "-enddate", until])
            .args([Path::new("-extfile"), &wanted, Path::new("-in"), &request])
            .args([Path::new("-cert"), self.certificate(), Path::new("-keyfile"), &self.identity.key])
            .arg("-out")
            .arg(&made.certificate));
        let above: &[&Path] = if self.is_root { &[] } else { &[&self.identity.chain] };
        concatenate(&[&[made.certificate.as_path()], above].concat(), &made.chain);
        made
    }

    /// A new key, and the request to certify it.
    fn request(&self, leaf: &Leaf<'_>, made: &Identity) -> Command {
        let mut command = self.openssl("req");
        let subject = format!("/CN={}", leaf.common_name);
        command.args(["-new", "-newkey", "rsa:2048", "-nodes", "-subj", &subject, "-keyout"]).arg(&made.key);
        command
    }

    fn openssl(&self, verb: &str) -> Command {
        let mut command = Command::new("openssl");
        command.current_dir(&self.folder).args([verb, "-config", "openssl.cnf"]);
        command
    }
}

fn identity(folder: &Path, file: &str) -> Identity {
    let path = |extension: &str| folder.join(format!("{file}.{extension}"));
    Identity { certificate: path("crt"), chain: path("pem"), key: path("key") }
}

/// Several PEM files in one.
pub(crate) fn concatenate(files: &[&Path], into: &Path) {
    let read = |file: &&Path| fs::read_to_string(file).expect("a PEM file that was made cannot be read");
    let text: String = files.iter().map(read).collect();
    fs::write(into, text).expect("a PEM file cannot be written");
}
