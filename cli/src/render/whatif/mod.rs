//! What-ifs as text, JSON and CSV.

mod cells;
mod compare;
mod csv;
mod fleet;
mod one;

use std::path::Path;

use restow_planner::whatif::{Answer, Answers, Resource};
use serde_json::{Value, json};

use crate::error::Exit;

pub use cells::{amount, change, fullest, is_told, numbers, percent};
pub use csv::field;
pub use fleet::{Fleet, FleetRow};
pub use one::{certified, first_break, nothing_breaks, unknown};

/// Everything that is told of one cluster.
#[derive(Debug)]
pub struct Page<'a> {
    /// The answers.
    pub answers: &'a Answers,
    /// Millionths of a currency unit for 10^9 bytes between zones.
    pub price: Option<u64>,
    /// Whether every broker is told, however many there are.
    pub every_broker: bool,
}

impl Page<'_> {
    /// For people: one answer in full, several side by side.
    pub fn text(&self, written: Option<&Path>) -> String {
        let mut text = self.head();
        text += &match self.answers.scenarios.as_slice() {
            [one] => one.answer.as_ref().map_or_else(String::new, |answer| self.one(one, answer)),
            all => self.compare(all),
        };
        if let Some(file) = written {
            let file = file.display();
            text += &format!("\nWritten {file}\nNext: restow report {file} -o report.html\n");
        }
        text
    }

    /// For programs.
    pub fn json(&self, exit: Exit) -> Value {
        json!({
            "outcome": exit.name(),
            "exit": exit.code(),
            "cluster_id": self.answers.cluster_id,
            "taken_at": self.answers.taken_at,
            "scenarios": self.answers.scenarios,
        })
    }

    fn head(&self) -> String {
        let answers = self.answers;
        let taken = match answers.taken_at.as_str() {
            "" => String::new(),
            at => format!(", as it stood at {at}"),
        };
        format!("Cluster {}{taken}\n", answers.cluster_id)
    }
}

/// The resource and broker that are the fullest of their limits after the edits.
pub fn tightest(answer: &Answer) -> Option<(Resource, &restow_planner::whatif::BrokerLoad, u64)> {
    let each = Resource::ALL.into_iter().filter_map(|resource| {
        let broker = cells::fullest(&answer.after, resource)?;
        Some((resource, broker, broker.of(resource).part()?))
    });
    each.max_by_key(|(resource, _, part)| (*part, std::cmp::Reverse(*resource)))
}
