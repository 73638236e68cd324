//! A sliding window: what may be in flight at once.

use std::collections::BTreeMap;

use crate::model::BrokerId;
use crate::plan::{Plan, Step};

/// What a move occupies while it is in flight.
#[derive(Debug, Clone, Copy)]
pub struct Ports<'a> {
    /// The leader that its copies are fetched from.
    pub leader: BrokerId,
    /// Brokers that fetch a copy.
    pub incoming: &'a [BrokerId],
    /// Bytes of all its copies.
    pub bytes: u64,
}

/// How much may be in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimits {
    /// Moves per broker: those that come in and those that it leads are counted apart.
    pub per_broker: usize,
    /// Bytes in the cluster, unless a single move is larger.
    pub bytes: u64,
}

/// What is in flight.
#[derive(Debug, Clone)]
pub struct Window {
    limits: WindowLimits,
    leads: BTreeMap<BrokerId, usize>,
    comes: BTreeMap<BrokerId, usize>,
    bytes: u64,
    moves: usize,
}

impl Window {
    /// An empty window.
    pub fn new(limits: WindowLimits) -> Self {
        Window { limits, leads: BTreeMap::new(), comes: BTreeMap::new(), bytes: 0, moves: 0 }
    }

    /// Takes a move that is in flight already, whatever the limits say.
    pub fn occupy(&mut self, ports: &Ports<'_>) {
        *self.leads.entry(ports.leader).or_default() += 1;
        for broker in ports.incoming {
            *self.comes.entry(*broker).or_default() += 1;
        }
        self.bytes = self.bytes.saturating_add(ports.bytes);
        self.moves += 1;
    }

    /// Takes a move if there is room for it; whether it did.
    pub fn admit(&mut self, ports: &Ports<'_>) -> bool {
        let busy = |counts: &BTreeMap<BrokerId, usize>, broker: &BrokerId| {
            counts.get(broker).is_some_and(|count| *count >= self.limits.per_broker)
        };
        let is_full = busy(&self.leads, &ports.leader)
            || ports.incoming.iter().any(|broker| busy(&self.comes, broker))
            || (self.moves > 0 && self.bytes.saturating_add(ports.bytes) > self.limits.bytes);
        if !is_full {
            self.occupy(ports);
        }
        !is_full
    }
}

/// The moves of a plan that have this step, in waves of at most this many partitions: one file each for
/// `kafka-reassign-partitions`. Internal topics come last, as in the plan.
pub fn waves(plan: &Plan, step: Step, most: usize) -> Vec<Vec<usize>> {
    let moves: Vec<usize> =
        plan.moves.iter().enumerate().filter(|(_, m)| m.has(step)).map(|(at, _)| at).collect();
    moves.chunks(most.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coming_in_and_leading_are_counted_apart() {
        let ids = [BrokerId(1), BrokerId(2), BrokerId(3)];
        let mut window = Window::new(WindowLimits { per_broker: 1, bytes: 100 });
        let ports =
            |leader: usize, to: usize, bytes| Ports { leader: ids[leader], incoming: &ids[to..=to], bytes };
        assert!(window.admit(&ports(0, 1, 500)), "a single move may be larger than the limit");
        assert!(!window.admit(&ports(1, 0, 1)), "bytes");
        let mut window = Window::new(WindowLimits { per_broker: 1, bytes: 100 });
        assert!(window.admit(&ports(0, 1, 10)));
        assert!(window.admit(&ports(1, 0, 10)), "1 leads one and receives one");
        assert!(!window.admit(&ports(0, 2, 10)), "0 leads one already");
        assert!(!window.admit(&ports(2, 1, 10)), "1 receives one already");
    }
}
