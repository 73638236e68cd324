//! The last look before a plan is carried out: the independent judge, on the cluster as it is now.

use std::collections::BTreeSet;

use restow_client::{Client, snapshot};
use restow_planner::check::{self, At, Verdict};
use restow_planner::plan::{AcceptedDifference, Plan};

use super::RunError;
use crate::journal::Memory;

/// What the judge and the cluster say.
#[derive(Debug)]
pub struct Preflight {
    /// The judge's verdict against live state.
    pub verdict: Verdict,
    /// Throttle rates and lists found before us, with nothing of ours behind them.
    pub throttles: Vec<String>,
    /// Reassignments in flight that are not of this run.
    pub in_flight: Vec<String>,
    /// What the snapshot could not see.
    pub warnings: Vec<String>,
}

/// Looks. `accepted` are config keys whose differences a person accepts now.
///
/// # Errors
/// If the cluster cannot be read or is another one.
pub async fn preflight(
    client: &Client,
    plan: &Plan,
    accepted: &BTreeSet<String>,
    memory: &Memory,
    progress: &mut dyn FnMut(snapshot::Progress),
) -> Result<Preflight, RunError> {
    super::belongs(client, plan)?;
    let taken = snapshot::take(client, &snapshot::SnapshotOptions::default(), progress).await?;
    let mut cluster = taken.cluster;
    // Zones that a person mapped are in the plan, not in the cluster.
    for broker in &mut cluster.brokers {
        if let Some(known) = plan.brokers.iter().find(|b| b.id == broker.id) {
            broker.zone.clone_from(&known.zone);
        }
    }
    let mut judged = plan.clone();
    for difference in &cluster.config_differences {
        if accepted.contains(&difference.key) {
            judged.accepted_differences.push(AcceptedDifference {
                key: difference.key.clone(),
                topic: difference.topic.clone(),
                values: difference.values.clone(),
            });
        }
    }
    let is_ours = |key: &str, broker| {
        memory
            .priors
            .keys()
            .any(|prior| prior.key == key && prior.resource == restow_client::read::Resource::Broker(broker))
    };
    let mut throttles = Vec::new();
    for broker in &cluster.brokers {
        let rates = broker.rates.iter().filter(|rate| !is_ours(&rate.key, broker.id));
        throttles.extend(rates.map(|rate| format!("broker {}: {}={}", broker.id, rate.key, rate.value)));
    }
    for topic in &cluster.topics {
        let lists = topic.throttled_leaders.iter().chain(&topic.throttled_followers);
        throttles.extend(
            lists.filter(|list| !list.is_empty()).map(|list| format!("topic {}: {list}", topic.name)),
        );
    }
    let in_flight = cluster.in_flight.keys().map(|index| cluster.name_of(*index).to_string()).collect();
    let verdict = check::judge(&judged, &cluster, At::Anywhere);
    let warnings = taken.warnings.iter().map(ToString::to_string).collect();
    Ok(Preflight { verdict, throttles, in_flight, warnings })
}
