//! `Metadata` and `DescribeCluster`.

use std::collections::BTreeSet;

use bytes::BytesMut;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{
    DescribeClusterRequest, DescribeClusterResponse, MetadataRequest, MetadataResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable};
use restow_planner::model::{BrokerId, TopicId};

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::{brokers, number, port, topic_name};
use crate::code::Code;
use crate::view::{BrokerView, ClusterView, PartitionView, TopicView};

/// Topics by name, or all.
#[derive(Debug)]
pub(crate) struct Metadata<'a> {
    pub names: Option<&'a [String]>,
}

/// A question about topics by name, or all; also about what we may do with them.
pub(super) fn request(names: Option<&[String]>, operations: bool) -> MetadataRequest {
    // None is all topics; an empty list is none.
    let topics = names.map(|names| {
        let names: BTreeSet<&String> = names.iter().collect();
        let topic = |name: &&String| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        names.iter().map(topic).collect()
    });
    MetadataRequest::default()
        .with_topics(topics)
        .with_allow_auto_topic_creation(false)
        .with_include_cluster_authorized_operations(false)
        .with_include_topic_authorized_operations(operations)
}

/// What Metadata tells beside the topics.
#[derive(Debug)]
pub(crate) struct MetadataAnswer {
    pub cluster_id: Option<String>,
    /// In KRaft mode a random live broker, another one on each call.
    pub controller: Option<BrokerId>,
    /// Live brokers: id, host, port.
    pub brokers: Vec<(BrokerId, String, u16)>,
    pub topics: Vec<TopicView>,
}

impl Call for Metadata<'_> {
    type Answer = MetadataAnswer;
    const API: Api = Api { name: "Metadata", key: 3, min: 9, max: 13 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        request(self.names, false).encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<MetadataAnswer, Failure> {
        let answer = MetadataResponse::decode(from, version)?;
        Failure::check(answer.error_code, None)?;
        let ids: Vec<_> = answer.brokers.iter().map(|b| b.node_id).collect();
        brokers(&ids, "brokers")?;
        let mut live = Vec::with_capacity(answer.brokers.len());
        for broker in &answer.brokers {
            live.push((BrokerId(broker.node_id.0), broker.host.to_string(), port(broker.port)?));
        }
        live.sort_unstable();
        let mut topics = answer.topics.iter().map(topic).collect::<Result<Vec<_>, _>>()?;
        topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = topics.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(Failure::Malformed(format!("topic {:?} stands twice", pair[0].name)));
        }
        if let Some(names) = self.names {
            let asked: BTreeSet<&String> = names.iter().collect();
            if !topics.iter().map(|t| &t.name).eq(asked) {
                return Err(Failure::Malformed("other topics than those asked for".to_owned()));
            }
        }
        let controller = Some(BrokerId(answer.controller_id.0)).filter(|id| id.0 >= 0);
        let cluster_id = answer.cluster_id.map(|id| id.as_str().to_owned()).filter(|id| !id.is_empty());
        Ok(MetadataAnswer { cluster_id, controller, brokers: live, topics })
    }

    fn cluster_id(answer: &MetadataAnswer) -> Option<&str> {
        Some(answer.cluster_id.as_deref().unwrap_or_default())
    }
}

fn topic(from: &MetadataResponseTopic) -> Result<TopicView, Failure> {
    let name = from.name.as_ref().map(|name| name.to_string()).filter(|name| !name.is_empty());
    let name = name.ok_or("a topic without a name")?;
    let mut partitions =
        from.partitions.iter().map(|p| partition(p, &name)).collect::<Result<Vec<_>, _>>()?;
    partitions.sort_unstable_by_key(|p| p.partition);
    if let Some(pair) = partitions.windows(2).find(|pair| pair[0].partition == pair[1].partition) {
        return Err(Failure::Malformed(format!("partition {name}-{} stands twice", pair[0].partition)));
    }
    let id = TopicId(*from.topic_id.as_bytes());
    Ok(TopicView { id, internal: from.is_internal, error: Code::of(from.error_code), partitions, name })
}

fn partition(from: &MetadataResponsePartition, topic: &str) -> Result<PartitionView, Failure> {
    let partition = number(from.partition_index, topic)?;
    let what = |list| format!("{list} of {topic}-{partition}");
    let replicas = brokers(&from.replica_nodes, &what("replicas"))?;
    let isr = brokers(&from.isr_nodes, &what("in-sync replicas"))?;
    let offline = brokers(&from.offline_replicas, &what("offline replicas"))?;
    let error = Code::of(from.error_code);
    let leader = Some(BrokerId(from.leader_id.0)).filter(|id| id.0 >= 0);
    if replicas.is_empty() && error.is_none() {
        return Err(Failure::Malformed(format!("{topic}-{partition} has no replicas")));
    }
    if let Some(stranger) = isr.iter().chain(&leader).find(|id| !replicas.contains(id)) {
        return Err(Failure::Malformed(format!(
            "{}: broker {stranger} leads or is in sync, but is none",
            what("replicas")
        )));
    }
    Ok(PartitionView { partition, leader, leader_epoch: from.leader_epoch, replicas, isr, offline, error })
}

/// The cluster's brokers, fenced ones too where the broker can tell (v2, Kafka 4.0).
#[derive(Debug)]
pub(crate) struct DescribeCluster;

impl Call for DescribeCluster {
    type Answer = ClusterView;
    const API: Api = Api { name: "DescribeCluster", key: 60, min: 0, max: 2 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        DescribeClusterRequest::default()
            .with_include_cluster_authorized_operations(false)
            // 1 is brokers, 2 is controllers.
            .with_endpoint_type(1)
            // An encode error below v2.
            .with_include_fenced_brokers(version >= 2)
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<ClusterView, Failure> {
        let answer = DescribeClusterResponse::decode(from, version)?;
        Failure::check(answer.error_code, answer.error_message.as_deref())?;
        let ids: Vec<_> = answer.brokers.iter().map(|b| b.broker_id).collect();
        brokers(&ids, "brokers")?;
        let mut list = Vec::with_capacity(answer.brokers.len());
        for broker in answer.brokers {
            list.push(BrokerView {
                id: BrokerId(broker.broker_id.0),
                host: broker.host.to_string(),
                port: port(broker.port)?,
                rack: broker.rack.map(|rack| rack.to_string()),
                fenced: (version >= 2).then_some(broker.is_fenced),
            });
        }
        list.sort_unstable_by_key(|broker| broker.id);
        Ok(ClusterView { cluster_id: answer.cluster_id.to_string(), brokers: list })
    }

    fn cluster_id(answer: &ClusterView) -> Option<&str> {
        Some(&answer.cluster_id)
    }
}
