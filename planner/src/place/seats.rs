//! A broker for one more replica: spread over zones, the topic spread over brokers, then even counts, then even bytes.

use super::construct::relative;
use super::room;
use super::scope::Scope;
use crate::model::capacity::{self, Resource};
use crate::model::{Topic, Topology};

/// What brokers hold while replicas are placed one by one.
pub(super) struct Seats<'a> {
    topology: &'a Topology,
    /// By broker index: whether copies may be made there.
    open: Vec<bool>,
    /// By broker index: whether nothing may come there and nothing may leave.
    pinned: Vec<bool>,
    weights: Vec<u64>,
    counts: Vec<u64>,
    bytes: Vec<u64>,
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
            open: scope.is_destination.clone(),
            pinned: cluster.brokers.iter().map(|broker| scope.is_pinned(broker.id)).collect(),
            weights: capacity::weights(cluster, &all, Resource::Disk),
            counts: vec![0; all.len()],
            bytes: vec![0; all.len()],
            most: (cluster.brokers.iter())
                .map(|broker| broker.node.as_ref().and_then(|node| node.replicas).map_or(u64::MAX, u64::from))
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
        seats
    }

    /// Takes up a topic whose replicas lie in these lists.
    pub fn begin<'b>(&mut self, topic: &Topic, lists: impl Iterator<Item = &'b [u16]>) {
        self.allowed = self.topology.allowed(topic);
        self.of_topic.fill(0);
        lists.flatten().for_each(|broker| self.of_topic[*broker as usize] += 1);
    }

    /// A replica of the topic in hand comes to a broker.
    fn put(&mut self, broker: u16, bytes: u64) {
        let at = broker as usize;
        (self.counts[at], self.of_topic[at]) = (self.counts[at] + 1, self.of_topic[at] + 1);
        self.bytes[at] = self.bytes[at].saturating_add(bytes);
        self.room[at] = self.room[at].saturating_sub(bytes);
    }

    /// A replica of the topic in hand leaves a broker.
    pub fn take(&mut self, broker: u16, bytes: u64) {
        let at = broker as usize;
        (self.counts[at], self.of_topic[at]) = (self.counts[at] - 1, self.of_topic[at].saturating_sub(1));
        self.bytes[at] = self.bytes[at].saturating_sub(bytes);
    }

    /// How much a broker has: the less, the better a place for a replica.
    pub fn load(&self, broker: u16) -> (u32, u128, u128) {
        let at = broker as usize;
        (
            self.of_topic[at],
            relative(self.counts[at], self.weights[at]),
            relative(self.bytes[at], self.weights[at]),
        )
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

    /// The best place for one more replica of a list: in a zone that has the fewest, where its bytes fit.
    fn best(&self, list: &[u16], bytes: u64) -> Option<u16> {
        let zones = self.zones_of(list);
        let all = 0..self.open.len() as u16;
        let is_fit = |at: usize| self.open[at] && self.room[at] >= bytes && self.counts[at] < self.most[at];
        let may = |broker: u16| is_fit(broker as usize) && self.allowed[self.zone(broker)];
        all.filter(|broker| may(*broker) && !list.contains(broker))
            .min_by_key(|broker| (zones[self.zone(*broker)], self.load(*broker), *broker))
    }
}
