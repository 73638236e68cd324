//! Bytes that have to move whatever the plan: closed forms, and prices where those are not near.

use super::Load;
use super::bands::{BYTES, RATE, REPLICAS};
use super::dual::{self, Prices, WholePrices};
use super::zone::Zone;

/// A bound of a zone.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound {
    pub bytes: u128,
    /// Prices that prove it; none where a closed form does.
    pub prices: WholePrices,
}

/// The best bound of a zone as it is now, looked for until it is near what the zone's plan moves.
pub(super) fn best(zone: &Zone, starts: &[Load]) -> Bound {
    let closed = Bound { bytes: closed(zone, starts), prices: Vec::new() };
    if is_near(zone.moved_bytes(), closed.bytes) {
        return closed;
    }
    match dual::prices(zone) {
        Some(prices) => better(zone, closed, &prices),
        None => closed,
    }
}

/// The better of a bound and of that which prices prove.
pub(super) fn better(zone: &Zone, bound: Bound, prices: &Prices) -> Bound {
    let (prices, bytes) = dual::certify(zone, prices);
    if bytes > bound.bytes { Bound { bytes, prices } } else { bound }
}

/// Whether it is not worth looking for a better bound or plan: within 1/250.
pub(super) fn is_near(bytes: u128, bound: u128) -> bool {
    bytes * 250 <= bound * 251
}

/// The best of the closed bounds of a zone, from where its items are at home.
pub(super) fn closed(zone: &Zone, starts: &[Load]) -> u128 {
    let ends = zone.ends();
    let excess = |at: usize, m: usize| starts[at][m].saturating_sub(ends[at].1[m]);
    let deficit = |at: usize, m: usize| ends[at].0[m].saturating_sub(starts[at][m]);
    let sum =
        |amounts: &dyn Fn(usize) -> u64| (0..zone.width()).map(|at| u128::from(amounts(at))).sum::<u128>();
    let bytes = sum(&|at| excess(at, BYTES)).max(sum(&|at| deficit(at, BYTES)));
    [REPLICAS, RATE].into_iter().map(|m| shed(zone, m, &|at| excess(at, m))).fold(bytes, u128::max)
}

/// Bytes with which brokers shed what they have too much of, each by the replicas with the fewest bytes per unit: a
/// fractional knapsack.
fn shed(zone: &Zone, m: usize, excess: &dyn Fn(usize) -> u64) -> u128 {
    let over: Vec<u64> = (0..zone.width()).map(excess).collect();
    if over.iter().all(|over| *over == 0) {
        return 0;
    }
    let mut held: Vec<Vec<(u64, u64)>> = vec![Vec::new(); zone.width()];
    for item in zone.items.iter().filter(|item| over[item.home as usize] > 0 && item.load[m] > 0) {
        held[item.home as usize].push((item.bytes(), item.load[m]));
    }
    let mut sum = 0u128;
    for (mut over, mut items) in over.into_iter().zip(held) {
        items.sort_unstable_by(|a, b| {
            (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
        });
        for (bytes, amount) in items {
            if over == 0 {
                break;
            }
            let taken = over.min(amount);
            sum += u128::from(bytes) * u128::from(taken) / u128::from(amount);
            over -= taken;
        }
    }
    sum
}
