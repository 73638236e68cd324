//! `restow export`.

use std::path::PathBuf;

use clap::Args;

use super::{Throttle, values};

/// Write a plan as files and a runbook for the stock tools.
#[derive(Debug, Args)]
pub struct Export {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// The directory to make: it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// The throttle in the runbook's commands, for instance 50MB/s; without it, $THROTTLE stands there.
    #[arg(long, value_name = "RATE", value_parser = values::throttle)]
    pub throttle: Option<Throttle>,
    /// The cluster's address in the runbook's commands; without it, $BOOTSTRAP stands there.
    #[arg(
        long = "bootstrap-server",
        value_name = "HOST:PORT,…",
        value_delimiter = ',',
        value_parser = values::address
    )]
    pub servers: Vec<String>,
    /// Partitions in one file at most. The stock tool starts all of a file at once.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_partitions_per_wave: u32,
    /// Bytes that the copies of one file take together at most, for instance 200GB; a partition that is larger has a file
    /// of its own.
    #[arg(long, value_name = "BYTES", value_parser = super::bytes::bytes)]
    pub max_bytes_per_wave: Option<u64>,
}
