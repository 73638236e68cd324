//! The token endpoint of OAuth: `testing/java/restow/TokenEndpoint.java`, a JVM that knows nothing of Kafka.

use super::certificates::Store;
use super::kind::USER;
use crate::install::Install;
use crate::process::{end, wait};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

/// A running token endpoint. It ends with its standard input, so also when the test process is killed.
#[derive(Debug)]
pub(crate) struct Endpoint {
    child: Child,
    input: Option<ChildStdin>,
    folder: PathBuf,
    port: u16,
}

impl Endpoint {
    /// Starts it and waits until it serves.
    pub(crate) fn start(install: &Install, folder: &Path, tls: &Store, client_secret: &str) -> Endpoint {
        let log = File::create(folder.join("endpoint.log")).expect("the endpoint's log cannot be made");
        let mut child = install
            .java("tool")
            .args(["-Xmx64m", "restow.TokenEndpoint"])
            .arg(folder)
            .env("TLS_STORE", &tls.path)
            .env("TLS_PASSWORD", tls.password.as_deref().unwrap_or_default())
            .env("CLIENT_ID", USER)
            .env("CLIENT_SECRET", client_secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("java cannot be run");
        let input = child.stdin.take();
        let mut port = String::new();
        let output = child.stdout.take().expect("the endpoint's output is a pipe");
        BufReader::new(output).read_line(&mut port).expect("the endpoint says its port");
        let port = port.trim().parse();
        let port = port.unwrap_or_else(|_| panic!("no token endpoint: see endpoint.log in {folder:?}"));
        Endpoint { child, input, folder: folder.to_path_buf(), port }
    }

    /// Who signs the tokens (claim `iss`).
    pub(crate) fn issuer(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Where clients get tokens.
    pub(crate) fn url(&self) -> String {
        format!("{}/token", self.issuer())
    }

    /// Where brokers find the public key.
    pub(crate) fn keys_url(&self) -> String {
        format!("file://{}", self.keys_file().display())
    }

    /// The same as a path.
    pub(crate) fn keys_file(&self) -> PathBuf {
        self.folder.join("jwks.json")
    }

    /// The client's credential as it is sent, and the signature of every token that was given out.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let secrets =
            fs::read_to_string(self.folder.join("secrets")).expect("the endpoint writes its secrets");
        secrets.lines().map(str::to_owned).collect()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.input = None;
        wait(&mut self.child, Duration::from_secs(2));
        end(&mut self.child);
    }
}
