//! What edits do, on clusters whose answer is known.

use std::collections::BTreeSet;

use super::*;
use crate::generate::{self, Class};
use crate::model::watch::Unwatched;
use crate::model::{Broker, BrokerId, ClusterBuilder, ConfigSource, LogDir, PartitionRow, Rate, Topic};

fn scenario(edits: &[&str]) -> Scenario {
    let typed = |text: &&str| {
        let (name, value) = text.split_once(' ').unwrap_or((text, ""));
        Typed { edit: edit(name, value).unwrap(), text: (*text).to_owned(), line: 0 }
    };
    Scenario { name: "test".into(), edits: edits.iter().map(typed).collect() }
}

fn asked_with(cluster: &Cluster, edits: &[&str], setting: &Setting<'_>) -> Result<Answer, WhatifError> {
    answer(cluster, &scenario(edits), setting, &mut Unwatched).map_err(|(_, error)| error)
}

fn asked(cluster: &Cluster, edits: &[&str]) -> Answer {
    asked_with(cluster, edits, &Setting::default()).unwrap()
}

fn wrong(cluster: &Cluster, edits: &[&str]) -> String {
    asked_with(cluster, edits, &Setting::default()).unwrap_err().to_string()
}

fn node(name: &str, disk: u64, network: u64) -> NodeType {
    NodeType {
        name: name.into(),
        disk_bytes: Some(disk),
        network_bytes_per_second: Some(network),
        replicas: Some(100),
        price_per_month: Some(10_000),
    }
}

/// Brokers 1 and 2 in az-a, 3 and 4 in az-b; a topic of RF2 over both with 1,000 bytes and 10 bytes/s written a partition,
/// 30 read.
fn story(partitions: &[[i32; 2]], min_isr: u32) -> Cluster {
    let broker = |id: i32| {
        let zone = Some(if id < 3 { "az-a" } else { "az-b" }.to_owned());
        let dir = LogDir {
            path: "/d".into(),
            total_bytes: Some(10_000),
            usable_bytes: Some(8_000),
            offline: false,
        };
        Broker {
            rack: zone.clone(),
            zone,
            log_dirs: vec![dir],
            node: Some(node("small", 10_000, 1_000)),
            ..Broker::bare(BrokerId(id))
        }
    };
    let mut build = ClusterBuilder::new("c", (1..5).map(broker).collect()).unwrap();
    let min_isr = Some((min_isr, ConfigSource::Topic));
    build.topic(Topic { name: "orders".into(), min_isr, ..Topic::default() }).unwrap();
    for list in partitions {
        let list = list.map(BrokerId);
        let row = PartitionRow { write_rate: Some(10), read_rate: Some(30), ..PartitionRow::default() };
        let row = PartitionRow { replicas: &list, leader: Some(list[0]), isr: &list, ..row };
        build.partition(&PartitionRow { sizes: &[1_000, 1_000], dirs: &[0, 0], ..row }).unwrap();
    }
    build.finish("2026-11-22T17:00:00Z".into(), vec![])
}

const LISTS: [[i32; 2]; 4] = [[1, 3], [3, 1], [2, 4], [4, 2]];

fn of(state: &State, id: i32) -> &BrokerLoad {
    state.brokers.iter().find(|broker| broker.broker == BrokerId(id)).unwrap()
}

#[test]
fn each_zone_alone_carries_all_leaders() {
    let told = asked(&story(&LISTS, 1), &["lose-zone az-b"]);
    let one = of(&told.before, 1);
    assert_eq!(
        (one.leaders, one.network_in.known, one.network_out.known),
        (1, 20, 40),
        "10 to its follower, 30 read"
    );
    let one = of(&told.after, 1);
    assert_eq!((one.leaders, one.network_in.known, one.network_out.known), (2, 20, 60), "no follower lives");
    assert_eq!((told.after.offline, told.after.under_min_isr), (0, 0));
    assert!(!of(&told.after, 3).serves && of(&told.after, 3).replicas.known == 0);
    let shifts: Vec<_> = told.shifts.iter().map(|shift| (shift.from, shift.to, shift.partitions)).collect();
    let id = |id| Some(BrokerId(id));
    assert_eq!(shifts, [(id(3), id(1), 1), (id(4), id(2), 1)]);
    let told = asked(&story(&LISTS, 2), &["lose-zone az-b"]);
    assert_eq!((told.after.offline, told.after.under_min_isr), (0, 4));
    assert_eq!(told.after.troubles[0].topic, "orders");
}

#[test]
fn who_is_not_in_sync_does_not_lead() {
    let mut cluster = story(&LISTS, 1);
    cluster.set_standing(0, Some(0), 0b01);
    let told = asked(&cluster, &["lose-broker 1"]);
    assert_eq!((told.after.offline, told.after.under_min_isr), (1, 0));
    assert_eq!(told.after.troubles[0].offline, 1);
}

/// Sums over all losses at once equal each loss on its own.
#[test]
fn every_case_is_what_the_loss_does() {
    for class in [Class { partitions: 400, ..Class::M }, Class { partitions: 300, ..Class::S.grown() }] {
        let mut cluster = generate::cluster(&class, 3);
        for broker in &mut cluster.brokers {
            broker.node = Some(node("n", 1 << 50, 1 << 40));
        }
        for index in 0..60 {
            let leader = cluster.partition(index).leader;
            cluster.set_standing(index, leader, if index % 2 == 0 { 0b01 } else { 0b11 });
        }
        for each_zone in [false, true] {
            let before = loads(&cluster, Terms::default());
            let cases = fail::cases(&cluster, each_zone, &before, Terms::default());
            assert!(cases.len() >= 2);
            for case in &cases {
                let is_lost = |broker: &Broker| match &case.lost {
                    Lost::Broker(id) => broker.id == *id,
                    Lost::Zone(zone) => broker.zone.as_ref() == Some(zone),
                };
                let lost = (0..cluster.brokers.len() as u16)
                    .filter(|at| is_lost(&cluster.brokers[usize::from(*at)]));
                let lost: Vec<u16> = lost.collect();
                let mut after = cluster.clone();
                fail::lose(&mut after, &lost);
                let state = state(&after, Terms::default(), 0, &[]);
                assert_eq!(
                    (state.offline, state.under_min_isr),
                    (case.offline, case.under_min_isr),
                    "{}",
                    case.lost
                );
                let most =
                    state.brokers.iter().filter(|b| b.serves).filter_map(|b| b.network_out.part()).max();
                assert_eq!(case.fullest.map(|(_, part)| part), most, "{}", case.lost);
            }
        }
    }
}

#[test]
fn the_worst_case_is_told_first_and_shown() {
    let mut cluster = story(&[[1, 3], [3, 1], [2, 4], [4, 2], [2, 3]], 1);
    cluster.set_standing(2, Some(1), 0b01);
    let told = asked(&cluster, &["lose-any-broker"]);
    assert_eq!(told.cases.len(), 4);
    assert_eq!((&told.cases[0].lost, told.cases[0].offline), (&Lost::Broker(BrokerId(2)), 1));
    assert!(!of(&told.after, 2).serves && told.after.offline == 1);
}

#[test]
fn brokers_that_go_are_emptied_for_no_more_bytes_than_they_hold() {
    let cluster = story(&LISTS, 1);
    let told = asked(&cluster, &["remove 2", "lose-any-zone"]);
    assert_eq!(told.after.brokers.len(), 3);
    assert_eq!((told.costs.len(), told.costs[0].bytes, told.costs[0].bound_bytes), (1, 2_000, 2_000));
    let held: u64 = told.after.brokers.iter().map(|broker| broker.disk.known).sum();
    assert_eq!(held, 4_000, "one zone is left, and holds all");
    assert_eq!(told.price, Price { before: 40_000, after: 30_000, ..Price::default() });
    let none = asked(&cluster, &["remove 2", "then none"]);
    assert!(none.costs.is_empty() && none.after.offline == 0 && of(&none.after, 4).leaders == 2);
    assert!(matches!(
        asked_with(&cluster, &["remove 1,2"], &Setting::default()),
        Err(WhatifError::Nothing { partitions: 4, .. })
    ));
}

#[test]
fn new_brokers_get_their_part() {
    let told = asked(&story(&LISTS, 1), &["add 1@az-a", "add 1@az-b:small", "then rebalance"]);
    let replicas: Vec<u64> = told.after.brokers.iter().map(|broker| broker.replicas.known).collect();
    assert_eq!(replicas.iter().sum::<u64>(), 8);
    assert!(replicas.iter().all(|count| (1..=2).contains(count)), "{replicas:?}");
    assert_eq!(of(&told.after, 5).disk.limit, Some(10_000));
    assert_eq!(told.after.brokers.len(), 6);
}

#[test]
fn more_partitions_hold_what_the_topic_held() {
    let told = asked(&story(&LISTS, 1), &["partitions orders=16"]);
    assert_eq!(told.after.partitions, 16);
    let sum = |state: &State, of: fn(&BrokerLoad) -> u64| state.brokers.iter().map(of).sum::<u64>();
    assert_eq!(sum(&told.after, |b| b.disk.known), 8_000);
    assert_eq!(sum(&told.after, |b| b.replicas.known), 32);
    assert_eq!(sum(&told.after, |b| b.leaders.into()), 16);
    assert!(told.after.brokers.iter().all(|broker| broker.replicas.known == 8), "rings of two");
}

#[test]
fn another_factor_is_placed() {
    let told = asked(&story(&LISTS, 1), &["set-rf orders=3"]);
    assert_eq!(told.after.brokers.iter().map(|broker| broker.replicas.known).sum::<u64>(), 12);
    assert_eq!((told.costs[0].copies, told.costs[0].bytes), (4, 4_000));
}

#[test]
fn a_third_zone_is_used() {
    let class = Class { brokers: 12, partitions: 240, ..Class::S };
    let cluster = generate::cluster(&class, 5);
    let setting = Setting::default();
    let mut world = world::World::new(&cluster, &Scenario::default(), &setting);
    world.step(&Edit::Zones(3), &mut Unwatched).unwrap();
    world.settle(&mut Unwatched).unwrap();
    let zones: Vec<&str> = world.cluster.brokers.iter().filter_map(|broker| broker.zone.as_deref()).collect();
    assert_eq!(zones.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from(["az-a", "az-b", "az-c"]));
    for (_, p) in world.cluster.partitions() {
        assert_ne!(zones[usize::from(p.replicas[0])], zones[usize::from(p.replicas[1])]);
    }
    let held = crate::model::capacity::held_replicas(&world.cluster);
    assert!(held.iter().all(|count| (36..=44).contains(count)), "{held:?}");
    let told = asked(&cluster, &["zones 3"]);
    assert!(told.notes.iter().any(|note| note.starts_with("zone az-c has brokers")), "{:?}", told.notes);
}

#[test]
fn growth_compounds_to_the_horizon_and_the_last_holds() {
    let cluster = story(&LISTS, 1);
    let disk = |edits: &[&str]| of(&asked(&cluster, edits).after, 1).disk.known;
    assert_eq!(disk(&["grow-all +30%"]), 2_600);
    assert_eq!(disk(&["grow-all 40%/year", "horizon 2y"]), 3_920);
    assert_eq!(disk(&["grow-all 40%/year", "horizon 2y", "grow orders=0%/year"]), 2_000);
    assert_eq!(disk(&["grow-all 40%/year", "grow orders=100%/year", "horizon 1y"]), 4_000);
    assert_eq!(of(&asked(&cluster, &["grow-all +50%", "peak 2"]).after, 1).network_in.known, 60);
}

#[test]
fn what_breaks_first_is_dated() {
    let cluster = story(&LISTS, 1);
    // 2,000 of 10,000 bytes: five times as much after ln 5 / ln 1.4 = 4.7833 years, 1,745.9 days.
    let told = asked(&cluster, &["grow-all 40%/year", "horizon 1y"]);
    let disk = told.breaks.iter().find(|one| one.resource == Resource::Disk).unwrap();
    assert_eq!((disk.day, disk.date.as_deref()), (1_746, Some("2031-09-03")));
    assert!(disk.basis.starts_with("growth as given, 40 % a year"), "{}", disk.basis);
    let told = asked(&cluster, &["grow-all 40%/year", "horizon 1y", "headroom 50%"]);
    let disk = told.breaks.iter().find(|one| one.resource == Resource::Disk).unwrap();
    // 2.5 times as much: 993.98 days, and 5,000.1 bytes of day 994 round to the limit.
    assert_eq!((disk.day, disk.limit), (995, 5_000));
    assert!(asked(&cluster, &["lose-broker 1"]).breaks.is_empty(), "nothing grows and nothing is full");
    let full = asked(&cluster, &["grow-all +900%"]);
    assert_eq!((full.breaks[0].day, full.breaks[0].resource), (0, Resource::Disk));
}

#[test]
fn growth_is_fitted_to_several_snapshots() {
    let at = |day: u32, bytes: u64| {
        let mut cluster = story(&LISTS, 1);
        cluster.taken_at = format!("2026-11-{day:02}T00:00:00Z");
        let ratio = |amount: u64| amount * bytes / 1_000;
        rebuild::rebuild(
            &cluster,
            cluster.brokers.clone(),
            |topic| topic.partitions,
            |topic, number, row| {
                row.copy(&cluster, cluster.partition_in(topic, number));
                row.scale(ratio, |rate| rate);
            },
        )
        .unwrap()
    };
    let mut series = growth::Series::default();
    for (day, bytes) in [(1, 900), (6, 950), (11, 1_000)] {
        series.add(&at(day, bytes)).unwrap();
    }
    let fits = series.fit().unwrap();
    let setting = Setting { fits: Some(&fits), ..Setting::default() };
    let told = asked_with(&at(11, 1_000), &["grow-all fitted", "horizon 100d"], &setting).unwrap();
    assert_eq!(of(&told.after, 1).disk.known, 4_000, "10 bytes a day and partition, two of them");
    let disk = &told.breaks[0];
    // 2,000 + 20 a day is above 10,000 on day 401.
    assert_eq!(
        (disk.day, disk.between, disk.date.as_deref()),
        (401, Some((401, Some(401))), Some("2027-12-17"))
    );
    assert!(disk.basis.starts_with("growth fitted to 3 snapshots over 10 days"), "{}", disk.basis);
}

#[test]
fn retention_is_what_is_written_in_it() {
    let told = asked(&story(&LISTS, 1), &["retention orders=1m"]);
    assert_eq!(of(&told.after, 1).disk.known, 1_200, "two replicas, 10 bytes/s, 60 s");
    assert!(told.notes[0].contains("segment"), "{:?}", told.notes);
}

#[test]
fn unknown_is_never_zero() {
    let mut cluster = story(&LISTS, 1);
    cluster.set_rate(Rate::Write, 0, None);
    cluster.set_rate(Rate::Read, 1, None);
    cluster.brokers[0].node = None;
    let told = asked(&cluster, &["lose-broker 4"]);
    assert_eq!(told.unknown.write_rates, 1);
    assert_eq!((told.unknown.read_rates, told.unknown.request_rates, told.unknown.networks), (1, 4, 1));
    let one = of(&told.before, 1);
    assert_eq!((one.network_in.known, one.network_in.unknown), (10, 1));
    assert_eq!(
        (one.network_out.known, one.network_out.unknown),
        (30, 1),
        "it leads the partition of unknown write rate"
    );
    assert_eq!(told.price.unknown_after, 1);
}

#[test]
fn retyped_brokers_have_other_limits() {
    let types = [node("large", 50_000, 5_000)];
    let setting = Setting { types: &types, ..Setting::default() };
    let told = asked_with(&story(&LISTS, 1), &["retype small=large"], &setting).unwrap();
    let one = of(&told.after, 1);
    assert_eq!(
        (one.disk.limit, one.network_in.limit, one.node.as_deref()),
        (Some(50_000), Some(5_000), Some("large"))
    );
}

#[test]
fn what_does_not_fit_is_said() {
    let cluster = story(&LISTS, 1);
    for (edits, says) in [
        (&["lose-broker 9"][..], "broker 9 is not in the cluster; expected one of [1,2,3,4]"),
        (&["lose-zone az-x"], "zone \"az-x\" is not in the cluster; expected one of az-a, az-b"),
        (&["remove 1,2,3,4"], "no broker would be left"),
        (&["grow nothing=+3%"], "\"nothing\" matches no topic"),
        (&["grow-all 40%/year"], "growth over time without a horizon"),
        (&["grow-all fitted", "horizon 1y"], "without older snapshots"),
        (&["partitions orders=2"], "topic orders has 4 partitions; expected 4 or more"),
        (&["retype big=small"], "no broker is of node type \"big\"; expected one of small"),
        (&["retype small=big"], "node type \"big\" is not known; expected one of small"),
        (&["add 1"], "no zone for new brokers"),
        (&["zones 5"], "5 zones for 4 brokers"),
    ] {
        let found = wrong(&cluster, edits);
        assert!(found.contains(says), "{edits:?}: {found}");
    }
    let mut blind = story(&LISTS, 1);
    (0..4).for_each(|index| blind.set_rate(Rate::Write, index, None));
    assert!(wrong(&blind, &["retention orders=1h"]).contains("retention has no base"));
}

#[test]
fn what_follows_from_a_removal_heals_nothing_else() {
    let cluster = story(&[[1, 3], [3, 1], [2, 4], [4, 2], [1, 4]], 1);
    let told = asked(&cluster, &["lose-broker 1", "add 1@az-b", "remove 4"]);
    assert_eq!(told.costs.len(), 1, "{:?}", told.costs);
    assert_eq!(
        (told.costs[0].what.as_str(), told.costs[0].bytes),
        ("drain [4]", 3_000),
        "what it holds, and not what broker 1 held"
    );
    let healed = asked(&cluster, &["lose-broker 1", "then drain"]);
    assert_eq!(healed.costs[0].copies, 3, "all that broker 1 held, and nothing else");
    let zone = wrong(&cluster, &["lose-zone az-b", "then drain"]);
    assert!(zone.contains("drain [3,4]: all of 5 partitions are refused"), "{zone}");
}

#[test]
fn what_cannot_be_placed_at_all_is_no_answer() {
    let cluster = story(&LISTS, 1);
    assert!(
        wrong(&cluster, &["set-rf orders=9"]).contains("set-rf orders to 9: all of 4 partitions are refused")
    );
}

#[test]
fn what_goes_without_a_plan_is_paid_for_no_more() {
    let told = asked(&story(&LISTS, 1), &["remove 1", "then none"]);
    assert_eq!((told.price.after, told.after.brokers.len()), (30_000, 3));
    assert_eq!(told.shifts, [Shift { from: Some(BrokerId(1)), to: Some(BrokerId(3)), partitions: 1 }]);
}

#[test]
fn new_partitions_lie_on_brokers_that_serve() {
    let told = asked(&story(&LISTS, 1), &["lose-broker 1", "partitions orders=40"]);
    assert_eq!((of(&told.after, 1).replicas.known, told.after.offline), (0, 0));
    let led: u32 = told.after.brokers.iter().map(|broker| broker.leaders).sum();
    assert_eq!(led, 40);
    let mut build = ClusterBuilder::new("c", vec![Broker::bare(BrokerId(1))]).unwrap();
    build.topic(Topic { name: "empty".into(), ..Topic::default() }).unwrap();
    let empty = build.finish(String::new(), vec![]);
    assert!(wrong(&empty, &["partitions empty=4"]).contains("topic empty has no partition in the snapshot"));
    assert!(wrong(&story(&LISTS, 1), &["lose-broker 9", "partitions orders=40"]).contains("broker 9"));
}

#[test]
fn one_known_read_rate_takes_no_replication_away() {
    let mut cluster = story(&LISTS, 1);
    (0..4).for_each(|index| cluster.set_rate(Rate::Read, index, None));
    let out = |cluster: &Cluster| of(&asked(cluster, &["peak 1"]).before, 1).network_out;
    assert_eq!((out(&cluster).known, out(&cluster).unknown), (10, 0), "nobody reads, as far as anybody told");
    cluster.set_rate(Rate::Read, 3, Some(30));
    assert_eq!((out(&cluster).known, out(&cluster).unknown), (10, 1));
}

#[test]
fn a_list_shorter_than_min_isr_needs_all_its_replicas_and_no_more() {
    let told = asked(&story(&LISTS, 3), &["lose-broker 1"]);
    assert_eq!((told.before.under_min_isr, told.after.under_min_isr), (0, 2));
}

#[test]
fn the_last_growth_does_not_know_the_ones_before() {
    let later = |text: &str, by: u64| {
        let mut cluster = story(&LISTS, 1);
        cluster.taken_at = text.into();
        rebuild::rebuild(
            &cluster,
            cluster.brokers.clone(),
            |topic| topic.partitions,
            |topic, number, row| {
                row.copy(&cluster, cluster.partition_in(topic, number));
                row.scale(|bytes| bytes * by, |rate| rate * by);
            },
        )
        .unwrap()
    };
    let (old, new) = (later("2026-11-01T00:00:00Z", 10), later("2026-11-11T00:00:00Z", 11));
    let mut series = growth::Series::default();
    [&old, &new].into_iter().for_each(|cluster| series.add(cluster).unwrap());
    let fits = series.fit().unwrap();
    let setting = Setting { fits: Some(&fits), ..Setting::default() };
    let disk = |edits: &[&str]| of(&asked_with(&new, edits, &setting).unwrap().after, 1).disk.known;
    let alone = disk(&["grow-all fitted", "horizon 10d"]);
    assert_eq!(alone, 24_000);
    assert_eq!(disk(&["grow-all 100%/year", "grow-all fitted", "horizon 10d"]), alone);
    let kept = disk(&["retention orders=1m", "grow-all fitted", "horizon 10d"]);
    assert_eq!(kept, 2 * 60 * 120, "110 bytes/s and ten more in ten days, for a minute");
    assert_eq!(disk(&["grow-all fitted", "retention orders=1m", "horizon 10d"]), kept);
}

#[test]
fn leaders_that_wait_for_an_election_are_told() {
    let mut cluster = story(&[[1, 3], [1, 3], [1, 4], [2, 4], [2, 3], [3, 1]], 1);
    cluster.set_standing(0, Some(2), 0b11);
    let waits =
        |edits: &[&str]| asked(&cluster, edits).notes.iter().any(|note| note.contains("preferred leader"));
    assert!(waits(&["remove 2"]));
    assert!(!waits(&["lose-broker 2"]), "nothing was planned");
    assert!(!waits(&["remove 3"]), "it is gone, and so it does not lead");
}
