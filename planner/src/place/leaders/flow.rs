//! The fewest changes of leaders, exactly: a minimum-cost flow on the graph of brokers.
//!
//! Handing a partition from broker to broker is a unit of flow; it costs 1 if the leader of the start loses it, -1
//! if it gets it back, else 0. A path that visits no broker twice uses no partition twice, so this small graph
//! has the same optimum as the one with a node for every partition. A hub beside the brokers holds what each may
//! lead above its least number and below its most.
//!
//! Primal-dual: prices (the distances from the brokers with too many) rise phase by phase, and in each phase a
//! blocking flow goes along the arcs that the prices make free. There are as many phases as paths have lengths,
//! which are few. The prices are the proof: `check` computes the bound again from them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::offers::Offers;
use super::{Leadership, Unmet};
use crate::model::watch::Watch;

const UNSEEN: u32 = u32::MAX;

/// The network. Nodes are the brokers by index, and the hub after them.
pub(super) struct Flow<'a> {
    offers: Offers<'a>,
    bounds: &'a [(u32, u32)],
    hub: usize,
    /// By broker: leaders within its bounds, as a flow to the hub.
    held: Vec<i64>,
    /// By node: units too many (positive) or too few.
    excess: Vec<i64>,
    /// By node: distance from the nodes with too many.
    distance: Vec<i64>,
    /// By node: hops from them along free arcs.
    level: Vec<u32>,
    /// By node: the next of its arcs to try in this round.
    next: Vec<u32>,
    queue: Vec<usize>,
    path: Vec<usize>,
}

/// An arc out of a node, as far as it exists.
#[derive(Clone, Copy)]
enum Arc {
    /// A partition changes hands, by slot of the pair.
    Hand(usize),
    /// One leader more within the broker's bounds.
    Hold,
    /// One fewer, at this broker.
    Free(usize),
}

impl<'a> Flow<'a> {
    pub fn new(offers: Offers<'a>, asked: &Leadership<'a>) -> Self {
        let counts = offers.counts();
        let hub = counts.len();
        let within = |at: usize| counts[at].clamp(asked.bounds[at].0.into(), asked.bounds[at].1.into());
        let held: Vec<i64> = (0..hub).map(within).collect();
        let mut excess: Vec<i64> = counts.iter().zip(&held).map(|(count, held)| count - held).collect();
        excess.push(-excess.iter().sum::<i64>());
        Flow {
            offers,
            bounds: asked.bounds,
            hub,
            held,
            excess,
            distance: vec![0; hub + 1],
            level: vec![UNSEEN; hub + 1],
            next: vec![0; hub + 1],
            queue: Vec::with_capacity(hub + 1),
            path: Vec::with_capacity(hub + 1),
        }
    }

    /// Sends all units; the leaders of each partition and the price of a leader at each broker.
    pub fn run(mut self, watch: &dyn Watch) -> Result<(Vec<u16>, Vec<i64>), Unmet> {
        while self.excess.iter().any(|units| *units > 0) {
            if watch.stop() {
                return Err(Unmet { stopped: true, ..self.unmet() });
            }
            if self.find_levels() {
                self.block();
            } else if !self.raise_prices() {
                return Err(self.unmet());
            }
        }
        let zero = self.distance[self.hub];
        let prices = self.distance[..self.hub].iter().map(|distance| zero - distance).collect();
        Ok((self.offers.into_leaders(), prices))
    }

    /// By how much each broker misses its bounds.
    fn unmet(&self) -> Unmet {
        let mut unmet = Unmet::default();
        for (at, (count, (least, most))) in self.offers.counts().into_iter().zip(self.bounds).enumerate() {
            let (above, below) = (count - i64::from(*most), i64::from(*least) - count);
            if above > 0 {
                unmet.above.push((at as u16, above as u32));
            }
            if below > 0 {
                unmet.below.push((at as u16, below as u32));
            }
        }
        unmet
    }

    /// The arc of a node at this place, with the node at its other end.
    fn arc(&self, from: usize, place: u32) -> Option<(Arc, usize)> {
        let place = place as usize;
        if from == self.hub {
            return (place < self.hub).then_some((Arc::Free(place), place));
        }
        let row = self.offers.pairs.row(from as u16);
        let slot = row.start + place;
        if slot < row.end {
            return Some((Arc::Hand(slot), self.offers.pairs.other(slot) as usize));
        }
        (slot == row.end).then_some((Arc::Hold, self.hub))
    }

    /// Whether an arc has room at this cost.
    fn is_open(&mut self, from: usize, arc: Arc, cost: i64) -> bool {
        match arc {
            Arc::Hand(slot) => (-1..=1).contains(&cost) && self.offers.has(from as u16, slot, cost),
            Arc::Hold => cost == 0 && self.held[from] < self.bounds[from].1.into(),
            Arc::Free(broker) => cost == 0 && self.held[broker] > self.bounds[broker].0.into(),
        }
    }

    /// Hops along free arcs, as far as the nearest node with too few; whether there is one.
    fn find_levels(&mut self) -> bool {
        self.level.fill(UNSEEN);
        self.queue.clear();
        self.queue.extend((0..=self.hub).filter(|node| self.excess[*node] > 0));
        self.queue.iter().for_each(|node| self.level[*node] = 0);
        let (mut at, mut last) = (0, UNSEEN);
        while at < self.queue.len() {
            let node = self.queue[at];
            at += 1;
            if self.level[node] >= last {
                break;
            }
            let mut place = 0;
            while let Some((arc, to)) = self.arc(node, place) {
                place += 1;
                let cost = self.distance[to] - self.distance[node];
                if self.level[to] == UNSEEN && self.is_open(node, arc, cost) {
                    self.level[to] = self.level[node] + 1;
                    self.queue.push(to);
                    if self.excess[to] < 0 {
                        last = last.min(self.level[to]);
                    }
                }
            }
        }
        last != UNSEEN
    }

    /// Sends units along the levels until no more get through.
    fn block(&mut self) {
        self.next.fill(0);
        for source in 0..=self.hub {
            while self.excess[source] > 0 && self.find_path(source) {
                self.send(source);
            }
        }
    }

    /// A path from a source to a node with too few, each node at its next arc; the last node is not in it.
    fn find_path(&mut self, source: usize) -> bool {
        self.path.clear();
        let mut node = source;
        while self.excess[node] >= 0 {
            if let Some(to) = self.step(node) {
                self.path.push(node);
                node = to;
            } else {
                let Some(back) = self.path.pop() else { return false };
                self.next[back] += 1;
                node = back;
            }
        }
        true
    }

    /// The node after the next free arc to a higher level.
    fn step(&mut self, node: usize) -> Option<usize> {
        loop {
            let (arc, to) = self.arc(node, self.next[node])?;
            let cost = self.distance[to] - self.distance[node];
            if self.level[to] == self.level[node] + 1 && self.is_open(node, arc, cost) {
                return Some(to);
            }
            self.next[node] += 1;
        }
    }

    /// One unit along the path. From its end, so that no partition is handed on twice.
    fn send(&mut self, source: usize) {
        let mut sink = None;
        for at in (0..self.path.len()).rev() {
            let node = self.path[at];
            let Some((arc, to)) = self.arc(node, self.next[node]) else { continue };
            sink = sink.or(Some(to));
            match arc {
                Arc::Hand(slot) => {
                    self.offers.hand(node as u16, slot, self.distance[to] - self.distance[node]);
                }
                Arc::Hold => self.held[node] += 1,
                Arc::Free(broker) => self.held[broker] -= 1,
            }
        }
        self.excess[source] -= 1;
        if let Some(sink) = sink {
            self.excess[sink] += 1;
        }
    }

    /// New distances (Dijkstra over what arcs cost beyond the old ones), as far as the nearest node with too few;
    /// false if none can be reached.
    fn raise_prices(&mut self) -> bool {
        let mut rise = vec![i64::MAX; self.hub + 1];
        let mut heap = BinaryHeap::new();
        for node in (0..=self.hub).filter(|node| self.excess[*node] > 0) {
            rise[node] = 0;
            heap.push(Reverse((0, node)));
        }
        let mut nearest = None;
        while let Some(Reverse((far, node))) = heap.pop() {
            if far > rise[node] {
                continue;
            }
            if self.excess[node] < 0 {
                nearest = Some(far);
                break;
            }
            let mut place = 0;
            while let Some((arc, to)) = self.arc(node, place) {
                place += 1;
                for cost in -1..=1 {
                    let reach = far + cost + self.distance[node] - self.distance[to];
                    if reach >= rise[to] {
                        break;
                    }
                    if self.is_open(node, arc, cost) {
                        rise[to] = reach;
                        heap.push(Reverse((reach, to)));
                        break;
                    }
                }
            }
        }
        let Some(nearest) = nearest else { return false };
        self.distance.iter_mut().zip(rise).for_each(|(distance, rise)| *distance += rise.min(nearest));
        true
    }
}
