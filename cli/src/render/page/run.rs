//! What came of a plan: who worked on it, what people decided, predicted against actual, and every request.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use maud::{Markup, html};
use restow_executor::journal::{Goal, Opened};
use restow_executor::run::Score;

use super::super::{report, units};
use super::figure::{self, percent};
use super::history::{History, Kind, Process, Request, ended};
use super::{Section, Subject, summary, timeline};
use crate::clock::rfc3339;

/// Processes, and earlier runs, that are listed.
const ROWS: usize = 100;
/// Columns of a strip of requests.
const COLUMNS: u64 = 120;
/// Points of a curve.
const POINTS: usize = 300;
/// Pixels above the place of bytes.
const TOP: u64 = 14;

/// The section.
pub fn section(subject: &Subject<'_>, history: &History) -> Section {
    let body = html! {
        p { (history.standing()) }
        (summary::mind(&left(history)))
        (processes(history))
        h3 { "Predicted against actual" }
        p { (score(history)) }
        @if !history.asked.is_empty() { (copies(subject, history)) }
        h3 { "Requests" }
        (requests(history))
        @if !history.earlier.is_empty() { (earlier(history)) }
    };
    Section { id: "run".into(), heading: "The run".into(), body }
}

fn left(history: &History) -> Vec<String> {
    let left = history.closed.iter().flat_map(|(_, left)| left);
    left.map(|what| format!("left behind: {what}.")).collect()
}

fn when(milliseconds: u64) -> String {
    rfc3339(UNIX_EPOCH + Duration::from_millis(milliseconds))
}

fn goal(goal: Goal) -> &'static str {
    match goal {
        Goal::Forward => "carry the plan out",
        Goal::Back => "take it back",
        Goal::Quiesce => "come to rest",
    }
}

fn who(opened: &Opened) -> String {
    let principal = opened.principal.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
    format!("process {} on {}{principal}", opened.pid, opened.host)
}

fn processes(history: &History) -> Markup {
    let hidden = history.processes.len().saturating_sub(ROWS);
    html! {
        div.box tabindex="0" role="region" aria-label="Processes of the run" {
            table {
                caption { "Who worked on it. Times are UTC" }
                thead { tr {
                    @for name in ["Began", "To", "Who", "Throttle", "Decided by people, in order"] { th scope="col" { (name) } }
                } }
                tbody { @for process in &history.processes[hidden..] { (process_row(process)) } }
            }
        }
        @if hidden > 0 { p.note { (units::of(hidden as u64, "earlier process")) " not shown." } }
    }
}

fn process_row(process: &Process) -> Markup {
    let opened = &process.opened;
    html! {
        tr {
            th.tight scope="row" { (when(opened.time)) }
            td.tight { (goal(opened.goal)) }
            td.some { (who(opened)) }
            td.tight { (opened.throttle.map_or_else(|| "none".into(), |rate| format!("{}/s", units::bytes(rate)))) }
            td.prose { (if process.decided.is_empty() { "nothing".into() } else { process.decided.join("; ") }) }
        }
    }
}

fn earlier(history: &History) -> Markup {
    let hidden = history.earlier.len().saturating_sub(ROWS);
    html! {
        h3 { "Earlier runs in this journal" }
        ul {
            @for (opened, outcome) in &history.earlier[hidden..] {
                li { (when(opened.time)) ", to " (goal(opened.goal)) ": " (ended(*outcome)) "." }
            }
        }
    }
}

/// The time of the copies and what was expected of it, for the summary.
pub fn in_short(history: &History) -> Option<(String, String)> {
    let time = |seconds| units::time(Duration::from_secs(seconds));
    let expected = history.predicted.and_then(|(_, seconds)| seconds);
    let note = expected.map(|seconds| format!("for copying; {} were expected", time(seconds)));
    Some((time(history.took()?), note.unwrap_or_else(|| "for copying".into())))
}

/// What was expected, and what came.
fn score(history: &History) -> String {
    let expected = history.predicted.and_then(|(_, seconds)| seconds);
    match (history.took(), expected) {
        (Some(took), predicted) => {
            let text = report::scored(&Score { predicted, took });
            format!("{}{}.", text[..1].to_uppercase(), &text[1..])
        }
        (None, Some(seconds)) => format!(
            "{} were expected for copying. The journal does not tell how long it took: that needs a throttle, and an end.",
            units::time(Duration::from_secs(seconds))
        ),
        (None, None) => "Nothing was expected of the copies: that needs a throttle and known sizes.".into(),
    }
}

/// Bytes over time: asked for, known to have joined, and expected.
fn copies(subject: &Subject<'_>, history: &History) -> Markup {
    let begun = history.asked.first().map_or(0, |(time, _)| *time);
    let expected = expected(subject, history);
    let since = |curve: &[(u64, u64)]| -> Vec<(u64, u64)> {
        curve.iter().map(|(time, bytes)| (time.saturating_sub(begun), *bytes)).collect()
    };
    let (asked, copied) = (since(&history.asked), since(&history.copied));
    let last = |curve: &[(u64, u64)]| curve.last().copied().unwrap_or((0, 0));
    let known = history.joined.map_or_else(|| last(&copied).0, |time| time.saturating_sub(begun));
    let end = last(&asked).0.max(known).max(last(&expected).0).max(1);
    let most = last(&asked).1.max(last(&expected).1).max(1);
    let description = format!(
        "{} were asked for, {} are known to have joined.",
        units::bytes(last(&asked).1),
        units::bytes(last(&copied).1)
    );
    let line = |curve: &[(u64, u64)]| points(curve, end, most);
    let marks = html! {
        (timeline::grid(TOP, most, end))
        (timeline::plot(TOP, &html! {
            polyline.line.dash points=(line(&expected)) {}
            polyline.line.dots points=(line(&stairs(&asked, end))) {}
            polyline.line points=(line(&stairs(&copied, end))) {}
        }))
    };
    html! {
        figure.chart {
            (figure::legend(&[("line dash", "expected"), ("line dots", "asked for"), ("line", "known to have joined")]))
            (figure::figure("time", &timeline::height(TOP), "Copies: expected, asked for, joined", &description, &marks))
            figcaption {
                "Bytes of copies since the first one was asked for. A copy is known to have joined when its throttle \
                 entry goes, or when the next step is asked for."
                @if subject.outlook.is_none() { " Of what was expected the journal tells the end: the line to it is straight." }
            }
        }
    }
}

/// What was expected: the forecast where there is one, else a straight line to the end that was predicted.
fn expected(subject: &Subject<'_>, history: &History) -> Vec<(u64, u64)> {
    if let Some(outlook) = subject.outlook.as_ref().filter(|outlook| outlook.told.total.is_some()) {
        return outlook.told.curve.clone();
    }
    match history.predicted {
        Some((bytes, Some(seconds))) => vec![(0, 0), (seconds.saturating_mul(1000), bytes)],
        _ => Vec::new(),
    }
}

/// A curve that stays as it is until it changes.
fn stairs(curve: &[(u64, u64)], end: u64) -> Vec<(u64, u64)> {
    let mut stairs = Vec::with_capacity(curve.len() * 2 + 2);
    let mut bytes = 0;
    for (time, next) in thin(curve) {
        stairs.extend([(time, bytes), (time, next)]);
        bytes = next;
    }
    stairs.push((end, bytes));
    stairs
}

/// A few hundred of the points, with the last.
fn thin(curve: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let every = curve.len().div_ceil(POINTS).max(1);
    let mut few: Vec<(u64, u64)> = curve.iter().copied().step_by(every).collect();
    few.extend(curve.last().filter(|last| few.last() != Some(*last)));
    few
}

fn points(curve: &[(u64, u64)], end: u64, most: u64) -> String {
    let points: Vec<String> =
        curve.iter().map(|(time, bytes)| timeline::point(*time, end, *bytes, most)).collect();
    points.join(" ")
}

fn name(kind: Kind) -> String {
    match kind {
        Kind::Step(step) => step.to_string(),
        Kind::Elect => "elect leaders".into(),
        Kind::Back => "cancel or put back".into(),
        Kind::Throttle => "throttles".into(),
    }
}

/// Requests of one kind: their number, their items by column, and what was not done.
#[derive(Debug, Default)]
struct Strip {
    requests: u64,
    items: u64,
    refused: u64,
    unknown: u64,
    columns: BTreeMap<u64, u64>,
}

fn strips(requests: &[Request], from: u64, to: u64) -> BTreeMap<Kind, Strip> {
    let length = to.saturating_sub(from).max(1);
    let mut strips: BTreeMap<Kind, Strip> = BTreeMap::new();
    for request in requests {
        let strip = strips.entry(request.kind).or_default();
        strip.requests += 1;
        strip.items += request.items;
        strip.refused += request.refused;
        strip.unknown += u64::from(request.is_unknown);
        let at = u128::from(request.time.saturating_sub(from)) * u128::from(COLUMNS) / u128::from(length);
        let column = u64::try_from(at).unwrap_or(COLUMNS).min(COLUMNS - 1);
        *strip.columns.entry(column).or_default() += request.items;
    }
    strips
}

fn requests(history: &History) -> Markup {
    let from = history.processes.first().map_or(0, |process| process.opened.time);
    let to = history.last();
    let strips = strips(&history.requests, from, to);
    html! {
        @if strips.is_empty() {
            p { "The cluster was asked for nothing." }
        } @else {
            p.note {
                "From " (when(from)) " to " (when(to)) ", " (units::time(Duration::from_millis(to.saturating_sub(from))))
                ". The higher a bar, the more was asked for then. Thin lines: a process began."
            }
            div.box tabindex="0" role="region" aria-label="Requests by kind" {
                table {
                    thead { tr {
                        th scope="col" { "Kind" }
                        th scope="col" { "Over time" }
                        @for name in ["Requests", "Items", "Refused", "Unanswered"] { th.n scope="col" { (name) } }
                    } }
                    tbody { @for (kind, strip) in &strips { (strip_row(&name(*kind), strip, history, from, to)) } }
                }
            }
        }
    }
}

fn strip_row(name: &str, strip: &Strip, history: &History, from: u64, to: u64) -> Markup {
    let most = strip.columns.values().max().copied().unwrap_or(1).max(1);
    let told = format!("{} in {}", units::of(strip.items, "item"), units::of(strip.requests, "request"));
    let begins = history.processes.iter().take(ROWS).map(|process| process.opened.time.saturating_sub(from));
    let marks = html! {
        line.axis x1="0" x2="100%" y1="24" y2="24" {}
        @for begin in begins {
            @let x = percent(begin, to.saturating_sub(from));
            line.grid x1=(x) x2=(x) y1="0" y2="24" {}
        }
        @for (column, items) in &strip.columns {
            @let height = 3 + (u128::from(*items) * 20 / u128::from(most)) as u64;
            rect.mark.new x=(percent(*column, COLUMNS)) y=(24 - height) width="0.7%" height=(height) {}
        }
    };
    html! {
        tr {
            th.tight scope="row" { (name) }
            td.bars { (figure::figure("glyph", "26", name, &told, &marks)) }
            @for n in [strip.requests, strip.items, strip.refused, strip.unknown] { td.n { (units::count(n)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(time: u64, items: u64) -> Request {
        Request { time, kind: Kind::Elect, items, refused: 1, is_unknown: false }
    }

    #[test]
    fn requests_fall_into_columns() {
        let strips =
            strips(&[request(1000, 2), request(1500, 3), request(2000, 4), request(500, 1)], 1000, 2000);
        let strip = &strips[&Kind::Elect];
        assert_eq!((strip.requests, strip.items, strip.refused, strip.unknown), (4, 10, 4, 0));
        let columns: Vec<(u64, u64)> = strip.columns.iter().map(|(at, items)| (*at, *items)).collect();
        assert_eq!(columns, [(0, 3), (60, 3), (119, 4)], "what lies before the beginning counts to it");
    }

    #[test]
    fn a_run_of_one_moment_has_strips_too() {
        assert_eq!(strips(&[request(5, 1)], 5, 5)[&Kind::Elect].columns.len(), 1);
    }

    #[test]
    fn curves_are_stairs_with_few_steps() {
        assert_eq!(stairs(&[(1, 10), (3, 20)], 5), [(1, 0), (1, 10), (3, 10), (3, 20), (5, 20)]);
        let long: Vec<(u64, u64)> = (0..10_000).map(|n| (n, n)).collect();
        let few = thin(&long);
        assert!(few.len() <= POINTS + 1 && few.last() == Some(&(9_999, 9_999)));
    }
}
