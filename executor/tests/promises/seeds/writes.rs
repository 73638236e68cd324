//! What each host's executor asked for, by its journal: E1 and E6.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use restow_client::Code;
use restow_client::write::{ConfigOp, Write};
use restow_executor::journal::{ConfigKey, Gate, Goal, PriorValue, Record, Sent};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_simulator::controller::{ConfigChange, Request, Resource};

/// Something that a write names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    Partition(TopicPartition),
    Config(ConfigKey),
}

#[derive(Debug)]
struct Asked {
    seq: u64,
    at: Duration,
    text: String,
    names: BTreeSet<Name>,
    open: bool,
}

/// How long a brokers goes on forwarding, and five seconds (promise E6).
const OPEN: Duration = Duration::from_secs(65);

/// One host's journal as the judge reads it.
#[derive(Debug, Default)]
pub struct Book {
    asked: Vec<Asked>,
    pub goal: Option<Goal>,
    closed: bool,
    pub approved: BTreeSet<Gate>,
    pub priors: BTreeMap<ConfigKey, PriorValue>,
    /// Lists asked for, by partition.
    pub lists: BTreeMap<TopicPartition, BTreeSet<Vec<BrokerId>>>,
    /// Entries ever appended, by list.
    pub entries: BTreeMap<ConfigKey, BTreeSet<String>>,
}

pub fn names(write: &Write) -> BTreeSet<Name> {
    match write {
        Write::Reassign { items, .. } => items.iter().map(|(at, _)| Name::Partition(at.clone())).collect(),
        Write::Elect { items } => items.iter().map(|at| Name::Partition(at.clone())).collect(),
        Write::Configs { items, .. } => items.iter().map(|c| Name::Config(ConfigKey::of(c))).collect(),
    }
}

/// A write in words that are those of the request that it becomes.
fn text_of_write(write: &Write) -> String {
    let mut items: Vec<String> = match write {
        Write::Reassign { items, .. } => items.iter().map(|item| format!("{item:?}")).collect(),
        Write::Elect { items } => items.iter().map(|at| format!("elect {at}")).collect(),
        Write::Configs { items, .. } => {
            let op = |op: &ConfigOp| match op {
                ConfigOp::Set(v) => format!("set {v}"),
                ConfigOp::Delete => "delete".into(),
                ConfigOp::Append(v) => format!("append {v}"),
                ConfigOp::Subtract(v) => format!("subtract {v}"),
            };
            items.iter().map(|c| format!("{} {} {}", c.resource, c.key, op(&c.op))).collect()
        }
    };
    items.sort();
    items.join("; ")
}

pub fn text_of_request(request: &Request) -> String {
    let mut items: Vec<String> = match request {
        Request::Alter { items, .. } => items.iter().map(|item| format!("{item:?}")).collect(),
        Request::Elect { only, .. } => only.iter().flatten().map(|at| format!("elect {at}")).collect(),
        Request::AlterConfigs { items, .. } => {
            let all = items.iter().flat_map(|(of, changes)| changes.iter().map(move |c| (of, c)));
            all.map(|(of, change)| {
                let of = match of {
                    Resource::Topic(name) => format!("topic {name}"),
                    Resource::Broker(id) => format!("broker {id}"),
                    Resource::AllBrokers => "cluster default".into(),
                };
                let op = match change {
                    ConfigChange::Set(_, v) => format!("set {v}"),
                    ConfigChange::Delete(_) => "delete".into(),
                    ConfigChange::Append(_, v) => format!("append {v}"),
                    ConfigChange::Subtract(_, v) => format!("subtract {v}"),
                    ConfigChange::Valueless(_) => "valueless".into(),
                };
                format!("{of} {} {op}", change.key())
            })
            .collect()
        }
        other => vec![format!("{other:?}")],
    };
    items.sort();
    items.join("; ")
}

impl Book {
    /// Learns a record; `now` is the simulator's time.
    pub fn learn(&mut self, record: &Record, now: Duration) {
        match record {
            Record::Opened(opened) => {
                if self.closed {
                    self.approved.clear();
                }
                if opened.goal == Goal::Back {
                    self.approved.clear();
                }
                (self.closed, self.goal) = (false, Some(opened.goal));
            }
            Record::Approved { gate } => drop(self.approved.insert(*gate)),
            Record::Prior { key, value } => {
                self.priors.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Record::Restored { key } | Record::Foreign { key } => drop(self.priors.remove(key)),
            Record::Asked { seq, write, .. } => self.ask(*seq, write, now),
            Record::Answered { seq, sent } => self.answered(*seq, sent),
            Record::Settled { seq } => {
                let one = self.asked.iter_mut().find(|one| one.seq == *seq).expect("it was asked");
                assert!(now >= one.at + OPEN, "E6: write {seq} is called settled after {:?}", now - one.at);
                one.open = false;
            }
            Record::Closed { .. } => {
                let open = self.asked.iter().find(|one| one.open);
                assert!(open.is_none(), "E6: the run is closed with an open write: {open:?}");
                self.closed = true;
            }
            _ => {}
        }
    }

    fn ask(&mut self, seq: u64, write: &Write, now: Duration) {
        let names = names(write);
        let open = self.asked.iter().find(|one| one.open && !one.names.is_disjoint(&names));
        assert!(open.is_none(), "E6: {write:?} is asked while {open:?} is open");
        match write {
            Write::Reassign { items, .. } => {
                for (at, list) in items {
                    self.lists.entry(at.clone()).or_default().extend(list.clone());
                }
            }
            Write::Configs { items, .. } => {
                for change in items {
                    if let ConfigOp::Append(list) = &change.op {
                        let entries = self.entries.entry(ConfigKey::of(change)).or_default();
                        entries.extend(list.split(',').map(str::to_owned));
                    }
                }
            }
            Write::Elect { .. } => {}
        }
        let text = text_of_write(write);
        self.asked.push(Asked { seq, at: now, text, names, open: true });
    }

    fn answered(&mut self, seq: u64, sent: &Sent) {
        let one = self.asked.iter_mut().find(|one| one.seq == seq).expect("it was asked");
        let unsure = |code: Code| code == Code::REQUEST_TIMED_OUT || code == Code::UNKNOWN_SERVER_ERROR;
        match sent {
            Sent::NotSent(_) => one.open = false,
            Sent::Items(items) => one.open = items.iter().any(|item| item.code.is_some_and(unsure)),
            Sent::Unknown(_) => {}
        }
    }

    /// Answers that were not kept are unknown again.
    pub fn forget(&mut self, kept: &[Record]) {
        let known = |seq: u64| {
            kept.iter().any(|record| match record {
                Record::Answered { seq: of, .. } | Record::Settled { seq: of } => *of == seq,
                _ => false,
            })
        };
        for one in self.asked.iter_mut().rev().take_while(|one| !known(one.seq)) {
            one.open = true;
        }
    }

    /// The broker carried this out: it was journalled before (E1), and nothing was asked since for what it
    /// names (E6). When it was asked.
    pub fn applied(&self, request: &Request) -> Duration {
        let text = text_of_request(request);
        let at = self.asked.iter().rposition(|one| one.text == text);
        let at = at.unwrap_or_else(|| panic!("E1: this is not in the journal: {text}"));
        let one = &self.asked[at];
        let later = self.asked[at + 1..].iter().find(|later| !later.names.is_disjoint(&one.names));
        assert!(later.is_none(), "E6: {text} takes effect after {later:?} was asked");
        one.at
    }

    /// Whether a write that names this config was asked of late, or is open.
    pub fn is_busy(&self, key: &ConfigKey, since: Duration) -> bool {
        let name = Name::Config(key.clone());
        self.asked.iter().rev().any(|one| (one.open || one.at >= since) && one.names.contains(&name))
    }
}
