//! `restow rehearse`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Links, Pace, Throttle, Zones, values};

/// Run a plan on a simulated copy of the cluster: the real executor, over the real protocol, in memory.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// The snapshot that the copy is made from.
    #[arg(long, value_name = "FILE")]
    pub cluster: PathBuf,
    /// Copy rate per broker and direction: 50MB/s, 50MiB/s, a bare number of bytes/s, or none.
    #[arg(long, value_name = "RATE", value_parser = values::throttle)]
    pub throttle: Throttle,
    /// What goes wrong, and when: "kill 5 at 40%", "slow 6 to 5MB/s at 10%", "pause 3 at 2h for 1m",
    /// "restart 5 at 60%", "stop 4 at 10m for 5m", "cut 2 at 5% for 30s", "controller at 20% for 1m". A percentage
    /// is of the bytes to copy, a time is the cluster's. Repeatable.
    #[arg(long = "fault", value_name = "FAULT", value_parser = super::fault::fault)]
    pub faults: Vec<super::fault::Fault>,
    /// Show this much of the cluster's time in each second (10m, 1h); as fast as it goes if not given.
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub speed: Option<Duration>,
    /// The version of Kafka that the copy behaves as.
    #[arg(long, value_name = "VERSION", default_value = "4.3.1")]
    pub kafka: String,
    /// How long links are.
    #[command(flatten)]
    pub links: Links,
    /// Zones that racks do not give.
    #[command(flatten)]
    pub zones: Zones,
    /// How fast.
    #[command(flatten)]
    pub pace: Pace,
}
