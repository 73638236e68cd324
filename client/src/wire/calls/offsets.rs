//! `ListOffsets`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId as WireBroker, ListOffsetsRequest, ListOffsetsResponse};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::{by_topic, topic_name};
use crate::code::Code;
use crate::view::{OffsetQuery, Replica};

/// Which offset (`ListOffsetsRequest.LATEST_TIMESTAMP`, `EARLIEST_TIMESTAMP`).
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Latest,
    Earliest,
}

/// Offsets of partitions at one broker.
#[derive(Debug)]
pub(crate) struct ListOffsets<'a> {
    pub end: End,
    pub as_replica: Replica,
    pub of: &'a [OffsetQuery],
    pub timeout_ms: i32,
}

impl Call for ListOffsets<'_> {
    /// One answer for each query, in their order.
    type Answer = Vec<Result<i64, Code>>;
    const API: Api = Api { name: "ListOffsets", key: 2, min: 6, max: 10 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        // The default, 0, would be a search for a time.
        let timestamp = match self.end {
            End::Latest => -1,
            End::Earliest => -2,
        };
        let mut seen = BTreeSet::new();
        let each = self.of.iter().filter(|q| seen.insert((&q.topic, q.partition)));
        let topics = by_topic(each.map(|q| (q.topic.as_str(), q)));
        let topics = topics.into_iter().map(|(topic, queries)| {
            let partitions = queries.into_iter().map(|q| {
                ListOffsetsPartition::default()
                    .with_partition_index(q.partition)
                    .with_current_leader_epoch(q.leader_epoch)
                    .with_timestamp(timestamp)
            });
            ListOffsetsTopic::default().with_name(topic_name(topic)).with_partitions(partitions.collect())
        });
        ListOffsetsRequest::default()
            // The default, 0, would be a follower with broker id 0.
            .with_replica_id(WireBroker(match self.as_replica {
                Replica::Leader => -1,
                Replica::Local => -2,
            }))
            .with_isolation_level(0)
            .with_topics(topics.collect())
            .with_timeout_ms(self.timeout_ms)
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Self::Answer, Failure> {
        let answer = ListOffsetsResponse::decode(from, version)?;
        let mut offsets = BTreeMap::new();
        for topic in &answer.topics {
            for p in &topic.partitions {
                let offset = match Code::of(p.error_code) {
                    Some(code) => Err(code),
                    None if p.offset >= 0 => Ok(p.offset),
                    None => {
                        let (name, number) = (topic.name.as_str(), p.partition_index);
                        return Err(Failure::Malformed(format!("offset {} of {name}-{number}", p.offset)));
                    }
                };
                offsets.insert((topic.name.as_str(), p.partition_index), offset);
            }
        }
        let mut list = Vec::with_capacity(self.of.len());
        for q in self.of {
            let offset = offsets.get(&(q.topic.as_str(), q.partition)).copied();
            list.push(offset.ok_or_else(|| format!("nothing about {}-{}", q.topic, q.partition))?);
        }
        Ok(list)
    }
}
