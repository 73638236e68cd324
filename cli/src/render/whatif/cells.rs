//! Cells of the tables: before and after in little room.

use restow_planner::whatif::{BrokerLoad, Resource, State, Use};

use crate::render::units;

/// How full, in whole percent; what is something is never 0.
pub fn percent(part: u64) -> String {
    match part {
        0 => "0".into(),
        1..=99 => "1".into(),
        _ => units::count((part + 50) / 100),
    }
}

/// An amount of a resource.
pub fn amount(resource: Resource, known: u64) -> String {
    match resource {
        Resource::Disk => units::bytes(known),
        Resource::NetworkIn | Resource::NetworkOut => format!("{}/s", units::bytes(known)),
        Resource::Replicas => units::count(known),
        Resource::Requests => format!("{}/s", units::count(known)),
    }
}

/// `62→81 %` where limits are known, else `1.2→1.5 TB`; one of both where nothing changed.
pub fn change(resource: Resource, before: Option<&Use>, after: Option<&Use>) -> String {
    let both = [before, after];
    let limited = both.iter().flatten().all(|used| used.part().is_some());
    let text = |used: &Use| match used.part().filter(|_| limited) {
        Some(part) => percent(part.max(u64::from(used.known > 0))),
        None => amount(resource, used.known),
    };
    let unit = if limited { " %" } else { "" };
    let unknown = if after.or(before).is_some_and(|used| used.unknown > 0) { "+?" } else { "" };
    match both.map(|used| used.map(text)) {
        [Some(before), Some(after)] if before == after => format!("{after}{unit}{unknown}"),
        [Some(before), Some(after)] => {
            // A unit that both have is told once.
            let same = before.split_once(' ').zip(after.split_once(' ')).filter(|((_, a), (_, b))| a == b);
            let before = same.map_or(before.as_str(), |((number, _), _)| number);
            format!("{before}→{after}{unit}{unknown}")
        }
        [None, Some(after)] => format!("→ {after}{unit}{unknown}"),
        [Some(before), None] => format!("{before}{unit} →"),
        [None, None] => String::new(),
    }
}

/// `12→15`, or one of both where nothing changed.
pub fn numbers(before: Option<u64>, after: Option<u64>) -> String {
    match (before.map(units::count), after.map(units::count)) {
        (Some(before), Some(after)) if before == after => after,
        (Some(before), Some(after)) => format!("{before}→{after}"),
        (None, Some(after)) => format!("→ {after}"),
        (Some(before), None) => format!("{before} →"),
        (None, None) => String::new(),
    }
}

/// The use of several brokers together. A limit is known where all of them are.
pub fn together(brokers: &[&BrokerLoad], resource: Resource) -> Use {
    let mut sum = Use { limit: Some(0), ..Use::default() };
    for used in brokers.iter().map(|broker| broker.of(resource)) {
        sum.known = sum.known.saturating_add(used.known);
        sum.unknown = sum.unknown.saturating_add(used.unknown);
        sum.limit = sum.limit.zip(used.limit).map(|(sum, limit)| sum.saturating_add(limit));
    }
    sum
}

/// The broker that serves and is the fullest of a resource; where no limit is known, the one that has most of it.
pub fn fullest(state: &State, resource: Resource) -> Option<&BrokerLoad> {
    let weight = |broker: &&BrokerLoad| {
        let used = broker.of(resource);
        (used.part(), used.known, std::cmp::Reverse(broker.broker))
    };
    state.brokers.iter().filter(|broker| broker.serves).max_by_key(weight)
}

/// How full the fullest broker is: `62 %`, with `+?` where not all is known, `?` where nothing is.
pub fn full(state: &State, resource: Resource) -> String {
    let part = fullest(state, resource).and_then(|broker| broker.of(resource).part());
    let serving = || state.brokers.iter().filter(|broker| broker.serves).map(|broker| broker.of(resource));
    let is_partly_unknown = serving().any(|used| used.unknown > 0);
    match part {
        None => String::new(),
        Some(_) if serving().all(|used| used.known == 0) && is_partly_unknown => "?".into(),
        Some(part) => format!("{} %{}", percent(part), if is_partly_unknown { "+?" } else { "" }),
    }
}

/// Whether a resource is used at all, or has a limit: what is not is left out of tables.
pub fn is_told(states: &[&State], resource: Resource) -> bool {
    states.iter().flat_map(|state| &state.brokers).any(|broker| broker.of(resource).known > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(known: u64, limit: Option<u64>) -> Use {
        Use { known, unknown: 0, limit }
    }

    #[test]
    fn changes_take_little_room() {
        let disk = |before: &Use, after: &Use| change(Resource::Disk, Some(before), Some(after));
        assert_eq!(disk(&used(620, Some(1_000)), &used(810, Some(1_000))), "62→81 %");
        assert_eq!(disk(&used(620, Some(1_000)), &used(620, Some(1_000))), "62 %");
        assert_eq!(
            disk(&used(1, Some(1_000_000)), &used(0, Some(1_000))),
            "1→0 %",
            "something is never nothing"
        );
        assert_eq!(disk(&used(1_200, None), &used(1_500, Some(2_000))), "1.2→1.5 kB");
        assert_eq!(disk(&used(5, None), &Use { unknown: 2, ..used(5, None) }), "5 B+?");
        assert_eq!(change(Resource::NetworkOut, None, Some(&used(1_000, None))), "→ 1 kB/s");
        assert_eq!((numbers(Some(3), Some(3)), numbers(Some(3), None)), ("3".into(), "3 →".into()));
    }
}
