//! From bytes to typed requests and back; ApiVersions.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, ApiVersionsRequest, ApiVersionsResponse, CreatePartitionsRequest,
    CreateTopicsRequest, DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest,
    DescribeLogDirsRequest, DescribeQuorumRequest, ElectLeadersRequest, IncrementalAlterConfigsRequest,
    ListOffsetsRequest, ListPartitionReassignmentsRequest, MetadataRequest,
};
use kafka_protocol::protocol::{Encodable, Request, StrBytes};
use restow_planner::model::{BrokerId, TopicId, TopicPartition};

use crate::code::{Code, Refusal};
use crate::controller::{Outcome, State};
use crate::rules::{Api, Rules};
use crate::world::World;

/// Where and when a request is answered.
pub(super) struct Asked<'a> {
    pub(super) world: &'a mut World,
    /// The broker that answers.
    pub(super) broker: BrokerId,
    /// Virtual time.
    pub(super) clock: Duration,
    /// The request's version.
    pub(super) version: i16,
    /// What the broker had read of the configs when the request came, where it changes them by itself.
    pub(super) read: Option<State>,
    /// How long this takes before it is answered.
    pub(super) takes: Duration,
}

/// A request that is served.
pub(super) trait Served: Request {
    /// The answer; nothing where a broker closes the connection.
    fn answer(self, asked: &mut Asked<'_>) -> Option<Self::Response>;

    /// The answer that carries this error, with nothing done.
    fn refuse(self, asked: &mut Asked<'_>, code: i16) -> Self::Response;
}

/// The answer's body; nothing where the broker closes the connection.
pub(super) fn answer(api: Api, asked: &mut Asked<'_>, body: Bytes) -> Option<Bytes> {
    dispatch(api, asked, body, None)
}

/// The body of an answer that carries this error.
pub(super) fn refuse(api: Api, asked: &mut Asked<'_>, body: Bytes, code: i16) -> Option<Bytes> {
    dispatch(api, asked, body, Some(code))
}

fn dispatch(api: Api, asked: &mut Asked<'_>, body: Bytes, code: Option<i16>) -> Option<Bytes> {
    match api {
        Api::ListOffsets => run::<ListOffsetsRequest>(asked, body, code),
        Api::Metadata => run::<MetadataRequest>(asked, body, code),
        Api::ApiVersions => run::<ApiVersionsRequest>(asked, body, code),
        Api::CreateTopics => run::<CreateTopicsRequest>(asked, body, code),
        Api::DeleteTopics => run::<DeleteTopicsRequest>(asked, body, code),
        Api::DescribeConfigs => run::<DescribeConfigsRequest>(asked, body, code),
        Api::DescribeLogDirs => run::<DescribeLogDirsRequest>(asked, body, code),
        Api::CreatePartitions => run::<CreatePartitionsRequest>(asked, body, code),
        Api::ElectLeaders => run::<ElectLeadersRequest>(asked, body, code),
        Api::IncrementalAlterConfigs => run::<IncrementalAlterConfigsRequest>(asked, body, code),
        Api::AlterPartitionReassignments => run::<AlterPartitionReassignmentsRequest>(asked, body, code),
        Api::ListPartitionReassignments => run::<ListPartitionReassignmentsRequest>(asked, body, code),
        Api::DescribeQuorum => run::<DescribeQuorumRequest>(asked, body, code),
        Api::DescribeCluster => run::<DescribeClusterRequest>(asked, body, code),
    }
}

fn run<R: Served>(asked: &mut Asked<'_>, mut body: Bytes, code: Option<i16>) -> Option<Bytes> {
    let version = asked.version;
    let request = R::decode(&mut body, version).ok()?;
    let response = match code {
        None => request.answer(asked)?,
        Some(code) => request.refuse(asked, code),
    };
    let mut bytes = BytesMut::new();
    match response.encode(&mut bytes, version) {
        Ok(()) => Some(bytes.freeze()),
        Err(error) => {
            tracing::error!(api = R::KEY, version, %error, "a simulated answer cannot be written");
            None
        }
    }
}

/// Text for the wire.
pub(super) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// A broker id for the wire.
pub(super) fn wire(id: BrokerId) -> kafka_protocol::messages::BrokerId {
    kafka_protocol::messages::BrokerId(id.0)
}

/// Broker ids for the wire.
pub(super) fn wires(ids: &[BrokerId]) -> Vec<kafka_protocol::messages::BrokerId> {
    ids.iter().copied().map(wire).collect()
}

/// Broker ids from the wire.
pub(super) fn brokers(ids: &[kafka_protocol::messages::BrokerId]) -> Vec<BrokerId> {
    ids.iter().map(|id| BrokerId(id.0)).collect()
}

/// A topic id for the wire (a UUID, whose crate is not named here).
pub(super) fn uuid<U: TryFrom<Vec<u8>> + Default>(id: TopicId) -> U {
    U::try_from(id.0.to_vec()).unwrap_or_default()
}

/// Code and message of an outcome.
pub(super) fn told(outcome: Outcome) -> (i16, Option<StrBytes>) {
    match outcome {
        Ok(()) => (0, None),
        Err(Refusal { code, message }) => (code.code(), message.map(text)),
    }
}

/// Puts items of partitions into groups of topics, in the order in which the topics first come.
pub(super) fn by_topic<T>(items: Vec<(TopicPartition, T)>) -> Vec<(String, Vec<(i32, T)>)> {
    let mut groups: Vec<(String, Vec<(i32, T)>)> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for (at, item) in items {
        let place = *places.entry(at.topic.clone()).or_insert_with(|| {
            groups.push((at.topic, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push((at.partition, item));
    }
    groups
}

/// What ApiVersions answers.
pub(super) fn versions(rules: &Rules, code: i16) -> ApiVersionsResponse {
    let range = |range: &crate::rules::Versions| {
        ApiVersion::default()
            .with_api_key(range.api.key())
            .with_min_version(range.min)
            .with_max_version(range.max)
    };
    ApiVersionsResponse::default()
        .with_error_code(code)
        .with_api_keys(rules.versions.iter().map(range).collect())
}

impl Served for ApiVersionsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<ApiVersionsResponse> {
        if asked.version >= 3 && self.client_software_name.is_empty() {
            return Some(self.refuse(asked, Code::InvalidRequest.code()));
        }
        let rules = &asked.world.state.rules;
        let response = versions(rules, 0);
        if asked.version < 3 {
            return Some(response);
        }
        let name = || StrBytes::from_static_str("metadata.version");
        let Some(level) = rules.metadata_version else { return Some(response) };
        let supported =
            SupportedFeatureKey::default().with_name(name()).with_min_version(1).with_max_version(level);
        let finalized = FinalizedFeatureKey::default()
            .with_name(name())
            .with_min_version_level(level)
            .with_max_version_level(level);
        Some(
            response
                .with_supported_features(vec![supported])
                .with_finalized_features_epoch(1)
                .with_finalized_features(vec![finalized]),
        )
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> ApiVersionsResponse {
        ApiVersionsResponse::default().with_error_code(code)
    }
}
