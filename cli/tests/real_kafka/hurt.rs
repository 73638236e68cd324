//! Brokers that die where it hurts (row 6) and brokers that would lose data (row 7).

use std::time::Duration;

use restow_testing::{Spec, available_or_skip, wait_until};

use crate::world::{NEW, OLD, World};

#[test]
fn a_dead_keeper_holds_the_shrink_on_4_3_1() {
    dead_keeper("4.3.1");
}

#[test]
fn a_dead_keeper_holds_the_shrink_on_3_9_2() {
    dead_keeper("3.9.2");
}

/// Idle partitions: a dead follower stays in the ISR until its broker is fenced, and Kafka itself would shrink
/// to one copy, or elect the dead broker.
fn dead_keeper(version: &str) {
    let Some(()) = available_or_skip() else { return };
    // Long enough that a run which trusted the ISR would act within it.
    let mut spec = Spec::two_az(version);
    spec.controller_properties.push(("broker.session.timeout.ms".into(), "9000".into()));
    let world = World::start(spec);
    world.topic("idle", 8, &[]);
    world.fill("idle", 2_000, 500);
    world.settle();
    world.plan("plan", OLD, NEW, &[]).exits(0);
    world.apply("plan.json", &[]).exits(4);

    // The broker to be elected dies before the swap.
    world.kafka.kill(4);
    let child = world.start_apply("plan.json", &["--throttle", "50MB/s", "--approve", "swap"]);
    world.wait_for("broker 4 does not answer");
    for (at, leader) in &world.leaders() {
        assert_ne!(*leader, Some(4), "{at:?}: a dead leader was elected");
    }
    world.kafka.start_broker(4);
    world.wait(child).exits(4).says("gate before shrink");

    // A keeper dies before the shrink.
    world.kafka.kill(6);
    let child = world.start_apply("plan.json", &["--throttle", "50MB/s", "--approve", "swap,shrink"]);
    world.wait_for("broker 6 does not answer");
    std::thread::sleep(Duration::from_secs(6));
    for (at, list) in &world.lists() {
        let live = list.iter().filter(|id| **id != 6).count();
        assert!(live >= 2, "{at:?} {list:?}: fewer than two live copies through us");
    }
    world.kafka.start_broker(6);
    world.wait(child).exits(0);
    assert!(wait_until(Duration::from_secs(20), || {
        world.lists().iter().filter(|(at, _)| at.0 == "idle").all(|(_, list)| list.len() == 2)
    }));
    world.is_on(&[4, 5, 6], &[]);
}

#[test]
fn an_old_broker_that_died_for_ever_is_given_up_on_3_9_2() {
    given_up("3.9.2");
}

#[test]
#[ignore = "by hand: cargo test -p restow-cli --test real_kafka given_up -- --include-ignored --test-threads 1"]
fn an_old_broker_that_died_for_ever_is_given_up_on_4_0_2() {
    given_up("4.0.2");
}

#[test]
#[ignore = "by hand: cargo test -p restow-cli --test real_kafka given_up -- --include-ignored --test-threads 1"]
fn an_old_broker_that_died_for_ever_is_given_up_on_4_3_1() {
    given_up("4.3.1");
}

/// From 3.8 to 4.1 an expansion waits for ever for a kept replica that is dead; elsewhere the shrink does.
fn given_up(version: &str) {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(Spec::two_az(version));
    world.topic("big", 12, &[]);
    world.fill("big", 30_000, 1_000);
    world.settle();
    let start = world.state();
    world.plan("plan", OLD, NEW, &[]).exits(0);
    let admin = world.kafka.admin();
    let child = world.start_apply("plan.json", &["--throttle", "1MB/s", "--approve", "swap,shrink"]);
    assert!(wait_until(Duration::from_secs(60), || !admin.reassignments().unwrap().is_empty()));
    std::thread::sleep(Duration::from_secs(2));
    world.interrupt(child).exits(4).says("in flight, ours");

    world.apply("plan.json", &["--give-up", "1"]).exits(3).says("in service");
    world.kafka.kill(1);
    let is_fenced = || !admin.cluster().unwrap().brokers.contains_key(&1);
    assert!(wait_until(Duration::from_secs(60), is_fenced), "broker 1 is not fenced");
    // Its own rates can only be taken off by itself: they are named.
    world.apply("plan.json", &["--give-up", "1", "--approve", "swap,shrink"]).exits(7).says("broker 1");
    for (at, list) in world.lists().iter().filter(|(at, _)| at.0 == "big") {
        assert!(list.len() == 2 && list.iter().all(|id| [4, 5, 6].contains(id)), "{at:?}: {list:?}");
    }
    world.kafka.start_broker(1);
    world.on_cluster("sweep", &["--yes"]).exits(0);
    world.configs_are_as(&start);
    world.is_on(&[4, 5, 6], &[]);
}

#[test]
fn a_shorter_static_retention_is_refused() {
    let Some(()) = available_or_skip() else { return };
    let mut spec = Spec::two_az("4.3.1");
    spec.brokers[3].properties.push(("log.retention.hours".into(), "1".into()));
    let world = World::start(spec);
    world.topic("by-default", 2, &[]);
    world.topic("own", 2, &[("retention.ms", "5000000")]);
    let out = world.plan("plan", OLD, NEW, &[]).exits(3).says("by-default").says("retention.ms");
    assert!(out.text.contains("3600000") && out.text.contains("604800000"), "both values:\n{}", out.text);
    assert!(out.text.contains("broker 4") || out.text.contains("[4]"), "the broker:\n{}", out.text);
    world.plan("plan", OLD, NEW, &["--accept-config-diff", "retention.ms"]).exits(0);
    let plan = std::fs::read_to_string(world.dir.join("plan.json")).unwrap();
    assert!(plan.contains("retention.ms") && plan.contains("by-default"), "recorded in the plan");
    world.restow(&["check", "plan.json", "--cluster", "cluster.json"]).exits(0);
}
