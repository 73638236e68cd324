//! P3 and P4: zones and replication factors, in every list of every step.

use std::ops::RangeInclusive;

use super::Promise;
use super::book::Book;
use super::racks::Racks;
use super::shape::Lists;

/// How a list lies over zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Zones touched, of those that the topic may be in.
    pub zones: usize,
    /// Most less fewest replicas per zone, over the same.
    pub uneven: u32,
    /// Replicas in other zones.
    pub outside: u32,
}

/// Counts replicas per zone without allocating for each list.
#[derive(Debug)]
pub(super) struct Zones {
    counts: Vec<u32>,
    zones: usize,
    /// Whether the topic in hand may be in each.
    allowed: Vec<bool>,
    racks: Racks,
}

impl Zones {
    /// For a book of brokers.
    pub fn new(book: &Book<'_>) -> Self {
        let allowed = vec![true; book.zones.max(1)];
        Zones { counts: vec![0; book.zones.max(1)], zones: book.zones, allowed, racks: Racks::of(book) }
    }

    /// Takes up a topic that may be in these zones; none are all.
    pub fn allow(&mut self, book: &Book<'_>, zones: &[String]) {
        if !zones.is_empty() || self.allowed.contains(&false) {
            self.allowed = book.allowed(zones);
        }
    }

    /// Whether brokers have zones; if not, every list is even.
    pub fn judged(&self) -> bool {
        self.zones > 0
    }

    /// Number of zones of a list that its topic may be in.
    pub fn count(&mut self, book: &Book<'_>, list: &[u32]) -> usize {
        self.tally(book, list);
        let (counts, allowed) = (&mut self.counts, &self.allowed);
        let mut is_first = |zone: usize| std::mem::take(&mut counts[zone]) > 0 && allowed[zone];
        let zones = list.iter().filter(|at| is_first(book.zone(**at) as usize)).count();
        debug_assert!(self.counts.iter().all(|count| *count == 0));
        zones
    }

    /// Zones of a list, and its unevenness over those that its topic may be in.
    pub fn shape(&mut self, book: &Book<'_>, list: &[u32]) -> Shape {
        self.tally(book, list);
        let allowed = || self.counts.iter().zip(&self.allowed).filter(|(_, allowed)| **allowed);
        let most = allowed().map(|(count, _)| *count).max().unwrap_or(0);
        let least = allowed().map(|(count, _)| *count).min().unwrap_or(0);
        let outside = self.outside(book, list);
        self.clear(book, list);
        Shape { zones: self.count(book, list), uneven: most - least, outside }
    }

    /// Replicas of a list in zones that its topic must not be in.
    fn outside(&self, book: &Book<'_>, list: &[u32]) -> u32 {
        list.iter().filter(|at| !self.allowed[book.zone(**at) as usize]).count() as u32
    }

    /// Whether two lists hold equally many replicas of each zone.
    pub fn same(&mut self, book: &Book<'_>, a: &[u32], b: &[u32]) -> bool {
        self.tally(book, a);
        let fits = a.len() == b.len()
            && b.iter().all(|at| {
                let count = &mut self.counts[book.zone(*at) as usize];
                let had = *count > 0;
                *count = count.saturating_sub(1);
                had
            });
        self.clear(book, a);
        fits
    }

    /// Replicas of a list that have to be made again so that it is spread over the zones that its topic may be in: those
    /// on brokers that were given up, those elsewhere, and those that a zone has too many of. At most those as well that
    /// a rack has too many of.
    pub fn misplaced(&mut self, book: &Book<'_>, list: &[u32]) -> RangeInclusive<usize> {
        let alive: Vec<u32> = list.iter().copied().filter(|at| !book.entry(*at).given_up).collect();
        let held = |zone| alive.iter().filter(|at| book.zone(**at) as usize == zone).count();
        let by_zones = self.kept(list.len(), |zone, part| held(zone).min(part));
        let by_racks = match self.racks.are_finer() {
            true => self.kept(list.len(), |zone, part| self.racks.kept(zone, &alive, part)),
            false => by_zones,
        };
        list.len() - by_zones..=list.len() - by_racks
    }

    /// Most replicas that stay where each zone keeps so many of its part: some zones get one more than the others.
    fn kept(&self, factor: usize, of: impl Fn(usize, usize) -> usize) -> usize {
        let zones = || (0..self.allowed.len()).filter(|zone| self.allowed[*zone]);
        let count = zones().count().max(1);
        let (each, spare) = (factor / count, factor % count);
        let more = zones().filter(|zone| of(*zone, each + 1) > of(*zone, each)).count();
        zones().map(|zone| of(zone, each)).sum::<usize>() + more.min(spare)
    }

    /// Whether a list has more replicas that share a rack without need than another one.
    pub fn crowds_racks(&self, from: &[u32], to: &[u32]) -> bool {
        self.racks.crowded(self.counts.len(), to) > self.racks.crowded(self.counts.len(), from)
    }

    /// Whether zones stand above racks.
    pub fn stand_above_racks(&self) -> bool {
        self.racks.are_finer()
    }

    fn tally(&mut self, book: &Book<'_>, list: &[u32]) {
        for at in list {
            self.counts[book.zone(*at) as usize] += 1;
        }
    }

    fn clear(&mut self, book: &Book<'_>, list: &[u32]) {
        for at in list {
            self.counts[book.zone(*at) as usize] = 0;
        }
    }
}

/// How the zone rule counts for one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// It is Hard.
    Hard,
    /// The plan says that the start breaks it.
    NoWorse,
    /// The way back to a start that broke it.
    Back,
}

/// P3 for one move.
pub(super) fn spread(
    book: &Book<'_>,
    zones: &mut Zones,
    lists: &Lists,
    policy: Spread,
    mut say: impl FnMut(Promise, String),
) {
    if !zones.judged() {
        return;
    }
    let start = zones.shape(book, &lists.from);
    let end = zones.shape(book, &lists.to);
    let floor = start.zones.min(end.zones);
    for (step, list) in lists.steps() {
        let count = zones.count(book, list);
        if count < floor {
            let shown = book.show_zones(list);
            say(Promise::P3, format!("{step} leaves {count} zones in {shown}, where {floor} are promised"));
        }
    }
    if end.outside > start.outside && policy != Spread::Back {
        let (from, to) = (book.show_zones(&lists.from), book.show_zones(&lists.to));
        say(
            Promise::P3,
            format!(
                "the end {to} has more replicas in zones that the topic must not be in than the start {from}"
            ),
        );
    }
    if policy == Spread::NoWorse && start.uneven <= 1 {
        let shown = book.show_zones(&lists.from);
        say(
            Promise::P3,
            format!("the plan says that {shown} breaks the zone rule at the start, and it does not"),
        );
    }
    let worse = end.uneven > 1 && end.uneven > start.uneven || end.zones < start.zones.min(lists.to.len());
    let broken = match policy {
        Spread::Hard => end.uneven > 1 || worse,
        Spread::NoWorse => worse,
        Spread::Back => false,
    };
    if broken {
        let (from, to) = (book.show_zones(&lists.from), book.show_zones(&lists.to));
        let how = if worse { "worse than" } else { "as uneven as" };
        say(
            Promise::P3,
            format!(
                "the end {to} is spread {how} the start {from}: replicas per zone may differ by one at most; \
                 choose a target in the zone that lacks one"
            ),
        );
    }
}

/// P4 for one move: every list after the start is long enough.
pub(super) fn factor(
    book: &Book<'_>,
    lists: &Lists,
    min_isr: Option<u32>,
    mut say: impl FnMut(Promise, String),
) {
    let start = lists.from.len();
    let floor = start.min(lists.to.len());
    // Before acks=all writes need it, a min ISR above the factor is masked by the factor itself.
    let in_sync = start.min(min_isr.unwrap_or(0) as usize);
    if lists.kept.is_empty() {
        let shown = book.show(&lists.from);
        say(Promise::P4, format!("every replica of {shown} was given up: no copy is left to copy from"));
    }
    for (step, list) in lists.steps() {
        if list.len() < floor || list.len() < in_sync {
            let shown = book.show(list);
            let (has, needs) = (list.len(), floor.max(in_sync));
            say(
                Promise::P4,
                format!(
                    "{step} leaves {has} replicas in {shown}, where {needs} are needed (min ISR, start and end)"
                ),
            );
        }
    }
}
