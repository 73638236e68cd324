//! Certificates of brokers and clients, in every form that Kafka reads, made by `openssl` and `keytool`.

use super::authority::{Authority, Identity, Leaf, Validity, concatenate};
use super::password::password;
use crate::install::run;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The form of a trust store or key store (`ssl.truststore.type`, `ssl.keystore.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreFormat {
    /// Text; a key store holds the PKCS#8 key and its chain in one file (KIP-651). The key is encrypted as Java 17 can
    /// read it (PKCS#12's own scheme, SHA-1 and triple DES): it does not know PBES2, what `openssl` writes by itself.
    Pem,
    /// What `keytool` makes today.
    Pkcs12,
    /// What it made before Java 9.
    Jks,
}

impl StoreFormat {
    /// All of them.
    pub const ALL: [StoreFormat; 3] = [StoreFormat::Pem, StoreFormat::Pkcs12, StoreFormat::Jks];

    /// The value of `ssl.truststore.type` and `ssl.keystore.type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            StoreFormat::Pem => "PEM",
            StoreFormat::Pkcs12 => "PKCS12",
            StoreFormat::Jks => "JKS",
        }
    }
}

/// A trust store or key store, with the passwords that open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its form.
    pub format: StoreFormat,
    /// Where it is.
    pub path: PathBuf,
    /// Of the store; a PEM file has none.
    pub password: Option<String>,
    /// Of the private key in it: a PEM file and a JKS store have one of its own.
    pub key_password: Option<String>,
}

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Its time is over.
    Expired,
    /// Its time is to come.
    NotYetValid,
    /// It is for another name.
    WrongHost,
    /// It is for another address.
    WrongIp,
    /// It has no alternative names, only a common name, and that is right: Java takes it.
    CommonNameOnly,
    /// An authority vouches for it that nobody knows.
    UnknownCa,
    /// Nobody vouches for it.
    SelfSigned,
    /// The certificate between it and the root is not sent with it.
    MissingIntermediate,
}

/// The alias of the one entry of each store.
const ALIAS: &str = "restow";

/// A folder of certificates: one authority, a broker and a client that it vouches for.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
    authority: Authority,
    broker: Identity,
    client: Identity,
    store_password: String,
    key_password: String,
}

impl Certificates {
    /// Makes them; takes two to three seconds. The client's common name is `client`.
    ///
    /// # Panics
    /// When `openssl` or `keytool` cannot do it.
    #[must_use]
    pub fn make(folder: &Path, client: &str) -> Certificates {
        let authority = Authority::root(folder, "authority");
        let made = Certificates {
            folder: folder.to_path_buf(),
            broker: authority.issue(&Leaf::server("broker")),
            client: authority.issue(&Leaf::client(client)),
            authority,
            store_password: password("store"),
            key_password: password("key"),
        };
        made.pem_store("PBE-SHA1-3DES", &made.key_store(StoreFormat::Pem).path);
        made.pkcs12_store(&made.client, &made.key_store(StoreFormat::Pkcs12));
        made.jks_store();
        for format in [StoreFormat::Pkcs12, StoreFormat::Jks] {
            made.trusting(format);
        }
        for format in StoreFormat::ALL {
            let only_ours = fs::Permissions::from_mode(0o600);
            fs::set_permissions(made.key_store(format).path, only_ours).expect("a key store was made");
        }
        made
    }

    /// Whom clients trust, and brokers that ask for a certificate.
    #[must_use]
    pub fn trust_store(&self, format: StoreFormat) -> Store {
        match format {
            StoreFormat::Pem => {
                let path = self.authority.certificate().to_path_buf();
                Store { format, path, password: None, key_password: None }
            }
            _ => Store { key_password: None, ..self.store("trust", format) },
        }
    }

    /// The client's certificate and key.
    #[must_use]
    pub fn key_store(&self, format: StoreFormat) -> Store {
        self.store("client", format)
    }

    /// The client's certificate, and its key encrypted with PBES2 and AES-256; made now. The Java client cannot read it
    /// on Java 17: "PBES2 SecretKeyFactory not available".
    #[must_use]
    pub fn key_store_pbes2(&self) -> Store {
        let path = self.folder.join("client-pbes2.pem");
        self.pem_store("aes-256-cbc", &path);
        Store { path, ..self.key_store(StoreFormat::Pem) }
    }

    /// The client's certificate and its key without a password, as files.
    #[must_use]
    pub fn client(&self) -> &Identity {
        &self.client
    }

    /// The broker's certificate and its key without a password, as files.
    #[must_use]
    pub fn broker(&self) -> &Identity {
        &self.broker
    }

    /// The authority, for more certificates.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A server's certificate with a flaw, made now.
    #[must_use]
    pub fn flawed(&self, flaw: Flaw) -> Identity {
        let known = &self.authority;
        match flaw {
            Flaw::Expired => known.issue(&Leaf { validity: Validity::PAST, ..Leaf::server("expired") }),
            Flaw::NotYetValid => {
                known.issue(&Leaf { validity: Validity::FUTURE, ..Leaf::server("not-yet-valid") })
            }
            Flaw::WrongHost => known.issue(&Leaf {
                common_name: "elsewhere.example",
                alternative_names: Some("DNS:elsewhere.example"),
                ..Leaf::server("wrong-host")
            }),
            Flaw::WrongIp => known.issue(&Leaf {
                common_name: "192.0.2.1",
                alternative_names: Some("IP:192.0.2.1"),
                ..Leaf::server("wrong-ip")
            }),
            Flaw::CommonNameOnly => {
                known.issue(&Leaf { alternative_names: None, ..Leaf::server("common-name-only") })
            }
            Flaw::UnknownCa => Authority::root(&self.folder, "unknown").issue(&Leaf::server("unknown-ca")),
            Flaw::SelfSigned => known.self_signed(&Leaf::server("self-signed")),
            Flaw::MissingIntermediate => {
                let whole = known.intermediate("intermediate").issue(&Leaf::server("missing-intermediate"));
                Identity { chain: whole.certificate.clone(), ..whole }
            }
        }
    }

    /// The passwords, and a line of the client's private key.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let key = fs::read_to_string(&self.client.key).expect("the client's key cannot be read");
        let line = key.lines().nth(2).expect("a key has many lines").to_owned();
        vec![self.store_password.clone(), self.key_password.clone(), line]
    }

    /// A broker's key store: PEM, not encrypted.
    pub(crate) fn broker_store(&self) -> Store {
        let path = self.broker.key_store();
        Store { format: StoreFormat::Pem, path, password: None, key_password: None }
    }

    /// The same for a Java server that is no broker.
    pub(crate) fn server_store(&self) -> Store {
        let store = self.store("server", StoreFormat::Pkcs12);
        self.pkcs12_store(&self.broker, &store);
        store
    }

    fn store(&self, name: &str, format: StoreFormat) -> Store {
        let (extension, is_store, own_key) = match format {
            StoreFormat::Pem => ("pem", false, true),
            StoreFormat::Pkcs12 => ("p12", true, false),
            StoreFormat::Jks => ("jks", true, true),
        };
        Store {
            format,
            path: self.folder.join(format!("{name}.{extension}")),
            password: is_store.then(|| self.store_password.clone()),
            key_password: own_key.then(|| self.key_password.clone()),
        }
    }

    fn pem_store(&self, scheme: &str, path: &Path) {
        let flag = if scheme.starts_with("PBE-") { "-v1" } else { "-v2" };
        run(self
            .with_passwords("openssl")
            .args(["pkcs8", "-topk8", flag, scheme, "-passout", "env:KEY_PASSWORD", "-in"])
            .args([&self.client.key, Path::new("-out"), path]));
        concatenate(&[path, &self.client.chain], path);
    }

    fn pkcs12_store(&self, identity: &Identity, store: &Store) {
        run(self
            .with_passwords("openssl")
            .args(["pkcs12", "-export", "-name", ALIAS, "-passout", "env:STORE_PASSWORD", "-inkey"])
            .arg(&identity.key)
            .arg("-in")
            .arg(&identity.chain)
            .arg("-certfile")
            .arg(self.authority.certificate())
            .arg("-out")
            .arg(&store.path));
    }

    fn jks_store(&self) {
        run(self
            .with_passwords("keytool")
            .args([
                "-importkeystore",
                "-noprompt",
                "-alias",
                ALIAS,
                "-srcstoretype",
                "PKCS12",
                "-srckeystore",
            ])
            .arg(self.key_store(StoreFormat::Pkcs12).path)
            .args(["-srcstorepass:env", "STORE_PASSWORD", "-deststoretype", "JKS", "-destkeystore"])
            .arg(self.key_store(StoreFormat::Jks).path)
            .args(["-deststorepass:env", "STORE_PASSWORD", "-destkeypass:env", "KEY_PASSWORD"]));
    }

    fn trusting(&self, format: StoreFormat) {
        run(self
            .with_passwords("keytool")
            .args(["-importcert", "-noprompt", "-alias", ALIAS, "-storetype", format.name(), "-keystore"])
            .arg(self.trust_store(format).path)
            .args(["-storepass:env", "STORE_PASSWORD", "-file"])
            .arg(self.authority.certificate()));
    }

    /// Passwords go through the environment: the list of processes is open to everybody.
    fn with_passwords(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("STORE_PASSWORD", &self.store_password).env("KEY_PASSWORD", &self.key_password);
        command
    }
}
