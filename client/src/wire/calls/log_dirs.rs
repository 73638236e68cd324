//! `DescribeLogDirs`.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_log_dirs_response::DescribeLogDirsTopic;
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Decodable, Encodable};
use restow_planner::model::TopicPartition;

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::{by_topic, number, topic_name};
use crate::code::Code;
use crate::view::{LogDirView, LogReplica};

/// The highest version of the codec. Version 5 is read by hand.
const CODEC_MAX: i16 = 4;

/// The log directories of one broker.
#[derive(Debug)]
pub(crate) struct DescribeLogDirs<'a> {
    /// None: all replicas of the broker.
    pub of: Option<&'a [TopicPartition]>,
}

impl Call for DescribeLogDirs<'_> {
    type Answer = Vec<LogDirView>;
    const API: Api = Api { name: "DescribeLogDirs", key: 35, min: 2, max: 5 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        // None is all; an empty list would make the broker look empty.
        let topics = self.of.map(|list| {
            let topics = by_topic(list.iter().map(|tp| (tp.topic.as_str(), tp.partition)));
            let topic = |(name, partitions): (&str, Vec<i32>)| {
                DescribableLogDirTopic::default().with_topic(topic_name(name)).with_partitions(partitions)
            };
            topics.into_iter().map(topic).collect()
        });
        // The request of version 5 is that of version 4.
        DescribeLogDirsRequest::default().with_topics(topics).encode(to, version.min(CODEC_MAX))?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Vec<LogDirView>, Failure> {
        if version > CODEC_MAX {
            return version_5(from);
        }
        let answer = DescribeLogDirsResponse::decode(from, version)?;
        Failure::check(answer.error_code, None)?;
        if version < 3 && answer.results.is_empty() {
            // Before v3 (Kafka 3.2) a client without DESCRIBE on the cluster gets an empty list and no error.
            return Err(Failure::Refused(Code::CLUSTER_AUTHORIZATION_FAILED, None));
        }
        let dir = |d: kafka_protocol::messages::describe_log_dirs_response::DescribeLogDirsResult| {
            Ok(LogDirView {
                path: d.log_dir.to_string(),
                error: Code::of(d.error_code),
                total: u64::try_from(d.total_bytes).ok(),
                usable: u64::try_from(d.usable_bytes).ok(),
                cordoned: None,
                replicas: replicas(&d.topics)?,
            })
        };
        sorted(answer.results.into_iter().map(dir).collect::<Result<_, Failure>>()?)
    }
}

/// Version 5 (KIP-1066) is version 4 with a boolean after `usable_bytes`, which the codec does not know.
fn version_5(from: &mut Body) -> Result<Vec<LogDirView>, Failure> {
    let _throttle_ms = from.try_get_i32()?;
    Failure::check(from.try_get_i16()?, None)?;
    let mut dirs = Vec::new();
    for _ in 1..from.length()? {
        let error = Code::of(from.try_get_i16()?);
        let path = from.length()?.checked_sub(1).ok_or("a log directory without a path")?;
        let path = String::from_utf8(from.try_get_bytes(path)?.to_vec())?;
        let mut topics = Vec::new();
        for _ in 1..from.length()? {
            topics.push(DescribeLogDirsTopic::decode(from, CODEC_MAX)?);
        }
        let total = u64::try_from(from.try_get_i64()?).ok();
        let usable = u64::try_from(from.try_get_i64()?).ok();
        let cordoned = Some(from.try_get_u8()? != 0);
        skip_tags(from)?;
        dirs.push(LogDirView { path, error, total, usable, cordoned, replicas: replicas(&topics)? });
    }
    skip_tags(from)?;
    sorted(dirs)
}

fn skip_tags(from: &mut Body) -> Result<(), Failure> {
    for _ in 0..from.length()? {
        let _tag = from.length()?;
        let size = from.length()?;
        from.try_get_bytes(size)?;
    }
    Ok(())
}

fn replicas(topics: &[DescribeLogDirsTopic]) -> Result<Vec<LogReplica>, Failure> {
    let mut list = Vec::with_capacity(topics.iter().map(|t| t.partitions.len()).sum());
    for topic in topics {
        let name: Arc<str> = topic.name.as_str().into();
        for p in &topic.partitions {
            let size = u64::try_from(p.partition_size)
                .map_err(|_| format!("{name}-{} of {} bytes", p.partition_index, p.partition_size))?;
            let (topic, partition) = (Arc::clone(&name), number(p.partition_index, &name)?);
            list.push(LogReplica { topic, partition, size, future: p.is_future_key });
        }
    }
    Ok(list)
}

fn sorted(mut dirs: Vec<LogDirView>) -> Result<Vec<LogDirView>, Failure> {
    dirs.sort_by(|a, b| a.path.cmp(&b.path));
    match dirs.windows(2).find(|pair| pair[0].path == pair[1].path) {
        Some(pair) => Err(Failure::Malformed(format!("log directory {:?} stands twice", pair[0].path))),
        None => Ok(dirs),
    }
}
