//! The way back (promise P7): each move the other way round, from where it ended to where it began.

use super::{AcceptedDifference, Certificate, Intent, Move, Moves, Pacing, Plan, PlanTopic, impact, moves};
use crate::model::Cluster;

/// The plan that takes the moves at these positions of `plan` back to their start, on the cluster as it
/// stands now. Its order and leaders are exactly those of the start.
///
/// Copies that are already gone have to be fetched again: this is an ordinary plan with three steps.
pub fn plan_back(plan: &Plan, hash: &str, shrunk: &[usize], cluster: &Cluster) -> Plan {
    let mut back = Moves::default();
    let mut topics: Vec<PlanTopic> = Vec::new();
    let mut tallied: Vec<(u32, usize)> = Vec::new();
    let mut certificate = Certificate::default();
    for at in shrunk {
        let m = plan.moves.get(*at);
        let topic = plan.topic_of(&m);
        let Some(p) = cluster.find(&topic.name, m.partition) else { continue };
        if topics.iter().all(|known| known.name != topic.name) {
            topics.push(topic.clone());
        }
        let bytes = p.copy_bytes();
        let copies = moves::added(m.to, m.from).len() as u64;
        match bytes {
            Some(bytes) => certificate.moved_bytes += bytes * copies,
            None => certificate.unknown_sizes += copies,
        }
        tallied.push((p.index, back.len()));
        let number = topics.iter().position(|known| known.name == topic.name).unwrap_or(0) as u32;
        back.push(Move {
            topic: number,
            partition: m.partition,
            from: m.to,
            to: m.from,
            bytes,
            leader: None,
        });
    }
    certificate.bound_bytes = certificate.moved_bytes;
    let impact = impact::tally(cluster, tallied.iter().map(|(index, at)| (*index, back.get(*at))));
    Plan {
        cluster_id: plan.cluster_id.clone(),
        intent: Intent::Return { plan: hash.to_owned() },
        pacing: Pacing::Staged,
        seed: plan.seed,
        brokers: plan.brokers.clone(),
        rules: plan.rules.clone(),
        no_worse: plan.no_worse.clone(),
        accepted_differences: Vec::<AcceptedDifference>::new(),
        given_up: plan.given_up.clone(),
        left_out: Vec::new(),
        topics,
        moves: back,
        impact,
        certificate,
    }
}
