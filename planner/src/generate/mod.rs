//! Clusters from a class and a seed: for benchmarks, demos and tests. The same input gives the same cluster.
//!
//! Topics have few partitions mostly and many sometimes; sizes have a heavy tail, as log-normal ones have, made
//! with integers only. Replicas lie as Kafka lays them: one round over the brokers of each zone in turn.

mod family;
mod size;

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64;

pub use family::{Family, FamilyRow};

use crate::model::{
    Broker, BrokerId, Cluster, ClusterBuilder, ConfigSource, LogDir, MAX_BYTES, PartitionRow, Topic, TopicId,
};

/// What kind of cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its name, used in the cluster's id.
    pub name: &'static str,
    /// Brokers that hold replicas; ids from 1.
    pub brokers: u32,
    /// Brokers that are empty; ids after the others, the same zones.
    pub empty: u32,
    /// Partitions in all.
    pub partitions: u32,
    /// Replication factor.
    pub factor: u32,
    /// Zones, named `az-a` and so on; 0 for none.
    pub zones: u32,
}

impl Class {
    /// 6 brokers, 2,000 partitions, RF2 over two zones.
    pub const S: Class = Class { name: "S", brokers: 6, empty: 0, partitions: 2_000, factor: 2, zones: 2 };
    /// 30 brokers, 10,000 partitions, RF2 over two zones.
    pub const M: Class = Class { name: "M", brokers: 30, empty: 0, partitions: 10_000, factor: 2, zones: 2 };
    /// 99 brokers, 200,000 partitions, RF3 over three zones.
    pub const L: Class = Class { name: "L", brokers: 99, empty: 0, partitions: 200_000, factor: 3, zones: 3 };
    /// 999 brokers, 2,000,000 partitions, RF3 over three zones.
    pub const XL: Class =
        Class { name: "XL", brokers: 999, empty: 0, partitions: 2_000_000, factor: 3, zones: 3 };

    /// A cluster to migrate: `partitions` of RF2 over two zones on `from` brokers, with `to` empty ones beside
    /// them. Sources are the ids 1 to `from`, destinations the next `to`.
    pub const fn migrate(partitions: u32, from: u32, to: u32) -> Class {
        Class { name: "migrate", brokers: from, empty: to, partitions, factor: 2, zones: 2 }
    }
}

/// The brokers of a class that hold replicas, and those that are empty.
pub fn sources_and_destinations(class: &Class) -> (Vec<BrokerId>, Vec<BrokerId>) {
    let ids = |range: std::ops::Range<u32>| range.map(|n| BrokerId(n as i32 + 1)).collect();
    (ids(0..class.brokers), ids(class.brokers..class.brokers + class.empty))
}

/// A cluster of this class. Classes with fewer brokers in a zone than replicas go there get as many as fit.
pub fn cluster(class: &Class, seed: u64) -> Cluster {
    let mut random = Pcg64::seed_from_u64(seed);
    let zones = class.zones.max(1);
    let seats = Seats::new(class, zones);
    let topics = topics(class, &mut random);
    let mut sizes: Vec<u64> = Vec::with_capacity(class.partitions as usize);
    for topic in &topics {
        let typical = size::topic(&mut random);
        sizes.extend((0..topic.partitions).map(|_| size::partition(&mut random, typical)));
    }
    // Sums of sizes have to fit.
    let sum: u128 = sizes.iter().map(|n| u128::from(*n) * u128::from(class.factor)).sum();
    let shift = (0..64).find(|shift| sum >> shift <= u128::from(MAX_BYTES) / 2).unwrap_or(0);
    sizes.iter_mut().for_each(|size| *size >>= shift);
    let brokers = brokers(class, zones, (sum >> shift) as u64);
    let build = ClusterBuilder::new(format!("{}-{seed}", class.name), brokers);
    let Ok(mut build) = build else { return Cluster::default() };
    let (mut list, mut rows) = (Vec::new(), sizes.iter());
    for Sketch { name, number, partitions } in topics {
        let topic = Topic {
            internal: name.starts_with("__"),
            name,
            id: TopicId((u128::from(seed) << 64 | u128::from(number)).to_be_bytes()),
            min_isr: Some((1, ConfigSource::Default)),
            ..Topic::default()
        };
        let mut turn = random.next_u32();
        if build.topic(topic).is_err() {
            continue;
        }
        for _ in 0..partitions {
            seats.list(turn, &mut list);
            turn = turn.wrapping_add(1);
            let size = rows.next().copied().unwrap_or(0);
            let (bytes, dirs) = (vec![size; list.len()], vec![0; list.len()]);
            let row = PartitionRow {
                replicas: &list,
                leader: list.first().copied(),
                isr: &list,
                sizes: &bytes,
                dirs: &dirs,
                ..PartitionRow::default()
            };
            // The list is distinct and its brokers are known: it always fits.
            let _ = build.partition(&row);
        }
    }
    build.finish(String::new(), Vec::new())
}

fn zone_name(zone: u32) -> String {
    match zone {
        0..26 => format!("az-{}", char::from(b'a' + zone as u8)),
        _ => format!("az-{zone}"),
    }
}

/// Brokers with room for twice their part of the bytes.
fn brokers(class: &Class, zones: u32, bytes: u64) -> Vec<Broker> {
    let total = bytes / u64::from(class.brokers.max(1)) * 3 + 1_000_000_000;
    let broker = |at: u32| {
        let zone = (class.zones > 0).then(|| zone_name(at % zones));
        let is_empty = at >= class.brokers;
        Broker {
            id: BrokerId(at as i32 + 1),
            rack: zone.clone(),
            zone,
            host: format!("broker-{}.{}.example", at + 1, class.name.to_lowercase()),
            port: 9092,
            fenced: Some(false),
            answered: true,
            listeners: Some(vec!["PLAINTEXT".into()]),
            log_dirs: vec![LogDir {
                path: "/var/lib/kafka".into(),
                total_bytes: Some(total),
                usable_bytes: Some(if is_empty { total } else { total / 2 }),
                offline: false,
            }],
            rates: vec![],
            sockets: None,
            unseen: vec![],
        }
    };
    (0..class.brokers + class.empty).map(broker).collect()
}

/// A topic to be made.
struct Sketch {
    name: String,
    /// From 1, in the order of making.
    number: u32,
    partitions: u32,
}

/// Topics by name; from a thousand partitions on with one internal topic.
fn topics(class: &Class, random: &mut Pcg64) -> Vec<Sketch> {
    let mut topics = Vec::new();
    let mut left = class.partitions;
    if left >= 1_000 {
        topics.push(Sketch { name: "__consumer_offsets".to_owned(), number: 1, partitions: 50 });
        left -= 50;
    }
    let most = (class.brokers * 20).clamp(1, 10_000);
    while left > 0 {
        let number = topics.len() as u32 + 1;
        let partitions = size::partitions(random, most).min(left);
        topics.push(Sketch { name: format!("topic-{number:06}"), number, partitions });
        left -= partitions;
    }
    topics
}

/// Brokers by zone.
struct Seats {
    zones: Vec<Vec<BrokerId>>,
    factor: usize,
}

impl Seats {
    fn new(class: &Class, zones: u32) -> Self {
        let mut seats = vec![Vec::new(); zones as usize];
        for at in 0..class.brokers {
            seats[(at % zones) as usize].push(BrokerId(at as i32 + 1));
        }
        Seats { zones: seats, factor: class.factor as usize }
    }

    /// The list of the partition whose turn it is: zones in rotation, in each the next broker.
    fn list(&self, turn: u32, list: &mut Vec<BrokerId>) {
        list.clear();
        let (zones, turn) = (self.zones.len(), turn as usize);
        for at in 0..self.factor {
            let zone = &self.zones[(turn + at) % zones];
            // Replicas of one zone lie a stride apart, so that pairs of brokers vary.
            let stride = 1 + turn / zones / zone.len().max(1) % zone.len().max(1);
            let seat = turn / zones + (at / zones + at) * stride;
            let free = (0..zone.len()).map(|n| zone[(seat + n) % zone.len()]).find(|id| !list.contains(id));
            list.extend(free);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_cluster() {
        let (one, two) = (cluster(&Class::S, 1), cluster(&Class::S, 1));
        assert_eq!(one, two);
        assert_ne!(one, cluster(&Class::S, 2));
        assert_eq!(one.partition_count(), 2_000);
        assert!(one.topics.iter().any(|topic| topic.internal));
    }

    #[test]
    fn replicas_are_spread_over_zones_and_brokers() {
        let cluster = cluster(&Class::M, 7);
        let mut held = [0u32; 30];
        for (_, p) in cluster.partitions() {
            assert_eq!(p.replicas.len(), 2);
            assert_ne!(p.replicas[0] % 2, p.replicas[1] % 2, "one replica in each zone");
            p.replicas.iter().for_each(|broker| held[*broker as usize] += 1);
        }
        let (least, most) = (held.iter().min().unwrap(), held.iter().max().unwrap());
        assert!(*least * 10 > *most * 7, "{held:?}");
    }

    #[test]
    fn sizes_have_a_heavy_tail() {
        let cluster = cluster(&Class::M, 7);
        let mut sizes: Vec<u64> = cluster.partitions().map(|(_, p)| p.sizes[0]).collect();
        sizes.sort_unstable();
        let median = u128::from(sizes[sizes.len() / 2]);
        let mean = sizes.iter().map(|n| u128::from(*n)).sum::<u128>() / sizes.len() as u128;
        assert!(mean > 2 * median && median > 1_000_000, "mean {mean}, median {median}");
    }
}
