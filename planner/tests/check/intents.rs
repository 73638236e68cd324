//! What each intent promises, on clusters where the best is known.

use std::collections::BTreeMap;

use restow_planner::check::{At, judge};
use restow_planner::generate::{self, Class};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::place::{self, Options, PlaceError, Placed, RefusalKind};
use restow_planner::plan::{Bands, Budget, Intent, Measure, moves};

fn plan(cluster: &Cluster, intent: &Intent) -> Placed {
    let placed = place::plan(cluster, intent, &Options::default(), &mut Unwatched).unwrap();
    let verdict = judge(&placed.plan, cluster, At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    placed
}

fn copies(placed: &Placed) -> usize {
    placed.plan.moves.iter().map(|m| moves::added(m.from, m.to).len()).sum()
}

fn held(cluster: &Cluster, broker: i32) -> usize {
    let at = cluster.broker_index(BrokerId(broker)).unwrap();
    cluster.partitions().filter(|(_, p)| p.replicas.contains(&at)).count()
}

/// Replicas of a list by zone.
fn zones(placed: &Placed, list: &[BrokerId]) -> BTreeMap<String, usize> {
    let mut zones = BTreeMap::new();
    for id in list {
        *zones.entry(placed.plan.zone(*id).unwrap().to_owned()).or_default() += 1;
    }
    zones
}

fn drain(brokers: &[i32]) -> Intent {
    let brokers = brokers.iter().copied().map(BrokerId).collect();
    Intent::Drain { brokers, replace_with: None, topics: vec![], exclude: vec![] }
}

fn rebalance(measures: &[Measure], tolerance: u32) -> Intent {
    let bands = Bands::on(measures, tolerance);
    Intent::Rebalance { bands, budget: Budget::default(), topics: vec![], exclude: vec![] }
}

#[test]
fn a_drain_moves_what_lay_there_and_nothing_else() {
    let class = Class { factor: 3, zones: 3, ..Class::migrate(3_300, 99, 0) };
    let cluster = generate::cluster(&class, 1);
    let placed = plan(&cluster, &drain(&[7]));
    assert_eq!(copies(&placed), held(&cluster, 7));
    assert_eq!(placed.plan.certificate.bound_bytes, placed.plan.certificate.moved_bytes);
    assert!(placed.not_empty.is_empty());
}

#[test]
fn a_rack_tight_drain_is_solved_with_as_many_moves_as_it_must() {
    let class = Class { factor: 3, zones: 3, ..Class::migrate(60, 12, 0) };
    let cluster = generate::cluster(&class, 1);
    for broker in 1..=12 {
        let placed = plan(&cluster, &drain(&[broker]));
        assert_eq!(copies(&placed), held(&cluster, broker), "broker {broker}");
    }
    let all: Vec<i32> = (0..4).map(|n| 1 + 3 * n).collect();
    let error = place::plan(&cluster, &drain(&all), &Options::default(), &mut Unwatched).unwrap_err();
    let PlaceError::Refused { refusals } = error else { panic!("{error}") };
    assert!(
        refusals.iter().all(|refusal| refusal.kind == RefusalKind::ZoneWithoutDestination),
        "{refusals:?}"
    );
}

#[test]
fn two_copies_become_four_with_two_in_each_zone() {
    let cluster = generate::cluster(&Class::migrate(600, 12, 0), 1);
    let up = Intent::SetFactor { factor: 4, topics: vec![], exclude: vec![] };
    let placed = plan(&cluster, &up);
    assert_eq!(placed.plan.moves.len(), 600);
    for m in placed.plan.moves.iter() {
        assert_eq!(m.to[..2], *m.from, "what is there stays in its order");
        assert!(zones(&placed, m.to).values().all(|count| *count == 2), "{:?}", m.to);
    }
}

#[test]
fn fewer_copies_keep_the_preferred_leader_and_the_spread() {
    let cluster = generate::cluster(&Class { factor: 4, ..Class::migrate(200, 8, 0) }, 1);
    let placed = plan(&cluster, &Intent::SetFactor { factor: 2, topics: vec![], exclude: vec![] });
    assert_eq!((placed.plan.moves.len(), copies(&placed)), (200, 0));
    for m in placed.plan.moves.iter() {
        assert_eq!(m.from[0], m.to[0]);
        assert_eq!(zones(&placed, m.to).len(), 2, "{:?}", m.to);
    }
}

#[test]
fn a_rebalance_meets_its_bands_close_to_its_bound() {
    let cluster = generate::cluster(&Class::M, 1);
    let placed = plan(&cluster, &rebalance(&[Measure::Replicas, Measure::Bytes, Measure::WriteRate], 500));
    assert!(placed.notes.iter().all(|note| !note.contains("outside of its band")), "{:?}", placed.notes);
    let certificate = &placed.plan.certificate;
    assert!(certificate.moved_bytes * 100 <= certificate.bound_bytes * 101, "{certificate:?}");
}

#[test]
fn counts_alone_are_evened_out_by_as_few_moves_as_can_be() {
    let class = Class { factor: 3, zones: 0, ..Class::migrate(3_300, 90, 10) }.grown();
    let cluster = generate::cluster(&class, 1);
    let placed = plan(&cluster, &rebalance(&[Measure::Replicas], 0));
    let counts = |of: fn(&restow_planner::plan::BrokerImpact) -> u32| {
        placed.plan.impact.iter().map(of).collect::<Vec<u32>>()
    };
    let (before, after) = (counts(|row| row.replicas_before), counts(|row| row.replicas_after));
    assert!(after.iter().all(|count| *count == 99), "{after:?}");
    let surplus: u32 = before.iter().map(|count| count.saturating_sub(99)).sum();
    assert_eq!(copies(&placed), surplus as usize);
}

#[test]
fn new_brokers_get_their_share_and_nobody_else_gets_anything() {
    let cluster = generate::cluster(&Class::M, 3);
    let brokers: Vec<BrokerId> = (25..=30).map(BrokerId).collect();
    let bands = Bands::on(&[Measure::Replicas, Measure::Bytes], 500);
    let add = Intent::Add { brokers: brokers.clone(), bands, topics: vec![], exclude: vec![] };
    let placed = plan(&cluster, &add);
    assert!(placed.notes.is_empty(), "{:?}", placed.notes);
    for m in placed.plan.moves.iter() {
        assert!(moves::added(m.from, m.to).iter().all(|id| brokers.contains(id)));
    }
    let certificate = &placed.plan.certificate;
    assert!(certificate.moved_bytes * 1000 <= certificate.bound_bytes * 1001, "{certificate:?}");
}

#[test]
fn dead_brokers_are_given_up_and_their_replicas_made_again() {
    let mut cluster = generate::cluster(&Class { factor: 3, zones: 3, ..Class::migrate(300, 12, 0) }, 1);
    (cluster.brokers[4].answered, cluster.brokers[4].fenced) = (false, Some(true));
    let lost = held(&cluster, 5);
    for intent in [drain(&[5]), Intent::Repair { topics: vec![], exclude: vec![] }] {
        let placed = plan(&cluster, &intent);
        assert_eq!((placed.plan.given_up.as_slice(), copies(&placed)), (&[BrokerId(5)][..], lost));
        for m in placed.plan.moves.iter() {
            assert_eq!(zones(&placed, m.to).len(), 3);
        }
    }
}

#[test]
fn somebody_elses_assignment_is_followed_as_it_is() {
    let cluster = generate::cluster(&Class::migrate(100, 6, 6), 1);
    let theirs: Vec<_> = (cluster.partitions())
        .map(|(_, p)| {
            let list = p.replicas.iter().map(|at| BrokerId(i32::from(*at) + 7)).collect();
            (cluster.name_of(p.index), list)
        })
        .collect();
    let placed = place::follow(&cluster, &theirs, &Options::default()).unwrap();
    assert!(judge(&placed.plan, &cluster, At::Start).accepted());
    for m in placed.plan.moves.iter() {
        let asked = theirs.iter().find(|(partition, _)| *partition == placed.plan.partition_of(&m));
        assert_eq!(m.to, asked.unwrap().1);
    }
    let mut wrong = theirs.clone();
    wrong[3].1[0] = BrokerId(99);
    let error = place::follow(&cluster, &wrong, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("broker 99 is not in the snapshot"), "{error}");
    let twice = [theirs[0].clone(), theirs[0].clone()];
    assert!(
        place::follow(&cluster, &twice, &Options::default())
            .unwrap_err()
            .to_string()
            .contains("stands twice")
    );
}
