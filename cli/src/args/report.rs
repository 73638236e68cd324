//! `restow report`.

use std::path::PathBuf;

use clap::Args;

use super::{Throttle, values};

/// Write one HTML page about a plan, a run or a what-if: for people who decide, and for the record. The page needs no
/// network and no other file.
#[derive(Debug, Args)]
pub struct Report {
    /// A plan, the journal of a run, or what `restow whatif -o` wrote: told apart by what is in it.
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// Where to write the page.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// A snapshot, for the forecast; taken with --sample it knows what producers write.
    #[arg(long, value_name = "FILE")]
    pub cluster: Option<PathBuf>,
    /// Copy rate per broker and direction, for the forecast: 50MB/s, 50MiB/s, a bare number of bytes/s, or none. Of a
    /// run it is the run's own if not given.
    #[arg(long, value_name = "RATE", value_parser = values::throttle, requires = "cluster")]
    pub throttle: Option<Throttle>,
    /// What a GB (10^9 bytes) from one zone into another costs, as in 0.02.
    #[arg(long, value_name = "PRICE", value_parser = values::price)]
    pub price_per_gb: Option<u64>,
    /// The plan of a journal, where it is no longer where the journal says.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
}
