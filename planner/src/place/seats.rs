//! A broker for one more replica: spread over zones and their racks, the topic spread over brokers, then even counts,
//! then even bytes.

use std::collections::BTreeSet;

use super::construct::relative;
use super::room;
use super::scope::Scope;
use crate::model::capacity::{self, Resource};
use crate::model::{Racks, Topic, Topology};

/// How much a broker has: replicas of the topic in hand, then its levels.
type Load = (u32, (u128, u128));

/// What brokers hold while replicas are placed one by one.
pub(super) struct Seats<'a> {
    topology: &'a Topology,
    racks: Racks,
    /// By broker index: whether copies may be made there.
    open: Vec<bool>,
    /// By broker index: whether nothing may come there and nothing may leave.
    pinned: Vec<bool>,
    weights: Vec<u64>,
    counts: Vec<u64>,
    bytes: Vec<u64>,
    /// Both in proportion to weights: candidates are compared far more often than they change.
    levels: Vec<(u128, u128)>,
    /// By zone: the open brokers, those with the least first.
    ranked: Vec<BTreeSet<(Load, u16)>>,
    /// Replicas that it may hold.
    most: Vec<u64>,
    /// Bytes that may still come in.
    room: Vec<u64>,
    /// Replicas of the topic in hand.
    of_topic: Vec<u32>,
    /// By zone: whether the topic in hand may be there.
    allowed: Vec<bool>,
}

impl<'a> Seats<'a> {
    pub fn new(scope: &Scope<'_>, topology: &'a Topology) -> Self {
        let cluster = scope.cluster;
        let all: Vec<u16> = (0..cluster.brokers.len() as u16).collect();
        let mut seats = Seats {
            topology,
            racks: Racks::of(cluster, topology),
            open: scope.is_destination.clone(),
            pinned: scope.is_pinned.clone(),
            weights: capacity::weights(cluster, &all, Resource::Disk),
            counts: vec![0; all.len()],
            bytes: vec![0; all.len()],
            levels: vec![(0, 0); all.len()],
            ranked: vec![BTreeSet::new(); topology.len()],
            most: (cluster.brokers.iter())
                .map(|broker| broker.replica_limit().map_or(u64::MAX, u64::from))
                .collect(),
            room: room::left(cluster),
            of_topic: vec![0; all.len()],
            allowed: vec![true; topology.len()],
        };
        for (_, p) in cluster.partitions() {
            for broker in p.replicas {
                seats.counts[*broker as usize] += 1;
                seats.bytes[*broker as usize] += p.copy_bytes().unwrap_or(0);
            }
        }
        for broker in all {
            seats.weigh(broker);
            if seats.open[broker as usize] {
                let rank = (seats.load(broker), broker);
                seats.ranked[topology.zone(broker) as usize].insert(rank);
            }
        }
        seats
    }

    /// Takes up a topic whose replicas lie in these lists.
    pub fn begin<'b>(&mut self, topic: &Topic, lists: impl Iterator<Item = &'b [u16]>) {
        self.allowed = self.topology.allowed(topic);
        let mut counts = vec![0; self.of_topic.len()];
        lists.flatten().for_each(|broker| counts[*broker as usize] += 1);
        for (broker, count) in (0u16..).zip(counts) {
            if self.of_topic[broker as usize] != count {
                self.change(broker, |seats, at| seats.of_topic[at] = count);
            }
        }
    }

    /// Changes what a broker holds, and with it its rank.
    fn change(&mut self, broker: u16, by: impl FnOnce(&mut Self, usize)) {
        let zone = self.zone(broker);
        let rank = (self.load(broker), broker);
        let was_ranked = self.ranked[zone].remove(&rank);
        by(self, broker as usize);
        self.weigh(broker);
        if was_ranked {
            let rank = (self.load(broker), broker);
            self.ranked[zone].insert(rank);
        }
    }

    fn weigh(&mut self, broker: u16) {
        let at = broker as usize;
        let weight = self.weights[at];
        self.levels[at] = (relative(self.counts[at], weight), relative(self.bytes[at], weight));
    }

    /// A replica of the topic in hand comes to a broker.
    pub fn put(&mut self, broker: u16, bytes: u64) {
        self.change(broker, |seats, at| {
            (seats.counts[at], seats.of_topic[at]) = (seats.counts[at] + 1, seats.of_topic[at] + 1);
            seats.bytes[at] = seats.bytes[at].saturating_add(bytes);
            seats.room[at] = seats.room[at].saturating_sub(bytes);
        });
    }

    /// A replica of the topic in hand leaves a broker.
    pub fn take(&mut self, broker: u16, bytes: u64) {
        self.change(broker, |seats, at| {
            (seats.counts[at], seats.of_topic[at]) =
                (seats.counts[at] - 1, seats.of_topic[at].saturating_sub(1));
            seats.bytes[at] = seats.bytes[at].saturating_sub(bytes);
        });
    }

    /// How much a broker has: the less, the better a place for a replica.
    pub fn load(&self, broker: u16) -> Load {
        (self.of_topic[broker as usize], self.levels[broker as usize])
    }

    /// The zone of a broker.
    pub fn zone(&self, broker: u16) -> usize {
        self.topology.zone(broker) as usize
    }

    /// Whether nothing may leave a broker.
    pub fn is_pinned(&self, broker: u16) -> bool {
        self.pinned[broker as usize]
    }

    /// By zone: whether the topic in hand may be there.
    pub fn allowed(&self) -> &[bool] {
        &self.allowed
    }

    /// Whether a list is spread over zones and racks as well as it can be, and stands where its topic may be.
    pub fn is_spread(&self, topic: &Topic, list: &[u16]) -> bool {
        list.iter().all(|broker| self.allowed[self.zone(*broker)])
            && !self.topology.is_uneven(topic, list)
            && self.racks.crowded(list) == 0
    }

    /// The rack of a broker.
    pub fn rack(&self, broker: u16) -> usize {
        self.racks.rack(broker) as usize
    }

    /// Replicas of a list in the rack of a broker, where racks are spread over.
    pub fn in_rack(&self, list: &[u16], broker: u16) -> usize {
        let is_same = |other: &&u16| self.rack(**other) == self.rack(broker);
        if self.racks.are_finer() { list.iter().filter(is_same).count() } else { 0 }
    }

    /// The racks that a partition of so many bytes may be in, by zone: those that hold a replica that stays, and those
    /// with a place for one.
    pub fn racks_for(&self, staying: &[u16], bytes: u64) -> Vec<Vec<usize>> {
        if !self.racks.are_finer() {
            return (0..self.topology.len()).map(|zone| vec![zone]).collect();
        }
        let mut racks = vec![Vec::new(); self.topology.len()];
        let mut usable = vec![false; self.racks.len()];
        let has_place = (0..self.open.len() as u16).filter(|broker| self.is_fit(*broker, bytes));
        staying.iter().copied().chain(has_place).for_each(|broker| usable[self.rack(broker)] = true);
        for rack in (0..usable.len()).filter(|rack| usable[*rack]) {
            racks[self.racks.zone(rack as u16) as usize].push(rack);
        }
        racks
    }

    /// Replicas of a list in each zone.
    pub fn zones_of(&self, list: &[u16]) -> Vec<u32> {
        let mut counts = vec![0; self.topology.len()];
        list.iter().for_each(|broker| counts[self.zone(*broker)] += 1);
        counts
    }

    /// The list with as many replicas as wanted, of so many bytes each; none where there is no place for one of them.
    pub fn complete(&mut self, mut list: Vec<u16>, wanted: usize, bytes: u64) -> Option<Vec<u16>> {
        while list.len() < wanted {
            let broker = self.best(&list, bytes)?;
            self.put(broker, bytes);
            list.push(broker);
        }
        Some(list)
    }

    /// Whether a broker may take one more replica of so many bytes.
    fn is_fit(&self, broker: u16, bytes: u64) -> bool {
        let at = broker as usize;
        self.open[at] && self.room[at] >= bytes && self.counts[at] < self.most[at]
    }

    /// The best place for one more replica of a list: in a zone and then a rack that has the fewest, where its bytes fit.
    fn best(&self, list: &[u16], bytes: u64) -> Option<u16> {
        let zones = self.zones_of(list);
        let mut order: Vec<usize> = (0..zones.len()).filter(|zone| self.allowed[*zone]).collect();
        order.sort_by_key(|zone| zones[*zone]);
        let alike = order.chunk_by(|a, b| zones[*a] == zones[*b]);
        let mut best =
            alike.map(|alike| alike.iter().filter_map(|zone| self.best_in(*zone, list, bytes)).min());
        best.find_map(|best| best).map(|(_, _, broker)| broker)
    }

    /// The best place in a zone, after how many of the list share its rack and how much it has.
    fn best_in(&self, zone: usize, list: &[u16], bytes: u64) -> Option<(usize, Load, u16)> {
        let fit = self.ranked[zone]
            .iter()
            .filter(|(_, broker)| self.is_fit(*broker, bytes) && !list.contains(broker));
        let mut best = None;
        for (load, broker) in fit {
            let here = (self.in_rack(list, *broker), *load, *broker);
            if best.is_none_or(|best| here < best) {
                best = Some(here);
            }
            // Those that follow have more: only a rack with fewer could be better.
            if here.0 == 0 {
                break;
            }
        }
        best
    }
}
