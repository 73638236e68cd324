//! One span of time: producers write, followers fetch, watermarks rise, replicas join.

use std::collections::BTreeMap;
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicPartition};

use super::limits::{Limits, Way};
use super::quota::{Throttled, rate};
use super::{Key, Logs, is_up};
use crate::controller::schema::{FOLLOWER_RATE, LEADER_RATE};
use crate::controller::{Partition, Request, State};

/// `replica.lag.time.max.ms`: a follower that was not caught up for so long leaves the ISR.
const LAG: Duration = Duration::from_secs(30);

/// A follower that is behind, and what it still wants.
struct Flow {
    key: Key,
    way: Way,
    wants: u64,
    counts_at_leader: bool,
    counts_at_follower: bool,
}

pub(super) fn run(
    logs: &mut Logs,
    state: &State,
    keys: &[(&str, &Partition, Key)],
    now: Duration,
    dt: Duration,
) -> Vec<Request> {
    let hardware = std::mem::take(&mut logs.hardware);
    let distances = std::mem::take(&mut logs.rtt);
    let rack = |broker: BrokerId| state.brokers.get(&broker).and_then(|b| b.rack.clone()).unwrap_or_default();
    let rtt = |a: BrokerId, b: BrokerId| {
        if distances.is_empty() {
            return Duration::ZERO;
        }
        let (a, b) = (rack(a), rack(b));
        distances.get(&(a.clone(), b.clone())).or_else(|| distances.get(&(b, a))).copied().unwrap_or_default()
    };
    let mut limits = Limits::new(&hardware, &rtt, dt);
    let (in_sync, mut others) = flows(logs, state, keys, &mut limits, now, dt);
    // What is in sync is never delayed, but counted: KIP-73 as it is, see kafka.md section 3.
    for flow in in_sync {
        let bytes = limits.take_in_sync(flow.way, flow.wants.min(limits.of_partition(flow.way)));
        receive(logs, &flow, bytes, now);
    }
    let mut quotas = Quotas::default();
    others.retain(|flow| quotas.admit(logs, state, flow, now));
    let moved = share(&mut limits, &mut quotas, &others);
    for (flow, bytes) in others.iter().zip(moved) {
        receive(logs, flow, bytes, now);
    }
    (logs.hardware, logs.rtt) = (hardware, distances);
    keys.iter().flat_map(|(name, partition, key)| settle(logs, state, name, partition, *key, now)).collect()
}

/// Producers write; who is behind then, in sync and not.
fn flows(
    logs: &mut Logs,
    state: &State,
    keys: &[(&str, &Partition, Key)],
    limits: &mut Limits<'_>,
    now: Duration,
    dt: Duration,
) -> (Vec<Flow>, Vec<Flow>) {
    let mut throttled: BTreeMap<&str, Throttled> = BTreeMap::new();
    let (mut in_sync, mut others) = (Vec::new(), Vec::new());
    for (name, partition, key) in keys {
        let Some(leader) = serving_leader(logs, state, partition, *key) else { continue };
        let Some(log) = logs.logs.get_mut(key) else { continue };
        if log.led != Some(leader) {
            // A new leader gives every follower its time anew.
            log.led = Some(leader);
            log.copies.values_mut().for_each(|copy| copy.caught_up = now);
        }
        log.carry += u128::from(log.ingest) * dt.as_nanos();
        let written = u64::try_from(log.carry / 1_000_000_000).unwrap_or(u64::MAX);
        log.carry %= 1_000_000_000;
        let Some(own) = log.copies.get_mut(&leader) else { continue };
        own.end += written;
        let (start, end) = (own.start, own.end);
        limits.write(leader, written);
        for follower in partition.replicas.iter().copied().filter(|r| *r != leader && is_up(state, *r)) {
            let Some(copy) = log.copies.get_mut(&follower) else { continue };
            if logs.failed.contains(&(follower, copy.dir)) {
                continue;
            }
            // It deletes what its leader has no more, and begins where its leader begins.
            copy.end = copy.end.min(end).max(start);
            copy.start = copy.start.max(start);
            let wants = end - copy.end;
            if wants == 0 {
                copy.caught_up = now;
                continue;
            }
            let Some(topic) = state.topics.get(*name) else { continue };
            let lists = throttled.entry(*name).or_insert_with(|| Throttled::of(topic));
            let flow = Flow {
                key: *key,
                way: limits.way(leader, follower, *key),
                wants,
                counts_at_leader: lists.leader(key.1, leader),
                counts_at_follower: lists.follower(key.1, follower),
            };
            if partition.isr.contains(&follower) { in_sync.push(flow) } else { others.push(flow) }
        }
    }
    (in_sync, others)
}

/// Bytes arrive.
fn receive(logs: &mut Logs, flow: &Flow, bytes: u64, now: Duration) {
    if bytes == 0 {
        return;
    }
    let follower = flow.way.follower;
    if let Some(copy) = logs.logs.get_mut(&flow.key).and_then(|log| log.copies.get_mut(&follower)) {
        copy.end += bytes;
        if bytes == flow.wants {
            copy.caught_up = now;
        }
    }
    if flow.counts_at_leader {
        logs.meters.entry(flow.way.leader).or_default().leader.record(now, bytes);
    }
    if flow.counts_at_follower {
        logs.meters.entry(follower).or_default().follower.record(now, bytes);
    }
}

fn serving_leader(logs: &Logs, state: &State, partition: &Partition, key: Key) -> Option<BrokerId> {
    let leader = partition.leader.filter(|leader| is_up(state, *leader))?;
    let copy = logs.logs.get(&key)?.copies.get(&leader)?;
    (!logs.failed.contains(&(leader, copy.dir))).then_some(leader)
}

/// What throttles leave for this span, for each side of each broker that has one.
#[derive(Default)]
struct Quotas(BTreeMap<(BrokerId, &'static str), u64>);

impl Quotas {
    /// Whether no throttle leaves this follower out of the fetches of this span.
    fn admit(&mut self, logs: &mut Logs, state: &State, flow: &Flow, now: Duration) -> bool {
        for (broker, key) in flow.counted() {
            let Some(rate) = rate(state, broker, key) else { continue };
            let meters = logs.meters.entry(broker).or_default();
            let meter = if key == LEADER_RATE { &mut meters.leader } else { &mut meters.follower };
            self.0.entry((broker, key)).or_insert_with(|| meter.room(now, rate));
        }
        self.left(flow).all(|left| left > 0)
    }

    fn left(&self, flow: &Flow) -> impl Iterator<Item = u64> {
        flow.counted().filter_map(|side| self.0.get(&side).copied())
    }

    fn take(&mut self, flow: &Flow, bytes: u64) {
        for side in flow.counted() {
            self.0.entry(side).and_modify(|left| *left -= bytes);
        }
    }
}

impl Flow {
    /// The sides whose throttles count it.
    fn counted(&self) -> impl Iterator<Item = (BrokerId, &'static str)> + use<> {
        let leader = self.counts_at_leader.then_some((self.way.leader, LEADER_RATE));
        let follower = self.counts_at_follower.then_some((self.way.follower, FOLLOWER_RATE));
        leader.into_iter().chain(follower)
    }
}

/// Shares what is left among the flows, evenly, over a few rounds.
fn share(limits: &mut Limits<'_>, quotas: &mut Quotas, flows: &[Flow]) -> Vec<u64> {
    let most: Vec<u64> = flows.iter().map(|flow| flow.wants.min(limits.of_partition(flow.way))).collect();
    let mut moved = vec![0u64; flows.len()];
    for _ in 0..3 {
        let (mut from, mut to, mut along) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut under = BTreeMap::new();
        let open: Vec<usize> = (0..flows.len()).filter(|n| moved[*n] < most[*n]).collect();
        for flow in open.iter().map(|n| &flows[*n]) {
            let way = flow.way;
            for side in flow.counted() {
                let left = quotas.0.get(&side).copied().unwrap_or(u64::MAX);
                under.entry(side).or_insert((0u64, left)).0 += 1;
            }
            from.entry(way.leader).or_insert((0u64, *limits.out(way.leader))).0 += 1;
            to.entry(way.follower).or_insert((0u64, *limits.into(way.follower))).0 += 1;
            along.entry(way).or_insert((0u64, *limits.along(way))).0 += 1;
        }
        for n in open {
            let (flow, way) = (&flows[n], flows[n].way);
            let part = |(sharers, left): (u64, u64)| left / sharers;
            let fair = part(from[&way.leader]).min(part(to[&way.follower])).min(part(along[&way]));
            let fair = flow.counted().map(|side| part(under[&side])).fold(fair, u64::min);
            let bytes = limits.take(way, fair.min(most[n] - moved[n]));
            quotas.take(flow, bytes);
            moved[n] += bytes;
        }
    }
    moved
}

/// Raises the high watermark; answers who joins the ISR and who leaves it; notes if nothing is left to do.
fn settle(
    logs: &mut Logs,
    state: &State,
    name: &str,
    partition: &Partition,
    key: Key,
    now: Duration,
) -> Vec<Request> {
    let Some(leader) = serving_leader(logs, state, partition, key) else { return Vec::new() };
    let Some(log) = logs.logs.get_mut(&key) else { return Vec::new() };
    let failed = &logs.failed;
    let ends = partition.isr.iter().map(|r| log.copies.get(r).map_or(0, |copy| copy.end));
    log.high_watermark = log.high_watermark.max(ends.min().unwrap_or(0));
    let end = log.copies.get(&leader).map_or(0, |copy| copy.end);
    // After an unclean election the new leader may be behind what was committed.
    log.high_watermark = log.high_watermark.min(end);
    let out_of_sync = || partition.replicas.iter().copied().filter(|r| !partition.isr.contains(r));
    let watermark = log.high_watermark;
    let joins: Vec<Request> = out_of_sync()
        .filter(|r| is_up(state, *r) && state.is_active(*r))
        .filter(|r| {
            log.copies.get(r).is_some_and(|copy| copy.end >= watermark && !failed.contains(&(*r, copy.dir)))
        })
        .map(|broker| Request::Join { partition: TopicPartition::new(name, key.1), broker })
        .collect();
    let lags = |r: &&BrokerId| {
        **r != leader
            && log
                .copies
                .get(r)
                .is_some_and(|copy| copy.end < end && now.saturating_sub(copy.caught_up) > LAG)
    };
    let leaves = partition.isr.iter().filter(lags);
    let leaves: Vec<Request> = leaves
        .map(|broker| Request::Leave { partition: TopicPartition::new(name, key.1), broker: *broker })
        .collect();
    let even = partition.replicas.iter().all(|r| log.copies.get(r).is_some_and(|copy| copy.end == end));
    let tidy = log.copies.len() == partition.replicas.len();
    log.settled = (even && tidy && out_of_sync().next().is_none()).then_some(partition.partition_epoch);
    joins.into_iter().chain(leaves).collect()
}
