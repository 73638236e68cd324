//! What is to come, by the brokers that it needs.

use std::cmp::Reverse;
use std::collections::btree_set;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::window::{Due, Ports, Window};
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
/// the brokers with room.
const LOOKS: usize = 64;

/// Key of a move in its lane, and the move.
type Entry = (u64, u32);

/// Moves that wait, in lanes: one for each leader and first broker that fetches. Where a move fits, both ends of
/// its lane have room, so lanes with a closed end are not looked at.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    order: Order,
    lanes: BTreeMap<BrokerId, BTreeMap<BrokerId, BTreeSet<Entry>>>,
    /// Bytes to send, and to fetch, by broker.
    bytes: Due,
    len: usize,
}

/// A lane that is open, and how far it was looked at.
struct Lane<'a> {
    ends: (BrokerId, BrokerId),
    rank: u64,
    rest: btree_set::Iter<'a, Entry>,
    passed: usize,
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
        let lane = self.lanes.entry(ports.leader).or_default().entry(*first).or_default();
        if lane.insert((key, at)) {
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
        let was_there = lane.remove(&(key, at));
        if lane.is_empty() {
            lanes.remove(first);
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
        lane.is_some_and(|lane| lane.contains(&(self.key(ports), at)))
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
        let mut lanes = self.open_lanes(window);
        // The next of each open lane; the smallest rank goes first, then the smallest key, then the plan's order.
        let mut next: BinaryHeap<Reverse<(u64, Entry, usize)>> = BinaryHeap::with_capacity(lanes.len());
        for (n, lane) in lanes.iter_mut().enumerate() {
            next.extend(lane.rest.next().map(|entry| Reverse((lane.rank, *entry, n))));
        }
        while let Some(Reverse((_, (_, at), n))) = next.pop() {
            if admitted.len() >= most || window.is_closed() {
                break;
            }
            let lane = &mut lanes[n];
            if !window.is_open(lane.ends.0, lane.ends.1, &self.bytes) {
                continue;
            }
            match ports(at) {
                Some(ports) if window.admit(&ports, &self.bytes) => admitted.push(at),
                _ => lane.passed += 1,
            }
            if lane.passed < LOOKS {
                next.extend(lane.rest.next().map(|entry| Reverse((lane.rank, *entry, n))));
            }
        }
        admitted
    }

    fn open_lanes(&self, window: &Window) -> Vec<Lane<'_>> {
        if window.is_closed() {
            return Vec::new();
        }
        let mut open = Vec::new();
        for (leader, lanes) in self.lanes.iter() {
            for (first, lane) in lanes {
                if !window.is_open(*leader, *first, &self.bytes) {
                    continue;
                }
                let (ends, rank) = ((*leader, *first), self.rank(window, *leader, *first));
                open.push(Lane { ends, rank, rest: lane.iter(), passed: 0 });
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
