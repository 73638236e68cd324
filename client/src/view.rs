//! What a cluster tells, in plain types. Nothing here is checked against other answers.

use std::fmt;
use std::sync::Arc;

use restow_planner::model::{BrokerId, ConfigSource, TopicId};
use serde::{Deserialize, Serialize};

use crate::code::Code;

/// The cluster and its brokers (`DescribeCluster`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterView {
    /// Kafka's cluster id.
    pub cluster_id: String,
    /// The brokers, ordered by id. Fenced ones are among them from Kafka 4.0 on (KIP-1073).
    pub brokers: Vec<BrokerView>,
}

/// One broker of a [`ClusterView`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerView {
    /// Its `node.id`.
    pub id: BrokerId,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
    /// Its `broker.rack`.
    pub rack: Option<String>,
    /// Whether the controller fenced it; `None` where the API does not tell (before v2, Kafka 4.0).
    pub fenced: Option<bool>,
}

/// The controllers of a cluster in KRaft mode (`DescribeQuorum`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumView {
    /// Id of the active controller.
    pub leader: i32,
    /// Ids of all voters.
    pub voters: Vec<i32>,
    /// The active controller's clock when it answered, in milliseconds since 1970; none before Kafka 3.3 (v1).
    pub time: Option<u64>,
}

/// One topic (`Metadata`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicView {
    /// Its name.
    pub name: String,
    /// Its id; [`TopicId::ZERO`] where the topic is unknown or Metadata is older than v10.
    pub id: TopicId,
    /// Whether Kafka flags it as internal.
    pub internal: bool,
    /// `UNKNOWN_TOPIC_OR_PARTITION`, `TOPIC_AUTHORIZATION_FAILED`, …; the rest then means nothing.
    pub error: Option<Code>,
    /// Its partitions, ordered by number.
    pub partitions: Vec<PartitionView>,
}

/// One partition of a [`TopicView`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionView {
    /// Its number.
    pub partition: i32,
    /// Its leader, if it has one.
    pub leader: Option<BrokerId>,
    /// The leader epoch, -1 where unknown.
    pub leader_epoch: i32,
    /// Its replicas, in Kafka's order: the first is the preferred leader.
    pub replicas: Vec<BrokerId>,
    /// The in-sync replicas, a subset of `replicas`, in no order.
    pub isr: Vec<BrokerId>,
    /// Replicas whose broker or log directory is down, as the answering broker knows.
    pub offline: Vec<BrokerId>,
    /// `LEADER_NOT_AVAILABLE` and the like.
    pub error: Option<Code>,
}

/// One in-flight reassignment (`ListPartitionReassignments`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reassignment {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The present replica list: the target, then the replicas being removed.
    pub replicas: Vec<BrokerId>,
    /// Those of `replicas` that are being added.
    pub adding: Vec<BrokerId>,
    /// Those of `replicas` that are being removed.
    pub removing: Vec<BrokerId>,
}

/// Whose offset is asked for (`ListOffsetsRequest.ReplicaId`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Replica {
    /// What a consumer sees: the high watermark. Only the leader answers (-1, read uncommitted).
    Leader,
    /// The asked broker's own log end offset, also of a replica that is still being added (-2).
    Local,
}

/// One partition whose offset is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetQuery {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The leader epoch that the asker knows: another one is answered with an error. -1: do not check.
    pub leader_epoch: i32,
}

/// Something that has configs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// A topic, by name.
    Topic(String),
    /// One broker. Kafka 3.x and 4.x answer for it on that broker only.
    Broker(BrokerId),
    /// The dynamic defaults of all brokers.
    ClusterDefault,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Topic(name) => write!(f, "topic {name}"),
            Resource::Broker(id) => write!(f, "broker {id}"),
            Resource::ClusterDefault => f.write_str("cluster default"),
        }
    }
}

/// One config of a resource (`DescribeConfigs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The key.
    pub name: String,
    /// The effective value; `None` for a sensitive one and for one without a default.
    pub value: Option<String>,
    /// Where the effective value comes from.
    pub source: ConfigSource,
    /// Whether Kafka hides the value.
    pub sensitive: bool,
    /// Every level that sets the key, the effective one first: key at that level, value, source.
    pub synonyms: Vec<(String, Option<String>, ConfigSource)>,
}

/// The configs of a resource, or why they are not told.
pub type ConfigAnswer = Result<Vec<ConfigEntry>, Code>;

/// One log directory of a broker (`DescribeLogDirs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirView {
    /// Its path on the broker.
    pub path: String,
    /// `KAFKA_STORAGE_ERROR` if the directory failed.
    pub error: Option<Code>,
    /// Size of its volume in bytes (v4, Kafka 3.3). Directories on one volume report the same.
    pub total: Option<u64>,
    /// Bytes still free on its volume (v4).
    pub usable: Option<u64>,
    /// Whether it takes no new replicas (v5, Kafka 4.3, KIP-1066); `None` where the API does not tell.
    pub cordoned: Option<bool>,
    /// The replicas in it, in no order.
    pub replicas: Vec<LogReplica>,
}

/// One replica in a log directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogReplica {
    /// The topic's name; the replicas of one topic share it.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
    /// Bytes of its log segments on this broker. Tiered segments do not count.
    pub size: u64,
    /// Whether it is the future copy of a move between directories of this broker.
    pub future: bool,
}
