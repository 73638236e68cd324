//! Leaders by load: the searches.

use super::super::weigh::{Loads, Weighed, best, within};
use super::*;

/// Load over weight: the largest above the mean, in millionths, by other means than the search.
fn above(case: &Case, layout: &Layout, out: &[u64], weights: &[u32]) -> f64 {
    let mut sums = vec![0.0; case.bounds.len()];
    for (index, out) in out.iter().enumerate() {
        sums[layout.list(index as u32)[0] as usize] += *out as f64;
    }
    let counted = || sums.iter().zip(weights).filter(|(_, weight)| **weight > 0);
    let mean = counted().map(|(sum, _)| sum).sum::<f64>() / weights.iter().sum::<u32>() as f64;
    let most = counted().map(|(sum, weight)| sum / f64::from(*weight)).fold(0.0, f64::max);
    (most / mean - 1.0) * 1e6
}

fn rates(class: &Class) -> Vec<u64> {
    generate::cluster(class, 1).partitions().map(|(_, p)| p.write_rate.unwrap_or(0)).collect()
}

fn agree(case: &Case, layout: &Layout, found: &Weighed, out: &[u64], weights: &[u32]) {
    assert_eq!(case.judge(layout), found.changes);
    let above = above(case, layout, out, weights);
    assert!((found.above_ppm as f64 - above).abs() <= 2.0, "said {}, is {above}", found.above_ppm);
}

#[test]
fn few_changes_get_within_what_is_asked() {
    let mut case = generated(&Class::M);
    case.bounds.fill((0, u32::MAX));
    let out = rates(&Class::M);
    // Three sizes of brokers; the last six are empty.
    let weights: Vec<u32> = (0..30).map(|at| if at < 24 { 4 } else { 0 }).collect();
    let loads = Loads { out: &out, weights: &weights };
    let mut last = 0;
    for permille in [1000, 200, 50, 10] {
        let (layout, found) =
            case.ask(|layout, asked| within(layout, asked, &loads, permille, &Unwatched).expect("no bounds"));
        agree(&case, &layout, &found, &out, &weights);
        assert!(found.above_ppm <= u64::from(permille) * 1000, "{permille} ‰: {found:?}");
        assert!(found.changes >= last, "less is asked, more changes");
        last = found.changes;
    }
    assert!(last < 5_000, "{last} changes");
    let (_, most) = case.ask(|layout, asked| best(layout, asked, &loads, &Unwatched).expect("no bounds"));
    assert!(last * 2 < most.changes, "{last} against {most:?}");
}

#[test]
fn within_what_is_already_so_nothing_changes() {
    let case = Case::new(&[&[0, 1], &[1, 0]], &[(0, 9), (0, 9)]);
    let loads = Loads { out: &[100, 90], weights: &[1, 1] };
    let (layout, found) =
        case.ask(|layout, asked| within(layout, asked, &loads, 60, &Unwatched).expect("no bounds"));
    assert_eq!((layout, found), (case.layout(), Weighed { changes: 0, above_ppm: 52_632 }));
}

#[test]
fn the_best_balance_of_loads_and_counts() {
    let mut case = generated(&Class::L);
    case.bounds.fill((0, u32::MAX));
    let out = rates(&Class::L);
    let weights: Vec<u32> = (0..99).map(|at| u32::from(at < 81)).collect();
    let loads = Loads { out: &out, weights: &weights };
    let (layout, found) =
        case.ask(|layout, asked| best(layout, asked, &loads, &Unwatched).expect("no bounds"));
    agree(&case, &layout, &found, &out, &weights);
    assert!(found.above_ppm <= 3_000, "{found:?}");
    let ones = vec![1; out.len()];
    let counts = above(&case, &layout, &ones, &weights);
    assert!(counts <= 3_000.0, "counts are {counts} above");
}

#[test]
fn brokers_of_different_weights() {
    let mut case = generated(&Class::M);
    case.bounds.fill((0, u32::MAX));
    let out = rates(&Class::M);
    let weights: Vec<u32> = (0..30).map(|at| if at < 24 { 4 + at % 3 } else { 0 }).collect();
    let loads = Loads { out: &out, weights: &weights };
    let (layout, found) =
        case.ask(|layout, asked| best(layout, asked, &loads, &Unwatched).expect("no bounds"));
    agree(&case, &layout, &found, &out, &weights);
    assert!(found.above_ppm <= 10_000, "{found:?}");
}

#[test]
fn loads_are_weighed_within_the_bounds() {
    for seed in 0..300 {
        let case = random_case(seed);
        let mut random = Pcg64::seed_from_u64(seed);
        let out: Vec<u64> = case.lists.iter().map(|_| u64::MAX >> (random.next_u32() % 64)).collect();
        let weights = vec![3; case.bounds.len()];
        let loads = Loads { out: &out, weights: &weights };
        for permille in [0, 100, u32::MAX] {
            let (layout, found) =
                case.ask(|layout, asked| within(layout, asked, &loads, permille, &Unwatched));
            match found {
                Ok(found) => agree(&case, &layout, &found, &out, &weights),
                Err(_) => assert!(case.run().1.is_err()),
            }
        }
        let (layout, found) = case.ask(|layout, asked| best(layout, asked, &loads, &Unwatched));
        if let Ok(found) = found {
            agree(&case, &layout, &found, &out, &weights);
        }
    }
}
