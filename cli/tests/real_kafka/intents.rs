//! Plans that are no migrations, pipelined, on real brokers: what is asked holds at the end, by Kafka's own client.

use std::collections::BTreeMap;

use restow_testing::{Spec, available_or_skip};

use crate::world::World;

/// Takes a snapshot and plans.
fn plan(world: &World, name: &str, verb: &str, more: &[&str]) {
    world.on_cluster("snapshot", &["-o", "cluster.json"]).exits(0);
    let mut args = vec!["plan", verb, "--cluster", "cluster.json", "-o", name];
    args.extend(more);
    world.restow(&args).exits(0);
}

/// Plans, checks and applies; the plan is `NAME.json`.
fn run(world: &World, name: &str, verb: &str, more: &[&str]) {
    let file = format!("{name}.json");
    plan(world, &file, verb, more);
    world.apply(&file, &["--approve", "shrink"]).exits(0);
    let status = world.on_cluster("status", &[&file]);
    assert_eq!(status.code, 0, "{}", status.text);
    // What was just done needs nothing more.
    plan(world, "again.json", verb, more);
    let shown = world.restow(&["show", "again.json"]).exits(0);
    assert!(shown.text.contains("0 partitions of 0 topics"), "{}", shown.text);
}

fn count<T: Ord + Copy>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    all.fold(BTreeMap::new(), |mut counts, one| {
        *counts.entry(one).or_default() += 1;
        counts
    })
}

#[test]
fn every_intent_on_4_3_1() {
    let Some(()) = available_or_skip() else { return };
    let world = World::start(Spec::two_az("4.3.1").property("replica.lag.time.max.ms", "15000"));
    world.topic("orders.v1", 24, &[]);
    world.fill("orders.v1", 24_000, 1_000);
    world.settle();
    let start = world.state();
    let ours = |world: &World| -> Vec<Vec<i32>> {
        let lists = world.lists().into_iter().filter(|((topic, _), _)| topic == "orders.v1");
        lists.map(|(_, list)| list).collect()
    };

    // Without a gate, the point of no return needs its word at the start; nothing was sent without it.
    plan(
        &world,
        "add.json",
        "add",
        &["--brokers", "4,5,6", "--measures", "replicas", "--topics", "orders.v1"],
    );
    world.apply("add.json", &[]).exits(3).says("--approve shrink");
    assert_eq!(world.state(), start);
    world.apply("add.json", &["--approve", "shrink"]).exits(0);
    let held = count(ours(&world).into_iter().flatten());
    assert!([4, 5].iter().all(|id| (5..=7).contains(&held[id])) && held[&6] >= 11, "{held:?}");
    world.configs_are_as(&start);

    run(&world, "plan-1", "drain", &["--brokers", "2", "--topics", "orders.v1"]);
    assert!(ours(&world).iter().all(|list| !list.contains(&2)));

    run(&world, "plan-2", "set-rf", &["--replication-factor", "4", "--topics", "orders.v1"]);
    let first_zone = |list: &Vec<i32>| list.iter().filter(|id| [1, 2, 4, 5].contains(id)).count();
    assert!(ours(&world).iter().all(|list| list.len() == 4 && first_zone(list) == 2), "{:?}", ours(&world));
    run(&world, "plan-3", "set-rf", &["--replication-factor", "2", "--topics", "orders.v1"]);
    assert!(ours(&world).iter().all(|list| list.len() == 2 && first_zone(list) == 1), "{:?}", ours(&world));

    run(&world, "plan-4", "leaders", &["--demote", "3", "--topics", "orders.v1"]);
    let leaders = |world: &World| {
        let all = world.leaders().into_iter().filter(|((topic, _), _)| topic == "orders.v1");
        count(all.filter_map(|(_, leader)| leader))
    };
    assert!(!leaders(&world).contains_key(&3), "{:?}", leaders(&world));
    run(&world, "plan-5", "leaders", &["--minimal"]);
    world.configs_are_as(&start);
}
