//! A destination for every replica, zone by zone: each topic is spread over the brokers, then replicas are,
//! then bytes. Replicas that lead at the end are placed first and by their own counts, so that leaders are
//! even too without a further step.

use super::balance;
use super::changes::Changes;
use super::refuse::Refused;
use super::scales::Scales;
use super::scope::Scope;
use crate::model::capacity::{self, Resource};
use crate::model::watch::Watch;
use crate::model::{Cluster, Racks, Topology, UNKNOWN_SIZE};

/// The lists at the end, of all partitions that move.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub cluster: &'a Cluster,
    pub changes: Changes,
    /// Bytes of one copy of each, where unknown an estimate: for balance only.
    pub weights: Vec<u64>,
    pub zones: Vec<Zone>,
    /// By broker index: its rack, if racks are spread over and it is not to be left.
    racks: Vec<Option<u16>>,
}

/// A replica that needs a destination.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Its row in [`Target::changes`].
    pub row: u32,
    /// Position in the replica list.
    pub at: u8,
    /// Whether it leads at the end, and leaders are to be balanced.
    pub leads: bool,
    /// The topic as a position among those of the zone.
    pub topic: u32,
    /// Bytes of one copy.
    pub bytes: u64,
    /// Where it goes, as a position in [`Zone::brokers`].
    pub to: u16,
}

/// What one zone's destinations get.
#[derive(Debug, Default)]
pub(super) struct Zone {
    /// Usable destinations, by broker index.
    pub brokers: Vec<u16>,
    /// Their weights: capacity in parts of 65,535 of the largest, or all 1.
    pub weights: Vec<u64>,
    /// The replicas that come in, by topic.
    pub items: Vec<Item>,
    /// All replicas at the end.
    pub all: Tally,
    /// Those that lead.
    pub leading: Tally,
}

/// Replicas per broker of a zone, what was there before included.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    pub counts: Vec<u32>,
    pub bytes: Vec<u64>,
    /// Replicas of each topic: topic × brokers + broker.
    topics: Vec<u32>,
    width: usize,
}

impl Tally {
    fn new(width: usize) -> Self {
        Tally { counts: vec![0; width], bytes: vec![0; width], topics: Vec::new(), width }
    }

    pub fn add(&mut self, item: &Item, to: usize) {
        self.counts[to] += 1;
        self.bytes[to] += item.bytes;
        self.topics[item.topic as usize * self.width + to] += 1;
    }

    pub fn remove(&mut self, item: &Item, to: usize) {
        self.counts[to] -= 1;
        self.bytes[to] -= item.bytes;
        self.topics[item.topic as usize * self.width + to] -= 1;
    }

    pub fn of_topic(&self, topic: u32) -> &[u32] {
        &self.topics[topic as usize * self.width..][..self.width]
    }
}

/// `amount` in proportion to a weight, comparable between brokers.
pub(super) fn relative(amount: u64, weight: u64) -> u128 {
    (u128::from(amount) << 16) / u128::from(weight.max(1))
}

impl<'a> Target<'a> {
    /// Nothing placed yet: the lists of the start.
    pub fn new(scope: &Scope<'a>, topology: &Topology, refused: &Refused) -> Self {
        let cluster = scope.cluster;
        let racks = Racks::of(cluster, topology);
        let is_spread = |at: usize| racks.are_finer() && !scope.is_source[at];
        let rack = |at: usize| is_spread(at).then(|| racks.rack(at as u16));
        let mut target = Target {
            cluster,
            racks: (0..cluster.brokers.len()).map(rack).collect(),
            changes: Changes::default(),
            weights: Vec::new(),
            zones: zones(scope, topology, refused),
        };
        let mut last = vec![usize::MAX; topology.len()];
        let mut topics = vec![Vec::new(); topology.len()];
        let moved: Vec<_> = scope.partitions().filter(|(_, _, p)| !refused.has(p.index)).collect();
        target.weights = estimate(moved.iter().map(|(topic, _, p)| (*topic, p.copy_bytes())));
        for (row, (topic, _, p)) in moved.iter().enumerate() {
            target.changes.push(p.index, p.replicas);
            for (at, broker) in p.replicas.iter().enumerate() {
                if !scope.is_source[*broker as usize] {
                    continue;
                }
                let zone = topology.zone(*broker) as usize;
                if last[zone] != *topic {
                    last[zone] = *topic;
                    topics[zone].push(*topic);
                }
                target.zones[zone].items.push(Item {
                    row: row as u32,
                    at: at as u8,
                    leads: at == 0 && !scope.preserve_leaders,
                    topic: topics[zone].len() as u32 - 1,
                    bytes: target.weights[row],
                    to: u16::MAX,
                });
            }
        }
        target.count_present(&topics);
        target
    }

    /// Number of zones.
    pub fn zones(&self) -> usize {
        self.zones.len()
    }

    /// The list of a row at the end, as broker indexes.
    pub fn list(&self, row: u32) -> &[u16] {
        self.changes.list(row)
    }

    /// Puts a broker at the place of an item.
    pub fn set(&mut self, item: &Item, broker: u16) {
        self.changes.set(item.row, item.at as usize, broker);
    }

    /// Whether an item would share a rack with another replica that stays or has its place.
    pub fn shares_rack(&self, item: &Item, broker: u16) -> bool {
        let rack = self.racks[broker as usize];
        let mut others = self.list(item.row).iter().enumerate().filter(|(at, _)| *at != item.at as usize);
        rack.is_some() && others.any(|(_, other)| self.racks[*other as usize] == rack)
    }

    /// Counts what destinations hold already.
    fn count_present(&mut self, topics: &[Vec<usize>]) {
        let mut seats = vec![None; self.cluster.brokers.len()];
        for (number, zone) in self.zones.iter_mut().enumerate() {
            for (at, broker) in zone.brokers.iter().enumerate() {
                seats[*broker as usize] = Some((number, at));
            }
            for tally in [&mut zone.all, &mut zone.leading] {
                tally.topics = vec![0; topics[number].len() * tally.width];
            }
        }
        let mut next = vec![0; topics.len()];
        for (at, topic) in self.cluster.topics.iter().enumerate() {
            for (number, list) in topics.iter().enumerate() {
                next[number] += usize::from(list.get(next[number]).is_some_and(|topic| *topic < at));
            }
            for p in self.cluster.partitions_of(topic) {
                for (position, broker) in p.replicas.iter().enumerate() {
                    let Some((number, seat)) = seats[*broker as usize] else { continue };
                    let zone: &mut Zone = &mut self.zones[number];
                    let bytes = Some(p.sizes[position]).filter(|size| *size != UNKNOWN_SIZE).unwrap_or(0);
                    let row =
                        topics[number].get(next[number]).filter(|topic| **topic == at).map(|_| next[number]);
                    let tallies = [Some(&mut zone.all), (position == 0).then_some(&mut zone.leading)];
                    for tally in tallies.into_iter().flatten() {
                        tally.counts[seat] += 1;
                        tally.bytes[seat] += bytes;
                        if let Some(row) = row {
                            tally.topics[row * tally.width + seat] += 1;
                        }
                    }
                }
            }
        }
    }

    /// Places all items of a zone and evens out their bytes.
    pub fn place(&mut self, zone: usize, watch: &dyn Watch) {
        let mut here = std::mem::take(&mut self.zones[zone]);
        for leads in [true, false] {
            self.place_class(&mut here, leads);
            balance::even_out(self, &mut here, leads, watch);
        }
        self.zones[zone] = here;
    }

    fn place_class(&mut self, zone: &mut Zone, leads: bool) {
        let mut items: Vec<u32> = (0..zone.items.len() as u32).collect();
        items.retain(|at| zone.items[*at as usize].leads == leads);
        let order = order_of_topics(zone, &items);
        items.sort_unstable_by_key(|at| {
            let item = &zone.items[*at as usize];
            (order[item.topic as usize], std::cmp::Reverse(item.bytes), item.row, item.at)
        });
        let mut scales = Scales::new(zone, leads, items.len() as u64);
        let topics: Vec<u32> = zone.items.iter().map(|item| item.topic).collect();
        for group in items.chunk_by(|a, b| topics[*a as usize] == topics[*b as usize]) {
            let topic = topics[group[0] as usize];
            scales.begin(if leads { &zone.leading } else { &zone.all }, topic, group.len() as u64);
            for at in group {
                let item = zone.items[*at as usize];
                let tally = if leads { &zone.leading } else { &zone.all };
                let taken = self.list(item.row);
                let is_free = |to: usize| !taken.contains(&zone.brokers[to]);
                let is_apart = |to: usize| is_free(to) && !self.shares_rack(&item, zone.brokers[to]);
                let apart = scales.best(tally, topic, is_apart);
                let Some(to) = apart.or_else(|| scales.best(tally, topic, is_free)) else {
                    // Refused before: too few destinations.
                    continue;
                };
                zone.put(*at, to);
                self.set(&item, zone.brokers[to]);
                scales.update(if leads { &zone.leading } else { &zone.all }, to);
            }
        }
    }
}

impl Zone {
    /// Gives an item its destination in the tallies.
    pub fn put(&mut self, item: u32, to: usize) {
        let item = &mut self.items[item as usize];
        item.to = to as u16;
        self.all.add(item, to);
        if item.at == 0 {
            self.leading.add(item, to);
        }
    }

    /// Takes it back.
    pub fn take(&mut self, item: u32) {
        let item = &self.items[item as usize];
        self.all.remove(item, item.to as usize);
        if item.at == 0 {
            self.leading.remove(item, item.to as usize);
        }
    }
}

/// Rank of each topic: those with most bytes first.
fn order_of_topics(zone: &Zone, items: &[u32]) -> Vec<u32> {
    let count = zone.items.last().map_or(0, |item| item.topic as usize + 1);
    let mut bytes: Vec<(std::cmp::Reverse<u64>, u32)> =
        (0..count as u32).map(|topic| (std::cmp::Reverse(0), topic)).collect();
    for at in items {
        let item = &zone.items[*at as usize];
        bytes[item.topic as usize].0.0 += item.bytes;
    }
    bytes.sort_unstable();
    let mut ranks = vec![0; count];
    for (rank, (_, topic)) in bytes.iter().enumerate() {
        ranks[*topic as usize] = rank as u32;
    }
    ranks
}

fn zones(scope: &Scope<'_>, topology: &Topology, refused: &Refused) -> Vec<Zone> {
    let mut zones: Vec<Zone> = (0..topology.len()).map(|_| Zone::default()).collect();
    for at in (0..scope.cluster.brokers.len() as u16).filter(|at| scope.is_destination[*at as usize]) {
        if !refused.unusable.contains(&at) {
            zones[topology.zone(at) as usize].brokers.push(at);
        }
    }
    for zone in &mut zones {
        zone.weights = capacity::weights(scope.cluster, &zone.brokers, Resource::Disk);
        (zone.all, zone.leading) = (Tally::new(zone.brokers.len()), Tally::new(zone.brokers.len()));
    }
    zones
}

/// Bytes of each row; the mean of its topic's known ones, or of all, where unknown.
fn estimate(rows: impl Iterator<Item = (usize, Option<u64>)> + Clone) -> Vec<u64> {
    let mean = |rows: &mut dyn Iterator<Item = Option<u64>>| {
        let (sum, count) =
            rows.flatten().fold((0u128, 0u128), |(sum, count), n| (sum + u128::from(n), count + 1));
        sum.checked_div(count).map(|mean| mean as u64)
    };
    let of_all = mean(&mut rows.clone().map(|(_, bytes)| bytes)).unwrap_or(1);
    let rows: Vec<(usize, Option<u64>)> = rows.collect();
    let mut weights = Vec::with_capacity(rows.len());
    for topic in rows.chunk_by(|a, b| a.0 == b.0) {
        let usual = mean(&mut topic.iter().map(|(_, bytes)| *bytes)).unwrap_or(of_all);
        weights.extend(topic.iter().map(|(_, bytes)| bytes.unwrap_or(usual)));
    }
    weights
}
