//! Bytes are evened out by swaps: two replicas exchange their destinations. Counts stay as they are, a topic is
//! never less spread than before, and the work is counted, so that the same input gives the same plan.

use super::construct::{Item, Target, Zone, relative};
use crate::model::watch::Watch;

/// Steps per broker.
const EFFORT: usize = 24;
/// Partners that are tried for the broker at an end.
const PARTNERS: usize = 4;
/// Neighbours by size that are tried for one replica.
const NEIGHBOURS: usize = 6;

/// Evens out the bytes of the leaders by swaps among them, or all bytes by swaps among the others.
pub(super) fn even_out(target: &mut Target<'_>, zone: &mut Zone, leads: bool, watch: &dyn Watch) {
    if zone.brokers.len() < 2 {
        return;
    }
    // Where all that comes in leads, its bytes are all that can be evened out.
    let by_leading = leads && zone.items.iter().any(|item| !item.leads);
    let mut shelves = Shelves::of(zone, leads);
    let mut scale = Scale::of(zone, by_leading);
    let mut stuck = vec![false; zone.brokers.len()];
    for step in 0..zone.brokers.len() * EFFORT {
        if step % 256 == 0 && watch.stop() {
            return;
        }
        let Some((end, partners)) = scale.worst(&stuck) else { return };
        let swap = partners.iter().find_map(|partner| {
            let (high, low) = if scale.gap(end) > 0 { (end, *partner) } else { (*partner, end) };
            let search = Search { target, zone, leads, wanted: scale.wanted(high, low) };
            search.run(&shelves, high, low).map(|pair| (pair, *partner))
        });
        let Some(((give, take), partner)) = swap else {
            stuck[end] = true;
            continue;
        };
        exchange(target, zone, &mut shelves, give, take);
        stuck[partner] = false;
        let tally = if by_leading { &zone.leading } else { &zone.all };
        for at in [end, partner] {
            scale.update(at, tally.bytes[at]);
        }
    }
}

/// Items of one class on each broker, by size.
struct Shelves(Vec<Vec<(u64, u32)>>);

impl Shelves {
    fn of(zone: &Zone, leads: bool) -> Self {
        let mut shelves = vec![Vec::new(); zone.brokers.len()];
        for (at, item) in zone.items.iter().enumerate() {
            if item.leads == leads && item.to != u16::MAX {
                shelves[item.to as usize].push((item.bytes, at as u32));
            }
        }
        shelves.iter_mut().for_each(|shelf| shelf.sort_unstable());
        Shelves(shelves)
    }

    fn shift(&mut self, entry: (u64, u32), from: usize, to: usize) {
        if let Ok(at) = self.0[from].binary_search(&entry) {
            self.0[from].remove(at);
        }
        if let Err(at) = self.0[to].binary_search(&entry) {
            self.0[to].insert(at, entry);
        }
    }
}

/// How far each broker is from its part of the bytes.
struct Scale {
    bytes: Vec<u64>,
    weights: Vec<u64>,
    mean: u128,
    levels: Vec<u128>,
}

impl Scale {
    fn of(zone: &Zone, by_leading: bool) -> Self {
        let bytes = if by_leading { zone.leading.bytes.clone() } else { zone.all.bytes.clone() };
        let weights = zone.weights.clone();
        let sum: u128 = bytes.iter().map(|n| u128::from(*n)).sum();
        let mean = (sum << 16) / weights.iter().map(|n| u128::from(*n)).sum::<u128>().max(1);
        let levels = bytes.iter().zip(&weights).map(|(bytes, weight)| relative(*bytes, *weight)).collect();
        Scale { bytes, weights, mean, levels }
    }

    fn update(&mut self, at: usize, bytes: u64) {
        self.bytes[at] = bytes;
        self.levels[at] = relative(bytes, self.weights[at]);
    }

    /// Above the mean (positive) or below it.
    fn gap(&self, at: usize) -> i128 {
        self.levels[at] as i128 - self.mean as i128
    }

    /// The broker that is farthest off, with those at the other end; `None` if all are within 1/1000.
    fn worst(&self, stuck: &[bool]) -> Option<(usize, Vec<usize>)> {
        let tolerance = (self.mean / 1000) as i128;
        let free = (0..self.levels.len()).filter(|at| !stuck[*at]);
        let end = free.max_by_key(|at| (self.gap(*at).abs(), std::cmp::Reverse(*at)))?;
        if self.gap(end).abs() <= tolerance {
            return None;
        }
        let sign = self.gap(end).signum();
        let mut others: Vec<usize> = (0..self.levels.len()).filter(|at| *at != end).collect();
        let key = |at: &usize| (self.gap(*at) * sign, *at);
        if others.len() > PARTNERS {
            others.select_nth_unstable_by_key(PARTNERS, key);
            others.truncate(PARTNERS);
        }
        others.sort_unstable_by_key(key);
        Some((end, others))
    }

    /// Bytes that would bring two brokers to one level.
    fn wanted(&self, high: usize, low: usize) -> u64 {
        let (a, b) = (u128::from(self.weights[high]), u128::from(self.weights[low]));
        let (x, y) = (u128::from(self.bytes[high]) * b, u128::from(self.bytes[low]) * a);
        (x.saturating_sub(y) / (a + b)) as u64
    }
}

/// The search for two replicas whose exchange takes about the wanted bytes from one broker to another.
struct Search<'a, 'b> {
    target: &'a Target<'b>,
    zone: &'a Zone,
    leads: bool,
    wanted: u64,
}

/// The replica to give, the one to take, and by how much their difference misses what is wanted.
type Pair = (u64, u32, u32);

impl Search<'_, '_> {
    fn run(&self, shelves: &Shelves, high: usize, low: usize) -> Option<(u32, u32)> {
        if self.wanted == 0 {
            return None;
        }
        let (give, take) = (&shelves.0[high], &shelves.0[low]);
        let best = self.by_size(give, take).or_else(|| self.by_topic(give, take));
        best.map(|(_, give, take)| (give, take))
    }

    /// Among replicas whose sizes differ by about what is wanted.
    fn by_size(&self, give: &[(u64, u32)], take: &[(u64, u32)]) -> Option<Pair> {
        let mut best = None;
        let start = give.partition_point(|(bytes, _)| *bytes < self.wanted / 2);
        for (bytes, item) in &give[start..] {
            let ideal = bytes.saturating_sub(self.wanted);
            let middle = take.partition_point(|(other, _)| *other < ideal);
            let near = middle.saturating_sub(NEIGHBOURS / 2)..take.len().min(middle + NEIGHBOURS / 2);
            take[near].iter().for_each(|other| self.consider(&mut best, (*bytes, *item), *other));
            if best.is_some_and(|(miss, _, _)| miss <= self.wanted / 8) {
                break;
            }
        }
        best
    }

    /// Among replicas of one topic, which may always change places as far as spreading goes.
    fn by_topic(&self, give: &[(u64, u32)], take: &[(u64, u32)]) -> Option<Pair> {
        let topic = |entry: &(u64, u32)| self.zone.items[entry.1 as usize].topic;
        let mut others: Vec<(u64, u32)> = take.to_vec();
        others.sort_by_key(topic);
        let mut best = None;
        for entry in give {
            let start = others.partition_point(|other| topic(other) < topic(entry));
            let same = others[start..].iter().take_while(|other| topic(other) == topic(entry));
            same.for_each(|other| self.consider(&mut best, *entry, *other));
        }
        best
    }

    fn consider(&self, best: &mut Option<Pair>, give: (u64, u32), take: (u64, u32)) {
        // Twice the wanted bytes or more would only exchange the ends.
        let Some(moved) = give.0.checked_sub(take.0).filter(|n| *n > 0 && n / 2 < self.wanted) else {
            return;
        };
        let miss = moved.abs_diff(self.wanted);
        if best.is_none_or(|(least, _, _)| miss < least)
            && may(self.target, self.zone, give.1, take.1, self.leads)
        {
            *best = Some((miss, give.1, take.1));
        }
    }
}

/// Whether two replicas may exchange their destinations.
fn may(target: &Target<'_>, zone: &Zone, a: u32, b: u32, leads: bool) -> bool {
    let (a, b) = (&zone.items[a as usize], &zone.items[b as usize]);
    let shares = |item: &Item, to: u16| target.shares_rack(item, zone.brokers[to as usize]);
    let fits = |item: &Item, to: u16| {
        !target.list(item.row).contains(&zone.brokers[to as usize])
            && (!shares(item, to) || shares(item, item.to))
    };
    let spreads = |item: &Item, to: u16| {
        let thinner = |counts: &[u32]| counts[to as usize] < counts[item.to as usize];
        thinner(zone.all.of_topic(item.topic)) && (!leads || thinner(zone.leading.of_topic(item.topic)))
    };
    let spread = a.topic == b.topic || spreads(a, b.to) && spreads(b, a.to);
    spread && fits(a, b.to) && fits(b, a.to)
}

fn exchange(target: &mut Target<'_>, zone: &mut Zone, shelves: &mut Shelves, a: u32, b: u32) {
    let (to_a, to_b) = (zone.items[a as usize].to as usize, zone.items[b as usize].to as usize);
    for (item, from, to) in [(a, to_a, to_b), (b, to_b, to_a)] {
        zone.take(item);
        zone.put(item, to);
        let moved = zone.items[item as usize];
        target.set(&moved, zone.brokers[to]);
        shelves.shift((moved.bytes, item), from, to);
    }
}
