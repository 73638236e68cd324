//! Break one promise of a valid plan: `check` names that promise, and the place, and nothing else.

use restow_planner::check::Promise::{
    self, Cluster, Config, Intent as Asked, P1, P2, P3, P4, P5, P6, P7, Ready,
};
use restow_planner::check::judge_plan_alone;
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
