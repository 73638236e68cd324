//! Round trips: requests as a client encodes them, answers as it decodes them.

mod faults;
mod known;
mod requests;

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, Request, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use crate::code::Code;
use crate::controller::Resource;
use crate::controller::schema::{FOLLOWER_LIST, FOLLOWER_RATE, LEADER_LIST, LEADER_RATE};
use crate::faults::{Fault, Filter};
use crate::rules::{Api, Rules};
use crate::{BrokerSetup, Setup, Simulator, TopicSetup};

use self::requests::{alter, change, configs, metadata, name, offsets, versions};

const MB: u64 = 1_000_000;

struct Wire(DuplexStream);

/// Why no answer came.
#[derive(Debug, PartialEq)]
struct Closed;

impl Wire {
    fn to(sim: &Simulator, broker: i32) -> Wire {
        Wire(sim.connect(&format!("broker-{broker}.sim:9092")).unwrap())
    }

    async fn frame(&mut self, bytes: &[u8]) -> Result<Bytes, Closed> {
        self.0.write_i32(bytes.len() as i32).await.map_err(|_| Closed)?;
        self.0.write_all(bytes).await.map_err(|_| Closed)?;
        let length = self.0.read_i32().await.map_err(|_| Closed)?;
        let mut answer = vec![0; length as usize];
        self.0.read_exact(&mut answer).await.map_err(|_| Closed)?;
        Ok(Bytes::from(answer))
    }

    async fn ask<R: Request>(&mut self, request: R, version: i16) -> Result<R::Response, Closed> {
        let mut bytes = BytesMut::new();
        RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(7)
            .with_client_id(Some(StrBytes::from_static_str("test")))
            .encode(&mut bytes, R::header_version(version))
            .unwrap();
        request.encode(&mut bytes, version).unwrap();
        let mut answer = self.frame(&bytes).await?;
        use kafka_protocol::protocol::HeaderVersion;
        let header = ResponseHeader::decode(&mut answer, R::Response::header_version(version)).unwrap();
        assert_eq!(header.correlation_id, 7);
        let response = R::Response::decode(&mut answer, version).unwrap();
        assert!(!answer.has_remaining(), "bytes left over");
        Ok(response)
    }
}

/// Four brokers in two zones, a topic `t` with one partition on 1 and 2.
fn small(version: &str, mb: u64) -> Setup {
    let broker = |id: i32| BrokerSetup::new(id, if id % 2 == 1 { "a" } else { "b" });
    Setup {
        version: version.to_owned(),
        brokers: (1..=4).map(broker).collect(),
        topics: vec![TopicSetup::new("t", vec![vec![1, 2]], mb * MB)],
        ..Setup::default()
    }
}

async fn seconds(n: f64) {
    tokio::time::sleep(Duration::from_secs_f64(n)).await;
}

#[tokio::test(start_paused = true)]
async fn every_version_that_is_advertised_and_known_round_trips() {
    for kafka in Rules::KNOWN {
        let sim = Simulator::new(&Setup { version: kafka.to_owned(), ..Setup::demo() }).unwrap();
        sim.alter("orders", 0, Some(&[2, 3, 4])).unwrap();
        let rules = Rules::of(kafka).unwrap();
        let mut wire = Wire::to(&sim, 1);
        macro_rules! each {
            ($api:ident, $request:expr) => {{
                // With ZooKeeper there is no quorum to describe.
                let Some(range) = rules.range(Api::$api) else { continue };
                let (low, high) = <$crate::serve::tests::known::$api as Known>::RANGE;
                for version in range.min.max(low)..=range.max.min(high) {
                    let request = $request(version);
                    assert!(
                        wire.ask(request, version).await.is_ok(),
                        "{kafka} {} v{version}",
                        stringify!($api)
                    );
                }
            }};
        }
        use known::Known;
        each!(ApiVersions, |v| if v >= 3 { versions() } else { ApiVersionsRequest::default() });
        each!(Metadata, |v| if v == 0 { metadata(Some(&[])) } else { metadata(None) });
        each!(Metadata, |_| metadata(Some(&["orders", "no-such"])));
        each!(DescribeCluster, |v| DescribeClusterRequest::default().with_include_fenced_brokers(v >= 2));
        each!(ListOffsets, |_| offsets("orders", 0, -2, -1));
        each!(DescribeLogDirs, |_| DescribeLogDirsRequest::default().with_topics(None));
        each!(DescribeConfigs, |_| configs(&[(2, "orders"), (4, "1"), (4, ""), (4, "2"), (2, "no")], None));
        each!(IncrementalAlterConfigs, |_| change(2, "orders", LEADER_LIST, 2, Some("0:1")));
        each!(AlterPartitionReassignments, |_| alter("page-views", 0, Some(&[1, 3])));
        each!(ListPartitionReassignments, |_| ListPartitionReassignmentsRequest::default().with_topics(None));
        each!(ElectLeaders, |_| ElectLeadersRequest::default().with_topic_partitions(None));
        each!(CreateTopics, |v: i16| {
            let topic = create_topics_request::CreatableTopic::default()
                .with_name(name(&format!("new-{v}")))
                .with_num_partitions(2)
                .with_replication_factor(2);
            CreateTopicsRequest::default().with_topics(vec![topic])
        });
        each!(CreatePartitions, |v: i16| {
            let topic = create_partitions_request::CreatePartitionsTopic::default()
                .with_name(name("new-7"))
                .with_count(3 + i32::from(v));
            CreatePartitionsRequest::default().with_timeout_ms(1_000).with_topics(vec![topic])
        });
        each!(DeleteTopics, |v: i16| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(1_000);
            if v >= 6 {
                let topic = delete_topics_request::DeleteTopicState::default().with_name(Some(name("new-7")));
                request.with_topics(vec![topic])
            } else {
                request.with_topic_names(vec![name("new-6"), name("never")])
            }
        });
        each!(DescribeQuorum, |_| {
            let one = describe_quorum_request::PartitionData::default();
            let topic = describe_quorum_request::TopicData::default()
                .with_topic_name(name("__cluster_metadata"))
                .with_partitions(vec![one]);
            DescribeQuorumRequest::default().with_topics(vec![topic])
        });
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_version_of_api_versions_gets_error_35_in_a_version_0_body() {
    let sim = Simulator::new(&small("3.7.2", 1)).unwrap();
    let mut bytes = BytesMut::new();
    bytes.put_i16(18);
    bytes.put_i16(4);
    bytes.put_i32(99);
    bytes.put_slice(&[0xff, 0xff, 0, 1, 1, 0]);
    let mut answer = Wire::to(&sim, 1).frame(&bytes).await.unwrap();
    assert_eq!(answer.get_i32(), 99);
    let body = ApiVersionsResponse::decode(&mut answer, 0).unwrap();
    assert_eq!(body.error_code, 35);
    assert!(body.api_keys.iter().any(|key| (key.api_key, key.max_version) == (18, 3)));
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    let body = Wire::to(&sim, 1).ask(versions(), 4).await.unwrap();
    let of =
        |key: i16| body.api_keys.iter().find(|k| k.api_key == key).map(|k| (k.min_version, k.max_version));
    // A real 4.3.1 goes to DescribeLogDirs v5, which the protocol crate cannot answer.
    assert_eq!((of(18), of(45), of(35)), (Some((0, 4)), Some((0, 1)), Some((1, 4))));
    assert_eq!(body.finalized_features[0].name.as_str(), "metadata.version");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_spoken_closes_the_connection() {
    let sim = Simulator::new(&small("3.9.2", 1)).unwrap();
    let ask = |key: i16, version: i16| {
        let mut bytes = BytesMut::new();
        bytes.put_i16(key);
        bytes.put_i16(version);
        bytes.put_slice(&[0; 20]);
        let sim = sim.clone();
        async move { Wire::to(&sim, 1).frame(&bytes).await }
    };
    assert_eq!(ask(88, 0).await, Err(Closed), "an unknown key");
    assert_eq!(ask(45, 1).await, Err(Closed), "a version above");
    assert_eq!(Wire::to(&sim, 1).frame(&[1]).await, Err(Closed), "a short frame");
}

#[tokio::test(start_paused = true)]
async fn a_staged_migration_copies_at_the_throttled_rate_and_moves_the_leader() {
    let sim = Simulator::new(&small("4.3.1", 600)).unwrap();
    for broker in 1..=4 {
        let resource = || Resource::Broker(restow_planner::model::BrokerId(broker));
        sim.set_config(resource(), LEADER_RATE, Some("20000000")).unwrap();
        sim.set_config(resource(), FOLLOWER_RATE, Some("20000000")).unwrap();
    }
    let topic = || Resource::Topic("t".to_owned());
    sim.set_config(topic(), LEADER_LIST, Some("0:1,0:2")).unwrap();
    sim.set_config(topic(), FOLLOWER_LIST, Some("0:3,0:4")).unwrap();
    let mut wire = Wire::to(&sim, 2);
    let answer = wire.ask(alter("t", 0, Some(&[1, 2, 3, 4])), 1).await.unwrap();
    assert_eq!((answer.error_code, answer.responses[0].partitions[0].error_code), (0, 0));
    seconds(30.0).await;
    let listed = wire.ask(ListPartitionReassignmentsRequest::default().with_topics(None), 0).await.unwrap();
    assert_eq!(listed.topics[0].partitions[0].adding_replicas, [BrokerId(3), BrokerId(4)]);
    // The leader's rate is for both followers: 600 MB in 30 s, not each.
    let copied: i64 = [3, 4]
        .into_iter()
        .map(|id| sim.replica_offsets("t", 0)[&restow_planner::model::BrokerId(id)] * 1024)
        .sum();
    assert!((550_000_000..700_000_000).contains(&copied), "{copied}");
    let mut to_3 = Wire::to(&sim, 3);
    let end = to_3.ask(offsets("t", 0, -2, 0), 10).await.unwrap();
    let end = &end.topics[0].partitions[0];
    assert_eq!((end.error_code, end.leader_epoch), (0, 0));
    assert!(end.offset > 200_000 && end.offset < 600_000_000 / 1024, "{}", end.offset);
    seconds(40.0).await;
    let listed = wire.ask(ListPartitionReassignmentsRequest::default().with_topics(None), 0).await.unwrap();
    assert!(listed.topics.is_empty());
    wire.ask(alter("t", 0, Some(&[3, 4, 1, 2])), 1).await.unwrap();
    sim.elect("t", 0).unwrap();
    wire.ask(alter("t", 0, Some(&[3, 4])), 1).await.unwrap();
    seconds(1.0).await;
    let seen = wire.ask(metadata(Some(&["t"])), 12).await.unwrap();
    let p = &seen.topics[0].partitions[0];
    assert_eq!((p.leader_id, &p.replica_nodes[..]), (BrokerId(3), &[BrokerId(3), BrokerId(4)][..]));
    assert_eq!((sim.disk_used(1)[0], sim.disk_used(3)[0]), (600_000_000, 600_000_000), "not deleted yet");
    seconds(61.0).await;
    assert_eq!(sim.disk_used(1)[0], 0);
}

#[tokio::test(start_paused = true)]
async fn in_sync_traffic_counts_against_the_leader_and_starves_a_new_replica() {
    let mut setup = small("4.3.1", 60);
    setup.topics[0].ingest = vec![3_500_000];
    let sim = Simulator::new(&setup).unwrap();
    let leader = || Resource::Broker(restow_planner::model::BrokerId(1));
    sim.set_config(leader(), LEADER_RATE, Some("2000000")).unwrap();
    sim.set_config(Resource::Topic("t".to_owned()), LEADER_LIST, Some("*")).unwrap();
    seconds(15.0).await;
    sim.alter("t", 0, Some(&[1, 2, 3])).unwrap();
    let at = || sim.replica_offsets("t", 0).get(&restow_planner::model::BrokerId(3)).copied().unwrap_or(0);
    seconds(12.0).await;
    let before = at();
    seconds(20.0).await;
    assert_eq!(at(), before, "starved");
    sim.set_config(leader(), LEADER_RATE, Some("12000000")).unwrap();
    seconds(2.0).await;
    assert!(at() > before + 50_000_000 / 1024, "a raised rate starts with a burst");
    seconds(60.0).await;
    assert!(sim.in_flight().is_empty(), "in sync");
}

#[tokio::test(start_paused = true)]
async fn offsets_are_checked_against_the_leader_epoch_and_who_holds_what() {
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    let code = |broker: i32, replica: i32, epoch: i32| {
        let sim = sim.clone();
        async move {
            let answer = Wire::to(&sim, broker).ask(offsets("t", 0, replica, epoch), 10).await.unwrap();
            answer.topics[0].partitions[0].error_code
        }
    };
    assert_eq!(code(1, -1, 0).await, 0);
    assert_eq!(code(2, -1, 0).await, Code::NotLeaderOrFollower.code());
    assert_eq!(code(2, -2, 0).await, 0);
    assert_eq!(code(3, -2, 0).await, Code::NotLeaderOrFollower.code());
    assert_eq!(code(2, -2, 1).await, Code::UnknownLeaderEpoch.code());
    sim.alter("t", 0, Some(&[2])).unwrap();
    seconds(0.1).await;
    assert_eq!(code(2, -2, 0).await, Code::FencedLeaderEpoch.code());
    assert_eq!(code(2, -1, 1).await, 0);
}

#[tokio::test(start_paused = true)]
async fn configs_name_their_sources_and_only_the_named_broker_answers() {
    let mut setup = small("4.3.1", 1);
    setup.brokers[0].configs.insert("log.retention.hours".to_owned(), "24".to_owned());
    let sim = Simulator::new(&setup).unwrap();
    let mut wire = Wire::to(&sim, 1);
    let keys: &[&'static str] = &["retention.ms", "min.insync.replicas", LEADER_LIST];
    let seen = wire.ask(configs(&[(2, "t")], Some(keys)), 4).await.unwrap();
    let shown: Vec<(&str, &str, i8)> = seen.results[0]
        .configs
        .iter()
        .map(|c| (c.name.as_str(), c.value.as_ref().unwrap().as_str(), c.config_source))
        .collect();
    assert_eq!(
        shown,
        [(LEADER_LIST, "", 5), ("min.insync.replicas", "1", 3), ("retention.ms", "86400000", 4)]
    );
    let seen = Wire::to(&sim, 2).ask(configs(&[(2, "t")], Some(&["retention.ms"])), 4).await.unwrap();
    assert_eq!(seen.results[0].configs[0].value.as_ref().unwrap().as_str(), "604800000");
    let seen = wire.ask(configs(&[(4, "1"), (4, "2")], Some(&[LEADER_RATE])), 4).await.unwrap();
    assert_eq!((seen.results[0].error_code, seen.results[0].configs.len()), (0, 0), "unset: not shown");
    assert_eq!(seen.results[1].error_code, Code::InvalidRequest.code());
    let answer = wire.ask(change(4, "2", LEADER_RATE, 0, Some("5")), 1).await.unwrap();
    assert_eq!(answer.responses[0].error_code, Code::InvalidRequest.code());
    wire.ask(change(4, "1", LEADER_RATE, 0, Some("5")), 1).await.unwrap();
    seconds(0.1).await;
    let seen = wire.ask(configs(&[(4, "1")], Some(&[LEADER_RATE])), 4).await.unwrap();
    let rate = &seen.results[0].configs[0];
    assert_eq!((rate.value.as_ref().unwrap().as_str(), rate.config_source), ("5", 2));
    let long = "1:1,".repeat(10_000);
    let answer = wire.ask(change(2, "t", LEADER_LIST, 0, Some(&long)), 1).await;
    assert_eq!(answer.unwrap_err(), Closed, "a value longer than 32,767 bytes");
}

#[tokio::test(start_paused = true)]
async fn brokers_see_a_change_a_little_later_than_it_is_made() {
    let setup = Setup { metadata_lag: Duration::from_millis(500), ..small("4.3.1", 1) };
    let sim = Simulator::new(&setup).unwrap();
    let mut wire = Wire::to(&sim, 1);
    wire.ask(alter("t", 0, Some(&[2, 1])), 1).await.unwrap();
    let mut reads = 0;
    loop {
        let seen = wire.ask(metadata(Some(&["t"])), 12).await.unwrap();
        if seen.topics[0].partitions[0].replica_nodes[0] == BrokerId(2) {
            break;
        }
        reads += 1;
    }
    assert!((1..600).contains(&reads), "{reads} reads before it was seen");
}

/// What can be seen of a run: metadata as broker 4 tells it, and true offsets, every second.
async fn trace(seed: u64) -> Vec<String> {
    let sim = Simulator::new(&Setup { seed, ..Setup::demo() }).unwrap();
    let mut lines = Vec::new();
    for n in 0..12 {
        sim.alter("orders", n, Some(&[4, 6])).unwrap();
    }
    sim.kill(3);
    for _ in 0..30 {
        seconds(1.0).await;
        let seen = Wire::to(&sim, 4).ask(metadata(None), 12).await.unwrap();
        lines.push(format!("{seen:?} {:?}", sim.replica_offsets("orders", 0)));
    }
    lines
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_trace() {
    let first = trace(3).await;
    assert_eq!(first, trace(3).await);
    assert_ne!(first, trace(4).await);
}

#[tokio::test(start_paused = true)]
async fn a_recreated_topic_has_another_id_and_empty_logs() {
    let sim = Simulator::new(&small("4.3.1", 5)).unwrap();
    let before = sim.with_state(|s| s.topics["t"].id);
    assert_ne!(sim.recreate_topic("t").unwrap(), before);
    seconds(1.0).await;
    assert_eq!(sim.replica_offsets("t", 0).values().max(), Some(&0));
    sim.add_partitions("t", 3).unwrap();
    assert_eq!(sim.with_state(|s| s.topics["t"].partitions.len()), 3);
    sim.delete_topic("t").unwrap();
    assert!(sim.delete_topic("t").is_err());
}

#[tokio::test]
async fn a_broker_can_be_served_over_tcp() {
    let sim = Simulator::new(&small("4.3.1", 1)).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    sim.serve_tcp(1, listener).unwrap();
    assert!(sim.bootstrap().contains(&address.to_string()));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = [0, 18, 0, 0, 0, 0, 0, 9, 0xff, 0xff];
    stream.write_i32(request.len() as i32).await.unwrap();
    stream.write_all(&request).await.unwrap();
    let length = stream.read_i32().await.unwrap();
    assert!(length > 50);
    assert_eq!(stream.read_i32().await.unwrap(), 9);
}
