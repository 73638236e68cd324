//! The page of what-ifs: each in full, and several side by side.

mod one;

use maud::{Markup, html};
use restow_planner::whatif::{Answer, Answered, Answers};

use super::super::money::money;
use super::super::units;
use super::super::whatif::{self, Page, first_break, nothing_breaks, percent, tightest};
use super::frame::{self, Head};
use super::{Section, summary};

/// Scenarios that are told in full; of more, these and the comparison of all.
const SCENARIOS: usize = 20;

/// The page of answers; `price` is in millionths of a currency unit for 10^9 bytes between zones.
pub fn of_answers(answers: &Answers, price: Option<u64>) -> String {
    let page = Page { answers, price, every_broker: false };
    let mut sections = Vec::new();
    if answers.scenarios.len() != 1 {
        sections.push(compared(answers));
    }
    for (at, asked) in answers.scenarios.iter().take(SCENARIOS).enumerate() {
        sections.push(Section { id: id(at), heading: asked.name.clone(), body: scenario(&page, asked) });
    }
    frame::page(&head(answers), &sections)
}

fn id(at: usize) -> String {
    format!("scenario-{}", at + 1)
}

fn head(answers: &Answers) -> Head {
    let title = match answers.scenarios.as_slice() {
        [_] => "What if".into(),
        all => format!("{} side by side", units::of(all.len() as u64, "what-if")),
    };
    let taken = match answers.taken_at.as_str() {
        "" => "When the cluster stood so is unknown.".into(),
        at => format!("The cluster as it stood at {at}."),
    };
    Head {
        kind: format!("What-if of cluster {}", answers.cluster_id),
        title,
        about: html! { p.hash { (taken) } },
        agreed: None,
    }
}

fn scenario(page: &Page<'_>, asked: &Answered) -> Markup {
    html! {
        @if !asked.edits.is_empty() { ol { @for edit in &asked.edits { li { code { (edit) } } } } }
        @if let Some(why) = &asked.refused { (summary::mind(&[format!("refused: {why}")])) }
        @if let Some(answer) = &asked.answer { (one::body(page, answer)) }
    }
}

/// Every scenario in a row, below what is now.
fn compared(answers: &Answers) -> Section {
    let hidden = answers.scenarios.len().saturating_sub(SCENARIOS);
    let names = ["Offline", "Under min ISR", "The tightest", "To copy", "Nodes a month", "First to break"];
    let body = html! {
        @if answers.scenarios.is_empty() { p { "The file holds no scenario." } }
        div.box tabindex="0" role="region" aria-label="Scenarios" {
            table {
                thead { tr {
                    th scope="col" { "Scenario" }
                    @for name in names { th scope="col" { (name) } }
                } }
                tbody {
                    @for (at, asked) in answers.scenarios.iter().enumerate() {
                        tr {
                            th.some scope="row" {
                                @if at < SCENARIOS { a href={ "#" (id(at)) } { (asked.name) } } @else { (asked.name) }
                            }
                            @match &asked.answer {
                                Some(answer) => (cells(answer)),
                                None => td colspan=(names.len()) {
                                    "refused: " (asked.refused.as_deref().unwrap_or("for no reason that was written down"))
                                },
                            }
                        }
                    }
                }
            }
        }
        @if hidden > 0 { p.note { (units::of(hidden as u64, "more scenario")) " only in this table." } }
    };
    Section { id: "compared".into(), heading: "Side by side".into(), body }
}

fn cells(answer: &Answer) -> Markup {
    let after = &answer.after;
    let bytes = answer.costs.iter().map(|cost| cost.bytes).fold(0, u64::saturating_add);
    let tight = whatif::tightest(answer);
    html! {
        td.tight.over[after.offline > 0] { (units::count(after.offline.into())) }
        td.tight.over[after.under_min_isr > 0] { (units::count(after.under_min_isr.into())) }
        td.some.over[tight.is_some_and(|(_, _, part)| part > 10_000)] { (tightest_in_words(answer)) }
        td.tight { (if answer.costs.is_empty() { "nothing".into() } else { units::bytes(bytes) }) }
        td.tight { (if answer.price.after > 0 { money(answer.price.after) } else { "unknown".into() }) }
        td.prose { (answer.breaks.first().map_or_else(|| nothing_breaks(answer), first_break)) }
    }
}

fn tightest_in_words(answer: &Answer) -> String {
    tightest(answer).map_or_else(
        || "no limit is known".into(),
        |(resource, broker, part)| {
            format!("{} of broker {}: {} %", resource.name(), broker.broker, percent(part))
        },
    )
}
