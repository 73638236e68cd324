//! Fewer bytes by annealing, over the replicas whose place the prices leave open.
//!
//! A plan within its bands costs above the bound what its replicas lose by not being at their cheapest places, and what
//! bands that have a price are short of their ends. So only places that lose little are tried. A band that is left costs
//! more than its price: it does not pay, and what remains of that is mended after.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Load;
use super::bands::BYTES;
use super::dual::Prices;
use super::zone::Zone;

/// Steps that are tried for each replica of a zone, and in all.
const STEPS_EACH: usize = 2_400;
const STEPS: usize = 24_000_000;
/// Replica–place pairs among which steps are chosen, at most.
const OPEN: usize = 12_000;
/// What leaving a band costs, in prices.
const FINE: f64 = 3.0;
/// The heat at the start and the end, as a part of the bytes that the plan moves.
const WARM: f64 = 1e-3;
const COLD: f64 = 3e-7;
/// Steps between two looks at the heat.
const STRIDE: usize = 4096;

/// Replicas with a choice, and what leaving bands costs.
struct Open {
    /// Item and its places, cheap ones only.
    choices: Vec<(u32, Vec<u16>)>,
    /// By broker and measure, in bytes per unit.
    fines: Vec<[f64; 3]>,
}

/// Moves items among their cheap places until few bytes move.
pub(super) fn polish(zone: &mut Zone, prices: &Prices) {
    let open = Open::of(zone, prices);
    if open.choices.len() < 2 {
        return;
    }
    let steps = (zone.items.len() * STEPS_EACH).min(STEPS);
    let scale = zone.moved_bytes() as f64;
    let mut random = Pcg64Mcg::seed_from_u64(zone.items.len() as u64);
    let rounds = steps / STRIDE;
    let cooling = nth_root(COLD / WARM, rounds);
    let mut heat = WARM * scale;
    for _ in 0..rounds {
        for _ in 0..STRIDE {
            // The mean of these is the heat; their tail is long, so that now and then a high wall is passed.
            let part = f64::from(random.next_u32() >> 8) / f64::from(1u32 << 24);
            let bearable = heat * 3.0 * part * part;
            if random.next_u32() & 1 == 0 {
                open.shift(zone, &mut random, bearable);
            } else {
                open.swap(zone, &mut random, bearable);
            }
        }
        heat *= cooling;
    }
}

/// By halving, from products alone: the same on every machine.
fn nth_root(of: f64, n: usize) -> f64 {
    let power = |base: f64| (0..n).try_fold(1.0, |power: f64, _| (power > of).then_some(power * base));
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if power(middle).is_some_and(|power| power > of) { high = middle } else { low = middle }
    }
    high
}

impl Open {
    fn of(zone: &Zone, prices: &Prices) -> Self {
        let mut losses: Vec<(f64, u32, u16)> = Vec::new();
        for (number, item) in zone.items.iter().enumerate().filter(|(_, item)| item.is_free) {
            let load = item.load.map(|n| n as f64);
            let price = |b: usize| {
                let copy = if b == item.home as usize { 0.0 } else { load[BYTES] };
                (0..3).map(|m| prices[b][m] * load[m]).sum::<f64>() + copy
            };
            let is_place = |b: &usize| zone.takes[*b] || *b == item.home as usize;
            let least = (0..zone.width()).filter(is_place).map(price).fold(f64::INFINITY, f64::min);
            losses.extend(
                (0..zone.width()).filter(is_place).map(|b| (price(b) - least, number as u32, b as u16)),
            );
        }
        // Each has one that loses nothing.
        let most = (zone.items.len() + OPEN).min(losses.len());
        if most < losses.len() {
            losses.select_nth_unstable_by(most, |a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
            losses.truncate(most);
        }
        losses.sort_unstable_by_key(|(_, number, at)| (*number, *at));
        let mut choices: Vec<(u32, Vec<u16>)> = Vec::new();
        for (_, number, at) in losses {
            match choices.last_mut() {
                Some((last, places)) if *last == number => places.push(at),
                _ => choices.push((number, vec![at])),
            }
        }
        choices.retain(|(number, places)| places.len() > 1 || places[0] != zone.items[*number as usize].now);
        Open { choices, fines: fines(zone, prices) }
    }

    /// Bytes and fines that a move adds.
    fn adds(&self, zone: &Zone, number: u32, to: usize) -> f64 {
        let item = &zone.items[number as usize];
        let (home, from) = (item.home as usize, item.now as usize);
        let bytes = item.load[BYTES] as f64;
        let mut sum = match (from == home, to == home) {
            (true, false) => bytes,
            (false, true) => -bytes,
            _ => 0.0,
        };
        for m in 0..3 {
            let (old, new, more) = (zone.loads[from][m], zone.loads[to][m], item.load[m]);
            sum += self.fine(zone, from, m, old - more) - self.fine(zone, from, m, old);
            sum += self.fine(zone, to, m, new + more) - self.fine(zone, to, m, new);
        }
        sum
    }

    fn fine(&self, zone: &Zone, at: usize, m: usize, amount: u64) -> f64 {
        zone.off(at, m, amount) as f64 * self.fines[at][m]
    }

    fn pick(&self, random: &mut Pcg64Mcg) -> (u32, u16) {
        let (item, places) = &self.choices[below(random, self.choices.len())];
        (*item, places[below(random, places.len())])
    }

    /// One item to another place, if that is bearable.
    fn shift(&self, zone: &mut Zone, random: &mut Pcg64Mcg, bearable: f64) {
        let (item, to) = self.pick(random);
        if zone.items[item as usize].now != to
            && self.adds(zone, item, to as usize) <= bearable
            && zone.may(item, to as usize)
        {
            zone.apply(item, to as usize);
        }
    }

    /// Two items at once: what one alone would break, the other may make up for.
    fn swap(&self, zone: &mut Zone, random: &mut Pcg64Mcg, bearable: f64) {
        let ((first, to), (second, then)) = (self.pick(random), self.pick(random));
        let from = zone.items[first as usize].now;
        let other = zone.items[second as usize].now;
        // Two that have no broker in common are two single moves.
        let is_linked = then == from || then == to || other == to || other == from;
        if first == second || from == to || other == then || !is_linked || !zone.may(first, to as usize) {
            return;
        }
        let adds = self.adds(zone, first, to as usize);
        zone.apply(first, to as usize);
        if adds + self.adds(zone, second, then as usize) <= bearable && zone.may(second, then as usize) {
            zone.apply(second, then as usize);
        } else {
            zone.apply(first, from as usize);
        }
    }
}

/// What a unit outside of its band costs: several times what the prices say it is worth, on any broker.
fn fines(zone: &Zone, prices: &Prices) -> Vec<[f64; 3]> {
    let fair = |b: usize, m: usize| zone.bands[b].fair[m] as f64;
    // In fair shares, so that large and small brokers count alike.
    let most: Load = std::array::from_fn(|m| {
        (0..zone.width()).map(|b| (prices[b][m].abs() * fair(b, m)) as u64).max().unwrap_or(0)
    });
    let least = most.iter().copied().max().unwrap_or(0) as f64 / 16.0;
    let fine = |b: usize, m: usize| FINE * (most[m] as f64).max(least) / fair(b, m);
    (0..zone.width()).map(|b| std::array::from_fn(|m| fine(b, m))).collect()
}

fn below(random: &mut Pcg64Mcg, most: usize) -> usize {
    ((u64::from(random.next_u32()) * most as u64) >> 32) as usize
}
