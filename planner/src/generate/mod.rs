//! Clusters from a class and a seed: for benchmarks, demos and tests. The same input gives the same cluster.
//!
//! Topics have few partitions mostly and many sometimes; sizes have a heavy tail, as log-normal ones have, made
//! with integers only. How replicas lie is the class's [shape](Shape).

mod disks;
mod family;
mod fleet;
mod seats;
mod size;

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64;

pub use family::{Family, FamilyRow};
pub use fleet::{FLEET_BROKERS, FLEET_CLUSTERS, FLEET_PARTITIONS, fleet, node_types};

use seats::Seats;

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
    /// How replicas lie, and what is written to them.
    pub shape: Shape,
    /// How full the fullest broker's disk is, in percent from 1 to 100; all disks are of one size. `None`: disks hold
    /// twice a broker's even part, and half of each is free.
    pub utilisation: Option<u32>,
}

/// How replicas lie, and what is written to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One round over the brokers of each zone in turn, as Kafka lays them; write rates are unknown.
    Round,
    /// Brokers drawn by a weight that varies by a quarter, as clusters are after some years; what is kept was written
    /// in three days, topics differing by a factor of two.
    Grown,
    /// Bytes and counts lie evenly, and rates do not: each broker's are higher or lower by a third.
    HotSpots,
}

impl Class {
    const fn new(name: &'static str, brokers: u32, empty: u32, partitions: u32, over: (u32, u32)) -> Class {
        let (factor, zones) = over;
        Class { name, brokers, empty, partitions, factor, zones, shape: Shape::Round, utilisation: None }
    }

    /// 6 brokers, 2,000 partitions, RF2 over two zones.
    pub const S: Class = Class::new("S", 6, 0, 2_000, (2, 2));
    /// 30 brokers, of which 6 are empty, 10,000 partitions, RF3 over three zones.
    pub const M: Class = Class::new("M", 24, 6, 10_000, (3, 3)).grown();
    /// 99 brokers, of which 18 are empty, 200,000 partitions, RF3 over three zones.
    pub const L: Class = Class::new("L", 81, 18, 200_000, (3, 3)).grown();
    /// 999 brokers, of which 198 are empty, 2,000,000 partitions, RF3 over three zones.
    pub const XL: Class = Class::new("XL", 801, 198, 2_000_000, (3, 3)).grown();

    /// The same with replicas as they lie after some years.
    pub const fn grown(self) -> Class {
        Class { shape: Shape::Grown, ..self }
    }

    /// The same without empty brokers.
    pub const fn full(self) -> Class {
        Class { brokers: self.brokers + self.empty, empty: 0, ..self }
    }

    /// The same with disks of the size at which the fullest is so many percent full.
    pub const fn utilised(self, percent: u32) -> Class {
        Class { utilisation: Some(percent), ..self }
    }

    /// A cluster to migrate: `partitions` of RF2 over two zones on `from` brokers, with `to` empty ones beside
    /// them. Sources are the ids 1 to `from`, destinations the next `to`.
    pub const fn migrate(partitions: u32, from: u32, to: u32) -> Class {
        Class::new("migrate", from, to, partitions, (2, 2))
    }
}

/// The brokers of a class that hold replicas, and those that are empty.
pub fn sources_and_destinations(class: &Class) -> (Vec<BrokerId>, Vec<BrokerId>) {
    let ids = |range: std::ops::Range<u32>| range.map(|n| BrokerId(n as i32 + 1)).collect();
    (ids(0..class.brokers), ids(class.brokers..class.brokers + class.empty))
}

/// A cluster of this class. Classes with fewer brokers in a zone than replicas go there get as many as fit.
pub fn cluster(class: &Class, seed: u64) -> Cluster {
    let mut cluster = lay(class, seed, Scale::default());
    if let Some(percent) = class.utilisation {
        disks::fill_to(&mut cluster, percent);
    }
    cluster
}

/// What sizes are multiplied with.
#[derive(Debug, Clone, Copy)]
struct Scale {
    by: u64,
    over: u64,
}

impl Default for Scale {
    fn default() -> Self {
        Scale { by: 1, over: 1 }
    }
}

impl Scale {
    fn of(self, bytes: u64) -> u64 {
        u64::try_from(u128::from(bytes) * u128::from(self.by) / u128::from(self.over)).unwrap_or(u64::MAX)
    }
}

/// Topics, sizes and replicas, all sizes to scale. What lies where does not depend on the scale, but in the shape of
/// [`Shape::HotSpots`].
fn lay(class: &Class, seed: u64, scale: Scale) -> Cluster {
    let mut random = Pcg64::seed_from_u64(seed);
    let zones = class.zones.max(1);
    let topics = topics(class, &mut random);
    let mut sizes: Vec<u64> = Vec::with_capacity(class.partitions as usize);
    for topic in &topics {
        let typical = size::topic(&mut random);
        sizes.extend((0..topic.partitions).map(|_| size::partition(&mut random, typical)));
    }
    // Sums of sizes have to fit.
    let sum: u128 = sizes.iter().map(|n| u128::from(*n) * u128::from(class.factor)).sum();
    let shift = (0..64).find(|shift| sum >> shift <= u128::from(MAX_BYTES) / 2).unwrap_or(0);
    sizes.iter_mut().for_each(|size| *size = scale.of(*size >> shift));
    let brokers = brokers(class, zones, scale.of((sum >> shift) as u64));
    let seats = Seats::new(class, zones, &sizes, &mut random);
    let build = ClusterBuilder::new(format!("{}-{seed}", class.name), brokers);
    let Ok(mut build) = build else { return Cluster::default() };
    let (mut list, mut at) = (Vec::new(), 0);
    for Sketch { name, number, partitions } in topics {
        let topic = Topic {
            internal: name.starts_with("__"),
            name,
            id: TopicId((u128::from(seed) << 64 | u128::from(number)).to_be_bytes()),
            min_isr: Some((1, ConfigSource::Default)),
            ..Topic::default()
        };
        let mut turn = random.next_u32();
        let pace = if class.shape == Shape::Round { 0 } else { size::pace(&mut random) };
        if build.topic(topic).is_err() {
            continue;
        }
        for _ in 0..partitions {
            let heat = seats.list(at, turn, &mut random, &mut list);
            turn = turn.wrapping_add(1);
            let size = sizes.get(at).copied().unwrap_or(0);
            at += 1;
            let (bytes, dirs) = (vec![size; list.len()], vec![0; list.len()]);
            let row = PartitionRow {
                replicas: &list,
                leader: list.first().copied(),
                isr: &list,
                sizes: &bytes,
                dirs: &dirs,
                write_rate: heat.map(|heat| size::rate(&mut random, size, pace + heat)),
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
            node: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rate;

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
        let cluster = cluster(&Class::migrate(10_000, 30, 6), 7);
        let mut held = [0u32; 36];
        for (_, p) in cluster.partitions() {
            assert_eq!(p.replicas.len(), 2);
            assert_ne!(p.replicas[0] % 2, p.replicas[1] % 2, "one replica in each zone");
            p.replicas.iter().for_each(|broker| held[*broker as usize] += 1);
        }
        let (least, most) = (held[..30].iter().min().unwrap(), held[..30].iter().max().unwrap());
        assert!(*least * 10 > *most * 7 && held[30..] == [0; 6], "{held:?}");
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

    /// Replicas, bytes and bytes/s of each broker.
    fn loads(cluster: &Cluster) -> Vec<[u64; 3]> {
        let mut loads = vec![[0; 3]; cluster.brokers.len()];
        for (_, p) in cluster.partitions() {
            for broker in p.replicas {
                let load = &mut loads[*broker as usize];
                let more = [1, p.sizes[0], p.write_rate.unwrap_or(0)];
                load.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
        }
        loads
    }

    /// The largest over the mean, in percent.
    fn over_mean(loads: &[[u64; 3]], what: usize) -> u64 {
        let sum: u64 = loads.iter().map(|load| load[what]).sum();
        loads.iter().map(|load| load[what]).max().unwrap() * 100 * loads.len() as u64 / sum
    }

    #[test]
    fn grown_clusters_are_uneven_and_written_to() {
        let cluster = cluster(&Class::L, 1);
        assert_eq!(cluster.known_rates(Rate::Write), 200_000);
        let loads = loads(&cluster);
        assert!(loads[81..].iter().all(|load| *load == [0; 3]), "the last 18 are empty");
        let worst = over_mean(&loads[..81], 1);
        assert!((130..300).contains(&worst), "{worst} % of the mean");
    }

    #[test]
    fn the_fullest_disk_is_as_full_as_asked() {
        let full = cluster(&Class::M.utilised(90), 1);
        let plain = cluster(&Class::M, 1);
        assert!(full.partitions().zip(plain.partitions()).all(|((_, a), (_, b))| a.sizes == b.sizes));
        let loads = loads(&full);
        let total = full.brokers[0].log_dirs[0].total_bytes.unwrap();
        let most = loads.iter().map(|load| load[1]).max().unwrap();
        assert_eq!(u128::from(most) * 100 / 90, u128::from(total));
        for (broker, load) in full.brokers.iter().zip(&loads) {
            let dir = &broker.log_dirs[0];
            assert_eq!((dir.total_bytes, dir.usable_bytes), (Some(total), Some(total - load[1])));
        }
    }

    #[test]
    fn hot_spots_are_even_but_for_their_rates() {
        let class = Class { shape: Shape::HotSpots, ..Class::M.full() };
        let loads = loads(&cluster(&class, 1));
        let worst = [0, 1, 2].map(|what| over_mean(&loads, what));
        assert!(worst[0] <= 102 && worst[1] <= 108 && worst[2] >= 125, "{worst:?}");
    }
}
