//! Which cluster, and how it is reached.

use std::path::PathBuf;

use clap::Args;

use super::values;

/// Which cluster.
#[derive(Debug, Args)]
pub struct Bootstrap {
    /// Brokers to begin with, as host:port, separated by commas.
    #[arg(
        long = "bootstrap-server",
        value_name = "HOST:PORT,…",
        required_unless_present = "command_config",
        value_delimiter = ',',
        value_parser = values::address
    )]
    pub servers: Vec<String>,
    /// How to reach it: a client.properties as Kafka's own tools take it (TLS, SASL).
    #[arg(long, value_name = "FILE")]
    pub command_config: Option<PathBuf>,
    /// Let passwords and tokens go over connections without TLS.
    #[arg(long)]
    pub allow_plaintext_credentials: bool,
}

impl Bootstrap {
    /// What was typed to name the cluster, for commands that are printed.
    pub fn flags(&self) -> String {
        let mut flags = Vec::new();
        if !self.servers.is_empty() {
            flags.push(format!("--bootstrap-server {}", self.servers.join(",")));
        }
        if let Some(path) = &self.command_config {
            flags.push(format!("--command-config {}", path.display()));
        }
        if self.allow_plaintext_credentials {
            flags.push("--allow-plaintext-credentials".into());
        }
        flags.join(" ")
    }
}

/// Who may see later what was done.
#[derive(Debug, Args)]
pub struct Audit {
    /// Append every request that changes the cluster, with its answer, to this file: one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub audit_log: Option<PathBuf>,
}
