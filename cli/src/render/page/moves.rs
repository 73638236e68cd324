//! The moves as a table that filters and sorts: the largest of them.

use std::cmp::Reverse;

use maud::{Markup, html};
use restow_planner::model::replicas;
use restow_planner::plan::{Move, Plan, moves};

use super::super::{list, units};
use super::{Section, Subject};

/// Moves that are shown: the largest by bytes.
const MOVES: usize = 2000;
/// Moves that are printed on paper; the style holds it too.
const ON_PAPER: usize = 200;

/// The section.
pub fn section(subject: &Subject<'_>) -> Section {
    let plan = subject.plan;
    let shown = largest(plan, MOVES);
    let body = html! {
        @if shown.is_empty() {
            p { "Nothing moves." }
        } @else {
            p { (which(plan.moves.len(), shown.len())) }
            (tools())
            (table(plan, &shown))
            @if shown.len() > ON_PAPER {
                p.paper { "On paper: the first " (ON_PAPER) " rows." }
            }
            @if shown.len() < plan.moves.len() {
                p { "All of them: " code { "restow show " (subject.file) " --moves" } }
            }
        }
    };
    Section { id: "moves".into(), heading: "Moves".into(), body }
}

fn which(all: usize, shown: usize) -> String {
    let moves = units::of(all as u64, "partition");
    match all - shown {
        0 if all == 1 => "1 partition moves.".into(),
        0 => format!("All {moves} that move, the largest first."),
        hidden => format!(
            "The {} largest of {moves} that move; smaller and not shown: {}.",
            units::count(shown as u64),
            units::count(hidden as u64)
        ),
    }
}

/// Positions of the moves with the most bytes to copy, the most first; where they are alike, as in the plan.
fn largest(plan: &Plan, most: usize) -> Vec<usize> {
    let all: Vec<u64> = plan.moves.iter().map(|m| total(&m).unwrap_or(0)).collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    if order.len() > most {
        order.select_nth_unstable_by_key(most, |at| (Reverse(all[*at]), *at));
        order.truncate(most);
    }
    order.sort_unstable_by_key(|at| (Reverse(all[*at]), *at));
    order
}

/// Bytes of all copies that a move makes; `None` where unknown.
fn total(m: &Move<'_>) -> Option<u64> {
    let copies = m.to.iter().filter(|id| !m.from.contains(id)).count() as u64;
    if copies == 0 { Some(0) } else { m.bytes.map(|bytes| bytes.saturating_mul(copies)) }
}

/// Without script there is nothing to filter with: the script shows them.
fn tools() -> Markup {
    html! {
        div.tools #tools hidden role="search" {
            div {
                label for="filter-name" { "Topic or partition contains" }
                input #filter-name type="search" autocomplete="off" spellcheck="false";
            }
            div {
                label for="filter-broker" { "Broker" }
                input.short #filter-broker type="search" inputmode="numeric" autocomplete="off";
            }
            output #told for="filter-name filter-broker" aria-live="polite" {}
        }
    }
}

fn table(plan: &Plan, shown: &[usize]) -> Markup {
    let sortable = |name: &str| html! { button type="button" { (name) } };
    html! {
        div.box.tall tabindex="0" role="region" aria-label="Moves" {
            table.sorts.moves #every-move {
                thead { tr {
                    th scope="col" { (sortable("Partition")) }
                    th scope="col" { (sortable("From")) }
                    th scope="col" { (sortable("To")) }
                    th scope="col" { (sortable("Leader")) }
                    th.n scope="col" { (sortable("New copies")) }
                    th.n scope="col" { (sortable("Bytes each")) }
                    th.n scope="col" aria-sort="descending" { (sortable("Bytes in all")) }
                } }
                tbody { @for at in shown { (row(plan, &plan.moves.get(*at))) } }
            }
        }
    }
}

fn row(plan: &Plan, m: &Move<'_>) -> Markup {
    let touched = list::blanks(m.from.iter().chain(m.to.iter().filter(|id| !m.from.contains(id))));
    let copies = moves::added(m.from, m.to).len();
    let all = total(m);
    let told = |bytes: Option<u64>| bytes.map_or_else(|| "unknown".into(), units::bytes);
    let leader = if m.from[0] == m.to[0] {
        format!("{} stays", m.from[0])
    } else {
        format!("{} → {}", m.from[0], m.to[0])
    };
    html! {
        tr data-brokers=(touched) {
            th scope="row" { (plan.topic_of(m).name) "-" (m.partition) }
            td.tight { (replicas::show(m.from)) }
            td.tight { (replicas::show(m.to)) }
            td.tight { (leader) }
            td.n data-v=(copies) { (copies) }
            td.n data-v=[m.bytes] { (told(m.bytes)) }
            td.n data-v=[all] { (told(all)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::tests::plan_of;
    use super::*;
    use restow_planner::model::BrokerId;
    use restow_planner::plan::Moves;

    /// Moves of one new copy each, with these bytes.
    fn plan(bytes: impl Iterator<Item = Option<u64>>) -> Plan {
        let mut plan = plan_of(&[]);
        let (from, to) = ([BrokerId(1), BrokerId(3)], [BrokerId(4), BrokerId(3)]);
        let mut moves = Moves::default();
        for (at, bytes) in bytes.enumerate() {
            moves.push(Move { topic: 0, partition: at as i32, from: &from, to: &to, bytes, leader: None });
        }
        plan.moves = moves;
        plan
    }

    #[test]
    fn the_largest_come_first_and_equals_as_in_the_plan() {
        let plan = plan([5, 9, 5, 7, 9].into_iter().map(Some).chain([None]));
        assert_eq!(largest(&plan, 10), [1, 4, 3, 0, 2, 5]);
        assert_eq!(largest(&plan, 4), [1, 4, 3, 0]);
    }

    #[test]
    fn at_most_two_thousand_are_shown() {
        let page = |n: u64| {
            let plan = plan((0..n).map(Some));
            section(&Subject::new(&plan, "h", "plan.json")).body.into_string()
        };
        let rows = |text: &str| text.matches("<tr data-brokers=\"1 3 4\"").count();
        let (all, most) = (page(2000), page(2001));
        assert_eq!((rows(&all), rows(&most)), (2000, 2000));
        assert!(all.contains("All 2,000 partitions that move") && !all.contains("--moves"));
        assert!(most.contains("2,000 largest of 2,001 partitions that move; smaller and not shown: 1."));
        assert!(most.contains("restow show plan.json --moves") && !most.contains(">orders-0<"));
    }

    #[test]
    fn the_style_prints_as_many_rows_as_the_page_says() {
        assert!(include_str!("page.css").contains(&format!("nth-child(n + {})", ON_PAPER + 1)));
    }

    #[test]
    fn unknown_bytes_have_no_number_to_sort_by() {
        let plan = plan([None].into_iter());
        let text = section(&Subject::new(&plan, "h", "p")).body.into_string();
        assert!(
            text.contains("<td class=\"n\">unknown</td>") && text.contains("1 partition moves."),
            "{text}"
        );
    }
}
