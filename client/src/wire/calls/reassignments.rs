//! `ListPartitionReassignments` and `AlterPartitionReassignments`.

use std::collections::BTreeMap;

use bytes::BytesMut;
use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable};
use restow_planner::model::{BrokerId, TopicPartition};

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::{brokers, by_topic, message, number, topic_name, wire_brokers};
use crate::code::Code;
use crate::view::Reassignment;
use crate::write::ItemAnswer;

/// Every in-flight reassignment of the cluster.
#[derive(Debug)]
pub(crate) struct ListReassignments {
    pub timeout_ms: i32,
}

impl Call for ListReassignments {
    type Answer = Vec<Reassignment>;
    const API: Api = Api { name: "ListPartitionReassignments", key: 46, min: 0, max: 0 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(self.timeout_ms)
            // None is all; an empty list would be answered with an empty list and no error.
            .with_topics(None)
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Vec<Reassignment>, Failure> {
        let answer = ListPartitionReassignmentsResponse::decode(from, version)?;
        Failure::check(answer.error_code, answer.error_message.as_deref())?;
        let mut all = Vec::new();
        for topic in answer.topics {
            for p in topic.partitions {
                let name = topic.name.to_string();
                let what = format!("replicas of {name}-{}", p.partition_index);
                let one = Reassignment {
                    partition: number(p.partition_index, &name)?,
                    replicas: brokers(&p.replicas, &what)?,
                    adding: brokers(&p.adding_replicas, &what)?,
                    removing: brokers(&p.removing_replicas, &what)?,
                    topic: name,
                };
                if let Some(id) = one.adding.iter().chain(&one.removing).find(|id| !one.replicas.contains(id))
                {
                    return Err(Failure::Malformed(format!("{what}: broker {id} moves, but is none")));
                }
                all.push(one);
            }
        }
        all.sort_unstable();
        if let Some(pair) = all
            .windows(2)
            .find(|pair| (&pair[0].topic, pair[0].partition) == (&pair[1].topic, pair[1].partition))
        {
            let one = &pair[0];
            return Err(Failure::Malformed(format!("{}-{} stands twice", one.topic, one.partition)));
        }
        Ok(all)
    }
}

/// New replica lists, or cancels.
#[derive(Debug)]
pub(crate) struct AlterReassignments<'a> {
    /// Each partition once. None is *cancel*.
    pub items: &'a [(TopicPartition, Option<Vec<BrokerId>>)],
    pub allow_rf_change: bool,
    pub timeout_ms: i32,
}

impl Call for AlterReassignments<'_> {
    /// One answer for each item, in their order.
    type Answer = Vec<ItemAnswer>;
    const API: Api = Api { name: "AlterPartitionReassignments", key: 45, min: 0, max: 1 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        let topics = by_topic(self.items.iter().map(|(tp, list)| (tp.topic.as_str(), (tp.partition, list))));
        let topics = topics.into_iter().map(|(topic, partitions)| {
            let partitions = partitions.into_iter().map(|(partition, list)| {
                ReassignablePartition::default()
                    .with_partition_index(partition)
                    .with_replicas(list.as_deref().map(wire_brokers))
            });
            ReassignableTopic::default().with_name(topic_name(topic)).with_partitions(partitions.collect())
        });
        let request = AlterPartitionReassignmentsRequest::default()
            .with_timeout_ms(self.timeout_ms)
            .with_topics(topics.collect());
        // KIP-860, Kafka 4.1. True is the default, and the only meaning of v0, where the field is an error.
        let request = if version >= 1 {
            request.with_allow_replication_factor_change(self.allow_rf_change)
        } else {
            request
        };
        request.encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Vec<ItemAnswer>, Failure> {
        let answer = AlterPartitionReassignmentsResponse::decode(from, version)?;
        if let Some(code) = Code::of(answer.error_code) {
            let all = ItemAnswer { code: Some(code), message: message(answer.error_message) };
            return Ok(vec![all; self.items.len()]);
        }
        let mut answers = BTreeMap::new();
        for topic in answer.responses {
            for p in topic.partitions {
                let item = ItemAnswer { code: Code::of(p.error_code), message: message(p.error_message) };
                answers.insert(TopicPartition::new(topic.name.as_str(), p.partition_index), item);
            }
        }
        in_order(self.items.iter().map(|(tp, _)| tp), answers)
    }
}

/// One answer for each item that was asked, in that order; fewer or others are no answer at all.
pub(super) fn in_order<'a>(
    asked: impl ExactSizeIterator<Item = &'a TopicPartition>,
    mut answers: BTreeMap<TopicPartition, ItemAnswer>,
) -> Result<Vec<ItemAnswer>, Failure> {
    let mut list = Vec::with_capacity(asked.len());
    for partition in asked {
        list.push(answers.remove(partition).ok_or_else(|| format!("nothing about {partition}"))?);
    }
    match answers.keys().next() {
        Some(stranger) => Err(Failure::Malformed(format!("{stranger}, which was not asked"))),
        None => Ok(list),
    }
}
