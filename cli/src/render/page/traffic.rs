//! Traffic between zones: what is copied from where to where, and what producers' bytes cost meanwhile.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use maud::{Markup, html};
use restow_planner::forecast::Traffic;
use restow_planner::plan::PairBytes;

use super::super::{price, units};
use super::figure;
use super::{Section, Subject};

/// Zones that fit a square; of more, pairs are listed.
const SQUARE: usize = 8;
/// Pairs in a list before the rest is summed up.
const PAIRS: usize = 20;

/// The section.
pub fn section(subject: &Subject<'_>) -> Section {
    let impact = &subject.impact;
    let traffic = subject.outlook.as_ref().and_then(|outlook| outlook.told.traffic);
    let body = html! {
        @if impact.zones.is_empty() {
            p { "No byte is copied." }
        } @else if subject.is_zoned() {
            p { (totals(subject)) }
            (pairs(&impact.zones))
        } @else {
            p { "No broker has a rack: all are one zone." }
        }
        h3 { "What each produced byte costs" }
        p { (price::sentence(subject.plan, impact)) }
        @if let Some(traffic) = traffic { (produced(&traffic)) }
    };
    Section { id: "traffic".into(), heading: "Traffic between zones".into(), body }
}

fn totals(subject: &Subject<'_>) -> String {
    let (across, all) = (subject.bytes_across(), subject.plan.certificate.moved_bytes);
    let part = units::decimal(u128::from(across) * 100, u128::from(all.max(1)), 1);
    let mut text = format!(
        "Of {} that are copied, {} ({part} %) go from one zone into another",
        units::bytes(all),
        units::bytes(across)
    );
    if let Some(each) = subject.price {
        let all = units::decimal(price::micros(across, each), 1_000_000, 2);
        text += &format!(", which costs {all} at {} per GB", units::decimal(u128::from(each), 1_000_000, 4));
    }
    text + "."
}

fn pairs(pairs: &[PairBytes<String>]) -> Markup {
    let zones: BTreeSet<&str> =
        pairs.iter().flat_map(|pair| [pair.from.as_str(), pair.to.as_str()]).collect();
    html! { @if zones.len() <= SQUARE { (square(&zones, pairs)) } @else { (listed(pairs)) } }
}

/// From rows to columns; the zone itself is shaded.
fn square(zones: &BTreeSet<&str>, pairs: &[PairBytes<String>]) -> Markup {
    let most = pairs.iter().map(|pair| pair.bytes).max().unwrap_or(0);
    let find = |from: &str, to: &str| pairs.iter().find(|pair| pair.from == from && pair.to == to);
    html! {
        div.box tabindex="0" role="region" aria-label="Bytes copied from zone to zone" {
            table.matrix {
                caption { "Bytes copied, from the zone of a row to that of a column. Shaded: within the zone" }
                thead { tr {
                    th scope="col" { "From \\ to" }
                    @for to in zones { th scope="col" { (to) } }
                } }
                tbody {
                    @for from in zones {
                        tr {
                            th scope="row" { (from) }
                            @for to in zones { td.home[from == to] { (cell(find(from, to), most)) } }
                        }
                    }
                }
            }
        }
    }
}

fn cell(pair: Option<&PairBytes<String>>, most: u64) -> Markup {
    let Some(pair) = pair else { return html! { "none" } };
    let copies = units::of(u64::from(pair.copies), "copy");
    let name = format!("From {} to {}", pair.from, pair.to);
    html! {
        (units::bytes(pair.bytes)) " · " (copies)
        (arrow(&name, pair, most))
    }
}

/// Hatched where it crosses zones, grey where it does not.
fn arrow(name: &str, pair: &PairBytes<String>, most: u64) -> Markup {
    let class = if pair.from == pair.to { "keep" } else { "old" };
    let marks = html! {
        line.axis x1="0" x2="0" y1="0" y2="12" {}
        (figure::bar(class, pair.bytes, most, "1", "10"))
    };
    figure::figure("glyph", "12", name, &units::bytes(pair.bytes), &marks)
}

/// The pairs with the most bytes, and the sum of the others.
fn listed(pairs: &[PairBytes<String>]) -> Markup {
    let mut order: Vec<&PairBytes<String>> = pairs.iter().collect();
    order.sort_by_key(|pair| Reverse((pair.bytes, pair.copies)));
    let shown = if order.len() > PAIRS + 1 { PAIRS } else { order.len() };
    let (shown, rest) = order.split_at(shown);
    let most = order.first().map_or(0, |pair| pair.bytes);
    let bytes = rest.iter().map(|pair| pair.bytes).fold(0, u64::saturating_add);
    let copies: u64 = rest.iter().map(|pair| u64::from(pair.copies)).sum();
    html! {
        div.box tabindex="0" role="region" aria-label="Bytes copied from zone to zone" {
            table {
                caption { "Bytes copied from zone to zone, the most first" }
                thead { tr {
                    @for name in ["From", "To", "Bytes"] { th scope="col" { (name) } }
                    th.n scope="col" { "Copies" }
                    th.n scope="col" { "Bytes" }
                } }
                tbody {
                    @for pair in shown {
                        tr {
                            th scope="row" { (pair.from) }
                            td { (pair.to) @if pair.from == pair.to { " (the same zone)" } }
                            td.bars { (arrow(&format!("From {} to {}", pair.from, pair.to), pair, most)) }
                            td.n { (units::count(u64::from(pair.copies))) }
                            td.n { (units::bytes(pair.bytes)) }
                        }
                    }
                    @if !rest.is_empty() {
                        tr.sum {
                            th scope="row" colspan="3" { (units::of(rest.len() as u64, "more pair")) }
                            td.n { (units::count(copies)) }
                            td.n { (units::bytes(bytes)) }
                        }
                    }
                }
            }
        }
    }
}

/// Replication of what producers write, before, while expanded and after.
fn produced(states: &[Traffic; 3]) -> Markup {
    let most = states.iter().map(|state| state.total).max().unwrap_or(0);
    let rate = |bytes| format!("{}/s", units::bytes(bytes));
    html! {
        div.box tabindex="0" role="region" aria-label="Replication of what producers write" {
            table {
                caption { "Replication of what producers write to these partitions" }
                thead { tr {
                    th scope="col" { "When" }
                    th scope="col" { "Hatched: from zone to zone" }
                    th.n scope="col" { "Between brokers" }
                    th.n scope="col" { "Of it, from zone to zone" }
                } }
                tbody {
                    @for (when, state) in ["before", "while expanded", "after"].iter().zip(states) {
                        @let within = state.total.saturating_sub(state.across);
                        @let marks = html! {
                            (figure::bar("old", state.across, most, "1", "12"))
                            (figure::span("keep", state.across, within, most, "1", "12"))
                        };
                        @let told = format!("{}, {} of it from zone to zone", rate(state.total), rate(state.across));
                        tr {
                            th scope="row" { (when) }
                            td.bars { (figure::figure("glyph", "14", when, &told, &marks)) }
                            td.n { (rate(state.total)) }
                            td.n { (rate(state.across)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(zones: u64) -> Vec<PairBytes<String>> {
        let pair = |n: u64| PairBytes {
            from: format!("z{n}"),
            to: format!("z{}", n + 1),
            bytes: n * 1000,
            copies: 1,
        };
        (1..zones).map(pair).collect()
    }

    #[test]
    fn few_zones_are_a_square_and_many_a_list() {
        let few = pairs(&between(8)).into_string();
        assert!(few.contains("From \\ to") && few.contains("From z7 to z8"));
        let many = pairs(&between(9)).into_string();
        assert!(
            !many.contains("From \\ to") && many.contains("From z8 to z9") && !many.contains("more pair")
        );
        // 39 pairs: those of 20 to 39 kB are shown, 1 to 19 kB are summed up.
        let very_many = pairs(&between(40)).into_string();
        assert!(very_many.contains("19 more pairs") && very_many.contains("190 kB"));
        assert!(very_many.contains("From z20 to") && !very_many.contains("From z19 to"));
    }
}
