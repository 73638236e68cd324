//! The brokers of one zone, what they hold, and what may move between them.

use super::Load;
use super::bands::{BYTES, Band};
use super::crowd::Crowd;
use super::spread::Spread;

/// A replica.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub partition: u32,
    /// The number of its topic in the zone's [`Crowd`].
    pub topic: u32,
    /// Position in the replica list.
    pub at: u8,
    /// Whether it may move.
    pub is_free: bool,
    /// Where it is, as a position in [`Zone::brokers`].
    pub home: u16,
    /// Where it is to be.
    pub now: u16,
    pub load: Load,
}

impl Item {
    pub fn is_moved(&self) -> bool {
        self.home != self.now
    }

    pub fn bytes(&self) -> u64 {
        self.load[BYTES]
    }
}

/// A zone. Replicas never leave theirs: so spreading over zones stays as it is.
#[derive(Debug, Default)]
pub(super) struct Zone {
    /// Brokers in service, by broker index.
    pub brokers: Vec<u16>,
    /// By the position in `brokers`, as all that follows: whether copies may be made there.
    pub takes: Vec<bool>,
    /// What each may hold whatever the bands, as far as it did not hold more at the start.
    pub most: Vec<Load>,
    /// Zones and racks of each.
    pub spread: Spread,
    /// Replicas, by partition.
    pub items: Vec<Item>,
    /// What each holds.
    pub loads: Vec<Load>,
    /// The same by topic.
    pub crowd: Crowd,
    /// What was asked for.
    pub asked: Vec<Band>,
    /// The same, as far as disks allow it: what is sought.
    pub bands: Vec<Band>,
}

impl Zone {
    pub fn width(&self) -> usize {
        self.brokers.len()
    }

    /// Moves an item.
    pub fn apply(&mut self, item: u32, to: usize) {
        let item = &mut self.items[item as usize];
        let from = std::mem::replace(&mut item.now, to as u16) as usize;
        self.crowd.shift(item.topic, from, to);
        for (measure, amount) in item.load.into_iter().enumerate() {
            self.loads[from][measure] -= amount;
            self.loads[to][measure] += amount;
        }
    }

    /// Whether the broker may get this item: copies may be made there or it was there, it fits, it holds no other replica of the
    /// partition and not too many of the topic, and the partition stays spread over zones and racks.
    pub fn may(&self, item: u32, to: usize) -> bool {
        let here = &self.items[item as usize];
        here.is_free
            && (self.takes[to] || here.home as usize == to)
            && (0..3).all(|m| self.loads[to][m] + here.load[m] <= self.most[to][m])
            && !self.others(item).any(|other| other.now as usize == to)
            && self.crowd.takes(here.topic, to)
            && (self.spread.spots.is_empty() || self.keeps_spread(item, to))
    }

    fn keeps_spread(&self, item: u32, to: usize) -> bool {
        let here = &self.items[item as usize];
        let others = self.others(item).map(|other| other.now.into());
        self.spread.keeps(here.partition, here.now.into(), to, others)
    }

    /// The other replicas of an item's partition.
    fn others(&self, item: u32) -> impl Iterator<Item = &Item> {
        let (at, partition) = (item as usize, self.items[item as usize].partition);
        let is_same = move |other: &&Item| other.partition == partition;
        let before = self.items[..at].iter().rev().take_while(is_same);
        before.chain(self.items[at + 1..].iter().take_while(is_same))
    }

    /// Whether a broker stays within its band with this much more.
    pub fn fits(&self, to: usize, load: &Load) -> bool {
        (0..3).all(|m| self.loads[to][m] + load[m] <= self.bands[to].high[m])
    }

    /// Whether a broker stays within its band with this much less.
    pub fn spares(&self, from: usize, load: &Load) -> bool {
        (0..3).all(|m| self.loads[from][m] >= load[m] + self.bands[from].low[m])
    }

    /// The bands that were asked for, each as wide as the plan leaves it: what any plan that does as well keeps to.
    pub fn ends(&self) -> Vec<(Load, Load)> {
        let of = |(band, load): (&Band, &Load)| {
            let low = std::array::from_fn(|m| band.low[m].min(load[m]));
            (low, std::array::from_fn(|m| band.high[m].max(load[m])))
        };
        self.asked.iter().zip(&self.loads).map(of).collect()
    }

    /// How far a broker with this amount is outside of its band.
    pub fn off(&self, at: usize, measure: usize, amount: u64) -> u64 {
        let band = &self.bands[at];
        amount.saturating_sub(band.high[measure]) + band.low[measure].saturating_sub(amount)
    }

    /// The same in fair shares; for choosing only.
    pub fn outside(&self, at: usize, measure: usize, amount: u64) -> f64 {
        self.off(at, measure, amount) as f64 / self.bands[at].fair[measure] as f64
    }

    /// By how much less the zone would be outside of its bands with an item elsewhere; for choosing only.
    pub fn gain(&self, item: u32, to: usize) -> f64 {
        let item = &self.items[item as usize];
        let from = item.now as usize;
        let mut gain = 0.0;
        for (m, more) in item.load.into_iter().enumerate() {
            let (old, new) = (self.loads[from][m], self.loads[to][m]);
            gain += self.outside(from, m, old) - self.outside(from, m, old - more);
            gain += self.outside(to, m, new) - self.outside(to, m, new + more);
        }
        gain
    }

    /// Brokers and measures outside of their bands.
    pub fn violations(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let is_out = |at: usize, m: usize| {
            let (load, band) = (self.loads[at][m], &self.bands[at]);
            load > band.high[m] || load < band.low[m]
        };
        (0..self.width()).flat_map(move |at| (0..3).filter(move |m| is_out(at, *m)).map(move |m| (at, m)))
    }

    /// Items that moved.
    pub fn moved(&self) -> Vec<u32> {
        (0..self.items.len() as u32).filter(|item| self.items[*item as usize].is_moved()).collect()
    }

    /// Bytes of the items that moved.
    pub fn moved_bytes(&self) -> u128 {
        self.items.iter().filter(|item| item.is_moved()).map(|item| u128::from(item.bytes())).sum()
    }

    /// Where each item is.
    pub fn places(&self) -> Vec<u16> {
        self.items.iter().map(|item| item.now).collect()
    }

    /// Puts each item where it was.
    pub fn put(&mut self, places: &[u16]) {
        for (item, to) in places.iter().enumerate() {
            if self.items[item].now != *to {
                self.apply(item as u32, *to as usize);
            }
        }
    }

    /// Puts each item where it was at the start.
    pub fn go_home(&mut self) {
        let homes: Vec<u16> = self.items.iter().map(|item| item.home).collect();
        self.put(&homes);
    }
}
