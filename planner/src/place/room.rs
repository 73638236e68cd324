//! Limits: what a destination holds and all that comes in has to fit on its disks at the peak (promise P5).
//!
//! Here per broker. Log directories that [may be on one volume](capacity::may_be_one) count once. The
//! limit is what restow's replicas can take: the bytes there now and the usable ones, at most the total.

use super::construct::{Item, Target, relative};
use super::explain::bytes_text;
use super::refuse::{Refused, exclude};
use super::{Refusal, RefusalKind};
use crate::model::{Broker, Cluster, capacity};
use crate::plan::{BrokerImpact, Pacing, Plan, moves};

/// Bytes that each broker may hold at most, by index.
pub(super) fn limits(cluster: &Cluster, present: &[u64]) -> Vec<Option<u64>> {
    let limit = |(broker, present): (&Broker, &u64)| {
        let told = broker.node.as_ref().and_then(|node| node.disk_bytes);
        capacity::volumes(broker).map(|v| v.total.min(present.saturating_add(v.usable))).or(told)
    };
    cluster.brokers.iter().zip(present).map(limit).collect()
}

/// Bytes that may come to each broker, by index; no limit where its disks are unknown.
pub(super) fn left(cluster: &Cluster) -> Vec<u64> {
    let present = capacity::held_bytes(cluster);
    let limits = limits(cluster, &present);
    let left = |(limit, present): (&Option<u64>, &u64)| {
        limit.map_or(u64::MAX, |limit| limit.saturating_sub(*present))
    };
    limits.iter().zip(&present).map(left).collect()
}

/// Brokers on which a plan does not fit, with its peak there: of a staged plan all that comes in beside what is there, of a
/// pipelined one the largest that comes in beside what is there at the end.
pub(super) fn overfull(cluster: &Cluster, plan: &Plan) -> Vec<Refusal> {
    let mut largest = vec![0; cluster.brokers.len()];
    for m in plan.moves.iter() {
        for at in moves::added(m.from, m.to).into_iter().filter_map(|id| cluster.broker_index(id)) {
            largest[at as usize] = m.bytes.unwrap_or(0).max(largest[at as usize]);
        }
    }
    let over = |(row, largest): (&BrokerImpact, &u64)| {
        let limit = plan.broker(row.broker)?.limit_bytes?;
        let peak = match plan.pacing {
            Pacing::Staged => row.peak,
            Pacing::Pipelined => row.peak.min(row.after.saturating_add(*largest)),
        };
        (peak > limit && row.peak > row.before).then(|| Refusal {
            kind: RefusalKind::Overflow,
            partition: None,
            broker: Some(row.broker),
            reason: format!(
                "broker {} would hold {} at its peak, and {} fit",
                row.broker,
                bytes_text(peak),
                bytes_text(limit)
            ),
            way_past: "give it more room, ask for less, or --pacing pipelined".into(),
        })
    };
    plan.impact.iter().zip(&largest).filter_map(over).collect()
}

/// Refuses partitions until no broker gets more replicas than its node type may hold beside those that it has.
pub(super) fn keep_counts(target: &Target<'_>, refused: &mut Refused) {
    let cluster = target.cluster;
    if cluster.brokers.iter().all(|broker| broker.replica_limit().is_none()) {
        return;
    }
    let held = capacity::held_replicas(cluster);
    for ((broker, has), rows) in cluster.brokers.iter().zip(held).zip(coming(target)) {
        let Some(fits) = broker.replica_limit() else { continue };
        let indexes = rows.into_iter().map(|row| target.changes.partitions[row as usize]);
        let indexes: Vec<u32> = indexes.filter(|index| !refused.has(*index)).collect();
        for index in indexes.into_iter().skip(fits.saturating_sub(has) as usize) {
            let (id, topic) = (broker.id, &cluster.topic_of(index).name);
            let refusal = Refusal {
                kind: RefusalKind::Overflow,
                partition: Some(cluster.name_of(index)),
                broker: Some(id),
                reason: format!(
                    "destination {id} has {has} replicas and would get too many: its node type may hold {fits}"
                ),
                way_past: format!("add brokers of that zone, or {}", exclude(topic)),
            };
            refused.add(index, refusal);
        }
    }
}

/// The rows that come to each broker, by broker index.
fn coming(target: &Target<'_>) -> Vec<Vec<u32>> {
    let mut coming = vec![Vec::new(); target.cluster.brokers.len()];
    for zone in &target.zones {
        for item in zone.items.iter().filter(|item| item.to != u16::MAX) {
            coming[zone.brokers[item.to as usize] as usize].push(item.row);
        }
    }
    coming
}

/// Moves what does not fit to another destination of the zone; refuses partitions until the rest fits.
pub(super) fn fit(target: &mut Target<'_>, refused: &mut Refused) {
    let mut peak = capacity::held_bytes(target.cluster);
    let limits = limits(target.cluster, &peak);
    let known = |target: &Target<'_>, item: &Item| {
        target.cluster.partition(target.changes.partitions[item.row as usize]).copy_bytes().unwrap_or(0)
    };
    for zone in &target.zones {
        for item in zone.items.iter().filter(|item| item.to != u16::MAX) {
            peak[zone.brokers[item.to as usize] as usize] += known(target, item);
        }
    }
    let is_over = |peak: &[u64], broker: u16| {
        limits[broker as usize].is_some_and(|limit| peak[broker as usize] > limit)
    };
    if !(0..peak.len() as u16).any(|broker| is_over(&peak, broker)) {
        return;
    }
    for number in 0..target.zones.len() {
        let mut zone = std::mem::take(&mut target.zones[number]);
        for at in 0..zone.brokers.len() {
            let broker = zone.brokers[at];
            let mut items: Vec<(u64, u32)> = (0..zone.items.len() as u32)
                .filter(|item| zone.items[*item as usize].to as usize == at)
                .map(|item| (known(target, &zone.items[item as usize]), item))
                .filter(|(bytes, _)| *bytes > 0)
                .collect();
            items.sort_unstable_by(|a, b| b.cmp(a));
            for (bytes, item) in items {
                if !is_over(&peak, broker) {
                    break;
                }
                let taken = target.list(zone.items[item as usize].row);
                let free = (0..zone.brokers.len()).filter(|to| {
                    let other = zone.brokers[*to];
                    let room =
                        limits[other as usize].is_none_or(|limit| peak[other as usize] + bytes <= limit);
                    room && !taken.contains(&other)
                });
                let key = |to: &usize| {
                    let broker = zone.brokers[*to];
                    let is_shared = target.shares_rack(&zone.items[item as usize], broker);
                    (is_shared, relative(peak[broker as usize], zone.weights[*to]), *to)
                };
                let Some(to) = free.min_by_key(key) else { continue };
                zone.take(item);
                zone.put(item, to);
                let other = zone.brokers[to];
                target.set(&zone.items[item as usize], other);
                peak[broker as usize] -= bytes;
                peak[other as usize] += bytes;
            }
        }
        target.zones[number] = zone;
    }
    refuse_rest(target, refused, &mut peak, &limits);
}

/// Refuses the largest partitions of each broker that is still over its limit.
fn refuse_rest(target: &Target<'_>, refused: &mut Refused, peak: &mut [u64], limits: &[Option<u64>]) {
    let cluster = target.cluster;
    let bytes =
        |row: u32| cluster.partition(target.changes.partitions[row as usize]).copy_bytes().unwrap_or(0);
    for ((broker, limit), rows) in limits.iter().enumerate().zip(coming(target)) {
        let Some(limit) = *limit else { continue };
        let asked = peak[broker];
        let mut items: Vec<(u64, u32)> = rows.into_iter().map(|row| (bytes(row), row)).collect();
        items.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (bytes, row) in items {
            let index = target.changes.partitions[row as usize];
            if peak[broker] <= limit || bytes == 0 {
                break;
            }
            if refused.has(index) {
                continue;
            }
            let before = cluster.partition(index);
            for to in target.list(row).iter().filter(|to| !before.replicas.contains(to)) {
                peak[*to as usize] -= bytes;
            }
            let (id, topic) = (cluster.brokers[broker].id, &cluster.topic_of(index).name);
            refused.add(
                index,
                Refusal {
                    kind: RefusalKind::Overflow,
                    partition: Some(cluster.name_of(index)),
                    broker: Some(id),
                    reason: format!(
                        "destination {id} would hold {} at its peak, and {} fit; this partition brings {}",
                        bytes_text(asked),
                        bytes_text(limit),
                        bytes_text(bytes)
                    ),
                    way_past: format!("add brokers of that zone to --to, or {}", exclude(topic)),
                },
            );
        }
    }
}
