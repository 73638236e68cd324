//! What the tests' admin client answers, as plain values.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// What Kafka, or its client, answered instead of doing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminError {
    /// The name in the protocol (`UNKNOWN_TOPIC_OR_PARTITION`), or else the class of the Java exception.
    pub code: String,
    /// What it says.
    pub message: String,
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for AdminError {}

/// One partition that a request over many did not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Why.
    pub error: AdminError,
}

/// A cluster's id and its live brokers with their racks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The cluster id.
    pub id: String,
    /// Broker id to rack.
    pub brokers: BTreeMap<i32, Option<String>>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The topic id, as Kafka prints it.
    pub id: String,
    /// By partition number.
    pub partitions: Vec<Partition>,
}

/// A partition as the metadata shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The replica list, in order.
    pub replicas: Vec<i32>,
    /// The in-sync replicas, as answered.
    pub isr: Vec<i32>,
    /// The leader, if there is one.
    pub leader: Option<i32>,
}

/// A reassignment in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment {
    /// All replicas, in order.
    pub replicas: Vec<i32>,
    /// Those that are being added.
    pub adding: Vec<i32>,
    /// Those that will be removed.
    pub removing: Vec<i32>,
}

/// The ends of a partition's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// The first offset.
    pub earliest: i64,
    /// The high watermark.
    pub latest: i64,
}

/// A replica in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirReplica {
    /// The broker.
    pub broker: i32,
    /// The path of the directory.
    pub dir: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Bytes.
    pub size: i64,
    /// Offsets behind the high watermark.
    pub lag: i64,
    /// Whether it is the copy that a move between directories makes.
    pub future: bool,
}

/// One change of an incremental alteration of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigChange {
    /// Set key to value.
    Set(String, String),
    /// Add values to a list.
    Append(String, String),
    /// Take values out of a list.
    Subtract(String, String),
    /// Remove the key.
    Delete(String),
}

impl ConfigChange {
    /// [`ConfigChange::Set`] from borrowed words.
    #[must_use]
    pub fn set(key: &str, value: &str) -> ConfigChange {
        ConfigChange::Set(key.to_owned(), value.to_owned())
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            ConfigChange::Set(key, value) => json!({"op": "SET", "key": key, "value": value}),
            ConfigChange::Append(key, value) => json!({"op": "APPEND", "key": key, "value": value}),
            ConfigChange::Subtract(key, value) => json!({"op": "SUBTRACT", "key": key, "value": value}),
            ConfigChange::Delete(key) => json!({"op": "DELETE", "key": key}),
        }
    }
}
