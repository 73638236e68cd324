//! Building a cluster, row by row.

use super::cluster::NO_LEADER;
use super::{
    Broker, BrokerId, Cluster, ConfigDifference, InFlight, MAX_BYTES, MAX_RATE, MAX_REPLICAS, Rate, Topic,
    TopicPartition, UNKNOWN_DIR, UNKNOWN_SIZE,
};

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
    /// Bytes/s that producers write to it; `None` where unknown.
    pub write_rate: Option<u64>,
    /// Bytes/s that consumers fetch from its leader, followers not counted; `None` where unknown.
    pub read_rate: Option<u64>,
    /// Requests/s of producers and consumers to its leader, followers not counted; `None` where unknown.
    pub request_rate: Option<u64>,
}

impl PartitionRow<'_> {
    /// Its rates, in the order of [`Rate::ALL`].
    fn rates(&self) -> [Option<u64>; 3] {
        [self.write_rate, self.read_rate, self.request_rate]
    }
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
        cluster.rates.add(cluster.leaders.len(), &row.rates());
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
        cluster.rates.shrink_to_fit();
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
    for (rate, value) in Rate::ALL.iter().zip(&row.rates()) {
        if let Some(value) = value.filter(|value| *value > MAX_RATE) {
            return Err(format!("a {rate} of {value} {}, where at most {MAX_RATE} are read", rate.unit()));
        }
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
        Broker::bare(BrokerId(id))
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
        let row = PartitionRow { replicas: &[BrokerId(1)], ..Default::default() };
        let most = PartitionRow { request_rate: Some(MAX_RATE), ..row };
        let more = PartitionRow { request_rate: Some(MAX_RATE + 1), ..row };
        assert_eq!(
            build.partition(&more).unwrap_err().to_string(),
            "partition a-0: a request rate of 288230376151711744 requests/s, where at most 288230376151711743 are read"
        );
        build.partition(&most).unwrap();
        assert!(build.topic(topic("a")).is_err());
        assert!(ClusterBuilder::new("c", vec![broker(1), broker(1)]).is_err());
    }
}
