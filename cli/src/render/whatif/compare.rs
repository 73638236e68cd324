//! Several answers, column by column.

use std::fmt::Write;

use restow_planner::whatif::{Answer, Answered, Resource, State, Time};

use super::Page;
use super::cells;
use super::one::{first_break, nothing_breaks};
use crate::render::money::money;
use crate::render::table::Table;
use crate::render::units;

/// Columns of scenarios that fit beside each other in 80 characters.
const COLUMNS: usize = 5;

impl Page<'_> {
    pub(super) fn compare(&self, all: &[Answered]) -> String {
        let mut text = String::new();
        for (at, one) in all.iter().enumerate() {
            let _ = writeln!(text, "  {} {}: {}", letter(at), one.name, one.edits.join(", "));
        }
        let answered: Vec<&Answer> = all.iter().filter_map(|one| one.answer.as_ref()).collect();
        for (block, columns) in all.chunks(COLUMNS).enumerate() {
            let letters = (0..columns.len()).map(|at| format!(">{}", letter(block * COLUMNS + at)));
            let headings: Vec<String> =
                ["".to_owned(), ">now".to_owned()].into_iter().chain(letters).collect();
            let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
            let answers: Vec<Option<&Answer>> = columns.iter().map(|one| one.answer.as_ref()).collect();
            for (name, now, cell) in rows() {
                // What stays free and what peaks are differs by scenario, and with them how full the cluster is now.
                let nows: Vec<String> = answered.iter().map(|answer| now(&answer.before)).collect();
                let same = nows.iter().all(|one| nows.first() == Some(one));
                let of = |answer: &Answer| match same {
                    true => cell(answer),
                    false => format!("{}→{}", now(&answer.before), cell(answer)),
                };
                let cells = answers.iter().map(|answer| answer.map_or_else(|| "refused".into(), of));
                let first = if same { nows.first().cloned().unwrap_or_default() } else { String::new() };
                let cells: Vec<String> = std::iter::once(first).chain(cells).collect();
                if cells.iter().any(|cell| !matches!(cell.as_str(), "" | "-" | "?" | "refused")) {
                    table.row([name.to_owned()].into_iter().chain(cells));
                }
            }
            text.push('\n');
            text += &table.render(0);
        }
        text.push_str("\nFirst to break\n");
        for (at, one) in all.iter().enumerate() {
            let first = one.answer.as_ref().map(|answer| answer.breaks.first().map(first_break));
            let told = match (&one.refused, first) {
                (Some(refused), _) => format!("refused: {refused}"),
                (None, Some(Some(first))) => first,
                _ => one.answer.as_ref().map(nothing_breaks).unwrap_or_default(),
            };
            let _ = writeln!(text, "  {} {told}", letter(at));
        }
        for (at, one) in all.iter().enumerate() {
            for note in one.answer.iter().flat_map(|answer| &answer.notes) {
                let _ = writeln!(text, "  {} {note}", letter(at));
            }
        }
        text
    }
}

fn letter(at: usize) -> String {
    match u8::try_from(at).ok().filter(|at| *at < 26) {
        Some(at) => char::from(b'A' + at).to_string(),
        None => (at + 1).to_string(),
    }
}

type Row = (&'static str, fn(&State) -> String, fn(&Answer) -> String);

fn full(state: &State, resource: Resource) -> String {
    cells::full(state, resource)
}

fn serving(state: &State) -> String {
    units::count(state.brokers.iter().filter(|broker| broker.serves).count() as u64)
}

fn most_leaders(state: &State) -> String {
    units::count(state.brokers.iter().map(|broker| u64::from(broker.leaders)).max().unwrap_or(0))
}

fn rows() -> Vec<Row> {
    vec![
        ("brokers that serve", serving, |a| serving(&a.after)),
        ("partitions offline", |s| units::count(s.offline.into()), |a| units::count(a.after.offline.into())),
        (
            "under min ISR",
            |s| units::count(s.under_min_isr.into()),
            |a| units::count(a.after.under_min_isr.into()),
        ),
        ("fullest disk", |s| full(s, Resource::Disk), |a| full(&a.after, Resource::Disk)),
        ("fullest network in", |s| full(s, Resource::NetworkIn), |a| full(&a.after, Resource::NetworkIn)),
        ("fullest network out", |s| full(s, Resource::NetworkOut), |a| full(&a.after, Resource::NetworkOut)),
        ("fullest by replicas", |s| full(s, Resource::Replicas), |a| full(&a.after, Resource::Replicas)),
        ("most leaders", most_leaders, |a| most_leaders(&a.after)),
        (
            "partitions refused",
            |_| String::new(),
            |a| {
                let left: u64 = a.costs.iter().map(|cost| cost.left_out).sum();
                if left == 0 { "-".into() } else { units::count(left) }
            },
        ),
        (
            "bytes copied",
            |_| String::new(),
            |a| {
                let bytes = a.costs.iter().fold(0u64, |sum, cost| sum.saturating_add(cost.bytes));
                if a.costs.is_empty() { "-".into() } else { units::bytes(bytes) }
            },
        ),
        (
            "of them between zones",
            |_| String::new(),
            |a| {
                let bytes = a.costs.iter().fold(0u64, |sum, cost| sum.saturating_add(cost.bytes_across));
                if a.costs.is_empty() { "-".into() } else { units::bytes(bytes) }
            },
        ),
        (
            "hours at the throttle",
            |_| String::new(),
            |a| {
                if a.costs.iter().any(|cost| cost.time == Some(Time::Never)) {
                    return "never".into();
                }
                let each = a.costs.iter().filter_map(|cost| match cost.time? {
                    Time::Ends(time) => Some(time.likely),
                    Time::Never => None,
                });
                let seconds: u64 = each.sum();
                if seconds == 0 { String::new() } else { units::decimal(u128::from(seconds), 3_600, 1) }
            },
        ),
        (
            "nodes a month",
            |_| String::new(),
            |a| if a.price.after > 0 { money(a.price.after) } else { String::new() },
        ),
        (
            "first to break",
            |_| String::new(),
            |a| match a.breaks.first() {
                Some(first) if first.day == 0 => "now".into(),
                Some(first) => first.date.clone().unwrap_or_else(|| format!("day {}", first.day)),
                None => "-".into(),
            },
        ),
    ]
}
