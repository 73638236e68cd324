//! Bytes that have to move whatever the plan: closed forms.

use super::bands::{BYTES, RATE, REPLICAS};
use super::zone::Zone;

/// The best of the closed bounds of a zone, from where its items are at home. Bands that the plan leaves unmet are
/// taken as wide as it leaves them: the bound is then that of any plan that does as well.
pub(super) fn closed(zone: &Zone, starts: &[[u64; 3]]) -> u128 {
    let ends = |at: usize, m: usize| {
        let (band, end) = (&zone.asked[at], zone.loads[at][m]);
        (band.low[m].min(end), band.high[m].max(end))
    };
    let excess = |at: usize, m: usize| starts[at][m].saturating_sub(ends(at, m).1);
    let deficit = |at: usize, m: usize| ends(at, m).0.saturating_sub(starts[at][m]);
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
