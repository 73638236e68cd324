//! `restow rollback`.

use std::path::PathBuf;

use clap::Args;
use restow_planner::model::BrokerId;

use super::{Audit, Bootstrap, Pace, Throttle, values};

/// Take a plan back, from any point before its shrink.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Which cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// Who may see later what was done.
    #[command(flatten)]
    pub audit: Audit,
    /// Copy rate per broker and direction. A rollback copies nothing, but what is in flight stays throttled.
    #[arg(long, value_name = "RATE", value_parser = values::throttle)]
    pub throttle: Option<Throttle>,
    /// Take back only the partitions that go to this broker, which will not come back. The rest stays where it is,
    /// and `apply` goes on with it; these need a new plan.
    #[arg(long, value_name = "BROKER", value_parser = values::broker)]
    pub broker: Option<BrokerId>,
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
    /// How fast.
    #[command(flatten)]
    pub pace: Pace,
}
