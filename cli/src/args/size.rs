//! `restow size`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use restow_planner::whatif::growth::{Growth, Horizon};
use restow_planner::whatif::{self, Edit, size};

use super::Zones;

/// What must be survived without a broker above its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Survive {
    /// Nothing.
    None,
    /// Any one broker.
    Broker,
    /// Any one broker, and any one zone.
    Zone,
}

impl From<Survive> for size::Survive {
    fn from(survive: Survive) -> Self {
        match survive {
            Survive::None => size::Survive::None,
            Survive::Broker => size::Survive::Broker,
            Survive::Zone => size::Survive::Zone,
        }
    }
}

const AFTER: &str = "\
Node types with disk, network and price are an input: testdata/node-types has examples to edit. The brokers of the answer
are not there yet: start them with the ids that are told, then check and apply the plan. docs/whatif.md explains it.";

/// Find the cheapest node types and counts that hold a cluster, and place its partitions on them. Touches no cluster.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Size {
    /// A snapshot, or a directory of snapshots: a row for each cluster then.
    #[arg(long, value_name = "FILE|DIR")]
    pub cluster: PathBuf,
    /// Node types (TOML). Repeatable.
    #[arg(long, value_name = "FILE", required = true)]
    pub node_types: Vec<PathBuf>,
    /// What must be survived.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "zone")]
    pub survive: Survive,
    /// What has to stay free of every limit.
    #[arg(long, value_name = "PERCENT", default_value = "25%", value_parser = headroom)]
    pub headroom: u32,
    /// How bytes and rates grow up to the horizon: 40%/year, 3%/month.
    #[arg(long, value_name = "GROWTH", requires = "horizon", allow_hyphen_values = true)]
    pub growth: Option<Growth>,
    /// How far ahead: 18mo, 2y, 90d.
    #[arg(long, value_name = "TIME", requires = "growth")]
    pub horizon: Option<Horizon>,
    /// The peak over the mean of all rates.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = peak)]
    pub peak: u32,
    /// One node type for all brokers.
    #[arg(long)]
    pub same_type: bool,
    /// Move partitions whose min.insync.replicas is above their replication factor, as `plan` does with that flag. A mix
    /// is not placed otherwise.
    #[arg(long)]
    pub hold_min_isr: bool,
    /// How many mixes are told.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub offers: u32,
    /// Write the plan to the cheapest mix.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Corrections of the snapshot.
    #[command(flatten)]
    pub zones: Zones,
}

/// As the edit of that name reads it.
fn headroom(text: &str) -> Result<u32, String> {
    match whatif::edit("headroom", text)? {
        Edit::Headroom(part) => Ok(part),
        _ => Err(String::new()),
    }
}

/// As the edit of that name reads it.
fn peak(text: &str) -> Result<u32, String> {
    match whatif::edit("peak", text)? {
        Edit::Peak(peak) => Ok(peak),
        _ => Err(String::new()),
    }
}
