//! What brokers can take, in proportion to each other: what a fair share means.

use super::{Broker, Cluster, UNKNOWN_SIZE};

/// Something that a broker has a capacity for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Bytes on disks.
    Disk,
    /// Bytes/s in and out.
    Network,
    /// Replicas.
    Replicas,
}

/// What the volumes of a broker hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volumes {
    /// Their size, in bytes.
    pub total: u64,
    /// What is free of it, in bytes.
    pub usable: u64,
}

/// Directories of equal volumes whose free bytes differ by less than this part of the total may be one volume.
const NEAR: u64 = 1000;

/// Whether two log directories, each told by the total and usable bytes of its volume, may be on one: a broker asks for each
/// of them in turn, and what is written meanwhile makes them differ a little.
pub fn may_be_one((total, usable): (u64, u64), (other, free): (u64, u64)) -> bool {
    total == other && usable.abs_diff(free) <= total / NEAR
}

/// The volumes of a broker, where all are known. Log directories that [may be on one](may_be_one) count once, with the
/// fewest usable bytes.
pub fn volumes(broker: &Broker) -> Option<Volumes> {
    let mut pairs: Vec<(u64, u64)> =
        broker.log_dirs.iter().map(|dir| dir.total_bytes.zip(dir.usable_bytes)).collect::<Option<_>>()?;
    pairs.sort_unstable();
    pairs.dedup_by(|next, first| may_be_one(*next, *first));
    let sum = pairs.iter().fold(Volumes { total: 0, usable: 0 }, |sum, (total, usable)| Volumes {
        total: sum.total.saturating_add(*total),
        usable: sum.usable.saturating_add(*usable),
    });
    (!pairs.is_empty()).then_some(sum)
}

/// Known bytes on each broker, by index.
pub fn held_bytes(cluster: &Cluster) -> Vec<u64> {
    let mut held = vec![0; cluster.brokers.len()];
    for (_, p) in cluster.partitions() {
        for (broker, size) in p.replicas.iter().zip(p.sizes).filter(|(_, size)| **size != UNKNOWN_SIZE) {
            held[usize::from(*broker)] += size;
        }
    }
    held
}

/// Replicas on each broker, by index.
pub fn held_replicas(cluster: &Cluster) -> Vec<u32> {
    let mut held = vec![0; cluster.brokers.len()];
    cluster.partitions().flat_map(|(_, p)| p.replicas).for_each(|broker| held[usize::from(*broker)] += 1);
    held
}

/// What a broker has of a resource: its volumes, else what its node type says.
fn of(broker: &Broker, resource: Resource) -> Option<u64> {
    let node = broker.node.as_ref();
    match resource {
        Resource::Disk => volumes(broker).map(|volumes| volumes.total).or_else(|| node?.disk_bytes),
        Resource::Network => node?.network_bytes_per_second,
        Resource::Replicas => broker.replica_limit().map(u64::from),
    }
}

/// Weights of brokers (given by index) for a resource, in parts of 65,535 of the largest. Where not all are known, those
/// of their disks; where not all of these are known, or all are alike, all 1.
pub fn weights(cluster: &Cluster, brokers: &[u16], resource: Resource) -> Vec<u64> {
    let known = |resource| -> Option<Vec<u64>> {
        brokers.iter().map(|at| of(&cluster.brokers[*at as usize], resource)).collect()
    };
    let amounts = known(resource).or_else(|| known(Resource::Disk)).unwrap_or_default();
    match amounts.iter().max() {
        Some(most) if *most > 0 && amounts.iter().any(|amount| amount != most) => {
            let part = |amount: &u64| (u128::from(*amount) * 65_535 / u128::from(*most)).max(1) as u64;
            amounts.iter().map(part).collect()
        }
        _ => vec![1; brokers.len()],
    }
}

/// Replicas of a topic that are a crowd on a broker of this weight: more than twice its part, rounded up.
pub fn uncrowded(replicas: u64, weight: u64, total: u64) -> u64 {
    2 * (u128::from(replicas) * u128::from(weight)).div_ceil(u128::from(total.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BrokerId, ClusterBuilder, LogDir, NodeType};

    #[test]
    fn one_volume_counts_once() {
        let dir = |total, usable| LogDir {
            path: String::new(),
            total_bytes: Some(total),
            usable_bytes: Some(usable),
            offline: false,
        };
        let log_dirs = vec![dir(10_000, 5_009), dir(10_000, 5_000), dir(10_000, 6_000)];
        let mut one = Broker { log_dirs, ..Broker::bare(BrokerId(1)) };
        assert_eq!(volumes(&one), Some(Volumes { total: 20_000, usable: 11_000 }));
        one.log_dirs[2].usable_bytes = None;
        assert_eq!(volumes(&one), None, "unknown is not zero");
    }

    #[test]
    fn what_is_not_known_of_all_is_taken_from_disks() {
        let node = |network| NodeType {
            name: "n".into(),
            disk_bytes: None,
            network_bytes_per_second: network,
            replicas: Some(1000),
            price_per_month: None,
        };
        let dir = |total| LogDir {
            path: "/".into(),
            total_bytes: Some(total),
            usable_bytes: Some(1),
            offline: false,
        };
        let broker = |id: i32, total, network| Broker {
            log_dirs: vec![dir(total)],
            node: Some(node(network)),
            ..Broker::bare(BrokerId(id))
        };
        let cluster = |network| {
            let build = ClusterBuilder::new("c", vec![broker(1, 100, Some(9)), broker(2, 200, network)]);
            build.unwrap().finish(String::new(), vec![])
        };
        let of = |network, resource| weights(&cluster(network), &[0, 1], resource);
        assert_eq!(of(Some(3), Resource::Network), [65_535, 21_845]);
        assert_eq!(of(None, Resource::Network), [32_767, 65_535], "one is unknown");
        assert_eq!(of(Some(3), Resource::Disk), [32_767, 65_535]);
        assert_eq!(of(Some(3), Resource::Replicas), [1, 1], "alike");
    }
}
