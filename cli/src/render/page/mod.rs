//! `restow report`: one HTML page about a plan or a run, with everything in it.
//!
//! A page is its [frame] and a list of [sections](Section), each made in a file of its own.

mod answers;
mod figure;
mod frame;
mod history;
mod moves;
mod rollback;
mod rules;
mod run;
mod stages;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;
mod traffic;
mod zones;

pub use answers::of_answers;
pub use history::History;

use frame::Head;
use maud::Markup;
use restow_planner::forecast::{Forecast, Peak};
use restow_planner::plan::{BrokerImpact, Impact, Plan};
use restow_planner::schedule::Doom;

/// A part of a page.
#[derive(Debug)]
struct Section {
    /// What links to it say.
    id: String,
    /// Its heading.
    heading: String,
    /// What stands under the heading.
    body: Markup,
}

/// What is expected of a plan at a throttle.
#[derive(Debug)]
pub struct Outlook {
    /// What the model says.
    pub told: Forecast,
    /// Why it can never finish.
    pub dooms: Vec<Doom>,
    /// Bytes/s per broker and direction; `None` is no throttle.
    pub throttle: Option<u64>,
}

/// What a page is about.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its hash.
    pub hash: &'a str,
    /// The plan's file, as a person would type it.
    pub file: &'a str,
    /// Millionths of a currency unit for 10^9 bytes between zones.
    pub price: Option<u64>,
    /// What is expected, where a snapshot and a throttle were given.
    pub outlook: Option<Outlook>,
    /// Copy bytes per pair, and what each produced byte costs.
    pub impact: Impact,
}

impl<'a> Subject<'a> {
    /// A plan and the name of its file.
    pub fn new(plan: &'a Plan, hash: &'a str, file: &'a str) -> Self {
        Subject { plan, hash, file, price: None, outlook: None, impact: plan.price() }
    }

    /// Most bytes on a broker, by its place in the plan's impact: what is expected, else what a staged run needs.
    fn peak(&self, at: usize, row: &BrokerImpact) -> u64 {
        let told = self.outlook.as_ref().and_then(|outlook| outlook.told.peaks.get(at));
        told.filter(|told: &&Peak| told.broker == row.broker).map_or(row.peak, |told| told.peak)
    }

    /// Whether any broker has a zone.
    fn is_zoned(&self) -> bool {
        self.plan.brokers.iter().any(|broker| broker.zone.is_some())
    }

    /// Bytes that the plan copies from one zone into another, of known sizes.
    fn bytes_across(&self) -> u64 {
        let across = self.impact.zones.iter().filter(|pair| pair.from != pair.to);
        across.map(|pair| pair.bytes).sum()
    }
}

/// The page of a plan.
pub fn of_plan(subject: &Subject<'_>) -> String {
    let sections = [
        summary::section(subject, None),
        zones::section(subject),
        stages::section(subject),
        traffic::section(subject),
        timeline::section(subject),
        rules::section(subject),
        rollback::section(subject),
        moves::section(subject),
    ];
    frame::page(&Head::of_plan("Plan", subject), &sections)
}

/// The page of a run: what came of a plan, and the plan.
pub fn of_run(subject: &Subject<'_>, history: &History) -> String {
    let mut sections = vec![
        summary::section(subject, Some(history)),
        run::section(subject, history),
        zones::section(subject),
    ];
    sections.extend([stages::section(subject), traffic::section(subject)]);
    sections.extend(subject.outlook.is_some().then(|| timeline::section(subject)));
    sections.extend([rules::section(subject), rollback::section(subject), moves::section(subject)]);
    frame::page(&Head::of_plan("Run", subject), &sections)
}
