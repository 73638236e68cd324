//! Rules on how many replicas brokers end with: no topic is crowded where that was asked, and no broker holds more
//! than its kind may.

use std::collections::BTreeMap;

use super::{Promise, Verdict, even};
use crate::model::capacity::{self, Resource};
use crate::model::{Broker, BrokerId, Cluster};
use crate::plan::Plan;

/// Judges a plan against the snapshot that it was made from.
pub(super) fn judge(plan: &Plan, cluster: &Cluster, verdict: &mut Verdict) {
    limits(plan, cluster, verdict);
    if plan.intent.spreads_topics() {
        topics(plan, cluster, verdict);
    }
}

/// What a node type may hold, or what the broker held at the start if that is more.
fn limits(plan: &Plan, cluster: &Cluster, verdict: &mut Verdict) {
    for row in &plan.impact {
        let Some(most) = cluster.broker(row.broker).and_then(Broker::replica_limit) else { continue };
        if row.replicas_after > most.max(row.replicas_before) {
            let message = format!(
                "ends with {} replicas, where its kind of machine may hold {most}: move less to it",
                row.replicas_after
            );
            verdict.add(Promise::P5, None, Some(row.broker), message);
        }
    }
}

/// Brokers in service of a zone, or of all, with their weights, by broker index.
struct Zones {
    of: Vec<Option<usize>>,
    weights: Vec<u64>,
    /// Sum of the weights of each zone.
    sums: Vec<u64>,
}

impl Zones {
    fn of(cluster: &Cluster, crosses_zones: bool) -> Self {
        let mut brokers: BTreeMap<Option<&str>, Vec<u16>> = BTreeMap::new();
        for (at, broker) in cluster.brokers.iter().enumerate().filter(|(_, b)| even::is_in_service(b)) {
            let zone = broker.zone.as_deref().filter(|_| !crosses_zones);
            brokers.entry(zone).or_default().push(at as u16);
        }
        let count = cluster.brokers.len();
        let mut zones = Zones { of: vec![None; count], weights: vec![0; count], sums: Vec::new() };
        for (number, brokers) in brokers.values().enumerate() {
            let weights = capacity::weights(cluster, brokers, Resource::Replicas);
            zones.sums.push(weights.iter().sum());
            for (at, weight) in brokers.iter().zip(weights) {
                (zones.of[*at as usize], zones.weights[*at as usize]) = (Some(number), weight);
            }
        }
        zones
    }
}

/// No broker ends with more replicas of a topic than it began with, unless that is no crowd, or no more than some broker
/// of the zone began with.
fn topics(plan: &Plan, cluster: &Cluster, verdict: &mut Verdict) {
    let zones = Zones::of(cluster, plan.intent.crosses_zones());
    let mut held = vec![[0u64; 2]; cluster.brokers.len()];
    let mut moves = plan.moves.iter().peekable();
    while let Some(first) = moves.peek().map(|m| m.topic) {
        let topic = plan.topics.get(first as usize).and_then(|topic| cluster.topic(&topic.name));
        held.fill([0; 2]);
        for p in topic.into_iter().flat_map(|topic| cluster.partitions_of(topic)) {
            p.replicas
                .iter()
                .for_each(|broker| held[*broker as usize] = held[*broker as usize].map(|n| n + 1));
        }
        let mut shift = |list: &[BrokerId], sign: i64| {
            for at in list.iter().filter_map(|id| cluster.broker_index(*id)) {
                held[at as usize][1] = held[at as usize][1].saturating_add_signed(sign);
            }
        };
        while let Some(m) = moves.next_if(|m| m.topic == first) {
            shift(m.to, 1);
            shift(m.from, -1);
        }
        let mut sums = vec![(0, 0); zones.sums.len()];
        for ([before, _], zone) in held.iter().zip(&zones.of) {
            let Some((count, most)) = zone.map(|zone| &mut sums[zone]) else { continue };
            (*count, *most) = (*count + before, (*most).max(*before));
        }
        for (at, [_, after]) in held.iter().enumerate().filter(|(_, [before, after])| after > before) {
            let Some(zone) = zones.of[at] else { continue };
            let (count, most) = sums[zone];
            let fine = capacity::uncrowded(count, zones.weights[at], zones.sums[zone]);
            if *after > fine.max(most) {
                let name = topic.map_or("?", |topic| topic.name.as_str());
                let message = format!(
                    "ends with {after} replicas of topic {name}, where {fine} are twice its part and no broker of its \
                     zone began with more than {most}: plan again"
                );
                verdict.add(Promise::Intent, None, Some(cluster.brokers[at].id), message);
            }
        }
    }
}
