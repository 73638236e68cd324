//! For each pair of brokers, the partitions that one leads and the other could lead instead, by what that costs.

use super::Leadership;
use super::pairs::Pairs;
use crate::place::layout::Layout;

const END: u32 = u32::MAX;

/// One partition in the list of a pair.
struct Offer {
    partition: u32,
    next: u32,
}

/// Who leads each partition now, and what each broker could hand on.
///
/// Lists are linked and only grow at their head. An offer whose partition is led by another broker by now is
/// dropped when it is met, so handing on a partition costs as much as its list is long.
pub(super) struct Offers<'a> {
    layout: &'a Layout,
    may_lead: &'a [bool],
    pub pairs: Pairs,
    /// By cost and slot: -1 (the leader of the start is back), 0 (it was another, and is another), 1. At first
    /// nearly all cost 1: apart from the others they stay in the processor's cache.
    heads: [Vec<u32>; 3],
    offers: Vec<Offer>,
    /// Broker index, by partition index.
    leaders: Vec<u16>,
}

impl<'a> Offers<'a> {
    /// What can be handed on, given the leader of each partition that costs least.
    pub fn new(layout: &'a Layout, asked: &Leadership<'a>, leaders: Vec<u16>) -> Self {
        let mut offers = Offers {
            layout,
            may_lead: asked.may_lead,
            pairs: Pairs::new(asked.may_lead.len()),
            heads: Default::default(),
            offers: Vec::new(),
            leaders,
        };
        offers.fill(asked);
        offers
    }

    fn fill(&mut self, asked: &Leadership<'_>) {
        let (layout, may_lead) = (self.layout, self.may_lead);
        let mut count = 0;
        let free: Vec<u32> = (0..layout.len() as u32)
            .filter(|index| layout.list(*index).len() > 1 && (asked.may_change)(*index))
            .collect();
        for index in &free {
            let able = || layout.list(*index).iter().filter(|broker| may_lead[**broker as usize]);
            for from in able() {
                for to in able().filter(|to| *to != from) {
                    self.pairs.add(*from, *to);
                    count += 1;
                }
            }
        }
        self.pairs.number();
        self.heads = [0; 3].map(|_| vec![END; self.pairs.len()]);
        // Each partition stands once for every other broker that can lead it; some are handed on later.
        self.offers.reserve_exact(count / 2 + count / 8);
        for index in free.iter().rev() {
            let leader = self.leaders[*index as usize];
            if may_lead[leader as usize] {
                self.offer(*index, leader);
            }
        }
    }

    /// Puts a partition into the lists of the broker that leads it.
    fn offer(&mut self, partition: u32, leader: u16) {
        let list = self.layout.list(partition);
        for to in list.iter().filter(|to| **to != leader && self.may_lead[**to as usize]) {
            let cost = i32::from(*to != list[0]) - i32::from(leader != list[0]);
            let head = &mut self.heads[(cost + 1) as usize][self.pairs.slot(leader, *to)];
            self.offers.push(Offer { partition, next: *head });
            *head = self.offers.len() as u32 - 1;
        }
    }

    /// Whether `from` leads a partition that the slot's other broker can take at this cost.
    pub fn has(&mut self, from: u16, slot: usize, cost: i64) -> bool {
        let head = &mut self.heads[(cost + 1) as usize][slot];
        while *head != END {
            let offer = &self.offers[*head as usize];
            if self.leaders[offer.partition as usize] == from {
                return true;
            }
            *head = offer.next;
        }
        false
    }

    /// Hands a partition from one broker to the slot's other broker; there must be one.
    pub fn hand(&mut self, from: u16, slot: usize, cost: i64) {
        if !self.has(from, slot, cost) {
            debug_assert!(false, "an arc without a partition");
            return;
        }
        let head = &mut self.heads[(cost + 1) as usize][slot];
        let Offer { partition, next } = self.offers[*head as usize];
        *head = next;
        let to = self.pairs.other(slot);
        self.leaders[partition as usize] = to;
        self.offer(partition, to);
    }

    /// The leader of each partition now.
    pub fn into_leaders(self) -> Vec<u16> {
        self.leaders
    }

    /// How many partitions each broker leads.
    pub fn counts(&self) -> Vec<i64> {
        let mut counts = vec![0; self.may_lead.len()];
        self.leaders.iter().for_each(|leader| counts[*leader as usize] += 1);
        counts
    }
}
