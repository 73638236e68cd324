//! One span of time: producers write, followers fetch, watermarks rise, replicas join.

use std::collections::BTreeMap;
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicPartition};

use super::quota::{Throttled, rate};
use super::{Key, Logs, is_up};
use crate::controller::schema::{FOLLOWER_RATE, LEADER_RATE};
use crate::controller::{Partition, Request, State};

/// A follower out of sync, and what it still wants.
struct Flow {
    key: Key,
    leader: BrokerId,
    follower: BrokerId,
    wants: u64,
    counts_at_leader: bool,
    counts_at_follower: bool,
}

/// What is left of the lines in this span.
struct Lines<'a> {
    logs: &'a Logs,
    dt: Duration,
    out: BTreeMap<BrokerId, u64>,
    into: BTreeMap<BrokerId, u64>,
}

impl Lines<'_> {
    fn line(&self, broker: BrokerId) -> u64 {
        let speed = self.logs.hardware.get(&broker).map_or(u64::MAX, |h| h.line_speed);
        u64::try_from(u128::from(speed) * self.dt.as_nanos() / 1_000_000_000).unwrap_or(u64::MAX)
    }

    fn left(&self, broker: BrokerId, side: &BTreeMap<BrokerId, u64>) -> u64 {
        self.line(broker).saturating_sub(side.get(&broker).copied().unwrap_or(0))
    }
}

pub(super) fn run(
    logs: &mut Logs,
    state: &State,
    keys: &[(&str, &Partition, Key)],
    now: Duration,
    dt: Duration,
) -> Vec<Request> {
    let mut throttled: BTreeMap<&str, Throttled> = BTreeMap::new();
    for (name, ..) in keys {
        if let Some(topic) = state.topics.get(*name) {
            throttled.entry(*name).or_insert_with(|| Throttled::of(topic));
        }
    }
    let mut used_out: BTreeMap<BrokerId, u64> = BTreeMap::new();
    let mut used_into: BTreeMap<BrokerId, u64> = BTreeMap::new();
    let mut flows = Vec::new();
    for (name, partition, key) in keys {
        let Some(leader) = serving_leader(state, partition) else { continue };
        let Some(log) = logs.logs.get_mut(key) else { continue };
        log.carry += u128::from(log.ingest) * dt.as_nanos();
        let written = u64::try_from(log.carry / 1_000_000_000).unwrap_or(u64::MAX);
        log.carry %= 1_000_000_000;
        let Some(own) = log.copies.get_mut(&leader) else { continue };
        own.end += written;
        let end = own.end;
        for follower in partition.replicas.iter().copied().filter(|r| *r != leader && is_up(state, *r)) {
            let Some(copy) = log.copies.get_mut(&follower) else { continue };
            copy.end = copy.end.min(end);
            let wants = end - copy.end;
            let counts_at_leader = throttled[name].leader(key.1, leader);
            let counts_at_follower = throttled[name].follower(key.1, follower);
            if partition.isr.contains(&follower) {
                // Never delayed, but counted: KIP-73 as it is, see kafka.md section 3.
                copy.end = end;
                *used_out.entry(leader).or_default() += wants;
                *used_into.entry(follower).or_default() += wants;
                let meters = &mut logs.meters;
                if counts_at_leader && wants > 0 {
                    meters.entry(leader).or_default().leader.record(now, wants);
                }
                if counts_at_follower && wants > 0 {
                    meters.entry(follower).or_default().follower.record(now, wants);
                }
            } else if wants > 0 {
                let key = *key;
                flows.push(Flow { key, leader, follower, wants, counts_at_leader, counts_at_follower });
            }
        }
    }
    flows.retain(|flow| !is_delayed(logs, state, flow, now));
    let moved = share(&Lines { logs, dt, out: used_out, into: used_into }, &flows);
    for (flow, bytes) in flows.iter().zip(moved) {
        if bytes == 0 {
            continue;
        }
        if let Some(copy) = logs.logs.get_mut(&flow.key).and_then(|log| log.copies.get_mut(&flow.follower)) {
            copy.end += bytes;
        }
        if flow.counts_at_leader {
            logs.meters.entry(flow.leader).or_default().leader.record(now, bytes);
        }
        if flow.counts_at_follower {
            logs.meters.entry(flow.follower).or_default().follower.record(now, bytes);
        }
    }
    keys.iter().flat_map(|(name, partition, key)| settle(logs, state, name, partition, *key)).collect()
}

fn serving_leader(state: &State, partition: &Partition) -> Option<BrokerId> {
    partition.leader.filter(|leader| is_up(state, *leader))
}

/// Whether a throttle leaves this follower out of the fetches of this span.
fn is_delayed(logs: &mut Logs, state: &State, flow: &Flow, now: Duration) -> bool {
    let over_leader = flow.counts_at_leader
        && rate(state, flow.leader, LEADER_RATE)
            .is_some_and(|rate| logs.meters.entry(flow.leader).or_default().leader.exceeds(now, rate));
    over_leader
        || flow.counts_at_follower
            && rate(state, flow.follower, FOLLOWER_RATE)
                .is_some_and(|rate| logs.meters.entry(flow.follower).or_default().follower.exceeds(now, rate))
}

/// Shares what is left of the lines among the flows, evenly, over a few rounds.
fn share(lines: &Lines<'_>, flows: &[Flow]) -> Vec<u64> {
    let mut moved = vec![0u64; flows.len()];
    let (mut out, mut into) = (lines.out.clone(), lines.into.clone());
    for _ in 0..3 {
        let mut from: BTreeMap<BrokerId, u64> = BTreeMap::new();
        let mut to: BTreeMap<BrokerId, u64> = BTreeMap::new();
        let open: Vec<usize> = (0..flows.len()).filter(|n| moved[*n] < flows[*n].wants).collect();
        for flow in open.iter().map(|n| &flows[*n]) {
            *from.entry(flow.leader).or_default() += 1;
            *to.entry(flow.follower).or_default() += 1;
        }
        let room_out: BTreeMap<BrokerId, u64> =
            from.iter().map(|(broker, n)| (*broker, lines.left(*broker, &out) / n)).collect();
        let room_in: BTreeMap<BrokerId, u64> =
            to.iter().map(|(broker, n)| (*broker, lines.left(*broker, &into) / n)).collect();
        for n in open {
            let flow = &flows[n];
            let bytes = (flow.wants - moved[n]).min(room_out[&flow.leader]).min(room_in[&flow.follower]);
            moved[n] += bytes;
            *out.entry(flow.leader).or_default() += bytes;
            *into.entry(flow.follower).or_default() += bytes;
        }
    }
    moved
}

/// Raises the high watermark; answers who joins the ISR; notes if nothing is left to do.
fn settle(logs: &mut Logs, state: &State, name: &str, partition: &Partition, key: Key) -> Vec<Request> {
    let Some(log) = logs.logs.get_mut(&key) else { return Vec::new() };
    let Some(leader) = serving_leader(state, partition) else { return Vec::new() };
    let ends = partition.isr.iter().map(|r| log.copies.get(r).map_or(0, |copy| copy.end));
    log.high_watermark = log.high_watermark.max(ends.min().unwrap_or(0));
    let end = log.copies.get(&leader).map_or(0, |copy| copy.end);
    // After an unclean election the new leader may be behind what was committed.
    log.high_watermark = log.high_watermark.min(end);
    let out_of_sync = || partition.replicas.iter().copied().filter(|r| !partition.isr.contains(r));
    let watermark = log.high_watermark;
    let joins: Vec<Request> = out_of_sync()
        .filter(|r| is_up(state, *r) && state.is_active(*r))
        .filter(|r| log.copies.get(r).is_some_and(|copy| copy.end >= watermark))
        .map(|broker| Request::Join { partition: TopicPartition::new(name, key.1), broker })
        .collect();
    let even = partition.replicas.iter().all(|r| log.copies.get(r).is_some_and(|copy| copy.end == end));
    let tidy = log.copies.len() == partition.replicas.len();
    log.settled = (even && tidy && out_of_sync().next().is_none()).then_some(partition.partition_epoch);
    joins
}
