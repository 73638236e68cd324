//! Metadata, DescribeCluster, DescribeQuorum.

use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::describe_quorum_response::{PartitionData, ReplicaState, TopicData};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId as WireBroker, DescribeClusterRequest, DescribeClusterResponse, DescribeQuorumRequest,
    DescribeQuorumResponse, MetadataRequest, MetadataResponse, TopicName,
};
use restow_planner::model::{BrokerId, TopicId};

use super::api::{Asked, Served, text, uuid, wire, wires};
use crate::code::Code;
use crate::controller::{Partition, State, Topic};

/// Bits of what a broker without an authorizer allows, which is all there is (`AclEntry.supportedOperations`, KIP-430).
const ON_CLUSTER: i32 = 8096;
const ON_TOPIC: i32 = 3576;

/// KRaft brokers name any live broker as the controller, another one each time.
fn controller(asked: &mut Asked<'_>, seen: &State) -> WireBroker {
    if !seen.rules.forwards {
        return seen.controller.map_or(WireBroker(-1), wire);
    }
    let live: Vec<BrokerId> = seen.brokers.iter().filter(|(_, b)| !b.fenced).map(|(id, _)| *id).collect();
    let at = asked.world.dice.below(live.len() as u64) as usize;
    WireBroker(live.get(at).map_or(-1, |id| id.0))
}

impl Served for MetadataRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<MetadataResponse> {
        let seen = asked.world.view(asked.broker, asked.clock);
        let listed = |(id, b): (&BrokerId, &crate::controller::Broker)| {
            MetadataResponseBroker::default()
                .with_node_id(wire(*id))
                .with_host(text(&*b.host))
                .with_port(b.port)
                .with_rack(b.rack.as_deref().map(text))
        };
        let topics = match self.topics {
            None => all(&seen, asked.version),
            Some(wanted) if wanted.is_empty() && asked.version == 0 => all(&seen, asked.version),
            Some(wanted) => wanted
                .iter()
                .map(|one| {
                    let id = TopicId(*one.topic_id.as_bytes());
                    named(&seen, asked.version, one.name.as_ref().map(|n| n.as_str()), id)
                })
                .collect(),
        };
        let topics = topics.into_iter().map(|topic| match self.include_topic_authorized_operations {
            true if topic.error_code == 0 => topic.with_topic_authorized_operations(ON_TOPIC),
            _ => topic,
        });
        let controller = controller(asked, &seen);
        Some(
            MetadataResponse::default()
                .with_brokers(seen.brokers.iter().filter(|(_, b)| !b.fenced).map(listed).collect())
                .with_cluster_id(Some(text(&*asked.world.cluster_id)))
                .with_controller_id(controller)
                .with_topics(topics.collect()),
        )
    }

    fn refuse(self, asked: &mut Asked<'_>, code: i16) -> MetadataResponse {
        let seen = asked.world.view(asked.broker, asked.clock);
        let topics = match self.topics {
            None => all(&seen, asked.version),
            Some(wanted) => wanted
                .into_iter()
                .map(|one| {
                    MetadataResponseTopic::default().with_name(one.name.or(Some(TopicName::default())))
                })
                .collect(),
        };
        let failed = |topic: MetadataResponseTopic| topic.with_error_code(code).with_partitions(Vec::new());
        let response = MetadataResponse::default().with_topics(topics.into_iter().map(failed).collect());
        if asked.version >= 13 { response.with_error_code(code) } else { response }
    }
}

fn all(seen: &State, version: i16) -> Vec<MetadataResponseTopic> {
    seen.topics.iter().map(|(name, topic)| described(seen, version, name, topic)).collect()
}

fn named(seen: &State, version: i16, name: Option<&str>, id: TopicId) -> MetadataResponseTopic {
    let by_id = seen.topic_name(id);
    let found = name.or(by_id).and_then(|name| Some((name, seen.topics.get(name)?)));
    match found {
        Some((name, topic)) => described(seen, version, name, topic),
        None => {
            let code = if name.is_some() { Code::UnknownTopicOrPartition } else { Code::UnknownTopicId };
            let name = (version < 12 || name.is_some()).then(|| TopicName(text(name.unwrap_or_default())));
            let topic = MetadataResponseTopic::default().with_error_code(code.code()).with_name(name);
            if version >= 10 { topic.with_topic_id(uuid(id)) } else { topic }
        }
    }
}

fn described(seen: &State, version: i16, name: &str, topic: &Topic) -> MetadataResponseTopic {
    let partitions =
        topic.partitions.iter().enumerate().map(|(n, p)| partition(seen, version, n as i32, p)).collect();
    let described = MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_is_internal(topic.internal)
        .with_partitions(partitions);
    if version >= 10 { described.with_topic_id(uuid(topic.id)) } else { described }
}

fn partition(seen: &State, version: i16, n: i32, p: &Partition) -> MetadataResponsePartition {
    let dead = |r: &BrokerId| seen.brokers.get(r).is_none_or(|b| b.fenced);
    let offline: Vec<BrokerId> = p.replicas.iter().copied().filter(dead).collect();
    // Version 0 leaves dead replicas out.
    let replicas: Vec<BrokerId> =
        p.replicas.iter().copied().filter(|r| version > 0 || !offline.contains(r)).collect();
    let code = if p.leader.is_some() { Code::None } else { Code::LeaderNotAvailable };
    MetadataResponsePartition::default()
        .with_error_code(code.code())
        .with_partition_index(n)
        .with_leader_id(wire(p.leader.unwrap_or(BrokerId(-1))))
        .with_leader_epoch(p.leader_epoch)
        .with_replica_nodes(wires(&replicas))
        .with_isr_nodes(wires(&p.isr))
        .with_offline_replicas(wires(&offline))
}

impl Served for DescribeClusterRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<DescribeClusterResponse> {
        if asked.version >= 1 && self.endpoint_type != 1 {
            return Some(self.refuse(asked, Code::MismatchedEndpointType.code()));
        }
        let seen = asked.world.view(asked.broker, asked.clock);
        let with_fenced = asked.version >= 2 && self.include_fenced_brokers;
        let listed = |(id, b): (&BrokerId, &crate::controller::Broker)| {
            DescribeClusterBroker::default()
                .with_broker_id(wire(*id))
                .with_host(text(&*b.host))
                .with_port(b.port)
                .with_rack(b.rack.as_deref().map(text))
                .with_is_fenced(with_fenced && b.fenced)
        };
        let brokers = seen.brokers.iter().filter(|(_, b)| with_fenced || !b.fenced).map(listed).collect();
        let controller = controller(asked, &seen);
        let allowed = if self.include_cluster_authorized_operations { ON_CLUSTER } else { i32::MIN };
        Some(
            DescribeClusterResponse::default()
                .with_cluster_authorized_operations(allowed)
                .with_cluster_id(text(&*asked.world.cluster_id))
                .with_controller_id(controller)
                .with_brokers(brokers),
        )
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> DescribeClusterResponse {
        DescribeClusterResponse::default().with_error_code(code)
    }
}

impl Served for DescribeQuorumRequest {
    /// One controller, number 100, that is always caught up.
    fn answer(self, asked: &mut Asked<'_>) -> Option<DescribeQuorumResponse> {
        let offset = i64::try_from(asked.world.state.created).unwrap_or(i64::MAX);
        let voter = ReplicaState::default()
            .with_replica_id(WireBroker(100))
            .with_log_end_offset(offset)
            .with_last_fetch_timestamp(-1)
            .with_last_caught_up_timestamp(-1);
        let quorum = PartitionData::default()
            .with_leader_id(WireBroker(100))
            .with_leader_epoch(1)
            .with_high_watermark(offset)
            .with_current_voters(vec![voter]);
        let topics = self.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter();
            let partitions = partitions.map(|p| quorum.clone().with_partition_index(p.partition_index));
            TopicData::default().with_topic_name(topic.topic_name).with_partitions(partitions.collect())
        });
        Some(DescribeQuorumResponse::default().with_topics(topics.collect()))
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> DescribeQuorumResponse {
        DescribeQuorumResponse::default().with_error_code(code)
    }
}
