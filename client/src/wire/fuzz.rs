//! Fuzz targets: frames, and every answer that we read.

use bytes::Bytes;
use futures_util::FutureExt;
use restow_planner::model::{BrokerId, TopicPartition};
use tokio::io::AsyncReadExt;

use super::calls::alter_configs::AlterConfigs;
use super::calls::configs::DescribeConfigs;
use super::calls::elections::Elect;
use super::calls::log_dirs::DescribeLogDirs;
use super::calls::login::{Authenticate, Handshake};
use super::calls::metadata::{DescribeCluster, Metadata};
use super::calls::offsets::{End, ListOffsets};
use super::calls::permissions::{OnCluster, OnTopics};
use super::calls::quorum::DescribeQuorum;
use super::calls::reassignments::{AlterReassignments, ListReassignments};
use super::versions::ApiVersions;
use super::{Call, frame, messenger};
use crate::view::{OffsetQuery, Replica, Resource};
use crate::write::{ConfigChange, ConfigOp};

/// How many calls [`responses`] chooses from.
#[cfg(test)]
pub(crate) const CALLS: u8 = 16;

/// A stream of frames. The first byte chooses the limit, the second where the first read ends.
pub fn frames(data: &[u8]) -> bool {
    let [limit, cut, stream @ ..] = data else { return false };
    let limit = [64, 1 << 10, 1 << 20, 256 << 20][usize::from(limit % 4)];
    let (first, rest) = stream.split_at(usize::from(*cut).min(stream.len()));
    let (mut stream, mut is_any) = (first.chain(rest), false);
    loop {
        match frame::read(&mut stream, limit).now_or_never().expect("bytes in memory never wait") {
            Ok(Some(frame)) => {
                assert!((4..=limit).contains(&frame.len()));
                is_any = true;
            }
            Ok(None) => return is_any,
            Err(bad) => {
                assert!(!bad.describe(limit).is_empty());
                return false;
            }
        }
    }
}

/// An answer from its header on. The first byte chooses what was asked, the second the version.
pub fn responses(data: &[u8]) -> bool {
    let [call, version, answer @ ..] = data else { return false };
    let names = ["clicks".to_owned(), "orders".to_owned()];
    let partitions = [TopicPartition::new("orders", 0), TopicPartition::new("clicks", 1)];
    let resources =
        [Resource::Topic("orders".to_owned()), Resource::Broker(BrokerId(1)), Resource::ClusterDefault];
    let read = |call: &dyn Fn(u8, &[u8]) -> bool| call(*version, answer);
    match call {
        0 => read(&reader(&ApiVersions)),
        1 => read(&reader(&Metadata { names: None })),
        2 => read(&reader(&Metadata { names: Some(&names) })),
        3 => read(&reader(&OnTopics { names: None })),
        4 => read(&reader(&DescribeCluster)),
        5 => read(&reader(&OnCluster)),
        6 => read(&reader(&DescribeQuorum)),
        7 => read(&reader(&DescribeConfigs { resources: &resources, keys: None, synonyms: true })),
        8 => read(&reader(&DescribeLogDirs { of: None })),
        9 => read(&reader(&ListOffsets {
            end: End::Latest,
            as_replica: Replica::Leader,
            of: &partitions.map(|tp| OffsetQuery {
                topic: tp.topic,
                partition: tp.partition,
                leader_epoch: -1,
            }),
            timeout_ms: 1,
        })),
        10 => read(&reader(&ListReassignments { timeout_ms: 1 })),
        11 => read(&reader(&AlterReassignments {
            items: &partitions.map(|tp| (tp, None)),
            allow_rf_change: false,
            timeout_ms: 1,
        })),
        12 => read(&reader(&Elect { items: &partitions, timeout_ms: 1 })),
        13 => {
            let change = |resource| ConfigChange { resource, key: "a".to_owned(), op: ConfigOp::Delete };
            read(&reader(&AlterConfigs { items: &resources.map(change), validate_only: false }))
        }
        14 => read(&reader(&Handshake { mechanism: "PLAIN" })),
        15 => read(&reader(&Authenticate { bytes: b"" })),
        _ => false,
    }
}

/// Reads an answer to `call` in one of its versions.
fn reader<C: Call>(call: &C) -> impl Fn(u8, &[u8]) -> bool {
    |version, answer| {
        let count = C::API.max - C::API.min + 1;
        let version = C::API.min + i16::from(version) % count;
        messenger::decode(call, version, Bytes::copy_from_slice(answer)).is_ok()
    }
}
