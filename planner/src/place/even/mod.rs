//! Evens out what brokers hold: a rebalance, and the fair share of new brokers.
//!
//! ```text
//! bands   fair shares in proportion to capacity, and how far from them is fine
//! zone    the replicas of one zone; zones are independent, as no replica leaves its own, unless that was asked for:
//!         then all brokers are one
//! zones   what their brokers hold, and which replicas may move
//! spread  zones and racks of a partition's replicas: no move makes them worse
//! crowd   replicas of each topic on each broker: no topic is crowded
//! fill    the bulk: givers give a cross-section of what they hold, takers take it, for just the bytes that must move
//! mend    single moves and exchanges until every band is met, the cheapest first
//! dual    prices that prove a bound; replicas follow them, where that moves fewer bytes
//! smooth  the best prices, by Newton's method
//! polish  annealing over the replicas whose place the prices leave open
//! trim    what need not have moved goes home; smaller replicas take the place of larger ones
//! budget  the moves that are worth most, where not all may be made
//! bound   bytes that any plan has to move
//! ```

mod bands;
mod bound;
mod budget;
mod crowd;
mod dual;
mod fill;
mod mend;
mod polish;
mod smooth;
mod spread;
mod trim;
mod zone;
mod zones;

use std::sync::atomic::{AtomicBool, Ordering};

use super::changes::Changes;
use super::layout::Layout;
use super::lead;
use super::refuse::Refused;
use super::scope::Scope;
use super::{Made, PlaceError};
use crate::model::watch::Watch;
use crate::model::{Cluster, Rate, Topology};
use crate::plan::{Bands, Budget, Intent, Measure, Price};
use bands::{BYTES, MEASURES, RATE, REPLICAS};
use bound::Bound;
use zone::Zone;

/// Amounts of each of the [`MEASURES`].
type Load = [u64; 3];

/// The plan of a rebalance or of new brokers; a `rough` one may move more bytes than it must.
pub(super) fn plan(
    scope: &Scope<'_>,
    topology: &Topology,
    rough: bool,
    refused: &mut Refused,
    watch: &mut dyn Watch,
) -> Result<Made, PlaceError> {
    let (wanted, budget) = match scope.intent {
        Intent::Rebalance { bands, budget, .. } => (bands, *budget),
        Intent::Add { bands, .. } => (bands, Budget::default()),
        _ => return Ok(Made::default()),
    };
    judge_rates(scope.cluster, wanted)?;
    let mut made = Made::default();
    let pinned = pins(scope, refused, wanted, &mut made.notes);
    let mut zones = zones::of(scope, topology, wanted, &pinned);
    let starts: Vec<Vec<Load>> = zones.iter().map(|zone| zone.loads.clone()).collect();
    let work = if rough { solve_roughly } else { solve };
    let mut bounds = in_each("even out", &mut zones, &starts, watch, work);
    if budget.limits_copies() {
        budget::keep_within(&mut zones, &starts, &budget);
        // The ends of bands that are not met are others now, and so are their prices.
        bounds = in_each("bound", &mut zones, &starts, watch, |zone, starts, _| bound::best(zone, starts));
    }
    made.bound_bytes = Some(bounds.iter().map(|bound| bound.bytes).sum::<u128>() as u64);
    for (zone, bound) in zones.iter().zip(&bounds) {
        made.prices.extend(prices(scope.cluster, zone, bound));
    }
    made.notes.extend(unmet(scope.cluster, topology, &zones, wanted));
    let layout = layout(scope.cluster, &zones);
    drop(zones);
    if wanted.measures.iter().any(|measure| matches!(measure, Measure::Leaders | Measure::ReadRate)) {
        return Ok(lead::even_out(scope, layout, wanted, &budget, &pinned, made, watch));
    }
    made.changes = Changes::between(scope.cluster, &layout);
    Ok(made)
}

/// Zones side by side: none depends on another, so the result is the same on any number of cores.
fn in_each(
    phase: &'static str,
    zones: &mut [Zone],
    starts: &[Vec<Load>],
    watch: &mut dyn Watch,
    work: fn(&mut Zone, &[Load], &dyn Watch) -> Bound,
) -> Vec<Bound> {
    let total = zones.len() as u64;
    watch.phase(phase, 0, total);
    let halted = AtomicBool::new(false);
    let mut bounds = vec![Bound::default(); zones.len()];
    let mut each = zones.iter_mut().zip(starts).zip(&mut bounds);
    let first = each.next();
    std::thread::scope(|scope| {
        for ((zone, starts), bound) in each {
            let halted = &halted;
            scope.spawn(move || *bound = work(zone, starts, &Halt { halted, asks: None }));
        }
        if let Some(((zone, starts), bound)) = first {
            *bound = work(zone, starts, &Halt { halted: &halted, asks: Some(&*watch) });
        }
    });
    watch.phase(phase, total, total);
    bounds
}

/// A stop that one thread hears of and all obey.
#[derive(Debug)]
struct Halt<'a> {
    halted: &'a AtomicBool,
    asks: Option<&'a dyn Watch>,
}

impl Watch for Halt<'_> {
    fn stop(&self) -> bool {
        if self.asks.is_some_and(Watch::stop) {
            self.halted.store(true, Ordering::Relaxed);
        }
        self.halted.load(Ordering::Relaxed)
    }
}

/// Brings a zone within its bands. Where what that moves is well above what must, prices may show a better way.
fn solve(zone: &mut Zone, starts: &[Load], watch: &dyn Watch) -> Bound {
    let once = |zone: &mut Zone| {
        mend::mend(zone, watch);
        trim::trim(zone);
    };
    let closed = solve_roughly(zone, starts, watch);
    if watch.stop() || bound::is_near(zone.moved_bytes(), closed.bytes) {
        return closed;
    }
    let Some(prices) = dual::prices(zone) else { return closed };
    keep_better(zone, |zone| {
        zone.go_home();
        dual::follow(zone, &prices);
        once(zone);
    });
    keep_better(zone, |zone| {
        polish::polish(zone, &prices);
        once(zone);
    });
    // Bands that were not met may have other ends now.
    let closed = Bound { bytes: bound::closed(zone, starts), ..closed };
    bound::better(zone, closed, &prices)
}

/// Brings a zone within its bands the first way that is found.
fn solve_roughly(zone: &mut Zone, starts: &[Load], watch: &dyn Watch) -> Bound {
    if zone.violations().next().is_none() {
        return Bound::default();
    }
    fill::fill(zone);
    mend::mend(zone, watch);
    trim::trim(zone);
    Bound { bytes: bound::closed(zone, starts), prices: Vec::new() }
}

/// Takes a change back that leaves more outside of its bands, or moves more bytes.
fn keep_better(zone: &mut Zone, change: impl FnOnce(&mut Zone)) {
    let of = |zone: &Zone| (zone.violations().count(), zone.moved_bytes());
    let (before, places) = (of(zone), zone.places());
    change(zone);
    if of(zone) >= before {
        zone.put(&places);
    }
}

/// The prices of a bound, as the certificate tells them.
fn prices(cluster: &Cluster, zone: &Zone, bound: &Bound) -> Vec<Price> {
    let mut prices = Vec::new();
    for (broker, of) in zone.brokers.iter().zip(&bound.prices) {
        for (measure, price) in MEASURES.into_iter().zip(*of).filter(|(_, price)| *price != 0) {
            prices.push(Price { broker: cluster.brokers[*broker as usize].id, measure, price });
        }
    }
    prices
}

/// A band on rates needs rates.
fn judge_rates(cluster: &Cluster, wanted: &Bands) -> Result<(), PlaceError> {
    if wanted.measures.contains(&Measure::WriteRate) && cluster.known_rates(Rate::Write) == 0 {
        return Err(PlaceError::usage(
            "--measures",
            "write-rate, and the snapshot knows no write rate",
            "a snapshot that was taken with --sample, or --rates FILE; unknown is never zero",
        ));
    }
    if wanted.measures.contains(&Measure::ReadRate) && cluster.known_rates(Rate::Read) == 0 {
        return Err(PlaceError::usage(
            "--measures",
            "read-rate, and the snapshot knows no read rate",
            "--rates FILE with read rates: no request to Kafka tells them",
        ));
    }
    Ok(())
}

/// Partitions that stay as they are: those that must not move now, and those of which too little is known.
fn pins(scope: &Scope<'_>, refused: &mut Refused, wanted: &Bands, notes: &mut Vec<String>) -> Vec<bool> {
    let mut pinned = vec![true; scope.cluster.partition_count()];
    let (mut sizeless, mut rateless) = (0, 0);
    let needs_rate = wanted.measures.contains(&Measure::WriteRate);
    for (_, _, p) in scope.partitions() {
        let is_sizeless = p.copy_bytes().is_none();
        let is_rateless = needs_rate && p.write_rate.is_none();
        sizeless += usize::from(is_sizeless);
        rateless += usize::from(is_rateless && !is_sizeless);
        pinned[p.index as usize] = is_sizeless || is_rateless;
    }
    for (count, what) in [(sizeless, "an unknown size"), (rateless, "an unknown write rate")] {
        if count > 0 {
            notes.push(format!("{count} partitions have {what} and stay where they are"));
        }
    }
    let stay = refused.take_partitions();
    for index in stay.keys() {
        pinned[*index as usize] = true;
    }
    if let Some((index, reasons)) = stay.first_key_value() {
        notes.push(format!(
            "{} partitions must not move now and stay where they are; the first is {}: {}",
            stay.len(),
            scope.cluster.name_of(*index),
            reasons.first().map_or("", |refusal| &refusal.reason)
        ));
    }
    pinned
}

/// Brokers outside of their bands that are told one by one.
const TOLD: usize = 5;

/// What is outside of its band still.
fn unmet(cluster: &Cluster, topology: &Topology, zones: &[Zone], wanted: &Bands) -> Vec<String> {
    let (mut notes, mut missed) = (Vec::new(), Vec::new());
    for (number, zone) in zones.iter().enumerate() {
        let total: u64 = zone.loads.iter().map(|load| load[REPLICAS]).sum();
        if total == 0 && !zone.brokers.is_empty() {
            notes.push(format!(
                "zone {} holds no replica, and none leaves its zone without --across-zones",
                topology.name(number as u16)
            ));
        }
        for (at, m) in (0..zone.width()).flat_map(|at| (0..3).map(move |m| (at, m))) {
            let (band, load) = (&zone.asked[at], zone.loads[at][m]);
            if load >= band.low[m] && load <= band.high[m] {
                continue;
            }
            let unit = match m {
                BYTES => " bytes",
                RATE => " bytes/s",
                _ => " replicas",
            };
            missed.push(format!(
                "broker {} ends outside of its band: {load}{unit}, where {} to {} are within {} of the fair share",
                cluster.brokers[zone.brokers[at] as usize].id,
                band.low[m],
                band.high[m],
                percent(wanted.tolerance)
            ));
        }
    }
    if missed.len() > TOLD {
        notes.push(format!("{} bands are not met; the first:", missed.len()));
    }
    notes.extend(missed.into_iter().take(TOLD));
    notes
}

fn percent(tolerance: u32) -> String {
    match tolerance % 100 {
        0 => format!("{} %", tolerance / 100),
        rest => format!("{}.{rest:02} %", tolerance / 100),
    }
}

/// The lists with what moved.
fn layout(cluster: &Cluster, zones: &[Zone]) -> Layout {
    let mut layout = Layout::of(cluster);
    for zone in zones {
        for item in zone.items.iter().filter(|item| item.is_moved()) {
            layout.set(item.partition, item.at as usize, zone.brokers[item.now as usize]);
        }
    }
    layout
}

#[cfg(test)]
mod tests;
