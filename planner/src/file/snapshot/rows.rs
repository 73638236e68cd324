//! Brokers, topics and config differences as they stand in the file.

use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};

use crate::model::{
    Broker, BrokerId, ConfigDifference, ConfigSource, LogDir, NodeType, SetConfig, Sockets, Topic, TopicId,
    Unseen,
};

#[derive(Serialize, Deserialize)]
pub(super) struct BrokerRow {
    pub id: BrokerId,
    #[serde(default)]
    pub rack: Option<String>,
    #[serde(default)]
    pub zone: Option<String>,
    #[serde(default)]
    pub host: String,
    #[serde(default)]
    pub port: u16,
    #[serde(default)]
    pub fenced: Option<bool>,
    pub answered: bool,
    #[serde(default)]
    pub listeners: Option<Vec<String>>,
    #[serde(default)]
    pub log_dirs: Vec<LogDirRow>,
    #[serde(default)]
    pub rates: Vec<SetConfigRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<Sockets>,
    #[serde(default)]
    pub unseen: Vec<UnseenRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeRow>,
}

/// What is unknown is left out; a number is above zero.
#[derive(Serialize, Deserialize)]
pub(super) struct NodeRow {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<NonZeroU64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_bytes_per_second: Option<NonZeroU64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<NonZeroU32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_month: Option<u64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LogDirRow {
    pub path: String,
    #[serde(default)]
    pub total_bytes: Option<u64>,
    #[serde(default)]
    pub usable_bytes: Option<u64>,
    #[serde(default)]
    pub offline: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SetConfigRow {
    pub key: String,
    pub value: String,
    pub source: ConfigSource,
}

#[derive(Serialize, Deserialize)]
pub(super) struct UnseenRow {
    pub topic: String,
    pub replicas: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DifferenceRow {
    pub topic: String,
    pub key: String,
    pub values: Vec<ValueRow>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ValueRow {
    pub value: String,
    pub brokers: Vec<BrokerId>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MinIsrRow {
    pub value: u32,
    pub source: ConfigSource,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TopicRow {
    pub name: String,
    pub id: TopicId,
    pub internal: bool,
    #[serde(default)]
    pub min_isr: Option<MinIsrRow>,
    #[serde(default)]
    pub remote_storage: bool,
    #[serde(default)]
    pub throttled_leaders: Option<String>,
    #[serde(default)]
    pub throttled_followers: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    pub partitions: u32,
}

impl From<&Broker> for BrokerRow {
    fn from(broker: &Broker) -> Self {
        let dir = |dir: &LogDir| LogDirRow {
            path: dir.path.clone(),
            total_bytes: dir.total_bytes,
            usable_bytes: dir.usable_bytes,
            offline: dir.offline,
        };
        let rate = |set: &SetConfig| SetConfigRow {
            key: set.key.clone(),
            value: set.value.clone(),
            source: set.source,
        };
        let unseen = |unseen: &Unseen| UnseenRow { topic: unseen.topic.clone(), replicas: unseen.replicas };
        BrokerRow {
            id: broker.id,
            rack: broker.rack.clone(),
            zone: broker.zone.clone(),
            host: broker.host.clone(),
            port: broker.port,
            fenced: broker.fenced,
            answered: broker.answered,
            listeners: broker.listeners.clone(),
            log_dirs: broker.log_dirs.iter().map(dir).collect(),
            rates: broker.rates.iter().map(rate).collect(),
            sockets: broker.sockets,
            unseen: broker.unseen.iter().map(unseen).collect(),
            node: broker.node.as_ref().map(NodeRow::from),
        }
    }
}

impl From<BrokerRow> for Broker {
    fn from(row: BrokerRow) -> Self {
        let dir = |dir: LogDirRow| LogDir {
            path: dir.path,
            total_bytes: dir.total_bytes,
            usable_bytes: dir.usable_bytes,
            offline: dir.offline,
        };
        let rate = |set: SetConfigRow| SetConfig { key: set.key, value: set.value, source: set.source };
        let unseen = |unseen: UnseenRow| Unseen { topic: unseen.topic, replicas: unseen.replicas };
        Broker {
            id: row.id,
            zone: row.zone.or_else(|| row.rack.clone()),
            rack: row.rack,
            host: row.host,
            port: row.port,
            fenced: row.fenced,
            answered: row.answered,
            listeners: row.listeners,
            log_dirs: row.log_dirs.into_iter().map(dir).collect(),
            rates: row.rates.into_iter().map(rate).collect(),
            sockets: row.sockets,
            unseen: row.unseen.into_iter().map(unseen).collect(),
            node: row.node.map(NodeType::from),
        }
    }
}

impl From<&NodeType> for NodeRow {
    fn from(node: &NodeType) -> Self {
        NodeRow {
            name: node.name.clone(),
            disk_bytes: node.disk_bytes.and_then(NonZeroU64::new),
            network_bytes_per_second: node.network_bytes_per_second.and_then(NonZeroU64::new),
            replicas: node.replicas.and_then(NonZeroU32::new),
            price_per_month: node.price_per_month,
        }
    }
}

impl From<NodeRow> for NodeType {
    fn from(row: NodeRow) -> Self {
        NodeType {
            name: row.name,
            disk_bytes: row.disk_bytes.map(NonZeroU64::get),
            network_bytes_per_second: row.network_bytes_per_second.map(NonZeroU64::get),
            replicas: row.replicas.map(NonZeroU32::get),
            price_per_month: row.price_per_month,
        }
    }
}

impl From<&ConfigDifference> for DifferenceRow {
    fn from(difference: &ConfigDifference) -> Self {
        let value = |(value, brokers): &(String, Vec<BrokerId>)| ValueRow {
            value: value.clone(),
            brokers: brokers.clone(),
        };
        DifferenceRow {
            topic: difference.topic.clone(),
            key: difference.key.clone(),
            values: difference.values.iter().map(value).collect(),
        }
    }
}

impl From<DifferenceRow> for ConfigDifference {
    fn from(row: DifferenceRow) -> Self {
        let values = row.values.into_iter().map(|value| (value.value, value.brokers)).collect();
        ConfigDifference { topic: row.topic, key: row.key, values }
    }
}

impl From<&Topic> for TopicRow {
    fn from(topic: &Topic) -> Self {
        TopicRow {
            name: topic.name.clone(),
            id: topic.id,
            internal: topic.internal,
            min_isr: topic.min_isr.map(|(value, source)| MinIsrRow { value, source }),
            remote_storage: topic.remote_storage,
            throttled_leaders: topic.throttled_leaders.clone(),
            throttled_followers: topic.throttled_followers.clone(),
            zones: topic.zones.clone(),
            partitions: topic.partitions,
        }
    }
}

/// The topic of a row, with the number of partitions that the row announces.
pub(super) fn topic_of(row: TopicRow) -> (Topic, u32) {
    let topic = Topic {
        name: row.name,
        id: row.id,
        internal: row.internal,
        min_isr: row.min_isr.map(|min| (min.value, min.source)),
        remote_storage: row.remote_storage,
        throttled_leaders: row.throttled_leaders,
        throttled_followers: row.throttled_followers,
        zones: row.zones,
        first: 0,
        partitions: 0,
    };
    (topic, row.partitions)
}
