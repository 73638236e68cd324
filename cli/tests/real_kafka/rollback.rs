//! Rollback at each gate and in the middle of the expansion, beside a foreign throttle entry and a foreign rate.

use std::time::Duration;

use restow_testing::{ConfigChange, Spec, available_or_skip, wait_until};

use crate::world::{NEW, OLD, World};

#[test]
fn every_prefix_goes_back_to_the_exact_start() {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(Spec::two_az("4.3.1"));
    world.topic("big", 12, &[]);
    world.topic("small.one", 6, &[]);
    world.fill("big", 40_000, 1_000);
    world.settle();
    let admin = world.kafka.admin();
    // Not ours: an entry of a partition that does not move now, an operator's rates, a list that is set and empty.
    let list = "leader.replication.throttled.replicas";
    admin.alter_topic_config("big", &[ConfigChange::set(list, "77:1")]).unwrap();
    admin
        .alter_topic_config("small.one", &[ConfigChange::set("follower.replication.throttled.replicas", "")])
        .unwrap();
    admin
        .alter_broker_config(Some(1), &[ConfigChange::set("leader.replication.throttled.rate", "7654321")])
        .unwrap();
    admin
        .alter_broker_config(Some(5), &[ConfigChange::set("follower.replication.throttled.rate", "8765432")])
        .unwrap();
    let start = world.state();
    world.plan("plan", OLD, NEW, &[]).exits(0);

    // The middle of the expansion, after a crash.
    let child = world.start_apply("plan.json", &["--throttle", "1MB/s"]);
    let flying = || !admin.reassignments().unwrap().is_empty();
    assert!(wait_until(Duration::from_secs(60), flying), "nothing is in flight");
    std::thread::sleep(Duration::from_secs(2));
    world.crash(child);
    assert!(flying(), "the copy is slow enough to be in flight still");
    assert_ne!(world.state().broker_configs, start.broker_configs, "throttled");
    world.rollback("plan.json").exits(0);
    world.is_as(&start);

    // At the gate before swap.
    world.apply("plan.json", &[]).exits(4).says("gate before swap");
    world.rollback("plan.json").exits(0);
    world.is_as(&start);

    // At the gate before shrink.
    world.apply("plan.json", &["--approve", "swap"]).exits(4).says("gate before shrink");
    world.rollback("plan.json").exits(0);
    world.is_as(&start);
    world.on_cluster("status", &["plan.json"]).exits(0).says("back at its start");

    // Ctrl-C in the middle of the expansion: what is in flight is named and stays throttled; sweep removes it.
    let child = world.start_apply("plan.json", &["--throttle", "1MB/s"]);
    assert!(wait_until(Duration::from_secs(60), flying), "nothing is in flight");
    world.interrupt(child).exits(4).says("in flight, ours");
    world.on_cluster("sweep", &[]).exits(2).says("ours").says("owner unknown");
    world.on_cluster("sweep", &["--yes"]).exits(0);
    assert!(!flying(), "sweep cancels what the journal proves to be ours");
    world.configs_are_as(&start);
    world.rollback("plan.json").exits(0);
    world.is_as(&start);
}
