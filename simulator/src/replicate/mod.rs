//! Bytes over virtual time: who holds how much of which partition, and what flows where.
//!
//! Shares no code with the planner's forecast, so that each tests the other.

mod disks;
mod flow;
mod limits;
mod quota;
mod retain;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicId};

pub(crate) use self::limits::Fetching;
use self::quota::Meters;
use crate::controller::{Configs, Life, Partition, Request, State};

/// Offsets are bytes over this.
pub const RECORD_BYTES: u64 = 1024;

/// How long the bytes of a deleted replica stay on disk (`file.delete.delay.ms`).
pub const DELETE_DELAY: Duration = Duration::from_secs(60);

/// A partition's identity: a recreated topic has other logs.
pub(crate) type Key = (TopicId, i32);

/// One replica's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copy {
    /// Where it begins, in bytes since the partition's beginning: what is before was deleted.
    pub(crate) start: u64,
    /// Where it ends.
    pub(crate) end: u64,
    /// The log directory that it is in.
    pub(crate) dir: usize,
    /// When it last had all that its leader had.
    caught_up: Duration,
}

impl Copy {
    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.end - self.start
    }
}

/// All logs of one partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) copies: BTreeMap<BrokerId, Copy>,
    /// Bytes that all in-sync replicas had.
    pub(crate) high_watermark: u64,
    /// Bytes a second that producers write.
    pub(crate) ingest: u64,
    /// Bytes that were there at the start.
    initial: u64,
    /// Who led it in the last span.
    led: Option<BrokerId>,
    /// Bytes times nanoseconds that are not a whole byte yet.
    carry: u128,
    /// The partition epoch at which nothing was left to do.
    settled: Option<i32>,
}

/// What a broker's hardware can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hardware {
    /// Bytes a second, in and out each.
    pub(crate) line_speed: u64,
    /// Bytes a second that its disks write.
    pub(crate) disk_speed: u64,
    /// How it fetches.
    pub(crate) fetching: Fetching,
    /// Size of each log directory.
    pub(crate) dirs: Vec<u64>,
}

/// Every log of the cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs {
    logs: BTreeMap<Key, Log>,
    meters: BTreeMap<BrokerId, Meters>,
    pub(crate) hardware: BTreeMap<BrokerId, Hardware>,
    /// Bytes of deleted replicas that are still on disk: broker, directory, until when.
    deleted: Vec<(BrokerId, usize, Duration, u64)>,
    /// Directories that failed.
    failed: BTreeSet<(BrokerId, usize)>,
    peaks: BTreeMap<BrokerId, Vec<u64>>,
    disks_due: Duration,
    retention_due: Duration,
    /// Round trip between two racks.
    pub(crate) rtt: BTreeMap<(String, String), Duration>,
}

impl Logs {
    pub(crate) fn log(&self, key: Key) -> Option<&Log> {
        self.logs.get(&key)
    }

    /// Puts a replica in place, as if it had been there always; `dir` where it is known.
    pub(crate) fn place(&mut self, key: Key, broker: BrokerId, bytes: u64, dir: Option<usize>) {
        let dir = dir.unwrap_or_else(|| self.emptiest_dir(broker));
        let log = self.logs.entry(key).or_default();
        log.copies.insert(broker, Copy { start: 0, end: bytes, dir, caught_up: Duration::ZERO });
        (log.high_watermark, log.initial) = (bytes, bytes);
    }

    pub(crate) fn set_ingest(&mut self, key: Key, bytes_per_second: u64) {
        let log = self.logs.entry(key).or_default();
        log.ingest = bytes_per_second;
        log.settled = None;
    }

    /// Moves bytes for a span of time; answers which replicas their leaders report as in sync, or no more.
    pub(crate) fn tick(
        &mut self,
        state: &State,
        statics: &BTreeMap<BrokerId, Configs>,
        now: Duration,
        dt: Duration,
    ) -> Vec<Request> {
        self.retain(state, statics, now);
        self.deleted.retain(|(_, _, until, _)| *until > now);
        self.forget(state, now);
        let keys: Vec<(&str, &Partition, Key)> = state
            .topics
            .iter()
            .flat_map(|(name, topic)| {
                let id = topic.id;
                topic.partitions.iter().enumerate().map(move |(n, p)| (name.as_str(), p, (id, n as i32)))
            })
            .filter(|(_, p, key)| {
                self.logs.get(key).is_none_or(|log| log.ingest > 0 || log.settled != Some(p.partition_epoch))
            })
            .collect();
        for (_, partition, key) in &keys {
            self.host(state, partition, *key, now);
        }
        flow::run(self, state, &keys, now, dt)
    }

    /// Drops the logs of topics that are gone, from brokers that run.
    fn forget(&mut self, state: &State, now: Duration) {
        let there: BTreeSet<TopicId> = state.topics.values().map(|topic| topic.id).collect();
        let gone: Vec<Key> = self.logs.keys().filter(|key| !there.contains(&key.0)).copied().collect();
        for key in gone {
            self.drop_where(state, key, now, |_| true);
            if self.logs.get(&key).is_some_and(|log| log.copies.is_empty()) {
                self.logs.remove(&key);
            }
        }
    }

    /// Brokers that run make the logs that they shall have and drop those that they shall not.
    fn host(&mut self, state: &State, partition: &Partition, key: Key, now: Duration) {
        self.logs.entry(key).or_default();
        for broker in &partition.replicas {
            let missing = !self.logs[&key].copies.contains_key(broker);
            if missing && is_up(state, *broker) {
                let dir = self.emptiest_dir(*broker);
                if let Some(log) = self.logs.get_mut(&key) {
                    log.copies.insert(*broker, Copy { start: 0, end: 0, dir, caught_up: now });
                }
            }
        }
        self.drop_where(state, key, now, |broker| !partition.replicas.contains(&broker));
    }

    fn drop_where(&mut self, state: &State, key: Key, now: Duration, unwanted: impl Fn(BrokerId) -> bool) {
        let Some(log) = self.logs.get_mut(&key) else { return };
        let deleted = &mut self.deleted;
        log.copies.retain(|broker, copy| {
            // A broker that was unregistered is gone with its disks.
            let known = state.brokers.contains_key(broker);
            let goes = unwanted(*broker) && (is_up(state, *broker) || !known);
            if goes {
                deleted.push((*broker, copy.dir, now + DELETE_DELAY, copy.bytes()));
            }
            !goes
        });
    }
}

/// Whether the broker's process runs and serves.
pub(crate) fn is_up(state: &State, broker: BrokerId) -> bool {
    state.brokers.get(&broker).is_some_and(|b| b.life == Life::Up)
}
