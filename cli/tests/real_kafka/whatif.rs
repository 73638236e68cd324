//! What-ifs come true: each is asked of a snapshot, done for real, and counted again by Kafka's own client.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use restow_testing::{Spec, available_or_skip, wait_until};
use serde_json::Value;

use crate::world::World;

/// What a broker carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Carries {
    replicas: u64,
    leaders: u64,
    bytes: u64,
}

/// What the answer says of each broker that serves after the edits.
fn predicted(world: &World, edits: &[&str]) -> BTreeMap<i64, Carries> {
    world.on_cluster("snapshot", &["-o", "now.json"]).exits(0);
    let mut args = vec!["whatif", "--cluster", "now.json", "-o", "whatif.json"];
    args.extend(edits);
    world.restow(&args).exits(0);
    let told: Value = serde_json::from_slice(&fs::read(world.dir.join("whatif.json")).unwrap()).unwrap();
    let brokers = told["scenarios"][0]["answer"]["after"]["brokers"].as_array().unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let serving = brokers.iter().filter(|broker| broker["serves"] == true);
    let carries = |broker: &Value| Carries {
        replicas: number(&broker["replicas"]["known"]),
        leaders: number(&broker["leaders"]),
        bytes: number(&broker["disk"]["known"]),
    };
    serving.map(|broker| (broker["broker"].as_i64().unwrap(), carries(broker))).collect()
}

/// What brokers carry now, by Kafka's own client.
fn counted(world: &World, brokers: &[i32]) -> BTreeMap<i64, Carries> {
    let mut counts: BTreeMap<i64, Carries> =
        brokers.iter().map(|id| ((*id).into(), Carries::default())).collect();
    for list in world.lists().values() {
        for id in list {
            if let Some(broker) = counts.get_mut(&i64::from(*id)) {
                broker.replicas += 1;
            }
        }
    }
    for leader in world.leaders().into_values().flatten() {
        counts.entry(leader.into()).or_default().leaders += 1;
    }
    for replica in world.kafka.admin().log_dirs(brokers).unwrap() {
        // The metadata log is no topic's.
        if replica.topic != "__cluster_metadata" {
            counts.entry(replica.broker.into()).or_default().bytes += replica.size.cast_unsigned();
        }
    }
    counts
}

/// Replicas and leaders exactly, bytes within 2 %.
#[track_caller]
fn agree(what: &str, predicted: &BTreeMap<i64, Carries>, counted: &BTreeMap<i64, Carries>) {
    let exact = |all: &BTreeMap<i64, Carries>| -> Vec<(i64, u64, u64)> {
        all.iter().map(|(id, broker)| (*id, broker.replicas, broker.leaders)).collect()
    };
    assert_eq!(exact(predicted), exact(counted), "{what}: broker, replicas, leaders");
    for (id, broker) in predicted {
        let found = counted[id].bytes;
        assert!(
            broker.bytes.abs_diff(found) * 50 <= found,
            "{what}: broker {id}: {} bytes foretold, {found} found",
            broker.bytes
        );
    }
}

/// Plans for real and carries it out.
fn done(world: &World, verb: &str, more: &[&str]) {
    world.on_cluster("snapshot", &["-o", "now.json"]).exits(0);
    let name = format!("{verb}.json");
    let mut args = vec!["plan", verb, "--cluster", "now.json", "-o", &name];
    args.extend(more);
    world.restow(&args).exits(0);
    world.apply(&name, &["--approve", "shrink"]).exits(0);
}

#[test]
fn what_ifs_come_true_on_4_3_1() {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(Spec::two_az("4.3.1").property("replica.lag.time.max.ms", "15000"));
    world.topic("orders.v1", 24, &[]);
    world.topic("clicks", 12, &[]);
    world.fill("orders.v1", 24_000, 1_000);
    world.fill("clicks", 6_000, 500);
    world.settle();

    let told = predicted(&world, &["--set-rf", "clicks=3"]);
    done(&world, "set-rf", &["--topics", "clicks", "--replication-factor", "3"]);
    agree("set-rf", &told, &counted(&world, &[1, 2, 3, 4, 5, 6]));

    let told = predicted(&world, &["--remove", "2", "--then", "rebalance"]);
    done(&world, "drain", &["--brokers", "2"]);
    world.kafka.kill(2);
    let left = [1, 3, 4, 5, 6];
    let is_fenced = || world.kafka.admin().cluster().is_ok_and(|cluster| !cluster.brokers.contains_key(&2));
    assert!(wait_until(Duration::from_secs(60), is_fenced), "broker 2 is still there");
    done(&world, "rebalance", &["--measures", "replicas,bytes,leaders"]);
    agree("remove, then rebalance", &told, &counted(&world, &left));

    let told = predicted(&world, &["--lose-zone", "az-b"]);
    [3, 6].iter().for_each(|id| world.kafka.kill(*id));
    let all_led = || {
        let leaders = world.leaders();
        leaders.values().all(|leader| leader.is_some_and(|id| [1, 4, 5].contains(&id)))
    };
    assert!(wait_until(Duration::from_secs(60), all_led), "not all partitions have a leader in zone az-a");
    agree("lose-zone", &told, &counted(&world, &[1, 4, 5]));
}
