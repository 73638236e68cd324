//! `restow acls`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values;

/// Print the kafka-acls commands that allow what restow does, and nothing more.
#[derive(Debug, Args)]
pub struct Acls {
    /// Who runs restow, as the cluster knows it: User:NAME.
    #[arg(long, value_name = "USER:NAME", value_parser = values::principal)]
    pub principal: String,
    /// What for: plan is snapshot and status; apply is also rollback and sweep.
    #[arg(long = "for", value_enum, value_name = "PURPOSE")]
    pub purpose: Purpose,
    /// Brokers to name in the commands.
    #[arg(long = "bootstrap-server", value_name = "HOST:PORT,…", value_parser = values::address, value_delimiter = ',')]
    pub servers: Vec<String>,
    /// The client.properties of an administrator, to name in the commands.
    #[arg(long, value_name = "FILE")]
    pub command_config: Option<PathBuf>,
    /// Only topics whose names begin so, in place of all. Repeatable.
    #[arg(long, value_name = "PREFIX", value_parser = values::topic_prefix)]
    pub topic_prefix: Vec<String>,
}

/// What permissions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Looking: snapshot, status.
    Plan,
    /// Changing: apply, rollback, sweep; and looking.
    Apply,
}
