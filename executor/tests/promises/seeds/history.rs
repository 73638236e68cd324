//! What was true a moment ago: promises are judged on the view that was acted on, which is at most 2 s old.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicId, TopicPartition};
use restow_simulator::Simulator;
use restow_simulator::controller::{Life, Partition};
use restow_simulator::trace::PartitionChange;

/// How old what was acted on may be: the age of a view (2 s), the lag of a broker's metadata, and the way.
pub const WINDOW: Duration = Duration::from_millis(2_300);

/// A partition from a moment on; none where it does not exist.
#[derive(Debug, Clone)]
pub struct Version {
    since: Duration,
    pub topic: TopicId,
    pub partition: Option<Partition>,
}

/// The last few seconds.
#[derive(Debug, Default)]
pub struct History {
    partitions: BTreeMap<TopicPartition, VecDeque<Version>>,
    lives: BTreeMap<BrokerId, VecDeque<(Duration, Life)>>,
    strikes: BTreeMap<BrokerId, Duration>,
}

/// Drops what ended before the window.
fn trim<T>(list: &mut VecDeque<T>, since: impl Fn(&T) -> Duration, now: Duration) {
    while list.len() > 1 && since(&list[1]) + WINDOW < now {
        list.pop_front();
    }
}

impl History {
    pub fn new(sim: &Simulator) -> Self {
        let since = Duration::ZERO;
        sim.with_state(|state| {
            let all = state.partitions().map(|(at, p)| {
                let topic = state.topics[&at.topic].id;
                (at, VecDeque::from([Version { since, topic, partition: Some(p.clone()) }]))
            });
            let lives = state.brokers.iter().map(|(id, b)| (*id, VecDeque::from([(since, b.life)])));
            History { partitions: all.collect(), lives: lives.collect(), strikes: BTreeMap::new() }
        })
    }

    pub fn learn(&mut self, at: Duration, change: &PartitionChange) {
        let versions = self.partitions.entry(change.partition.clone()).or_default();
        versions.push_back(Version { since: at, topic: change.topic, partition: change.after.clone() });
        trim(versions, |v| v.since, at);
    }

    pub fn life(&mut self, at: Duration, broker: BrokerId, life: Life) {
        let lives = self.lives.entry(broker).or_default();
        lives.push_back((at, life));
        trim(lives, |(since, _)| *since, at);
    }

    /// A request to this broker was not plainly answered until then.
    pub fn strike(&mut self, until: Duration, broker: BrokerId) {
        let last = self.strikes.entry(broker).or_default();
        *last = until.max(*last);
    }

    /// What the partition was in the window, the latest last.
    pub fn recent(&mut self, partition: &TopicPartition, now: Duration) -> Vec<Version> {
        let Some(versions) = self.partitions.get_mut(partition) else { return vec![] };
        trim(versions, |v| v.since, now);
        versions.iter().cloned().collect()
    }

    /// Whether the broker ran at some moment of the window.
    pub fn was_up(&mut self, broker: BrokerId, now: Duration) -> bool {
        let Some(lives) = self.lives.get_mut(&broker) else { return false };
        trim(lives, |(since, _)| *since, now);
        lives.iter().any(|(_, life)| *life == Life::Up)
    }

    /// Whether the broker ran and answered through all of the window.
    pub fn was_steady(&mut self, broker: BrokerId, now: Duration) -> bool {
        let struck = self.strikes.get(&broker).is_some_and(|at| *at + WINDOW >= now);
        let Some(lives) = self.lives.get_mut(&broker) else { return false };
        trim(lives, |(since, _)| *since, now);
        !struck && lives.iter().all(|(_, life)| *life == Life::Up)
    }
}
