//! `restow snapshot`.

use std::path::PathBuf;

use clap::Args;

use super::{Bootstrap, Zones};

/// Write what planning needs to know about a cluster into one file.
#[derive(Debug, Args)]
pub struct Snapshot {
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Corrections of its zones.
    #[command(flatten)]
    pub zones: Zones,
}
