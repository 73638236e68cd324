//! Which broker of a zone is next.

use std::cmp::Ordering;

use super::construct::{Tally, Zone, relative};

/// Brokers of a zone as a class of items sees them.
pub(super) struct Scales {
    weights: Vec<u64>,
    counts: Vec<u64>,
    bytes: Vec<u128>,
    /// How much of what comes in each should get; all equal if `None`.
    shares: Option<(Vec<u64>, u64)>,
    /// Where shares differ: how many replicas of the topic in hand each may have, those before included.
    quotas: Vec<u64>,
}

impl Scales {
    pub fn new(zone: &Zone, leads: bool, incoming: u64) -> Self {
        let tally = if leads { &zone.leading } else { &zone.all };
        let width = zone.brokers.len();
        let mut scales = Scales {
            weights: zone.weights.clone(),
            counts: vec![0; width],
            bytes: vec![0; width],
            shares: shares(&zone.weights, &tally.counts, incoming),
            quotas: Vec::new(),
        };
        (0..width).for_each(|at| scales.update(tally, at));
        scales
    }

    pub fn update(&mut self, tally: &Tally, at: usize) {
        // Twice the count and one: the rounding of Sainte-Laguë, fair to small weights.
        self.counts[at] = ((u64::from(tally.counts[at]) * 2 + 1) << 16) / self.weights[at].max(1);
        self.bytes[at] = relative(tally.bytes[at], self.weights[at]);
    }

    /// Takes up the next topic, of which `incoming` replicas come in.
    pub fn begin(&mut self, tally: &Tally, topic: u32, incoming: u64) {
        let Some((shares, sum)) = &self.shares else { return };
        let part = |share: &u64| {
            (u128::from(incoming) * u128::from(*share)).div_ceil(u128::from(*sum).max(1)) as u64
        };
        let present = tally.of_topic(topic).iter().map(|count| u64::from(*count));
        self.quotas = present.zip(shares).map(|(present, share)| present + part(share)).collect();
    }

    /// The best free place for a replica of a topic: the topic is spread first, then counts are even, then bytes.
    pub fn best(&self, tally: &Tally, topic: u32, is_free: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best: Option<(u64, u64, usize)> = None;
        for (to, of_topic) in tally.of_topic(topic).iter().enumerate() {
            let of_topic = u64::from(*of_topic);
            let excess = match self.quotas.get(to) {
                None => of_topic,
                Some(quota) => (of_topic + 1).saturating_sub(*quota),
            };
            let is_better = best.is_none_or(|(least, count, at)| {
                (excess, self.counts[to])
                    .cmp(&(least, count))
                    .then_with(|| self.bytes[to].cmp(&self.bytes[at]))
                    == Ordering::Less
            });
            if is_better && is_free(to) {
                best = Some((excess, self.counts[to], to));
            }
        }
        best.map(|(_, _, to)| to)
    }
}

/// How much of `incoming` replicas each broker should get so that all end with counts in proportion to their
/// weights: `None` if that is the same for all, as among empty brokers of one size.
fn shares(weights: &[u64], counts: &[u32], incoming: u64) -> Option<(Vec<u64>, u64)> {
    let (least, most) = (counts.iter().min().copied()?, counts.iter().max().copied()?);
    let per_broker = incoming / weights.len() as u64;
    if weights.iter().all(|weight| *weight == weights[0]) && u64::from(most - least) <= 1 + per_broker / 8 {
        return None;
    }
    // A level of water, in 1/256 replicas per weight, by halving.
    let below = |level: u64| -> Vec<u64> {
        let target =
            |(weight, count): (&u64, &u32)| (level * weight).saturating_sub(u64::from(*count) << 24) >> 16;
        weights.iter().zip(counts).map(target).collect()
    };
    let (mut low, mut high) = (0u64, 1u64 << 47);
    while low < high {
        let middle = (low + high) / 2;
        let sum: u128 = below(middle).iter().map(|n| u128::from(*n)).sum();
        if sum >= u128::from(incoming) << 8 { high = middle } else { low = middle + 1 }
    }
    let shares = below(low);
    let sum = shares.iter().sum();
    Some((shares, sum))
}
