//! `restow forecast`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Throttle, Zones, values};

/// Which of the moves that fit goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// As the plan lists them.
    Fifo,
    /// The smallest first: most partitions are done early.
    SmallestFirst,
    /// What uses the broker with the most bytes to come.
    CriticalPortFirst,
}

/// How long links are.
#[derive(Debug, Args, Default)]
pub struct Links {
    /// Round-trip time between two zones, as in az-a:az-b=60ms. Repeatable. With it, what a connection can carry
    /// (socket buffer over round trip) is taken into account.
    #[arg(long, value_name = "ZONE:ZONE=TIME", value_parser = values::rtt)]
    pub rtt: Vec<values::Rtt>,
}

/// Tell how long a plan takes at a throttle, and what it takes meanwhile. Touches no cluster.
#[derive(Debug, Args)]
pub struct Forecast {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// A snapshot; taken with --sample it knows what producers write.
    #[arg(long, value_name = "FILE")]
    pub cluster: PathBuf,
    /// Copy rate per broker and direction: 50MB/s, 50MiB/s, or a bare number of bytes/s.
    #[arg(long, value_name = "RATE", value_parser = values::throttle)]
    pub throttle: Throttle,
    /// How long links are.
    #[command(flatten)]
    pub links: Links,
    /// What a GB (10^9 bytes) from one zone into another costs, as in 0.02.
    #[arg(long, value_name = "PRICE", value_parser = values::price)]
    pub price_per_gb: Option<u64>,
    /// Copies in flight per broker at most: those that come in, and those that it sends, are counted apart.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_in_flight_per_broker: u32,
    /// What goes first.
    #[arg(long, value_enum, default_value = "fifo", value_name = "ORDER")]
    pub order: Order,
    /// How long a partition must stand swapped before it is shrunk.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub dwell: Duration,
    /// Corrections of the snapshot's zones.
    #[command(flatten)]
    pub zones: Zones,
}
