//! One answer in full.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use restow_planner::whatif::{Answer, Answered, Break, BrokerLoad, Case, Cost, Resource, State, Time};

use super::cells::{amount, change, fullest, is_told, numbers, percent, together};
use super::{Page, tightest};
use crate::render::money::money;
use crate::render::table::Table;
use crate::render::wrap::wrap;
use crate::render::{bars, list, price, units};

/// Brokers that are told one by one; of more, the fullest.
const BROKERS: usize = 24;
/// Rows of what may be many.
const ROWS: usize = 10;

impl Page<'_> {
    pub(super) fn one(&self, asked: &Answered, answer: &Answer) -> String {
        let mut text = String::from("What if\n");
        asked.edits.iter().for_each(|edit| text += &wrap(edit, 2));
        let mut section = |heading: &str, body: &str| {
            if !body.is_empty() {
                let _ = write!(text, "\n{heading}\n{body}");
            }
        };
        section("In short", &self.in_short(answer));
        section("The fullest brokers", &fullest_of_each(answer));
        section("Zones, before → after", &groups(answer, "zone", |broker| broker.zone.as_deref()));
        section("Node types, before → after", &groups(answer, "type", |broker| broker.node.as_deref()));
        section("Brokers, before → after", &self.brokers(answer));
        section("What breaks first", &breaks(&answer.breaks));
        section("Partitions in trouble, by topic", &troubles(&answer.after));
        section("Where leaders go", &shifts(answer));
        section("Each case, the worst first", &cases(answer));
        section("What it costs", &self.costs(&answer.costs));
        section("Not known", &unknown(answer));
        let notes: Vec<String> = answer.notes.iter().map(|note| wrap(note, 2)).collect();
        section("Notes", &notes.concat());
        text
    }

    /// The answer in a few lines.
    pub fn in_short(&self, answer: &Answer) -> String {
        let after = &answer.after;
        let mut text = String::new();
        text += &losses(answer);
        let all = units::of(after.partitions.into(), "partition");
        let _ = match (after.offline, after.under_min_isr) {
            (0, 0) if answer.unknown.min_isr > 0 => writeln!(text, "  All of {all} have a leader."),
            (0, 0) => writeln!(text, "  All of {all} have a leader and their min ISR."),
            (0, under) => {
                let under = units::count(under.into());
                writeln!(text, "  {under} of {all} are under their min ISR: acks=all is refused.")
            }
            (offline, under) => writeln!(
                text,
                "  {} of {all} are OFFLINE, and {} under their min ISR.",
                units::count(offline.into()),
                units::count(under.into())
            ),
        };
        if let Some((resource, broker, part)) = tightest(answer) {
            let over = if broker.of(resource).is_over() { ": OVER IT" } else { "" };
            let (name, part) = (resource.name(), percent(part));
            let _ = writeln!(
                text,
                "  The tightest is {name} of broker {}: {part} % of its limit{over}.",
                broker.broker
            );
        }
        match answer.breaks.first() {
            Some(first) => {
                let _ = writeln!(text, "  First to break: {}.", first_break(first));
            }
            None => text += &wrap(&format!("{}.", nothing_breaks(answer)), 2),
        }
        let bytes: u64 = answer.costs.iter().map(|cost| cost.bytes).fold(0, u64::saturating_add);
        if !answer.costs.is_empty() {
            let _ = writeln!(text, "  It copies {}.", units::bytes(bytes));
        }
        let price = answer.price;
        if price.before > 0 || price.after > 0 {
            let unknown = price.unknown_before.max(price.unknown_after);
            let but = if unknown > 0 {
                format!(", {} not counted", units::of(unknown.into(), "broker"))
            } else {
                String::new()
            };
            let (before, after) = (money(price.before), money(price.after));
            let _ = match before == after {
                true => writeln!(text, "  Nodes cost {after} a month{but}."),
                false => writeln!(text, "  Nodes cost {before} → {after} a month{but}."),
            };
        }
        text
    }

    fn brokers(&self, answer: &Answer) -> String {
        let mut ids: Vec<_> =
            answer.before.brokers.iter().chain(&answer.after.brokers).map(|broker| broker.broker).collect();
        ids.sort_unstable();
        ids.dedup();
        let find = |state: &'_ State, id| state.brokers.iter().position(|broker| broker.broker == id);
        let all = ids.len();
        if all > BROKERS && !self.every_broker {
            let weight = |id: &restow_planner::model::BrokerId| {
                let after = find(&answer.after, *id).map(|at| &answer.after.brokers[at]);
                Resource::ALL.into_iter().filter_map(|resource| after?.of(resource).part()).max()
            };
            ids.sort_by_key(|id| (std::cmp::Reverse(weight(id)), *id));
            ids.truncate(ROWS);
        }
        let mut table = Table::new(&["broker", ">disk", ">in", ">out", ">replicas", ">leaders", ">requests"]);
        for id in &ids {
            let [before, after] =
                [&answer.before, &answer.after].map(|state| find(state, *id).map(|at| &state.brokers[at]));
            let mark = match after {
                None => " gone",
                Some(broker) if !broker.serves => " lost",
                Some(_) => "",
            };
            let after: Vec<&BrokerLoad> = after.into_iter().filter(|broker| broker.serves).collect();
            let before: Vec<&BrokerLoad> = before.into_iter().collect();
            table.row(row(format!("{id}{mark}"), answer, &before, &after));
        }
        let mut text = table.render(2);
        if ids.len() < all {
            let _ = writeln!(text, "  the {} fullest of {all}; --brokers tells all", ids.len());
        }
        text
    }

    fn costs(&self, costs: &[Cost]) -> String {
        let mut text = String::new();
        for cost in costs {
            let mut line = format!(
                "{}: {} change, {} copied ({})",
                cost.what,
                units::of(cost.partitions, "partition"),
                units::bytes(cost.bytes),
                certified(cost)
            );
            match cost.time {
                Some(Time::Ends(time)) => {
                    let _ = write!(line, ", {}", units::time(Duration::from_secs(time.likely)));
                }
                Some(Time::Never) => line += ", and never ends: what is written is faster than the throttle",
                None => {}
            }
            if cost.bytes_across > 0 {
                let _ = write!(line, ", {} between zones", units::bytes(cost.bytes_across));
                if let Some(price) = self.price {
                    let all = price::micros(cost.bytes_across, price);
                    let _ = write!(line, ", which costs {}", units::decimal(all, 1_000_000, 2));
                }
            }
            text += &wrap(&line, 2);
            for (count, what) in [
                (cost.unknown_sizes, "of unknown size: in no figure"),
                (cost.left_out, "left as they are: refused"),
            ] {
                if count > 0 {
                    let _ = writeln!(text, "    {} {what}", units::count(count));
                }
            }
        }
        text
    }
}

/// How near to the fewest bytes that any plan copies.
pub fn certified(cost: &Cost) -> String {
    match cost.bytes.checked_sub(cost.bound_bytes) {
        None | Some(0) => "no plan copies less".into(),
        Some(more) => {
            let part = units::decimal(u128::from(more) * 100, u128::from(cost.bound_bytes.max(1)), 2);
            format!("at most {part} % above the fewest")
        }
    }
}

/// What was lost, and whether it is the worst.
fn losses(answer: &Answer) -> String {
    let lost: Vec<String> = answer.lost.iter().map(ToString::to_string).collect();
    let mut text = String::new();
    if let [worst, rest @ ..] = answer.cases.as_slice() {
        let before = &lost[..lost.len().saturating_sub(1)];
        let after = if before.is_empty() { String::new() } else { format!(", after {}", list::and(before)) };
        let _ = writeln!(text, "  The worst case is the loss of {}{after}.", worst.lost);
        let weight = |case: &Case| (case.offline, case.under_min_isr, case.fullest.map(|(_, part)| part));
        if !rest.is_empty() && rest.iter().all(|case| weight(case) == weight(worst)) {
            text += "  By what is known all cases are alike.\n";
        }
    } else if !lost.is_empty() {
        let _ = writeln!(text, "  Lost: {}.", list::and(&lost));
    }
    let before = &answer.before;
    if before.offline + before.under_min_isr > 0 {
        let [offline, under] = [before.offline, before.under_min_isr].map(|count| units::count(count.into()));
        let _ = writeln!(text, "  Before the edits {offline} are offline and {under} under their min ISR.");
    }
    text
}

/// Why no break is told, in words.
pub fn nothing_breaks(answer: &Answer) -> String {
    let unknown = answer.unknown;
    let what = match answer.after.day {
        0 => "Nothing that is known is above a limit, and no growth was given",
        _ => "Nothing that is known reaches a limit within 20 years",
    };
    let is_blind = unknown.disks > 0 || unknown.networks > 0 || unknown.write_rates > 0 || unknown.sizes > 0;
    if is_blind { format!("{what} (not all is known)") } else { what.to_owned() }
}

/// A break in words.
pub fn first_break(broken: &Break) -> String {
    let what = format!("{} of broker {}", broken.resource.name(), broken.broker);
    match (broken.day, &broken.date) {
        (0, _) => format!("{what} is above its limit already"),
        (day, Some(date)) => format!("{what}, on {date} (day {})", units::count(day.into())),
        (day, None) => format!("{what}, {} after the snapshot", units::of(day.into(), "day")),
    }
}

fn breaks(breaks: &[Break]) -> String {
    let mut text = String::new();
    for broken in breaks {
        let _ = writeln!(text, "  {}", first_break(broken));
        if let Some((soonest, latest)) = broken.between {
            let latest =
                latest.map_or_else(|| "never".into(), |day| format!("day {}", units::count(day.into())));
            let _ = writeln!(
                text,
                "    between day {} and {latest}, by what the fit is sure of",
                units::count(soonest.into())
            );
        }
        text += &wrap(&format!("limit {}; {}", amount(broken.resource, broken.limit), broken.basis), 4);
        if broken.unknown > 0 {
            let _ = writeln!(
                text,
                "    {} there of unknown load: it may be sooner",
                units::of(broken.unknown.into(), "replica")
            );
        }
    }
    text
}

/// Bars of the fullest broker of each resource that has a limit.
fn fullest_of_each(answer: &Answer) -> String {
    let mut table = Table::new(&["", "broker", ">before", "", "broker", ">after", ""]);
    for resource in Resource::ALL {
        let (before, after) = (fullest(&answer.before, resource), fullest(&answer.after, resource));
        let cells = |broker: Option<&BrokerLoad>| {
            let part = broker.and_then(|broker| broker.of(resource).part());
            let id =
                broker.filter(|_| part.is_some()).map(|broker| broker.broker.to_string()).unwrap_or_default();
            let text = part.map(|part| format!("{} %", percent(part))).unwrap_or_default();
            [id, text, part.map(|part| bars::bar(part.min(10_000), 10_000)).unwrap_or_default()]
        };
        let ([id, was, bar], [id_after, is, bar_after]) = (cells(before), cells(after));
        let is_known = is_told(&[&answer.before, &answer.after], resource);
        if is_known && (!was.is_empty() || !is.is_empty()) {
            table.row([resource.name().into(), id, was, bar, id_after, is, bar_after]);
        }
    }
    if table.is_empty() { String::new() } else { table.render(2) }
}

/// A row of both states for brokers that belong together.
fn row(name: String, answer: &Answer, before: &[&BrokerLoad], after: &[&BrokerLoad]) -> Vec<String> {
    let states = [&answer.before, &answer.after];
    let cell = |resource| {
        let [was, is] = [before, after].map(|all| (!all.is_empty()).then(|| together(all, resource)));
        if is_told(&states, resource) { change(resource, was.as_ref(), is.as_ref()) } else { String::new() }
    };
    let [was, is] = [before, after].map(|all| {
        (!all.is_empty()).then(|| all.iter().map(|broker| u64::from(broker.leaders)).sum::<u64>())
    });
    vec![
        name,
        cell(Resource::Disk),
        cell(Resource::NetworkIn),
        cell(Resource::NetworkOut),
        cell(Resource::Replicas),
        numbers(was, is),
        cell(Resource::Requests),
    ]
}

/// Sums over brokers that have something in common.
fn groups(answer: &Answer, what: &str, of: impl Fn(&BrokerLoad) -> Option<&str>) -> String {
    let mut groups: BTreeMap<&str, [Vec<&BrokerLoad>; 2]> = BTreeMap::new();
    for (at, state) in [&answer.before, &answer.after].into_iter().enumerate() {
        for broker in state.brokers.iter().filter(|broker| broker.serves) {
            if let Some(name) = of(broker) {
                groups.entry(name).or_default()[at].push(broker);
            }
        }
    }
    let mut table = Table::new(&[what, ">disk", ">in", ">out", ">replicas", ">leaders", ">requests"]);
    for (name, [before, after]) in &groups {
        let count = numbers(Some(before.len() as u64), Some(after.len() as u64));
        let name = format!("{name} ({count})");
        table.row(row(name, answer, before, after));
    }
    if table.is_empty() { String::new() } else { table.render(2) }
}

fn troubles(after: &State) -> String {
    let mut table = Table::new(&["topic", ">partitions", ">offline", ">under min ISR"]);
    for trouble in after.troubles.iter().take(ROWS) {
        table.row([
            trouble.topic.clone(),
            units::count(trouble.partitions.into()),
            units::count(trouble.offline.into()),
            units::count(trouble.under_min_isr.into()),
        ]);
    }
    if table.is_empty() { String::new() } else { table.render(2) }
}

fn shifts(answer: &Answer) -> String {
    let mut table = Table::new(&["from", "to", ">partitions"]);
    let id = |id: Option<restow_planner::model::BrokerId>| id.map_or_else(|| "-".into(), |id| id.to_string());
    for shift in answer.shifts.iter().take(ROWS) {
        table.row([id(shift.from), id(shift.to), units::count(shift.partitions.into())]);
    }
    if table.is_empty() { String::new() } else { table.render(2) }
}

fn cases(answer: &Answer) -> String {
    let mut table = Table::new(&["lost", ">offline", ">under min ISR", ">fullest network out"]);
    for case in answer.cases.iter().take(ROWS) {
        let fullest = case.fullest.map(|(broker, part)| format!("broker {broker}: {} %", percent(part)));
        table.row([
            case.lost.to_string(),
            units::count(case.offline.into()),
            units::count(case.under_min_isr.into()),
            fullest.unwrap_or_default(),
        ]);
    }
    if table.is_empty() { String::new() } else { table.render(2) }
}

/// What is not known, a line each.
pub fn unknown(answer: &Answer) -> String {
    let unknown = answer.unknown;
    let rates = |count: u64, what: &str, how: &str| {
        (count > 0).then(|| {
            let all = if count == unknown.partitions { "all".into() } else { units::count(count) };
            let whole = units::of(unknown.partitions, "partition");
            format!("  {what} of {all} of {whole}: {how}\n")
        })
    };
    let lines = [
        (unknown.min_isr > 0).then(|| {
            let partitions = units::of(unknown.min_isr, "partition");
            format!("  min ISR of {partitions}: counted as if they met it\n")
        }),
        (unknown.sizes > 0).then(|| {
            let replicas = units::of(unknown.sizes, "replica");
            format!("  the size of {replicas}: restow snapshot asks each broker that answers\n")
        }),
        rates(unknown.write_rates, "the write rate", "restow snapshot --sample 60s, or --rates FILE"),
        rates(unknown.read_rates, "the read rate", "no admin call tells it: --rates FILE"),
        rates(unknown.request_rates, "the request rate", "no admin call tells it: --rates FILE"),
        (unknown.disks > 0).then(|| {
            let brokers = units::of(unknown.disks.into(), "broker");
            format!(
                "  the disk of {brokers}: Kafka 3.3 and later tell it; else a node type (--topology FILE)\n"
            )
        }),
        (unknown.networks > 0).then(|| {
            let brokers = units::of(unknown.networks.into(), "broker");
            format!("  the network of {brokers}: a node type tells it (--topology FILE)\n")
        }),
    ];
    lines.into_iter().flatten().map(|line| wrap(&line, 2)).collect()
}
