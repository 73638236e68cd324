//! What stands in a journal, one record a line.

use std::collections::BTreeSet;
use std::fmt;

use restow_client::Code;
use restow_client::read::Resource;
use restow_client::write::{ConfigChange, Write};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::Step;
use serde::{Deserialize, Serialize};

/// The journal's format version.
pub const FORMAT: u32 = 1;

/// What a run wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Carry the plan out.
    Forward,
    /// Take back what is not shrunk yet.
    Back,
    /// Stop cleanly: ask for nothing new, restore what can be restored.
    Quiesce,
}

/// Where a staged run waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Before the first step that clients see.
    Swap,
    /// Before the point of no return.
    Shrink,
}

impl Gate {
    /// The step that the gate stands before.
    pub fn step(self) -> Step {
        match self {
            Gate::Swap => Step::Swap,
            Gate::Shrink => Step::Shrink,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step().fmt(f)
    }
}

/// One config value of one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConfigKey {
    /// The topic or broker.
    pub resource: Resource,
    /// The config's name.
    pub key: String,
}

impl ConfigKey {
    /// The key that a change changes.
    pub fn of(change: &ConfigChange) -> Self {
        ConfigKey { resource: change.resource.clone(), key: change.key.clone() }
    }

    /// Whether it is a list of throttled replicas, to which entries are added and from which they are taken; all
    /// other configs are single values.
    pub fn is_list(&self) -> bool {
        self.key.ends_with(".throttled.replicas")
    }
}

impl fmt::Display for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Resource::Topic(name) => write!(f, "topic {name}: {}", self.key),
            Resource::Broker(id) => write!(f, "broker {id}: {}", self.key),
            Resource::ClusterDefault => write!(f, "all brokers: {}", self.key),
        }
    }
}

/// What a config held before us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriorValue {
    /// It was not set.
    Absent,
    /// It was set to this.
    Value(String),
}

impl From<Option<&str>> for PriorValue {
    fn from(value: Option<&str>) -> Self {
        value.map_or(PriorValue::Absent, |v| PriorValue::Value(v.to_owned()))
    }
}

/// What was not well when a run began: it holds nothing unless it worsens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// Brokers of the plan that were out of service.
    pub offline: BTreeSet<BrokerId>,
    /// Number of under-replicated partitions outside the plan.
    pub under_replicated: u64,
    /// Number of partitions below `min.insync.replicas`.
    pub under_min_isr: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The goal is reached.
    Done,
    /// Waiting for a person at this gate.
    Gate(Gate),
    /// A person stopped it.
    Stopped,
    /// Some partitions settled in a list that is not ours.
    Diverged,
    /// Done, but something of ours is left.
    Left,
    /// Held for longer than was allowed.
    Held,
    /// Refused before anything was asked.
    Refused,
    /// Rolled back as far as it can be without copying; a plan for the rest was written.
    PartlyBack,
    /// Done, but for partitions that were set aside, or taken back because their destination was given up.
    Aside,
}

/// How one item of a write ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Result {
    /// Kafka's error; none is success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Kafka's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How a write ended as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sent {
    /// Answered, item by item.
    Items(Vec<Result>),
    /// No byte of it was written: nothing changed.
    NotSent(String),
    /// It was written and not answered: unknown.
    Unknown(String),
}

/// The beginning of a process's work on a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Format of the journal.
    pub format: u32,
    /// Hash of the plan.
    pub plan_hash: String,
    /// Where the plan file lies.
    pub plan_path: String,
    /// The cluster's id.
    pub cluster: String,
    /// What this process wants.
    pub goal: Goal,
    /// Its pace, for people.
    pub pace: String,
    /// Its throttle in bytes/s; none is no throttle.
    pub throttle: Option<u64>,
    /// The host's name.
    pub host: String,
    /// The process id.
    pub pid: u32,
    /// Who we are to the cluster, as far as the login tells; none without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Wall time in milliseconds since 1970.
    pub time: u64,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// A process began.
    Opened(Opened),
    /// What a config held before we changed it. Holds until its [`Record::Restored`].
    Prior {
        /// The config.
        key: ConfigKey,
        /// Its value.
        value: PriorValue,
    },
    /// What we expect of the run, written before it.
    Predicted {
        /// Bytes to copy.
        bytes: u64,
        /// Seconds, where a throttle and all sizes are known.
        seconds: Option<u64>,
    },
    /// A person accepted a config difference when applying.
    Accepted {
        /// The config key.
        key: String,
    },
    /// A write is about to be sent.
    Asked {
        /// Its number in this journal.
        seq: u64,
        /// Wall time in milliseconds since 1970.
        time: u64,
        /// The broker that it goes to.
        broker: BrokerId,
        /// What is asked.
        write: Write,
        /// Positions of the plan's moves that it concerns.
        moves: Vec<u32>,
    },
    /// How it ended. Absence means unknown.
    Answered {
        /// Its number.
        seq: u64,
        /// How it ended.
        sent: Sent,
    },
    /// The broker of an unanswered write was seen to answer, restart or be fenced after it.
    Heard {
        /// The write's number.
        seq: u64,
        /// Wall time in milliseconds since 1970.
        time: u64,
    },
    /// The effect of an unanswered write can no longer arrive (promise E6).
    Settled {
        /// Its number.
        seq: u64,
    },
    /// A config is as it was before us, read back.
    Restored {
        /// The config.
        key: ConfigKey,
    },
    /// Somebody else changed a config of ours: theirs stays.
    Foreign {
        /// The config.
        key: ConfigKey,
    },
    /// A person approved a gate.
    Approved {
        /// The gate.
        gate: Gate,
    },
    /// A person said that a broker will not come back.
    GaveUp {
        /// The broker.
        broker: BrokerId,
    },
    /// A person set partitions aside: the run does nothing more for them.
    SetAside {
        /// Positions of the plan's moves.
        moves: Vec<u32>,
        /// Their names, for people.
        partitions: Vec<TopicPartition>,
    },
    /// A person claimed a move in flight that we had not asked for.
    Adopted {
        /// Position of the plan's move.
        at: u32,
        /// Its name, for people.
        partition: TopicPartition,
        /// The list that it is on its way to.
        list: Vec<BrokerId>,
    },
    /// A person said that a throttle which nobody's journal explains is to go.
    Claimed {
        /// The config.
        key: ConfigKey,
        /// What it holds.
        value: String,
    },
    /// A person overrides a kind of hold for this process.
    Ignored {
        /// Which, as it was typed.
        hold: String,
    },
    /// What was unhealthy when the run began: it holds nothing unless it worsens.
    Baseline(Baseline),
    /// A person changed the throttle of a running process.
    Throttled {
        /// Bytes/s; none is no throttle.
        throttle: Option<u64>,
    },
    /// The goal is reached.
    Closed {
        /// How.
        outcome: Outcome,
        /// What of ours is left, in words.
        left: Vec<String>,
    },
}
