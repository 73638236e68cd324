//! Prices: what a unit of each measure is worth on each broker. They give a bound by weak duality (the cheapest place of
//! each replica on its own, less what the bands are worth), and tell which replicas are worth moving.
//!
//! Found by [`Smooth`]; whatever is found, the bound is computed from it in exact integers.

use super::Load;
use super::bands::BYTES;
use super::smooth::Smooth;
use super::zone::Zone;
use crate::plan::Price;

/// Replica–broker pairs that are weighed at most, over all rounds.
const WORK: usize = 2_500_000_000;
/// How often all pairs are weighed, at most.
const ROUNDS: usize = 20_000;
/// Replicas of a zone at most: of larger ones the search does not get near the best prices with that work.
const LARGEST: usize = 25_000;

/// Prices of each broker, in bytes per unit.
pub(super) type Prices = Vec<[f64; 3]>;
/// The same in whole parts of [`Price::SCALE`].
pub(super) type WholePrices = Vec<[i64; 3]>;

/// Good prices for a zone; none where it is too large, or its plan moves no byte.
pub(super) fn prices(zone: &Zone) -> Option<Prices> {
    let upper = zone.moved_bytes();
    if zone.items.len() > LARGEST || upper == 0 {
        return None;
    }
    let ends = zone.ends();
    let (mut best, mut most) = (vec![[0.0; 3]; zone.width()], 0.0f64);
    let work = WORK.min(zone.items.len() * zone.width() * ROUNDS);
    Smooth::new(zone, &ends, work).descend(upper as f64, |at| {
        let value = value(zone, &ends, at);
        if value > most {
            most = value;
            best.clone_from(at);
        }
    });
    Some(best)
}

/// The bound at these prices.
fn value(zone: &Zone, ends: &[(Load, Load)], prices: &Prices) -> f64 {
    let mut value = 0.0;
    for (of, (low, high)) in prices.iter().zip(ends) {
        for (m, price) in of.iter().enumerate().filter(|(_, price)| **price != 0.0) {
            value -= price * if *price > 0.0 { high[m] } else { low[m] } as f64;
        }
    }
    for item in &zone.items {
        let load = item.load.map(|n| n as f64);
        value += cheapest(&zone.takes, prices, item.home as usize, &load).1;
    }
    value
}

/// Where a replica is cheapest, its copy included; at home if nowhere else is cheaper.
fn cheapest(takes: &[bool], prices: &Prices, home: usize, load: &[f64; 3]) -> (usize, f64) {
    let dear = |b: usize| prices[b][0] * load[0] + prices[b][1] * load[1] + prices[b][2] * load[2];
    let mut best = (home, dear(home));
    for b in (0..prices.len()).filter(|b| takes[*b]) {
        let cost = dear(b) + load[BYTES];
        if cost < best.1 {
            best = (b, cost);
        }
    }
    best
}

/// Moves every replica to where it is cheapest.
pub(super) fn follow(zone: &mut Zone, prices: &Prices) {
    for number in 0..zone.items.len() as u32 {
        let item = zone.items[number as usize];
        let load = item.load.map(|n| n as f64);
        let (to, _) = cheapest(&zone.takes, prices, item.home as usize, &load);
        if to != item.now as usize && zone.may(number, to) {
            zone.apply(number, to);
        }
    }
}

/// The prices as they are written, and the bound that they prove, in bytes.
pub(super) fn certify(zone: &Zone, prices: &Prices) -> (WholePrices, u128) {
    let whole: WholePrices =
        prices.iter().map(|price| price.map(|price| (price * Price::SCALE as f64) as i64)).collect();
    let dear =
        |b: usize, load: &Load| (0..3).map(|m| i128::from(whole[b][m]) * i128::from(load[m])).sum::<i128>();
    let mut sum: i128 = 0;
    for (of, (low, high)) in whole.iter().zip(zone.ends()) {
        for (m, price) in of.iter().enumerate() {
            sum -= i128::from(*price) * i128::from(if *price > 0 { high[m] } else { low[m] });
        }
    }
    for item in &zone.items {
        let away = (0..zone.width()).map(|b| dear(b, &item.load)).min().unwrap_or(0);
        let away = away + i128::from(item.bytes()) * i128::from(Price::SCALE);
        sum += dear(item.home as usize, &item.load).min(away);
    }
    (whole, (sum.max(0) / i128::from(Price::SCALE)) as u128)
}
