//! The zones of a cluster as a rebalance sees them: what their brokers hold, the bands of each, and what may move.

use super::bands::{BYTES, Band, MEASURES, REPLICAS, RESOURCES};
use super::crowd::{ALONE, Crowd};
use super::spread::{Spot, Spread};
use super::zone::{Item, Zone};
use crate::model::capacity::{self, Resource};
use crate::model::{Cluster, Racks, Topology};
use crate::place::scope::{Scope, is_in_service};
use crate::place::{room, shares};
use crate::plan::{Bands, Intent};

/// Zones with what may move in them; one of all brokers, where replicas may leave theirs.
pub(super) fn of(scope: &Scope<'_>, topology: &Topology, wanted: &Bands, pinned: &[bool]) -> Vec<Zone> {
    let cluster = scope.cluster;
    let count = if wanted.across_zones { 1 } else { topology.len() };
    let number = |broker: usize| if wanted.across_zones { 0 } else { topology.zone(broker as u16) as usize };
    let mut zones: Vec<Zone> = (0..count).map(|_| Zone::default()).collect();
    let mut seats = vec![None; cluster.brokers.len()];
    for (at, broker) in cluster.brokers.iter().enumerate() {
        let zone = &mut zones[number(at)];
        if is_in_service(broker) {
            seats[at] = Some((number(at), zone.brokers.len() as u16));
            zone.brokers.push(at as u16);
            zone.takes.push(scope.is_destination[at]);
            zone.loads.push([0; 3]);
        }
    }
    let numbered = cluster.topics.iter().enumerate();
    let partitions = numbered.flat_map(|(n, topic)| cluster.partitions_of(topic).map(move |p| (n as u32, p)));
    for (topic, p) in partitions {
        let load = [1, p.copy_bytes().unwrap_or(0), p.write_rate.unwrap_or(0)];
        for (at, broker) in p.replicas.iter().enumerate() {
            let Some((zone, seat)) = seats[*broker as usize] else { continue };
            let zone: &mut Zone = &mut zones[zone];
            zone.loads[seat as usize].iter_mut().zip(load).for_each(|(sum, more)| *sum += more);
            let is_free = !pinned[p.index as usize] && !scope.is_pinned[*broker as usize];
            let (partition, at) = (p.index, at as u8);
            let topic = if wanted.spread_topics { topic } else { ALONE };
            zone.items.push(Item { partition, topic, at, is_free, home: seat, now: seat, load });
        }
    }
    let present = capacity::held_bytes(cluster);
    let limits = room::limits(cluster, &present);
    let racks = Racks::of(cluster, topology);
    if racks.are_finer() || wanted.across_zones {
        for (at, zone) in zones.iter_mut().enumerate() {
            let is_here = |broker: u16| number(broker as usize) == at;
            zone.spread = spread(cluster, topology, &racks, &zone.brokers, is_here);
        }
    }
    for zone in &mut zones {
        if wanted.spread_topics {
            let weights = capacity::weights(cluster, &zone.brokers, Resource::Replicas);
            zone.crowd = Crowd::count(cluster.topics.len(), &mut zone.items, weights);
        }
        zone.bands = bands_of(scope, zone, wanted);
        zone.asked.clone_from(&zone.bands);
        cap(cluster, zone, &present, &limits);
    }
    zones
}

/// What moves between these brokers have to keep.
fn spread(
    cluster: &Cluster,
    topology: &Topology,
    racks: &Racks,
    brokers: &[u16],
    is_here: impl Fn(u16) -> bool,
) -> Spread {
    let spot = |broker: u16| Spot { zone: topology.zone(broker), rack: racks.rack(broker) };
    let mut spread = Spread { spots: brokers.iter().copied().map(spot).collect(), ..Spread::default() };
    spread.racks = vec![0; topology.len()];
    (0..racks.len() as u16).for_each(|rack| spread.racks[racks.zone(rack) as usize] += 1);
    let is_away = |broker: &u16| is_here(*broker) && !is_in_service(&cluster.brokers[*broker as usize]);
    for (topic, p) in cluster.partitions() {
        let away: Vec<Spot> = p.replicas.iter().copied().filter(is_away).map(spot).collect();
        if !away.is_empty() {
            spread.away.insert(p.index, away);
        }
        if !topic.zones.is_empty() {
            spread.bound.insert(p.index);
        }
    }
    spread
}

/// The bands of a zone's brokers. Brokers beside new ones only must not get worse.
fn bands_of(scope: &Scope<'_>, zone: &Zone, wanted: &Bands) -> Vec<Band> {
    let mut bands = vec![Band::FREE; zone.width()];
    for (m, measure) in MEASURES.iter().enumerate() {
        let weights = capacity::weights(scope.cluster, &zone.brokers, RESOURCES[m]);
        let total: u128 = zone.loads.iter().map(|load| u128::from(load[m])).sum();
        let shares = shares::of_total(total, &weights, wanted.tolerance);
        for (band, (low, high, fair)) in bands.iter_mut().zip(shares) {
            band.fair[m] = fair;
            if wanted.measures.contains(measure) {
                (band.low[m], band.high[m]) = (low, high);
            }
        }
    }
    if matches!(scope.intent, Intent::Add { .. }) {
        for (at, band) in bands.iter_mut().enumerate().filter(|(at, _)| !zone.takes[*at]) {
            for m in 0..3 {
                band.low[m] = band.low[m].min(zone.loads[at][m]);
                band.high[m] = band.high[m].max(zone.loads[at][m]);
            }
        }
    }
    bands
}

/// Replica limits of node types, and disks: what a broker ends with and the largest replica that may still come in have
/// to fit (promise P5).
fn cap(cluster: &Cluster, zone: &mut Zone, present: &[u64], limits: &[Option<u64>]) {
    let largest = zone.items.iter().map(Item::bytes).max().unwrap_or(0);
    zone.most = vec![[u64::MAX; 3]; zone.width()];
    for at in 0..zone.width() {
        let broker = zone.brokers[at] as usize;
        if let Some(most) = cluster.brokers[broker].replica_limit() {
            let (band, count) = (&mut zone.bands[at], zone.loads[at][REPLICAS]);
            zone.most[at][REPLICAS] = u64::from(most).max(count);
            band.high[REPLICAS] = band.high[REPLICAS].min(zone.most[at][REPLICAS]);
            band.low[REPLICAS] = band.low[REPLICAS].min(band.high[REPLICAS]);
        }
        let Some(limit) = limits[broker] else { continue };
        // Replicas differ in size: what lies there now counts as it is.
        let more = present[broker].saturating_sub(zone.loads[at][BYTES]);
        let room = limit.saturating_sub(largest).saturating_sub(more).max(zone.loads[at][BYTES]);
        zone.most[at][BYTES] = room;
        let band = &mut zone.bands[at];
        band.high[BYTES] = band.high[BYTES].min(room);
        band.low[BYTES] = band.low[BYTES].min(band.high[BYTES]);
    }
}
