//! `restow pause`, `restow resume`, `restow throttle`: what reaches a run that is under way.

use std::path::PathBuf;

use clap::Args;

use super::{Throttle, values};

/// Stop a running apply from beginning anything new. What is in flight goes on. Works before a run too.
#[derive(Debug, Args)]
pub struct Pause {
    /// The plan. The pause is the file PLAN.pause beside it.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Why, for whoever reads what the run says.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Let a paused run go on.
#[derive(Debug, Args)]
pub struct Resume {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
}

/// Change the throttle of a running apply, within a tick. Refused (exit 3) where none is running.
#[derive(Debug, Args)]
pub struct Rethrottle {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Copy rate per broker and direction: 50MB/s, 50MiB/s, a bare number of bytes/s, or none.
    #[arg(value_name = "RATE", value_parser = values::throttle)]
    pub throttle: Throttle,
}
