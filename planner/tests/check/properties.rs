//! Random valid moves are accepted, and the planner's lists are the ones that the judge accepts.

use proptest::prelude::*;
use restow_planner::check::{Promise, judge_steps};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::{Step, moves};

use super::world::{World, broker, ids, line, row};

/// Zones of old and new brokers: broker `10 * zone + n` is the n-th old, `+ 100` its new twin.
fn random_world() -> impl Strategy<Value = World> {
    let partition = (
        prop::collection::vec((0usize..3, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 2..4),
        1u64..50,
        any::<bool>(),
    );
    (2i32..4, 1i32..4, 3i32..6, prop::collection::vec(partition, 1..30)).prop_map(
        |(zones, olds, news, partitions)| {
            let mut world = World::story();
            world.brokers.clear();
            for zone in 0..zones {
                let name = format!("az-{zone}");
                let ids = (0..olds).map(|n| 10 * zone + n).chain((0..news).map(|n| 100 + 10 * zone + n));
                world.brokers.extend(ids.map(|id| broker(id, &name)));
            }
            world.brokers.sort_by_key(|b| b.id);
            let model = world.plan.brokers[0].clone();
            world.plan.brokers = (world.brokers.iter())
                .map(|b| restow_planner::plan::PlanBroker { id: b.id, zone: b.zone.clone(), ..model.clone() })
                .collect();
            let (new, old): (Vec<_>, Vec<_>) = world.brokers.iter().map(|b| b.id).partition(|id| id.0 >= 100);
            if let restow_planner::plan::Intent::Migrate { from, to, .. } = &mut world.plan.intent {
                (*from, *to) = (old, new);
            }
            world.shelves.retain(|shelf| shelf.name == "orders");
            world.plan.topics.retain(|topic| topic.name == "orders");
            world.shelves[0].rows.clear();
            world.lines.clear();
            for (number, (replicas, bytes, one_stays)) in partitions.iter().enumerate() {
                // One replica for each zone, from a random first zone on: even whatever the length.
                let count = replicas.len().min(zones as usize) as i32;
                let zone_of = |at: i32| (replicas[0].0 as i32 + at).rem_euclid(zones);
                let (mut from, mut to) = (vec![], vec![]);
                for (at, (_, old, new)) in (0..count).zip(replicas) {
                    let stays = *one_stays && at > 0;
                    let new = 100 + 10 * zone_of(at) + new.index(news as usize) as i32;
                    from.push(if stays { new } else { 10 * zone_of(at) + old.index(olds as usize) as i32 });
                    to.push(new);
                }
                world.shelves[0].rows.push(row(&from, *bytes));
                world.lines.push(line(0, number as i32, &from, &to, *bytes));
            }
            world.refigure();
            world
        },
    )
}

/// Two lists over a few brokers.
fn two_lists() -> impl Strategy<Value = (Vec<BrokerId>, Vec<BrokerId>)> {
    let list = || {
        prop::sample::subsequence((1..8).collect::<Vec<i32>>(), 1..5)
            .prop_shuffle()
            .prop_map(|list| ids(&list))
    };
    (list(), list()).prop_filter("no move", |(from, to)| from != to)
}

/// Lines of any kind, most of them nonsense.
fn any_lines() -> impl Strategy<Value = Vec<super::world::Line>> {
    let list = || prop::collection::vec(0i32..9, 0..5);
    let line = (0u32..5, -1i32..4, list(), list(), prop::option::of(any::<u64>()));
    let line = line.prop_map(|(topic, partition, from, to, bytes)| super::world::Line {
        topic,
        partition,
        from,
        to,
        bytes,
    });
    prop::collection::vec(line, 0..6)
}

proptest! {
    #[test]
    fn nonsense_is_refused_without_a_panic(lines in any_lines(), given_up in 0i32..9) {
        let mut world = World::story();
        world.lines = lines;
        world.plan.given_up = ids(&[given_up]);
        prop_assert!(!world.verdict().accepted());
        world.at = restow_planner::check::At::Anywhere;
        let _ = world.verdict();
        let _ = restow_planner::check::judge_plan_alone(&world.plan());
    }

    #[test]
    fn any_assignment_gets_a_verdict(lines in any_lines()) {
        let world = World::story();
        let name = |line: &super::world::Line| {
            let topic = world.shelves.get(line.topic as usize).map_or("none", |shelf| shelf.name.as_str());
            (TopicPartition::new(topic, line.partition), ids(&line.to))
        };
        let lists: Vec<_> = lines.iter().map(name).collect();
        let verdict = restow_planner::check::judge_assignment(&world.cluster(), &lists);
        prop_assert_eq!(verdict.partitions, lists.len());
    }

    #[test]
    fn valid_migrations_are_accepted(world in random_world()) {
        let verdict = world.verdict();
        prop_assert!(verdict.accepted(), "{:#?}", verdict.findings);
    }

    #[test]
    fn p2_the_planners_lists_are_what_the_judge_expects((from, to) in two_lists()) {
        let verdict = judge_steps(&TopicPartition::new("t", 0), &from, &to, &moves::steps(&from, &to));
        prop_assert!(verdict.accepted(), "{:#?}", verdict.findings);
    }

    #[test]
    fn p2_p7_any_other_list_is_named((from, to) in two_lists(), at in any::<prop::sample::Index>(),
                                     a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let mut steps = moves::steps(&from, &to);
        let at = at.index(steps.len());
        let list = &mut steps[at].1;
        let before = list.clone();
        let (a, b) = (a.index(list.len()), b.index(list.len()));
        list.swap(a, b);
        prop_assume!(*list != before);
        let verdict = judge_steps(&TopicPartition::new("t", 0), &from, &to, &steps);
        prop_assert!(!verdict.accepted());
        prop_assert!(verdict.findings.iter().all(|f| matches!(f.promise, Promise::P2 | Promise::P7)));
    }
}

#[test]
fn lists_that_another_derived_are_judged_by_what_they_must_be() {
    let (from, to) = (ids(&[1, 3]), ids(&[4, 6]));
    let judge = |steps: &[(Step, &[i32])]| -> Vec<String> {
        let steps: Vec<_> = steps.iter().map(|(step, list)| (*step, ids(list))).collect();
        let verdict = judge_steps(&TopicPartition::new("t", 0), &from, &to, &steps);
        verdict.findings.iter().map(|finding| finding.promise.to_string()).collect()
    };
    let (expand, swap, shrink) = (Step::Expand, Step::Swap, Step::Shrink);
    let whole: [(Step, &[i32]); 3] = [(expand, &[1, 3, 4, 6]), (swap, &[4, 6, 1, 3]), (shrink, &[4, 6])];
    assert_eq!(judge(&whole), [""; 0]);
    assert_eq!(judge(&[]), ["P2"]);
    assert_eq!(judge(&whole[..2]), ["P2"]);
    assert_eq!(judge(&[whole[0], whole[2]]), ["P2"]); // the leader would move while copies are dropped
    assert_eq!(judge(&[(expand, &[3, 1, 4, 6]), whole[1], whole[2]]), ["P7"]);
    assert_eq!(judge(&[(expand, &[1, 3, 6, 4]), whole[1], whole[2]]), ["P2"]);
    assert_eq!(judge(&[whole[0], (swap, &[4, 6, 3, 1]), whole[2]]), ["P2"]);
    assert_eq!(judge(&[whole[0], (swap, &[4, 6, 1]), whole[2]]), ["P7", "P2"]);
    assert_eq!(judge(&[whole[0], whole[0], whole[1], whole[2]]), ["P2", "P2", "P2"]);
    assert_eq!(judge(&[whole[0], whole[1], (shrink, &[4, 4])]), ["P1"]);
}
