//! The frame of a page: style, script, heading and table of contents. Nothing in it comes from anywhere else.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use restow_planner::model::BrokerId;
use restow_planner::plan::{Intent, Plan};

use super::super::{asked, list, units};
use super::{Section, Subject, figure};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// What the page may do: show itself. A browser enforces it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     form-action 'none'";
/// An intent of more characters is folded away.
const LONG: usize = 400;

/// What stands above the sections.
#[derive(Debug)]
pub struct Head {
    /// What kind of page it is, and of which cluster.
    pub kind: String,
    /// The title.
    pub title: String,
    /// Lines under the title.
    pub about: Markup,
    /// What people agree to with their signatures, on paper; nothing if there is nothing to agree to.
    pub agreed: Option<String>,
}

impl Head {
    /// The head of a page about a plan; `kind` is what it tells of it, in a word.
    pub fn of_plan(kind: &str, subject: &Subject<'_>) -> Head {
        let plan = subject.plan;
        Head {
            kind: format!("{kind} of cluster {}", plan.cluster_id),
            title: headline(&plan.intent),
            about: html! { (in_full(plan)) p.hash { "plan " code { (subject.hash) } } },
            agreed: Some(format!("plan {}", subject.hash)),
        }
    }
}

/// A whole page.
pub fn page(head: &Head, sections: &[Section]) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                link rel="icon" href="data:,";
                title { (head.title) " · " (head.kind) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href={ "#" (sections.first().map_or("", |section| &section.id)) } { "Skip to the content" }
                (figure::patterns())
                header {
                    p.kind { "restow · " (head.kind) }
                    h1 { (head.title) }
                    (head.about)
                }
                nav aria-label="Sections" {
                    ul { @for section in sections { li { a href={ "#" (section.id) } { (section.heading) } } } }
                }
                main { @for section in sections { (self::section(section)) } }
                @if let Some(what) = &head.agreed { (sign_off(what)) }
                footer {
                    "Made by restow " (env!("CARGO_PKG_VERSION"))
                    ". Sizes are in powers of 1000. This page needs no network and loads nothing."
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    markup.into_string()
}

fn section(section: &Section) -> Markup {
    let heading = format!("{}-heading", section.id);
    html! {
        section id=(section.id) aria-labelledby=(heading) {
            h2 id=(heading) { (section.heading) }
            (section.body)
        }
    }
}

/// What is asked, in full: folded away where it names very many brokers.
fn in_full(plan: &Plan) -> Markup {
    let text = asked::intent(&plan.intent);
    html! {
        @if text.chars().count() > LONG {
            details { summary { "What was asked, in full" } p { (text) "." } }
        } @else {
            p.asked { "Asked: " (text) "." }
        }
    }
}

/// On paper only: who agreed to what.
fn sign_off(what: &str) -> Markup {
    html! {
        div.sign-off {
            p { "Agreed to " (what) }
            ul { @for what in ["Name", "Date", "Signature"] { li { (what) } } }
        }
    }
}

/// What is asked, in a line.
fn headline(intent: &Intent) -> String {
    match intent {
        Intent::Migrate { from, to, .. } => format!("Migrate from {} to {}", brokers(from), brokers(to)),
        Intent::Drain { brokers: away, replace_with: None, .. } => format!("Drain {}", brokers(away)),
        Intent::Drain { brokers: away, replace_with: Some(other), .. } => {
            format!("Replace {} with broker {other}", brokers(away))
        }
        Intent::Add { brokers: new, .. } => format!("Bring {} to their fair share", brokers(new)),
        Intent::Rebalance { .. } => "Rebalance".into(),
        Intent::SetFactor { factor, .. } => format!("Set the replication factor to {factor}"),
        Intent::Repair { .. } => "Repair the spread over zones".into(),
        Intent::Leaders { .. } => "Even out leaders".into(),
        Intent::Follow { .. } => "Follow an assignment".into(),
        Intent::Return { .. } => "Take a plan back".into(),
    }
}

/// `broker 3`, `brokers 1-3, 7`, and of very many their number.
fn brokers(ids: &[BrokerId]) -> String {
    let numbers: Vec<i32> = ids.iter().map(|id| id.0).collect();
    match (list::ranges(&numbers), ids.len()) {
        (one, 1) => format!("broker {one}"),
        (few, _) if few.len() <= 40 => format!("brokers {few}"),
        (_, many) => units::of(many as u64, "broker"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_named_as_long_as_that_is_short() {
        let ids = |list: &[i32]| list.iter().copied().map(BrokerId).collect::<Vec<_>>();
        assert_eq!(brokers(&ids(&[3])), "broker 3");
        assert_eq!(brokers(&ids(&[1, 2, 3, 7])), "brokers 1-3, 7");
        let odd: Vec<i32> = (0..100).map(|n| 2 * n).collect();
        assert_eq!(brokers(&ids(&odd)), "100 brokers");
    }

    #[test]
    fn style_and_script_name_nothing_outside() {
        for text in [STYLE, SCRIPT] {
            for outside in ["http:", "https:", "//cdn", "@import", "fetch(", "XMLHttpRequest", "eval(", "</"]
            {
                assert!(!text.contains(outside), "{outside}");
            }
        }
    }
}
