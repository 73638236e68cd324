//! Racks, where zones stand above them: how a list lies over those of each zone.

use super::book::Book;

/// The racks of each zone.
#[derive(Debug)]
pub(super) struct Racks {
    /// By position in the book.
    of: Vec<usize>,
    /// By rack: its zone, and whether it has a broker that was not given up.
    racks: Vec<(usize, bool)>,
    are_finer: bool,
}

impl Racks {
    /// Those of a book of brokers. A zone with a broker whose rack is unknown is one rack.
    pub fn of(book: &Book<'_>) -> Self {
        let mut names: Vec<(usize, Option<&str>)> = Vec::new();
        let mut of = vec![0; book.entries.len()];
        let mut is_whole = vec![book.zones == 0; book.zones.max(1)];
        for entry in book.entries.iter().filter(|entry| entry.in_plan && entry.rack.is_none()) {
            is_whole[entry.zone as usize] = true;
        }
        let mut racks: Vec<(usize, bool)> = Vec::new();
        for (at, entry) in book.entries.iter().enumerate().filter(|(_, entry)| entry.in_plan) {
            let zone = entry.zone as usize;
            let name = (zone, entry.rack.filter(|_| !is_whole[zone]));
            of[at] = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                racks.push((zone, false));
                names.len() - 1
            });
            racks[of[at]].1 |= !entry.given_up;
        }
        let mut zones: Vec<usize> = racks.iter().map(|(zone, _)| *zone).collect();
        zones.sort_unstable();
        let are_finer = zones.windows(2).any(|pair| pair[0] == pair[1]);
        Racks { of, racks, are_finer }
    }

    /// Whether some zone has several.
    pub fn are_finer(&self) -> bool {
        self.are_finer
    }

    /// Replicas of a list in each rack of a zone that has a broker left.
    fn counts(&self, zone: usize, list: &[u32]) -> Vec<usize> {
        let count = |rack: usize| list.iter().filter(|at| self.of[**at as usize] == rack).count();
        let here = self.racks.iter().enumerate().filter(|(_, rack)| **rack == (zone, true));
        here.map(|(rack, _)| count(rack)).collect()
    }

    /// Replicas of a list that racks have too many of.
    pub fn crowded(&self, zones: usize, list: &[u32]) -> usize {
        let crowded = |zone| {
            let held: usize = self.counts(zone, list).iter().sum();
            held - self.kept(zone, list, held)
        };
        if self.are_finer() { (0..zones).map(crowded).sum() } else { 0 }
    }

    /// How many replicas of a list a zone can keep if `part` are its even part, and each of its racks gets its even part of
    /// those.
    pub fn kept(&self, zone: usize, list: &[u32], part: usize) -> usize {
        let counts = self.counts(zone, list);
        let racks = counts.len().max(1);
        let (each, spare) = (part / racks, part % racks);
        let one_more = counts.iter().filter(|count| **count > each).count();
        counts.iter().map(|count| (*count).min(each)).sum::<usize>() + one_more.min(spare)
    }
}
