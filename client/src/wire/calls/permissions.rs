//! What we may do, as the authorised-operations bits of `Metadata` and `DescribeCluster` tell (KIP-430, KIP-700).

use bytes::BytesMut;
use kafka_protocol::messages::{DescribeClusterRequest, DescribeClusterResponse, MetadataResponse};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::metadata::{self, DescribeCluster, Metadata};
use crate::code::Code;

/// Bits of `AclOperation` codes on the cluster.
#[derive(Debug)]
pub(crate) struct OnCluster;

impl Call for OnCluster {
    type Answer = i32;
    const API: Api = DescribeCluster::API;

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        DescribeClusterRequest::default()
            .with_include_cluster_authorized_operations(true)
            .with_endpoint_type(1)
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<i32, Failure> {
        let answer = DescribeClusterResponse::decode(from, version)?;
        Failure::check(answer.error_code, answer.error_message.as_deref())?;
        Ok(answer.cluster_authorized_operations)
    }
}

/// Bits of `AclOperation` codes on topics, by name; 0 for one that we may not describe. All that we may describe, if
/// none are named.
#[derive(Debug)]
pub(crate) struct OnTopics<'a> {
    pub names: Option<&'a [String]>,
}

impl Call for OnTopics<'_> {
    type Answer = Vec<(String, i32)>;
    const API: Api = Metadata::API;

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        metadata::request(self.names, true).encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Vec<(String, i32)>, Failure> {
        let answer = MetadataResponse::decode(from, version)?;
        Failure::check(answer.error_code, None)?;
        let topics = answer.topics.iter().filter_map(|topic| {
            let name = topic.name.as_ref().map(|name| name.to_string()).filter(|name| is_legal(name))?;
            match Code::of(topic.error_code) {
                Some(Code::TOPIC_AUTHORIZATION_FAILED) => Some((name, 0)),
                // One that is gone, or has no leader just now, is not ours to judge.
                Some(_) => None,
                None => Some((name, topic.topic_authorized_operations)),
            }
        });
        Ok(topics.collect())
    }
}

/// Whether it is a topic's name (Kafka's `Topic.validate`): it goes into lines that people paste into a shell.
fn is_legal(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=249).contains(&name.len()) && name.chars().all(is_legal)
}
