//! How full disks are.

use crate::model::Cluster;
use crate::model::capacity::held_bytes;

/// Bytes on the broker that holds most.
pub(super) fn fullest(cluster: &Cluster) -> u64 {
    held_bytes(cluster).into_iter().max().unwrap_or(0)
}

/// Gives every broker a disk of so many bytes, with what it holds on it.
pub(super) fn fill(cluster: &mut Cluster, disk: u64) {
    let held = held_bytes(cluster);
    for (broker, held) in cluster.brokers.iter_mut().zip(held) {
        for dir in &mut broker.log_dirs {
            dir.total_bytes = Some(disk.max(held));
            dir.usable_bytes = Some(disk.saturating_sub(held));
        }
    }
}

/// Gives every broker a disk of the size at which the fullest is so many percent full.
pub(super) fn fill_to(cluster: &mut Cluster, percent: u32) {
    let disk = u128::from(fullest(cluster)) * 100 / u128::from(percent.clamp(1, 100));
    fill(cluster, u64::try_from(disk).unwrap_or(u64::MAX));
}
