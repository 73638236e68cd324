//! The fewest changes of leaders, proven by code that did not choose them.

use restow_planner::check::fewest_leader_changes;
use restow_planner::generate::{self, Class};
use restow_planner::model::Cluster;
use restow_planner::model::watch::Unwatched;
use restow_planner::place::{EvenLeaders, even_leaders};
use restow_planner::plan::LeaderMode;

fn even(cluster: &Cluster) -> EvenLeaders {
    even_leaders(cluster, LeaderMode::Minimal, &Unwatched).expect("nobody stops it")
}

fn proven(cluster: &Cluster, even: &EvenLeaders) -> i128 {
    fewest_leader_changes(cluster, &even.may_lead, &even.bounds, &even.potentials)
}

/// Within bounds, and as many changes as it says.
fn assert_sound(cluster: &Cluster, even: &EvenLeaders) {
    let mut counts = vec![0u32; cluster.brokers.len()];
    let mut changes = 0;
    for ((_, p), leader) in cluster.partitions().zip(&even.leaders) {
        assert!(p.replicas.contains(leader));
        counts[*leader as usize] += 1;
        changes += u64::from(p.replicas[0] != *leader);
    }
    assert!(counts.iter().zip(&even.bounds).all(|(n, (least, most))| (least..=most).contains(&n)));
    assert_eq!(changes, even.changes);
}

#[test]
fn the_potentials_prove_the_fewest_changes() {
    for (class, seeds) in [(Class::S, 0..3), (Class::S.grown(), 0..20), (Class::M, 0..5), (Class::L, 0..1)] {
        for seed in seeds {
            let cluster = generate::cluster(&class, seed);
            let even = even(&cluster);
            assert_sound(&cluster, &even);
            assert_eq!(proven(&cluster, &even), i128::from(even.changes), "{} {seed}", class.name);
        }
    }
}

#[test]
fn other_potentials_prove_less() {
    let cluster = generate::cluster(&Class::M, 1);
    let even = even(&cluster);
    let mut lower = 0;
    for at in 0..cluster.brokers.len() {
        for by in [-1, 1, 1_000_000] {
            let mut other = even.clone();
            other.potentials[at] += by;
            let bound = proven(&cluster, &other);
            assert!(bound <= i128::from(even.changes), "broker {at} {by}: {bound}");
            lower += usize::from(bound < i128::from(even.changes));
        }
    }
    assert!(lower > 30, "only {lower} are lower");
}

#[test]
fn brokers_that_do_not_answer_hand_on_what_they_can() {
    let mut cluster = generate::cluster(&Class::M, 2);
    cluster.brokers[0].answered = false;
    cluster.brokers[7].fenced = Some(true);
    let even = even(&cluster);
    assert_sound(&cluster, &even);
    assert!(!even.leaders.contains(&0) && !even.leaders.contains(&7));
    assert_eq!(proven(&cluster, &even), i128::from(even.changes));
}

#[test]
fn a_broker_that_cannot_lead_its_part_has_wider_bounds() {
    // Two zones of different numbers of brokers: half of all first replicas stand in each.
    let class = Class { factor: 1, zones: 0, ..Class::migrate(500, 6, 0) }.grown();
    let cluster = generate::cluster(&class, 1);
    let even = even(&cluster);
    assert_sound(&cluster, &even);
    assert_eq!((even.changes, proven(&cluster, &even)), (0, 0), "no partition has a choice");
    assert!(even.widened.len() >= 4, "{:?}", even.widened);
}
