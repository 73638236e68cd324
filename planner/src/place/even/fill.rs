//! The bulk of a rebalance: who has too much gives a cross-section of what it has, who has too little takes it.
//!
//! Only where bytes have to move. Each broker gets an aim within its band, at the near end, so that no more moves than
//! must. What a giver picks follows its aims in all measures at once (error diffusion over its replicas, the largest
//! first), and so does what a taker gets (the largest first, to where it is missed most).

use super::Load;
use super::bands::{BYTES, Band};
use super::zone::Zone;

/// A band is aimed at by this part of its width within its end: what is placed does not hit an aim exactly.
const MARGIN: u64 = 400;

/// Moves until bytes are within their bands, nearly; the other measures as far as that brings them.
pub(super) fn fill(zone: &mut Zone) {
    let aims = aims(zone);
    let mut held: Vec<Vec<u32>> = vec![Vec::new(); zone.width()];
    for (at, item) in zone.items.iter().enumerate() {
        if item.is_free && zone.loads[item.now as usize][BYTES] > aims[item.now as usize][BYTES] {
            held[item.now as usize].push(at as u32);
        }
    }
    let mut given = Vec::new();
    for (at, mut items) in held.into_iter().enumerate() {
        items.sort_unstable_by_key(|item| (std::cmp::Reverse(zone.items[*item as usize].bytes()), *item));
        let excess: [f64; 3] = std::array::from_fn(|m| zone.loads[at][m].saturating_sub(aims[at][m]) as f64);
        give(zone, &items, excess, &mut given);
    }
    given.sort_unstable_by_key(|item| (std::cmp::Reverse(zone.items[*item as usize].bytes()), *item));
    let takers: Vec<usize> = (0..zone.width())
        .filter(|at| zone.takes[*at] && (0..3).any(|m| aims[*at][m] > zone.loads[*at][m]))
        .collect();
    for item in given {
        if let Some(to) = taker(zone, &aims, &takers, item) {
            zone.apply(item, to);
        }
    }
}

/// What each broker is to hold: the nearest to what it has that is within its band, so that the sum stays.
fn aims(zone: &Zone) -> Vec<Load> {
    let mut aims = vec![[0; 3]; zone.width()];
    for m in 0..3 {
        let loads: Vec<u64> = zone.loads.iter().map(|load| load[m]).collect();
        let ends: Vec<(u64, u64)> = zone.bands.iter().map(|band| within(band, m)).collect();
        let total: u128 = loads.iter().map(|load| u128::from(*load)).sum();
        let near = |(at, (low, high)): (usize, &(u64, u64))| {
            let (load, band) = (loads[at], &zone.bands[at]);
            let is_within = load >= band.low[m] && load <= band.high[m];
            if is_within { load } else { load.max(*low).min(*high) }
        };
        let near: Vec<u64> = ends.iter().enumerate().map(near).collect();
        let is_short = near.iter().map(|aim| u128::from(*aim)).sum::<u128>() > total;
        // A level, in 1/2^20 of the fair share: takers raise, or givers sink, to it.
        let at_level = |level: u128, at: usize| {
            let share = ((u128::from(zone.bands[at].fair[m]) * level) >> 20).min(u128::from(u64::MAX)) as u64;
            let (low, high) = ends[at];
            if is_short { near[at].min(share.max(low)) } else { near[at].max(share.min(high)) }
        };
        let (mut least, mut most) = (0u128, 1u128 << 40);
        while least < most {
            let middle = (least + most) / 2;
            let sum: u128 = (0..near.len()).map(|at| u128::from(at_level(middle, at))).sum();
            if sum >= total { most = middle } else { least = middle + 1 }
        }
        (0..near.len()).for_each(|at| aims[at][m] = at_level(least, at));
    }
    aims
}

/// The ends of a band, less the margin.
fn within(band: &Band, m: usize) -> (u64, u64) {
    let margin = band.high[m].saturating_sub(band.low[m]).min(band.fair[m]) / MARGIN;
    let low = if band.low[m] == 0 { 0 } else { band.low[m] + margin };
    (low, band.high[m].saturating_sub(margin))
}

/// Picks of a broker's items, the largest first, so that what was picked keeps to the same part of each measure.
fn give(zone: &Zone, items: &[u32], excess: [f64; 3], given: &mut Vec<u32>) {
    let mut all = [0.0; 3];
    for item in items {
        zone.items[*item as usize].load.iter().zip(&mut all).for_each(|(load, sum)| *sum += *load as f64);
    }
    let part: [f64; 3] = std::array::from_fn(|m| if all[m] > 0.0 { excess[m] / all[m] } else { 0.0 });
    let scale: [f64; 3] = std::array::from_fn(|m| excess[m].max(all[m] / 64.0).max(1.0));
    let mut missing = [0.0; 3];
    for item in items {
        let load = zone.items[*item as usize].load;
        let mut better = 0.0;
        for m in 0..3 {
            let more = load[m] as f64 / scale[m];
            missing[m] += part[m] * more;
            better += more * (2.0 * missing[m] - more);
        }
        if better > 0.0 {
            given.push(*item);
            (0..3).for_each(|m| missing[m] -= load[m] as f64 / scale[m]);
        }
    }
}

/// Where an item is missed most; nowhere if it would only overfill.
fn taker(zone: &Zone, aims: &[Load], takers: &[usize], item: u32) -> Option<usize> {
    let load = zone.items[item as usize].load;
    let mut best: Option<(f64, usize)> = None;
    for at in takers {
        let mut score = 0.0;
        for m in 0..3 {
            let fair = zone.bands[*at].fair[m] as f64;
            let missing = (aims[*at][m] as f64 - zone.loads[*at][m] as f64) / fair;
            let more = load[m] as f64 / fair;
            score += more * (2.0 * missing - more);
        }
        if best.is_none_or(|(most, _)| score > most) && zone.may(item, *at) {
            best = Some((score, *at));
        }
    }
    best.filter(|(score, _)| *score > 0.0).map(|(_, at)| at)
}
