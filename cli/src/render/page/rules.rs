//! What holds and what proves it: rules, certificate, and all that the plan refuses, accepts or gives up.

use maud::{Markup, html};
use restow_planner::plan::{Certificate, Plan};
use restow_planner::rule::{Policy, Rule, What, When};

use super::super::left_out::{self, Kept};
use super::super::{list, plan as show, units};
use super::figure;
use super::{Section, Subject};

/// Rows of a list before the rest is counted.
const ROWS: usize = 100;

/// The section.
pub fn section(subject: &Subject<'_>) -> Section {
    let plan = subject.plan;
    let body = html! {
        (rules(&plan.rules))
        h3 { "Certificate" }
        (certificate(&plan.certificate))
        h3 { "Left as they are" }
        (left(plan))
        (exceptions(plan))
    };
    Section { id: "rules".into(), heading: "Rules and refusals".into(), body }
}

fn rules(rules: &[Rule]) -> Markup {
    html! {
        p { "Every replica list of every step was judged by code that shares none with the planner; " code { "restow check" } " does it again." }
        div.box tabindex="0" role="region" aria-label="Rules" {
            table {
                thead { tr { th scope="col" { "Rule" } th scope="col" { "Judged" } th scope="col" { "How strictly" } } }
                tbody {
                    @for rule in rules {
                        tr {
                            th.prose scope="row" { (what(*rule)) }
                            td.some { (when(rule.when)) }
                            td.some { (policy(rule.policy)) }
                        }
                    }
                    @if rules.is_empty() { tr { td colspan="3" { "none" } } }
                }
            }
        }
    }
}

fn what(rule: Rule) -> &'static str {
    match (rule.what, rule.when) {
        (What::ZoneSpread, When::Always) => {
            "A list touches as many zones as at the start, or as at the end if that is fewer"
        }
        (What::ZoneSpread, When::After) => "Replicas of a partition are spread evenly over zones",
        (What::RackSpread, _) => "Replicas in a zone are spread evenly over its racks",
        (What::Capacity, _) => "Bytes on a broker stay within what fits",
        (What::TopicSpread, _) => "No broker is crowded by one topic",
    }
}

fn when(when: When) -> &'static str {
    match when {
        When::After => "at the end",
        When::Always => "in every list of every step",
    }
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Hard => "it holds",
        Policy::NoWorse => "it never gets worse than at the start",
        Policy::Prefer => "sought, not promised",
    }
}

/// What the plan copies beside what any plan has to.
fn certificate(proof: &Certificate) -> Markup {
    let (bound, moved) = (proof.bound_bytes, proof.moved_bytes);
    let most = bound.max(moved);
    let told = format!("any plan {}, this one {}", units::bytes(bound), units::bytes(moved));
    let marks = html! {
        (figure::bar("keep", bound, most, "1", "10"))
        (figure::bar("new", moved, most, "15", "10"))
        line.axis x1="0" x2="0" y1="0" y2="26" {}
    };
    html! {
        @for line in show::certificate(proof).lines() { p { (line.trim()) } }
        @if most > 0 {
            figure.chart {
                (figure::legend(&[("keep", "any plan has to copy"), ("new", "this one copies")]))
                (figure::figure("glyph", "26", "Bytes that have to be copied, and that are copied", &told, &marks))
            }
        }
    }
}

fn left(plan: &Plan) -> Markup {
    let groups = left_out::groups(plan);
    let hidden = groups.len().saturating_sub(ROWS);
    html! {
        @if groups.is_empty() {
            p { "Nothing was refused: all that was asked for is in the plan." }
        } @else {
            div.box tabindex="0" role="region" aria-label="Partitions that stay" {
                table {
                    thead { tr {
                        @for name in ["Topic", "Partitions", "Stays on", "Why"] { th scope="col" { (name) } }
                    } }
                    tbody { @for kept in groups.iter().take(ROWS) { (stays(kept)) } }
                }
            }
            @if hidden > 0 { p { (units::of(hidden as u64, "more row")) ": " code { "restow show" } " lists all." } }
            @for (broker, replicas) in left_out::per_broker(plan) {
                p { "Broker " (broker) " will not be empty: it keeps " (units::of(replicas, "replica")) "." }
            }
        }
    }
}

fn stays(kept: &Kept<'_>) -> Markup {
    html! {
        tr {
            th scope="row" { (kept.topic) }
            td { (kept.numbers()) }
            td { (list::commas(&kept.on)) }
            td.prose { (kept.reason) }
        }
    }
}

/// What a person accepted, and what was broken before.
fn exceptions(plan: &Plan) -> Markup {
    let pinned: Vec<_> = plan.brokers.iter().filter(|broker| broker.pinned).map(|broker| broker.id).collect();
    let hidden = plan.no_worse.len().saturating_sub(ROWS);
    html! {
        @if !plan.no_worse.is_empty() {
            h3 { "Unevenly spread at the start" }
            p {
                (list::commas(plan.no_worse.iter().take(ROWS)))
                @if hidden > 0 { " and " (units::of(hidden as u64, "more partition")) }
                ". The plan does not make it worse."
            }
        }
        @if !plan.accepted_differences.is_empty() {
            h3 { "Config differences that a person accepted" }
            ul {
                @for one in &plan.accepted_differences {
                    li {
                        (one.topic) ", " code { (one.key) } ": "
                        @for (at, (value, brokers)) in one.values.iter().enumerate() {
                            @if at > 0 { "; " }
                            code { (value) } " on " (list::commas(brokers))
                        }
                    }
                }
            }
        }
        @if !plan.given_up.is_empty() {
            h3 { "Brokers given up" }
            p { (list::commas(&plan.given_up)) ": a person said that they will not come back." }
        }
        @if !pinned.is_empty() {
            h3 { "Brokers left alone" }
            p { (list::commas(&pinned)) ": nothing comes to them and nothing leaves them." }
        }
    }
}
