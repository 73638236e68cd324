//! The plan, or the run, in words and a few figures: what is decided on.

use maud::{Markup, html};
use restow_planner::plan::{Pacing, Plan, Step};

use super::super::{plan as show, price, units};
use super::figure::Holding;
use super::zones::{Row, rows};
use super::{History, Section, Subject, run, timeline};

/// The section.
pub fn section(subject: &Subject<'_>, history: Option<&History>) -> Section {
    let plan = subject.plan;
    let body = html! {
        @if let Some(history) = history { p { strong { (history.standing()) } } }
        p { (what_moves(plan)) }
        p { (way(plan)) }
        (tiles(subject, history))
        (mind(&minds(subject)))
    };
    Section { id: "summary".into(), heading: "Summary".into(), body }
}

/// Things that a person must not miss.
pub fn mind(told: &[String]) -> Markup {
    html! { @if !told.is_empty() { ul.mind { @for one in told { li { (one) } } } } }
}

fn what_moves(plan: &Plan) -> String {
    if plan.moves.is_empty() {
        return "Nothing moves: the cluster is already as asked.".into();
    }
    format!("Moves {}.", show::totals(plan))
}

fn way(plan: &Plan) -> &'static str {
    match (plan.moves.is_empty(), plan.pacing) {
        (true, _) => "",
        (_, Pacing::Staged) if plan.has(Step::Shrink) => {
            "New replicas are added and filled, then they lead, then old ones are dropped. The run waits for a person \
             before leaders move and before anything is dropped; up to there all of it can be taken back without \
             copying a byte."
        }
        (_, Pacing::Staged) => {
            "The run waits for a person before leaders move. Nothing that is there is dropped."
        }
        (_, Pacing::Pipelined) if plan.has(Step::Shrink) => {
            "Each partition goes through its steps on its own: there is no gate, and what is done is taken back by \
             copying again."
        }
        (_, Pacing::Pipelined) => {
            "Each partition goes through its steps on its own: there is no gate. Nothing that is there is dropped."
        }
    }
}

fn tiles(subject: &Subject<'_>, history: Option<&History>) -> Markup {
    let plan = subject.plan;
    let changed = plan.moves.iter().filter(|m| m.from[0] != m.to[0]).count() as u64;
    let (time, time_note) = history.and_then(run::in_short).unwrap_or_else(|| timeline::in_short(subject));
    let fullest = fullest(&rows(subject));
    html! {
        dl.tiles {
            (tile("Partitions that move", &units::count(plan.moves.len() as u64), &units::of(plan.topics.len() as u64, "topic")))
            (tile("To copy", &units::bytes(plan.certificate.moved_bytes), &gap(plan)))
            @if subject.is_zoned() {
                (tile("From zone to zone", &units::bytes(subject.bytes_across()), &cost(subject)))
            }
            (tile("Time", &time, &time_note))
            @if let Some((broker, holding)) = fullest {
                (tile("Fullest at the peak", &holding.full(), &format!("broker {broker}, {} of {}",
                    units::bytes(holding.peak), units::bytes(holding.limit.unwrap_or(0)))))
            }
            (tile("Leaders that change", &units::count(changed), "preferred ones"))
        }
    }
}

fn tile(what: &str, value: &str, note: &str) -> Markup {
    html! { div { dt { (what) } dd { (value) @if !note.is_empty() { small { (note) } } } } }
}

fn gap(plan: &Plan) -> String {
    let certificate = &plan.certificate;
    match certificate.moved_bytes.saturating_sub(certificate.bound_bytes) {
        0 => "no plan for this copies less".into(),
        gap => format!("at most {} more than any plan must", units::bytes(gap)),
    }
}

fn cost(subject: &Subject<'_>) -> String {
    let Some(each) = subject.price else { return String::new() };
    let all = units::decimal(price::micros(subject.bytes_across(), each), 1_000_000, 2);
    format!("costs {all} (at {} per GB)", units::decimal(u128::from(each), 1_000_000, 4))
}

/// The broker that gets fullest in proportion to what fits, where any limit is known.
fn fullest(rows: &[Row<'_>]) -> Option<(i32, Holding)> {
    let known = rows.iter().filter(|row| row.holding.limit.is_some());
    let fullest = known.max_by_key(|row| (row.holding.fullness(), std::cmp::Reverse(row.impact.broker)));
    fullest.map(|row| (row.impact.broker.0, row.holding))
}

fn minds(subject: &Subject<'_>) -> Vec<String> {
    let plan = subject.plan;
    let mut told: Vec<String> = Vec::new();
    let dooms = subject.outlook.iter().flat_map(|outlook| &outlook.dooms);
    told.extend(dooms.map(|doom| format!("at this throttle it can never finish: {doom}.")));
    let over =
        rows(subject).iter().filter(|row| row.holding.fullness().is_some_and(|part| part > 1000)).count();
    if over > 0 {
        told.push(format!("{} would hold more than fits.", units::of(over as u64, "broker")));
    }
    if !plan.left_out.is_empty() {
        let left = units::of(plan.left_out.len() as u64, "partition");
        told.push(format!("asked for, and left as it is: {left}. See Rules and refusals."));
    }
    if plan.certificate.unknown_sizes > 0 {
        let copies = units::of(plan.certificate.unknown_sizes, "copy");
        told.push(format!("the size of {copies} is unknown: they are in no figure on this page."));
    }
    if !subject.is_zoned() && !plan.brokers.is_empty() {
        told.push("no broker has a rack: zone rules are off.".into());
    }
    if !plan.no_worse.is_empty() {
        let start = units::of(plan.no_worse.len() as u64, "partition");
        told.push(format!(
            "{start} are spread unevenly over zones at the start; the plan does not make it worse."
        ));
    }
    if !plan.given_up.is_empty() {
        let brokers = super::super::list::and(&plan.given_up);
        told.push(format!("a person gave up brokers {brokers}: their copies count for nothing."));
    }
    told
}
