//! The price of a plan in words and tables: what each produced byte costs, and who copies to whom.

use std::fmt::Display;

use restow_planner::plan::{Impact, PairBytes, Plan, Spread};

use super::table::Table;
use super::units;

/// Rows of a table before the rest is summed up.
const ROWS: usize = 20;

/// What each produced byte costs in each state: "each produced byte is copied 3 times, 2 across zones; before:
/// 1 and 1; after: 1 and 1". Averages over the moved partitions, said to be averages where they differ.
pub fn sentence(plan: &Plan, impact: &Impact) -> String {
    if plan.moves.is_empty() {
        return "Nothing moves.".into();
    }
    let zoned = plan.brokers.iter().any(|b| b.zone.is_some());
    let states = [impact.expanded, impact.before, impact.after];
    let even = same_shape(plan) && states.iter().all(|s| whole(s.copies, s) && whole(s.across, s));
    let [expanded, before, after] = states.map(|state| {
        let copies = units::decimal(u128::from(state.copies), u128::from(state.partitions.max(1)), 2);
        let across = units::decimal(u128::from(state.across), u128::from(state.partitions.max(1)), 2);
        (copies, across)
    });
    let average = if even { "" } else { "on average " };
    let note = if even { "" } else { " (Averages over partitions, whatever is produced to each.)" };
    let times = if expanded.0 == "1" { "time" } else { "times" };
    if zoned {
        format!(
            "While expanded, each produced byte is {average}copied {} {times}, {} across zones; \
             before: {} and {}; after: {} and {}.{note}",
            expanded.0, expanded.1, before.0, before.1, after.0, after.1
        )
    } else {
        format!(
            "While expanded, each produced byte is {average}copied {} {times}; before: {}; after: {}.{note}",
            expanded.0, before.0, after.0
        )
    }
}

/// What bytes cost, in millionths of a currency unit, at a price for 10^9 of them.
pub fn micros(bytes: u64, price: u64) -> u128 {
    u128::from(bytes) * u128::from(price) / 1_000_000_000
}

fn whole(n: u64, spread: &Spread) -> bool {
    n.is_multiple_of(spread.partitions.max(1))
}

/// Whether all moves begin, peak and end with the same numbers of replicas and zones.
fn same_shape(plan: &Plan) -> bool {
    let shape = |m: restow_planner::plan::Move<'_>| {
        let all = restow_planner::plan::moves::expanded(m.from, m.to);
        let zones = [m.from, &all, m.to].map(|list| plan.count_zones(list));
        (m.from.len(), all.len(), m.to.len(), zones)
    };
    let mut shapes = plan.moves.iter().map(shape);
    let first = shapes.next();
    shapes.all(|shape| Some(shape) == first)
}

/// Copy bytes per pair, the greatest first.
pub fn pairs<T: Display>(pairs: &[PairBytes<T>], what: &str) -> String {
    let (from, to) = (format!("from {what}"), format!("to {what}"));
    let mut table = Table::new(&[&from, &to, ">copies", ">bytes"]);
    let mut order: Vec<&PairBytes<T>> = pairs.iter().collect();
    // Stable: pairs of equal bytes stay in the order of their names.
    order.sort_by_key(|pair| std::cmp::Reverse((pair.bytes, pair.copies)));
    let shown = if order.len() > ROWS + 1 { ROWS } else { order.len() };
    for pair in &order[..shown] {
        table.row([
            pair.from.to_string(),
            pair.to.to_string(),
            units::count(u64::from(pair.copies)),
            units::bytes(pair.bytes),
        ]);
    }
    let rest = &order[shown..];
    if !rest.is_empty() {
        table.row([
            format!("{} more pairs", rest.len()),
            String::new(),
            units::count(rest.iter().map(|pair| u64::from(pair.copies)).sum()),
            units::bytes(rest.iter().map(|pair| pair.bytes).sum()),
        ]);
    }
    table.render(2)
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::plan_of;
    use super::*;

    #[test]
    fn the_price_of_the_story() {
        let plan = plan_of(&[(&[1, 3], &[4, 6]), (&[3, 2], &[6, 5])]);
        assert_eq!(
            sentence(&plan, &plan.price()),
            "While expanded, each produced byte is copied 3 times, 2 across zones; before: 1 and 1; after: 1 and 1."
        );
    }

    #[test]
    fn averages_are_called_averages() {
        // 3 and 1 copies: the mean is whole, and still a mean.
        let plan = plan_of(&[(&[1, 3], &[4, 6]), (&[1], &[4])]);
        let text = sentence(&plan, &plan.price());
        assert!(text.contains("is on average copied 2 times, 1 across"), "{text}");
        let plan = plan_of(&[(&[1, 3], &[4, 6]), (&[1, 3], &[4, 6]), (&[1], &[4])]);
        let text = sentence(&plan, &plan.price());
        assert!(text.contains("copied 2.33 times, 1.33 across zones; before: 0.67 and 0.67"), "{text}");
    }

    #[test]
    fn without_zones_nothing_is_said_about_them() {
        let mut plan = plan_of(&[(&[1, 3], &[4, 6])]);
        plan.brokers.iter_mut().for_each(|b| b.zone = None);
        assert!(!sentence(&plan, &plan.price()).contains("zone"));
    }

    #[test]
    fn many_pairs_are_summed_up() {
        let pair = |n: u64| PairBytes { from: n, to: n + 1, bytes: n * 1000, copies: 1 };
        let text = pairs(&(1..=30).map(pair).collect::<Vec<_>>(), "broker");
        assert!(text.lines().nth(1).is_some_and(|line| line.ends_with("30 kB")), "{text}");
        assert!(
            text.lines().last().is_some_and(|line| line.contains("10 more pairs") && line.ends_with("55 kB"))
        );
    }
}
