//! What is to come, by the brokers that it needs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Bound::{Excluded, Unbounded};

use super::window::{Due, Gate, Ports, Window};
use crate::model::BrokerId;

/// Which of the moves that fit goes first. Hardly changes the makespan; it changes what is done early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As the plan lists them: internal topics last.
    #[default]
    Fifo,
    /// The smallest first: most partitions are done early.
    SmallestFirst,
    /// What uses the broker with the most bytes to come.
    CriticalPortFirst,
}

/// Moves that fit nowhere are passed over; in one lane at most this many in one look, so that a look costs by
/// the brokers with room. As many that the bytes in flight of the whole cluster leave no room for end it.
const LOOKS: usize = 64;

/// Key of a move in its lane, and the move.
type Entry = (u64, u32);
/// The leader and the first broker that fetches: the two ends of a lane.
type Ends = (BrokerId, BrokerId);

/// Moves that wait, in lanes: one for each leader and first broker that fetches. Where a move fits, both ends of
/// its lane have room, so lanes with a closed end are not looked at.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    order: Order,
    lanes: BTreeMap<BrokerId, BTreeMap<BrokerId, Lane>>,
    /// Bytes to send, and to fetch, by broker.
    bytes: Due,
    len: usize,
}

/// The moves of a lane. The first stands apart: most looks need no more of most lanes.
#[derive(Debug, Clone)]
struct Lane {
    first: Entry,
    all: BTreeSet<Entry>,
}

impl Waiting {
    /// Nothing waits.
    pub fn new(order: Order) -> Self {
        Waiting { order, ..Waiting::default() }
    }

    /// Number of moves that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn key(&self, ports: &Ports) -> u64 {
        match self.order {
            Order::Fifo => 0,
            Order::SmallestFirst => ports.bytes.unwrap_or(u64::MAX),
            // The largest first: what is left to the end is short.
            Order::CriticalPortFirst => u64::MAX - ports.bytes.unwrap_or(u64::MAX),
        }
    }

    /// A move waits. One without copies is not for this queue and is left out.
    pub fn insert(&mut self, at: u32, ports: &Ports) {
        let Some(first) = ports.incoming.first() else { return };
        let key = self.key(ports);
        let lanes = self.lanes.entry(ports.leader).or_default();
        let lane = lanes.entry(*first).or_insert_with(|| Lane { first: (key, at), all: BTreeSet::new() });
        lane.first = lane.first.min((key, at));
        if lane.all.insert((key, at)) {
            self.len += 1;
            self.count(ports, |sum, bytes| sum.saturating_add(bytes));
        }
    }

    /// A move does not wait any more; `ports` are those that it came with.
    pub fn remove(&mut self, at: u32, ports: &Ports) {
        let Some(first) = ports.incoming.first() else { return };
        let key = self.key(ports);
        let Some(lanes) = self.lanes.get_mut(&ports.leader) else { return };
        let Some(lane) = lanes.get_mut(first) else { return };
        let was_there = lane.all.remove(&(key, at));
        match lane.all.first() {
            Some(first) => lane.first = *first,
            None => drop(lanes.remove(first)),
        }
        if lanes.is_empty() {
            self.lanes.remove(&ports.leader);
        }
        if was_there {
            self.len -= 1;
            self.count(ports, u64::saturating_sub);
        }
    }

    /// Whether a move waits with these ports.
    pub fn holds(&self, at: u32, ports: &Ports) -> bool {
        let lane = ports.incoming.first().and_then(|first| self.lanes.get(&ports.leader)?.get(first));
        lane.is_some_and(|lane| lane.all.contains(&(self.key(ports), at)))
    }

    fn count(&mut self, ports: &Ports, change: impl Fn(u64, u64) -> u64) {
        let sent = &mut self.bytes.entry(ports.leader).or_default().0;
        *sent = change(*sent, ports.all_bytes());
        for id in &ports.incoming {
            let fetched = &mut self.bytes.entry(*id).or_default().1;
            *fetched = change(*fetched, ports.bytes.unwrap_or(0));
        }
    }

    /// Moves that the window takes now, `most` at most, in the order of the queue; they go on waiting until they
    /// are [removed](Waiting::remove). `ports` gives those of a move, or none if it is to be passed over.
    pub fn admit(
        &self,
        window: &mut Window,
        most: usize,
        mut ports: impl FnMut(u32) -> Option<Ports>,
    ) -> Vec<u32> {
        let mut admitted = Vec::new();
        // The next of each open lane; the smallest rank goes first, then the smallest key, then the plan's order.
        let mut next = BinaryHeap::from(self.open_lanes(window));
        let mut passed: BTreeMap<Ends, usize> = BTreeMap::new();
        let mut starved = 0;
        while let Some(Reverse((rank, entry, ends))) = next.pop() {
            if admitted.len() >= most || window.is_closed() || starved >= LOOKS {
                break;
            }
            if !window.may_open(ends.0, ends.1, &self.bytes) {
                continue;
            }
            match ports(entry.1) {
                Some(ports) if window.admit(&ports, &self.bytes) => admitted.push(entry.1),
                found => {
                    *passed.entry(ends).or_default() += 1;
                    starved += usize::from(found.is_some_and(|ports| !window.has_bytes(&ports)));
                }
            }
            if passed.get(&ends).is_none_or(|passed| *passed < LOOKS) {
                let lane = self.lanes.get(&ends.0).and_then(|lanes| lanes.get(&ends.1));
                let later = lane.and_then(|lane| lane.all.range((Excluded(entry), Unbounded)).next());
                next.extend(later.map(|entry| Reverse((rank, *entry, ends))));
            }
        }
        admitted
    }

    fn open_lanes(&self, window: &Window) -> Vec<Reverse<(u64, Entry, Ends)>> {
        let mut open = Vec::new();
        if window.is_closed() {
            return open;
        }
        let mut gates: BTreeMap<BrokerId, Gate> = BTreeMap::new();
        for (leader, lanes) in self.lanes.iter() {
            let out = window.gate_out(*leader);
            if out == Gate::Closed {
                continue;
            }
            let idles = window.idles_out(*leader);
            for (first, lane) in lanes {
                let into = *gates.entry(*first).or_insert_with(|| window.gate_in(*first));
                let is_open = match (out, into) {
                    (_, Gate::Closed) => false,
                    (Gate::Open, Gate::Open) => true,
                    _ => idles || window.is_open(*leader, *first, &self.bytes),
                };
                let ends = (*leader, *first);
                open.extend(is_open.then(|| Reverse((self.rank(window, *leader, *first), lane.first, ends))));
            }
        }
        open
    }

    /// The less, the earlier: the more bytes its busier end has to move.
    fn rank(&self, window: &Window, leader: BrokerId, first: BrokerId) -> u64 {
        if self.order != Order::CriticalPortFirst {
            return 0;
        }
        let waiting = |id: &BrokerId| self.bytes.get(id).copied().unwrap_or_default();
        let sends = waiting(&leader).0.saturating_add(window.bytes(leader).0);
        let fetches = waiting(&first).1.saturating_add(window.bytes(first).1);
        u64::MAX - sends.max(fetches)
    }
}
