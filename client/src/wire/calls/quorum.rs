//! `DescribeQuorum`: the controllers of a cluster in KRaft mode (KIP-836), and what time it is there.

use bytes::BytesMut;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::topic_name;
use crate::view::QuorumView;

/// The topic of the cluster's metadata; it has one partition.
const METADATA: &str = "__cluster_metadata";

/// Who leads, and how far the others are.
#[derive(Debug)]
pub(crate) struct DescribeQuorum;

impl Call for DescribeQuorum {
    type Answer = QuorumView;
    const API: Api = Api { name: "DescribeQuorum", key: 55, min: 0, max: 2 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        let topic = TopicData::default()
            .with_topic_name(topic_name(METADATA))
            .with_partitions(vec![PartitionData::default().with_partition_index(0)]);
        DescribeQuorumRequest::default().with_topics(vec![topic]).encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<QuorumView, Failure> {
        let answer = DescribeQuorumResponse::decode(from, version)?;
        Failure::check(answer.error_code, answer.error_message.as_deref())?;
        let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
        let partition = partition.ok_or("no partition of the metadata topic")?;
        Failure::check(partition.error_code, partition.error_message.as_deref())?;
        let leader = partition.leader_id.0;
        // The leader is caught up with itself at the moment that it answers.
        let own = partition.current_voters.iter().find(|voter| voter.replica_id.0 == leader);
        let time = own.map(|own| own.last_caught_up_timestamp).and_then(|ms| u64::try_from(ms).ok());
        let voters = partition.current_voters.iter().map(|voter| voter.replica_id.0).collect();
        Ok(QuorumView { leader, voters, time: time.filter(|ms| *ms > 0) })
    }
}
