//! What a plan does to bytes: per broker before, at the peak and after; per pair of brokers and zones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Move, Plan, moves};
use crate::model::{BrokerId, Cluster, UNKNOWN_SIZE};

/// Known bytes on one broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerImpact {
    /// The broker.
    pub broker: BrokerId,
    /// Bytes of its replicas at the start.
    pub before: u64,
    /// Bytes at the peak of a staged run: before, plus all that comes in.
    pub peak: u64,
    /// Bytes at the end.
    pub after: u64,
    /// Replicas at the start.
    pub replicas_before: u32,
    /// Replicas at the end.
    pub replicas_after: u32,
    /// Preferred leaders at the start.
    pub leaders_before: u32,
    /// Preferred leaders at the end.
    pub leaders_after: u32,
    /// Replicas among them (before, or coming in) whose size is unknown.
    pub unknown: u32,
}

/// Bytes that one place copies to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairBytes<T> {
    /// The copying leader.
    pub from: T,
    /// Where the new replica is.
    pub to: T,
    /// Known bytes.
    pub bytes: u64,
    /// Copies.
    pub copies: u32,
}

/// How often a produced byte is copied between brokers, averaged over the moved partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// Partitions.
    pub partitions: u64,
    /// Copies made by replication, summed: replicas less the leader's own.
    pub copies: u64,
    /// Of these, copies into another zone than the leader's.
    pub across: u64,
}

/// The price of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Impact {
    /// Copy bytes per pair of brokers.
    pub brokers: Vec<PairBytes<BrokerId>>,
    /// Copy bytes per pair of zones.
    pub zones: Vec<PairBytes<String>>,
    /// Replication of produced bytes before.
    pub before: Spread,
    /// Replication of produced bytes while expanded.
    pub expanded: Spread,
    /// Replication of produced bytes after.
    pub after: Spread,
}

impl Plan {
    /// The price of the plan: copy bytes per pair, and what each produced byte costs in each state.
    pub fn price(&self) -> Impact {
        let mut impact = Impact::default();
        let mut brokers: BTreeMap<(BrokerId, BrokerId), (u64, u32)> = BTreeMap::new();
        let mut zones: BTreeMap<(&str, &str), (u64, u32)> = BTreeMap::new();
        let zone = |broker| self.zone(broker).unwrap_or("-");
        for m in self.moves.iter() {
            let leader = m.leader.unwrap_or(m.from[0]);
            for new in moves::added(m.from, m.to) {
                for (bytes, copies) in [
                    brokers.entry((leader, new)).or_default(),
                    zones.entry((zone(leader), zone(new))).or_default(),
                ] {
                    *bytes += m.bytes.unwrap_or(0);
                    *copies += 1;
                }
            }
            self.add_spread(&mut impact.before, m.from, leader);
            self.add_spread(&mut impact.expanded, &moves::expanded(m.from, m.to), leader);
            self.add_spread(&mut impact.after, m.to, m.to[0]);
        }
        let pair = |(from, to), (bytes, copies)| PairBytes { from, to, bytes, copies };
        impact.brokers = brokers.into_iter().map(|(at, sum)| pair(at, sum)).collect();
        impact.zones = (zones.into_iter())
            .map(|((from, to), (bytes, copies))| PairBytes {
                from: from.into(),
                to: to.into(),
                bytes,
                copies,
            })
            .collect();
        impact
    }

    fn add_spread(&self, spread: &mut Spread, list: &[BrokerId], leader: BrokerId) {
        spread.partitions += 1;
        spread.copies += list.len() as u64 - 1;
        spread.across += list.iter().filter(|b| self.zone(**b) != self.zone(leader)).count() as u64;
    }
}

/// Bytes, replicas and leaders per broker of the cluster for these moves (of the whole cluster, moved or not).
pub(crate) fn tally<'a>(
    cluster: &Cluster,
    moved: impl Iterator<Item = (u32, Move<'a>)>,
) -> Vec<BrokerImpact> {
    let mut table: Vec<BrokerImpact> = (cluster.brokers.iter())
        .map(|b| BrokerImpact {
            broker: b.id,
            before: 0,
            peak: 0,
            after: 0,
            replicas_before: 0,
            replicas_after: 0,
            leaders_before: 0,
            leaders_after: 0,
            unknown: 0,
        })
        .collect();
    for (_, p) in cluster.partitions() {
        for (at, broker) in p.replicas.iter().enumerate() {
            let row = &mut table[*broker as usize];
            match p.sizes[at] {
                UNKNOWN_SIZE => row.unknown += 1,
                bytes => row.before += bytes,
            }
            row.replicas_before += 1;
            row.leaders_before += u32::from(at == 0);
        }
    }
    for row in &mut table {
        (row.peak, row.after) = (row.before, row.before);
        (row.replicas_after, row.leaders_after) = (row.replicas_before, row.leaders_before);
    }
    for (index, m) in moved {
        let p = cluster.partition(index);
        for (at, broker) in p.replicas.iter().enumerate() {
            let row = &mut table[*broker as usize];
            let stays = m.to.contains(&row.broker);
            if !stays {
                row.after -= if p.sizes[at] == UNKNOWN_SIZE { 0 } else { p.sizes[at] };
                row.replicas_after -= 1;
            }
            row.leaders_after -= u32::from(at == 0);
        }
        for (at, id) in m.to.iter().enumerate() {
            let Some(broker) = cluster.broker_index(*id) else { continue };
            let row = &mut table[broker as usize];
            if !m.from.contains(id) {
                row.peak += m.bytes.unwrap_or(0);
                row.after += m.bytes.unwrap_or(0);
                row.unknown += u32::from(m.bytes.is_none());
                row.replicas_after += 1;
            }
            row.leaders_after += u32::from(at == 0);
        }
    }
    table
}
