//! The last look before a plan is carried out: the independent judge, on the cluster as it is now.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::read::permissions::{self, Purpose};
use restow_client::read::{self, OffsetQuery, Replica};
use restow_client::{Client, snapshot};
use restow_planner::check::{self, At, Finding, Promise, Verdict};
use restow_planner::model::{BrokerId, Cluster};
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
    /// The cluster as it is now, its zones as the plan has them.
    pub cluster: Cluster,
}

/// Whether we are allowed all that a run of a plan needs. Nothing is changed.
///
/// # Errors
/// If something is missing: every permission that is, and the line that grants it. If no broker answered.
pub async fn permitted(client: &Client, plan: &Plan) -> Result<(), RunError> {
    let topics: Vec<String> = plan.topics.iter().map(|topic| topic.name.clone()).collect();
    permitted_on(client, &topics).await
}

/// Whether we are allowed all that a change of these topics and of the cluster needs.
///
/// # Errors
/// As [`permitted`].
pub async fn permitted_on(client: &Client, topics: &[String]) -> Result<(), RunError> {
    let missing = permissions::missing(client, Purpose::Apply, Some(topics)).await?;
    if missing.is_empty() { Ok(()) } else { Err(RunError::NotAllowed { missing }) }
}

/// Looks. `accepted` are config keys whose differences a person accepts now, `given_up` brokers that a person
/// gives up now.
///
/// # Errors
/// If the cluster cannot be read or is another one.
pub async fn preflight(
    client: &Client,
    plan: &Plan,
    accepted: &BTreeSet<String>,
    given_up: &BTreeSet<BrokerId>,
    memory: &Memory,
    progress: &mut dyn FnMut(snapshot::Progress),
) -> Result<Preflight, RunError> {
    super::belongs(client, plan)?;
    let taken = snapshot::take(client, &snapshot::SnapshotOptions::default(), progress).await?;
    let mut cluster = taken.cluster;
    let mut findings = racks(plan, &cluster);
    findings.extend(offsets(client, plan, &cluster).await);
    // Zones that a person mapped are in the plan, not in the cluster.
    for broker in &mut cluster.brokers {
        if let Some(known) = plan.brokers.iter().find(|b| b.id == broker.id) {
            broker.zone.clone_from(&known.zone);
        }
    }
    let mut judged = plan.clone();
    judged.given_up.extend(given_up.iter().chain(&memory.given_up));
    judged.given_up.sort_unstable();
    judged.given_up.dedup();
    for difference in &cluster.config_differences {
        if accepted.contains(&difference.key) {
            judged.accepted_differences.push(AcceptedDifference {
                key: difference.key.clone(),
                topic: difference.topic.clone(),
                values: difference.values.clone(),
            });
        }
    }
    let (throttles, in_flight) = strangers(&cluster, memory);
    let mut verdict = check::judge(&judged, &cluster, At::Anywhere);
    verdict.findings.extend(findings);
    let warnings = taken.warnings.iter().map(ToString::to_string).collect();
    Ok(Preflight { verdict, throttles, in_flight, warnings, cluster })
}

/// Throttles that are not ours, and what is in flight.
pub fn strangers(cluster: &Cluster, memory: &Memory) -> (Vec<String>, Vec<String>) {
    let is_ours = |key: &str, broker| {
        memory.priors.keys().any(|prior| prior.key == key && prior.resource == read::Resource::Broker(broker))
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
    (throttles, cluster.in_flight.keys().map(|index| cluster.name_of(*index).to_string()).collect())
}

/// Racks that are not those of the plan: its zones were made from them, or given beside them.
fn racks(plan: &Plan, cluster: &Cluster) -> Vec<Finding> {
    let mut findings = Vec::new();
    for broker in &plan.brokers {
        let Some(live) = cluster.broker(broker.id).filter(|live| live.answered && live.rack != broker.rack)
        else {
            continue;
        };
        let show = |rack: &Option<String>| rack.as_ref().map_or("no rack".into(), |rack| format!("{rack:?}"));
        let message = format!(
            "broker.rack was {} when the plan was made and is {} now: the zones of the plan may be wrong; \
             take a new snapshot and plan again",
            show(&broker.rack),
            show(&live.rack)
        );
        findings.push(Finding { promise: Promise::P3, partition: None, broker: Some(broker.id), message });
    }
    findings
}

/// Tries `ListOffsets` with replica id -2 on every broker of the plan that has an in-sync replica: without it no
/// replica is ever proved to be a live copy, and every guard would hold for ever.
async fn offsets(client: &Client, plan: &Plan, cluster: &Cluster) -> Vec<Finding> {
    let concerned: BTreeSet<BrokerId> =
        plan.moves.iter().flat_map(|m| m.from.iter().chain(m.to).copied()).collect();
    // Several partitions each: one may be deleted or moved while we ask.
    let mut questions: BTreeMap<BrokerId, Vec<OffsetQuery>> = BTreeMap::new();
    for (topic, p) in cluster.partitions() {
        for (_, at) in p.replicas.iter().enumerate().filter(|(position, _)| p.in_sync(*position)) {
            let broker = &cluster.brokers[*at as usize];
            let asked = questions.entry(broker.id).or_default();
            if asked.len() < 3 && broker.answered && concerned.contains(&broker.id) {
                let (topic, partition) = (topic.name.clone(), p.number);
                asked.push(OffsetQuery { topic, partition, leader_epoch: -1 });
            }
        }
    }
    let mut findings = Vec::new();
    for (broker, queries) in questions.into_iter().filter(|(_, queries)| !queries.is_empty()) {
        let why = match read::end_offsets(client, broker, Replica::Local, &queries).await {
            Ok(told) if told.iter().any(Result::is_ok) => continue,
            Ok(told) => {
                told.into_iter().find_map(Result::err).map_or_else(String::new, |code| code.to_string())
            }
            Err(error) => error.to_string(),
        };
        let message = format!(
            "it does not tell its own log end offsets (ListOffsets with replica id -2): {why}; without them no \
             copy is proved to be alive"
        );
        findings.push(Finding { promise: Promise::Ready, partition: None, broker: Some(broker), message });
    }
    findings
}
