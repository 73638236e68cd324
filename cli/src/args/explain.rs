//! `restow explain`.

use std::path::PathBuf;

use clap::Args;
use restow_planner::model::{BrokerId, TopicPartition};

use super::values;

/// Say why a replica moves, or stays.
#[derive(Debug, Args)]
pub struct Explain {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// A partition, as TOPIC-NUMBER.
    #[arg(long, value_name = "TOPIC-N", value_parser = values::partition, required_unless_present = "broker")]
    pub partition: Option<TopicPartition>,
    /// A broker.
    #[arg(long, value_name = "ID", value_parser = values::broker, conflicts_with = "partition")]
    pub broker: Option<BrokerId>,
}
