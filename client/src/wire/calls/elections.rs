//! `ElectLeaders`.

use std::collections::BTreeMap;

use bytes::BytesMut;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};
use kafka_protocol::protocol::{Decodable, Encodable};
use restow_planner::model::TopicPartition;

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::reassignments::in_order;
use super::{by_topic, message, topic_name};
use crate::code::Code;
use crate::write::ItemAnswer;

/// Preferred leader elections.
#[derive(Debug)]
pub(crate) struct Elect<'a> {
    /// Each partition once, never empty.
    pub items: &'a [TopicPartition],
    pub timeout_ms: i32,
}

impl Call for Elect<'_> {
    /// One answer for each item, in their order.
    type Answer = Vec<ItemAnswer>;
    const API: Api = Api { name: "ElectLeaders", key: 43, min: 2, max: 2 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        let topics = by_topic(self.items.iter().map(|tp| (tp.topic.as_str(), tp.partition)));
        let topics = topics.into_iter().map(|(topic, partitions)| {
            TopicPartitions::default().with_topic(topic_name(topic)).with_partitions(partitions)
        });
        ElectLeadersRequest::default()
            // 0 is preferred. 1 is unclean, and is never sent.
            .with_election_type(0)
            // Some, always: None would be every partition of the cluster.
            .with_topic_partitions(Some(topics.collect()))
            .with_timeout_ms(self.timeout_ms)
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Vec<ItemAnswer>, Failure> {
        let answer = ElectLeadersResponse::decode(from, version)?;
        if let Some(code) = Code::of(answer.error_code) {
            return Ok(vec![ItemAnswer { code: Some(code), message: None }; self.items.len()]);
        }
        let mut answers = BTreeMap::new();
        for topic in answer.replica_election_results {
            for p in topic.partition_result {
                let item = ItemAnswer { code: Code::of(p.error_code), message: message(p.error_message) };
                answers.insert(TopicPartition::new(topic.topic.as_str(), p.partition_id), item);
            }
        }
        in_order(self.items.iter(), answers)
    }
}
