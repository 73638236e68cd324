//! The story: forward, back and forward again under a live load, with two crashes.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use restow_testing::{available_or_skip, verify_log};

use crate::world::{NEW, OLD, SINGLE, World, files};

#[test]
fn story_on_4_3_1() {
    story("4.3.1");
}

#[test]
fn story_on_3_9_2() {
    story("3.9.2");
}

#[test]
#[ignore = "five minutes, by hand: cargo test -p restow-cli --test real_kafka zookeeper -- --ignored"]
fn story_on_3_9_2_with_zookeeper() {
    story("3.9.2-zk");
}

fn story(version: &str) {
    let Some(()) = available_or_skip() else { return };
    let world = World::story(version);
    world.fill("orders.v1", 20_000, 1_000);
    world.fill("state_compacted", 500, 200);
    world.default_min_isr();
    world.settle();
    let load = world.load();
    let start = world.state();
    let earliest = earliest(&world);

    planning(&world);
    forward_to_the_gates(&world);
    let out = world.rollback("plan.json").exits(0);
    assert!(!out.text.contains("still set"), "{}", out.text);
    world.is_as(&start);

    // Forward in one go, killed twice on the way.
    for moment in [900, 2_500] {
        let child = world.start_apply("plan.json", &["--throttle", "2MB/s", "--approve", "swap,shrink"]);
        sleep(Duration::from_millis(moment));
        world.crash(child);
        let status = world.on_cluster("status", &["plan.json"]);
        assert!([0, 4].contains(&status.code), "{}", status.text);
    }
    world.apply("plan.json", &["--approve", "swap,shrink"]).exits(0).says("source broker 2: 1 replica left");
    world.is_on(&[4, 5, 6], &[SINGLE]);
    world.configs_are_as(&start);
    world.apply("plan.json", &["--approve", "swap,shrink"]).exits(0).says("nothing is left to do");
    world.on_cluster("status", &["plan.json"]).exits(0);

    // Back: what is shrunk is not copied by the rollback, but by the plan that it writes.
    world.rollback("plan.json").exits(4).says("plan.json.back");
    world.apply("plan.json.back", &["--approve", "swap,shrink"]).exits(0);
    world.is_as(&start);
    world.apply("plan.json", &["--approve", "swap,shrink"]).exits(0);
    world.is_on(&[4, 5, 6], &[SINGLE]);
    world.configs_are_as(&start);

    let report = load.stop();
    eprintln!(
        "{} records acknowledged, longest pause {:?}, errors {:?}",
        report.acked.len(),
        report.longest_pause,
        report.errors
    );
    assert_eq!(report.failed, 0, "{:?}", report.errors);
    let check = verify_log(world.kafka.admin(), &report.acked).unwrap();
    assert!(check.is_clean() && check.acked > 1_000, "{check:?}");
    assert!(report.consumed.values().all(|c| c.skipped == 0), "{:?}", report.consumed);
    let committed = world.kafka.admin().group_offsets("restow-load").unwrap();
    assert!(!committed.is_empty(), "committed offsets survive");
    let now = self::earliest(&world);
    for (at, offset) in earliest {
        assert_eq!(now.get(&at), Some(&offset), "earliest offset of {at:?}");
    }
}

fn earliest(world: &World) -> BTreeMap<(String, i32), i64> {
    let topics = ["orders.v1", "payments-safe", "events.by-default"];
    let offsets = world.kafka.admin().offsets(Some(&topics)).unwrap();
    offsets.into_iter().map(|(at, offsets)| (at, offsets.earliest)).collect()
}

/// Rows 1 to 4: nothing here changes the cluster.
fn planning(world: &World) {
    let before = world.state();
    world.plan("none", OLD, NEW, &["--topics", "no-such-topic"]).exits(2).says("no-such-topic");
    world.plan("plan", OLD, NEW, &[]).exits(3).says(SINGLE).says("min");
    world.plan("plan", OLD, NEW, &["--leave-out-refused"]).exits(0).says(SINGLE);
    world
        .restow(&["show", "plan.json"])
        .exits(0)
        .says("each produced byte is copied 3 times, 2 across zones; before: 1 and 1");
    world.restow(&["check", "plan.json", "--cluster", "cluster.json"]).exits(0);
    world.restow(&["export", "plan.json", "--dir", "change", "--max-partitions-per-wave", "50"]).exits(0);
    let change = world.dir.join("change");
    assert!(change.join("runbook.md").exists());
    assert!(files(&change, "expand").len() >= 4, "three waves, each with its twin");
    world
        .on_cluster("apply", &["plan.json", "--throttle", "50MB/s", "--sample", "0s"])
        .exits(2)
        .says("--yes");
    world.is_as(&before);
}

/// Row 5: the gates.
fn forward_to_the_gates(world: &World) {
    let before = world.state();
    world.apply("plan.json", &[]).exits(4).says("gate before swap");
    let state = world.state();
    let list = &state.lists[&("orders.v1".to_owned(), 0)];
    assert_eq!((list.len(), &list[..2]), (4, &[1, 3][..]), "the originals stay a prefix");
    world.configs_are_as(&before);
    world.on_cluster("status", &["plan.json"]).exits(4).says("gate before swap");
    world.apply("plan.json", &["--approve", "swap"]).exits(4).says("gate before shrink");
    let state = world.state();
    for (at, list) in state.lists.iter().filter(|(at, _)| at.0 != SINGLE) {
        assert_eq!(list.len(), 4, "{at:?}");
        assert!([4, 5, 6].contains(&list[0]) && state.leaders[at] == Some(list[0]), "{at:?} {list:?}");
    }
    world.configs_are_as(&before);
}
