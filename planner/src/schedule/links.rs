//! Which copies share which throttles, and which brokers idle for that.

use std::collections::BTreeMap;

use crate::model::BrokerId;

/// Copies in flight by their two ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    out: BTreeMap<BrokerId, Vec<BrokerId>>,
    into: BTreeMap<BrokerId, Vec<BrokerId>>,
}

impl Links {
    pub fn add(&mut self, from: BrokerId, to: BrokerId) {
        self.out.entry(from).or_default().push(to);
        self.into.entry(to).or_default().push(from);
    }

    pub fn take(&mut self, from: BrokerId, to: BrokerId) {
        for (ends, end, other) in [(&mut self.out, from, to), (&mut self.into, to, from)] {
            let list = ends.entry(end).or_default();
            if let Some(at) = list.iter().position(|id| *id == other) {
                list.swap_remove(at);
            }
        }
    }

    pub fn idles_out(&self, broker: BrokerId) -> bool {
        idles(self.out.get(&broker), &self.into)
    }

    pub fn idles_in(&self, broker: BrokerId) -> bool {
        idles(self.into.get(&broker), &self.out)
    }
}

/// Whether the copies at one end get less than its throttle: each is taken to get an even part of the busier of
/// its two ends.
fn idles(ends: Option<&Vec<BrokerId>>, others: &BTreeMap<BrokerId, Vec<BrokerId>>) -> bool {
    const WHOLE: usize = 10_000;
    const BUSY: usize = WHOLE * 9 / 10;
    let Some(ends) = ends else { return true };
    let part = |other: &BrokerId| WHOLE / others.get(other).map_or(1, Vec::len).max(ends.len()).max(1);
    ends.iter().map(part).sum::<usize>() < BUSY
}
