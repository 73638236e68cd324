//! Zones and brokers: what they hold before, at the peak and after.

use std::collections::BTreeMap;

use maud::{Markup, html};
use restow_planner::plan::BrokerImpact;

use super::super::units;
use super::figure::{self, Holding};
use super::{Section, Subject};

/// Brokers that are shown one by one; of more, their zones and the fullest.
const BROKERS: usize = 60;
/// Of more, this many of the fullest.
const FULLEST: usize = 20;

/// A broker with its zone.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// What the plan does to it.
    pub impact: &'a BrokerImpact,
    /// Its zone.
    pub zone: &'a str,
    /// What it holds.
    pub holding: Holding,
}

/// Every broker, by rising id.
pub fn rows<'a>(subject: &'a Subject<'_>) -> Vec<Row<'a>> {
    let row = |(at, impact): (usize, &'a BrokerImpact)| {
        let broker = subject.plan.broker(impact.broker);
        let (before, peak, after) = (impact.before, subject.peak(at, impact), impact.after);
        let holding = Holding { before, peak, after, limit: broker.and_then(|broker| broker.limit_bytes) };
        Row { impact, zone: broker.and_then(|broker| broker.zone.as_deref()).unwrap_or("-"), holding }
    };
    subject.plan.impact.iter().enumerate().map(row).collect()
}

/// The section.
pub fn section(subject: &Subject<'_>) -> Section {
    let rows = rows(subject);
    let mut by_zone: BTreeMap<&str, Vec<&Row<'_>>> = BTreeMap::new();
    for row in &rows {
        by_zone.entry(row.zone).or_default().push(row);
    }
    let body = html! {
        p.note { "All their replicas, moved or not. " (peak_note(subject)) }
        (figure::legend(&keys(&rows)))
        (zones(&by_zone))
        @if rows.len() <= BROKERS {
            (brokers("Brokers", &rows.iter().collect::<Vec<_>>()))
        } @else {
            (spread(&by_zone))
            (brokers(&format!("The {FULLEST} of {} that get fullest", units::of(rows.len() as u64, "broker")), &fullest(&rows)))
        }
    };
    Section { id: "brokers".into(), heading: "Zones and brokers".into(), body }
}

/// What the marks stand for; limits that are far off are not drawn.
fn keys(rows: &[Row<'_>]) -> Vec<(&'static str, &'static str)> {
    let scale = figure::scale(rows.iter().map(|row| row.holding));
    let is_drawn = |row: &Row<'_>| row.holding.limit.is_some_and(|limit| limit <= scale);
    let mut keys = vec![("old", "before"), ("new", "after"), ("peak", "at the peak")];
    keys.extend(rows.iter().any(is_drawn).then_some(("limit", "what fits")));
    keys
}

fn peak_note(subject: &Subject<'_>) -> &'static str {
    if subject.outlook.is_some() {
        "The peak is that of the forecast."
    } else {
        "The peak is what it takes if all copies come before anything is dropped."
    }
}

/// Sums per zone.
fn zones(by_zone: &BTreeMap<&str, Vec<&Row<'_>>>) -> Markup {
    let sums: Vec<(&str, usize, Sum)> =
        by_zone.iter().map(|(zone, rows)| (*zone, rows.len(), Sum::of(rows))).collect();
    let scale = figure::scale(sums.iter().map(|(_, _, sum)| sum.holding));
    html! {
        div.box tabindex="0" role="region" aria-label="Zones" {
            table {
                caption { "Zones" }
                (heading("Zone", true))
                tbody {
                    @for (zone, brokers, sum) in &sums {
                        tr {
                            th scope="row" { (zone) }
                            td.bars { (figure::holding(&format!("Zone {zone}"), &sum.holding, scale)) }
                            td.n { (brokers) }
                            (cells(&sum.holding))
                            td.n { (change(sum.replicas)) }
                            td.n { (change(sum.leaders)) }
                        }
                    }
                }
            }
        }
    }
}

/// What the brokers of a zone hold together.
#[derive(Debug, Default)]
struct Sum {
    holding: Holding,
    replicas: (u64, u64),
    leaders: (u64, u64),
}

impl Sum {
    fn of(rows: &[&Row<'_>]) -> Sum {
        let mut sum = Sum { holding: Holding { limit: Some(0), ..Holding::default() }, ..Sum::default() };
        for Row { impact, holding, .. } in rows {
            sum.holding.before = sum.holding.before.saturating_add(holding.before);
            sum.holding.peak = sum.holding.peak.saturating_add(holding.peak);
            sum.holding.after = sum.holding.after.saturating_add(holding.after);
            // One limit that is unknown makes the sum unknown.
            sum.holding.limit = sum.holding.limit.zip(holding.limit).map(|(a, b)| a.saturating_add(b));
            sum.replicas.0 += u64::from(impact.replicas_before);
            sum.replicas.1 += u64::from(impact.replicas_after);
            sum.leaders.0 += u64::from(impact.leaders_before);
            sum.leaders.1 += u64::from(impact.leaders_after);
        }
        sum
    }
}

fn heading(first: &str, is_zone: bool) -> Markup {
    let second = if is_zone { "Brokers" } else { "Zone" };
    let sortable = |name: &str| html! { @if is_zone { (name) } @else { button type="button" { (name) } } };
    html! {
        thead { tr {
            th scope="col" { (sortable(first)) }
            th scope="col" { "Bytes" }
            th scope="col" .n[is_zone] { (sortable(second)) }
            @for name in ["Before", "Peak", "After", "Fits", "Full at peak", "Replicas", "Leaders"] {
                th.n scope="col" { (sortable(name)) }
            }
        } }
    }
}

fn cells(holding: &Holding) -> Markup {
    let is_over = holding.fullness().is_some_and(|part| part > 1000);
    let full = holding.fullness().map(|part| part.to_string()).unwrap_or_default();
    html! {
        @for bytes in [holding.before, holding.peak, holding.after] {
            td.n data-v=(bytes) { (units::bytes(bytes)) }
        }
        td.n data-v=[holding.limit] { (holding.limit.map_or_else(|| "unknown".into(), units::bytes)) }
        td.n.over[is_over] data-v=(full) { (holding.full()) }
    }
}

/// `31`, or `31 → 40` where it changes.
fn change((before, after): (u64, u64)) -> String {
    if before == after {
        return units::count(before);
    }
    format!("{} → {}", units::count(before), units::count(after))
}

fn brokers(caption: &str, rows: &[&Row<'_>]) -> Markup {
    let scale = figure::scale(rows.iter().map(|row| row.holding));
    html! {
        div.box tabindex="0" role="region" aria-label=(caption) {
            table.sorts {
                caption { (caption) }
                (heading("Broker", false))
                tbody { @for row in rows { (broker(row, scale)) } }
            }
        }
    }
}

fn broker(row: &Row<'_>, scale: u64) -> Markup {
    let impact = row.impact;
    let replicas = (u64::from(impact.replicas_before), u64::from(impact.replicas_after));
    let leaders = (u64::from(impact.leaders_before), u64::from(impact.leaders_after));
    html! {
        tr {
            th scope="row" { (impact.broker) }
            td.bars { (figure::holding(&format!("Broker {}", impact.broker), &row.holding, scale)) }
            td.tight { (row.zone) }
            (cells(&row.holding))
            td.n data-v=(replicas.1) { (change(replicas)) }
            td.n data-v=(leaders.1) { (change(leaders)) }
        }
    }
}

/// The brokers that get fullest: in proportion to what fits, those whose limit is unknown last, by bytes.
fn fullest<'a>(rows: &'a [Row<'a>]) -> Vec<&'a Row<'a>> {
    let mut order: Vec<&Row<'_>> = rows.iter().collect();
    order.sort_by_key(|row| std::cmp::Reverse((row.holding.fullness(), row.holding.peak)));
    order.truncate(FULLEST);
    order
}

/// How evenly the brokers of each zone are filled: the least, the mean and the most.
fn spread(by_zone: &BTreeMap<&str, Vec<&Row<'_>>>) -> Markup {
    let most =
        by_zone.values().flatten().map(|row| row.holding.before.max(row.holding.after)).max().unwrap_or(0);
    html! {
        div.box tabindex="0" role="region" aria-label="Brokers of each zone" {
            table {
                caption { "Brokers of each zone: the least full, the mean, the fullest" }
                thead { tr {
                    th scope="col" { "Zone" }
                    th scope="col" { "When" }
                    th scope="col" { "From the least to the most, the mean as a post" }
                    @for name in ["Least", "Mean", "Most"] { th.n scope="col" { (name) } }
                } }
                tbody {
                    @for (zone, rows) in by_zone {
                        (span_row(zone, "before", "old", rows.iter().map(|row| row.holding.before), most))
                        (span_row(zone, "after", "new", rows.iter().map(|row| row.holding.after), most))
                    }
                }
            }
        }
    }
}

fn span_row(zone: &str, when: &str, class: &str, each: impl Iterator<Item = u64>, scale: u64) -> Markup {
    let each: Vec<u64> = each.collect();
    let (least, most) = (each.iter().min().copied().unwrap_or(0), each.iter().max().copied().unwrap_or(0));
    let sum: u128 = each.iter().map(|bytes| u128::from(*bytes)).sum();
    let mean = u64::try_from(sum / each.len().max(1) as u128).unwrap_or(most);
    let told =
        format!("least {}, mean {}, most {}", units::bytes(least), units::bytes(mean), units::bytes(most));
    let x = figure::percent(mean, scale);
    let marks = html! {
        (figure::span(class, least, most - least, scale, "4", "10"))
        line.limit x1=(x) x2=(x) y1="1" y2="17" {}
    };
    html! {
        tr {
            th scope="row" { (zone) }
            td { (when) }
            td.bars { (figure::figure("glyph", "18", &format!("Brokers of zone {zone} {when}"), &told, &marks)) }
            @for bytes in [least, mean, most] { td.n { (units::bytes(bytes)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::tests::plan_of;
    use super::*;
    use restow_planner::model::BrokerId;
    use restow_planner::plan::{Plan, PlanBroker};

    /// A plan over this many brokers in two zones; broker N holds N MB at its peak.
    fn plan(brokers: i32) -> Plan {
        let mut plan = plan_of(&[(&[1, 3], &[4, 6])]);
        let first = plan.impact[0].clone();
        let zone = |id: i32| Some(if id % 2 == 0 { "even" } else { "odd" }.to_owned());
        plan.brokers = (1..=brokers)
            .map(|id| PlanBroker {
                id: BrokerId(id),
                rack: None,
                zone: zone(id),
                limit_bytes: None,
                pinned: false,
            })
            .collect();
        plan.impact = (1..=brokers)
            .map(|id| restow_planner::plan::BrokerImpact {
                broker: BrokerId(id),
                peak: id as u64 * 1_000_000,
                ..first.clone()
            })
            .collect();
        plan
    }

    fn page(plan: &Plan) -> String {
        section(&Subject::new(plan, "sha256:x", "plan.json")).body.into_string()
    }

    #[test]
    fn many_brokers_are_summed_up() {
        let few = page(&plan(60));
        assert!(few.contains("Broker 60<") && few.contains("Broker 1<") && !few.contains("least full"));
        let many = page(&plan(61));
        assert!(
            many.contains("The 20 of 61 brokers that get fullest")
                && many.contains("the least full, the mean")
        );
        assert!(many.contains("Broker 61<") && many.contains("Broker 42<") && !many.contains("Broker 41<"));
    }

    #[test]
    fn zones_are_sums() {
        let plan = plan(4);
        let subject = Subject::new(&plan, "sha256:x", "plan.json");
        let rows = rows(&subject);
        let sum = Sum::of(&rows.iter().filter(|row| row.zone == "even").collect::<Vec<_>>());
        assert_eq!((sum.holding.before, sum.holding.peak, sum.holding.limit), (2_000_000, 6_000_000, None));
        assert_eq!(sum.replicas, (4, 6));
    }
}
