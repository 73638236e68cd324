//! Other people's clients against the simulator over loopback TCP: Kafka's AdminClient and the stock tools make
//! every call of theirs, and see what they would see of Kafka.

#![allow(clippy::disallowed_methods, reason = "other people's clients take real time")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use restow_planner::model::BrokerId;
use restow_simulator::{BrokerSetup, Setup, Simulator, TopicSetup};
use restow_testing::{ConfigChange, Java, available_or_skip, wait_until};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A simulated cluster on loopback, and Kafka's own client at it.
struct World {
    runtime: Runtime,
    sim: Simulator,
    java: Java,
}

impl World {
    fn start(version: &str) -> World {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let racks = [(1, "az-a"), (2, "az-a"), (3, "az-b"), (4, "az-a"), (5, "az-a"), (6, "az-b")];
        let lists = vec![vec![1, 3], vec![3, 2], vec![2, 3], vec![3, 1]];
        let setup = Setup {
            version: version.into(),
            brokers: racks.map(|(id, rack)| BrokerSetup::new(id, rack)).to_vec(),
            topics: vec![
                TopicSetup::new("orders.v1", lists.clone(), 30_000_000),
                TopicSetup::new("small", lists, 1_000),
            ],
            auto_leader_rebalance: false,
            ..Setup::default()
        };
        let sim = runtime.block_on(async {
            let sim = Simulator::new(&setup).unwrap();
            for (broker, _) in racks {
                sim.serve_tcp(broker, TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
            }
            sim
        });
        let java = Java::connect(version, &sim.bootstrap());
        World { runtime, sim, java }
    }

    /// Acts on the simulator as somebody else.
    fn act<T>(&self, act: impl FnOnce(&Simulator) -> T) -> T {
        let _inside = self.runtime.enter();
        act(&self.sim)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.java.directory().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn list(&self, topic: &str, partition: i32) -> Vec<BrokerId> {
        self.sim.with_state(|state| state.partition(topic, partition).unwrap().replicas.clone())
    }

    fn leader(&self, topic: &str, partition: i32) -> Option<BrokerId> {
        self.sim.with_state(|state| state.partition(topic, partition).unwrap().leader)
    }
}

fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

/// A reassignment file.
fn moves(moves: &[(&str, i32, &[i32])]) -> String {
    let rows: Vec<String> = moves
        .iter()
        .map(|(topic, n, list)| format!(r#"{{"topic":"{topic}","partition":{n},"replicas":{list:?}}}"#))
        .collect();
    format!(r#"{{"version":1,"partitions":[{}]}}"#, rows.join(","))
}

#[test]
fn stock_tools_4_3_1() {
    stock_tools("4.3.1");
}

#[test]
fn stock_tools_3_9_2() {
    stock_tools("3.9.2");
}

fn stock_tools(version: &str) {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(version);
    let java = &world.java;

    // kafka-topics --describe.
    let text = java.topics(&["--describe", "--topic", "orders.v1"]).expect_success();
    assert!(text.contains("PartitionCount: 4") && text.contains("ReplicationFactor: 2"), "{text}");
    assert!(text.contains("Leader: 1\tReplicas: 1,3\tIsr: 1,3"), "{text}");

    // kafka-reassign-partitions: a proposal; a throttled move that ends.
    let topics = world.file("topics.json", r#"{"version":1,"topics":[{"topic":"small"}]}"#);
    let args = ["--topics-to-move-json-file", &topics, "--broker-list", "4,5,6", "--generate"];
    let text = java.reassign(&args).expect_success();
    assert!(text.contains("Proposed partition reassignment configuration"), "{text}");
    let fast = world.file("fast.json", &moves(&[("small", 0, &[4, 6]), ("small", 1, &[3, 2])]));
    let args = ["--reassignment-json-file", &fast, "--execute", "--throttle", "50000000"];
    let text = java.reassign(&args).expect_success();
    assert!(text.contains("Successfully started partition reassignments for small-0,small-1"), "{text}");
    assert!(wait_until(Duration::from_secs(30), || world.list("small", 0) == ids(&[4, 6])));
    let text = java.reassign(&["--reassignment-json-file", &fast, "--verify"]).expect_success();
    assert!(text.contains("Reassignment of partition small-0 is completed."), "{text}");
    assert!(text.contains("Clearing broker-level throttles"), "{text}");
    let admin = java.admin();
    soon(|| {
        let topics = admin.topic_configs().unwrap();
        !topics.values().flat_map(|configs| configs.keys()).any(|key| key.contains("throttled"))
    });

    // One that runs on: listed, refused twice, cancelled.
    let slow = world.file("slow.json", &moves(&[("orders.v1", 0, &[4, 6])]));
    let execute = ["--reassignment-json-file", &slow, "--execute", "--throttle", "1000000"];
    let _ = java.reassign(&execute).expect_success();
    let text = java.reassign(&["--list"]).expect_success();
    assert!(text.contains("orders.v1-0: replicas: 4,6,1,3. adding: 4,6. removing: 1,3."), "{text}");
    let again = java.reassign(&execute);
    assert_ne!(again.status, Some(0), "{}", again.stdout);
    let text = java.reassign(&["--reassignment-json-file", &slow, "--verify"]).expect_success();
    assert!(text.contains("orders.v1-0 is still in progress"), "{text}");
    let faster = [&execute[..3], &["--additional", "--throttle", "2000000"]].concat();
    let _ = java.reassign(&faster).expect_success();
    let text = java.reassign(&["--reassignment-json-file", &slow, "--cancel"]).expect_success();
    assert!(text.contains("Successfully cancelled partition reassignment for: orders.v1-0"), "{text}");
    assert_eq!(world.list("orders.v1", 0), ids(&[1, 3]));

    // kafka-leader-election.
    world.act(|sim| sim.alter("orders.v1", 1, Some(&[2, 3]))).unwrap();
    assert_eq!(world.leader("orders.v1", 1), Some(BrokerId(3)));
    let text = world.file("elect.json", r#"{"partitions":[{"topic":"orders.v1","partition":1}]}"#);
    let args = ["--election-type", "preferred", "--path-to-json-file", &text];
    let text = java.elect(&args).expect_success();
    assert!(
        text.contains("Successfully completed leader election (PREFERRED) for partitions orders.v1-1"),
        "{text}"
    );
    assert_eq!(world.leader("orders.v1", 1), Some(BrokerId(2)));
    let _ = java.elect(&["--election-type", "preferred", "--all-topic-partitions"]).expect_success();
}

#[test]
fn admin_client_4_3_1() {
    admin_client("4.3.1");
}

#[test]
fn admin_client_3_7_2() {
    admin_client("3.7.2");
}

/// Brokers learn what the controller wrote one after the other, and the client asks any of them.
fn soon(holds: impl FnMut() -> bool) {
    assert!(wait_until(Duration::from_secs(10), holds));
}

/// Every call of Kafka's AdminClient that the harness makes of real brokers.
fn admin_client(version: &str) {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(version);
    let admin = world.java.admin();
    assert_eq!(admin.cluster().unwrap().brokers.len(), 6);
    admin.create_topic("new", &[vec![1, 3], vec![3, 1]], &[("retention.ms", "1000000")]).unwrap();
    admin.create_partitions("new", 3, Some(&[vec![2, 3]])).unwrap();
    soon(|| admin.topic("new").is_ok_and(|t| t.partitions.len() == 3));
    let config = |key| admin.topic_configs().unwrap().get("new")?.get(key).cloned();
    soon(|| config("retention.ms").as_deref() == Some("1000000"));
    let list = "leader.replication.throttled.replicas";
    for change in [ConfigChange::set(list, "0:1"), ConfigChange::Append(list.into(), "1:3".into())] {
        admin.alter_topic_config("new", &[change]).unwrap();
    }
    soon(|| config(list).as_deref() == Some("0:1,1:3"));
    let rate = "leader.replication.throttled.rate";
    admin.alter_broker_config(Some(2), &[ConfigChange::set(rate, "1000")]).unwrap();
    soon(|| admin.broker_configs(&[2]).unwrap()[&2].get(rate).is_some_and(|rate| rate == "1000"));
    assert!(admin.reassign(&[("orders.v1", 0, vec![4, 6])]).unwrap().is_empty());
    assert_eq!(admin.reassignments().unwrap().len(), 1);
    assert!(admin.cancel(&[("orders.v1", 0)]).unwrap().is_empty());
    let refused = admin.cancel(&[("orders.v1", 0)]).unwrap();
    assert!(refused[0].error.code.contains("NO_REASSIGNMENT_IN_PROGRESS"), "{refused:?}");
    admin.elect(None).unwrap();
    assert!(admin.offsets(Some(&["orders.v1"])).unwrap().values().all(|o| o.latest > o.earliest));
    let dirs = admin.log_dirs(&[1]).unwrap();
    assert!(
        dirs.iter().any(|replica| replica.topic == "orders.v1" && replica.size == 30_000_000),
        "{dirs:?}"
    );
    admin.delete_topics(&["new"]).unwrap();
    soon(|| admin.topic("new").is_err());
}
