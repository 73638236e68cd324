//! `restow plan …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use restow_planner::model::BrokerId;

use super::{Zones, values};

/// Make a plan from a snapshot. Touches no cluster.
#[derive(Debug, Args)]
pub struct Plan {
    /// What the plan is for.
    #[command(subcommand)]
    pub verb: PlanVerb,
}

/// What a plan is for.
#[derive(Debug, Subcommand)]
pub enum PlanVerb {
    /// Move every replica from some brokers to others, zone by zone.
    Migrate(Migrate),
}

/// Move every replica from some brokers to others, zone by zone.
#[derive(Debug, Args)]
pub struct Migrate {
    /// The snapshot to plan on.
    #[arg(long, value_name = "FILE")]
    pub cluster: PathBuf,
    /// Brokers to leave, separated by commas.
    #[arg(long, value_name = "IDS", required = true, value_delimiter = ',', value_parser = values::broker)]
    pub from: Vec<BrokerId>,
    /// Brokers to go to, separated by commas.
    #[arg(long, value_name = "IDS", required = true, value_delimiter = ',', value_parser = values::broker)]
    pub to: Vec<BrokerId>,
    /// The plan file to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Only topics whose whole name matches. Repeatable.
    #[arg(long, value_name = "REGEX")]
    pub topics: Vec<String>,
    /// No topics whose whole name matches. Repeatable.
    #[arg(long, value_name = "REGEX")]
    pub exclude: Vec<String>,
    /// Put each new replica in the place of the one that it replaces, and do not balance leaders.
    #[arg(long)]
    pub preserve_leaders: bool,
    /// Plan what is not refused, and say which source brokers will not be empty.
    #[arg(long)]
    pub leave_out_refused: bool,
    /// Move partitions whose min.insync.replicas is above their replication factor too: the run sets it to that
    /// factor on their topics while copies are added, and puts it back.
    #[arg(long)]
    pub hold_min_isr: bool,
    /// Accept that sources and destinations differ in this config key (kept in the plan). Repeatable.
    #[arg(long, value_name = "KEY")]
    pub accept_config_diff: Vec<String>,
    /// Corrections of the snapshot's zones.
    #[command(flatten)]
    pub zones: Zones,
}
