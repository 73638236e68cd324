//! A cluster as it stood at one moment, in columns.
//!
//! A partition is known by its index: its topic's [`Topic::first`] plus its number. No `Vec`, `String` or
//! map per partition: 2,000,000 partitions at RF3 take about 90 MiB.

use std::collections::BTreeMap;

use super::rates::RateColumns;
use super::{BrokerId, NodeType, Rate, TopicId, TopicPartition};

/// A size that nobody told us. Unknown is never zero.
pub const UNKNOWN_SIZE: u64 = u64::MAX;
/// A log directory that nobody told us.
pub const UNKNOWN_DIR: u8 = u8::MAX;
/// The longest replica list that the columns hold (the ISR is a bit mask over list positions).
pub const MAX_REPLICAS: usize = 32;
/// The most bytes of all replicas together (288 PB). 32 copies of each, and what is there, still fit in `u64`,
/// so no sum of sizes overflows.
pub const MAX_BYTES: u64 = (1 << 58) - 1;
pub(super) const NO_LEADER: u16 = u16::MAX;

/// One broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Its `node.id`.
    pub id: BrokerId,
    /// Its `broker.rack`.
    pub rack: Option<String>,
    /// Its failure domain: the rack, unless a person mapped it to another name.
    pub zone: Option<String>,
    /// Advertised host, empty where unknown.
    pub host: String,
    /// Advertised port, 0 where unknown.
    pub port: u16,
    /// Whether the controller fenced it; `None` where the API does not tell (before Kafka 4.0).
    pub fenced: Option<bool>,
    /// Whether it answered while the snapshot was taken. If not, its sizes are unknown.
    pub answered: bool,
    /// The names of its advertised listeners; `None` where unknown.
    pub listeners: Option<Vec<String>>,
    /// Its log directories; empty where unknown. [`Partition::dirs`] are positions in this list.
    pub log_dirs: Vec<LogDir>,
    /// Replication throttle rates in force for it.
    pub rates: Vec<SetConfig>,
    /// What its fetcher threads and their connections are configured to; `None` where unknown.
    pub sockets: Option<Sockets>,
    /// Topics that its log directories hold and that we may not describe.
    pub unseen: Vec<Unseen>,
    /// What it runs on; `None` where nobody told.
    pub node: Option<NodeType>,
}

impl Broker {
    /// A broker that answered, and of which nothing else is known.
    pub fn bare(id: BrokerId) -> Self {
        Broker {
            id,
            rack: None,
            zone: None,
            host: String::new(),
            port: 0,
            fenced: None,
            answered: true,
            listeners: None,
            log_dirs: vec![],
            rates: vec![],
            sockets: None,
            unseen: vec![],
            node: None,
        }
    }

    /// Whether it answered and nothing says that the controller fenced it.
    pub fn serves(&self) -> bool {
        self.answered && self.fenced != Some(true)
    }

    /// Replicas that its node type may hold; `None` where nobody told.
    pub fn replica_limit(&self) -> Option<u32> {
        self.node.as_ref()?.replicas
    }
}

/// What bounds what a follower can fetch from one leader over a long link: threads times buffer over round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sockets {
    /// `replica.socket.receive.buffer.bytes`; -1 is the operating system's own.
    pub receive_buffer: i64,
    /// `num.replica.fetchers`: fetcher threads, each with a connection, for each leader that it follows.
    pub fetchers: u32,
}

/// A log directory of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDir {
    /// Path on the broker.
    pub path: String,
    /// Size of its volume in bytes (`DescribeLogDirs` v4); two directories with equal numbers may share one.
    pub total_bytes: Option<u64>,
    /// Bytes still free on its volume.
    pub usable_bytes: Option<u64>,
    /// Whether the broker reports it as failed.
    pub offline: bool,
}

/// A config value that is set, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetConfig {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Where it is set.
    pub source: ConfigSource,
}

/// Where an effective config value comes from (`DescribeConfigsResponse.ConfigSource`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigSource {
    /// Set on the topic.
    Topic,
    /// Set dynamically on this broker.
    DynamicBroker,
    /// Set dynamically for all brokers.
    DynamicDefault,
    /// In the broker's `server.properties`.
    Static,
    /// Kafka's own default.
    Default,
    /// The API did not tell, or told a source that is none of these (broker loggers, groups).
    Unknown,
}

/// A topic that a broker's log directories hold and that metadata did not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The topic's name.
    pub topic: String,
    /// How many replicas of it the broker holds.
    pub replicas: u32,
}

/// One topic; its partitions are the indexes from [`first`](Topic::first) on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: TopicId,
    /// Whether Kafka flags it as internal (`__consumer_offsets`, `__transaction_state`, …).
    pub internal: bool,
    /// Effective `min.insync.replicas` and where it is set; `None` where unknown.
    pub min_isr: Option<(u32, ConfigSource)>,
    /// `remote.storage.enable`: sizes are then the local bytes only.
    pub remote_storage: bool,
    /// `leader.replication.throttled.replicas` as it is set.
    pub throttled_leaders: Option<String>,
    /// `follower.replication.throttled.replicas` as it is set.
    pub throttled_followers: Option<String>,
    /// Zones that its replicas may be in, from a topology file; empty: any.
    pub zones: Vec<String>,
    /// Index of its partition 0. Set by the [`ClusterBuilder`](super::ClusterBuilder).
    pub first: u32,
    /// Number of its partitions. Set by the [`ClusterBuilder`](super::ClusterBuilder).
    pub partitions: u32,
}

impl Topic {
    /// Whether its replicas may be in this zone.
    pub fn allows(&self, zone: &str) -> bool {
        self.zones.is_empty() || self.zones.iter().any(|allowed| allowed == zone)
    }
}

/// A topic config whose effective value is not the same on every broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigDifference {
    /// The topic's name.
    pub topic: String,
    /// The config key.
    pub key: String,
    /// Each value with the brokers that would apply it, ordered by value.
    pub values: Vec<(String, Vec<BrokerId>)>,
}

/// An in-flight reassignment of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InFlight {
    /// Replicas being added.
    pub adding: Vec<BrokerId>,
    /// Replicas being removed.
    pub removing: Vec<BrokerId>,
}

/// A cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cluster {
    /// Kafka's cluster id.
    pub id: String,
    /// When the snapshot was taken (RFC 3339), empty where unknown.
    pub taken_at: String,
    /// Brokers, ordered by id.
    pub brokers: Vec<Broker>,
    /// Topics, ordered by name.
    pub topics: Vec<Topic>,
    /// Config values that differ between brokers, ordered by topic and key.
    pub config_differences: Vec<ConfigDifference>,
    /// In-flight reassignments by partition index.
    pub in_flight: BTreeMap<u32, InFlight>,
    pub(super) ends: Vec<u32>,
    pub(super) replicas: Vec<u16>,
    pub(super) sizes: Vec<u64>,
    pub(super) dirs: Vec<u8>,
    pub(super) leaders: Vec<u16>,
    pub(super) isr: Vec<u32>,
    pub(super) rates: RateColumns,
}

/// One partition of a [`Cluster`]: borrowed slices of its columns.
#[derive(Debug, Clone, Copy)]
pub struct Partition<'a> {
    /// Its index in the cluster.
    pub index: u32,
    /// Its number within the topic.
    pub number: i32,
    /// Its replicas as indexes of [`Cluster::brokers`], in Kafka's order.
    pub replicas: &'a [u16],
    /// Bytes of each replica, or [`UNKNOWN_SIZE`].
    pub sizes: &'a [u64],
    /// Log directory of each replica as index of its broker's [`Broker::log_dirs`], or [`UNKNOWN_DIR`].
    pub dirs: &'a [u8],
    /// Leader as index of [`Cluster::brokers`].
    pub leader: Option<u16>,
    /// In-sync replicas, bit `n` for position `n` of `replicas`.
    pub isr: u32,
    /// Bytes/s that producers write to it; `None` where nobody measured it.
    pub write_rate: Option<u64>,
    /// Bytes/s that consumers fetch from its leader, followers not counted; `None` where nobody measured it.
    pub read_rate: Option<u64>,
    /// Requests/s of producers and consumers to its leader, followers not counted; `None` where nobody measured it.
    pub request_rate: Option<u64>,
}

impl Partition<'_> {
    /// Whether the replica at this position of the list is in the ISR.
    pub fn in_sync(&self, position: usize) -> bool {
        self.isr >> position & 1 == 1
    }

    /// Bytes that one new copy has to fetch: the leader's size if known, else the largest known one.
    pub fn copy_bytes(&self) -> Option<u64> {
        let at_leader = self.replicas.iter().position(|b| Some(*b) == self.leader).map(|at| self.sizes[at]);
        at_leader
            .filter(|size| *size != UNKNOWN_SIZE)
            .or_else(|| self.sizes.iter().copied().filter(|size| *size != UNKNOWN_SIZE).max())
    }

    /// Its rates, in the order of [`Rate::ALL`].
    pub fn rates(&self) -> [Option<u64>; 3] {
        [self.write_rate, self.read_rate, self.request_rate]
    }
}

impl Cluster {
    /// Sets who leads a partition and which positions of its list are in sync. The leader is one of its replicas.
    pub fn set_standing(&mut self, index: u32, leader: Option<u16>, isr: u32) {
        self.leaders[index as usize] = leader.unwrap_or(NO_LEADER);
        self.isr[index as usize] = isr;
    }

    /// Sets a rate of a partition; `None` is unknown.
    pub fn set_rate(&mut self, rate: Rate, index: u32, value: Option<u64>) {
        let partitions = self.partition_count();
        self.rates.set(partitions, rate, index as usize, value);
    }

    /// Number of partitions of which this rate is known.
    pub fn known_rates(&self, rate: Rate) -> usize {
        self.rates.known(rate)
    }

    /// Number of partitions.
    pub fn partition_count(&self) -> usize {
        self.leaders.len()
    }

    /// The partition of this index.
    pub fn partition(&self, index: u32) -> Partition<'_> {
        let topic = self.topic_index_of(index);
        self.partition_of(&self.topics[topic], index)
    }

    /// The partitions of a topic, in order.
    pub fn partitions_of<'a>(&'a self, topic: &'a Topic) -> impl Iterator<Item = Partition<'a>> {
        (topic.first..topic.first + topic.partitions).map(move |index| self.partition_of(topic, index))
    }

    /// Every partition with its topic, in order of topic name and number.
    pub fn partitions(&self) -> impl Iterator<Item = (&Topic, Partition<'_>)> {
        self.topics.iter().flat_map(move |topic| self.partitions_of(topic).map(move |p| (topic, p)))
    }

    /// The partition of this number of one of the cluster's own topics.
    pub fn partition_in(&self, topic: &Topic, number: u32) -> Partition<'_> {
        self.partition_of(topic, topic.first + number)
    }

    fn partition_of(&self, topic: &Topic, index: u32) -> Partition<'_> {
        let at = index as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        let list = start..self.ends[at] as usize;
        Partition {
            index,
            number: (index - topic.first) as i32,
            replicas: &self.replicas[list.clone()],
            sizes: &self.sizes[list.clone()],
            dirs: &self.dirs[list],
            leader: Some(self.leaders[at]).filter(|leader| *leader != NO_LEADER),
            isr: self.isr[at],
            write_rate: self.rates.get(Rate::Write, at),
            read_rate: self.rates.get(Rate::Read, at),
            request_rate: self.rates.get(Rate::Requests, at),
        }
    }

    fn topic_index_of(&self, index: u32) -> usize {
        self.topics.partition_point(|topic| topic.first + topic.partitions <= index)
    }

    /// The topic that a partition index belongs to.
    pub fn topic_of(&self, index: u32) -> &Topic {
        &self.topics[self.topic_index_of(index)]
    }

    /// A topic by name.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.binary_search_by(|topic| topic.name.as_str().cmp(name)).ok().map(|at| &self.topics[at])
    }

    /// A partition by name.
    pub fn find(&self, topic: &str, number: i32) -> Option<Partition<'_>> {
        let topic = self.topic(topic)?;
        let number = u32::try_from(number).ok().filter(|n| *n < topic.partitions)?;
        Some(self.partition_of(topic, topic.first + number))
    }

    /// Index of a broker in [`Cluster::brokers`].
    pub fn broker_index(&self, id: BrokerId) -> Option<u16> {
        self.brokers.binary_search_by_key(&id, |broker| broker.id).ok().map(|at| at as u16)
    }

    /// A broker by id.
    pub fn broker(&self, id: BrokerId) -> Option<&Broker> {
        self.broker_index(id).map(|at| &self.brokers[at as usize])
    }

    /// Broker ids of a list of broker indexes.
    pub fn ids(&self, list: &[u16]) -> Vec<BrokerId> {
        list.iter().map(|at| self.brokers[*at as usize].id).collect()
    }

    /// The name of a partition.
    pub fn name_of(&self, index: u32) -> TopicPartition {
        let topic = self.topic_of(index);
        TopicPartition::new(topic.name.clone(), (index - topic.first) as i32)
    }
}
