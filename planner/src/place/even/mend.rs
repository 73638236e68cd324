//! Brings brokers within their bands one replica at a time, for the fewest bytes.

use std::collections::BTreeSet;

use super::bands::{BYTES, LEAST_COST, LEAST_GAIN, REPLICAS};
use super::zone::{Item, Zone};
use crate::model::watch::Watch;

/// Replicas of the broker concerned that are tried.
const LOOKS: usize = 48;
/// Replicas of each other broker that are tried.
const LOOKS_ELSEWHERE: usize = 6;
/// Replicas of a broker that are passed over at most, because they do not fit where they would go.
const SCANNED: usize = 1024;
/// Brokers with which exchanges are tried, and replicas of each.
const PARTNERS: usize = 8;
const EXCHANGED: usize = 96;
/// How often what could not be mended is tried again.
const ROUNDS: usize = 6;

/// A broker, a measure, and whether there is too much of it.
type Fault = (usize, usize, bool);

/// Items of one broker in the order in which they are tried for one measure.
#[derive(Debug, Clone)]
struct Shelf {
    /// Amount of the measure, and item.
    entries: Vec<(u64, u32)>,
    /// Those before this one had moved when the shelf was made.
    split: usize,
    /// Those before this one have left.
    start: usize,
}

/// Moves until all bands are met, or nothing helps.
pub(super) fn mend(zone: &mut Zone, watch: &dyn Watch) {
    let mut shelves = Shelves::new(zone);
    for _ in 0..ROUNDS {
        let mut stuck: BTreeSet<Fault> = BTreeSet::new();
        let mut has_moved = false;
        while let Some(fault) = worst(zone, &stuck) {
            if watch.stop() {
                return;
            }
            let step = shelves.step(zone, fault).or_else(|| exchange(zone, &mut shelves, fault));
            match step {
                Some(moves) => {
                    has_moved = true;
                    for (item, to) in moves {
                        zone.apply(item, to);
                        shelves.arrived[to].push(item);
                        shelves.gone[zone.items[item as usize].home as usize].push(item);
                    }
                }
                None => drop(stuck.insert(fault)),
            }
        }
        if stuck.is_empty() || !has_moved {
            return;
        }
    }
}

fn worst(zone: &Zone, stuck: &BTreeSet<Fault>) -> Option<Fault> {
    let faults = zone.violations().map(|(at, m)| (at, m, zone.loads[at][m] > zone.bands[at].high[m]));
    let off = |fault: &Fault| zone.outside(fault.0, fault.1, zone.loads[fault.0][fault.1]);
    faults.filter(|fault| !stuck.contains(fault)).max_by(|a, b| off(a).total_cmp(&off(b)).then(b.cmp(a)))
}

/// Items of each broker by what they are good for. Made when first needed; what left since is passed over, what
/// arrived since stands apart.
struct Shelves {
    shelves: Vec<[Option<Shelf>; 3]>,
    arrived: Vec<Vec<u32>>,
    /// Items that are not at home, by home; those that went back among them.
    gone: Vec<Vec<u32>>,
    /// Items by broker, as they lay when the first shelf was made.
    held: Vec<Vec<u32>>,
}

/// Items and where they go.
type Moves = Vec<(u32, usize)>;

impl Shelves {
    fn new(zone: &Zone) -> Self {
        let mut gone = vec![Vec::new(); zone.width()];
        for (number, item) in zone.items.iter().enumerate().filter(|(_, item)| item.is_moved()) {
            gone[item.home as usize].push(number as u32);
        }
        let shelves = vec![[None, None, None]; zone.width()];
        Shelves { shelves, arrived: vec![Vec::new(); zone.width()], gone, held: Vec::new() }
    }

    /// The items of a broker: few bytes for much of the measure first.
    fn shelf(&mut self, zone: &Zone, at: usize, m: usize) -> &mut Shelf {
        if self.held.is_empty() {
            self.held = vec![Vec::new(); zone.width()];
            for (number, item) in zone.items.iter().enumerate().filter(|(_, item)| item.is_free) {
                self.held[item.now as usize].push(number as u32);
            }
        }
        let (held, items) = (&self.held[at], &zone.items);
        self.shelves[at][m].get_or_insert_with(|| {
            let amount = |item: &u32| (items[*item as usize].load[m], *item);
            let mut entries: Vec<(u64, u32)> = held.iter().map(amount).filter(|entry| entry.0 > 0).collect();
            let cost = |item: &Item| if item.is_moved() { 0 } else { u128::from(item.bytes()) };
            let key = |entry: &(u64, u32)| {
                let item = &items[entry.1 as usize];
                let per_unit = match m {
                    REPLICAS => cost(item),
                    BYTES => u128::from(!item.is_moved()),
                    _ => (cost(item) << 20) / u128::from(item.load[m]),
                };
                (per_unit, std::cmp::Reverse(entry.0), entry.1)
            };
            entries.sort_by_cached_key(key);
            let split = entries.partition_point(|entry| m == BYTES && items[entry.1 as usize].is_moved());
            Shelf { entries, split, start: 0 }
        })
    }

    /// The first items on a broker that are worth a look and fit, of at most `wanted` of the measure where that is bytes.
    fn looks(
        &mut self,
        zone: &Zone,
        (at, m): (usize, usize),
        wanted: u64,
        most: usize,
        fits: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::with_capacity(most * 2);
        let late = self.arrived[at].iter().rev().copied().take(most);
        found.extend(late.filter(|item| zone.items[*item as usize].now as usize == at));
        let shelf = self.shelf(zone, at, m);
        let is_here = |entry: &&(u64, u32)| zone.items[entry.1 as usize].now as usize == at;
        let mut add = |part: &[(u64, u32)]| {
            let here = part.iter().filter(is_here).take(SCANNED).map(|entry| entry.1);
            found.extend(here.filter(|item| fits(*item)).take(most));
        };
        if m == BYTES {
            // Moved ones first, each part from the largest that is not too large.
            let (moved, others) = shelf.entries.split_at(shelf.split);
            for part in [moved, others] {
                let start = part.partition_point(|entry| entry.0 > wanted);
                add(&part[start.saturating_sub(1)..]);
            }
        } else {
            let gone = shelf.entries[shelf.start..].iter().take_while(|entry| !is_here(entry)).count();
            shelf.start += gone;
            add(&shelf.entries[shelf.start..]);
        }
        found
    }

    /// The move that helps most for its bytes.
    fn step(&mut self, zone: &Zone, (at, m, is_over): Fault) -> Option<Moves> {
        let mut best: Option<(f64, u32, usize)> = None;
        let mut consider = |item: u32, to: usize| {
            let gain = zone.gain(item, to);
            let here = &zone.items[item as usize];
            // Beside new brokers nobody gets less than is fair for their sake.
            let is_spared = zone.takes[here.now as usize] || zone.spares(here.now as usize, &here.load);
            if gain <= LEAST_GAIN || !is_spared || !zone.may(item, to) {
                return;
            }
            let score = gain / (cost(zone, item, to) + LEAST_COST);
            if best.is_none_or(|(most, _, _)| score > most) {
                best = Some((score, item, to));
            }
        };
        if is_over {
            let wanted = zone.loads[at][m] - zone.bands[at].high[m];
            let open = |to: &usize| *to != at && zone.loads[*to][m] < zone.bands[*to].high[m];
            let open: Vec<usize> = (0..zone.width()).filter(open).collect();
            let fits = |item: u32| {
                open.is_empty()
                    || open.iter().any(|to| zone.crowd.takes(zone.items[item as usize].topic, *to))
            };
            for item in self.looks(zone, (at, m), wanted, LOOKS, fits) {
                (0..zone.width()).filter(|to| *to != at).for_each(|to| consider(item, to));
            }
        } else {
            let wanted = zone.bands[at].low[m] - zone.loads[at][m];
            let went = self.gone[at].iter().rev().take(LOOKS);
            let went: Vec<u32> =
                went.filter(|item| zone.items[**item as usize].now as usize != at).copied().collect();
            went.into_iter().for_each(|item| consider(item, at));
            let has_more = |other: &usize| zone.loads[*other][m] > zone.bands[*other].low[m];
            for other in (0..zone.width()).filter(|other| *other != at).filter(has_more) {
                let looks = self.looks(zone, (other, m), wanted, LOOKS_ELSEWHERE, |item| zone.may(item, at));
                looks.into_iter().for_each(|item| consider(item, at));
            }
        }
        best.map(|(_, item, to)| vec![(item, to)])
    }
}

/// Brokers at the other end of a fault: those with the least of what one has too much of, or the most of what it lacks.
fn opposite(zone: &Zone, (at, m, is_over): Fault) -> Vec<usize> {
    let level = |other: &usize| {
        let level = (u128::from(zone.loads[*other][m]) << 20) / u128::from(zone.bands[*other].fair[m]);
        (if is_over { level } else { u128::MAX - level }, *other)
    };
    let mut others: Vec<usize> = (0..zone.width()).filter(|other| *other != at).collect();
    if others.len() > PARTNERS {
        others.select_nth_unstable_by_key(PARTNERS, level);
        others.truncate(PARTNERS);
    }
    others
}

/// Bytes that a move costs, in fair shares: less than nothing for one that goes home.
fn cost(zone: &Zone, item: u32, to: usize) -> f64 {
    let item = &zone.items[item as usize];
    let bytes = item.bytes() as f64 / zone.bands[to].fair[BYTES] as f64;
    match (item.is_moved(), item.home as usize == to) {
        (false, _) => bytes,
        (true, false) => 0.0,
        // It gives back what it cost: as good as a move can be.
        (true, true) => -LEAST_COST / 2.0,
    }
}

/// Two replicas that change places, where no single move helps.
fn exchange(zone: &mut Zone, shelves: &mut Shelves, (at, m, is_over): Fault) -> Option<Moves> {
    let others = opposite(zone, (at, m, is_over));
    let mine = sample(zone, shelves, at);
    let mut best: Option<(f64, Moves)> = None;
    for other in others {
        for theirs in sample(zone, shelves, other) {
            for item in &mine {
                let (a, b) = (zone.items[*item as usize], zone.items[theirs as usize]);
                if (a.load[m] > b.load[m]) != is_over || !zone.may(*item, other) || !zone.may(theirs, at) {
                    continue;
                }
                let first = zone.gain(*item, other);
                zone.apply(*item, other);
                let gain = first + zone.gain(theirs, at);
                zone.apply(*item, at);
                let score =
                    gain / (cost(zone, *item, other).max(0.0) + cost(zone, theirs, at).max(0.0) + LEAST_COST);
                if gain > LEAST_GAIN && best.as_ref().is_none_or(|(most, _)| score > *most) {
                    best = Some((score, vec![(*item, other), (theirs, at)]));
                }
            }
        }
    }
    best.map(|(_, moves)| moves)
}

/// Items of a broker, evenly over their sizes.
fn sample(zone: &Zone, shelves: &mut Shelves, at: usize) -> Vec<u32> {
    let shelf = shelves.shelf(zone, at, BYTES);
    let here = |item: &&u32| zone.items[**item as usize].now as usize == at;
    let step = shelf.entries.len().div_ceil(EXCHANGED).max(1);
    let every = shelf.entries.iter().step_by(step).map(|entry| &entry.1);
    let mut found: Vec<u32> = every.filter(here).copied().collect();
    let late = shelves.arrived[at].iter().rev().take(EXCHANGED / 2);
    found.extend(late.filter(here));
    found
}
