//! `restow plan …`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use restow_planner::model::BrokerId;
use restow_planner::plan::Measure;

use super::{Zones, bytes, values};

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
    /// Empty brokers onto the others of their zones, dead ones too.
    Drain(Drain),
    /// Bring new brokers to their fair share.
    Add(Add),
    /// Bring every broker within bands around its fair share.
    Rebalance(Rebalance),
    /// Change the replication factor.
    SetRf(SetRf),
    /// Spread replicas over zones again, and make those on dead brokers again.
    Repair(Repair),
    /// Change preferred leaders only; no data moves.
    Leaders(Leaders),
    /// Take an assignment that somebody else made, in steps that can be taken back.
    Follow(Follow),
}

/// What every plan needs.
#[derive(Debug, Args)]
pub struct Ground {
    /// The snapshot to plan on.
    #[arg(long, value_name = "FILE")]
    pub cluster: PathBuf,
    /// The plan file to write.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Whether each stage waits for all partitions (with gates before clients see anything and before the point of no
    /// return), or each partition goes through its steps on its own. A migration is staged, the others are pipelined.
    #[arg(long, value_enum, value_name = "PACING")]
    pub pacing: Option<Pacing>,
    /// Plan what is not refused, and say what stays.
    #[arg(long)]
    pub leave_out_refused: bool,
    /// Move partitions whose min.insync.replicas is above their replication factor too: the run sets it to that
    /// factor on their topics while copies are added, and puts it back.
    #[arg(long)]
    pub hold_min_isr: bool,
    /// Brokers that nothing comes to and nothing leaves, separated by commas; who leads there may change.
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = values::broker)]
    pub pin_brokers: Vec<BrokerId>,
    /// End the search after this long with the best plan so far; such a plan is not the same each time.
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub time_limit: Option<Duration>,
    /// Accept that the brokers that a topic leaves and those that it goes to differ in this config key (kept in the
    /// plan). Repeatable.
    #[arg(long, value_name = "KEY")]
    pub accept_config_diff: Vec<String>,
    /// Corrections of the snapshot's zones.
    #[command(flatten)]
    pub zones: Zones,
}

/// Which topics.
#[derive(Debug, Args)]
pub struct Topics {
    /// Only topics whose whole name matches. Repeatable.
    #[arg(long, value_name = "REGEX")]
    pub topics: Vec<String>,
    /// No topics whose whole name matches. Repeatable.
    #[arg(long, value_name = "REGEX")]
    pub exclude: Vec<String>,
}

/// Whether stages wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pacing {
    /// A stage ends before the next begins.
    Staged,
    /// Each partition goes through its steps on its own.
    Pipelined,
}

/// Move every replica from some brokers to others, zone by zone.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Brokers to leave, separated by commas.
    #[arg(long, value_name = "IDS", required = true, value_delimiter = ',', value_parser = values::broker)]
    pub from: Vec<BrokerId>,
    /// Brokers to go to, separated by commas.
    #[arg(long, value_name = "IDS", required = true, value_delimiter = ',', value_parser = values::broker)]
    pub to: Vec<BrokerId>,
    /// Put each new replica in the place of the one that it replaces, and do not balance leaders.
    #[arg(long)]
    pub preserve_leaders: bool,
    /// Which topics.
    #[command(flatten)]
    pub topics: Topics,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}

/// Empty brokers onto the others of their zones, dead ones too.
#[derive(Debug, Args)]
pub struct Drain {
    /// Brokers to empty, separated by commas. Those out of service are given up: their replicas are made again.
    #[arg(long, value_name = "IDS", required = true, value_delimiter = ',', value_parser = values::broker)]
    pub brokers: Vec<BrokerId>,
    /// The one broker that gets all of it.
    #[arg(long, value_name = "ID", value_parser = values::broker)]
    pub replace_with: Option<BrokerId>,
    /// Which topics.
    #[command(flatten)]
    pub topics: Topics,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}

/// What is evened out.
#[derive(Debug, Args)]
pub struct Bands {
    /// What is evened out, separated by commas: replicas, bytes, write-rate, leaders, read-rate. The first four by
    /// default, but for write rates where the snapshot knows none; read rates need --rates.
    #[arg(long, value_name = "MEASURES", value_delimiter = ',', value_parser = values::measure)]
    pub measures: Vec<Measure>,
    /// How far from its fair share a broker may be.
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = values::percent)]
    pub tolerance: u32,
    /// Give no broker more than twice its part of a topic, or than what some broker of the zone has already.
    #[arg(long)]
    pub spread_topics: bool,
    /// Let replicas leave their zones, where their partitions stay as spread over zones as they are: for a zone that is
    /// new or too small for its part.
    #[arg(long)]
    pub across_zones: bool,
}

/// Bring new brokers to their fair share.
#[derive(Debug, Args)]
pub struct Add {
    /// The new brokers, separated by commas. Nothing goes to any other.
    #[arg(long, value_name = "IDS", required = true, value_delimiter = ',', value_parser = values::broker)]
    pub brokers: Vec<BrokerId>,
    /// What is evened out.
    #[command(flatten)]
    pub bands: Bands,
    /// Which topics.
    #[command(flatten)]
    pub topics: Topics,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}

/// Bring every broker within bands around its fair share.
#[derive(Debug, Args)]
pub struct Rebalance {
    /// What is evened out.
    #[command(flatten)]
    pub bands: Bands,
    /// Copy no more than this; the best that it buys is planned.
    #[arg(long, value_name = "BYTES", value_parser = bytes::bytes)]
    pub max_bytes: Option<u64>,
    /// Copy no more replicas than this.
    #[arg(long, value_name = "N")]
    pub max_moves: Option<u64>,
    /// Copy no more replicas than this from one broker, and to one.
    #[arg(long, value_name = "N")]
    pub max_moves_per_broker: Option<u64>,
    /// Change no more preferred leaders than this for the sake of balance.
    #[arg(long, value_name = "N")]
    pub max_leader_changes: Option<u64>,
    /// Which topics.
    #[command(flatten)]
    pub topics: Topics,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}

/// Change the replication factor.
#[derive(Debug, Args)]
pub struct SetRf {
    /// Replicas of each partition at the end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=32))]
    pub replication_factor: u32,
    /// Which topics.
    #[command(flatten)]
    pub topics: Topics,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}

/// Spread replicas over zones again, and make those on dead brokers again.
#[derive(Debug, Args)]
pub struct Repair {
    /// Which topics.
    #[command(flatten)]
    pub topics: Topics,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}

/// Change preferred leaders only; no data moves.
#[derive(Debug, Args)]
pub struct Leaders {
    /// Even counts, with the fewest changes that can do it.
    #[arg(long, conflicts_with_all = ["within", "best"])]
    pub minimal: bool,
    /// Few changes, until no broker's leaders send more than this above the fair share.
    #[arg(long, value_name = "PERCENT", conflicts_with = "best", value_parser = values::percent)]
    pub within: Option<u32>,
    /// The best balance, however many leaders change.
    #[arg(long)]
    pub best: bool,
    /// Brokers that are to lead nothing that another replica can, separated by commas.
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = values::broker)]
    pub demote: Vec<BrokerId>,
    /// Which topics.
    #[command(flatten)]
    pub topics: Topics,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}

/// Take an assignment that somebody else made, in steps that can be taken back.
#[derive(Debug, Args)]
pub struct Follow {
    /// The assignment, as kafka-reassign-partitions takes it.
    #[arg(long, value_name = "FILE")]
    pub reassignment_json_file: PathBuf,
    /// What every plan needs.
    #[command(flatten)]
    pub ground: Ground,
}
