//! The best prices, by Newton's method on a smoothed bound.
//!
//! Each replica spreads over its places as `exp(-cost / t)`, and each band's end likewise: that makes the bound smooth
//! and its prices few (three for each broker), so a dense Newton step is cheap. The heat `t` then sinks, and with it the
//! error, which is in proportion to it (the softmin of Nesterov's smoothing; entropic transport does the same).

use super::Load;
use super::bands::BYTES;
use super::dual::Prices;
use super::zone::Zone;

/// What is less likely than `exp(-REACH)` is left out.
const REACH: f64 = 16.0;
/// What is less likely than this has no part in the second derivative, which need not be exact.
const SLIGHT: f64 = 1e-3;
/// Pairs of places that are weighed for one second derivative; where there are more, replicas are sampled evenly.
const WEIGHED: usize = 4_000_000;
/// The heat to begin with, as a part of the mean size of a replica.
const WARM: f64 = 0.125;
/// Part of the heat that is kept from one stage to the next.
const COOLING: f64 = 0.4;
/// Newton steps in one stage, at most.
const STEPS: usize = 12;
/// The heat at which to end, as a part of the bytes that a plan moves.
const COLD: f64 = 2e-8;

/// The prices that are sought, and what they are weighed against.
pub(super) struct Smooth<'a> {
    zone: &'a Zone,
    ends: &'a [(Load, Load)],
    /// Broker and measure of each price that may differ from nothing.
    rows: Vec<(usize, usize)>,
    /// Replica–broker pairs that may still be weighed.
    work: usize,
    /// Of this many replicas one has a part in the second derivative.
    sample: usize,
}

/// What brokers hold beyond the bands' ends, and how that changes with prices.
struct Slope {
    off: Vec<f64>,
    /// Minus the second derivative, row by row.
    bend: Vec<f64>,
}

/// Second derivatives between two brokers: the six products of two measures.
type Pair = [f64; 6];
/// Position of the product of two measures in a [`Pair`].
const PRODUCT: [[usize; 3]; 3] = [[0, 1, 2], [1, 3, 4], [2, 4, 5]];

impl<'a> Smooth<'a> {
    /// For a zone with these ends of bands; `work` is how many replica–broker pairs may be weighed.
    pub fn new(zone: &'a Zone, ends: &'a [(Load, Load)], work: usize) -> Self {
        let all = (0..zone.width()).flat_map(|b| (0..3).map(move |m| (b, m)));
        let rows = all.filter(|(b, m)| ends[*b].1[*m] != u64::MAX).collect();
        Smooth { zone, ends, rows, work, sample: 1 }
    }

    /// Prices from the warmest to the coldest stage, each given to `look`; `upper` are bytes that a plan moves.
    pub fn descend(&mut self, upper: f64, mut look: impl FnMut(&Prices)) {
        let mut at: Prices = vec![[0.0; 3]; self.zone.width()];
        let bytes: f64 = self.zone.items.iter().map(|item| item.bytes() as f64).sum();
        let mut heat = (WARM * bytes / self.zone.items.len().max(1) as f64).max(upper * COLD);
        while heat >= upper * COLD {
            let goes_on = self.stage(&mut at, heat);
            look(&at);
            if !goes_on {
                return;
            }
            heat *= COOLING;
        }
    }

    /// Newton steps at one heat; whether work is left.
    fn stage(&mut self, at: &mut Prices, heat: f64) -> bool {
        if self.slope(at, heat, false).is_none() {
            return false;
        }
        for _ in 0..STEPS {
            let Some(here) = self.slope(at, heat, true) else { return false };
            let way = self.newton(&here);
            let rise = dot(&here.off, &way);
            // Nearer to the top than the heat is off anyway.
            if !rise.is_finite() || rise <= heat * self.rows.len() as f64 {
                return true;
            }
            let mut length = 1.0;
            loop {
                let next = self.along(at, &way, length);
                let Some(there) = self.slope(&next, heat, false) else { return false };
                let rest = dot(&there.off, &way);
                // The bound is concave: where it still rises, or falls but little, the step was not too long.
                if !rest.is_finite() || rest >= -0.5 * rise || length < 1e-4 {
                    *at = next;
                    break;
                }
                length *= (rise / (rise - rest)).clamp(0.1, 0.6);
            }
        }
        true
    }

    fn along(&self, at: &Prices, way: &[f64], length: f64) -> Prices {
        let mut next = at.clone();
        for ((b, m), step) in self.rows.iter().zip(way) {
            next[*b][*m] += length * step;
        }
        next
    }

    /// The slope at these prices, and where asked how it bends; none once the work is done.
    fn slope(&mut self, prices: &Prices, heat: f64, bends: bool) -> Option<Slope> {
        let width = self.zone.width();
        let mut loads = vec![[0.0; 3]; width];
        let mut pairs: Vec<Pair> = vec![[0.0; 6]; width * width];
        let mut costs = vec![0.0; width];
        let mut likely: Vec<(usize, f64)> = Vec::with_capacity(width);
        let (mut work, mut open) = (self.zone.items.len() * width, 0);
        for (number, item) in self.zone.items.iter().enumerate() {
            let load = item.load.map(|n| n as f64);
            for (cost, price) in costs.iter_mut().zip(prices) {
                *cost = price[0] * load[0] + price[1] * load[1] + price[2] * load[2] + load[BYTES];
            }
            costs[item.home as usize] -= load[BYTES];
            let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
            likely.clear();
            let near = costs.iter().enumerate().filter(|(_, cost)| **cost < least + REACH * heat);
            likely.extend(near.map(|(b, cost)| (b, (cost - least) / heat)));
            if let [(only, _)] = likely[..] {
                (0..3).for_each(|m| loads[only][m] += load[m]);
                continue;
            }
            likely.iter_mut().for_each(|(_, part)| *part = decay(*part));
            let sum: f64 = likely.iter().map(|(_, part)| part).sum();
            for (b, part) in &mut likely {
                *part /= sum;
                (0..3).for_each(|m| loads[*b][m] += *part * load[m]);
            }
            work += 8 * likely.len();
            open += likely.len() * likely.len();
            if bends && number % self.sample == 0 {
                likely.retain(|(_, part)| *part > SLIGHT);
                spread(&mut pairs, width, &likely, &load, heat / self.sample as f64);
                work += 2 * likely.len() * likely.len();
            }
        }
        self.work = self.work.checked_sub(work)?;
        self.sample = open.div_ceil(WEIGHED).max(1);
        Some(self.beside_bands(prices, heat, &loads, &pairs))
    }

    /// What is held less what the bands take, which spread between their two ends as replicas do over places.
    fn beside_bands(&self, prices: &Prices, heat: f64, loads: &[[f64; 3]], pairs: &[Pair]) -> Slope {
        let (width, rows) = (self.zone.width(), self.rows.len());
        let mut slope = Slope { off: Vec::with_capacity(rows), bend: vec![0.0; rows * rows] };
        for (i, (b, m)) in self.rows.iter().enumerate() {
            let (low, high) = (self.ends[*b].0[*m] as f64, self.ends[*b].1[*m] as f64);
            let span = high - low;
            let part = logistic(prices[*b][*m] * span / heat);
            slope.off.push(loads[*b][*m] - low - part * span);
            for (j, (c, n)) in self.rows.iter().enumerate() {
                slope.bend[i * rows + j] = pairs[b.min(c) * width + b.max(c)][PRODUCT[*m][*n]];
            }
            slope.bend[i * rows + i] += part * (1.0 - part) * span * span / heat;
        }
        slope
    }

    /// The way to the top of the parabola that touches the bound, in bytes per unit.
    fn newton(&self, slope: &Slope) -> Vec<f64> {
        let rows = self.rows.len();
        // In fair shares, so that one ridge suits all measures.
        let fair: Vec<f64> = self.rows.iter().map(|(b, m)| self.zone.bands[*b].fair[*m] as f64).collect();
        let mut bend: Vec<f64> = (0..rows * rows)
            .map(|at| slope.bend[at] / fair[at / rows.max(1)] / fair[at % rows.max(1)])
            .collect();
        let most = (0..rows).map(|i| bend[i * rows + i]).fold(0.0, f64::max);
        (0..rows).for_each(|i| bend[i * rows + i] += most * 1e-9 + f64::MIN_POSITIVE);
        let mut way: Vec<f64> = slope.off.iter().zip(&fair).map(|(off, fair)| off / fair).collect();
        solve(&mut bend, &mut way);
        way.iter_mut().zip(&fair).for_each(|(step, fair)| *step /= fair);
        way
    }
}

/// Adds what a replica that is spread over several places gives to the second derivative.
fn spread(pairs: &mut [Pair], width: usize, likely: &[(usize, f64)], load: &[f64; 3], heat: f64) {
    let [n, s, r] = load;
    let products = [n * n, n * s, n * r, s * s, s * r, r * r].map(|product| product / heat);
    for (at, (b, p)) in likely.iter().enumerate() {
        for (c, q) in &likely[at..] {
            let weight = if b == c { p - p * q } else { -p * q };
            let pair = &mut pairs[b * width + c];
            pair.iter_mut().zip(products).for_each(|(sum, product)| *sum += weight * product);
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a positive definite system by Cholesky's method; the matrix is used up, the right side becomes the solution.
fn solve(matrix: &mut [f64], right: &mut [f64]) {
    let n = right.len();
    for i in 0..n {
        for j in 0..=i {
            let sum = matrix[i * n + j] - dot(&matrix[i * n..i * n + j], &matrix[j * n..j * n + j]);
            matrix[i * n + j] = match i == j {
                // What rounding made negative is no direction to go.
                true if sum <= 0.0 => f64::INFINITY,
                true => sum.sqrt(),
                false => sum / matrix[j * n + j],
            };
        }
        right[i] = (right[i] - dot(&matrix[i * n..i * n + i], &right[..i])) / matrix[i * n + i];
    }
    for i in (0..n).rev() {
        right[i] /= matrix[i * n + i];
        let known = right[i];
        (0..i).for_each(|j| right[j] -= matrix[i * n + j] * known);
    }
}

/// `1 / (1 + exp(-x))`.
fn logistic(x: f64) -> f64 {
    let small = decay(x.abs());
    if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// `exp(-x)` for `x >= 0`, from sums and products alone: `f64::exp` differs from one machine to another.
fn decay(x: f64) -> f64 {
    let scaled = x * std::f64::consts::LOG2_E;
    if scaled >= 1000.0 {
        return 0.0;
    }
    let whole = scaled as u64;
    let rest = (whole as f64 - scaled) * std::f64::consts::LN_2;
    let series = (1..=12).rev().fold(1.0, |sum, n| 1.0 + rest / f64::from(n) * sum);
    series * f64::from_bits((1023 - whole) << 52)
}
