//! `restow apply`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use restow_planner::model::{BrokerId, TopicPartition};

use super::{Audit, Bootstrap, Holds, Links, Order, Pace, Throttle, values};

/// A gate of a staged run, named after the step behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Gate {
    /// Leaders move to the new brokers: the first step that clients see.
    Swap,
    /// Old copies are dropped: the point of no return.
    Shrink,
}

/// Run a plan on a cluster, from wherever it stands.
#[derive(Debug, Args)]
pub struct Apply {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// Who may see later what was done.
    #[command(flatten)]
    pub audit: Audit,
    /// Copy rate per broker and direction: 50MB/s, 50MiB/s, a bare number of bytes/s, or none. Partitions that take
    /// less than a thousandth of a second at this rate are copied without it.
    #[arg(long, value_name = "RATE", value_parser = values::throttle)]
    pub throttle: Throttle,
    /// Gates to pass, separated by commas. A run stops (exit 4) before the first that is not approved. A pipelined plan
    /// has no gate and does not begin (exit 3) without `shrink`.
    #[arg(long, value_name = "GATES", value_enum, value_delimiter = ',')]
    pub approve: Vec<Gate>,
    /// Claim moves in flight that equal a step of this plan and that the journal does not explain: begun by the stock
    /// tool from exported files, or under a journal that is lost.
    #[arg(long)]
    pub adopt: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// The journal; beside the plan as PLAN.journal if not given.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Accept that sources and destinations differ in this config key (kept in the journal). Repeatable.
    #[arg(long, value_name = "KEY")]
    pub accept_config_diff: Vec<String>,
    /// Give up an old broker that will not come back: fenced, and in no ISR. Its copies are left out; moves that
    /// go to it are taken back and named. Repeatable.
    #[arg(long, value_name = "BROKER", value_parser = values::broker)]
    pub give_up: Vec<BrokerId>,
    /// Leave partitions as they are, so that the rest passes the gates; the run then ends with exit 5.
    #[arg(long, value_name = "PARTITION,…", value_delimiter = ',', value_parser = values::partition)]
    pub set_aside: Vec<TopicPartition>,
    /// How long to watch logs grow before copies begin, to know what producers write; 0s for not at all.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub sample: Duration,
    /// How long links are.
    #[command(flatten)]
    pub links: Links,
    /// A topology file (TOML): its round-trip times, for the pairs of zones that --rtt does not name.
    #[arg(long, value_name = "FILE")]
    pub topology: Option<PathBuf>,
    /// Which copies go first.
    #[arg(long, value_enum, default_value = "fifo", value_name = "ORDER")]
    pub order: Order,
    /// What holds it.
    #[command(flatten)]
    pub holds: Holds,
    /// How fast.
    #[command(flatten)]
    pub pace: Pace,
}
