//! The partitions that change, with their lists at the end.

use super::layout::Layout;
use crate::model::Cluster;

/// Lists at the end, by row; rows in the order of partitions.
#[derive(Debug, Default, Clone)]
pub(super) struct Changes {
    /// Partition indexes, rising.
    pub partitions: Vec<u32>,
    lists: Layout,
}

impl Changes {
    /// The partitions of a cluster whose lists are others in this layout.
    pub fn between(cluster: &Cluster, layout: &Layout) -> Self {
        let mut changes = Changes::default();
        for (_, p) in cluster.partitions() {
            let list = layout.list(p.index);
            if list != p.replicas {
                changes.push(p.index, list);
            }
        }
        changes
    }

    /// The next partition, and its list as broker indexes.
    pub fn push(&mut self, partition: u32, list: &[u16]) {
        self.partitions.push(partition);
        self.lists.push(list);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.partitions.len()
    }

    /// The list of a row at the end, as broker indexes.
    pub fn list(&self, row: u32) -> &[u16] {
        self.lists.list(row)
    }

    /// Puts a broker at a place of a list.
    pub fn set(&mut self, row: u32, at: usize, broker: u16) {
        self.lists.set(row, at, broker);
    }
}
