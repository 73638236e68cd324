//! What is asked, in words.

use std::fmt::Write;

use restow_planner::model::BrokerId;
use restow_planner::plan::{Bands, Budget, Intent, LeaderMode, Measure};

use super::{list, units};

/// What is asked, in words.
pub fn intent(intent: &Intent) -> String {
    let mut text = match intent {
        Intent::Migrate { from, to, .. } => {
            format!("migrate from brokers {} to brokers {}", list::commas(from), list::commas(to))
        }
        Intent::Drain { brokers, replace_with: None, .. } => {
            format!("drain brokers {}", list::commas(brokers))
        }
        Intent::Drain { brokers, replace_with: Some(other), .. } => {
            format!("replace brokers {} with broker {other}", list::commas(brokers))
        }
        Intent::Add { brokers, bands, .. } => {
            format!("bring new brokers {} to their fair share of {}", list::commas(brokers), evenness(bands))
        }
        Intent::Rebalance { bands, budget, .. } => format!("even out {}{}", evenness(bands), within(budget)),
        Intent::SetFactor { factor, .. } => format!("set the replication factor to {factor}"),
        Intent::Repair { .. } => "spread replicas over zones, and make those on dead brokers again".into(),
        Intent::Leaders { mode, demote, .. } => leadership(*mode, demote),
        Intent::Follow { named, standing } => format!(
            "follow an assignment of {}, of which {} stand there already",
            units::of(*named, "partition"),
            units::count(*standing)
        ),
        Intent::Return { plan } => format!("take back what plan {plan} has shrunk"),
    };
    let (topics, exclude) = intent.patterns().unwrap_or_default();
    if !topics.is_empty() {
        let _ = write!(text, ", topics {}", list::and(topics));
    }
    if !exclude.is_empty() {
        let _ = write!(text, ", without topics {}", list::and(exclude));
    }
    if let Intent::Migrate { preserve_leaders, .. } = intent {
        let leaders = if *preserve_leaders { "; leaders stay in their places" } else { "; leaders balanced" };
        text.push_str(leaders);
    }
    text
}

fn evenness(bands: &Bands) -> String {
    let name = |measure: &Measure| match measure {
        Measure::Replicas => "replicas",
        Measure::Bytes => "bytes",
        Measure::WriteRate => "write rates",
        Measure::Leaders => "leaders",
        Measure::ReadRate => "read rates",
    };
    let names: Vec<&str> = bands.measures.iter().map(name).collect();
    format!("{}, within {} %", list::and(&names), units::decimal(u128::from(bands.tolerance), 100, 2))
}

fn within(budget: &Budget) -> String {
    let limits = [
        budget.bytes.map(|n| format!("at most {}", units::bytes(n))),
        budget.moves.map(|n| format!("at most {}", units::of(n, "replica"))),
        budget.moves_per_broker.map(|n| format!("at most {} a broker", units::of(n, "replica"))),
        budget.leader_changes.map(|n| format!("at most {}", units::of(n, "leader change"))),
    ];
    limits.into_iter().flatten().map(|limit| format!(", {limit}")).collect()
}

fn leadership(mode: LeaderMode, demote: &[BrokerId]) -> String {
    let mut parts = Vec::new();
    match mode {
        LeaderMode::Minimal => parts.push("even out leaders with the fewest changes".to_owned()),
        LeaderMode::Within(permille) => parts.push(format!(
            "bring what leaders send within {} % of the fair share",
            units::decimal(u128::from(permille), 10, 1)
        )),
        LeaderMode::Best => parts.push("even out what leaders send".to_owned()),
        LeaderMode::Keep => {}
    }
    if !demote.is_empty() {
        parts.push(format!("take leadership off brokers {}", list::commas(demote)));
    }
    parts.join(", and ")
}
