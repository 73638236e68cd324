//! `restow snapshot` and `restow snapshot merge`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Bootstrap, Zones, values};

/// Write what planning needs to know about a cluster into one file.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Snapshot {
    /// In place of taking one.
    #[command(subcommand)]
    pub verb: Option<SnapshotVerb>,
    /// Which cluster; always there without a verb.
    #[command(flatten)]
    pub bootstrap: Option<Bootstrap>,
    /// The file to write.
    // Always there without a verb: a verb has its own.
    #[arg(short, long, value_name = "FILE", required = true)]
    pub out: Option<PathBuf>,
    /// Watch logs grow for this long, to know what producers write: the forecast and `apply` need it.
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub sample: Option<Duration>,
    /// Take what can be seen, where permissions are missing: plans then do without what is unknown.
    #[arg(long)]
    pub partial: bool,
    /// What is known beside it.
    #[command(flatten)]
    pub zones: Zones,
}

/// What can be done with snapshots that were taken.
#[derive(Debug, Subcommand)]
pub enum SnapshotVerb {
    /// Make one of several of the same cluster: the layout of the last, and of each rate the largest that is known.
    Merge(Merge),
}

/// Make one of several of the same cluster: the layout of the last, and of each rate the largest that is known.
#[derive(Debug, Args)]
pub struct Merge {
    /// The snapshots; the one whose layout is kept comes last.
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    pub files: Vec<PathBuf>,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Keep this percentile (nearest rank) of each rate, in place of the largest.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub percentile: Option<u8>,
}
