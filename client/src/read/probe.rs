//! How a broker is reached, as somebody sees it who only looks.

use std::time::Duration;

use restow_planner::model::BrokerId;
use tokio::time::Instant;

use super::ask;
use crate::view::QuorumView;
use crate::wire::calls::alter_configs::AlterConfigs;
use crate::wire::calls::configs::DescribeConfigs;
use crate::wire::calls::elections::Elect;
use crate::wire::calls::log_dirs::DescribeLogDirs;
use crate::wire::calls::metadata::{DescribeCluster, Metadata};
use crate::wire::calls::offsets::ListOffsets;
use crate::wire::calls::quorum::DescribeQuorum;
use crate::wire::calls::reassignments::{AlterReassignments, ListReassignments};
use crate::wire::pool::{Line, Place};
use crate::wire::versions::ApiVersions;
use crate::wire::{Api, Call};
use crate::{Client, Error};

/// All that restow asks of brokers.
const USED: [Api; 9] = [
    Metadata::API,
    DescribeCluster::API,
    DescribeLogDirs::API,
    DescribeConfigs::API,
    ListOffsets::API,
    ListReassignments::API,
    AlterReassignments::API,
    Elect::API,
    AlterConfigs::API,
];

/// What one broker shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `host:port` that metadata gives for it.
    pub address: String,
    /// The shortest of three round trips.
    pub round_trip: Duration,
    /// APIs that restow uses and that it does not offer in a version that restow speaks.
    pub missing_apis: Vec<&'static str>,
    /// Whether it is in KRaft mode.
    pub kraft: bool,
    /// The finalised feature level `metadata.version` (KRaft).
    pub metadata_version: Option<i16>,
    /// How long a login holds before it has to be renewed; none: for as long as the connection.
    pub session: Option<Duration>,
}

/// Connects to a broker and looks at it.
///
/// # Errors
/// If it cannot be reached, or refuses us.
pub async fn probe(client: &Client, broker: BrokerId) -> Result<Probe, Error> {
    let options = &client.shared.options;
    let within = options.connect_timeout;
    let (messenger, _) = ask::open(client, Place::Broker(broker), Line::Probe, within).await?;
    let mut round_trip = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        messenger.call(&ApiVersions, options.request_timeout).await.map_err(|lost| lost.error)?;
        round_trip = round_trip.min(begun.elapsed());
    }
    let versions = messenger.versions();
    let missing = USED.into_iter().filter(|api| versions.pick(*api).is_none());
    Ok(Probe {
        address: messenger.peer().address.clone(),
        round_trip,
        missing_apis: missing.map(|api| api.name).collect(),
        kraft: versions.kraft,
        metadata_version: versions.metadata_version,
        session: messenger.session(),
    })
}

/// The controllers of a cluster in KRaft mode (`DescribeQuorum`).
///
/// # Errors
/// If no broker answered, or the cluster is in ZooKeeper mode.
pub async fn quorum(client: &Client) -> Result<QuorumView, Error> {
    ask::at_controller(client, &DescribeQuorum).await
}
