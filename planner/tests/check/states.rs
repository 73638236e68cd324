//! States that are fine though they are not the plain start: runs under way, odd starts, the way back.

use restow_planner::check::At;
use restow_planner::check::Promise::{Cluster, P3, P5, P6};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::LeftOut;

use super::world::{World, broker, ids, line, names, only, row};

#[test]
fn what_is_left_out_needs_no_move() {
    let mut world = World::story();
    world.lines.remove(2);
    world.refigure();
    let partition = TopicPartition::new("orders", 2);
    world.plan.left_out.push(LeftOut { partition, keeps: ids(&[3, 2]), reason: "no room".into() });
    assert_eq!(world.named(), [""; 0]);
}

#[test]
fn a_run_under_way_stands_in_known_states() {
    // orders-0 is [1,3] -> [4,6].
    let known: &[(&[i32], &[i32], &[i32])] = &[
        (&[1, 3], &[], &[]),
        (&[1, 3, 4, 6], &[4, 6], &[]),
        (&[1, 3, 4, 6], &[6], &[]),
        (&[1, 3, 6, 4], &[], &[4, 6]),
        (&[4, 6, 1, 3], &[], &[]),
        (&[4, 6, 3, 1], &[], &[1, 3]),
        (&[4, 6], &[], &[]),
    ];
    for (list, adding, removing) in known {
        let mut world = World { at: At::Anywhere, ..World::story() };
        let row = &mut world.shelves[2].rows[0];
        (row.replicas, row.adding, row.removing) = (list.to_vec(), adding.to_vec(), removing.to_vec());
        assert_eq!(world.named(), [""; 0], "{list:?}");
        world.at = At::Start;
        assert!(list == &[1, 3] || !world.verdict().accepted(), "{list:?}");
    }
    let foreign: &[(&[i32], &[i32], &[i32])] = &[
        (&[3, 1], &[], &[]),
        (&[1, 4, 3, 6], &[], &[]),
        (&[6, 4], &[], &[]),
        (&[1, 3, 4], &[], &[]),
        (&[1, 3, 5], &[5], &[]),
        (&[1, 3, 4, 6], &[1], &[]),
        (&[1, 3, 4, 6, 5], &[], &[5]),
    ];
    for (list, adding, removing) in foreign {
        let mut world = World { at: At::Anywhere, ..World::story() };
        let row = &mut world.shelves[2].rows[0];
        (row.replicas, row.adding, row.removing) = (list.to_vec(), adding.to_vec(), removing.to_vec());
        assert_eq!(world.named(), only(Cluster, "orders-0"), "{list:?}");
    }
}

#[test]
fn brokers_come_and_go_during_a_run() {
    let mut world = World { at: At::Anywhere, ..World::story() };
    world.brokers.push(broker(7, "az-new"));
    assert_eq!(world.named(), [""; 0]);
    for line in world.lines.clone() {
        let name = &world.plan.topics[line.topic as usize].name;
        let shelf = world.shelves.iter_mut().find(|shelf| shelf.name == *name).unwrap();
        shelf.rows[line.partition as usize].replicas = line.to;
    }
    world.brokers.retain(|broker| broker.id.0 > 3); // emptied, and gone
    assert_eq!(world.named(), [""; 0]);
    world.brokers.retain(|broker| broker.id.0 != 4);
    world.shelves.retain(|shelf| shelf.name == "pay");
    assert_eq!(world.named(), ["cluster __consumer_offsets-0", "cluster orders-0"]);
}

#[test]
fn later_sizes_are_judged_against_limits_only() {
    let mut world = World { at: At::Anywhere, ..World::story() };
    world.shelves[2].rows[0].bytes = 150;
    world.shelves[2].rows.push(row(&[1, 3], 5)); // a partition that appeared since
    assert_eq!(world.named(), [""; 0]);
    world.shelves[2].rows[0].bytes = 5_000;
    world.plan.brokers[5].limit_bytes = Some(5_629);
    world.brokers[5].log_dirs[0].usable_bytes = Some(9_000);
    world.brokers[3].log_dirs[0].usable_bytes = Some(9_000);
    assert_eq!(world.named(), only(P5, "broker 6"));
    // What is already copied does not come in again.
    world.shelves[2].rows[0].replicas = vec![1, 3, 4, 6];
    world.brokers[5].log_dirs[0].usable_bytes = Some(560);
    world.plan.brokers[5].limit_bytes = Some(5_630);
    assert_eq!(world.named(), [""; 0]);
}

#[test]
fn a_start_that_breaks_the_zone_rule_may_stay_as_it_is() {
    let mut world = World::story();
    world.shelves[2].rows[0].replicas = vec![1, 2];
    world.lines[0] = line(1, 0, &[1, 2], &[4, 5], 100);
    world.refigure();
    assert_eq!(world.named(), only(P3, "orders-0")); // not owned up to
    world.plan.no_worse.push(TopicPartition::new("orders", 0));
    assert_eq!(world.named(), [""; 0]);
    // 3+1 is as uneven at the end, and has to be owned up to.
    world.brokers.push(broker(7, "az-a"));
    world.plan.brokers.push(world.plan.brokers[3].clone());
    world.plan.brokers[6].id = BrokerId(7);
    world.brokers.push(broker(8, "az-a"));
    world.plan.brokers.push(world.plan.brokers[3].clone());
    world.plan.brokers[7].id = BrokerId(8);
    world.shelves[2].rows[1].replicas = vec![3, 2, 7, 8];
    world.lines[1] = line(1, 1, &[3, 2, 7, 8], &[6, 5, 7, 8], 200);
    world.refigure();
    assert_eq!(world.named(), only(P3, "orders-1"));
    world.plan.no_worse.push(TopicPartition::new("orders", 1));
    assert_eq!(world.named(), [""; 0]);
}

#[test]
fn without_zones_there_is_no_zone_rule() {
    let mut world = World::story();
    world.brokers.iter_mut().for_each(|broker| broker.zone = None);
    world.plan.brokers.iter_mut().for_each(|broker| broker.zone = None);
    world.plan.rules = restow_planner::rule::Rule::of_plan(false, None, false);
    world.lines[0].to = vec![4, 5];
    world.refigure();
    assert_eq!(world.named(), [""; 0]);
    world.plan.brokers[0].zone = Some("az-a".into());
    assert!(world.named().iter().filter(|name| name.starts_with("P3 broker")).count() == 5);
}

#[test]
fn a_broker_that_is_given_up_is_in_no_step() {
    let mut world = World::story();
    world.plan.given_up.push(BrokerId(2));
    world.brokers[1].fenced = Some(true);
    assert_eq!(world.named(), [""; 0]);
    let mut world = World { at: At::Anywhere, ..world };
    for list in [&[3, 2][..], &[3, 6, 5], &[3, 2, 6, 5], &[6, 5, 3], &[6, 5]] {
        world.shelves[2].rows[1].replicas = list.to_vec();
        assert_eq!(world.named(), [""; 0], "{list:?}");
    }
    world.plan.given_up.push(BrokerId(3));
    world.brokers[2].fenced = Some(true);
    assert!(world.named().contains(&"P4 orders-1".to_owned()));
}

#[test]
fn the_way_back_is_an_ordinary_plan() {
    let mut world = World::story();
    world.shelves[2].rows[0].replicas = vec![4, 6];
    let plan = world.plan();
    let back = restow_planner::plan::back::plan_back(&plan, "sha256:x", &[0], &world.cluster());
    let verdict = restow_planner::check::judge(&back, &world.cluster(), At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    let mut wrong = back;
    wrong.certificate.bound_bytes -= 1;
    assert_eq!(names(&restow_planner::check::judge(&wrong, &world.cluster(), At::Start)), only(P6, ""));
}
