//! From records to memory: what is ours, what is open, what was approved.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::Code;
use restow_client::write::{ConfigOp, Write};
use restow_planner::model::BrokerId;

use super::records::{Baseline, ConfigKey, Gate, Goal, Opened, Outcome, PriorValue, Record, Sent};

/// A write whose effect may still arrive (promise E6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWrite {
    /// Wall time when it was journalled, milliseconds since 1970.
    pub time: u64,
    /// The broker that it was sent to.
    pub broker: BrokerId,
    /// What was asked.
    pub write: Write,
    /// Moves that it concerns.
    pub moves: Vec<u32>,
    /// Whether that broker answered, if only to say that it does not know.
    pub answered: bool,
    /// Wall time when that broker was first seen to answer, restart or be fenced after it.
    pub heard: Option<u64>,
}

/// What a journal remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// The first process of the current run.
    pub first: Option<Opened>,
    /// The latest process.
    pub last: Option<Opened>,
    /// Values before ours, of configs that are not restored yet.
    pub priors: BTreeMap<ConfigKey, PriorValue>,
    /// Entries that we appended to throttled-replica lists since their prior.
    pub entries: BTreeMap<ConfigKey, BTreeSet<String>>,
    /// Rates that we set since their prior.
    pub rates: BTreeMap<ConfigKey, BTreeSet<String>>,
    /// Every list that we asked for, by move.
    pub asked: BTreeMap<u32, BTreeSet<Vec<BrokerId>>>,
    /// Writes whose effect may still arrive, by number.
    pub open: BTreeMap<u64, OpenWrite>,
    /// The throttle of the last process that moved data, bytes/s.
    pub throttle: Option<u64>,
    /// Gates that a person approved in this run.
    pub approvals: BTreeSet<Gate>,
    /// Brokers that a person gave up in this run.
    pub given_up: BTreeSet<BrokerId>,
    /// Moves that a person set aside in this run, as positions in the plan.
    pub aside: BTreeSet<u32>,
    /// What was unhealthy when this run began.
    pub baseline: Option<Baseline>,
    /// Config keys whose differences a person accepted when applying.
    pub accepted: BTreeSet<String>,
    /// Configs of ours that somebody else changed in this run.
    pub foreign: BTreeSet<ConfigKey>,
    /// How the last run ended; none while one is unfinished.
    pub closed: Option<(Outcome, Vec<String>)>,
    /// Whether this run asked Kafka for anything.
    pub asked_anything: bool,
    /// Number of the next write.
    pub next: u64,
}

/// Folds a journal.
pub fn fold(records: &[Record]) -> Memory {
    let mut memory = Memory::default();
    for record in records {
        memory.learn(record);
    }
    memory
}

impl Memory {
    /// Whether a run of this journal began and has not reached its goal.
    pub fn is_unfinished(&self) -> bool {
        self.last.is_some() && self.closed.is_none()
    }

    /// Whether something of ours is still set somewhere, or a write still open.
    pub fn has_left(&self) -> bool {
        !self.priors.is_empty() || !self.open.is_empty()
    }

    /// Adds one record.
    pub fn learn(&mut self, record: &Record) {
        match record {
            Record::Opened(opened) => self.opened(opened),
            Record::Prior { key, value } => {
                self.priors.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Record::Adopted { at, list, .. } => {
                self.asked.entry(*at).or_default().insert(list.clone());
                self.asked_anything = true;
            }
            Record::Claimed { key, value } => self.claimed(key, value),
            // For people.
            Record::Predicted { .. } | Record::Ignored { .. } => {}
            Record::Accepted { key } => {
                self.accepted.insert(key.clone());
            }
            Record::Asked { seq, time, broker, write, moves } => {
                let open = OpenWrite {
                    time: *time,
                    broker: *broker,
                    write: write.clone(),
                    moves: moves.clone(),
                    answered: false,
                    heard: None,
                };
                self.asked(*seq, open);
            }
            Record::Answered { seq, sent } => self.answered(*seq, sent),
            Record::Heard { seq, time } => {
                if let Some(open) = self.open.get_mut(seq) {
                    open.heard = open.heard.or(Some(*time));
                }
            }
            Record::Settled { seq } => {
                self.open.remove(seq);
            }
            Record::Restored { key } => {
                self.priors.remove(key);
                self.entries.remove(key);
                self.rates.remove(key);
            }
            Record::Foreign { key } => {
                self.priors.remove(key);
                self.rates.remove(key);
                self.foreign.insert(key.clone());
            }
            Record::Approved { gate } => {
                self.approvals.insert(*gate);
            }
            Record::GaveUp { broker } => {
                self.given_up.insert(*broker);
            }
            Record::SetAside { moves, .. } => self.aside.extend(moves),
            Record::Baseline(baseline) => self.baseline = Some(baseline.clone()),
            Record::Throttled { throttle } => self.throttle = *throttle,
            Record::Closed { outcome, left } => self.closed = Some((*outcome, left.clone())),
        }
    }

    fn opened(&mut self, opened: &Opened) {
        if self.closed.take().is_some() || self.first.is_none() {
            self.first = Some(opened.clone());
            self.approvals.clear();
            self.accepted.clear();
            self.given_up.clear();
            self.aside.clear();
            self.baseline = None;
            self.foreign.clear();
            self.asked_anything = false;
        }
        match opened.goal {
            Goal::Forward => self.throttle = opened.throttle,
            // What was set aside on the way forward is taken back with the rest.
            Goal::Back => {
                self.approvals.clear();
                self.aside.clear();
            }
            Goal::Quiesce => {}
        }
        self.last = Some(opened.clone());
    }

    fn asked(&mut self, seq: u64, open: OpenWrite) {
        self.asked_anything = true;
        self.next = self.next.max(seq + 1);
        match &open.write {
            Write::Reassign { items, .. } => {
                for ((_, list), at) in items.iter().zip(&open.moves) {
                    if let Some(list) = list {
                        self.asked.entry(*at).or_default().insert(list.clone());
                    }
                }
            }
            Write::Configs { items, .. } => {
                for change in items {
                    let key = ConfigKey::of(change);
                    match &change.op {
                        ConfigOp::Append(list) => {
                            let entries = self.entries.entry(key).or_default();
                            entries.extend(list.split(',').map(str::to_owned));
                        }
                        ConfigOp::Set(value) => {
                            self.rates.entry(key).or_default().insert(value.clone());
                        }
                        ConfigOp::Subtract(_) | ConfigOp::Delete => {}
                    }
                }
            }
            Write::Elect { .. } => {}
        }
        self.open.insert(seq, open);
    }

    /// What is claimed is as if we had set it where nothing was.
    fn claimed(&mut self, key: &ConfigKey, value: &str) {
        self.priors.insert(key.clone(), PriorValue::Absent);
        if key.is_list() {
            self.entries
                .entry(key.clone())
                .or_default()
                .extend(value.split(',').map(|e| e.trim().to_owned()));
        } else {
            self.rates.entry(key.clone()).or_default().insert(value.to_owned());
        }
    }

    fn answered(&mut self, seq: u64, sent: &Sent) {
        let Some(open) = self.open.get_mut(&seq) else { return };
        match sent {
            Sent::NotSent(_) => {
                self.open.remove(&seq);
            }
            Sent::Unknown(_) => {}
            Sent::Items(items) => {
                open.answered = true;
                if items.iter().all(|item| item.code.is_none_or(is_settling)) {
                    self.open.remove(&seq);
                }
            }
        }
    }
}

/// Whether an error code tells for certain that the item was not applied and will not be.
///
/// Any other code, REQUEST_TIMED_OUT (7) and UNKNOWN_SERVER_ERROR (-1) among them, leaves the write open.
pub(crate) fn is_settling(code: Code) -> bool {
    matches!(
        code,
        Code::UNKNOWN_TOPIC_OR_PARTITION
            | Code::INVALID_TOPIC_EXCEPTION
            | Code::TOPIC_AUTHORIZATION_FAILED
            | Code::CLUSTER_AUTHORIZATION_FAILED
            | Code::UNSUPPORTED_VERSION
            | Code::INVALID_REPLICATION_FACTOR
            | Code::INVALID_REPLICA_ASSIGNMENT
            | Code::INVALID_CONFIG
            | Code::NOT_CONTROLLER
            | Code::INVALID_REQUEST
            | Code::POLICY_VIOLATION
            | Code::REASSIGNMENT_IN_PROGRESS
            | Code::PREFERRED_LEADER_NOT_AVAILABLE
            | Code::ELECTION_NOT_NEEDED
            | Code::NO_REASSIGNMENT_IN_PROGRESS
    )
}

#[cfg(test)]
mod tests {
    use restow_planner::model::TopicPartition;

    use super::super::records::{FORMAT, Result};
    use super::*;

    fn opened(goal: Goal) -> Record {
        Record::Opened(Opened {
            format: FORMAT,
            plan_hash: "h".into(),
            plan_path: "p".into(),
            cluster: "c".into(),
            goal,
            pace: String::new(),
            throttle: None,
            host: "here".into(),
            pid: 1,
            principal: None,
            time: 0,
        })
    }

    fn asked(seq: u64) -> Record {
        let items = vec![(TopicPartition::new("t", 0), Some(vec![BrokerId(1), BrokerId(2)]))];
        let write = Write::Reassign { items, allow_rf_change: true };
        Record::Asked { seq, time: 5, broker: BrokerId(1), write, moves: vec![3] }
    }

    fn answered(seq: u64, code: Option<i16>) -> Record {
        let item = Result { code: code.map(Code), message: None };
        Record::Answered { seq, sent: Sent::Items(vec![item]) }
    }

    #[test]
    fn e6_a_write_is_open_until_a_known_answer() {
        let open = |records: &[Record]| fold(records).open.len();
        assert_eq!(open(&[asked(0)]), 1, "no answer");
        assert_eq!(open(&[asked(0), answered(0, None)]), 0);
        assert_eq!(open(&[asked(0), answered(0, Some(39))]), 0);
        assert_eq!(open(&[asked(0), answered(0, Some(7))]), 1, "REQUEST_TIMED_OUT says nothing");
        assert_eq!(open(&[asked(0), answered(0, Some(-1))]), 1, "nor does a code that we do not know");
        assert_eq!(open(&[asked(0), Record::Answered { seq: 0, sent: Sent::NotSent("refused".into()) }]), 0);
        assert_eq!(open(&[asked(0), answered(0, Some(7)), Record::Settled { seq: 0 }]), 0);
    }

    #[test]
    fn a_rollback_ends_all_approvals_and_a_new_run_has_none() {
        let approve = Record::Approved { gate: Gate::Swap };
        let forward = [opened(Goal::Forward), approve];
        assert_eq!(fold(&forward).approvals.len(), 1);
        assert!(fold(&[&forward[..], &[opened(Goal::Back)]].concat()).approvals.is_empty());
        let closed = Record::Closed { outcome: Outcome::Done, left: vec![] };
        assert!(fold(&[&forward[..], &[closed, opened(Goal::Forward)]].concat()).approvals.is_empty());
    }

    #[test]
    fn the_first_prior_of_a_key_holds_until_it_is_restored() {
        let key = ConfigKey { resource: restow_client::read::Resource::Broker(BrokerId(1)), key: "r".into() };
        let prior = |v: &str| Record::Prior { key: key.clone(), value: PriorValue::Value(v.into()) };
        let memory = fold(&[prior("first"), prior("second")]);
        assert_eq!(memory.priors[&key], PriorValue::Value("first".into()));
        let memory = fold(&[prior("first"), Record::Restored { key: key.clone() }, prior("third")]);
        assert_eq!(memory.priors[&key], PriorValue::Value("third".into()));
    }
}
