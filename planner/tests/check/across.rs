//! Replicas that may leave their zones for the sake of evenness.

use restow_planner::check::{At, judge};
use restow_planner::generate::{self, Class};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::place::{self, Options, Placed};
use restow_planner::plan::{Bands, Budget, Intent, Measure, Plan};

/// Six brokers, and two more that are empty; by zones of brokers 1 and on.
fn cluster(factor: u32, zones: &[&str]) -> Cluster {
    let class = Class { factor, zones: 2, ..Class::migrate(400, 6, 2) };
    let mut cluster = generate::cluster(&class, 1);
    assert_eq!(cluster.brokers.len(), zones.len());
    for (broker, zone) in cluster.brokers.iter_mut().zip(zones) {
        (broker.zone, broker.rack) = (Some((*zone).into()), Some((*zone).into()));
    }
    cluster
}

fn bands(across_zones: bool) -> Bands {
    Bands { across_zones, ..Bands::on(&[Measure::Replicas, Measure::Bytes], 500) }
}

fn add(cluster: &Cluster, across_zones: bool) -> Placed {
    let brokers = vec![BrokerId(7), BrokerId(8)];
    let intent = Intent::Add { brokers, bands: bands(across_zones), topics: vec![], exclude: vec![] };
    place(cluster, &intent)
}

fn place(cluster: &Cluster, intent: &Intent) -> Placed {
    let placed = place::plan(cluster, intent, &Options::default(), &mut Unwatched).unwrap();
    let verdict = judge(&placed.plan, cluster, At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    placed
}

fn zone(cluster: &Cluster, id: BrokerId) -> String {
    cluster.broker(id).unwrap().zone.clone().unwrap()
}

/// Replicas on a broker at the end.
fn after(plan: &Plan, id: i32) -> u32 {
    plan.impact.iter().find(|row| row.broker == BrokerId(id)).map_or(0, |row| row.replicas_after)
}

#[test]
fn a_new_zone_gets_its_part_of_partitions_with_fewer_replicas_than_zones() {
    let cluster = cluster(2, &["a", "b", "a", "b", "a", "b", "c", "c"]);
    let stays = add(&cluster, false);
    assert!(stays.plan.moves.is_empty());
    assert!(stays.notes.iter().any(|note| note.contains("zone c holds no replica")), "{:?}", stays.notes);
    let plan = add(&cluster, true).plan;
    // A fair share is 100 replicas; an addition brings new brokers to the near end of their bands.
    assert!([7, 8].iter().all(|id| (95..=105).contains(&after(&plan, *id))), "{:?}", plan.impact);
    for m in plan.moves.iter() {
        assert_ne!(zone(&cluster, m.to[0]), zone(&cluster, m.to[1]), "{m:?}");
    }
    assert!(plan.certificate.bound_bytes > 0);
}

#[test]
fn a_replica_stays_where_another_zone_would_have_too_many() {
    // Each partition has one replica in each of two zones: none can leave.
    let cluster = cluster(2, &["a", "b", "a", "b", "a", "b", "a", "a"]);
    let intent =
        Intent::Rebalance { bands: bands(true), budget: Budget::default(), topics: vec![], exclude: vec![] };
    let placed = place(&cluster, &intent);
    assert!(!placed.plan.moves.is_empty());
    for m in placed.plan.moves.iter() {
        let zones = |list: &[BrokerId]| list.iter().map(|id| zone(&cluster, *id)).collect::<Vec<_>>();
        assert_eq!(zones(m.from), zones(m.to));
    }
    assert!(placed.notes.iter().any(|note| note.contains("outside of its band")), "{:?}", placed.notes);
}

#[test]
fn the_odd_replica_of_three_over_two_zones_evens_them_out() {
    // Two brokers of zone a hold as much as four of b.
    let mut cluster = cluster(3, &["a", "b", "a", "b", "a", "b", "b", "b"]);
    let intent = |across| Intent::Rebalance {
        bands: bands(across),
        budget: Budget::default(),
        topics: vec![],
        exclude: vec![],
    };
    let of_b = |plan: &Plan| [2, 4, 6, 7, 8].iter().map(|id| after(plan, *id)).sum::<u32>();
    let (stays, moves) = (place(&cluster, &intent(false)).plan, place(&cluster, &intent(true)).plan);
    // Of 1,200 replicas five of eight brokers should have 750.
    assert!(of_b(&stays) < 650 && of_b(&moves) > 720, "{} {}", of_b(&stays), of_b(&moves));
    // A topic that is bound to zones stays in them.
    for topic in &mut cluster.topics {
        topic.zones = vec!["a".into(), "b".into()];
    }
    assert_eq!(of_b(&place(&cluster, &intent(true)).plan), of_b(&stays));
}
