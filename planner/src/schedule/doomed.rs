//! What can never finish, told before the start.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Disks, Load, Ports};
use crate::model::{BrokerId, TopicPartition};
use crate::plan::{Pacing, Plan, moves};

/// Why a plan can never finish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doom {
    /// Producers write faster than the throttle lets copies follow, however few go at once.
    #[error(
        "{partition} can never catch up: while it is copied, its leader {broker} counts {counted} bytes/s of producers' \
         writes (once for each follower and copy), and the throttle is {throttle} bytes/s; the smallest that can \
         finish is {smallest} bytes/s"
    )]
    Throttle {
        /// The partition that needs most.
        partition: TopicPartition,
        /// The leader whose quota binds. The follower's never binds first: it counts one of these copies.
        broker: BrokerId,
        /// Bytes/s that are counted there while it is copied.
        counted: u64,
        /// The throttle in bytes/s.
        throttle: u64,
        /// The smallest throttle that can finish, in bytes/s.
        smallest: u64,
    },
    /// The copies do not fit on a disk.
    #[error(
        "broker {broker} has {usable} bytes free and {partition} needs {bytes} there, in the log directory that Kafka \
         may choose: give it more room, or move less to it"
    )]
    Disk {
        /// The broker.
        broker: BrokerId,
        /// The first partition that does not fit.
        partition: TopicPartition,
        /// Its bytes.
        bytes: u64,
        /// What is free and promised to nobody, on all its volumes.
        usable: u64,
    },
    /// One connection cannot carry what producers write.
    #[error(
        "broker {follower} can fetch {ceiling} bytes/s from broker {leader} (socket buffer over round-trip time), and \
         producers write {ingest} bytes/s to the partitions that it copies from there: raise \
         replica.socket.receive.buffer.bytes or num.replica.fetchers on it"
    )]
    Socket {
        /// Who sends.
        leader: BrokerId,
        /// Who fetches.
        follower: BrokerId,
        /// Bytes/s that the connection can carry.
        ceiling: u64,
        /// Bytes/s that are written to the partitions that move over it.
        ingest: u64,
    },
}

/// Percent of a throttle that ingest may take before nothing is left that moves forward: quotas idle for a part
/// of their window, so the last percents are never reached.
const FULL_PERCENT: u128 = 95;
/// Percent that the smallest throttle that is named leaves to ingest.
const NAMED_PERCENT: u128 = 90;

/// Everything for which this plan can never finish at this throttle (bytes/s per broker and direction). What is
/// unknown dooms nothing. `disks` are those of the start.
///
/// A single copy alone is judged: the window admits by rate, so what can go alone finishes.
pub fn doomed(plan: &Plan, load: &Load, throttle: Option<u64>, disks: Option<Disks>) -> Vec<Doom> {
    let mut found: Vec<Doom> = throttle.and_then(|rate| at_throttle(plan, load, rate)).into_iter().collect();
    found.extend(disks.into_iter().flat_map(|disks| on_disks(plan, disks)));
    found.extend(on_links(plan, load));
    found
}

/// The ports of a move at its start.
fn ports(plan: &Plan, load: &Load, at: usize) -> Ports {
    let m = plan.moves.get(at);
    Ports::of(&m, m.leader.unwrap_or(m.from[0]), load.ingest(at))
}

fn at_throttle(plan: &Plan, load: &Load, throttle: u64) -> Option<Doom> {
    let all = (0..plan.moves.len()).map(|at| (at, ports(plan, load, at)));
    let counted = (all.filter(|(_, ports)| !ports.incoming.is_empty()))
        .map(|(at, ports)| (ports.counted_at_leader(), Reverse(at), ports.leader));
    let (counted, Reverse(at), broker) = counted.max()?;
    if u128::from(counted) * 100 < u128::from(throttle) * FULL_PERCENT {
        return None;
    }
    let smallest = (u128::from(counted) * 100).div_ceil(NAMED_PERCENT) as u64;
    let partition = plan.partition_of(&plan.moves.get(at));
    Some(Doom::Throttle { partition, broker, counted, throttle, smallest })
}

/// Staged: all that comes in has to fit beside what is there. Pipelined: the end and the largest that comes in,
/// or greedy admission could get stuck (algorithms.md 1.3.4).
fn on_disks(plan: &Plan, mut disks: Disks) -> Vec<Doom> {
    let mut found: BTreeMap<BrokerId, Doom> = BTreeMap::new();
    let mut say = |disks: &Disks, at: usize, broker: BrokerId, bytes: u64| {
        let partition = plan.partition_of(&plan.moves.get(at));
        let usable = disks.usable(broker).unwrap_or(0);
        found.entry(broker).or_insert(Doom::Disk { broker, partition, bytes, usable });
    };
    if plan.pacing == Pacing::Staged {
        for (at, m) in plan.moves.iter().enumerate() {
            for id in moves::added(m.from, m.to) {
                let bytes = m.bytes.unwrap_or(0);
                if !disks.fits(id, bytes) {
                    say(&disks, at, id, bytes);
                }
                disks.reserve(id, bytes);
            }
        }
        return found.into_values().collect();
    }
    let mut largest: BTreeMap<BrokerId, (u64, usize)> = BTreeMap::new();
    for (at, m) in plan.moves.iter().enumerate() {
        for id in moves::added(m.from, m.to) {
            let most = largest.entry(id).or_insert((0, at));
            *most = (*most).max((m.bytes.unwrap_or(0), at));
        }
    }
    for row in &plan.impact {
        let (Some((bytes, at)), Some(usable)) = (largest.get(&row.broker), disks.usable(row.broker)) else {
            continue;
        };
        let grows = i128::from(row.after) - i128::from(row.before) + i128::from(*bytes);
        if grows > i128::from(usable) {
            say(&disks, *at, row.broker, *bytes);
        }
    }
    found.into_values().collect()
}

/// A copy that cannot follow its producers never joins: over each link, all copies that it carries at the end of
/// the expansion.
fn on_links(plan: &Plan, load: &Load) -> Vec<Doom> {
    if !load.has_rtt() {
        return vec![];
    }
    let mut written: BTreeMap<(BrokerId, BrokerId), u64> = BTreeMap::new();
    for at in 0..plan.moves.len() {
        let ports = ports(plan, load, at);
        for id in ports.incoming {
            let sum = written.entry((ports.leader, id)).or_default();
            *sum = sum.saturating_add(ports.ingest.unwrap_or(0));
        }
    }
    let doom = |((leader, follower), ingest)| {
        let ceiling = load.ceiling(plan, leader, follower)?;
        let carries = u128::from(ceiling) * FULL_PERCENT > u128::from(ingest) * 100;
        (!carries).then_some(Doom::Socket { leader, follower, ceiling, ingest })
    };
    written.into_iter().filter_map(doom).collect()
}
