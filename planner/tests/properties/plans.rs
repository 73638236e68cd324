//! What holds for every plan.

use std::collections::BTreeSet;

use proptest::prelude::*;
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, TopicPartition, Topology};
use restow_planner::place::{self, Options, PlaceError, Placed};
use restow_planner::plan::back::plan_back;
use restow_planner::plan::{Intent, moves};

use restow_planner::{check, file};

use super::worlds::{self, NEW, World};

fn place(world: &World, leave_out_refused: bool) -> Result<Placed, PlaceError> {
    let options = Options { leave_out_refused, ..Options::default() };
    place::plan(&world.cluster(), &world.intent, &options, &mut Unwatched)
}

fn preserves(world: &World) -> bool {
    matches!(world.intent, Intent::Migrate { preserve_leaders: true, .. })
}

/// The world after a plan was carried out.
pub fn at_end(mut world: World, placed: &Placed) -> World {
    for m in placed.plan.moves.iter() {
        let name = &placed.plan.topic_of(&m).name;
        let rows = world.topics.iter_mut().find(|(topic, _)| topic.name == *name).map(|(_, rows)| rows);
        let row = &mut rows.unwrap()[m.partition as usize];
        row.replicas = m.to.iter().map(|id| id.0).collect();
        (row.leader, row.lagging) = (Some(0), 0);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A plan, or everything that refuses it; and nothing but brokers refuses the rest.
    #[test]
    fn every_cluster_gives_a_plan_or_typed_refusals(world in worlds::any_world()) {
        match place(&world, false) {
            Ok(placed) => prop_assert!(placed.refusals.is_empty() && placed.plan.left_out.is_empty()),
            Err(PlaceError::Refused { refusals }) => {
                prop_assert!(!refusals.is_empty());
                match place(&world, true) {
                    Ok(placed) => prop_assert_eq!(placed.refusals, refusals),
                    Err(PlaceError::Refused { refusals: still }) => {
                        prop_assert!(refusals.iter().any(|refusal| !refusal.kind.can_be_left_out()));
                        prop_assert_eq!(still, refusals);
                    }
                    Err(other) => prop_assert!(false, "{other}"),
                }
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// Row 11: partitions that start 1+1 are 2+2 while both replicas are replaced and 2+1 while one is.
    #[test]
    fn p3_one_in_each_zone_is_never_three_and_one_nor_in_one_zone(world in worlds::one_in_each_zone()) {
        let placed = match place(&world, false) {
            Ok(placed) => placed,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        for m in placed.plan.moves.iter() {
            let zones = |list: &[BrokerId]| {
                let first = list.iter().filter(|id| placed.plan.zone(**id) == Some("az-a")).count();
                (first.max(list.len() - first), first.min(list.len() - first))
            };
            let replaced = moves::added(m.from, m.to).len();
            prop_assert_eq!(zones(m.from), (1, 1));
            for (step, list) in moves::steps(m.from, m.to) {
                let wanted = match (step, replaced) {
                    (moves::Step::Shrink, _) => (1, 1),
                    (_, 2) => (2, 2),
                    _ => (2, 1),
                };
                prop_assert_eq!(zones(&list), wanted, "{} {:?}", step, list);
            }
        }
    }

    /// Sources are left, nobody else moves, and every position keeps its zone.
    #[test]
    fn p3_every_position_keeps_its_zone(world in worlds::any_world()) {
        let Ok(placed) = place(&world, true) else { return Ok(()) };
        let cluster = world.cluster();
        let topology = Topology::of(&cluster).unwrap();
        let (mut seen, plan) = (BTreeSet::new(), &placed.plan);
        for m in plan.moves.iter() {
            prop_assert!(seen.insert(plan.partition_of(&m)), "moved twice");
            prop_assert_eq!(m.from.len(), m.to.len());
            for (old, new) in m.from.iter().zip(m.to) {
                let zone = |id: &BrokerId| topology.zone(cluster.broker_index(*id).unwrap());
                prop_assert_eq!(zone(old), zone(new));
                prop_assert!(new.0 >= NEW);
                prop_assert!(old.0 < NEW || old == new);
            }
            let distinct: BTreeSet<_> = m.to.iter().collect();
            prop_assert_eq!(distinct.len(), m.to.len());
        }
        let left: BTreeSet<TopicPartition> = plan.left_out.iter().map(|left| left.partition.clone()).collect();
        for (topic, p) in cluster.partitions() {
            let name = TopicPartition::new(topic.name.clone(), p.number);
            let asked = cluster.ids(p.replicas).iter().any(|id| id.0 < NEW);
            prop_assert_eq!(asked, seen.contains(&name) != left.contains(&name), "{}", name);
        }
    }

    /// Leaders are even among the destinations of a zone that start empty, and so are replicas.
    #[test]
    fn replicas_and_leaders_are_even(mut world in worlds::one_in_each_zone()) {
        world.topics[0].1.retain(|row| row.replicas.iter().all(|id| *id < NEW));
        let placed = place(&world, false).unwrap();
        for zone in ["az-a", "az-b"] {
            let rows = || placed.plan.impact.iter().filter(|row| row.broker.0 >= NEW && placed.plan.zone(row.broker) == Some(zone));
            let spread = |counts: Vec<u32>| counts.iter().max().unwrap() - counts.iter().min().unwrap();
            prop_assert!(spread(rows().map(|row| row.replicas_after).collect()) <= 1);
            prop_assert!(preserves(&world) || spread(rows().map(|row| row.leaders_after).collect()) <= 1);
        }
    }

    /// The same input gives the same bytes, and they are read back.
    #[test]
    fn a_plan_is_the_same_each_time_and_its_file_holds_all_of_it(world in worlds::any_world()) {
        let (Ok(one), Ok(two)) = (place(&world, true), place(&world, true)) else { return Ok(()) };
        let mut bytes = [Vec::new(), Vec::new()];
        let hash = file::plan::write(&one.plan, &mut bytes[0]).unwrap();
        file::plan::write(&two.plan, &mut bytes[1]).unwrap();
        prop_assert_eq!(&bytes[0], &bytes[1]);
        let read = file::plan::read(bytes[0].as_slice(), "plan.json").unwrap();
        prop_assert_eq!(read, (one.plan, hash));
    }

    /// From the end of a plan there is nothing more to do.
    #[test]
    fn planning_from_the_end_gives_an_empty_plan(world in worlds::any_world()) {
        let Ok(placed) = place(&world, true) else { return Ok(()) };
        let end = at_end(world, &placed);
        let mut left: BTreeSet<TopicPartition> = BTreeSet::new();
        left.extend(placed.plan.left_out.iter().map(|left| left.partition.clone()));
        let Ok(again) = place(&end, true) else { return Ok(()) };
        for m in again.plan.moves.iter() {
            // What did not fit before may fit now: disks are larger than what is on them.
            prop_assert!(left.contains(&again.plan.partition_of(&m)), "{:?}", again.plan.partition_of(&m));
        }
        if placed.refusals.is_empty() {
            prop_assert!(again.plan.moves.is_empty() && again.not_empty.is_empty());
        }
    }
    /// P7: the way back from the end is a plan that leads exactly to the start, and it is accepted.
    #[test]
    fn p7_the_way_back_leads_to_the_start(mut world in worlds::any_world()) {
        // The way back wants healthy sources.
        for broker in &mut world.brokers {
            (broker.fenced, broker.answered, broker.log_dirs[0].offline) = (Some(false), true, false);
            (broker.log_dirs[0].total_bytes, broker.log_dirs[0].usable_bytes) = (None, None);
            (broker.listeners, broker.node) = (None, None);
        }
        world.differences.clear();
        let Ok(placed) = place(&world, true) else { return Ok(()) };
        let all: Vec<usize> = (0..placed.plan.moves.len()).collect();
        let end = at_end(world, &placed).cluster();
        let back = plan_back(&placed.plan, &file::plan::hash(&placed.plan), &all, &end);
        prop_assert_eq!(back.moves.len(), all.len());
        for (there, back) in placed.plan.moves.iter().zip(back.moves.iter()) {
            prop_assert_eq!((there.from, there.to), (back.to, back.from));
        }
        let verdict = check::judge(&back, &end, check::At::Start);
        prop_assert!(verdict.accepted(), "{:#?}", verdict.findings);
        let mut bytes = Vec::new();
        let hash = file::plan::write(&back, &mut bytes).unwrap();
        prop_assert_eq!(file::plan::read(bytes.as_slice(), "plan.json.back").unwrap(), (back, hash));
    }
}
