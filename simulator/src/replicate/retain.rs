//! Retention: old segments go, by each broker's own defaults.

use std::collections::BTreeMap;
use std::time::Duration;

use restow_planner::model::BrokerId;

use super::{Key, Log, Logs, is_up};
use crate::controller::{Configs, State, Topic};

/// `log.retention.check.interval.ms`.
const CHECK: Duration = Duration::from_secs(300);

/// What a broker keeps of a topic.
struct Keep {
    bytes: Option<u64>,
    time: Option<Duration>,
    segment: u64,
}

/// A topic's value, else the broker's dynamic one, the cluster's, the one in `server.properties`, Kafka's.
struct Settings<'a> {
    topic: &'a Topic,
    levels: [Option<&'a Configs>; 3],
}

impl Settings<'_> {
    fn get(&self, topic_key: &str, broker_key: &str) -> Option<&str> {
        let own = self.topic.configs.get(topic_key);
        own.or_else(|| self.broker(broker_key)).map(String::as_str)
    }

    fn broker(&self, key: &str) -> Option<&String> {
        self.levels.iter().flatten().find_map(|configs| configs.get(key))
    }

    fn keep(&self) -> Option<Keep> {
        if self.get("cleanup.policy", "log.cleanup.policy").is_some_and(|policy| !policy.contains("delete")) {
            return None;
        }
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let scaled = |key: &str, millis: u64| self.broker(key).and_then(|v| number(v)).map(|n| n * millis);
        let millis = match self.get("retention.ms", "log.retention.ms") {
            // -1 is for ever.
            Some(text) => number(text),
            None => scaled("log.retention.minutes", 60_000)
                .or_else(|| scaled("log.retention.hours", 3_600_000))
                .or(Some(7 * 24 * 3_600_000)),
        };
        Some(Keep {
            bytes: self.get("retention.bytes", "log.retention.bytes").and_then(number),
            time: millis.map(Duration::from_millis),
            segment: self
                .get("segment.bytes", "log.segment.bytes")
                .and_then(number)
                .unwrap_or(1 << 30)
                .max(1),
        })
    }
}

impl Logs {
    /// Deletes old segments, if it is time to look for them.
    pub(super) fn retain(&mut self, state: &State, statics: &BTreeMap<BrokerId, Configs>, now: Duration) {
        if now < self.retention_due {
            return;
        }
        self.retention_due = now + CHECK;
        for topic in state.topics.values() {
            for n in 0..topic.partitions.len() {
                let key: Key = (topic.id, n as i32);
                let Some(log) = self.logs.get_mut(&key) else { continue };
                let brokers: Vec<BrokerId> =
                    log.copies.keys().copied().filter(|broker| is_up(state, *broker)).collect();
                for broker in brokers {
                    let dynamic = state.brokers.get(&broker).map(|b| &b.configs);
                    let levels = [dynamic, Some(&state.cluster_configs), statics.get(&broker)];
                    if let Some(keep) = (Settings { topic, levels }).keep() {
                        log.delete_old(broker, &keep, now);
                    }
                }
            }
        }
    }
}

impl Log {
    /// What was there at the start is as old as retention allows, evenly; what came since came evenly too.
    fn delete_old(&mut self, broker: BrokerId, keep: &Keep, now: Duration) {
        let (initial, ingest) = (self.initial, self.ingest);
        let Some(copy) = self.copies.get_mut(&broker) else { return };
        let too_old = keep.time.map_or(0, |time| {
            let part = now.min(time).as_millis().max(1);
            let of_start = u128::from(initial) * part / time.as_millis().max(1);
            let since = u128::from(ingest) * now.saturating_sub(time).as_millis() / 1000;
            u64::try_from(of_start + since).unwrap_or(u64::MAX)
        });
        let too_many = keep.bytes.map_or(0, |bytes| copy.end.saturating_sub(bytes));
        // Whole segments only, and never the one that is written to.
        let segments = too_old.max(too_many).min(copy.end) / keep.segment * keep.segment;
        copy.start = copy.start.max(segments.min(self.high_watermark));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Copy;
    use super::*;

    #[test]
    fn old_segments_go_whole_and_the_active_one_stays() {
        let copy = Copy { start: 0, end: 100, dir: 0, caught_up: Duration::ZERO };
        let copies = [(BrokerId(1), copy)].into();
        let mut log = Log { copies, high_watermark: 100, initial: 100, ..Log::default() };
        let hour = Duration::from_secs(3600);
        let keep = Keep { bytes: None, time: Some(hour), segment: 30 };
        log.delete_old(BrokerId(1), &keep, hour / 2);
        assert_eq!(log.copies[&BrokerId(1)].start, 30, "50 are too old, in segments of 30");
        log.delete_old(BrokerId(1), &keep, hour * 9);
        assert_eq!(log.copies[&BrokerId(1)].start, 90);
        let keep = Keep { bytes: Some(5), time: None, segment: 1 };
        log.delete_old(BrokerId(1), &keep, hour * 9);
        assert_eq!(log.copies[&BrokerId(1)].start, 95);
    }
}
