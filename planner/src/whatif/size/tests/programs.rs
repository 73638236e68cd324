//! Integer programs against trying everything.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::worlds::node;
use crate::model::NodeType;
use crate::model::watch::Unwatched;
use crate::whatif::size::cover::{self, Cover, Row};
use crate::whatif::size::mix::{self, Program, Raised};
use crate::whatif::size::need::{Need, Without, ZoneNeed};
use crate::whatif::size::{Survive, Wish};

/// Random numbers below a bound.
struct Dice(Pcg64Mcg);

impl Dice {
    fn new(seed: u64) -> Self {
        Dice(Pcg64Mcg::seed_from_u64(seed))
    }

    fn below(&mut self, most: u64) -> u64 {
        u64::from(self.0.next_u32()) % most.max(1)
    }
}

/// Every vector of numbers from 0 to `most`.
fn every(width: usize, most: u64) -> impl Iterator<Item = Vec<u64>> {
    let all = (most + 1).pow(width as u32);
    (0..all).map(move |code| (0..width as u32).map(|at| code / (most + 1).pow(at) % (most + 1)).collect())
}

const MOST: u64 = 6;

#[test]
fn no_whole_numbers_are_cheaper_and_no_fractions_than_the_bound() {
    let mut judged = 0;
    for seed in 0..3_000 {
        let mut dice = Dice::new(seed);
        let width = 1 + dice.below(4) as usize;
        // Prices are often alike, so that ties are.
        let prices: Vec<u64> = (0..width).map(|_| 1 + dice.below([5, 10_000][seed as usize % 2])).collect();
        let rows = (0..1 + dice.below(4)).map(|_| {
            let unit = [1, 1_000, 1_000_000_007][dice.below(3) as usize];
            let gives: Vec<u64> = (0..width).map(|_| (1 + dice.below(12)) * unit + dice.below(2)).collect();
            (dice.below(40) * unit + dice.below(3), gives)
        });
        let rows: Vec<(u64, Vec<u64>)> = rows.collect();
        let own = rows.iter().map(|(need, gives)| Row::new(*need, gives.iter().copied())).collect();
        let is_met = |counts: &[u64]| {
            let given = |gives: &[u64]| gives.iter().zip(counts).map(|(one, count)| one * count).sum::<u64>();
            rows.iter().all(|(need, gives)| given(gives) >= *need)
        };
        let cover = Cover { rows: own, allowed: vec![true; width], prices };
        // Of nothing more than this many are needed: trying these numbers is trying all.
        if !(0..width).all(|node| cover.alone(node).is_some_and(|count| count <= MOST)) {
            continue;
        }
        judged += 1;
        let rank = |counts: &Vec<u64>| {
            (cover.price(counts), counts.iter().sum::<u64>(), std::cmp::Reverse(counts.clone()))
        };
        let best = every(width, MOST).filter(|counts| is_met(counts)).min_by_key(rank).unwrap();
        let found = cover::cheapest(std::slice::from_ref(&cover), &Unwatched).unwrap();
        assert_eq!(found.counts, best, "seed {seed}: {cover:?}");
        assert_eq!(found.price, cover.price(&best));
        assert!(found.proved && found.bound <= found.price, "seed {seed}: {found:?}");
        // A real bound: what one type alone would cost in fractions is not below the smallest of all.
        let fraction = |node: usize| {
            let of = |(need, gives): &(u64, Vec<u64>)| {
                let gives = gives[node].min(*need).max(1);
                u128::from(*need) * u128::from(cover.prices[node]) / u128::from(gives)
            };
            rows.iter().map(of).max().unwrap()
        };
        let least = (0..width).map(fraction).min().unwrap();
        assert!(found.bound <= least + 1, "seed {seed}: {} is proved and {least} will do", found.bound);
        if width == 1 {
            assert!(found.bound + 1 >= least, "seed {seed}: {} is proved of {least}", found.bound);
        }
    }
    assert!(judged > 1_000, "{judged}");
}

/// Whether numbers are enough, straight from what is to be survived.
fn is_enough(types: &[NodeType], need: &ZoneNeed, survive: Survive, counts: &[u64]) -> bool {
    let usable = |amount: Option<u64>| u128::from(amount.unwrap() * 3 / 4);
    let sum = |of: &dyn Fn(&NodeType) -> Option<u64>| -> u128 {
        types.iter().zip(counts).map(|(node, count)| usable(of(node)) * u128::from(*count)).sum()
    };
    let network = sum(&|node| node.network_bytes_per_second);
    let used = types.iter().zip(counts).filter(|(_, count)| **count > 0);
    let largest = used.map(|(node, _)| usable(node.network_bytes_per_second)).max().unwrap_or(0);
    let normal = u128::from(need.normal.network_in.max(need.normal.network_out));
    let lost = need
        .without
        .iter()
        .all(|without| network >= u128::from(without.need.network_in.max(without.need.network_out)));
    sum(&|node| node.disk_bytes) >= u128::from(need.normal.disk)
        && sum(&|node| node.replicas.map(u64::from)) >= u128::from(need.normal.replicas)
        && counts.iter().sum::<u64>() >= u64::from(need.copies)
        && network >= normal
        && lost
        && (survive < Survive::Broker || network - largest >= normal)
}

#[test]
fn the_best_mix_is_that_of_trying_all() {
    let mut judged = [0; 3];
    for seed in 0..1_500 {
        let mut dice = Dice::new(seed);
        let survive = [Survive::None, Survive::Broker, Survive::Zone][seed as usize % 3];
        let types: Vec<NodeType> = (0..1 + dice.below(3))
            .map(|at| {
                let amounts = (100 + dice.below(400), 100 + dice.below(400), 100 + dice.below(400));
                NodeType {
                    replicas: Some(amounts.2 as u32),
                    ..node(&format!("n{at}"), amounts.0, amounts.1, 50 + dice.below(200))
                }
            })
            .collect();
        let mut need = || Need {
            disk: dice.below(500),
            network_in: 1 + dice.below(350),
            network_out: dice.below(350),
            replicas: dice.below(500),
        };
        let zone = ZoneNeed {
            zone: "a".into(),
            normal: need(),
            without: if survive == Survive::Zone {
                vec![Without { zone: "b".into(), need: need() }]
            } else {
                vec![]
            },
            copies: 1 + (seed % 2) as u32,
            large: vec![],
        };
        let wish = Wish { survive, ..Wish::default() };
        let (kinds, left_out) = mix::kinds(&types, &wish);
        assert!(left_out.is_empty());
        let program = Program { kinds: &kinds, zones: std::slice::from_ref(&zone), survive };
        let price = |counts: &Vec<u64>| -> u64 {
            kinds.iter().zip(counts).map(|(kind, count)| kind.price * count).sum()
        };
        let enough = every(types.len(), 9).filter(|counts| is_enough(&types, &zone, survive, counts));
        let Some(least) = enough.map(|counts| price(&counts)).min() else { continue };
        let (found, bound) = program.cheapest(&[Raised::default()], None, &Unwatched).unwrap();
        assert!(is_enough(&types, &zone, survive, &found.counts[0]), "seed {seed}: {found:?}");
        assert_eq!(found.price, least, "seed {seed}: {found:?}");
        assert!(found.proved && bound <= least);
        judged[seed as usize % 3] += 1;
    }
    assert!(judged.iter().all(|judged| *judged > 300), "{judged:?}");
}

#[test]
fn of_ties_the_one_with_fewer_nodes_and_the_first_name() {
    let cover = |prices: &[u64], gives: &[u64]| {
        let rows = vec![Row::new(4, gives.iter().copied())];
        let cover = Cover { prices: prices.to_vec(), allowed: vec![true; prices.len()], rows };
        cover::cheapest(&[cover], &Unwatched).unwrap().counts
    };
    assert_eq!(cover(&[10, 20, 40], &[1, 2, 4]), [0, 0, 1]);
    assert_eq!(cover(&[20, 20], &[2, 2]), [2, 0]);
    assert_eq!(cover(&[0, 20], &[2, 2]), [2, 0], "what costs nothing");
}

#[test]
fn what_nothing_gives_cannot_be_had() {
    let rows = vec![Row::new(4, [0, 0])];
    let cover = Cover { prices: vec![1, 1], allowed: vec![true; 2], rows };
    assert_eq!(cover::cheapest(&[cover], &Unwatched), None);
}

/// Many nodes of sizes that are multiples of each other, with prices a little apart: what makes searches long.
#[test]
fn large_programs_end_near_the_bound() {
    let types = crate::generate::node_types();
    let (kinds, _) = mix::kinds(&types, &Wish::default());
    for (seed, copies) in [(1, 1), (2, 2), (3, 3)] {
        let mut dice = Dice::new(seed);
        let normal = Need {
            disk: 1_000_000_000_000_000 + dice.below(4_000_000_000) * 100_000,
            network_in: 40_000_000_000 + dice.below(1_000_000_000),
            network_out: 60_000_000_000 + dice.below(1_000_000_000),
            replicas: 300_000 + dice.below(100_000),
        };
        let zone = ZoneNeed { zone: "a".into(), normal, without: vec![], copies, large: vec![] };
        let program = Program { kinds: &kinds, zones: std::slice::from_ref(&zone), survive: Survive::Broker };
        let (found, bound) = program.cheapest(&[Raised::default()], None, &Unwatched).unwrap();
        assert!(
            found.price >= bound && found.price - bound <= bound / 200,
            "{} of {bound}: {found:?}",
            found.price
        );
        assert_eq!(program.cheapest(&[Raised::default()], None, &Unwatched).unwrap(), (found, bound));
    }
}
