//! The cluster as its controller sees it.

use std::collections::BTreeMap;

use restow_planner::model::{BrokerId, TopicId, TopicPartition};

use super::Resource;
use crate::rules::Rules;

/// Config values by key.
pub type Configs = BTreeMap<String, String>;

/// What a broker's process does. The controller does not see it: only heartbeats that stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Life {
    /// Serves requests.
    Up,
    /// Accepts connections and never answers.
    Paused,
    /// Started, waits to be registered; refuses connections.
    Starting,
    /// Not running.
    Dead,
}

/// A registered broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Broker {
    /// `broker.rack`.
    pub rack: Option<String>,
    /// The host that it advertises.
    pub host: String,
    /// The port that it advertises.
    pub port: i32,
    /// No leaderships and no ISR membership until it is unfenced.
    pub fenced: bool,
    /// In controlled shutdown.
    pub shutting_down: bool,
    /// What its process really does.
    pub life: Life,
    /// Dynamic configs of this broker.
    pub configs: Configs,
}

impl Broker {
    /// Whether the controller may give it leaderships.
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.shutting_down
    }
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// Its id; a recreated topic has another.
    pub id: TopicId,
    /// Flagged as internal by Kafka.
    pub internal: bool,
    /// Dynamic configs of this topic.
    pub configs: Configs,
    /// The partitions, by number.
    pub partitions: Vec<Partition>,
}

/// A partition, as the metadata log has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Partition {
    /// All replicas in order, those of a reassignment included.
    pub replicas: Vec<BrokerId>,
    /// Replicas that a reassignment adds.
    pub adding: Vec<BrokerId>,
    /// Replicas that a reassignment removes.
    pub removing: Vec<BrokerId>,
    /// In-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Eligible leader replicas (KIP-966).
    pub elr: Vec<BrokerId>,
    /// The leader.
    pub leader: Option<BrokerId>,
    /// Grows with each change of leader and each removal of a replica.
    pub leader_epoch: i32,
    /// Grows with each change.
    pub partition_epoch: i32,
}

impl Partition {
    /// A settled partition with every replica in sync, led by its first.
    pub fn settled(replicas: Vec<BrokerId>) -> Self {
        Partition {
            isr: replicas.clone(),
            leader: replicas.first().copied(),
            replicas,
            ..Partition::default()
        }
    }

    /// Whether a reassignment is in flight.
    pub fn in_flight(&self) -> bool {
        !self.adding.is_empty() || !self.removing.is_empty()
    }
}

/// The whole of what a controller knows, and the true life of each broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// How this version of Kafka behaves.
    pub rules: Rules,
    /// Registered brokers.
    pub brokers: BTreeMap<BrokerId, Broker>,
    /// Topics by name.
    pub topics: BTreeMap<String, Topic>,
    /// Dynamic configs that are the default of all brokers.
    pub cluster_configs: Configs,
    /// How many topics were ever created: makes topic ids.
    pub created: u64,
    /// With ZooKeeper, the broker that is the controller.
    pub controller: Option<BrokerId>,
}

impl State {
    /// A cluster without brokers or topics.
    pub fn new(rules: Rules) -> Self {
        let mut cluster_configs = Configs::new();
        if rules.eligible_leader_replicas {
            cluster_configs.insert("min.insync.replicas".to_owned(), "1".to_owned());
        }
        State {
            rules,
            brokers: BTreeMap::new(),
            topics: BTreeMap::new(),
            cluster_configs,
            created: 0,
            controller: None,
        }
    }

    /// The partition, if it exists.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&Partition> {
        self.topics.get(topic)?.partitions.get(usize::try_from(partition).ok()?)
    }

    pub(crate) fn partition_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.topics.get_mut(topic)?.partitions.get_mut(usize::try_from(partition).ok()?)
    }

    /// Every partition, by topic name and number.
    pub fn partitions(&self) -> impl Iterator<Item = (TopicPartition, &Partition)> {
        self.topics.iter().flat_map(|(name, topic)| {
            topic.partitions.iter().enumerate().map(move |(n, p)| (TopicPartition::new(name, n as i32), p))
        })
    }

    /// The name of the topic with this id.
    pub fn topic_name(&self, id: TopicId) -> Option<&str> {
        self.topics.iter().find(|(_, topic)| topic.id == id).map(|(name, _)| name.as_str())
    }

    /// Whether the controller may give this broker leaderships.
    pub fn is_active(&self, broker: BrokerId) -> bool {
        self.brokers.get(&broker).is_some_and(Broker::is_active)
    }

    /// The configs of this resource become those that they are in another state.
    pub(crate) fn take_configs(&mut self, resource: &Resource, from: &State) {
        match resource {
            Resource::Topic(name) => {
                if let (Some(to), Some(from)) = (self.topics.get_mut(name), from.topics.get(name)) {
                    to.configs.clone_from(&from.configs);
                }
            }
            Resource::Broker(id) => {
                if let (Some(to), Some(from)) = (self.brokers.get_mut(id), from.brokers.get(id)) {
                    to.configs.clone_from(&from.configs);
                }
            }
            Resource::AllBrokers => self.cluster_configs.clone_from(&from.cluster_configs),
        }
    }

    /// With ZooKeeper: the controller stays while it lives; else the first that does takes its place. Kafka's brokers
    /// race for it.
    pub(crate) fn find_controller(&mut self) {
        if !self.rules.forwards && self.controller.is_none_or(|id| !self.is_active(id)) {
            self.controller = self.brokers.keys().copied().find(|id| self.is_active(*id));
        }
    }

    /// The next topic id. Ids are a function of how many topics were created before.
    pub(crate) fn next_topic_id(&mut self) -> TopicId {
        self.created += 1;
        let mut id = [0u8; 16];
        id[..8].copy_from_slice(&crate::seed::mix(self.created).to_be_bytes());
        id[8..].copy_from_slice(&crate::seed::mix(!self.created).to_be_bytes());
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        TopicId(id)
    }

    /// The value of a topic config that the controller uses: the topic's, else the cluster's default.
    pub(crate) fn topic_config(&self, topic: &str, key: &str) -> Option<&str> {
        let own = self.topics.get(topic).and_then(|t| t.configs.get(key));
        own.or_else(|| self.cluster_configs.get(key)).map(String::as_str)
    }
}
