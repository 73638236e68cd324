//! The cheapest whole numbers of node types that are enough of everything.
//!
//! A [`Cover`] is an integer program: minimise `Σ price·n` where in each row `Σ gives·n >= need`. A solver proposes, and
//! integers decide: its linear relaxation gives a price for a unit of each row, which are made whole numbers that
//! prove a bound exactly (weak duality); its integer solution is the first candidate, where exact arithmetic agrees
//! that it is enough. A search over all numbers, cut by the proved bound, then finds the optimum, and among equals the
//! one that the order says: so the answer does not hang on a solver's rounding or on its choice among ties.

use std::cmp::Reverse;

use good_lp::{
    Expression, ProblemVariables, Solution, SolverModel, Variable, WithMipGap, constraint, variable,
};

#[cfg(feature = "highs")]
use good_lp::highs as solver;
#[cfg(not(feature = "highs"))]
use good_lp::microlp as solver;

use crate::model::watch::Watch;

/// The most of one type that is thought of: a cluster has fewer brokers.
pub(super) const MOST: u64 = 65_000;
/// Units of money in which the prices of rows are whole numbers: this part of a hundredth.
const SCALE: u128 = 1 << 20;
/// How far from the optimum the solver may stop: the search goes on from there.
const NEAR: f32 = 0.01;
/// Partial mixes that a search looks at, at most.
const WORK: u64 = 2_000_000;
/// So often a search asks whether it should stop.
const ASK: u64 = 4_096;

/// One thing that there must be enough of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    need: u64,
    /// What one of each type gives, and never more than is needed.
    gives: Vec<u64>,
}

impl Row {
    /// So much is needed, and one of each type gives so much. What it gives beyond the need counts nothing: for whole
    /// numbers that is the same, and fractions come nearer to them.
    pub fn new(need: u64, gives: impl IntoIterator<Item = u64>) -> Row {
        Row { need, gives: gives.into_iter().map(|gives| gives.min(need)).collect() }
    }
}

/// One integer program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cover {
    /// The price of each type.
    pub prices: Vec<u64>,
    /// Which types may be used.
    pub allowed: Vec<bool>,
    /// What there must be enough of. Rows without a need hold by themselves.
    pub rows: Vec<Row>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cheapest {
    /// How many of each type.
    pub counts: Vec<u64>,
    /// What they cost.
    pub price: u128,
    /// No fractions of nodes cost less, where none gives more than is needed; rounded down.
    pub bound: u128,
    /// Whether the search ended: no whole numbers cost less.
    pub proved: bool,
}

/// Cheaper first, then fewer nodes, then more of the types that stand first.
type Rank<'a> = (u128, u64, Reverse<&'a [u64]>);

impl Cover {
    /// Whether these numbers are enough.
    pub fn is_met(&self, counts: &[u64]) -> bool {
        let given = |row: &Row| {
            row.gives.iter().zip(counts).map(|(g, n)| u128::from(*g) * u128::from(*n)).sum::<u128>()
        };
        self.rows.iter().all(|row| given(row) >= u128::from(row.need))
    }

    /// What these numbers cost.
    pub fn price(&self, counts: &[u64]) -> u128 {
        self.prices.iter().zip(counts).map(|(price, n)| u128::from(*price) * u128::from(*n)).sum()
    }

    fn rank<'a>(&self, counts: &'a [u64]) -> Rank<'a> {
        (self.price(counts), counts.iter().sum(), Reverse(counts))
    }

    /// How many of one type alone are enough; `None` if no sensible number is.
    pub fn alone(&self, node: usize) -> Option<u64> {
        let mut count = 0;
        for row in self.rows.iter().filter(|row| row.need > 0) {
            count = count.max(row.need.div_ceil(*row.gives.get(node).filter(|gives| **gives > 0)?));
        }
        Some(count).filter(|count| self.allowed[node] && *count <= MOST)
    }

    fn only(&self, node: usize, count: u64) -> Vec<u64> {
        let mut counts = vec![0; self.prices.len()];
        counts[node] = count;
        counts
    }

    fn types(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.prices.len()).filter(|node| self.allowed[*node])
    }

    /// Rows with a need.
    fn needed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.need > 0)
    }

    /// The optimum of the dual of the linear relaxation: what a row is worth, in the solver's units (of the greatest
    /// price).
    fn worth(&self, greatest: f64) -> Option<Vec<f64>> {
        let mut variables = ProblemVariables::new();
        let rows: Vec<&Row> = self.needed().collect();
        let worth: Vec<Variable> = variables.add_vector(variable().min(0.0), rows.len());
        let sum: Expression = worth.iter().sum();
        let mut model = variables.maximise(sum).using(solver);
        for node in self.types() {
            let of = |(row, worth): (&&Row, &Variable)| *worth * (row.gives[node] as f64 / row.need as f64);
            let value: Expression = rows.iter().zip(&worth).map(of).sum();
            model = model.with(constraint!(value <= self.prices[node] as f64 / greatest));
        }
        let solution = model.solve().ok()?;
        Some(worth.iter().map(|worth| solution.value(*worth)).collect())
    }

    /// The solver's whole numbers, where they are enough or one more of something makes them so.
    fn proposed(&self, greatest: f64, most: &[u64]) -> Option<Vec<u64>> {
        let mut variables = ProblemVariables::new();
        let types: Vec<usize> = self.types().collect();
        let counts: Vec<Variable> = (types.iter())
            .map(|node| variables.add(variable().integer().min(0.0).max(most[*node] as f64)))
            .collect();
        let priced = |(node, count): (&usize, &Variable)| *count * (self.prices[*node] as f64 / greatest);
        let price: Expression = types.iter().zip(&counts).map(priced).sum();
        let mut model = variables.minimise(price).using(solver).with_mip_gap(NEAR).ok()?;
        for row in self.needed() {
            let part =
                |(node, count): (&usize, &Variable)| *count * (row.gives[*node] as f64 / row.need as f64);
            let given: Expression = types.iter().zip(&counts).map(part).sum();
            model = model.with(constraint!(given >= 1.0));
        }
        let solution = model.solve().ok()?;
        let mut found = vec![0; self.prices.len()];
        for (node, count) in types.iter().zip(&counts) {
            found[*node] = (solution.value(*count).round().max(0.0) as u64).min(MOST);
        }
        self.mended(found)
    }

    /// Numbers that lack a rounding error of something get one more node.
    fn mended(&self, mut counts: Vec<u64>) -> Option<Vec<u64>> {
        if self.is_met(&counts) {
            return Some(counts);
        }
        let with = |node: usize, counts: &[u64]| {
            let mut more = counts.to_vec();
            more[node] += 1;
            more
        };
        let node = self
            .types()
            .filter(|node| self.is_met(&with(*node, &counts)))
            .min_by_key(|node| self.prices[*node])?;
        counts = with(node, &counts);
        Some(counts)
    }
}

/// What rows are worth in whole numbers: a proof that nothing is cheaper.
#[derive(Debug, Clone)]
struct Proof {
    /// For each row with a need, what all of it is worth, in parts of a hundredth.
    worth: Vec<u128>,
}

impl Proof {
    /// The solver's answer, made a proof: a little lower where rounding made it dearer than some type.
    fn of(cover: &Cover, greatest: f64) -> Proof {
        let zero = || Proof { worth: vec![0; cover.needed().count()] };
        let Some(worth) = cover.worth(greatest) else { return zero() };
        let whole = |worth: f64| (worth.max(0.0) * greatest * SCALE as f64) as u128;
        let mut proof = Proof { worth: worth.into_iter().map(whole).collect() };
        for _ in 0..8 {
            let excess = cover.types().filter_map(|node| {
                let (price, value) = (u128::from(cover.prices[node]) * SCALE, proof.value(cover, node)?);
                (value > price).then_some((price, value))
            });
            // The type that is exceeded by the greatest factor.
            let worst = excess.max_by(|a, b| (a.1 as f64 * b.0 as f64).total_cmp(&(b.1 as f64 * a.0 as f64)));
            let Some((price, value)) = worst else { break };
            proof.worth.iter_mut().for_each(|worth| *worth = worth.saturating_mul(price) / value);
        }
        let holds = |node: usize| {
            proof.value(cover, node).is_some_and(|v| v <= u128::from(cover.prices[node]) * SCALE)
        };
        if cover.types().all(holds) { proof } else { zero() }
    }

    /// What one node of a type is worth, rounded up; `None` if it is beyond counting.
    fn value(&self, cover: &Cover, node: usize) -> Option<u128> {
        let of = |(row, worth): (&Row, &u128)| {
            Some(worth.checked_mul(row.gives[node].into())?.div_ceil(row.need.into()))
        };
        cover.needed().zip(&self.worth).map(of).sum()
    }

    /// What is left to be given costs at least this, in parts of a hundredth. `left` is as long as the rows with a
    /// need.
    fn of_rest(&self, needs: &[u64], left: &[u64]) -> u128 {
        let of = |((worth, need), left): ((&u128, &u64), &u64)| {
            worth.checked_mul((*left).into()).map_or(0, |sum| sum / u128::from(*need))
        };
        self.worth.iter().zip(needs).zip(left).map(of).sum()
    }

    fn bound(&self) -> u128 {
        self.worth.iter().sum::<u128>() / SCALE
    }
}

/// A search over all numbers of one program.
struct Search<'a> {
    cover: &'a Cover,
    proof: Proof,
    needs: Vec<u64>,
    /// By type: what one gives to each row with a need.
    gives: Vec<Vec<u64>>,
    /// Types in the order in which they are decided: first those that are worst value.
    order: Vec<usize>,
    counts: Vec<u64>,
    best: &'a mut Vec<u64>,
    /// Partial mixes that may still be looked at.
    work: &'a mut u64,
    watch: &'a dyn Watch,
}

impl Search<'_> {
    /// Decides the types from position `at` on. `left` is what rows still need, `price` what was spent.
    fn decide(&mut self, at: usize, left: &[u64], price: u128) {
        if *self.work == 0 || (*self.work).is_multiple_of(ASK) && self.watch.stop() {
            *self.work = 0;
            return;
        }
        *self.work -= 1;
        let is_enough = left.iter().all(|left| *left == 0);
        let Some(node) = self.order.get(at).copied().filter(|_| !is_enough) else {
            if is_enough && self.cover.rank(&self.counts) < self.cover.rank(self.best) {
                self.best.clone_from(&self.counts);
            }
            return;
        };
        let gives = std::mem::take(&mut self.gives[node]);
        let useful = left
            .iter()
            .zip(&gives)
            .filter(|(_, gives)| **gives > 0)
            .map(|(left, gives)| left.div_ceil(*gives));
        let most = useful.max().unwrap_or(0).min(MOST);
        // The last type has to be enough for what is left.
        let least = if at + 1 == self.order.len() { most } else { 0 };
        let mut rest = vec![0; left.len()];
        for count in least..=most {
            let spent = price + u128::from(self.cover.prices[node]) * u128::from(count);
            for ((rest, left), gives) in rest.iter_mut().zip(left).zip(&gives) {
                *rest = left.saturating_sub(gives.saturating_mul(count));
            }
            let at_least = spent + self.proof.of_rest(&self.needs, &rest).div_ceil(SCALE);
            // With more of a type that is worth no more than its price, it only gets dearer.
            if at_least > self.cover.price(self.best) {
                break;
            }
            self.counts[node] = count;
            self.decide(at + 1, &rest, spent);
        }
        self.counts[node] = 0;
        self.gives[node] = gives;
    }
}

/// The cheapest numbers that are enough in one of these programs, which have the same types; `None` if none has any.
pub(super) fn cheapest(covers: &[Cover], watch: &dyn Watch) -> Option<Cheapest> {
    let mut best: Option<Vec<u64>> = None;
    let mut tried = Vec::new();
    for cover in covers {
        let most: Vec<Option<u64>> = (0..cover.prices.len()).map(|node| cover.alone(node)).collect();
        let alone = most.iter().enumerate().filter_map(|(node, most)| Some(cover.only(node, (*most)?)));
        let Some(first) = alone.min_by(|a, b| cover.rank(a).cmp(&cover.rank(b))) else { continue };
        let greatest = cover.types().map(|node| cover.prices[node]).max().unwrap_or(0).max(1) as f64;
        let proof = Proof::of(cover, greatest);
        better(cover, &mut best, first);
        tried.push((proof.bound(), cover, proof, greatest, most));
    }
    tried.sort_by_key(|(bound, ..)| *bound);
    let bound = tried.first()?.0;
    let (mut best, mut work) = (best?, WORK);
    for (least, cover, proof, greatest, most) in tried {
        if least > cover.price(&best) {
            break;
        }
        let most: Vec<u64> = most.into_iter().map(|most| most.unwrap_or(MOST)).collect();
        if let Some(found) = cover.proposed(greatest, &most) {
            let mut kept = Some(best);
            better(cover, &mut kept, found);
            best = kept?;
        }
        let needs: Vec<u64> = cover.needed().map(|row| row.need).collect();
        let mut order: Vec<usize> = cover.types().collect();
        let waste = |node: usize| {
            (u128::from(cover.prices[node]) * SCALE).saturating_sub(proof.value(cover, node).unwrap_or(0))
        };
        order.sort_by_key(|node| (Reverse(waste(*node)), *node));
        let counts = vec![0; cover.prices.len()];
        let column = |node: usize| cover.needed().map(|row| row.gives[node]).collect();
        let gives = (0..cover.prices.len()).map(column).collect();
        let left = needs.clone();
        let (best, work) = (&mut best, &mut work);
        Search { cover, proof, needs, gives, order, counts, best, work, watch }.decide(0, &left, 0);
    }
    let price = covers.first()?.price(&best);
    Some(Cheapest { price, bound, proved: work > 0, counts: best })
}

fn better(cover: &Cover, best: &mut Option<Vec<u64>>, found: Vec<u64>) {
    let is_better = best.as_ref().is_none_or(|best| cover.rank(&found) < cover.rank(best));
    if is_better && cover.is_met(&found) {
        *best = Some(found);
    }
}

/// The fewest of one type that are enough in one of these programs.
pub(super) fn alone(covers: &[Cover], node: usize) -> Option<Cheapest> {
    let fewest = covers.iter().filter_map(|cover| Some((cover.alone(node)?, cover)));
    let (count, cover) = fewest.min_by_key(|(count, _)| *count)?;
    let counts = cover.only(node, count);
    let price = cover.price(&counts);
    Some(Cheapest { counts, price, bound: 0, proved: true })
}
