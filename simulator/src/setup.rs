//! What a simulated cluster starts with.

use std::collections::BTreeMap;
use std::time::Duration;

use restow_planner::model::TopicId;

use crate::controller::Configs;

/// A cluster to simulate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Its cluster id.
    pub cluster_id: String,
    /// The version of Kafka, one of [`Rules::KNOWN`](crate::rules::Rules::KNOWN).
    pub version: String,
    /// What everything that looks random follows from.
    pub seed: u64,
    /// The brokers.
    pub brokers: Vec<BrokerSetup>,
    /// The topics.
    pub topics: Vec<TopicSetup>,
    /// Dynamic configs that are the default of all brokers.
    pub cluster_configs: Configs,
    /// After how long without a heartbeat the controller fences a broker.
    pub session_timeout: Duration,
    /// How long a request takes at least. Never zero: under a paused clock a client that asks in a loop
    /// would stop time.
    pub latency: Duration,
    /// Brokers see a change of metadata at most this much later.
    pub metadata_lag: Duration,
    /// Whether the controller elects preferred leaders by itself, every 300 s.
    pub auto_leader_rebalance: bool,
    /// Round trip between two racks, either way; zero where nothing is said. Fetchers wait for it.
    pub rtt: BTreeMap<(String, String), Duration>,
    /// The longest span that is computed at once, 1 s at most: longer ones are faster and coarser.
    pub tick: Duration,
}

/// A broker to simulate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerSetup {
    /// `node.id`.
    pub id: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// What its `server.properties` says beyond that.
    pub configs: Configs,
    /// Bytes a second that it sends, and receives, at most.
    pub line_speed: u64,
    /// Bytes a second that its disks write at most.
    pub disk_speed: u64,
    /// The size of each of its log directories.
    pub dirs: Vec<u64>,
}

/// A topic to start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSetup {
    /// Its name.
    pub name: String,
    /// Its id; `None` makes one.
    pub id: Option<TopicId>,
    /// The replicas of each partition.
    pub replicas: Vec<Vec<i32>>,
    /// The log directory of each of them, by position; where nothing is said the emptiest.
    pub dirs: Vec<Vec<usize>>,
    /// The leader of each partition; where nothing is said the first replica.
    pub leaders: Vec<Option<i32>>,
    /// Bytes in each partition; the last value is that of all further ones.
    pub bytes: Vec<u64>,
    /// Bytes a second that producers write into each partition; the last value is that of all further ones.
    pub ingest: Vec<u64>,
    /// Its dynamic configs.
    pub configs: Configs,
    /// Whether Kafka flags it as internal.
    pub internal: bool,
}

/// The value for partition `n`: the list's, else its last, else 0.
pub(crate) fn nth(list: &[u64], n: usize) -> u64 {
    list.get(n).or(list.last()).copied().unwrap_or(0)
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            cluster_id: "c2ltdWxhdGVkLWNsdXN0ZX".to_owned(),
            version: "4.3.1".to_owned(),
            seed: 1,
            brokers: Vec::new(),
            topics: Vec::new(),
            cluster_configs: Configs::new(),
            session_timeout: Duration::from_secs(9),
            latency: Duration::from_millis(1),
            metadata_lag: Duration::from_millis(20),
            auto_leader_rebalance: true,
            rtt: BTreeMap::new(),
            tick: Duration::from_millis(100),
        }
    }
}

impl BrokerSetup {
    /// A broker in a rack: 200 MB/s, one directory of 100 GB.
    pub fn new(id: i32, rack: &str) -> Self {
        BrokerSetup {
            id,
            rack: Some(rack.to_owned()),
            configs: Configs::new(),
            line_speed: 200_000_000,
            disk_speed: u64::MAX,
            dirs: vec![100_000_000_000],
        }
    }
}

impl TopicSetup {
    /// A topic whose partitions have these replicas and hold `bytes` each.
    pub fn new(name: &str, replicas: Vec<Vec<i32>>, bytes: u64) -> Self {
        TopicSetup {
            name: name.to_owned(),
            id: None,
            replicas,
            dirs: Vec::new(),
            leaders: Vec::new(),
            bytes: vec![bytes],
            ingest: Vec::new(),
            configs: Configs::new(),
            internal: name == "__consumer_offsets" || name == "__transaction_state",
        }
    }

    /// The same with producers that write this much a second into each partition.
    #[must_use]
    pub fn ingesting(mut self, bytes_per_second: u64) -> Self {
        self.ingest = vec![bytes_per_second];
        self
    }

    /// The same with one more config.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.configs.insert(key.to_owned(), value.to_owned());
        self
    }
}

impl Setup {
    /// Six brokers in two zones, half of them new and empty: what `restow demo` migrates.
    ///
    /// Brokers 1 and 2 (`az-a`) and 3 (`az-b`) hold eight topics, 120 partitions of two replicas, one in each
    /// zone, about 5 GB with both copies; brokers 4 and 5 (`az-a`) and 6 (`az-b`) hold nothing.
    pub fn demo() -> Self {
        const MB: u64 = 1_000_000;
        let broker = |id, rack| BrokerSetup { line_speed: 125 * MB, ..BrokerSetup::new(id, rack) };
        let lists = |count: usize, first: usize| -> Vec<Vec<i32>> {
            (first..first + count)
                .map(|n| {
                    let in_a = 1 + (n % 2) as i32;
                    if n % 3 == 2 { vec![3, in_a] } else { vec![in_a, 3] }
                })
                .collect()
        };
        let topic = |name, count, first, mb: u64| TopicSetup::new(name, lists(count, first), mb * MB);
        Setup {
            cluster_id: "cmVzdG93LWRlbW8tY2x1c3".to_owned(),
            brokers: vec![
                broker(1, "az-a"),
                broker(2, "az-a"),
                broker(3, "az-b"),
                broker(4, "az-a"),
                broker(5, "az-a"),
                broker(6, "az-b"),
            ],
            topics: vec![
                topic("__consumer_offsets", 20, 0, 2).with("cleanup.policy", "compact").ingesting(2_000),
                topic("orders", 24, 1, 40).with("min.insync.replicas", "1").ingesting(60_000),
                topic("payments.settled", 12, 0, 30).with("retention.ms", "259200000").ingesting(20_000),
                topic("page-views", 24, 2, 25).with("compression.type", "zstd").ingesting(80_000),
                topic("inventory_snapshots", 8, 1, 30).with("cleanup.policy", "compact"),
                topic("audit.log-v2", 12, 0, 15).ingesting(5_000),
                topic("email_out.retry-5m", 8, 1, 2),
                topic("clicks.eu-west_1", 12, 0, 10).ingesting(30_000),
            ],
            ..Setup::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_one_replica_in_each_zone_and_empty_new_brokers() {
        let demo = Setup::demo();
        let partitions: Vec<&Vec<i32>> = demo.topics.iter().flat_map(|t| &t.replicas).collect();
        assert_eq!(partitions.len(), 120);
        for list in partitions {
            assert_eq!(list.len(), 2);
            assert!(list.contains(&3), "{list:?}");
            assert!(list.contains(&1) || list.contains(&2), "{list:?}");
        }
        let bytes: u64 =
            demo.topics.iter().map(|t| (0..t.replicas.len()).map(|n| nth(&t.bytes, n)).sum::<u64>()).sum();
        assert!((1_000_000_000..3_000_000_000).contains(&bytes), "{bytes}");
    }
}
