//! The way back (promise P7): each move the other way round, from where it ended to where it began.

use super::{Certificate, Intent, Move, Moves, Plan, PlanTopic, impact, moves};
use crate::model::Cluster;

/// The plan that takes the moves at these positions of `plan` back to their start, on the cluster as it
/// stands now. Its order and leaders are exactly those of the start.
///
/// Copies that are already gone have to be fetched again: this is an ordinary plan with three steps.
pub fn plan_back(plan: &Plan, hash: &str, shrunk: &[usize], cluster: &Cluster) -> Plan {
    let used: Vec<u32> = shrunk.iter().map(|at| plan.moves.get(*at).topic).collect();
    let kept: Vec<usize> = (0..plan.topics.len()).filter(|number| used.contains(&(*number as u32))).collect();
    let topics: Vec<PlanTopic> = kept.iter().map(|number| plan.topics[*number].clone()).collect();
    let mut back = Moves::default();
    let mut tallied: Vec<(u32, usize)> = Vec::new();
    let mut certificate = Certificate::default();
    for at in shrunk {
        let m = plan.moves.get(*at);
        let Some(p) = cluster.find(&plan.topic_of(&m).name, m.partition) else { continue };
        let bytes = p.copy_bytes();
        let copies = moves::added(m.to, m.from).len() as u64;
        match bytes {
            Some(bytes) => certificate.moved_bytes += bytes * copies,
            None => certificate.unknown_sizes += copies,
        }
        tallied.push((p.index, back.len()));
        let topic = kept.partition_point(|number| *number < m.topic as usize) as u32;
        back.push(Move { topic, partition: m.partition, from: m.to, to: m.from, bytes, leader: None });
    }
    certificate.bound_bytes = certificate.moved_bytes;
    let impact = impact::tally(cluster, tallied.iter().map(|(index, at)| (*index, back.get(*at))));
    Plan {
        cluster_id: plan.cluster_id.clone(),
        intent: Intent::Return { plan: hash.to_owned() },
        // Where disks had no room for all at once, they have none on the way back.
        pacing: plan.pacing,
        seed: plan.seed,
        brokers: plan.brokers.clone(),
        rules: plan.rules.clone(),
        no_worse: plan.no_worse.clone(),
        accepted_differences: plan.accepted_differences.clone(),
        given_up: plan.given_up.clone(),
        left_out: Vec::new(),
        topics,
        moves: back,
        impact,
        certificate,
    }
}
