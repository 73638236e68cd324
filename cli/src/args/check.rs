//! `restow check`.

use std::path::PathBuf;

use clap::Args;

use super::Zones;

/// Judge a plan, or a file for the stock tool, against a snapshot.
#[derive(Debug, Args)]
pub struct Check {
    /// The plan.
    #[arg(value_name = "PLAN", required_unless_present = "reassignment_json_file")]
    pub plan: Option<PathBuf>,
    /// In place of a plan: a file for kafka-reassign-partitions, whoever made it.
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub reassignment_json_file: Option<PathBuf>,
    /// The snapshot to judge against.
    #[arg(long, value_name = "FILE")]
    pub cluster: PathBuf,
    /// The snapshot is newer than the plan: sizes may have grown, and the plan may be under way.
    #[arg(long, conflicts_with = "reassignment_json_file")]
    pub later: bool,
    /// The corrections of zones that the plan was made with.
    #[command(flatten)]
    pub zones: Zones,
}
