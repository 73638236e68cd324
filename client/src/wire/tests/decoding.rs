//! Bodies that lie about their lengths.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{BrokerId as WireBroker, DescribeLogDirsResponse};
use kafka_protocol::protocol::Encodable;

use super::peer::{metadata, topic};
use crate::view::LogDirView;
use crate::wire::calls::log_dirs::DescribeLogDirs;
use crate::wire::calls::metadata::Metadata;
use crate::wire::frame::Body;
use crate::wire::{Call, Failure};

fn decode<C: Call>(call: &C, version: i16, bytes: &[u8]) -> Result<C::Answer, Failure> {
    call.decode(&mut Body::new(Bytes::copy_from_slice(bytes)), version)
}

fn metadata_bytes() -> Vec<u8> {
    let ids: Vec<_> = (1..=3).map(WireBroker).collect();
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(WireBroker(1))
            .with_replica_nodes(ids.clone())
            .with_isr_nodes(ids.clone())
    };
    let topic = MetadataResponseTopic::default()
        .with_name(Some(topic("orders")))
        .with_partitions((0..100).map(partition).collect());
    let mut bytes = BytesMut::new();
    metadata(3, 1).with_topics(vec![topic]).encode(&mut bytes, 13).unwrap();
    bytes.to_vec()
}

pub(super) fn log_dirs() -> DescribeLogDirsResponse {
    let partition = |index| {
        DescribeLogDirsPartition::default()
            .with_partition_index(index)
            .with_partition_size(1000)
            .with_is_future_key(index == 1)
    };
    let topic = DescribeLogDirsTopic::default()
        .with_name(topic("orders"))
        .with_partitions(vec![partition(0), partition(1)]);
    let dir = DescribeLogDirsResult::default()
        .with_log_dir("/data/b".into())
        .with_topics(vec![topic])
        .with_total_bytes(500)
        .with_usable_bytes(-1);
    let failed = DescribeLogDirsResult::default().with_log_dir("/data/a".into()).with_error_code(56);
    DescribeLogDirsResponse::default().with_results(vec![dir, failed])
}

/// By hand: a boolean before each directory's tagged fields.
pub(super) fn log_dirs_of_version_5() -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 3]);
    for (result, cordoned) in log_dirs().results.iter().zip([1, 0]) {
        let mut one = BytesMut::new();
        result.encode(&mut one, 4).unwrap();
        bytes.extend_from_slice(&one[..one.len() - 1]);
        bytes.extend_from_slice(&[cordoned, 0]);
    }
    bytes.extend_from_slice(&[0]);
    bytes
}

fn log_dirs_bytes() -> Vec<u8> {
    let mut bytes = BytesMut::new();
    log_dirs().encode(&mut bytes, 4).unwrap();
    bytes.to_vec()
}

#[test]
fn a_length_beyond_the_body_is_an_error_and_no_allocation() {
    // Throttle time, then the length of the broker list: 4,294,967,294 brokers. The codec alone aborts here.
    let lie = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    assert!(matches!(decode(&Metadata { names: None }, 13, &lie), Err(Failure::Malformed(_))));
}

#[test]
fn damaged_bodies_are_errors_or_answers_and_never_the_end() {
    let damage = |bytes: &[u8], decode: &dyn Fn(&[u8]) -> bool| {
        let (mut state, mut understood) = (0x2545_f491_4f6c_dd1d_u64, 0);
        for _ in 0..5_000 {
            let mut bytes = bytes.to_vec();
            for _ in 0..1 + state % 4 {
                // Xorshift: the same damage in every run.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] ^= 1 << (state % 8);
            }
            understood += u32::from(decode(&bytes));
        }
        understood
    };
    let metadata = damage(&metadata_bytes(), &|b| decode(&Metadata { names: None }, 13, b).is_ok());
    let dirs = damage(&log_dirs_bytes(), &|b| decode(&DescribeLogDirs { of: None }, 4, b).is_ok());
    let by_hand = damage(&log_dirs_bytes(), &|b| decode(&DescribeLogDirs { of: None }, 5, b).is_ok());
    assert!(metadata < 5_000 && dirs < 5_000 && by_hand < 5_000);
    for length in 0..metadata_bytes().len() {
        assert!(decode(&Metadata { names: None }, 13, &metadata_bytes()[..length]).is_err());
    }
}

#[test]
fn log_dirs_are_read_in_version_4_and_5() {
    let four: Vec<LogDirView> = decode(&DescribeLogDirs { of: None }, 4, &log_dirs_bytes()).unwrap();
    assert_eq!(four.iter().map(|d| &*d.path).collect::<Vec<_>>(), ["/data/a", "/data/b"]);
    assert_eq!((four[0].error.map(|c| c.0), four[0].total), (Some(56), None));
    assert_eq!((four[1].total, four[1].usable, four[1].cordoned), (Some(500), None, None));
    let replica = &four[1].replicas[1];
    assert_eq!((&*replica.topic, replica.partition, replica.size, replica.future), ("orders", 1, 1000, true));
    let mut expected = four;
    expected[0].cordoned = Some(false);
    expected[1].cordoned = Some(true);
    assert_eq!(decode(&DescribeLogDirs { of: None }, 5, &log_dirs_of_version_5()).unwrap(), expected);
}
