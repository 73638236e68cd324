//! What happened, in order, for who checks it: every change of the cluster and who asked for it.

use std::collections::BTreeMap;
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicId, TopicPartition};

use crate::controller::{Configs, Life, Partition, Request, Resource, Response, State};
use crate::faults::Fault;
use crate::rules::Api;

/// Who asked for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A client of the protocol, by its `client.id`.
    Client(String),
    /// Who holds the handle.
    Somebody,
    /// The brokers and the controller themselves.
    Cluster,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// When, since the start.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The controller answered a request that may change something.
    Asked {
        /// Who asked.
        by: By,
        /// What was asked.
        request: Request,
        /// What was answered.
        response: Response,
        /// The partitions that differ now.
        partitions: Vec<PartitionChange>,
        /// The config values that differ now.
        configs: Vec<ConfigValueChange>,
    },
    /// A request reached a broker that was to answer it.
    Arrived {
        /// Its client's `client.id`.
        client: String,
        /// The broker.
        broker: BrokerId,
        /// Its kind.
        api: Api,
        /// What went wrong with it.
        fault: Option<Fault>,
    },
    /// A broker's process changed.
    Life {
        /// The broker.
        broker: BrokerId,
        /// What it does now.
        life: Life,
    },
}

/// A partition before and after; none where it does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionChange {
    /// The partition.
    pub partition: TopicPartition,
    /// Its topic's id after the change, or before it where it is gone.
    pub topic: TopicId,
    /// As it was.
    pub before: Option<Partition>,
    /// As it is.
    pub after: Option<Partition>,
}

/// A config value before and after; none where it is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigValueChange {
    /// Whose config.
    pub resource: Resource,
    /// The key.
    pub key: String,
    /// As it was.
    pub before: Option<String>,
    /// As it is.
    pub after: Option<String>,
}

/// The partitions that two states do not share.
pub(crate) fn partitions(before: &State, after: &State) -> Vec<PartitionChange> {
    let mut changes = Vec::new();
    for (name, topic) in &before.topics {
        let now = after.topics.get(name).filter(|now| now.id == topic.id);
        if now.is_some_and(|now| now.partitions == topic.partitions) {
            continue;
        }
        for (n, was) in topic.partitions.iter().enumerate() {
            let is = now.and_then(|now| now.partitions.get(n));
            if is != Some(was) {
                let partition = TopicPartition::new(name.as_str(), n as i32);
                let (before, after) = (Some(was.clone()), is.cloned());
                changes.push(PartitionChange { partition, topic: topic.id, before, after });
            }
        }
    }
    for (name, topic) in &after.topics {
        let known =
            before.topics.get(name).filter(|was| was.id == topic.id).map_or(0, |t| t.partitions.len());
        for (n, is) in topic.partitions.iter().enumerate().skip(known) {
            let partition = TopicPartition::new(name.as_str(), n as i32);
            changes.push(PartitionChange {
                partition,
                topic: topic.id,
                before: None,
                after: Some(is.clone()),
            });
        }
    }
    changes
}

/// The config values that two states do not share.
pub(crate) fn configs(before: &State, after: &State) -> Vec<ConfigValueChange> {
    let none = Configs::new();
    let mut changes = Vec::new();
    let mut compare = |resource: Resource, was: &Configs, is: &Configs| {
        if was == is {
            return;
        }
        let keys: BTreeMap<&String, ()> = was.keys().chain(is.keys()).map(|key| (key, ())).collect();
        for key in keys.into_keys().filter(|key| was.get(*key) != is.get(*key)) {
            let (before, after) = (was.get(key).cloned(), is.get(key).cloned());
            changes.push(ConfigValueChange { resource: resource.clone(), key: key.clone(), before, after });
        }
    };
    for (name, topic) in &after.topics {
        let was = before.topics.get(name).filter(|was| was.id == topic.id).map_or(&none, |t| &t.configs);
        compare(Resource::Topic(name.clone()), was, &topic.configs);
    }
    for (id, broker) in &after.brokers {
        let was = before.brokers.get(id).map_or(&none, |b| &b.configs);
        compare(Resource::Broker(*id), was, &broker.configs);
    }
    compare(Resource::AllBrokers, &before.cluster_configs, &after.cluster_configs);
    changes
}
