//! `restow status`.

use std::path::PathBuf;

use clap::Args;

use super::Bootstrap;

/// Say where a plan stands on a cluster. Changes nothing.
#[derive(Debug, Args)]
pub struct Status {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// The journal; beside the plan as PLAN.journal if not given.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}
