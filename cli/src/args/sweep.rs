//! `restow sweep`.

use std::path::PathBuf;

use clap::Args;

use restow_executor::journal::ConfigKey;

use super::{Audit, Bootstrap, values};

/// Find throttles and in-flight moves that nothing is behind, and remove those that are ours.
#[derive(Debug, Args)]
pub struct Sweep {
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// Who may see later what was done.
    #[command(flatten)]
    pub audit: Audit,
    /// The journal that proves what is ours; else the unfinished ones of this cluster on this host.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// The plan of that journal, if it is no longer where the journal says (its hash must match).
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Remove a throttle of unknown owner: broker:5:follower.replication.throttled.rate, or topic:NAME:KEY.
    /// Only where no unfinished journal explains it. Repeatable.
    #[arg(long, value_name = "WHERE:KEY", value_parser = values::throttle_key)]
    pub remove: Vec<ConfigKey>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}
