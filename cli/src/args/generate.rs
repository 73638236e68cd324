//! `restow generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Write the snapshot of a made-up cluster, to try a plan or to repeat a measurement.
#[derive(Debug, Args)]
pub struct Generate {
    /// How large.
    #[arg(long, value_enum, ignore_case = true, value_name = "CLASS")]
    pub class: ClassName,
    /// The same seed gives the same cluster.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// RF2 over two zones, in place of RF3 over three.
    #[arg(long)]
    pub rf2: bool,
    /// Bytes and counts lie evenly and rates do not, in place of new brokers that are empty.
    #[arg(long)]
    pub hot_spots: bool,
    /// The snapshot file to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
}

/// How large a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClassName {
    /// 6 brokers, 2,000 partitions of RF2 over two zones.
    #[value(name = "S")]
    S,
    /// 30 brokers, 10,000 partitions.
    #[value(name = "M")]
    M,
    /// 99 brokers, 200,000 partitions.
    #[value(name = "L")]
    L,
    /// 999 brokers, 2,000,000 partitions.
    #[value(name = "XL")]
    Xl,
}
