//! `restow generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Write the snapshot of a made-up cluster, or of a fleet of them, to try a plan or to repeat a measurement.
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
    /// How full the fullest disk is, in percent; all disks are of one size.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub utilisation: Option<u32>,
    /// The snapshot file to write; for FLEET the directory to make.
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
    /// 154 clusters with 1,050 brokers and 570,000 partitions together, one snapshot each.
    #[value(name = "FLEET")]
    Fleet,
}
