//! Small zones whose best plan is found by trying all.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::bands::Band;
use super::crowd::ALONE;
use super::zone::{Item, Zone};
use super::{bound, dual, polish, solve};
use crate::model::watch::Unwatched;

/// A zone of two or three brokers and up to nine replicas, each band within some percent of the fair share.
fn zone(seed: u64) -> Zone {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut draw = |most: u64| u64::from(random.next_u32()) % most;
    let (width, count) = (2 + draw(2) as usize, 5 + draw(5) as u32);
    let mut zone = Zone {
        brokers: (0..width as u16).collect(),
        takes: vec![true; width],
        loads: vec![[0; 3]; width],
        ..Zone::default()
    };
    for partition in 0..count {
        let load = [1, 1_000 + draw(100_000), draw(10_000)];
        let home = draw(width as u64) as u16;
        (0..3).for_each(|m| zone.loads[home as usize][m] += load[m]);
        zone.items.push(Item { partition, topic: ALONE, at: 0, is_free: true, home, now: home, load });
    }
    let slack = 15 + draw(40);
    let mut band = Band::FREE;
    for m in 0..3 {
        let fair = (zone.loads.iter().map(|load| load[m]).sum::<u64>() / width as u64).max(1);
        band.fair[m] = fair;
        (band.low[m], band.high[m]) = (fair * (100 - slack) / 100, (fair * (100 + slack)).div_ceil(100));
    }
    zone.bands = vec![band; width];
    zone.asked.clone_from(&zone.bands);
    zone
}

/// The fewest bytes with which all bands are met.
fn optimum(zone: &mut Zone, from: usize, best: &mut Option<u128>) {
    if from == zone.items.len() {
        let bytes = zone.moved_bytes();
        if zone.violations().next().is_none() && best.is_none_or(|best| bytes < best) {
            *best = Some(bytes);
        }
        return;
    }
    let home = zone.items[from].now as usize;
    for to in 0..zone.width() {
        zone.apply(from as u32, to);
        optimum(zone, from + 1, best);
    }
    zone.apply(from as u32, home);
}

#[test]
fn a_bound_is_not_above_the_optimum_nor_that_above_the_plan() {
    let (mut met, mut proved) = (0, 0);
    for seed in 0..300 {
        let mut zone = zone(seed);
        let starts = zone.loads.clone();
        let mut best = None;
        optimum(&mut zone, 0, &mut best);
        let Some(best) = best else { continue };
        solve(&mut zone, &starts, &Unwatched);
        if zone.violations().next().is_some() {
            continue;
        }
        met += 1;
        assert!(zone.moved_bytes() >= best, "seed {seed}: a plan below the optimum");
        let closed = bound::closed(&zone, &starts);
        assert!(closed <= best, "seed {seed}: {closed} is proved, and {best} will do");
        let Some(prices) = dual::prices(&zone) else { continue };
        let bound = dual::certify(&zone, &prices).1;
        assert!(bound <= best, "seed {seed}: {bound} is proved, and {best} will do");
        proved += usize::from(bound > closed);
        polish::polish(&mut zone, &prices);
        assert!(zone.violations().next().is_some() || zone.moved_bytes() >= best, "seed {seed}");
    }
    // Otherwise nothing was tested.
    assert!(met > 100 && proved > 20, "{met} plans, {proved} bounds");
}
