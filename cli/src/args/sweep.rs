//! `restow sweep`.

use std::path::PathBuf;

use clap::Args;

use super::Bootstrap;

/// Find throttles and in-flight moves that nothing is behind, and remove those that are ours.
#[derive(Debug, Args)]
pub struct Sweep {
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// The journal that proves what is ours; else the unfinished ones of this cluster on this host.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// The plan of that journal, if it is no longer where the journal says (its hash must match).
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}
