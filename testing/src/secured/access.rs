//! A secured cluster as its clients see it.

use super::authority::Identity;
use super::certificates::{Certificates, StoreFormat};
use super::{Kind, Security};
use crate::install::run;
use crate::kafka::Kafka;
use crate::tool::{self, ToolOutput};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The stock tools, through one listener and with a `--command-config`.
#[derive(Debug)]
pub struct Through<'a> {
    kafka: &'a Kafka,
    bootstrap: String,
    config: PathBuf,
}

impl Through<'_> {
    /// The same with another client.properties.
    #[must_use]
    pub fn with_config(self, config: &Path) -> Self {
        Through { config: config.to_path_buf(), ..self }
    }

    /// `kafka-topics --bootstrap-server … --command-config … args`.
    #[must_use]
    pub fn topics(&self, args: &[&str]) -> ToolOutput {
        self.tool(tool::TOPICS, args)
    }

    /// `kafka-reassign-partitions --bootstrap-server … --command-config … args`.
    #[must_use]
    pub fn reassign(&self, args: &[&str]) -> ToolOutput {
        self.tool(tool::REASSIGN, args)
    }

    /// `kafka-configs --bootstrap-server … --command-config … args`.
    #[must_use]
    pub fn configs(&self, args: &[&str]) -> ToolOutput {
        self.tool(tool::CONFIGS, args)
    }

    fn tool(&self, main_class: &str, args: &[&str]) -> ToolOutput {
        let config = self.config.display().to_string();
        let first = ["--bootstrap-server", &self.bootstrap, "--command-config", &config];
        self.kafka.tool(main_class, &[&first, args].concat())
    }
}

/// What needs [`Spec::secured`](crate::Spec::secured); panics without it.
impl Kafka {
    /// The addresses of this listener on all brokers whose processes run, with commas.
    #[must_use]
    pub fn listener(&self, kind: Kind) -> String {
        let of = |id: &i32| self.listener_of(*id, kind);
        self.running_brokers().iter().map(of).collect::<Vec<_>>().join(",")
    }

    /// The address of this listener on one broker, as it advertises it: `localhost` and a port.
    #[must_use]
    pub fn listener_of(&self, broker: i32, kind: Kind) -> String {
        let port = self.place(broker).secured.get(&kind);
        format!("localhost:{}", port.unwrap_or_else(|| panic!("this cluster has no {kind:?} listener")))
    }

    /// A client.properties for this listener. It is good for every client and stock tool; with [`Kind::Oidc`] a Java
    /// client of 4.0 and later needs the token endpoint on its command line too, and our tools have it there.
    #[must_use]
    pub fn client_properties(&self, kind: Kind) -> PathBuf {
        self.client_properties_in(kind, kind.stores())
    }

    /// The same with trust and key stores of one form.
    #[must_use]
    pub fn client_properties_in(&self, kind: Kind, stores: StoreFormat) -> PathBuf {
        self.security().client_properties(kind, stores)
    }

    /// The stock tools through this listener.
    #[must_use]
    pub fn through(&self, kind: Kind) -> Through<'_> {
        Through { kafka: self, bootstrap: self.listener(kind), config: self.client_properties(kind) }
    }

    /// The cluster's certificates.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        self.security().certificates()
    }

    /// Gives one broker's listener another certificate, from its next start.
    pub fn set_certificate(&self, broker: i32, kind: Kind, identity: &Identity) {
        let key = format!("{}ssl.keystore.location", kind.prefix());
        self.set_properties(broker, &[(&key, &identity.key_store().display().to_string())]);
    }

    /// The JVM flags that a Java client of 4.0 and later needs for [`Kind::Oidc`] (`KAFKA_OPTS`).
    #[must_use]
    pub fn kafka_opts(&self) -> Vec<String> {
        self.security().flags()
    }

    /// Everything secret of this moment, for a search in what a test wrote: passwords, a line of the client's private
    /// key, and of each OAuth token its signature.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.security().secrets()
    }

    fn security(&self) -> &Security {
        self.secured().expect("this cluster is not secured: see Spec::secured")
    }
}

/// What needs [`Spec::authorized`](crate::Spec::authorized).
impl Kafka {
    /// Runs a `kafka-acls … --add …` line exactly as a shell would read it, quotes and all; as a super user through the
    /// PLAINTEXT listener where it has no `--bootstrap-server`. Brokers hear of the change a moment after the tool does.
    #[must_use]
    pub fn acls(&self, line: &str) -> ToolOutput {
        let mut words = words(line);
        let name = words.remove(0);
        let stock =
            Path::new(&name).file_name().is_some_and(|name| name == "kafka-acls" || name == "kafka-acls.sh");
        assert!(stock, "not a line for kafka-acls: {line}");
        let args: Vec<&str> = words.iter().map(String::as_str).collect();
        let main_class = tool::acls(self.tools());
        if args.contains(&"--bootstrap-server") {
            self.tool(main_class, &args)
        } else {
            self.with_bootstrap(main_class, &args)
        }
    }

    /// Takes back what [`Kafka::acls`] granted with the same line.
    #[must_use]
    pub fn remove_acls(&self, line: &str) -> ToolOutput {
        assert!(words(line).iter().any(|word| word == "--add"), "this line adds nothing: {line}");
        self.acls(&line.replacen(" --add", " --remove --force", 1))
    }
}

/// The words of a line, read by a shell.
fn words(line: &str) -> Vec<String> {
    let text = run(Command::new("sh").args(["-c", &format!("printf '%s\\n' {line}")]));
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_line_is_read_as_a_shell_reads_it() {
        let line = "bin/kafka-acls.sh --add --topic '*' \\\n  --allow-principal \"User:CN=a b\"";
        let expected = ["bin/kafka-acls.sh", "--add", "--topic", "*", "--allow-principal", "User:CN=a b"];
        assert_eq!(words(line), expected);
    }
}
