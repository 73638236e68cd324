//! How replicas of a partition lie over zones and racks: moves do not make it worse.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::racks::kept;

/// Where a broker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub zone: u16,
    pub rack: u16,
}

/// What moves between the brokers of a [`Zone`](super::zone::Zone) have to keep. Nothing where they are in one zone that
/// is one rack.
#[derive(Debug, Default)]
pub(super) struct Spread {
    /// By the position of a broker; empty where there is nothing to keep.
    pub spots: Vec<Spot>,
    /// By zone: its number of racks.
    pub racks: Vec<usize>,
    /// Where replicas on brokers out of service are, by partition.
    pub away: BTreeMap<u32, Vec<Spot>>,
    /// Partitions whose replicas stay in their zones.
    pub bound: BTreeSet<u32>,
}

impl Spread {
    /// Whether a replica may go from one broker to another while the others of its partition are on these: to no zone
    /// that would then have more of them than its own has, and with no more that share a rack without need.
    pub fn keeps(&self, partition: u32, from: usize, to: usize, others: impl Iterator<Item = usize>) -> bool {
        let (here, there) = (self.spots[from], self.spots[to]);
        let mut spots: Vec<Spot> = others.map(|at| self.spots[at]).collect();
        spots.extend(self.away.get(&partition).into_iter().flatten());
        if here.zone != there.zone {
            let count = |zone| spots.iter().filter(|spot| spot.zone == zone).count();
            if self.bound.contains(&partition) || count(there.zone) > count(here.zone) {
                return false;
            }
        }
        if self.racks.iter().all(|racks| *racks < 2) {
            return true;
        }
        spots.push(here);
        let before = self.crowded(&spots);
        spots.pop();
        spots.push(there);
        self.crowded(&spots) <= before
    }

    /// Replicas that racks have too many of: in each zone the numbers per rack may differ by one.
    fn crowded(&self, spots: &[Spot]) -> usize {
        let mut counts: BTreeMap<u16, BTreeMap<u16, usize>> = BTreeMap::new();
        for spot in spots {
            *counts.entry(spot.zone).or_default().entry(spot.rack).or_default() += 1;
        }
        let crowded = counts.iter().map(|(zone, counts)| {
            let held = counts.values().sum();
            held - kept(counts.values().copied(), self.racks[*zone as usize], held)
        });
        crowded.sum()
    }
}
