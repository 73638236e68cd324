//! Small zones whose best plan is found by trying all, and larger ones whose best bound an LP solver finds.

use std::ops::Range;

use good_lp::{Expression, ProblemVariables, Solution, SolverModel, constraint, microlp, variable};
use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::bands::{BYTES, Band};
use super::crowd::ALONE;
use super::zone::{Item, Zone};
use super::{bound, dual, polish, solve};
use crate::model::watch::Unwatched;

/// A zone of so many brokers and replicas, each band within some percent of the fair share.
fn zone(seed: u64, widths: Range<u64>, counts: Range<u64>) -> Zone {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut draw = |most: u64| u64::from(random.next_u32()) % most;
    let width = (widths.start + draw(widths.end - widths.start)) as usize;
    let count = (counts.start + draw(counts.end - counts.start)) as u32;
    let mut zone = Zone {
        brokers: (0..width as u16).collect(),
        takes: vec![true; width],
        loads: vec![[0; 3]; width],
        most: vec![[u64::MAX; 3]; width],
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
        let mut zone = zone(seed, 2..4, 5..10);
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

/// The fewest bytes where replicas may be split over brokers: what no bound by prices can pass, and the best reaches.
fn relaxed(zone: &Zone) -> Option<f64> {
    let mut variables = ProblemVariables::new();
    let all = zone.items.len() * zone.width();
    let parts = variables.add_vector(variable().min(0.0).max(1.0), all);
    let part = |item: usize, broker: usize| parts[item * zone.width() + broker];
    let mut bytes = Expression::from(0.0);
    let mut loads = vec![[(); 3].map(|()| Expression::from(0.0)); zone.width()];
    // In fair shares, so that the solver's tolerances fit.
    let scaled = |amount: u64, m: usize| amount as f64 / zone.bands[0].fair[m] as f64;
    for (number, item) in zone.items.iter().enumerate() {
        for (broker, loads) in loads.iter_mut().enumerate() {
            (0..3).for_each(|m| loads[m] += scaled(item.load[m], m) * part(number, broker));
            if broker != item.home as usize {
                bytes += scaled(item.bytes(), BYTES) * part(number, broker);
            }
        }
    }
    let mut model = variables.minimise(bytes.clone()).using(microlp);
    for number in 0..zone.items.len() {
        let whole: Expression = (0..zone.width()).map(|broker| part(number, broker)).sum();
        model = model.with(constraint!(whole == 1.0));
    }
    for (broker, loads) in loads.into_iter().enumerate() {
        for (m, load) in loads.into_iter().enumerate() {
            let band = &zone.bands[broker];
            model = model.with(constraint!(load.clone() <= scaled(band.high[m], m)));
            model = model.with(constraint!(load >= scaled(band.low[m], m)));
        }
    }
    Some(model.solve().ok()?.eval(bytes) * zone.bands[0].fair[BYTES] as f64)
}

#[test]
fn prices_prove_what_an_lp_solver_finds() {
    let (mut proved, mut near, mut hard) = (0, 0, 0);
    for seed in 0..40 {
        let mut zone = zone(seed, 3..6, 30..90);
        for band in &mut zone.bands {
            // Tight, so that several bands bind at once.
            (0..3).for_each(|m| {
                (band.low[m], band.high[m]) = (band.fair[m] * 97 / 100, band.fair[m] * 103 / 100 + 1);
            });
        }
        zone.asked.clone_from(&zone.bands);
        let (starts, best) = (zone.loads.clone(), relaxed(&zone));
        solve(&mut zone, &starts, &Unwatched);
        let (Some(best), None) = (best, zone.violations().next()) else { continue };
        let Some(prices) = dual::prices(&zone) else { continue };
        let bound = dual::certify(&zone, &prices).1 as f64;
        assert!(bound <= best * (1.0 + 1e-6) + 1.0, "seed {seed}: {bound} is proved, and {best} will do");
        assert!(bound >= best * 0.9, "seed {seed}: {bound} is proved, and {best} can be");
        assert!(
            zone.moved_bytes() as f64 >= best * (1.0 - 1e-6),
            "seed {seed}: a plan below the best of all"
        );
        proved += 1;
        near += usize::from(bound >= best * 0.999);
        hard += usize::from(best > bound::closed(&zone, &starts) as f64 * 1.01);
    }
    // Otherwise nothing was tested.
    assert!(hard > 10, "{hard} of {proved} bounds are above the closed one");
    assert!(near * 10 > proved * 7, "{near} of {proved} bounds are within a thousandth of the best");
}
