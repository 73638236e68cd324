//! Valid answers for the fuzz targets to begin with.

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey};
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::describe_quorum_response::{PartitionData, ReplicaState, TopicData};
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Encodable, StrBytes};

use super::decoding::{log_dirs, log_dirs_of_version_5};
use super::peer::{OFFERED, metadata, topic};
use crate::wire::Api;
use crate::wire::calls::metadata as names;
use crate::wire::calls::{
    alter_configs, configs, elections, log_dirs as dirs, login, offsets, quorum, reassignments,
};
use crate::wire::{Call, versions};

/// For [`responses`](crate::fuzz::responses): each call in each version.
pub(crate) fn responses() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut add = |call: u8, api: Api, body: &dyn Fn(i16) -> BytesMut| {
        for version in api.min..=api.max {
            let mut seed = BytesMut::new();
            seed.put_slice(&[call, (version - api.min) as u8]);
            seed.put_slice(&headed(api, 1, &body(version)));
            all.push(seed.to_vec());
        }
    };
    add(0, versions::ApiVersions::API, &|v| body(&offered(), v));
    add(0, versions::ApiVersions::API, &|_| BytesMut::from(&[0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 2][..]));
    for call in 1..=3 {
        add(call, names::Metadata::API, &|v| body(&topics(), v));
    }
    for call in 4..=5 {
        add(call, names::DescribeCluster::API, &|v| body(&cluster(v), v));
    }
    add(6, quorum::DescribeQuorum::API, &|v| body(&voters(), v));
    add(7, configs::DescribeConfigs::API, &|v| body(&settings(), v));
    add(8, dirs::DescribeLogDirs::API, &|v| {
        if v == 5 { log_dirs_of_version_5() } else { body(&log_dirs(), v) }
    });
    add(9, offsets::ListOffsets::API, &|v| body(&ends(), v));
    add(10, reassignments::ListReassignments::API, &|v| body(&moving(), v));
    add(11, reassignments::AlterReassignments::API, &|v| body(&moved(), v));
    add(12, elections::Elect::API, &|v| body(&elected(), v));
    add(13, alter_configs::AlterConfigs::API, &|v| body(&altered(), v));
    add(14, login::Handshake::API, &|_| agreed());
    add(15, login::Authenticate::API, &|v| body(&SaslAuthenticateResponse::default(), v));
    all
}

/// For [`frames`](crate::fuzz::frames).
pub(crate) fn frames() -> Vec<Vec<u8>> {
    let two = [&[3, 6][..], &framed(b"first"), &framed(&[0; 300])].concat();
    let cut = two[..40].to_vec();
    let lie = vec![3, 0, 0x0f, 0xff, 0xff, 0xff, 1, 2, 3];
    let tls = [&[1, 0][..], &[0x15, 3, 3, 0, 2, 2, 40]].concat();
    vec![two, cut, lie, tls, b"\x01\x00HTTP/1.1 400\r\n".to_vec()]
}

/// For [`peer`](crate::fuzz::peer): a client that logs in, and one that does not.
pub(crate) fn peers() -> Vec<Vec<u8>> {
    let one_piece = |frame: &[u8]| [&(frame.len() as u16).to_be_bytes()[..], frame].concat();
    let answer = |api, id, bytes: &BytesMut| one_piece(&framed(&headed(api, id, bytes)));
    let greeting = answer(versions::ApiVersions::API, 0, &body(&offered(), 3));
    let brokers = |id| answer(names::Metadata::API, id, &body(&metadata(2, 1), 13));
    let known = |id| answer(names::Metadata::API, id, &body(&topics(), 13));
    let handshake = answer(login::Handshake::API, 1, &agreed());
    let yes = answer(login::Authenticate::API, 2, &body(&SaslAuthenticateResponse::default(), 2));
    let logged_in = [&greeting[..], &handshake, &yes].concat();
    vec![
        [&[0][..], &greeting, &brokers(1), &greeting, &known(1)].concat(),
        [&[1][..], &logged_in, &brokers(3), &logged_in, &known(3)].concat(),
        [&[0][..], &greeting, &one_piece(b"\x15\x03\x03\x00\x02\x02\x28")].concat(),
    ]
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn headed(api: Api, id: i32, body: &BytesMut) -> Vec<u8> {
    let mut answer = BytesMut::new();
    let header = if [17, 18].contains(&api.key) { 0 } else { 1 };
    ResponseHeader::default().with_correlation_id(id).encode(&mut answer, header).unwrap();
    [&answer[..], body].concat()
}

fn body(answer: &impl Encodable, version: i16) -> BytesMut {
    let mut bytes = BytesMut::new();
    answer.encode(&mut bytes, version).unwrap();
    bytes
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().map(|id| BrokerId(*id)).collect()
}

fn offered() -> ApiVersionsResponse {
    let more = [(17, 1), (36, 2), (55, 2)];
    let keys = OFFERED.iter().chain(&more);
    let keys = keys.map(|(key, max)| ApiVersion::default().with_api_key(*key).with_max_version(*max));
    let feature =
        FinalizedFeatureKey::default().with_name(text("metadata.version")).with_max_version_level(27);
    ApiVersionsResponse::default().with_api_keys(keys.collect()).with_finalized_features(vec![feature])
}

fn topics() -> MetadataResponse {
    let partition = |index, error| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_error_code(error)
            .with_leader_id(BrokerId(1))
            .with_leader_epoch(4)
            .with_replica_nodes(ids(&[1, 2]))
            .with_isr_nodes(ids(&[1]))
            .with_offline_replicas(ids(&[2]))
    };
    let one = |name, error| {
        MetadataResponseTopic::default()
            .with_name(Some(topic(name)))
            .with_error_code(error)
            .with_topic_authorized_operations(1 << 8)
            .with_partitions(vec![partition(0, 0), partition(1, 5)])
    };
    metadata(2, 1).with_topics(vec![one("clicks", 0), one("orders", 29)])
}

fn cluster(version: i16) -> DescribeClusterResponse {
    let broker = |id: i32| {
        DescribeClusterBroker::default()
            .with_broker_id(BrokerId(id))
            .with_host(text("h.example"))
            .with_port(9092)
            .with_rack((id == 1).then(|| text("az-a")))
            .with_is_fenced(version >= 2 && id == 2)
    };
    DescribeClusterResponse::default()
        .with_cluster_id(text("cluster"))
        .with_brokers(vec![broker(1), broker(2)])
        .with_cluster_authorized_operations(1 << 8)
}

fn voters() -> DescribeQuorumResponse {
    let voter =
        ReplicaState::default().with_replica_id(BrokerId(1)).with_last_caught_up_timestamp(1_800_000_000_000);
    let partition = PartitionData::default()
        .with_leader_id(BrokerId(1))
        .with_high_watermark(100)
        .with_current_voters(vec![voter.clone().with_replica_id(BrokerId(2)), voter]);
    let topic = TopicData::default().with_topic_name(topic("__cluster_metadata"));
    DescribeQuorumResponse::default().with_topics(vec![topic.with_partitions(vec![partition])])
}

fn settings() -> DescribeConfigsResponse {
    let synonym = DescribeConfigsSynonym::default()
        .with_name(text("log.retention.ms"))
        .with_value(Some(text("1")))
        .with_source(4);
    let entry = DescribeConfigsResourceResult::default()
        .with_name(text("retention.ms"))
        .with_value(Some(text("1")))
        .with_config_source(1)
        .with_synonyms(vec![synonym]);
    let result = |(kind, name): (i8, &'static str)| {
        DescribeConfigsResult::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_configs(vec![entry.clone(), entry.clone().with_name(text("b")).with_value(None)])
    };
    DescribeConfigsResponse::default().with_results([(2, "orders"), (4, "1"), (4, "")].map(result).into())
}

fn ends() -> ListOffsetsResponse {
    let one = |(name, index, error)| {
        let partition = ListOffsetsPartitionResponse::default()
            .with_partition_index(index)
            .with_error_code(error)
            .with_offset(70);
        ListOffsetsTopicResponse::default().with_name(topic(name)).with_partitions(vec![partition])
    };
    ListOffsetsResponse::default().with_topics([("clicks", 1, 6), ("orders", 0, 0)].map(one).into())
}

fn moving() -> ListPartitionReassignmentsResponse {
    let partition = |index| {
        OngoingPartitionReassignment::default()
            .with_partition_index(index)
            .with_replicas(ids(&[2, 3, 1]))
            .with_adding_replicas(ids(&[2, 3]))
            .with_removing_replicas(ids(&[1]))
    };
    let one = OngoingTopicReassignment::default()
        .with_name(topic("orders"))
        .with_partitions(vec![partition(0), partition(1)]);
    ListPartitionReassignmentsResponse::default().with_topics(vec![one])
}

fn moved() -> AlterPartitionReassignmentsResponse {
    let one = |(name, index, error)| {
        let partition = ReassignablePartitionResponse::default()
            .with_partition_index(index)
            .with_error_code(error)
            .with_error_message((error != 0).then(|| text("no")));
        ReassignableTopicResponse::default().with_name(topic(name)).with_partitions(vec![partition])
    };
    let responses = [("clicks", 1, 85), ("orders", 0, 0)].map(one).into();
    AlterPartitionReassignmentsResponse::default().with_responses(responses)
}

fn elected() -> ElectLeadersResponse {
    let one = |(name, index, error)| {
        let partition = PartitionResult::default()
            .with_partition_id(index)
            .with_error_code(error)
            .with_error_message((error != 0).then(|| text("no")));
        ReplicaElectionResult::default().with_topic(topic(name)).with_partition_result(vec![partition])
    };
    let results = [("clicks", 1, 84), ("orders", 0, 0)].map(one).into();
    ElectLeadersResponse::default().with_replica_election_results(results)
}

fn altered() -> IncrementalAlterConfigsResponse {
    let one = |(kind, name, error): (i8, &'static str, i16)| {
        AlterConfigsResourceResponse::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_error_code(error)
    };
    let responses = [(2, "orders", 0), (4, "1", 0), (4, "", 40)].map(one).into();
    IncrementalAlterConfigsResponse::default().with_responses(responses)
}

/// By hand: see [`login::Handshake`].
fn agreed() -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(2);
    for name in ["PLAIN", "SCRAM-SHA-512"] {
        bytes.put_i16(name.len() as i16);
        bytes.put_slice(name.as_bytes());
    }
    bytes
}
