//! What may flow in one span: lines, disks, and fetchers that wait for answers over distances.

use std::collections::BTreeMap;
use std::time::Duration;

use restow_planner::model::BrokerId;

use super::{Hardware, Key};
use crate::controller::Configs;

/// How a broker fetches as a follower, and sends as a leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetching {
    /// `num.replica.fetchers`: threads for each broker that is fetched from.
    threads: u64,
    /// `replica.fetch.max.bytes`: of one partition in one answer.
    partition_bytes: u64,
    /// `replica.fetch.response.max.bytes`.
    response_bytes: u64,
    /// `replica.socket.receive.buffer.bytes`.
    receive_buffer: u64,
    /// `socket.send.buffer.bytes`.
    send_buffer: u64,
}

impl Fetching {
    /// What `server.properties` says, else Kafka's defaults.
    pub(crate) fn of(configs: &Configs) -> Self {
        let number =
            |key: &str, default| configs.get(key).and_then(|v| v.trim().parse().ok()).unwrap_or(default);
        Fetching {
            threads: number("num.replica.fetchers", 1).max(1),
            partition_bytes: number("replica.fetch.max.bytes", 1 << 20),
            response_bytes: number("replica.fetch.response.max.bytes", 10 << 20),
            receive_buffer: number("replica.socket.receive.buffer.bytes", 64 << 10),
            send_buffer: number("socket.send.buffer.bytes", 100 << 10),
        }
    }
}

/// Bytes in a span at this many a second.
fn in_span(per_second: u64, dt: Duration) -> u64 {
    u64::try_from(u128::from(per_second) * dt.as_nanos() / 1_000_000_000).unwrap_or(u64::MAX)
}

/// Bytes in a span where one piece passes in each round trip.
fn in_trips(piece: u64, rtt: Duration, dt: Duration) -> u64 {
    if rtt.is_zero() {
        return u64::MAX;
    }
    u64::try_from(u128::from(piece) * dt.as_nanos() / rtt.as_nanos()).unwrap_or(u64::MAX)
}

/// The way of a partition's bytes: leader, follower, and which of its fetcher threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) leader: BrokerId,
    pub(super) follower: BrokerId,
    thread: u64,
}

/// What is left in one span.
pub(super) struct Limits<'a> {
    hardware: &'a BTreeMap<BrokerId, Hardware>,
    rtt: &'a dyn Fn(BrokerId, BrokerId) -> Duration,
    dt: Duration,
    out: BTreeMap<BrokerId, u64>,
    into: BTreeMap<BrokerId, u64>,
    ways: BTreeMap<Way, u64>,
}

impl<'a> Limits<'a> {
    pub(super) fn new(
        hardware: &'a BTreeMap<BrokerId, Hardware>,
        rtt: &'a dyn Fn(BrokerId, BrokerId) -> Duration,
        dt: Duration,
    ) -> Self {
        Limits { hardware, rtt, dt, out: BTreeMap::new(), into: BTreeMap::new(), ways: BTreeMap::new() }
    }

    /// Kafka takes the thread by the hash of the partition.
    pub(super) fn way(&self, leader: BrokerId, follower: BrokerId, key: Key) -> Way {
        let threads = self.hardware.get(&follower).map_or(1, |h| h.fetching.threads);
        let hash =
            key.0.0.iter().fold(u64::from(key.1 as u32), |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
        Way { leader, follower, thread: hash % threads }
    }

    /// Bytes that a broker may still send.
    pub(super) fn out(&mut self, broker: BrokerId) -> &mut u64 {
        let (hardware, dt) = (self.hardware, self.dt);
        self.out
            .entry(broker)
            .or_insert_with(|| hardware.get(&broker).map_or(u64::MAX, |h| in_span(h.line_speed, dt)))
    }

    /// Bytes that a broker may still receive and write.
    pub(super) fn into(&mut self, broker: BrokerId) -> &mut u64 {
        let (hardware, dt) = (self.hardware, self.dt);
        self.into.entry(broker).or_insert_with(|| {
            hardware.get(&broker).map_or(u64::MAX, |h| in_span(h.line_speed.min(h.disk_speed), dt))
        })
    }

    /// Bytes that may still go this way: one answer, or one socket buffer, in each round trip.
    pub(super) fn along(&mut self, way: Way) -> &mut u64 {
        let (hardware, rtt, dt) = (self.hardware, self.rtt, self.dt);
        self.ways.entry(way).or_insert_with(|| {
            let (Some(to), Some(from)) = (hardware.get(&way.follower), hardware.get(&way.leader)) else {
                return u64::MAX;
            };
            let buffer = to.fetching.receive_buffer.min(from.fetching.send_buffer);
            in_trips(to.fetching.response_bytes.min(buffer), rtt(way.leader, way.follower), dt)
        })
    }

    /// Bytes of one partition that may go this way.
    pub(super) fn of_partition(&self, way: Way) -> u64 {
        let piece = self.hardware.get(&way.follower).map_or(u64::MAX, |h| h.fetching.partition_bytes);
        in_trips(piece, (self.rtt)(way.leader, way.follower), self.dt)
    }

    /// Takes up to `wants` bytes of everything on the way; how many.
    pub(super) fn take(&mut self, way: Way, wants: u64) -> u64 {
        let bytes = wants.min(*self.out(way.leader)).min(*self.into(way.follower)).min(*self.along(way));
        *self.out(way.leader) -= bytes;
        *self.into(way.follower) -= bytes;
        *self.along(way) -= bytes;
        bytes
    }

    /// Takes bytes for what is in sync: producers write no more than the lines carry, so only slow disks and
    /// distances hold it back.
    pub(super) fn take_in_sync(&mut self, way: Way, wants: u64) -> u64 {
        let is_slow = self.hardware.get(&way.follower).is_some_and(|h| h.disk_speed != u64::MAX);
        let disk = if is_slow { *self.into(way.follower) } else { u64::MAX };
        let bytes = wants.min(disk).min(*self.along(way));
        let out = self.out(way.leader);
        *out = out.saturating_sub(bytes);
        let into = self.into(way.follower);
        *into = into.saturating_sub(bytes);
        *self.along(way) -= bytes;
        bytes
    }

    /// Bytes that producers write into a leader.
    pub(super) fn write(&mut self, leader: BrokerId, bytes: u64) {
        let left = self.into(leader);
        *left = left.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_buffer_over_a_distance_is_a_ceiling() {
        let fetching = Fetching::of(&Configs::new());
        let hardware = Hardware { line_speed: 1 << 30, disk_speed: u64::MAX, dirs: vec![1 << 40], fetching };
        let brokers = [BrokerId(1), BrokerId(2)];
        let all = brokers.map(|id| (id, hardware.clone())).into();
        let rtt = |_, _| Duration::from_millis(64);
        let mut limits = Limits::new(&all, &rtt, Duration::from_secs(1));
        let way = limits.way(brokers[0], brokers[1], (restow_planner::model::TopicId::ZERO, 0));
        assert_eq!(limits.take(way, u64::MAX), 1_024_000, "64 KiB in each of 15.6 round trips");
        assert_eq!(limits.take(way, 1), 0, "the thread is busy");
        let near = |_, _| Duration::ZERO;
        let mut limits = Limits::new(&all, &near, Duration::from_secs(1));
        assert_eq!(limits.take(way, u64::MAX), 1 << 30, "the line");
    }
}
