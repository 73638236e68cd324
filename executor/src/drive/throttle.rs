//! Throttles as desired state (promise E5): what should be set now, what is, and the difference.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::read::Resource;
use restow_client::write::{ConfigChange, ConfigOp, Write};
use restow_planner::model::BrokerId;
use restow_planner::plan::{Plan, moves};

use super::view::View;
use super::{Request, Wrote};
use crate::journal::{ConfigKey, Memory, PriorValue, Record};

/// Topic config: `partition:broker` entries whose leader-side traffic is throttled (KIP-73).
pub const LEADER_LIST: &str = "leader.replication.throttled.replicas";
/// Topic config: entries whose follower-side traffic is throttled.
pub const FOLLOWER_LIST: &str = "follower.replication.throttled.replicas";
/// Broker config: bytes/s on the leader side.
pub const LEADER_RATE: &str = "leader.replication.throttled.rate";
/// Topic config that is held down while copies are added, where the plan says so (`--hold-min-isr`).
pub const MIN_ISR: &str = "min.insync.replicas";
/// Broker config: bytes/s on the follower side.
pub const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";

/// What should be set.
#[derive(Debug, Default)]
pub(super) struct Desired {
    lists: BTreeMap<ConfigKey, BTreeSet<String>>,
    /// Rates, and what is held in place of a topic's own value.
    values: BTreeMap<ConfigKey, String>,
}

/// How to get there.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Priors, restorations and foreign changes to journal.
    pub records: Vec<Record>,
    /// Requests, in order.
    pub requests: Vec<Request>,
    /// What happened to our configs without us.
    pub notes: Vec<String>,
    /// Configs that are not yet as they should be, or whose restoration is not yet read back.
    pub pending: BTreeSet<ConfigKey>,
}

fn topic_key(topic: &str, key: &str) -> ConfigKey {
    ConfigKey { resource: Resource::Topic(topic.to_owned()), key: key.into() }
}

fn broker_key(broker: BrokerId, key: &str) -> ConfigKey {
    ConfigKey { resource: Resource::Broker(broker), key: key.into() }
}

/// Whether copies of so many bytes are not worth an entry in a list: a thousand of them, the most that a broker sends or
/// fetches at once, pass within a second at this rate. Entries are not free: for each replica that a broker makes, it
/// parses the whole list of the topic again (`ThrottledReplicaListValidator`; with a thousand entries that takes twice
/// as long as all else).
pub(super) fn is_slight(bytes: Option<u64>, rate: u64) -> bool {
    bytes.is_some_and(|bytes| bytes.saturating_mul(1000) <= rate)
}

impl Desired {
    /// Throttles one move of the plan, but for one that is too slight: leader entries for every listed replica of the
    /// expanded state, follower entries for the added ones that have not joined, rates on the brokers concerned.
    pub fn add(&mut self, plan: &Plan, view: &View, at: u32, rate: u64) {
        if is_slight(view.sizes.get(&at).copied(), rate) {
            return;
        }
        let m = plan.moves.get(at as usize);
        let topic = &plan.topic_of(&m).name;
        let joined = view.observed(at).map(|o| o.isr.clone()).unwrap_or_default();
        let mut entry = |key: &str, broker: BrokerId| {
            self.lists.entry(topic_key(topic, key)).or_default().insert(format!("{}:{broker}", m.partition));
        };
        for broker in moves::expanded(m.from, m.to).into_iter().filter(|id| !view.is_lost(*id)) {
            entry(LEADER_LIST, broker);
        }
        for broker in moves::added(m.from, m.to).into_iter().filter(|b| !joined.contains(b)) {
            entry(FOLLOWER_LIST, broker);
        }
        for broker in moves::expanded(m.from, m.to).into_iter().filter(|id| !view.is_lost(*id)) {
            self.add_rate(broker, true, !m.from.contains(&broker), rate);
        }
    }

    /// Sets the rates of a broker, whether something is in flight there or not: while a stage has moves to come,
    /// rates stay, so that they are not set and restored with every move.
    pub fn add_rate(&mut self, broker: BrokerId, leads: bool, fetches: bool, rate: u64) {
        for (key, _) in [(LEADER_RATE, leads), (FOLLOWER_RATE, fetches)].into_iter().filter(|(_, is)| *is) {
            self.values.insert(broker_key(broker, key), rate.to_string());
        }
    }

    /// Holds the min ISR of a move's topic down to the replication factor, where the plan says so: with copies that
    /// have not joined, the effective value would be above what is in sync.
    pub fn hold_min_isr(&mut self, plan: &Plan, at: u32) {
        let topic = plan.topic_of(&plan.moves.get(at as usize));
        if let Some(held) = topic.hold_min_isr {
            self.values.insert(topic_key(&topic.name, MIN_ISR), held.to_string());
        }
    }

    /// Adds what another one wants.
    pub fn join(&mut self, other: Desired) {
        self.lists.extend(other.lists);
        self.values.extend(other.values);
    }

    /// Config keys to read before the difference can be told.
    pub fn keys(&self) -> impl Iterator<Item = &ConfigKey> {
        self.lists.keys().chain(self.values.keys())
    }
}

/// Entries of a throttled-replica list; spaces and empty elements are legal.
pub(super) fn entries(list: &str) -> BTreeSet<&str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

/// The difference between what should be set and what the view shows.
pub(super) fn difference(
    desired: &Desired,
    memory: &Memory,
    view: &View,
    blocked: &BTreeSet<ConfigKey>,
) -> Difference {
    let mut d = Difference::default();
    let mut changes = Changes::default();
    let keys: BTreeSet<&ConfigKey> = desired.keys().chain(memory.priors.keys()).collect();
    for key in keys {
        if view.gone.contains(&key.resource) {
            d.records.extend(memory.priors.contains_key(key).then(|| Record::Restored { key: key.clone() }));
            continue;
        }
        let Some(now) = sure(key, memory, view, blocked) else {
            let is_wanted = desired.lists.contains_key(key) || desired.values.contains_key(key);
            if memory.priors.contains_key(key) || (is_wanted && !memory.foreign.contains(key)) {
                d.pending.insert(key.clone());
            }
            continue;
        };
        if is_outdated(key, memory, now) {
            d.records.push(Record::Restored { key: key.clone() });
            d.pending.insert(key.clone());
            continue;
        }
        let ops = if key.is_list() {
            list_change(key, desired.lists.get(key), memory, view, now, &mut d)
        } else {
            value_change(key, desired.values.get(key), memory, view, now, &mut d).into_iter().collect()
        };
        for op in ops {
            d.pending.insert(key.clone());
            changes.push(key, op);
        }
    }
    d.requests = changes.requests();
    d
}

/// What a config is set to, where that is sure: a write of ours may not show yet, nor one that an earlier process made
/// just before this one began; an open one may still change it.
fn sure<'v>(
    key: &ConfigKey,
    memory: &Memory,
    view: &'v View,
    blocked: &BTreeSet<ConfigKey>,
) -> Option<Option<&'v str>> {
    let inherited = || memory.priors.contains_key(key).then_some(&Wrote::INHERITED);
    let wrote = view.wrote.get(key).or_else(inherited);
    let now = view.configs.get(key)?.as_deref();
    let is_sure = !blocked.contains(key) && !wrote.is_some_and(|wrote| wrote.hides_from(now, view.at));
    is_sure.then_some(now)
}

/// Whether we listed a move's copies as throttled, and have not restored that list since.
pub(super) fn is_listed(plan: &Plan, memory: &Memory, at: u32) -> bool {
    let m = plan.moves.get(at as usize);
    let (key, own) = (topic_key(&plan.topic_of(&m).name, FOLLOWER_LIST), format!("{}:", m.partition));
    memory.entries.get(&key).is_some_and(|entries| entries.iter().any(|entry| entry.starts_with(&own)))
}

/// Bytes of a list of throttled replicas at most: Kafka refuses a value of more than 32,767, and entries that somebody
/// removed have to fit again.
const LIST_BYTES: usize = 30_000;

/// Bytes that the copies of one decision add to lists.
#[derive(Debug, Default)]
pub(super) struct Added(BTreeMap<ConfigKey, usize>);

impl Added {
    /// Takes the room for a copy that is to begin, if what it needs is set by then: each config is set already, or
    /// [`difference`] sets it now, before the copy is asked for.
    pub fn take(
        &mut self,
        desired: &Desired,
        memory: &Memory,
        view: &View,
        blocked: &BTreeSet<ConfigKey>,
    ) -> bool {
        let current =
            |key: &ConfigKey| sure(key, memory, view, blocked).filter(|now| !is_outdated(key, memory, *now));
        let is_theirs = |key: &ConfigKey| memory.foreign.contains(key) && !memory.priors.contains_key(key);
        if !desired.values.keys().all(|key| is_theirs(key) || current(key).is_some()) {
            return false;
        }
        let mut more = Vec::new();
        for (key, wanted) in &desired.lists {
            let Some(now) = current(key) else { return false };
            let now = now.unwrap_or("");
            let have = entries(now);
            if have.contains("*") {
                continue;
            }
            let missing = wanted.iter().filter(|entry| !have.contains(entry.as_str()));
            let bytes = missing.map(|entry| entry.len() + 1).sum::<usize>();
            let added = self.0.get(key).copied().unwrap_or(0) + bytes;
            if now.len() + added > LIST_BYTES {
                return false;
            }
            more.push((key.clone(), added));
        }
        self.0.extend(more);
        true
    }
}

/// Whether somebody changed the config after its prior was journalled and before we wrote anything to it: the
/// request that was to follow was never sent. The prior is then taken anew.
fn is_outdated(key: &ConfigKey, memory: &Memory, now: Option<&str>) -> bool {
    let is_untouched = !memory.rates.contains_key(key) && !memory.entries.contains_key(key);
    is_untouched && memory.priors.get(key).is_some_and(|prior| *prior != PriorValue::from(now))
}

fn list_change(
    key: &ConfigKey,
    wanted: Option<&BTreeSet<String>>,
    memory: &Memory,
    view: &View,
    now: Option<&str>,
    d: &mut Difference,
) -> Vec<ConfigOp> {
    let have = entries(now.unwrap_or(""));
    let prior = memory.priors.get(key);
    if have.contains("*") {
        // Everything is throttled already, by somebody else: APPEND would be refused.
        if prior.is_some() {
            d.records.push(Record::Foreign { key: key.clone() });
            d.notes.push(format!("{key} was set to * by somebody else: it stays"));
        }
        return vec![];
    }
    let none = BTreeSet::new();
    let ours = memory.entries.get(key).unwrap_or(&none);
    let wanted = wanted.unwrap_or(&none);
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|e| !have.contains(e)).collect();
    let mut ops = Vec::new();
    if !missing.is_empty() {
        let lost = missing.iter().filter(|e| ours.contains(**e)).count();
        if lost > 0 && view.stood.contains(key) {
            d.notes.push(format!(
                "{lost} throttle entries of ours were removed from {key} by somebody else: put back"
            ));
        }
        if prior.is_none() {
            d.records.push(Record::Prior { key: key.clone(), value: now.into() });
        }
        ops.push(ConfigOp::Append(missing.join(",")));
    }
    let extra: Vec<&str> =
        ours.iter().map(String::as_str).filter(|e| have.contains(e) && !wanted.contains(*e)).collect();
    if !extra.is_empty() {
        ops.push(ConfigOp::Subtract(extra.join(",")));
    }
    let Some(prior) = prior.filter(|_| ops.is_empty() && wanted.is_empty()) else { return ops };
    // SUBTRACT leaves an emptied list as "", set; only DELETE makes it unset again.
    if *prior == PriorValue::Absent && now.is_some() && have.is_empty() {
        return vec![ConfigOp::Delete];
    }
    d.records.push(Record::Restored { key: key.clone() });
    ops
}

fn value_change(
    key: &ConfigKey,
    wanted: Option<&String>,
    memory: &Memory,
    view: &View,
    now: Option<&str>,
    d: &mut Difference,
) -> Option<ConfigOp> {
    let prior = memory.priors.get(key);
    let is_ours = |value: &str| memory.rates.get(key).is_some_and(|set| set.contains(value));
    let before = match prior {
        Some(PriorValue::Value(value)) => Some(value.as_str()),
        _ => None,
    };
    if memory.foreign.contains(key) && prior.is_none() {
        return None;
    }
    if let Some(value) = now {
        let is_known = is_ours(value) || before == Some(value) || prior.is_none();
        if !is_known && wanted.map(String::as_str) != Some(value) {
            d.records.push(Record::Foreign { key: key.clone() });
            d.notes.push(format!(
                "{key} was changed to {value} by somebody else: it stays, and is not restored"
            ));
            return None;
        }
    }
    if let Some(wanted) = wanted {
        if now == Some(wanted) {
            return None;
        }
        if prior.is_none() {
            d.records.push(Record::Prior { key: key.clone(), value: now.into() });
        } else if now.is_none() && view.stood.contains(key) {
            d.notes.push(format!("{key} was removed by somebody else: put back"));
        }
        return Some(ConfigOp::Set(wanted.clone()));
    }
    let prior = prior?;
    let restored = match (prior, now) {
        (PriorValue::Absent, None) => true,
        (PriorValue::Value(before), Some(now)) => before == now,
        _ => false,
    };
    if restored {
        d.records.push(Record::Restored { key: key.clone() });
        return None;
    }
    Some(match prior {
        PriorValue::Absent => ConfigOp::Delete,
        PriorValue::Value(before) => ConfigOp::Set(before.clone()),
    })
}

/// Changes grouped into requests: per broker for rates; for topic lists one kind of operation a request.
#[derive(Debug, Default)]
struct Changes {
    brokers: BTreeMap<BrokerId, Vec<ConfigChange>>,
    append: Vec<ConfigChange>,
    subtract: Vec<ConfigChange>,
    delete: Vec<ConfigChange>,
}

/// Topics in one config request at most.
const TOPICS: usize = 200;

impl Changes {
    fn push(&mut self, key: &ConfigKey, op: ConfigOp) {
        let group = match (&key.resource, &op) {
            (Resource::Broker(id), _) => self.brokers.entry(*id).or_default(),
            (_, ConfigOp::Subtract(_)) => &mut self.subtract,
            (_, ConfigOp::Delete) => &mut self.delete,
            _ => &mut self.append,
        };
        group.push(ConfigChange { resource: key.resource.clone(), key: key.key.clone(), op });
    }

    fn requests(self) -> Vec<Request> {
        let rates = self.brokers.into_iter().map(|(id, items)| (Some(id), items));
        let lists = [self.append, self.subtract, self.delete];
        let lists = lists
            .into_iter()
            .flat_map(|list| list.chunks(TOPICS).map(|items| (None, items.to_vec())).collect::<Vec<_>>());
        // Rates first: a list without a rate throttles nothing.
        rates
            .chain(lists)
            .map(|(broker, items)| Request { write: Write::Configs { broker, items }, moves: vec![] })
            .collect()
    }
}
