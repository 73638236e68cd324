//! A fleet: many clusters of all sizes, as a company has them. Its numbers are those of a fleet that was migrated:
//! 154 clusters, 1,050 brokers, 21 node types.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64;

use super::disks::{fill, fullest};
use super::{Class, Scale, lay, size};
use crate::model::{Cluster, NodeType};

/// Clusters of a fleet.
pub const FLEET_CLUSTERS: u32 = 154;
/// Brokers of a fleet, in all its clusters together.
pub const FLEET_BROKERS: u32 = 1_050;
/// Partitions of a fleet, in all its clusters together.
pub const FLEET_PARTITIONS: u32 = 570_000;

/// Replicas that a broker of any type may hold.
const MOST_REPLICAS: u32 = 4_000;

/// A node type as name, GB of disk, MB/s of network, price per month in hundredths, volume included: about what clouds
/// offer under these names, for tests and not for a budget. `testdata/node-types` says the same.
type Row = (&'static str, u64, u64, u64);

const TYPES: [Row; 21] = [
    ("r6g.large", 500, 94, 11_358),
    ("r6g.xlarge", 1_000, 156, 22_717),
    ("r6g.2xlarge", 2_000, 312, 45_434),
    ("r6g.4xlarge", 4_000, 625, 90_867),
    ("r6g.8xlarge", 8_000, 1_500, 181_734),
    ("r6gd.large", 118, 94, 8_410),
    ("r6gd.xlarge", 237, 156, 16_819),
    ("r6gd.2xlarge", 474, 312, 33_638),
    ("r6gd.4xlarge", 950, 625, 67_277),
    ("r6gd.8xlarge", 1_900, 1_500, 134_554),
    ("im4gn.large", 937, 391, 13_279),
    ("im4gn.xlarge", 1_875, 781, 26_559),
    ("im4gn.2xlarge", 3_750, 1_562, 53_118),
    ("im4gn.4xlarge", 7_500, 3_125, 106_235),
    ("m6g.large", 250, 94, 7_621),
    ("m6g.xlarge", 500, 156, 15_242),
    ("m6g.2xlarge", 1_000, 312, 30_484),
    ("m6g.4xlarge", 2_000, 625, 60_968),
    ("n2-highmem-4", 1_500, 1_250, 34_128),
    ("n2-highmem-8", 3_000, 2_000, 68_256),
    ("n2-highmem-16", 6_000, 4_000, 136_512),
];

/// The node types of a fleet.
pub fn node_types() -> Vec<NodeType> {
    let node = |(name, disk, network, price): &Row| NodeType {
        name: (*name).into(),
        disk_bytes: Some(disk * 1_000_000_000),
        network_bytes_per_second: Some(network * 1_000_000),
        replicas: Some(MOST_REPLICAS),
        price_per_month: Some(*price),
    };
    TYPES.iter().map(node).collect()
}

/// What one cluster of the fleet is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sketch {
    brokers: u32,
    zones: u32,
    partitions: u32,
    node: usize,
    /// How full its fullest disk is.
    percent: u32,
    seed: u64,
}

/// The clusters of a fleet, one after the other: RF2 over two zones or RF3 over three, one node type each, grown, the
/// fullest disk of each between 60 and 97 percent full. The same seed gives the same fleet.
pub fn fleet(seed: u64) -> impl Iterator<Item = Cluster> {
    let types = node_types();
    let sketches = sketches(seed);
    (1..).zip(sketches).map(move |(number, sketch)| made(number, &sketch, &types[sketch.node], seed))
}

fn made(number: u32, sketch: &Sketch, node: &NodeType, seed: u64) -> Cluster {
    let zones = (sketch.zones, sketch.zones);
    let class = Class::new("FLEET", sketch.brokers, 0, sketch.partitions, zones).grown();
    // What lies where does not depend on sizes: laid once to see which broker holds most, and again to fit the disk.
    let most = fullest(&lay(&class, sketch.seed, Scale::default()));
    let disk = node.disk_bytes.unwrap_or(0);
    let scale = Scale { by: disk / 100 * u64::from(sketch.percent), over: most.max(1) };
    let mut cluster = lay(&class, sketch.seed, scale);
    fill(&mut cluster, disk);
    cluster.id = format!("fleet-{number:03}-{seed}");
    for broker in &mut cluster.brokers {
        broker.host = format!("broker-{}.fleet-{number:03}.example", broker.id);
        broker.node = Some(node.clone());
    }
    cluster
}

/// All clusters in short; brokers and partitions add up exactly.
fn sketches(seed: u64) -> Vec<Sketch> {
    let mut random = Pcg64::seed_from_u64(seed ^ 0x666c_6565_7400);
    let mut sketches: Vec<Sketch> = (0..FLEET_CLUSTERS as usize)
        .map(|at| Sketch {
            brokers: 0,
            zones: if random.next_u32() % 3 == 0 { 2 } else { 3 },
            partitions: 0,
            // Each type at least once.
            node: if at < TYPES.len() { at } else { random.next_u32() as usize % TYPES.len() },
            percent: 60 + random.next_u32() % 38,
            seed: random.next_u64(),
        })
        .collect();
    // Whatever the seed: both kinds are there, or brokers might not add up.
    (sketches[0].zones, sketches[1].zones) = (2, 3);
    give_brokers(&mut sketches, &mut random);
    let weights: Vec<u64> =
        sketches.iter().map(|s| u64::from(s.brokers) * size::weight(&mut random)).collect();
    for (sketch, partitions) in sketches.iter_mut().zip(shares(FLEET_PARTITIONS, &weights)) {
        sketch.partitions = partitions;
    }
    sketches
}

/// The same number in each zone; a heavy tail: most clusters have three to six, some have dozens.
fn give_brokers(sketches: &mut [Sketch], random: &mut Pcg64) {
    let least: u32 = sketches.iter().map(|s| s.zones).sum();
    let weights: Vec<u64> = sketches.iter().map(|_| size::crowd(random)).collect();
    let mut left = FLEET_BROKERS;
    for (sketch, more) in sketches.iter_mut().zip(shares(FLEET_BROKERS - least, &weights)) {
        sketch.brokers = sketch.zones + more / sketch.zones * sketch.zones;
        left -= sketch.brokers;
    }
    // What does not divide by zones goes to others: 2 to one of two zones, 3 to one of three, and 1 is 3 less 2.
    let mut at = 0;
    while left > 0 {
        let sketch = &mut sketches[at % FLEET_CLUSTERS as usize];
        let wanted = if left == 2 { 2 } else { 3 };
        if sketch.zones == wanted && left >= 2 {
            sketch.brokers += wanted;
            left -= wanted;
        } else if left == 1 && sketch.zones == 2 && sketch.brokers > 2 {
            sketch.brokers -= 2;
            left += 2;
        }
        at += 1;
    }
}

/// `total` in parts by weight, rounded down; the first ones take the rest.
fn shares(total: u32, weights: &[u64]) -> Vec<u32> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let part = |weight: &u64| (u128::from(total) * u128::from(*weight) / sum.max(1)) as u32;
    let mut parts: Vec<u32> = weights.iter().map(part).collect();
    let rest = total - parts.iter().sum::<u32>();
    parts.iter_mut().take(rest as usize).for_each(|part| *part += 1);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rate;
    use std::collections::BTreeSet;

    #[test]
    fn brokers_partitions_and_types_add_up_whatever_the_seed() {
        for seed in 0..200 {
            let sketches = sketches(seed);
            assert_eq!(sketches.len(), 154);
            assert_eq!(sketches.iter().map(|s| s.brokers).sum::<u32>(), 1_050, "seed {seed}");
            assert_eq!(sketches.iter().map(|s| s.partitions).sum::<u32>(), 570_000, "seed {seed}");
            assert_eq!(sketches.iter().map(|s| s.node).collect::<BTreeSet<_>>().len(), 21);
            assert!(sketches.iter().all(|s| s.brokers >= s.zones && s.brokers % s.zones == 0), "seed {seed}");
            assert!(sketches.iter().all(|s| s.partitions > 0 && (60..=97).contains(&s.percent)));
            let largest = sketches.iter().map(|s| s.brokers).max().unwrap();
            assert!((18..=300).contains(&largest), "seed {seed}: {largest}");
        }
        assert_eq!(sketches(1), sketches(1));
        assert_ne!(sketches(1), sketches(2));
    }

    #[test]
    fn disks_are_as_full_as_they_were_to_be() {
        let sketches = sketches(3);
        for (cluster, sketch) in fleet(3).zip(&sketches).take(12) {
            let node = cluster.brokers[0].node.clone().unwrap();
            assert_eq!(node, node_types()[sketch.node]);
            let disk = node.disk_bytes.unwrap();
            let used: Vec<u64> = (cluster.brokers.iter())
                .map(|b| b.log_dirs[0].total_bytes.unwrap() - b.log_dirs[0].usable_bytes.unwrap())
                .collect();
            let most = *used.iter().max().unwrap();
            // Sizes are rounded down, one by one.
            let wanted = disk / 100 * u64::from(sketch.percent);
            assert!(most <= wanted && wanted - most < 100_000, "{most} of {wanted} on {disk}");
            let held: u64 = cluster.partitions().flat_map(|(_, p)| p.sizes.to_vec()).sum();
            assert_eq!(held, used.iter().sum::<u64>(), "what is used is what is held");
            let mut replicas = vec![0; cluster.brokers.len()];
            cluster.partitions().flat_map(|(_, p)| p.replicas).for_each(|at| replicas[usize::from(*at)] += 1);
            assert!(replicas.iter().all(|count| *count <= MOST_REPLICAS), "{replicas:?}");
            let factor = sketch.zones as usize;
            assert!(cluster.partitions().all(|(_, p)| p.replicas.len() == factor));
            assert_eq!(cluster.known_rates(Rate::Write), cluster.partition_count());
        }
        let id = |seed| fleet(seed).next().unwrap().id;
        assert_eq!((id(3), id(4)), ("fleet-001-3".into(), "fleet-001-4".into()));
        assert_eq!(fleet(3).nth(7), fleet(3).nth(7));
    }
}
