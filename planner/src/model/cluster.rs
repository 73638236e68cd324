//! A cluster as it stood at one moment, in columns.
//!
//! A partition is known by its index: its topic's [`Topic::first`] plus its number. No `Vec`, `String` or
//! map per partition: 2,000,000 partitions at RF3 take about 90 MiB.

use std::collections::BTreeMap;

use super::{BrokerId, TopicId, TopicPartition};

/// A size that nobody told us. Unknown is never zero.
pub const UNKNOWN_SIZE: u64 = u64::MAX;
/// A log directory that nobody told us.
pub const UNKNOWN_DIR: u8 = u8::MAX;
/// The longest replica list that the columns hold (the ISR is a bit mask over list positions).
pub const MAX_REPLICAS: usize = 32;
/// The most bytes of all replicas together (288 PB). 32 copies of each, and what is there, still fit in `u64`,
/// so no sum of sizes overflows.
pub const MAX_BYTES: u64 = (1 << 58) - 1;
const NO_LEADER: u16 = u16::MAX;

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
    /// Topics that its log directories hold and that we may not describe.
    pub unseen: Vec<Unseen>,
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
    /// The API did not tell.
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
    /// Index of its partition 0. Set by the [`ClusterBuilder`].
    pub first: u32,
    /// Number of its partitions. Set by the [`ClusterBuilder`].
    pub partitions: u32,
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
    ends: Vec<u32>,
    replicas: Vec<u16>,
    sizes: Vec<u64>,
    dirs: Vec<u8>,
    leaders: Vec<u16>,
    isr: Vec<u32>,
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
}

impl Cluster {
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

/// One partition on its way into a [`Cluster`].
#[derive(Debug, Clone, Copy, Default)]
pub struct PartitionRow<'a> {
    /// Its replicas, in Kafka's order.
    pub replicas: &'a [BrokerId],
    /// Its leader.
    pub leader: Option<BrokerId>,
    /// Its in-sync replicas, in any order.
    pub isr: &'a [BrokerId],
    /// Replicas being added.
    pub adding: &'a [BrokerId],
    /// Replicas being removed.
    pub removing: &'a [BrokerId],
    /// Bytes of each replica, or [`UNKNOWN_SIZE`]; empty if all are unknown.
    pub sizes: &'a [u64],
    /// Log directory of each replica, or [`UNKNOWN_DIR`]; empty if all are unknown.
    pub dirs: &'a [u8],
}

/// What makes a cluster impossible. Partition errors carry the topic and number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCluster {
    /// Two brokers of one id.
    #[error("broker {broker} stands twice")]
    BrokerTwice {
        /// The broker.
        broker: BrokerId,
    },
    /// Topics are not in order of their names, or two have one name.
    #[error("topic {topic:?} stands twice or after a topic of a greater name")]
    TopicOrder {
        /// The topic.
        topic: String,
    },
    /// A partition before its topic.
    #[error("a partition stands before the first topic")]
    NoTopic,
    /// Something about one partition.
    #[error("partition {partition}: {reason}")]
    Partition {
        /// The partition.
        partition: TopicPartition,
        /// What is wrong with it.
        reason: String,
    },
    /// More than the columns hold.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many fit.
        limit: usize,
    },
}

/// Builds a [`Cluster`]: brokers first, then each topic followed by its partitions, in order.
#[derive(Debug, Default)]
pub struct ClusterBuilder {
    cluster: Cluster,
    /// Ids of the brokers, close together: they are looked up for every replica.
    ids: Vec<BrokerId>,
    bytes: u64,
}

impl ClusterBuilder {
    /// A builder for the cluster of this id with these brokers, in any order.
    ///
    /// # Errors
    /// If two brokers have one id, or there are more than the columns hold.
    pub fn new(id: impl Into<String>, mut brokers: Vec<Broker>) -> Result<Self, BadCluster> {
        brokers.sort_by_key(|broker| broker.id);
        if let Some(pair) = brokers.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(BadCluster::BrokerTwice { broker: pair[0].id });
        }
        if brokers.len() >= NO_LEADER as usize {
            return Err(BadCluster::TooMany { what: "brokers", limit: NO_LEADER as usize - 1 });
        }
        let cluster = Cluster { id: id.into(), brokers, ..Cluster::default() };
        let ids = cluster.brokers.iter().map(|broker| broker.id).collect();
        Ok(ClusterBuilder { cluster, ids, bytes: 0 })
    }

    /// Begins the next topic; names must rise.
    ///
    /// # Errors
    /// If the name is not greater than the last one.
    pub fn topic(&mut self, topic: Topic) -> Result<(), BadCluster> {
        if self.cluster.topics.last().is_some_and(|last| last.name >= topic.name) {
            return Err(BadCluster::TopicOrder { topic: topic.name });
        }
        let first = self.cluster.partition_count() as u32;
        self.cluster.topics.push(Topic { first, partitions: 0, ..topic });
        Ok(())
    }

    /// How many partitions the last topic has so far.
    pub fn partitions_so_far(&self) -> u32 {
        self.cluster.topics.last().map_or(0, |topic| topic.partitions)
    }

    /// Adds the next partition (from 0) of the last topic.
    ///
    /// # Errors
    /// If a list is empty, repeats a broker or names one that is not in the cluster, a log dir is not one of
    /// its broker's, a column does not fit, or all sizes together exceed [`MAX_BYTES`].
    pub fn partition(&mut self, row: &PartitionRow<'_>) -> Result<(), BadCluster> {
        let cluster = &mut self.cluster;
        let Some(topic) = cluster.topics.last() else { return Err(BadCluster::NoTopic) };
        let wrong = |reason: String| BadCluster::Partition {
            partition: TopicPartition::new(topic.name.clone(), topic.partitions as i32),
            reason,
        };
        validate(row).map_err(wrong)?;
        let ids = &self.ids;
        let index = |id: &BrokerId| {
            let at = ids.binary_search(id).map(|at| at as u16);
            at.map_err(|_| wrong(format!("broker {id} is not among the cluster's brokers")))
        };
        let start = cluster.replicas.len();
        let mut list = [0u16; MAX_REPLICAS];
        for (at, id) in row.replicas.iter().enumerate() {
            list[at] = index(id)?;
        }
        let known_dirs = |at: usize| cluster.brokers[list[at] as usize].log_dirs.len();
        if let Some(at) = (0..row.dirs.len())
            .find(|at| row.dirs[*at] != UNKNOWN_DIR && usize::from(row.dirs[*at]) >= known_dirs(*at))
        {
            let (dir, broker) = (row.dirs[at], row.replicas[at]);
            return Err(wrong(format!("log dir {dir} of broker {broker}, which has {}", known_dirs(at))));
        }
        let known = row.sizes.iter().filter(|size| **size != UNKNOWN_SIZE);
        let bytes = known.fold(self.bytes, |sum, size| sum.saturating_add(*size));
        if bytes > MAX_BYTES {
            return Err(wrong(format!("with it all replicas hold more than {MAX_BYTES} bytes")));
        }
        let leader = row.leader.and_then(|id| row.replicas.iter().position(|replica| *replica == id));
        let leader = leader.map(|at| list[at]);
        row.adding.iter().chain(row.removing).try_for_each(|id| index(id).map(drop))?;
        let isr = row.replicas.iter().enumerate().filter(|(_, id)| row.isr.contains(id));
        let isr = isr.fold(0, |mask, (at, _)| mask | 1u32 << at);
        let end = u32::try_from(start + row.replicas.len())
            .map_err(|_| BadCluster::TooMany { what: "replicas", limit: u32::MAX as usize })?;

        self.bytes = bytes;
        cluster.replicas.extend(&list[..row.replicas.len()]);
        fill(&mut cluster.sizes, row.sizes, row.replicas.len(), UNKNOWN_SIZE);
        fill(&mut cluster.dirs, row.dirs, row.replicas.len(), UNKNOWN_DIR);
        cluster.ends.push(end);
        cluster.leaders.push(leader.unwrap_or(NO_LEADER));
        cluster.isr.push(isr);
        if !row.adding.is_empty() || !row.removing.is_empty() {
            let moving = InFlight { adding: row.adding.to_vec(), removing: row.removing.to_vec() };
            cluster.in_flight.insert(cluster.leaders.len() as u32 - 1, moving);
        }
        if let Some(topic) = cluster.topics.last_mut() {
            topic.partitions += 1;
        }
        Ok(())
    }

    /// The cluster, with its config differences.
    pub fn finish(self, taken_at: String, mut differences: Vec<ConfigDifference>) -> Cluster {
        differences.sort_by(|a, b| (&a.topic, &a.key).cmp(&(&b.topic, &b.key)));
        let mut cluster = self.cluster;
        cluster.taken_at = taken_at;
        cluster.config_differences = differences;
        cluster.replicas.shrink_to_fit();
        cluster.sizes.shrink_to_fit();
        cluster.dirs.shrink_to_fit();
        cluster
    }
}

fn validate(row: &PartitionRow<'_>) -> Result<(), String> {
    let list = row.replicas;
    if list.is_empty() {
        return Err("the replica list is empty".into());
    }
    if list.len() > MAX_REPLICAS {
        return Err(format!("{} replicas, where at most {MAX_REPLICAS} are read", list.len()));
    }
    if let Some(twice) = super::replicas::first_repeated(list) {
        return Err(format!("broker {twice} stands twice in the replica list"));
    }
    if let Some(stranger) = row.isr.iter().chain(&row.leader).find(|id| !list.contains(id)) {
        return Err(format!("broker {stranger} leads or is in sync but is not among the replicas"));
    }
    if !row.sizes.is_empty() && row.sizes.len() != list.len() {
        return Err(format!("{} sizes for {} replicas", row.sizes.len(), list.len()));
    }
    if !row.dirs.is_empty() && row.dirs.len() != list.len() {
        return Err(format!("{} log dirs for {} replicas", row.dirs.len(), list.len()));
    }
    Ok(())
}

fn fill<T: Copy>(column: &mut Vec<T>, values: &[T], len: usize, unknown: T) {
    if values.is_empty() {
        column.extend(std::iter::repeat_n(unknown, len));
    } else {
        column.extend_from_slice(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(id: i32) -> Broker {
        Broker {
            id: BrokerId(id),
            rack: None,
            zone: None,
            host: String::new(),
            port: 0,
            fenced: None,
            answered: true,
            listeners: None,
            log_dirs: vec![],
            rates: vec![],
            unseen: vec![],
        }
    }

    fn topic(name: &str) -> Topic {
        Topic { name: name.into(), ..Topic::default() }
    }

    #[test]
    fn partitions_are_found_by_name_and_index() {
        let mut build = ClusterBuilder::new("c", vec![broker(2), broker(1)]).unwrap();
        let (one, two) = (BrokerId(1), BrokerId(2));
        build.topic(topic("a")).unwrap();
        build
            .partition(&PartitionRow {
                replicas: &[two, one],
                isr: &[one],
                sizes: &[7, 9],
                ..Default::default()
            })
            .unwrap();
        build.topic(topic("empty")).unwrap();
        build.topic(topic("z")).unwrap();
        build.partition(&PartitionRow { replicas: &[one], leader: Some(one), ..Default::default() }).unwrap();
        let cluster = build.finish(String::new(), vec![]);
        let p = cluster.find("a", 0).unwrap();
        assert_eq!((cluster.ids(p.replicas), p.in_sync(0), p.in_sync(1)), (vec![two, one], false, true));
        assert_eq!(p.copy_bytes(), Some(9));
        assert_eq!(cluster.find("z", 0).unwrap().copy_bytes(), None);
        assert_eq!(cluster.name_of(1).to_string(), "z-0");
        assert!(cluster.find("z", 1).is_none() && cluster.find("b", 0).is_none());
    }

    #[test]
    fn a_bad_partition_is_named() {
        let mut build = ClusterBuilder::new("c", vec![broker(1)]).unwrap();
        build.topic(topic("a")).unwrap();
        let error =
            build.partition(&PartitionRow { replicas: &[BrokerId(9)], ..Default::default() }).unwrap_err();
        assert_eq!(error.to_string(), "partition a-0: broker 9 is not among the cluster's brokers");
        assert!(build.topic(topic("a")).is_err());
        assert!(ClusterBuilder::new("c", vec![broker(1), broker(1)]).is_err());
    }
}
