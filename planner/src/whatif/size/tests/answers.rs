//! Whole answers: needs, offers, and the real partitions on them.

use super::worlds::{Row, cluster, node, row};
use crate::check::{self, At};
use crate::generate::{self, Class};
use crate::model::watch::Unwatched;
use crate::model::{Broker, BrokerId, Cluster, LogDir, NodeType};
use crate::whatif::load::Resource;
use crate::whatif::size::{
    Binding, Need, Operation, Part, Placing, Settled, SizeError, Sizing, Survive, Way, Wish, size,
};

/// Nothing to survive, nothing free.
fn plain() -> Wish {
    Wish { survive: Survive::None, headroom: 0, ..Wish::default() }
}

fn sized(cluster: &Cluster, types: &[NodeType], wish: &Wish) -> Sizing {
    size(cluster, types, wish, &mut Unwatched).unwrap()
}

fn best(sizing: &Sizing) -> &Settled {
    sizing.best().unwrap_or_else(|| panic!("nothing is placed: {:#?}", sizing.offers)).1
}

fn part(zone: &str, node_type: &str, count: u64) -> Part {
    Part { zone: zone.into(), node_type: node_type.into(), count }
}

/// RF2 over two zones, with leaders in both.
fn two_zones() -> Cluster {
    let rows: Vec<Row> = (0..40)
        .map(|at| {
            let list = [[1, 2], [2, 3], [3, 4], [4, 1]][at % 4];
            row(&list, 10 + at as u64, 100, 300)
        })
        .collect();
    cluster(&[(1, "a", None), (2, "b", None), (3, "a", None), (4, "b", None)], &rows)
}

#[test]
fn each_zone_alone_carries_all_leaders_of_rf2_over_two() {
    let sizing = sized(&two_zones(), &[node("n", 10_000, 10_000, 100)], &Wish::default());
    let [a, b] = &sizing.needs[..] else { panic!("{:?}", sizing.needs) };
    // 40 replicas in each; 20 of them lead: they feed one follower each, and consumers.
    let normal = Need { disk: 1_180, network_in: 4_000, network_out: 20 * 100 + 20 * 300, replicas: 40 };
    assert_eq!((a.normal, b.normal), (normal, normal));
    // Alone: all 40 lead, and nobody follows.
    let alone = Need { network_out: 40 * 300, ..normal };
    assert_eq!((a.without[0].zone.as_str(), a.without[0].need), ("b", alone));
    assert_eq!((b.without[0].zone.as_str(), b.without[0].need), ("a", alone));
    assert!(sizing.losses.is_empty() && sizing.notes.is_empty(), "{:?}", sizing.notes);
    // 12,000 of 7,500 usable; and 8,000 without the largest: three would do for the first, three for the second.
    let settled = best(&sizing);
    assert_eq!(settled.mix, [part("a", "n", 3), part("b", "n", 3)]);
    let offer = &sizing.offers[0];
    assert_eq!((offer.price, offer.gap() + offer.bound, offer.proved), (600, 600, true));
    assert!(offer.bound > 0, "{offer:?}");
    let out = |peak: &&crate::whatif::size::Peak| peak.resource == Resource::NetworkOut;
    let peak = settled.fullest.iter().find(out).unwrap();
    assert!(peak.used <= peak.usable && peak.usable == 7_500, "{peak:?}");
    assert!(matches!(peak.operation, Operation::Without(_)), "{peak:?}");
}

#[test]
fn growth_and_peaks_scale_what_they_are_about() {
    let wish = Wish { grown: 1_500_000, peak: 2_000, survive: Survive::None, ..Wish::default() };
    let sizing = sized(&two_zones(), &[node("n", 10_000, 100_000, 100)], &wish);
    // 10 to 49 bytes, each 1.5 × and rounded up; rates 1.5 × and again 2 ×.
    assert_eq!(sizing.needs[0].normal.disk, 1_180 * 3 / 2 + 10);
    assert_eq!(sizing.needs[0].normal.network_in, 12_000);
    assert_eq!(sizing.needs[0].normal.replicas, 40);
}

#[test]
fn what_does_not_divide_needs_more_than_its_sum() {
    let rows = [row(&[1], 60, 1, 0), row(&[1], 60, 1, 0), row(&[2], 60, 1, 0)];
    let cluster = cluster(&[(1, "", None), (2, "", None)], &rows);
    let sizing = sized(&cluster, &[node("n", 100, 1_000, 7)], &plain());
    let offer = &sizing.offers[0];
    assert_eq!((offer.brokers, offer.price, offer.bound), (2, 14, 12), "180 of 200 as a sum");
    let settled = best(&sizing);
    assert_eq!((settled.brokers, settled.price), (3, 21));
    let [more] = &settled.more[..] else { panic!("{:?}", settled.more) };
    assert_eq!((more.before, more.after), (2, 3));
    assert_eq!((more.peak.resource, more.peak.used, more.peak.usable), (Resource::Disk, 120, 100));
    assert_eq!(settled.way, Way::Migrate);
}

#[test]
fn a_partition_that_fits_on_few_types_gets_one_of_them() {
    let rows = [row(&[1], 900, 1, 0), row(&[1], 10, 1, 0)];
    let cluster = cluster(&[(1, "", None)], &rows);
    let types = [node("large", 1_000, 1_000, 1_000), node("small", 100, 1_000, 9)];
    let sizing = sized(&cluster, &types, &plain());
    // Ten small ones would be 90 as a sum.
    assert_eq!(best(&sizing).mix, [part("-", "large", 1)]);
    let error = size(&cluster, &types[1..], &plain(), &mut Unwatched).unwrap_err();
    assert_eq!(
        error.to_string(),
        "partition t-0: found 900 bytes at the horizon; 100 may be used of the largest disk: expected larger disks, \
         or less headroom"
    );
}

#[test]
fn what_is_unknown_is_told_and_not_zero() {
    let unknown = Row { bytes: None, write: None, read: None, ..row(&[1], 0, 0, 0) };
    let rows = [row(&[1], 50, 5, 7), unknown.clone(), Row { bytes: Some(30), ..unknown.clone() }];
    let sizing = sized(&cluster(&[(1, "", None)], &rows), &[node("n", 100, 1_000, 1)], &plain());
    let counts = (
        sizing.unknown.partitions,
        sizing.unknown.sizes,
        sizing.unknown.write_rates,
        sizing.unknown.read_rates,
    );
    assert_eq!(counts, (3, 1, 2, 2));
    assert_eq!(sizing.needs[0].normal, Need { disk: 80, network_in: 5, network_out: 7, replicas: 3 });
    assert!(sizing.notes[0].starts_with("not known: sizes of 1 of 3 partitions"), "{:?}", sizing.notes);
    let sizing = sized(&cluster(&[(1, "", None)], &[unknown]), &[node("n", 100, 1_000, 1)], &plain());
    assert_eq!(
        sizing.notes,
        [
            "no size is known: disks are not sized",
            "no write rate is known: networks are not sized",
            "no read rate is known: what goes out is replication only"
        ]
    );
    assert_eq!(best(&sizing).brokers, 1, "a replica needs a broker");
}

#[test]
fn a_cluster_without_zones_is_one() {
    let rows = [row(&[1, 2], 50, 5, 7), row(&[2, 1], 50, 5, 7)];
    let cluster = cluster(&[(1, "", None), (2, "", None)], &rows);
    let types = [node("n", 1_000, 1_000, 1)];
    let error = size(&cluster, &types, &Wish::default(), &mut Unwatched).unwrap_err();
    assert_eq!(error, SizeError::OneZone { zones: 1 });
    let sizing = sized(&cluster, &types, &Wish { survive: Survive::Broker, ..Wish::default() });
    assert_eq!(best(&sizing).mix, [part("-", "n", 2)]);
    assert_eq!(sizing.offers[0].binding, Some(Binding::Copies { zone: "-".into(), copies: 2 }));
    assert!(best(&sizing).new.iter().all(|new| new.zone.is_none() && new.rack.is_none()));
}

#[test]
fn types_of_which_too_little_is_known_are_left_out() {
    let types = [
        NodeType { price_per_month: None, ..node("a", 100, 100, 1) },
        NodeType { disk_bytes: None, ..node("b", 100, 100, 1) },
        NodeType { network_bytes_per_second: None, ..node("c", 100, 100, 1) },
        node("d", 100, 100, 1),
    ];
    let cluster = cluster(&[(1, "", None)], &[row(&[1], 50, 5, 7)]);
    let sizing = sized(&cluster, &types, &plain());
    assert_eq!(
        sizing.notes,
        [
            "node type a is left out: its price is unknown",
            "node type b is left out: its disk is unknown",
            "node type c is left out: its network is unknown"
        ]
    );
    assert_eq!(best(&sizing).mix, [part("-", "d", 1)]);
    let error = size(&cluster, &types[..1], &plain(), &mut Unwatched).unwrap_err();
    assert_eq!(
        error.to_string(),
        "found no node type that can be used (node type a is left out: its price is unknown); expected some with disk, \
         network and price"
    );
}

#[test]
fn wishes_that_make_no_sense_are_refused() {
    let says = |wish: Wish| {
        let cluster = cluster(&[(1, "", None)], &[row(&[1], 50, 5, 7)]);
        size(&cluster, &[node("n", 100, 100, 1)], &wish, &mut Unwatched).unwrap_err().to_string()
    };
    assert_eq!(
        says(Wish { headroom: 10_000, ..plain() }),
        "headroom: found 10000; expected 0 to 9,999 of 10,000"
    );
    assert!(says(Wish { grown: 0, ..plain() }).starts_with("growth: found 0; expected 1 to "));
    assert!(says(Wish { peak: 999, ..plain() }).starts_with("peak over mean: found 999; expected 1,000 to "));
    assert!(says(Wish { offers: 0, ..plain() }).starts_with("number of mixes: found 0; expected 1 or more"));
}

/// Two brokers of a type in each of two zones, with the disks that it has.
fn typed(own: &NodeType) -> Cluster {
    let rows: Vec<Row> =
        (0..40).map(|at| row(&[[1, 2], [2, 3], [3, 4], [4, 1]][at % 4], 30, 10, 0)).collect();
    let brokers = [(1, "a", Some(own)), (2, "b", Some(own)), (3, "a", Some(own)), (4, "b", Some(own))];
    let mut cluster = cluster(&brokers, &rows);
    let full = |broker: &mut Broker| {
        let total = own.disk_bytes.unwrap();
        let dir = LogDir {
            path: "/d".into(),
            total_bytes: Some(total),
            usable_bytes: Some(total - 600),
            offline: false,
        };
        broker.log_dirs = vec![dir];
    };
    cluster.brokers.iter_mut().for_each(full);
    cluster
}

#[test]
fn brokers_of_a_type_that_is_wanted_stay() {
    let own = node("own", 1_000, 10_000, 100);
    let ways = |grown, types: &[NodeType]| {
        let sizing = sized(&typed(&own), types, &Wish { grown, same_type: true, ..Wish::default() });
        let settled = best(&sizing).clone();
        if let Some(plan) = &settled.plan {
            assert!(check::judge(plan, &settled.cluster, At::Start).accepted());
        }
        settled
    };
    // 1,200 bytes in each zone, of 750 on each.
    let stays = ways(1_000_000, std::slice::from_ref(&own));
    assert_eq!((stays.way, stays.brokers, &stays.plan), (Way::Stay, 4, &None));
    assert!(stays.new.is_empty() && stays.leaving.is_empty());
    let adds = ways(1_500_000, std::slice::from_ref(&own));
    assert_eq!((adds.way, adds.brokers, adds.new.len()), (Way::Add, 6, 2));
    assert_eq!(adds.new.iter().map(|new| new.id).collect::<Vec<_>>(), [BrokerId(5), BrokerId(6)]);
    let other = node("other", 4_000, 10_000, 1);
    let leaves = ways(1_000_000, &[own.clone(), other]);
    assert_eq!((leaves.way, leaves.leaving.len()), (Way::Migrate, 4));
    let roomy = NodeType { disk_bytes: Some(10_000), ..own.clone() };
    let drains = ways(400_000, std::slice::from_ref(&roomy));
    assert_eq!((drains.way, drains.brokers), (Way::Stay, 4), "the loss of one must be survived");
}

#[test]
fn brokers_that_are_not_needed_leave() {
    let own = node("own", 5_000, 10_000, 100);
    let sizing = sized(&typed(&own), std::slice::from_ref(&own), &plain());
    let settled = best(&sizing);
    assert_eq!((settled.way, settled.brokers, settled.leaving.len()), (Way::Drain, 2, 2));
    assert!(check::judge(settled.plan.as_ref().unwrap(), &settled.cluster, At::Start).accepted());
    assert!(settled.bytes == 1_200, "{}", settled.bytes);
}

#[test]
fn what_the_planner_refuses_is_told() {
    let mut cluster = two_zones();
    let moving = crate::model::InFlight { adding: vec![BrokerId(3)], removing: vec![] };
    cluster.in_flight.insert(0, moving);
    let sizing = sized(&cluster, &[node("n", 10_000, 10_000, 100)], &Wish::default());
    assert!(sizing.best().is_none());
    let Placing::Refused { refusals } = &sizing.offers[0].placed else {
        panic!("{:?}", sizing.offers[0].placed)
    };
    assert_eq!(refusals.len(), 1);
    assert!(refusals[0].reason.contains("t-0") || refusals[0].partition.is_some(), "{refusals:?}");
}

/// What every broker carries at the end, counted once more: disk, replicas, in and out, with the brokers that `lives`.
fn carried(settled: &Settled, lives: &dyn Fn(&Broker) -> bool) -> Vec<(BrokerId, [u64; 4])> {
    let cluster = &settled.cluster;
    let mut sums = vec![[0u64; 4]; cluster.brokers.len()];
    let mut lists: Vec<Vec<u16>> = cluster.partitions().map(|(_, p)| p.replicas.to_vec()).collect();
    let plan = settled.plan.as_ref().unwrap();
    for m in plan.moves.iter() {
        let p = cluster.find(&plan.topic_of(&m).name, m.partition).unwrap();
        lists[p.index as usize] = m.to.iter().map(|id| cluster.broker_index(*id).unwrap()).collect();
    }
    for ((_, p), list) in cluster.partitions().zip(&lists) {
        let live: Vec<u16> =
            list.iter().copied().filter(|at| lives(&cluster.brokers[usize::from(*at)])).collect();
        let write = p.write_rate.unwrap_or(0);
        for (at, broker) in live.iter().enumerate() {
            let out = if at == 0 { write * (live.len() as u64 - 1) + p.read_rate.unwrap_or(0) } else { 0 };
            let more = [p.copy_bytes().unwrap_or(0), 1, write, out];
            sums[usize::from(*broker)].iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
    cluster.brokers.iter().map(|broker| broker.id).zip(sums).collect()
}

/// No broker is above three quarters of what its type has, with all, without each broker and without each zone.
fn bears(settled: &Settled) {
    let within = |lives: &dyn Fn(&Broker) -> bool| {
        for (id, sums) in carried(settled, lives) {
            let node = settled.cluster.broker(id).unwrap().node.as_ref().unwrap();
            let network = node.network_bytes_per_second;
            let limits = [node.disk_bytes, node.replicas.map(u64::from), network, network];
            for (sum, limit) in sums.iter().zip(limits) {
                assert!(sum * 4 <= limit.unwrap() * 3, "broker {id}: {sums:?} of {node:?}");
            }
        }
    };
    let away = |broker: &Broker| settled.leaving.contains(&broker.id);
    assert!(
        carried(settled, &|_| true).iter().all(|(id, sums)| !settled.leaving.contains(id) || *sums == [0; 4])
    );
    within(&|_| true);
    for lost in settled.cluster.brokers.iter().filter(|broker| !away(broker)) {
        within(&|broker| broker.id != lost.id);
        within(&|broker| broker.zone != lost.zone);
    }
}

#[test]
fn clusters_of_a_fleet_are_placed_and_bear_every_loss() {
    let types = generate::node_types();
    let small = |cluster: &Cluster| cluster.partition_count() < 1_500;
    let mut placed = 0;
    for cluster in generate::fleet(1).filter(small).take(5) {
        let sizing = sized(&cluster, &types, &Wish::default());
        for offer in &sizing.offers {
            let Placing::Settled(settled) = &offer.placed else {
                panic!("{}: {:?}", cluster.id, offer.placed)
            };
            let verdict = check::judge(settled.plan.as_ref().unwrap(), &settled.cluster, At::Start);
            assert!(verdict.accepted(), "{:?}", verdict.findings);
            assert!(offer.price >= offer.bound && settled.price >= offer.price && offer.proved);
            bears(settled);
            placed += 1;
        }
        assert!(sizing.offers.is_sorted_by_key(|offer| offer.settled().map(|settled| settled.price)));
    }
    assert!(placed >= 10, "{placed}");
}

#[test]
fn the_same_input_gives_the_same_answer_in_any_order_of_types() {
    let cluster = generate::cluster(&Class::migrate(300, 6, 0), 3);
    let mut types = generate::node_types();
    let one = sized(&cluster, &types, &Wish::default());
    types.reverse();
    assert_eq!(one, sized(&cluster, &types, &Wish::default()));
    // As `--format json` prints it.
    let json = serde_json::to_value(&one).unwrap();
    assert_eq!(json["offers"][0]["placed"]["outcome"], "settled");
}

#[test]
fn rates_that_lie_unevenly_are_evened_out() {
    // Counts and bytes are alike, and all that is written goes to every fourth partition.
    let rows: Vec<Row> =
        (0..64).map(|at| row(&[1 + at % 4], 10, if at % 4 == 0 { 100 } else { 0 }, 0)).collect();
    let brokers = [(1, "", None), (2, "", None), (3, "", None), (4, "", None)];
    let sizing = sized(&cluster(&brokers, &rows), &[node("n", 1_000, 420, 1)], &plain());
    let settled = best(&sizing);
    assert_eq!(
        settled.brokers, sizing.offers[0].brokers,
        "1,600 bytes/s of 420 each: four, with little to spare"
    );
    let peak = settled.fullest.iter().find(|peak| peak.resource == Resource::NetworkIn).unwrap();
    assert!(peak.used <= 420, "{peak:?}");
}
