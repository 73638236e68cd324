//! `restow show`.

use std::path::PathBuf;

use clap::Args;

/// Explain a plan to a person.
#[derive(Debug, Args)]
pub struct Show {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// List every move, not only the sums.
    #[arg(long)]
    pub moves: bool,
}
