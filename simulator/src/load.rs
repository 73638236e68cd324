//! A simulated copy of a real cluster, from its snapshot.

use restow_planner::model::{Cluster, ConfigSource, UNKNOWN_DIR, UNKNOWN_SIZE};

use crate::controller::schema::{FOLLOWER_LIST, LEADER_LIST};
use crate::setup::{BrokerSetup, Setup, TopicSetup};

/// The line of a broker where nothing is known: 10 Gbit/s.
const LINE: u64 = 1_250_000_000;
/// A log directory of unknown size.
const LARGE: u64 = 1 << 60;
/// From this many partitions on, time goes in longer spans.
const MANY: usize = 2_000;

impl Setup {
    /// A setup that stands as this snapshot does: ids, lists, leaders, sizes, log directories, min ISR,
    /// write rates, throttles. Unknown sizes and rates are 0, directories of unknown size never fill; what was in flight or out of sync
    /// has settled.
    pub fn of(cluster: &Cluster) -> Setup {
        let mut brokers: Vec<BrokerSetup> = cluster.brokers.iter().map(broker).collect();
        for (_, p) in cluster.partitions() {
            for (at, index) in p.replicas.iter().enumerate() {
                let sizes = &mut brokers[*index as usize].dirs;
                let known = p.sizes[at] != UNKNOWN_SIZE && p.dirs[at] != UNKNOWN_DIR;
                if let Some(size) = sizes.get_mut(usize::from(p.dirs[at])).filter(|_| known) {
                    // What is free, and what is here: what others hold on the volume is not ours to simulate.
                    *size = size.saturating_add(p.sizes[at]).min(LARGE);
                }
            }
        }
        let many = cluster.partition_count() > MANY;
        Setup {
            cluster_id: cluster.id.clone(),
            brokers,
            topics: (0..cluster.topics.len()).map(|at| topic(cluster, at)).collect(),
            tick: std::time::Duration::from_millis(if many { 500 } else { 100 }),
            ..Setup::default()
        }
    }
}

fn broker(broker: &restow_planner::model::Broker) -> BrokerSetup {
    let free = |dir: &restow_planner::model::LogDir| dir.usable_bytes.unwrap_or(LARGE);
    let dirs: Vec<u64> = broker.log_dirs.iter().map(free).collect();
    let rack = broker.rack.clone().or_else(|| broker.zone.clone());
    let dirs = if dirs.is_empty() { vec![LARGE] } else { dirs };
    BrokerSetup { rack, line_speed: LINE, dirs, ..BrokerSetup::new(broker.id.0, "") }
}

fn topic(cluster: &Cluster, at: usize) -> TopicSetup {
    let topic = &cluster.topics[at];
    let mut made = TopicSetup::new(&topic.name, Vec::new(), 0);
    (made.id, made.internal, made.bytes) = (Some(topic.id), topic.internal, Vec::new());
    for p in cluster.partitions_of(topic) {
        made.replicas.push(cluster.ids(p.replicas).into_iter().map(|id| id.0).collect());
        made.bytes.push(p.copy_bytes().unwrap_or(0));
        made.ingest.push(p.write_rate.unwrap_or(0));
        made.leaders.push(p.leader.map(|index| cluster.brokers[index as usize].id.0));
        let known = p.dirs.iter().all(|dir| *dir != UNKNOWN_DIR);
        made.dirs.push(if known { p.dirs.iter().map(|dir| usize::from(*dir)).collect() } else { Vec::new() });
    }
    if let Some((value, ConfigSource::Topic)) = topic.min_isr {
        made = made.with("min.insync.replicas", &value.to_string());
    }
    for (key, list) in [(LEADER_LIST, &topic.throttled_leaders), (FOLLOWER_LIST, &topic.throttled_followers)]
    {
        if let Some(list) = list {
            made = made.with(key, list);
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use restow_planner::generate::{Class, cluster};

    use super::*;

    #[test]
    fn a_copy_stands_as_the_snapshot_does() {
        let snapshot = cluster(&Class { partitions: 50, ..Class::migrate(50, 3, 3) }, 7);
        let setup = Setup::of(&snapshot);
        assert_eq!((setup.brokers.len(), &setup.cluster_id), (6, &snapshot.id));
        let partitions: usize = setup.topics.iter().map(|topic| topic.replicas.len()).sum();
        assert_eq!(partitions, snapshot.partition_count());
        for (of, topic) in snapshot.topics.iter().zip(&setup.topics) {
            assert_eq!((topic.id, &topic.name), (Some(of.id), &of.name));
            for (p, (list, bytes)) in snapshot.partitions_of(of).zip(topic.replicas.iter().zip(&topic.bytes))
            {
                assert_eq!(snapshot.ids(p.replicas).iter().map(|id| id.0).collect::<Vec<_>>(), *list);
                assert_eq!(p.copy_bytes().unwrap_or(0), *bytes);
            }
        }
    }
}
