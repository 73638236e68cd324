//! Leaders by the bytes that they send: NP-hard to do best, so both modes are local searches and say what they
//! reached. Integers only; the work is counted by rounds.

use std::cmp::Reverse;

use super::{Leadership, Unmet, fewest, write};
use crate::model::watch::Watch;
use crate::place::layout::Layout;

/// Rounds over all partitions; the searches end far earlier, when a round changes nothing.
const ROUNDS: usize = 64;
/// Bits of the sum of all loads in potentials: squares of sums times inverse weights fit in `i128`.
const BITS: u32 = 48;
/// A broker's inverse weight is `UNIT` for the heaviest, at most `UNIT << 16`.
const UNIT: i128 = 1 << 12;

/// What leaders send, and which part of it each broker should.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loads<'a> {
    /// By partition index: what its leader sends, in bytes/s or in bytes.
    pub out: &'a [u64],
    /// By broker index, in any unit. A broker of weight 0 gets no further leader, and its load is in no figure.
    pub weights: &'a [u32],
}

/// What a search over loads reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weighed {
    /// Partitions whose preferred leader changes.
    pub changes: u64,
    /// The largest load over weight, in millionths above the mean, rounded up.
    pub above_ppm: u64,
}

/// Few changes until no broker's load over weight is more than `permille` above the mean. Bounds come first: it
/// starts from the fewest changes that meet them, and stays within them. A heuristic; read what it reached.
///
/// # Errors
/// [`Unmet`] as for the fewest changes.
pub(super) fn within(
    layout: &mut Layout,
    asked: &Leadership<'_>,
    loads: &Loads<'_>,
    permille: u32,
    watch: &dyn Watch,
) -> Result<Weighed, Unmet> {
    let mut search = Search::new(layout, asked, loads, watch)?;
    let caps = search.caps(permille);
    for to_fit in [true, false] {
        for _ in 0..ROUNDS {
            if watch.stop() || !search.shed(&caps, to_fit) {
                break;
            }
        }
    }
    for _ in 0..ROUNDS {
        if watch.stop() || !search.undo(&caps) {
            break;
        }
    }
    Ok(search.finish(layout))
}

/// The best balance of load and number of leaders that moves of single leaders reach, however many change.
/// Bounds are held, so narrow ones leave it little to do.
///
/// # Errors
/// [`Unmet`] as for the fewest changes.
pub(super) fn best(
    layout: &mut Layout,
    asked: &Leadership<'_>,
    loads: &Loads<'_>,
    watch: &dyn Watch,
) -> Result<Weighed, Unmet> {
    let mut search = Search::new(layout, asked, loads, watch)?;
    for _ in 0..ROUNDS {
        if watch.stop() || !search.even_out() {
            break;
        }
    }
    Ok(search.finish(layout))
}

struct Search<'a> {
    layout: Layout,
    asked: &'a Leadership<'a>,
    loads: &'a Loads<'a>,
    /// Broker index, by partition index.
    leaders: Vec<u16>,
    /// By broker index: partitions that it leads, and what they send.
    counts: Vec<u32>,
    sums: Vec<u128>,
    /// By broker index.
    inverse: Vec<i128>,
    /// Loads lose this many bits in potentials.
    shift: u32,
    /// What a mean partition sends, so shifted: a leader counts as much.
    usual: i128,
}

impl<'a> Search<'a> {
    fn new(
        layout: &Layout,
        asked: &'a Leadership<'a>,
        loads: &'a Loads<'a>,
        watch: &dyn Watch,
    ) -> Result<Self, Unmet> {
        let (leaders, _) = fewest(layout, asked, watch)?;
        let (mut counts, mut sums) = (vec![0; loads.weights.len()], vec![0; loads.weights.len()]);
        for (leader, out) in leaders.iter().zip(loads.out) {
            counts[*leader as usize] += 1;
            sums[*leader as usize] += u128::from(*out);
        }
        let total: u128 = sums.iter().sum();
        let shift = (u128::BITS - total.leading_zeros()).saturating_sub(BITS);
        let most = loads.weights.iter().max().map_or(0, |most| i128::from(*most));
        let inverse = |weight: &u32| (most * UNIT / i128::from((*weight).max(1))).min(UNIT << 16);
        Ok(Search {
            layout: layout.clone(),
            asked,
            loads,
            counts,
            sums,
            inverse: loads.weights.iter().map(inverse).collect(),
            shift,
            usual: ((total >> shift) / (leaders.len() as u128).max(1)).max(1) as i128,
            leaders,
        })
    }

    /// What all brokers with a weight send, and the sum of the weights.
    fn whole(&self) -> (u128, u128) {
        let counted = self.sums.iter().zip(self.loads.weights).filter(|(_, weight)| **weight > 0);
        counted.fold((0, 0), |(load, weights), (sum, weight)| (load + sum, weights + u128::from(*weight)))
    }

    /// The most that each broker should send.
    fn caps(&self, permille: u32) -> Vec<u128> {
        let (load, weights) = self.whole();
        let cap = |weight: &u32| {
            let even = (load * u128::from(*weight)).checked_div(weights).unwrap_or(0);
            even + even * u128::from(permille) / 1000
        };
        self.loads.weights.iter().map(cap).collect()
    }

    /// Writes the leaders down.
    fn finish(self, layout: &mut Layout) -> Weighed {
        let (load, weights) = self.whole();
        let level = |(sum, weight): (&u128, &u32)| {
            let (sum, even) = (*sum >> self.shift, (load >> self.shift) * u128::from(*weight));
            (sum * weights * 1_000_000).div_ceil(even.max(1)) as u64
        };
        let counted = self.sums.iter().zip(self.loads.weights).filter(|(_, weight)| **weight > 0);
        let above_ppm = counted.map(level).max().unwrap_or(0).saturating_sub(1_000_000);
        Weighed { changes: write(layout, &self.leaders), above_ppm }
    }

    /// Whether one leader more at `to` and one fewer at `from` is within what is asked.
    fn may_hand(&self, from: usize, to: usize) -> bool {
        self.loads.weights[to] > 0
            && self.asked.may_lead[to]
            && self.counts[from] > self.asked.bounds[from].0
            && self.counts[to] < self.asked.bounds[to].1
    }

    fn hand(&mut self, partition: u32, to: u16) {
        let (from, out) = (self.leaders[partition as usize] as usize, self.out(partition));
        self.leaders[partition as usize] = to;
        self.counts[from] -= 1;
        self.counts[to as usize] += 1;
        self.sums[from] -= out;
        self.sums[to as usize] += out;
    }

    fn out(&self, partition: u32) -> u128 {
        self.loads.out[partition as usize].into()
    }

    /// Whether a partition has a choice of leaders.
    fn is_free(&self, partition: u32) -> bool {
        self.layout.list(partition).len() > 1 && (self.asked.may_change)(partition)
    }

    /// The other replica that may lead and for which `worth` is least; the first of equals.
    fn cheapest(&self, partition: u32, worth: impl Fn(usize, usize) -> Option<i128>) -> Option<(i128, u16)> {
        let from = self.leaders[partition as usize];
        let mut best = None;
        for to in self.layout.list(partition).iter().filter(|to| **to != from) {
            if !self.may_hand(from as usize, *to as usize) {
                continue;
            }
            let worth = worth(from as usize, *to as usize);
            if let Some(worth) = worth.filter(|worth| best.is_none_or(|(least, _)| *worth < least)) {
                best = Some((worth, *to));
            }
        }
        best
    }

    /// Takes partitions from brokers above their caps, the largest first, so that few change. Where `to_fit`, only
    /// to brokers that stay below theirs; else also to others, as long as the excess is spread more evenly: it
    /// goes on from there in the next round. Whether anything changed.
    fn shed(&mut self, caps: &[u128], to_fit: bool) -> bool {
        let is_over = |at: usize| self.sums[at] > caps[at];
        let mut order: Vec<(Reverse<u64>, u32)> = (0..self.leaders.len() as u32)
            .filter(|p| is_over(self.leaders[*p as usize] as usize))
            .map(|p| (Reverse(self.loads.out[p as usize]), p))
            .filter(|(Reverse(out), p)| *out > 0 && self.is_free(*p))
            .collect();
        order.sort_unstable();
        let mut changed = false;
        for (_, p) in order {
            let from = self.leaders[p as usize] as usize;
            if self.sums[from] <= caps[from] {
                continue;
            }
            let out = self.out(p);
            let choice = self.cheapest(p, |from, to| {
                if to_fit {
                    let room = caps[to].checked_sub(self.sums[to] + out)?;
                    return Some(-((room >> self.shift) as i128) * self.inverse[to]);
                }
                let over = |at: usize, sum: u128| {
                    let over = (sum.saturating_sub(caps[at]) >> self.shift) as i128;
                    over * over * self.inverse[at]
                };
                let before = over(from, self.sums[from]) + over(to, self.sums[to]);
                let after = over(from, self.sums[from] - out) + over(to, self.sums[to] + out);
                Some(after - before).filter(|worth| *worth < 0)
            });
            if let Some((_, to)) = choice {
                self.hand(p, to);
                changed = true;
            }
        }
        changed
    }

    /// Gives partitions back to the leader of the start where that breaks no cap. Whether anything changed.
    fn undo(&mut self, caps: &[u128]) -> bool {
        let mut order: Vec<(u64, u32)> = (0..self.leaders.len() as u32)
            .filter(|p| self.leaders[*p as usize] != self.layout.list(*p)[0])
            .map(|p| (self.loads.out[p as usize], p))
            .collect();
        order.sort_unstable();
        let mut changed = false;
        for (_, p) in order {
            let (from, to) = (self.leaders[p as usize] as usize, self.layout.list(p)[0]);
            let sum = self.sums[to as usize] + self.out(p);
            if sum <= caps[to as usize] && self.may_hand(from, to as usize) {
                self.hand(p, to);
                changed = true;
            }
        }
        changed
    }

    /// Each partition in turn to the leader with which the sum of squares of loads and of counts, each over the
    /// weight, is least. Whether anything changed.
    fn even_out(&mut self) -> bool {
        let mut changed = false;
        for p in 0..self.leaders.len() as u32 {
            if !self.is_free(p) {
                continue;
            }
            let out = (self.out(p) >> self.shift) as i128;
            let choice = self.cheapest(p, |from, to| {
                let load = |at: usize| (self.sums[at] >> self.shift) as i128;
                let count = |at: usize| i128::from(self.counts[at]);
                let (usual, inverse) = (self.usual, &self.inverse);
                let gives = out * (out - 2 * load(from)) + usual * usual * (1 - 2 * count(from));
                let takes = out * (out + 2 * load(to)) + usual * usual * (1 + 2 * count(to));
                Some(gives * inverse[from] + takes * inverse[to]).filter(|worth| *worth < 0)
            });
            if let Some((_, to)) = choice {
                self.hand(p, to);
                changed = true;
            }
        }
        changed
    }
}
