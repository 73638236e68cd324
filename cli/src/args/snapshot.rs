//! `restow snapshot`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Bootstrap, Zones, values};

/// Write what planning needs to know about a cluster into one file.
#[derive(Debug, Args)]
pub struct Snapshot {
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Watch logs grow for this long, to know what producers write: the forecast and `apply` need it.
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub sample: Option<Duration>,
    /// Corrections of its zones.
    #[command(flatten)]
    pub zones: Zones,
}
