//! Plans of other tools: one list per partition, in one step.

use restow_planner::check::Promise::{self, Cluster, Config, P1, P2, P3, P4, P5, Ready};
use restow_planner::check::judge_assignment;
use restow_planner::model::{BrokerId, ConfigDifference, TopicPartition};

use super::world::{World, ids, names, only, row};

fn found(world: &World, lists: &[(&str, i32, &[i32])]) -> Vec<String> {
    let lists: Vec<(TopicPartition, Vec<BrokerId>)> =
        lists.iter().map(|(topic, number, list)| (TopicPartition::new(*topic, *number), ids(list))).collect();
    let verdict = judge_assignment(&world.cluster(), &lists);
    assert_eq!((verdict.partitions, verdict.lists), (lists.len(), lists.len()));
    names(&verdict)
}

#[test]
fn a_fair_assignment_is_accepted() {
    let world = World::story();
    let lists: &[(&str, i32, &[i32])] = &[
        ("orders", 0, &[4, 6]),
        ("orders", 1, &[3, 2]), // as it is
        ("orders", 2, &[3, 2]), // another leader
        ("pay", 0, &[5, 3, 4]), // one more
    ];
    assert_eq!(found(&world, lists), [""; 0]);
}

#[test]
fn each_defect_is_named() {
    type Break = fn(&mut World);
    let same: Break = |_| {};
    let cases: &[(&str, Promise, &str, Break, &[i32])] = &[
        ("duplicate broker", P1, "orders-0", same, &[4, 4]),
        ("no broker", P1, "orders-0", same, &[]),
        ("unknown broker", Cluster, "orders-0", same, &[4, 9]),
        ("one zone", P3, "orders-0", same, &[4, 5]),
        ("uneven", P3, "orders-0", same, &[1, 2, 4, 3]),
        ("min ISR not met", P4, "orders-0", same, &[1]),
        ("min ISR above it", Ready, "orders-0", |w| w.shelves[2].min_isr = Some(3), &[4, 6]),
        ("in flight", Ready, "orders-0", |w| w.shelves[2].rows[0].adding = vec![3], &[4, 6]),
        ("offline", Ready, "orders-0", |w| w.shelves[2].rows[0].offline = true, &[4, 6]),
        ("fenced", Ready, "broker 4", |w| w.brokers[3].fenced = Some(true), &[4, 6]),
        ("silent", Ready, "broker 6", |w| w.brokers[5].answered = false, &[4, 6]),
        ("no room", P5, "broker 4", |w| w.brokers[3].log_dirs[0].usable_bytes = Some(99), &[4, 6]),
        (
            "no room where two directories may be one volume",
            P5,
            "broker 4",
            |w| {
                w.brokers[3].log_dirs[0].usable_bytes = Some(60);
                let twin = w.brokers[3].log_dirs[0].clone();
                w.brokers[3].log_dirs.push(twin);
            },
            &[4, 6],
        ),
        (
            "other retention",
            Config,
            "orders-0",
            |w| {
                let values = vec![("1".into(), ids(&[1, 2, 3])), ("2".into(), ids(&[4]))];
                w.differences.push(ConfigDifference {
                    topic: "orders".into(),
                    key: "segment.ms".into(),
                    values,
                });
            },
            &[4, 6],
        ),
    ];
    for (what, promise, place, break_it, list) in cases {
        let mut world = World::story();
        break_it(&mut world);
        assert_eq!(found(&world, &[("orders", 0, list)]), only(*promise, place), "{what}");
    }
}

#[test]
fn unknown_and_repeated_partitions_are_named() {
    let lists: &[(&str, i32, &[i32])] = &[
        ("orders", 0, &[4, 6]),
        ("orders", 0, &[4, 6]),
        ("orders", 7, &[4, 6]),
        ("orders", -1, &[4, 6]),
        ("nothing", 0, &[4, 6]),
    ];
    assert_eq!(
        found(&World::story(), lists),
        [only(P2, "orders-0")[0].as_str(), "cluster nothing-0", "cluster orders--1", "cluster orders-7",]
    );
}

#[test]
fn a_start_that_is_uneven_may_stay_so() {
    let mut world = World::story();
    world.shelves[2].rows[0] = row(&[1, 2], 100);
    assert_eq!(found(&world, &[("orders", 0, &[4, 5])]), [""; 0]);
    assert_eq!(found(&world, &[("orders", 0, &[4, 6])]), [""; 0]);
    assert_eq!(found(&world, &[("orders", 0, &[1, 2, 4])]), only(P3, "orders-0"));
}
