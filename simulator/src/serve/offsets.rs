//! ListOffsets and DescribeLogDirs: what a broker's own logs say.

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{
    DescribeLogDirsRequest, DescribeLogDirsResponse, ListOffsetsRequest, ListOffsetsResponse, TopicName,
};
use restow_planner::model::{BrokerId, TopicId};

use super::api::{Asked, Served, text};
use crate::code::Code;
use crate::controller::State;
use crate::replicate::RECORD_BYTES;

impl Served for ListOffsetsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<ListOffsetsResponse> {
        let seen = asked.world.view(asked.broker, asked.clock);
        Some(each(&self, |topic, one| {
            let found = offset(asked, &seen, topic, one, self.replica_id.0);
            let response = ListOffsetsPartitionResponse::default().with_partition_index(one.partition_index);
            match found {
                Ok((offset, epoch)) => {
                    let response = response.with_offset(offset).with_timestamp(-1);
                    if asked.version >= 4 { response.with_leader_epoch(epoch) } else { response }
                }
                Err(code) => response.with_error_code(code.code()).with_offset(-1).with_timestamp(-1),
            }
        }))
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> ListOffsetsResponse {
        each(&self, |_, one| {
            ListOffsetsPartitionResponse::default()
                .with_partition_index(one.partition_index)
                .with_error_code(code)
                .with_offset(-1)
                .with_timestamp(-1)
        })
    }
}

fn each(
    request: &ListOffsetsRequest,
    mut answer: impl FnMut(&str, &ListOffsetsPartition) -> ListOffsetsPartitionResponse,
) -> ListOffsetsResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|one| answer(topic.name.as_str(), one)).collect();
        ListOffsetsTopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

/// The offset and the leader epoch. Replica -2 reads this broker's own log, whoever leads.
fn offset(
    asked: &Asked<'_>,
    seen: &State,
    topic: &str,
    one: &ListOffsetsPartition,
    replica: i32,
) -> Result<(i64, i32), Code> {
    let partition = seen.partition(topic, one.partition_index).ok_or(Code::UnknownTopicOrPartition)?;
    let id = seen.topics.get(topic).map_or(TopicId::ZERO, |t| t.id);
    let log = asked.world.logs.log((id, one.partition_index));
    let copy = log.and_then(|log| Some((log.high_watermark, *log.copies.get(&asked.broker)?)));
    if copy.is_some_and(|(_, copy)| asked.world.logs.has_failed(asked.broker, copy.dir)) {
        return Err(Code::KafkaStorageError);
    }
    let (watermark, copy) =
        copy.filter(|_| partition.replicas.contains(&asked.broker)).ok_or(Code::NotLeaderOrFollower)?;
    match one.current_leader_epoch {
        -1 => {}
        epoch if epoch < partition.leader_epoch => return Err(Code::FencedLeaderEpoch),
        epoch if epoch > partition.leader_epoch => return Err(Code::UnknownLeaderEpoch),
        _ => {}
    }
    if replica != -2 && partition.leader != Some(asked.broker) {
        return Err(Code::NotLeaderOrFollower);
    }
    let records = |bytes: u64| i64::try_from(bytes / RECORD_BYTES).unwrap_or(i64::MAX);
    let known_from =
        |version: i16, offset: i64, before: i64| match asked.world.state.rules.refuses_unknown_timestamps {
            _ if asked.version >= version => Ok(offset),
            true => Err(Code::UnsupportedVersion),
            false => Ok(before),
        };
    let last = records(copy.end).saturating_sub(1);
    let offset = match one.timestamp {
        -1 if replica == -1 => records(watermark),
        -1 => records(copy.end),
        -2 => records(copy.start),
        -3 => known_from(7, last, last)?,
        -4 => known_from(8, records(copy.start), 0)?,
        // Where it is unknown it is a time, and every record is later.
        -5 => known_from(9, -1, 0)?,
        // Records carry no times here.
        _ => -1,
    };
    Ok((offset, partition.leader_epoch))
}

impl Served for DescribeLogDirsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<DescribeLogDirsResponse> {
        let seen = asked.world.view(asked.broker, asked.clock);
        let names: BTreeMap<TopicId, &str> =
            seen.topics.iter().map(|(name, topic)| (topic.id, name.as_str())).collect();
        let broker = asked.broker;
        let logs = &asked.world.logs;
        let sizes = logs.hardware.get(&broker).map(|h| h.dirs.clone()).unwrap_or_default();
        let used = logs.used(broker);
        let mut dirs: Vec<BTreeMap<&str, Vec<DescribeLogDirsPartition>>> = vec![BTreeMap::new(); sizes.len()];
        for ((topic, partition), copy) in logs.on(broker) {
            let Some(name) = names.get(&topic) else { continue };
            if wanted(self.topics.as_deref(), name, partition) {
                // A follower's own watermark never passes its log: its lag is 0 however far behind it is.
                let found = DescribeLogDirsPartition::default()
                    .with_partition_index(partition)
                    .with_partition_size(i64::try_from(copy.bytes()).unwrap_or(i64::MAX));
                dirs[copy.dir].entry(name).or_default().push(found);
            }
        }
        let results = dirs.into_iter().enumerate().map(|(n, topics)| {
            if logs.has_failed(broker, n) {
                return DescribeLogDirsResult::default()
                    .with_log_dir(text(directory(broker, n)))
                    .with_error_code(Code::KafkaStorageError.code());
            }
            let topics = topics.into_iter().map(|(name, partitions)| {
                let name = TopicName(text(name));
                DescribeLogDirsTopic::default().with_name(name).with_partitions(partitions)
            });
            let result = DescribeLogDirsResult::default()
                .with_log_dir(text(directory(broker, n)))
                .with_topics(topics.collect());
            if asked.version < 4 {
                return result;
            }
            let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            result
                .with_total_bytes(bytes(sizes[n]))
                .with_usable_bytes(bytes(sizes[n].saturating_sub(used[n])))
        });
        Some(DescribeLogDirsResponse::default().with_results(results.collect()))
    }

    fn refuse(self, asked: &mut Asked<'_>, code: i16) -> DescribeLogDirsResponse {
        let response = DescribeLogDirsResponse::default();
        if asked.version >= 3 { response.with_error_code(code) } else { response }
    }
}

/// The path of a broker's nth log directory.
pub(super) fn directory(broker: BrokerId, n: usize) -> String {
    format!("/var/lib/kafka/{broker}/data-{n}")
}

/// Nothing asked is everything; a topic without partitions is nothing.
fn wanted(topics: Option<&[DescribableLogDirTopic]>, name: &str, partition: i32) -> bool {
    topics.is_none_or(|topics| {
        topics.iter().any(|topic| topic.topic.as_str() == name && topic.partitions.contains(&partition))
    })
}
