//! Random clusters: uneven zones or none, factors 1 to 4, dead brokers, unknown sizes, moves in flight.

use proptest::prelude::*;
use restow_planner::model::{
    Broker, BrokerId, Cluster, ClusterBuilder, ConfigDifference, ConfigSource, LogDir, NodeType,
    PartitionRow, SetConfig, Sockets, Topic, TopicId, UNKNOWN_DIR, UNKNOWN_SIZE, Unseen,
};
use restow_planner::plan::Intent;

/// Brokers from here on are destinations.
pub const NEW: i32 = 100;

pub fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

#[derive(Debug, Clone)]
pub struct Row {
    pub replicas: Vec<i32>,
    pub leader: Option<usize>,
    pub lagging: usize,
    pub bytes: Option<u64>,
    pub moving: bool,
}

/// A cluster as rows, so that a test can change it.
#[derive(Debug, Clone)]
pub struct World {
    pub brokers: Vec<Broker>,
    pub topics: Vec<(Topic, Vec<Row>)>,
    pub differences: Vec<ConfigDifference>,
    pub intent: Intent,
}

impl World {
    pub fn cluster(&self) -> Cluster {
        let mut build = ClusterBuilder::new("world", self.brokers.clone()).unwrap();
        for (topic, rows) in &self.topics {
            build.topic(topic.clone()).unwrap();
            for row in rows {
                let list = ids(&row.replicas);
                // Followers lag behind their leader's size a little.
                let size = |at: u64| row.bytes.map_or(UNKNOWN_SIZE, |bytes| bytes - bytes.min(at));
                let sizes: Vec<u64> = (0..list.len() as u64).map(size).collect();
                let isr: Vec<BrokerId> = list.iter().skip(row.lagging).copied().collect();
                let row = PartitionRow {
                    replicas: &list,
                    leader: row.leader.map(|at| list[at % list.len()]),
                    isr: &isr,
                    adding: if row.moving { &list[..1] } else { &[] },
                    removing: if row.moving { &list[1..] } else { &[] },
                    sizes: &sizes,
                    dirs: if row.bytes.is_some_and(|bytes| bytes % 2 == 0) {
                        &[]
                    } else {
                        &[UNKNOWN_DIR; 8][..list.len()]
                    },
                    write_rate: row.bytes.filter(|bytes| bytes % 3 == 0),
                    read_rate: row.bytes.filter(|bytes| bytes % 5 == 0),
                    request_rate: row.bytes.filter(|bytes| bytes % 7 == 0),
                };
                build.partition(&row).unwrap();
            }
        }
        build.finish("2026-01-02T03:04:05Z".into(), self.differences.clone())
    }
}

fn broker(id: i32, zone: Option<&str>, is_racked: bool, state: u8, total: Option<u64>) -> Broker {
    Broker {
        id: BrokerId(id),
        rack: zone.map(|zone| if is_racked { format!("{zone}-{}", id / 4 % 2) } else { zone.into() }),
        zone: zone.map(Into::into),
        host: format!("b{id}"),
        port: 9092,
        fenced: [Some(false), Some(false), None, Some(true)][usize::from(state % 4)],
        answered: state != 7,
        listeners: Some(vec!["CLIENTS".into()]).filter(|_| state != 6),
        log_dirs: vec![LogDir {
            path: "/a \"b\"\n".into(),
            total_bytes: total,
            usable_bytes: total.map(|total| total / 2),
            offline: state == 11,
        }],
        rates: vec![SetConfig { key: "k".into(), value: "v".into(), source: ConfigSource::Static }],
        sockets: (state == 12).then_some(Sockets { receive_buffer: 65_536, fetchers: 1 }),
        unseen: if state == 13 { vec![Unseen { topic: "hidden".into(), replicas: 2 }] } else { vec![] },
        node: (state == 14).then(|| NodeType {
            name: "a \"b\"".into(),
            disk_bytes: total,
            network_bytes_per_second: None,
            replicas: Some(7),
            price_per_month: total.map(|total| total + 1),
        }),
    }
}

fn row(most: usize) -> impl Strategy<Value = Row> {
    let all: Vec<i32> = (1..8).chain([NEW, NEW + 4]).collect();
    let list = prop::sample::subsequence(all, 1..=most).prop_shuffle();
    let leader = prop::option::weighted(0.97, prop_oneof![4 => Just(0usize), 1 => 1usize..4]);
    let lagging = prop_oneof![9 => Just(0usize), 1 => 1usize..2];
    (list, leader, lagging, prop::option::weighted(0.9, 0u64..5_000), prop::bool::weighted(0.03)).prop_map(
        |(replicas, leader, lagging, bytes, moving)| Row { replicas, leader, lagging, bytes, moving },
    )
}

/// Broker ids 1 to 7 and 100 to 108; zones by their remainder, 0 zones for none; some worlds have two racks in each.
pub fn any_world() -> impl Strategy<Value = World> {
    let topic = (prop::collection::vec(row(4), 0..14), 0u32..3, any::<bool>());
    (
        0usize..4,
        prop::collection::vec(topic, 1..4),
        prop::collection::vec(0u8..40, 16),
        prop::option::of(2_000u64..100_000),
        any::<bool>(),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.4),
    )
        .prop_map(|(zones, topics, states, total, preserve_leaders, differs, is_racked)| {
            let zone = |id: i32| (zones > 0).then(|| ["az-a", "az-b", "az-c"][id as usize % zones]);
            let all = (1..8).chain(NEW..NEW + 9);
            let brokers =
                all.zip(states).map(|(id, state)| broker(id, zone(id), is_racked, state, total)).collect();
            let topics = (topics.into_iter().zip(["__internal", "orders.v1", "pay-2"]))
                .map(|((rows, min_isr, remote_storage), name)| {
                    let topic = Topic {
                        name: name.into(),
                        id: TopicId([name.len() as u8; 16]),
                        internal: name.starts_with("__"),
                        min_isr: Some((min_isr, ConfigSource::Topic)).filter(|(min_isr, _)| *min_isr > 0),
                        remote_storage,
                        ..Topic::default()
                    };
                    (topic, rows)
                })
                .collect();
            let difference = ConfigDifference {
                topic: "orders.v1".into(),
                key: "retention.ms".into(),
                values: vec![("1".into(), ids(&[1, 2])), ("2".into(), ids(&[NEW, NEW + 1]))],
            };
            World {
                brokers,
                topics,
                differences: if differs { vec![difference] } else { vec![] },
                intent: Intent::Migrate {
                    from: ids(&(1..8).collect::<Vec<_>>()),
                    to: ids(&(NEW..NEW + 9).collect::<Vec<_>>()),
                    topics: vec![],
                    exclude: vec![],
                    preserve_leaders,
                },
            }
        })
}

/// As [`any_world`], with healthy brokers and partitions only, each list one replica in each of two zones of uneven
/// sizes: old brokers 1 to 7 (and some lists with a replica on a new one), new ones 100 to 108.
pub fn one_in_each_zone() -> impl Strategy<Value = World> {
    let pair = (1i32..8, 1i32..8, prop::bool::weighted(0.3), any::<bool>(), 0u64..5_000);
    (any_world(), 1i32..7, prop::collection::vec(pair, 1..40)).prop_map(|(mut world, border, pairs)| {
        for broker in &mut world.brokers {
            // Zones of any sizes among the old; 3 to 6 among the new.
            let is_first = if broker.id.0 < NEW { broker.id.0 <= border } else { broker.id.0 % 3 == 0 };
            let zone = if is_first { "az-a" } else { "az-b" };
            let healthy = self::broker(broker.id.0, Some(zone), false, 0, None);
            *broker = healthy;
        }
        let rows = pairs.into_iter().map(|(a, b, stays, turned, bytes)| {
            let a = 1 + a % border;
            let b = border + 1 + b % (7 - border);
            let mut replicas = if stays { vec![a, NEW + 1] } else { vec![a, b] };
            if turned {
                replicas.reverse();
            }
            Row { replicas, leader: Some(0), lagging: 0, bytes: Some(bytes), moving: false }
        });
        let rows = rows.collect();
        world.topics = vec![(Topic { name: "orders".into(), ..Topic::default() }, rows)];
        world.differences.clear();
        world
    })
}
