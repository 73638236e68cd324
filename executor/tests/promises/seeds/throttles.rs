//! E5 on true configs: the exact values before ours come back, what others set stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use restow_client::read;
use restow_executor::drive::{FOLLOWER_LIST, FOLLOWER_RATE, LEADER_LIST, LEADER_RATE};
use restow_executor::journal::{ConfigKey, PriorValue};
use restow_planner::model::BrokerId;
use restow_planner::model::replicas::minus;
use restow_simulator::Simulator;
use restow_simulator::controller::{Configs, Resource};
use restow_simulator::trace::{ConfigValueChange, PartitionChange};

use super::history::WINDOW;
use super::writes::Book;

/// Bytes that the producers of a scene write to a partition at most, from the look at its size until it is judged.
const WRITTEN_SINCE: u64 = 150_000;

/// What a config may hold at the end.
#[derive(Debug, Default)]
struct Expected {
    /// Rates: one of these.
    values: BTreeSet<Option<String>>,
    /// What it was at the start, or somebody else set.
    theirs: BTreeSet<String>,
    /// Lists: all of these entries are there,
    must: BTreeSet<String>,
    /// and none but those and these.
    may: BTreeSet<String>,
    /// What somebody else last changed it to, and when everybody sees that at the latest.
    foreign: Option<(Duration, Option<String>)>,
    /// Two changed it within the same moment: nothing can be asked of it.
    raced: bool,
}

/// The judge of throttle configs.
#[derive(Debug)]
pub struct Throttles {
    keys: BTreeMap<ConfigKey, Expected>,
    start: BTreeMap<ConfigKey, String>,
    now: BTreeMap<ConfigKey, String>,
    hosts: usize,
    throttle: Option<u64>,
}

pub fn key_of(resource: &Resource, key: &str) -> ConfigKey {
    let resource = match resource {
        Resource::Topic(name) => read::Resource::Topic(name.clone()),
        Resource::Broker(id) => read::Resource::Broker(*id),
        Resource::AllBrokers => read::Resource::ClusterDefault,
    };
    ConfigKey { resource, key: key.to_owned() }
}

fn entries(value: Option<&String>) -> BTreeSet<String> {
    value
        .iter()
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .filter(|e| !e.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_list(key: &ConfigKey) -> bool {
    key.key.ends_with(".replicas") && key.key.contains("throttled")
}

fn all(sim: &Simulator) -> BTreeMap<ConfigKey, String> {
    sim.with_state(|state| {
        let mut all = BTreeMap::new();
        let mut take = |resource: &Resource, configs: &Configs| {
            for (key, value) in configs.iter().filter(|(key, _)| key.contains("throttled")) {
                all.insert(key_of(resource, key), value.clone());
            }
        };
        for (name, topic) in &state.topics {
            take(&Resource::Topic(name.clone()), &topic.configs);
        }
        for (id, broker) in &state.brokers {
            take(&Resource::Broker(BrokerId(id.0)), &broker.configs);
        }
        all
    })
}

impl Throttles {
    pub fn new(sim: &Simulator, hosts: usize, throttle: Option<u64>) -> Self {
        Throttles { keys: BTreeMap::new(), start: all(sim), now: all(sim), hosts, throttle }
    }

    /// Somebody changed a config.
    pub fn learn(&mut self, change: &ConfigValueChange) {
        let key = key_of(&change.resource, &change.key);
        match &change.after {
            Some(value) => drop(self.now.insert(key, value.clone())),
            None => drop(self.now.remove(&key)),
        }
    }

    /// We began a copy of so many bytes: by then all its throttles are set, but for what somebody else has changed, and
    /// where it takes a thousandth of a second.
    pub fn begins(&mut self, change: &PartitionChange, bytes: Option<u64>) {
        let (Some(before), Some(after), Some(rate)) = (&change.before, &change.after, self.throttle) else {
            return;
        };
        if bytes.is_some_and(|bytes| bytes <= rate / 1000 + WRITTEN_SINCE) {
            return;
        }
        let (topic, partition) = (&change.partition.topic, change.partition.partition);
        let leaders = after.leader.map(|id| (id, LEADER_LIST, LEADER_RATE));
        let followers = minus(&after.adding, &before.adding);
        if followers.is_empty() || self.hosts > 1 {
            return;
        }
        let followers = followers.into_iter().map(|id| (id, FOLLOWER_LIST, FOLLOWER_RATE));
        for (id, list, rate) in leaders.into_iter().chain(followers) {
            let list = key_of(&Resource::Topic(topic.clone()), list);
            let listed = entries(self.now.get(&list));
            let is_listed = listed.contains("*") || listed.contains(&format!("{partition}:{id}"));
            let rate = key_of(&Resource::Broker(id), rate);
            let has_rate = self.now.contains_key(&rate);
            for (key, is_set) in [(list, is_listed), (rate, has_rate)] {
                let expected = self.expected(&key);
                let is_excused = expected.foreign.is_some() || expected.raced;
                assert!(
                    is_set || is_excused,
                    "E5: {} is copied to {id}, and {key} is not set",
                    change.partition
                );
            }
        }
    }

    fn expected(&mut self, key: &ConfigKey) -> &mut Expected {
        let start = self.start.get(key);
        self.keys.entry(key.clone()).or_insert_with(|| Expected {
            values: BTreeSet::from([start.cloned()]),
            theirs: start.cloned().into_iter().collect(),
            must: entries(start),
            ..Expected::default()
        })
    }

    /// Somebody else changed a config while these brokers were cut off from the controller.
    pub fn foreign(&mut self, at: Duration, change: &ConfigValueChange, books: &[Book], cut: &BTreeSet<i32>) {
        let key = key_of(&change.resource, &change.key);
        if !key.key.contains("throttled") {
            return;
        }
        let busy = books.iter().any(|book| book.is_busy(&key, at.saturating_sub(WINDOW)));
        let expected = self.expected(&key);
        // Two that are cut off may agree on old news. One alone tells its own configs until it is fenced.
        expected.raced |= busy || cut.len() > 1;
        let is_cut = matches!(key.resource, read::Resource::Broker(id) if cut.contains(&id.0));
        let seen = if is_cut { Duration::MAX } else { at + WINDOW };
        expected.foreign = Some((seen, change.after.clone()));
        match &change.after {
            Some(value) => {
                expected.theirs.insert(value.clone());
                expected.values = BTreeSet::from([Some(value.clone())]);
            }
            // Who sees only that it is gone puts back what it saw before.
            None => {
                expected.values.extend(expected.theirs.iter().cloned().map(Some));
                expected.values.insert(None);
            }
        }
        let (before, after) = (entries(change.before.as_ref()), entries(change.after.as_ref()));
        for gone in before.difference(&after) {
            expected.must.remove(gone);
            expected.may.insert(gone.clone());
        }
        expected.must.extend(after.difference(&before).cloned());
        expected.raced |= after.contains("*");
    }

    /// A broker was fenced, or is no longer cut off: its own old configs count no more.
    pub fn is_known(&mut self, broker: i32, at: Duration) {
        let of_broker = |key: &ConfigKey| key.resource == read::Resource::Broker(BrokerId(broker));
        for (_, expected) in self.keys.iter_mut().filter(|(key, _)| of_broker(key)) {
            if let Some((seen, _)) = expected.foreign.as_mut().filter(|(seen, _)| *seen == Duration::MAX) {
                *seen = at + WINDOW;
            }
        }
    }

    pub fn is_excused(&self, key: &ConfigKey) -> bool {
        self.keys.get(key).is_some_and(|expected| expected.raced)
    }

    /// A topic is gone, or is another one.
    pub fn forget(&mut self, topic: &str) {
        for key in [LEADER_LIST, FOLLOWER_LIST] {
            let key = key_of(&Resource::Topic(topic.to_owned()), key);
            self.expected(&key).raced = true;
        }
    }

    /// We changed a config; `asked` is when that was journalled.
    pub fn ours(&mut self, asked: Duration, change: &ConfigValueChange, book: &Book) {
        let key = key_of(&change.resource, &change.key);
        let hosts = self.hosts;
        let expected = self.expected(&key);
        if expected.raced {
            return;
        }
        let is_old = |seen: Duration| seen < asked;
        if is_list(&key) {
            let (before, after) = (entries(change.before.as_ref()), entries(change.after.as_ref()));
            let gone: Vec<&String> = before.difference(&after).collect();
            let theirs = gone.iter().find(|entry| expected.must.contains(**entry));
            if let Some(entry) = theirs {
                let is_fresh = expected.foreign.as_ref().is_some_and(|(seen, _)| !is_old(*seen));
                assert!(is_fresh, "E5: {entry} in {key} is not ours, and we removed it");
                expected.raced = true;
            }
            return;
        }
        // Another run of ours may have set the very value that this one restores.
        if hosts > 1 {
            expected.raced |= expected.foreign.is_some();
            return;
        }
        if let Some((seen, Some(theirs))) = &expected.foreign
            && change.before.as_ref() == Some(theirs)
        {
            let is_prior = book.priors.get(&key) == Some(&PriorValue::Value(theirs.clone()));
            assert!(
                is_prior || !is_old(*seen),
                "E5: {key} was set to {theirs} by somebody else, and we changed it"
            );
            expected.raced |= !is_prior;
        }
    }

    /// At the end: everything is as it was, or as others left it.
    pub fn at_end(&mut self, sim: &Simulator) {
        let now = all(sim);
        let keys: BTreeSet<ConfigKey> =
            self.start.keys().chain(now.keys()).chain(self.keys.keys()).cloned().collect();
        let hosts = self.hosts;
        for key in keys {
            let value = now.get(&key).cloned();
            let start = self.start.get(&key).cloned();
            let expected = self.expected(&key);
            if expected.raced {
                continue;
            }
            if is_list(&key) {
                let have = entries(value.as_ref());
                let known: BTreeSet<_> = expected.must.union(&expected.may).cloned().collect();
                assert!(expected.must.is_subset(&have), "E5: {key} lost entries: {value:?} of {expected:?}");
                assert!(have.is_subset(&known), "E5: {key} has entries left: {value:?}, not {expected:?}");
                if expected.foreign.is_none() && hosts == 1 {
                    assert_eq!(value, start, "E5: {key} is not exactly as it was");
                }
            } else {
                assert!(expected.values.contains(&value), "E5: {key} is {value:?}, not {expected:?}");
            }
        }
    }
}
