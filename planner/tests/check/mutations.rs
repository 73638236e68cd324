//! Break one promise of a valid plan: `check` names that promise, and the place, and nothing else.

use restow_planner::check::Promise::{
    self, Cluster, Config, Intent as Asked, P1, P2, P3, P4, P5, P6, P7, Ready,
};
use restow_planner::check::{At, judge_plan_alone};
use restow_planner::model::{BrokerId, ConfigDifference, TopicPartition, UNKNOWN_SIZE, Unseen};
use restow_planner::plan::{AcceptedDifference, Intent, LeftOut};

use super::world::{World, broker, ids, line, names, only, row, topic_id};

type Break = fn(&mut World);

/// What is broken, the promise that has to be named, and the partition or broker.
const LISTS: &[(&str, Promise, &str, Break)] = &[
    ("duplicate broker in the target", P1, "orders-0", |w| w.lines[0].to = vec![4, 4]),
    ("empty target", P1, "orders-0", |w| w.lines[0].to = vec![]),
    ("empty start", P1, "orders-0", |w| w.lines[0].from = vec![]),
    ("duplicate broker at the start", P1, "orders-2", |w| w.lines[2].from = vec![3, 3]),
    ("forty replicas", P1, "orders-0", |w| w.lines[0].to = (1..41).collect()),
    ("moved twice", P2, "orders-1", |w| w.lines.insert(2, w.lines[1].clone())),
    ("moved twice, far apart", P2, "orders-0", |w| w.lines.insert(4, w.lines[0].clone())),
    ("moves out of order", P2, "orders-1", |w| w.lines.swap(1, 2)),
    ("internal topic first", P2, "orders-0", |w| w.lines.rotate_right(1)),
    ("zone order reversed", P3, "orders-0", |w| {
        w.lines[0].to = vec![6, 4];
        w.refigure();
    }),
    ("zone dropped", P3, "orders-0", |w| {
        w.lines[0].to = vec![4, 5];
        w.refigure();
    }),
    ("zone rule excused without need", P3, "orders-0", |w| {
        w.plan.no_worse.push(TopicPartition::new("orders", 0));
    }),
    ("zone rule excused for what is not moved", P3, "elsewhere-0", |w| {
        w.plan.no_worse.push(TopicPartition::new("elsewhere", 0));
    }),
    ("zone rule left out", P3, "", |w| {
        w.plan.rules.retain(|rule| rule.what != restow_planner::rule::What::ZoneSpread);
    }),
    ("zone of a broker changed", P3, "broker 2", |w| w.brokers[1].zone = Some("az-c".into())),
    ("replication factor lowered", P4, "orders-0", |w| {
        w.lines[0].to = vec![4];
        w.refigure();
    }),
    ("start shuffled", P7, "orders-1", |w| {
        w.lines[1].from = vec![2, 3];
        w.lines[1].to = vec![5, 6];
        w.refigure();
    }),
];

const FIGURES: &[(&str, Promise, &str, Break)] = &[
    ("capacity rule left out", P5, "", |w| w.plan.rules.truncate(2)),
    ("wrong bytes before", P5, "broker 1", |w| w.plan.impact[0].before += 1),
    ("wrong peak", P5, "broker 4", |w| w.plan.impact[3].peak -= 1),
    ("wrong bytes after", P5, "broker 6", |w| w.plan.impact[5].after += 1),
    ("wrong replicas", P5, "broker 6", |w| w.plan.impact[5].replicas_after += 1),
    ("wrong leaders", P5, "broker 5", |w| w.plan.impact[4].leaders_after += 1),
    ("wrong unknown sizes", P5, "broker 5", |w| w.plan.impact[4].unknown += 1),
    ("no figures for a broker", P5, "broker 6", |w| w.plan.impact.truncate(5)),
    ("figures twice", P5, "broker 6", |w| w.plan.impact.push(w.plan.impact[5].clone())),
    ("overflow of a limit", P5, "broker 6", |w| w.plan.brokers[5].limit_bytes = Some(729)),
    ("overflow of a disk", P5, "broker 6", |w| w.brokers[5].log_dirs[0].usable_bytes = Some(659)),
    ("limit above the disk", P5, "broker 6", |w| w.plan.brokers[5].limit_bytes = Some(10_001)),
    ("wrong bytes of a move", P6, "orders-1", |w| w.lines[1].bytes = Some(201)),
    ("unknown bytes of a move", P6, "orders-1", |w| w.lines[1].bytes = None),
    ("bound too high", P6, "", |w| w.plan.certificate.bound_bytes += 1),
    ("bound too low", P6, "", |w| w.plan.certificate.bound_bytes -= 1),
    ("moved bytes wrong", P6, "", |w| w.plan.certificate.moved_bytes += 1),
    ("unknown sizes hidden", P6, "", |w| w.plan.certificate.unknown_sizes += 1),
];

const ASKED: &[(&str, Promise, &str, Break)] = &[
    ("dropped partition", Asked, "orders-2", |w| {
        w.lines.remove(2);
        w.refigure();
    }),
    ("moved and left out", Asked, "orders-2", |w| {
        let partition = TopicPartition::new("orders", 2);
        w.plan.left_out.push(LeftOut { partition, keeps: ids(&[2, 3]), reason: String::new() });
    }),
    ("left out, other brokers named", Asked, "orders-2", |w| {
        w.lines.remove(2);
        w.refigure();
        let partition = TopicPartition::new("orders", 2);
        w.plan.left_out.push(LeftOut { partition, keeps: ids(&[3]), reason: String::new() });
    }),
    ("one replica stays on a source", Asked, "orders-0", |w| {
        w.lines[0].to = vec![4, 3];
        w.refigure();
    }),
    ("goes to a broker that is no destination", Asked, "orders-0", |w| {
        w.brokers.push(broker(7, "az-a"));
        w.plan.brokers.push(w.plan.brokers[0].clone());
        w.plan.brokers[6].id = BrokerId(7);
        w.lines[0].to = vec![7, 6];
        w.refigure();
    }),
    ("nothing of it is on a source", Asked, "elsewhere-0", |w| {
        w.plan.topics.insert(1, w.plan.topics[2].clone());
        (w.plan.topics[1].name, w.plan.topics[1].id) = ("elsewhere".into(), topic_id(2));
        w.lines.iter_mut().filter(|line| line.topic > 0).for_each(|line| line.topic += 1);
        w.lines.insert(0, line(1, 0, &[4, 6], &[5, 6], 70));
        w.refigure();
    }),
    ("a topic that is excluded", Asked, "pay-0", |w| {
        let Intent::Migrate { exclude, .. } = &mut w.plan.intent else { return };
        exclude.push("pa.".into());
    }),
    ("a broker in --from and --to", Asked, "broker 4", |w| {
        // Its partitions are all left out, so that only the intent itself is wrong.
        let Intent::Migrate { from, .. } = &mut w.plan.intent else { return };
        from.push(BrokerId(4));
        w.lines.retain(|line| !line.to.contains(&4));
        for (topic, partition, keeps) in
            [("orders", 0, vec![1, 3]), ("__consumer_offsets", 0, vec![1, 3]), ("elsewhere", 0, vec![4])]
        {
            let partition = TopicPartition::new(topic, partition);
            w.plan.left_out.push(LeftOut { partition, keeps: ids(&keeps), reason: String::new() });
        }
        w.refigure();
    }),
    ("a place not preserved", Asked, "pay-0", |w| {
        let Intent::Migrate { preserve_leaders, .. } = &mut w.plan.intent else { return };
        *preserve_leaders = true;
        w.shelves[3].rows[0] = row(&[5, 1, 3], 50);
        w.lines[3] = line(2, 0, &[5, 1, 3], &[4, 5, 6], 50);
        w.refigure();
    }),
];

const STANDING: &[(&str, Promise, &str, Break)] = &[
    ("foreign cluster", Cluster, "", |w| w.cluster_id = "another".into()),
    ("wrong topic id", Cluster, "orders-0", |w| w.plan.topics[1].id = topic_id(9)),
    ("topic gone", Cluster, "pay-0", |w| drop(w.shelves.remove(3))),
    ("internal or not", Cluster, "orders-0", |w| w.shelves[2].internal = true),
    ("partition gone", Cluster, "orders-2", |w| drop(w.shelves[2].rows.pop())),
    ("partition elsewhere", Cluster, "orders-2", |w| w.shelves[2].rows[2].replicas = vec![2, 6]),
    ("broker unknown to the plan", Cluster, "orders-0", |w| w.lines[0].to = vec![8, 6]),
    ("broker gone", Cluster, "broker 7", |w| {
        w.plan.brokers.push(w.plan.brokers[0].clone());
        w.plan.brokers[6].id = BrokerId(7);
        w.plan.impact.push(w.plan.impact[0].clone());
        let row = &mut w.plan.impact[6];
        (row.broker, row.before, row.peak, row.replicas_before, row.leaders_before) =
            (BrokerId(7), 0, 0, 0, 0);
    }),
    ("fenced destination", Ready, "broker 6", |w| w.brokers[5].fenced = Some(true)),
    ("silent destination", Ready, "broker 6", |w| w.brokers[5].answered = false),
    ("failed log dir", Ready, "broker 6", |w| w.brokers[5].log_dirs[0].offline = true),
    ("offline partition", Ready, "orders-1", |w| w.shelves[2].rows[1].offline = true),
    ("in flight", Ready, "orders-1", |w| w.shelves[2].rows[1].removing = vec![2]),
    ("min ISR above the replication factor", Ready, "pay-0", |w| w.shelves[3].min_isr = Some(3)),
    ("a broker given up that lives", Ready, "broker 2", |w| {
        w.plan.given_up.push(BrokerId(2));
    }),
    ("a topic that nobody may see", Ready, "broker 3", |w| {
        w.brokers[2].unseen.push(Unseen { topic: "secret".into(), replicas: 4 });
    }),
    ("shorter retention", Config, "orders-0", |w| w.differences.push(retention("orders"))),
    ("another difference was accepted", Config, "orders-0", |w| {
        w.differences.push(retention("orders"));
        accept(w, "orders", "retention.bytes");
    }),
    ("accepted for another topic", Config, "orders-0", |w| {
        w.differences.push(retention("orders"));
        accept(w, "pay", "retention.ms");
    }),
    ("accepted when it was another value", Config, "orders-0", |w| {
        w.differences.push(retention("orders"));
        accept(w, "orders", "retention.ms");
        w.plan.accepted_differences[0].values[0].0 = "604".into();
    }),
    ("a listener is missing", Config, "broker 4", |w| {
        w.brokers[0].listeners.as_mut().unwrap().push("SECURE".into());
        w.brokers[4].listeners = None;
        w.brokers[5].listeners = w.brokers[0].listeners.clone();
    }),
];

fn retention(topic: &str) -> ConfigDifference {
    ConfigDifference {
        topic: topic.into(),
        key: "retention.ms".into(),
        values: vec![("3600".into(), ids(&[4, 5, 6])), ("86400".into(), ids(&[1, 2, 3]))],
    }
}

fn accept(w: &mut World, topic: &str, key: &str) {
    let values = retention(topic).values;
    w.plan.accepted_differences.push(AcceptedDifference { key: key.into(), topic: topic.into(), values });
}

#[test]
fn the_story_is_accepted() {
    let verdict = World::story().verdict();
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    assert_eq!((verdict.partitions, verdict.lists), (5, 20));
    let verdict = judge_plan_alone(&World::story().plan());
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
}

#[test]
fn each_broken_promise_is_named_with_its_place() {
    let mut wrong = Vec::new();
    for (what, promise, place, break_it) in [LISTS, FIGURES, ASKED, STANDING].concat() {
        let mut world = World::story();
        break_it(&mut world);
        if world.named() != only(promise, place) {
            wrong.push(format!("{what}: {:#?}", world.verdict().findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_plan_alone_names_what_needs_no_cluster() {
    let mut wrong = Vec::new();
    let needs_cluster = |what: &str| {
        ["zone of a broker changed", "dropped partition", "left out, other brokers named"].contains(&what)
    };
    let lists = LISTS.iter().filter(|(what, ..)| *what != "start shuffled").copied().collect::<Vec<_>>();
    for (what, promise, place, break_it) in [lists.as_slice(), ASKED].concat() {
        let mut world = World::story();
        break_it(&mut world);
        let found = names(&judge_plan_alone(&world.plan()));
        let expected = if needs_cluster(what) { vec![] } else { only(promise, place) };
        if found != expected {
            wrong.push(format!("{what}: {found:?}"));
        }
    }
    for (what, break_it) in [
        ("peak", (|w| w.plan.impact[3].peak -= 1) as Break),
        ("leaders", |w| w.plan.impact[4].leaders_after += 1),
        ("limit", |w| w.plan.brokers[5].limit_bytes = Some(729)),
    ] {
        let mut world = World::story();
        break_it(&mut world);
        let found = names(&judge_plan_alone(&world.plan()));
        if !(found.len() == 1 && found[0].starts_with("P5 broker")) {
            wrong.push(format!("{what}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_findings_are_told_and_not_the_first_only() {
    let mut world = World::story();
    world.lines[0].to = vec![4, 5];
    world.brokers[5].fenced = Some(true);
    world.differences.push(retention("pay"));
    world.shelves[2].rows[2].adding = vec![3];
    world.refigure();
    assert_eq!(world.named(), ["P3 orders-0", "config pay-0", "ready broker 6", "ready orders-2"]);
}

#[test]
fn a_move_of_nothing_is_named_and_so_is_what_is_then_missing() {
    for (topic, partition, name) in [(9, 0, "P2 #9-0"), (2, -1, "P2 pay--1")] {
        let mut world = World::story();
        (world.lines[3].topic, world.lines[3].partition) = (topic, partition);
        assert_eq!(world.named(), [name, "intent pay-0"]);
    }
    let mut world = World::story();
    world.lines[3].to = world.lines[3].from.clone();
    assert!(world.named().contains(&"P2 pay-0".to_owned()));
    let mut world = World::story();
    world.plan.topics.push(world.plan.topics[1].clone());
    assert_eq!(world.named(), only(P2, ""));
}

#[test]
fn an_accepted_difference_and_one_that_no_move_crosses_are_fine() {
    let mut world = World::story();
    world.differences = vec![retention("elsewhere"), retention("orders")];
    accept(&mut world, "orders", "retention.ms");
    world.differences.push(ConfigDifference { key: "flush.ms".into(), ..retention("pay") });
    assert_eq!(world.named(), [""; 0]);
    let mut world = World::story();
    world.differences.push(retention("orders"));
    let message = world.verdict().findings[0].message.clone();
    for part in ["retention.ms", "\"86400\" on broker 1", "\"3600\" on broker 4"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn unknown_sizes_are_counted_apart() {
    let mut world = World::story();
    world.shelves[2].rows[0].bytes = UNKNOWN_SIZE;
    world.lines[0].bytes = None;
    world.refigure();
    assert_eq!((world.named(), world.plan.certificate.unknown_sizes), (vec![], 2));
}

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
    world.brokers.push(broker(7, "az-a"));
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
    world.plan.no_worse.push(TopicPartition::new("orders", 0));
    world.refigure();
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
    world.plan.rules = restow_planner::rule::Rule::of_plan(false);
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
