//! One what-if: how full brokers get, what breaks, what goes wrong, what it costs, and what is not known.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};
use restow_planner::model::BrokerId;
use restow_planner::whatif::{Answer, BrokerLoad, Cost, Resource, State, Time};

use super::super::super::whatif::{
    Page, amount, certified, change, first_break, fullest, is_told, numbers, percent, unknown,
};
use super::super::super::{price, units};
use super::super::figure::Holding;
use super::super::{figure, summary};

/// Brokers that are shown one by one; of more, the fullest.
const BROKERS: usize = 60;
const FULLEST: usize = 20;
/// Rows of what may be many.
const ROWS: usize = 20;

/// What stands under the heading of a scenario.
pub fn body(page: &Page<'_>, answer: &Answer) -> Markup {
    html! {
        @for line in page.in_short(answer).lines() { p { (line.trim()) } }
        (summary::mind(&answer.notes))
        (resources(answer))
        (brokers(answer))
        (breaks(answer))
        (costs(page, &answer.costs))
        (troubles(&answer.after))
        (cases(answer))
        (shifts(answer))
        @let unknown = unknown(answer);
        @if !unknown.is_empty() {
            h3 { "Not known, and in no figure" }
            ul { @for one in unwrapped(&unknown) { li { (one) } } }
        }
    }
}

/// Lines of a terminal, each whole again: what goes on is further in.
fn unwrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut().filter(|_| line.starts_with("   ")) {
            Some(last) => *last += &format!(" {}", line.trim()),
            None => lines.push(line.trim().to_owned()),
        }
    }
    lines
}

fn table(caption: &str, names: &[&str], rows: &Markup) -> Markup {
    html! {
        div.box tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for name in names { th scope="col" { (name) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// The fullest broker of a resource, and how full it is; `None` where no limit is known.
type Fullest = Option<(BrokerId, u64)>;

/// The fullest broker of each resource that has a limit.
fn resources(answer: &Answer) -> Markup {
    let parts = |resource| {
        let of = |state| {
            fullest(state, resource).and_then(|broker| Some((broker.broker, broker.of(resource).part()?)))
        };
        [of(&answer.before), of(&answer.after)]
    };
    let known: Vec<(Resource, [Fullest; 2])> = Resource::ALL
        .into_iter()
        .filter(|resource| is_told(&[&answer.before, &answer.after], *resource))
        .map(|resource| (resource, parts(resource)))
        .filter(|(_, parts)| parts.iter().any(Option::is_some))
        .collect();
    let most = known.iter().flat_map(|(_, parts)| parts).flatten().map(|(_, part)| *part).max().unwrap_or(0);
    let told = |part: Fullest| {
        part.map_or_else(
            || "unknown".into(),
            |(broker, part)| format!("{} %, broker {broker}", percent(part)),
        )
    };
    let rows = html! {
        @for (resource, parts) in &known {
            @let described = format!("now {}; then {}", told(parts[0]), told(parts[1]));
            @let marks = figure::pair(parts.map(|part| part.map_or(0, |(_, part)| part)), Some(10_000), most.max(10_000));
            tr {
                th.tight scope="row" { (resource.name()) }
                td.bars { (figure::figure("glyph", "24", resource.name(), &described, &marks)) }
                td.tight { (told(parts[0])) }
                td.tight.over[parts[1].is_some_and(|(_, part)| part > 10_000)] { (told(parts[1])) }
            }
        }
    };
    html! {
        @if !known.is_empty() {
            (figure::legend(&[("old", "now"), ("new", "then"), ("limit", "what may be used")]))
            (table("The fullest brokers", &["Resource", "Part of the limit", "Now", "Then"], &rows))
        }
    }
}

/// A broker now and then.
type Both<'a> = [Option<&'a BrokerLoad>; 2];

fn brokers(answer: &Answer) -> Markup {
    let mut by_id: BTreeMap<BrokerId, Both<'_>> = BTreeMap::new();
    for (at, state) in [&answer.before, &answer.after].into_iter().enumerate() {
        state.brokers.iter().for_each(|broker| by_id.entry(broker.broker).or_default()[at] = Some(broker));
    }
    let all = by_id.len();
    let mut rows: Vec<(BrokerId, Both<'_>)> = by_id.into_iter().collect();
    let caption = if all > BROKERS {
        let weight = |both: &Both<'_>| {
            Resource::ALL.into_iter().filter_map(|resource| both[1]?.of(resource).part()).max()
        };
        rows.sort_by_key(|(id, both)| (Reverse(weight(both)), *id));
        rows.truncate(FULLEST);
        format!("The {FULLEST} of {all} brokers that get fullest, now → then")
    } else {
        "Brokers, now → then".into()
    };
    let told: Vec<Resource> = Resource::ALL
        .into_iter()
        .filter(|resource| is_told(&[&answer.before, &answer.after], *resource))
        .collect();
    let disks = rows.iter().flat_map(|(_, both)| both).flatten().map(|broker| broker.disk);
    let most = figure::scale(disks.map(|disk| Holding {
        after: disk.known,
        limit: disk.limit,
        ..Holding::default()
    }));
    let names = ["Broker", "Disk", "Zone"].into_iter().chain(told.iter().map(|resource| resource.name()));
    let names: Vec<&str> = names.chain(["leaders"]).collect();
    let body = html! { @for (id, both) in &rows { (broker(*id, both, &told, most)) } };
    table(&caption, &names, &body)
}

fn broker(id: BrokerId, both: &Both<'_>, told: &[Resource], most: u64) -> Markup {
    let mark = match both[1] {
        None => " gone",
        Some(broker) if !broker.serves => " lost",
        Some(_) => "",
    };
    let serving = [both[0], both[1].filter(|broker| broker.serves)];
    let disks = serving.map(|broker| broker.map_or(0, |broker| broker.disk.known));
    let limit = both.iter().flatten().last().and_then(|broker| broker.disk.limit);
    let described = format!("now {}, then {}", units::bytes(disks[0]), units::bytes(disks[1]));
    let zone = both.iter().flatten().last().and_then(|broker| broker.zone.as_deref()).unwrap_or("-");
    let leaders = serving.map(|broker| broker.map(|broker| u64::from(broker.leaders)));
    html! {
        tr {
            th.tight scope="row" { (id) (mark) }
            td.bars { (figure::figure("glyph", "24", &format!("Disk of broker {id}"), &described, &figure::pair(disks, limit, most))) }
            td.tight { (zone) }
            @for resource in told {
                @let uses = serving.map(|broker| broker.map(|broker| broker.of(*resource)));
                td.tight { (change(*resource, uses[0], uses[1])) }
            }
            td.tight { (numbers(leaders[0], leaders[1])) }
        }
    }
}

fn breaks(answer: &Answer) -> Markup {
    let rows = html! {
        @for broken in &answer.breaks {
            tr {
                th.prose scope="row" { (first_break(broken)) }
                td.some {
                    @if let Some((soonest, latest)) = broken.between {
                        "day " (units::count(soonest.into())) " to "
                        (latest.map_or_else(|| "never".into(), |day| format!("day {}", units::count(day.into()))))
                    }
                }
                td.tight { (amount(broken.resource, broken.limit)) }
                td.prose {
                    (broken.basis)
                    @if broken.unknown > 0 { "; " (units::of(broken.unknown.into(), "replica")) " there of unknown load: it may be sooner" }
                }
            }
        }
    };
    html! {
        @if !answer.breaks.is_empty() {
            (table("What breaks first", &["What, and when", "By what the fit is sure of", "Limit", "By"], &rows))
        }
    }
}

fn costs(page: &Page<'_>, costs: &[Cost]) -> Markup {
    let money = |bytes: u64| {
        let each = page.price?;
        Some(units::decimal(price::micros(bytes, each), 1_000_000, 2))
    };
    let rows = html! {
        @for cost in costs {
            tr {
                th.some scope="row" { (cost.what) }
                td.tight { (units::count(cost.partitions)) }
                td.tight { (units::bytes(cost.bytes)) @if cost.unknown_sizes > 0 { " and " (units::of(cost.unknown_sizes, "copy")) " of unknown size" } }
                td.some { (certified(cost)) }
                td.tight { (units::bytes(cost.bytes_across)) @if let Some(all) = money(cost.bytes_across) { ", costs " (all) } }
                td.tight { (match cost.time {
                        None => "unknown".to_owned(),
                        Some(Time::Never) => "never".to_owned(),
                        Some(Time::Ends(time)) => units::time(Duration::from_secs(time.likely)),
                    }) }
                td.tight.over[cost.left_out > 0] { (units::count(cost.left_out)) }
            }
        }
    };
    let names = ["Plan", "Partitions", "Copies", "Certificate", "From zone to zone", "Time", "Refused"];
    html! { @if !costs.is_empty() { (table("What it costs", &names, &rows)) } }
}

fn troubles(after: &State) -> Markup {
    let rows = html! {
        @for trouble in after.troubles.iter().take(ROWS) {
            tr {
                th scope="row" { (trouble.topic) }
                @for n in [trouble.partitions, trouble.offline, trouble.under_min_isr] { td { (units::count(n.into())) } }
            }
        }
    };
    html! {
        @if !after.troubles.is_empty() {
            (table("Partitions in trouble, by topic", &["Topic", "Partitions", "Offline", "Under min ISR"], &rows))
            (more(after.troubles.len(), "topic"))
        }
    }
}

fn cases(answer: &Answer) -> Markup {
    let rows = html! {
        @for case in answer.cases.iter().take(ROWS) {
            tr {
                th scope="row" { (case.lost) }
                @for n in [case.offline, case.under_min_isr] { td { (units::count(n.into())) } }
                td { (case.fullest.map(|(broker, part)| format!("broker {broker}: {} %", percent(part))).unwrap_or_default()) }
            }
        }
    };
    html! {
        @if !answer.cases.is_empty() {
            (table("Each case, the worst first", &["Lost", "Offline", "Under min ISR", "Fullest network out"], &rows))
            (more(answer.cases.len(), "case"))
        }
    }
}

fn shifts(answer: &Answer) -> Markup {
    let name = |id: Option<BrokerId>| id.map_or_else(|| "nobody".into(), |id| format!("broker {id}"));
    let rows = html! {
        @for shift in answer.shifts.iter().take(ROWS) {
            tr {
                th scope="row" { (name(shift.from)) }
                td { (name(shift.to)) }
                td { (units::count(shift.partitions.into())) }
            }
        }
    };
    html! {
        @if !answer.shifts.is_empty() {
            (table("Where leaders go", &["From", "To", "Partitions"], &rows))
            (more(answer.shifts.len(), "pair"))
        }
    }
}

/// How many rows are not shown.
fn more(all: usize, what: &str) -> Markup {
    let hidden = all.saturating_sub(ROWS);
    html! { @if hidden > 0 { p.note { "Not shown: " (units::of(hidden as u64, what)) "." } } }
}

#[cfg(test)]
mod tests {
    use super::unwrapped;

    #[test]
    fn wrapped_lines_are_whole_again() {
        assert_eq!(unwrapped("  one\n    and more\n  two\n"), ["one and more", "two"]);
    }
}
