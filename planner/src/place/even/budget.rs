//! The moves that are worth most, where not all may be made.

use std::collections::BinaryHeap;

use super::Load;
use super::bands::{BYTES, LEAST_COST, LEAST_GAIN};
use super::zone::Zone;
use crate::plan::Budget;

/// What is left of a budget.
struct Purse {
    bytes: u64,
    moves: u64,
    per_broker: u64,
    /// Moves from and to each broker, by broker index.
    used: Vec<[u64; 2]>,
}

/// A move that waits: what it is worth, its zone and item, where it goes.
type Waiting = (u64, std::cmp::Reverse<(usize, u32)>, u16);

/// Takes all moves back and makes those that bring brokers nearest to their bands for the fewest bytes, until the budget
/// is used up.
pub(super) fn keep_within(zones: &mut [Zone], starts: &[Vec<Load>], budget: &Budget) {
    let brokers = zones.iter().flat_map(|zone| &zone.brokers).max().map_or(0, |most| *most as usize + 1);
    let mut purse = Purse {
        bytes: budget.bytes.unwrap_or(u64::MAX),
        moves: budget.moves.unwrap_or(u64::MAX),
        per_broker: budget.moves_per_broker.unwrap_or(u64::MAX),
        used: vec![[0; 2]; brokers],
    };
    let mut waiting: BinaryHeap<Waiting> = BinaryHeap::new();
    for (number, zone) in zones.iter_mut().enumerate() {
        let aim = |item: u32| (item, zone.items[item as usize].now);
        let aims: Vec<(u32, u16)> = zone.moved().into_iter().map(aim).collect();
        zone.go_home();
        debug_assert_eq!(zone.loads, starts[number]);
        for (item, to) in aims {
            waiting.push((worth(zone, item, to), std::cmp::Reverse((number, item)), to));
        }
    }
    // What a move is worth changes with those before it: the best is looked at again before it is made.
    while let Some((told, std::cmp::Reverse((number, item)), to)) = waiting.pop() {
        let now = worth(&zones[number], item, to);
        if now == 0 {
            continue;
        }
        if waiting.peek().is_some_and(|(next, _, _)| now < told && now < *next) {
            waiting.push((now, std::cmp::Reverse((number, item)), to));
            continue;
        }
        let zone = &mut zones[number];
        if purse.pays(zone, item, to as usize) {
            zone.apply(item, to as usize);
        }
    }
}

impl Purse {
    fn pays(&mut self, zone: &Zone, item: u32, to: usize) -> bool {
        let item = &zone.items[item as usize];
        let (from, to) = (zone.brokers[item.now as usize] as usize, zone.brokers[to] as usize);
        let bytes = item.bytes();
        let is_free = self.used[from][0] < self.per_broker && self.used[to][1] < self.per_broker;
        if !is_free || self.moves == 0 || self.bytes < bytes {
            return false;
        }
        (self.moves, self.bytes) = (self.moves - 1, self.bytes - bytes);
        self.used[from][0] += 1;
        self.used[to][1] += 1;
        true
    }
}

/// Gain for each byte, as a number that can be ordered; 0 where there is none.
fn worth(zone: &Zone, item: u32, to: u16) -> u64 {
    let gain = zone.gain(item, to as usize);
    if gain <= LEAST_GAIN || !zone.may(item, to as usize) {
        return 0;
    }
    let bytes = zone.items[item as usize].bytes() as f64 / zone.bands[to as usize].fair[BYTES] as f64;
    ((gain / (bytes + LEAST_COST)) * 1e6).min(1e18) as u64 + 1
}
