//! The replica lists at the end of a plan, in columns like those of a [`Cluster`]: what each step of planning
//! writes into, and the next one reads.

use std::ops::Range;

use crate::model::Cluster;

/// Every replica list of the cluster at the end of a plan, as broker indexes.
///
/// A list keeps its length. Lists may be of other lengths than the cluster's: [`Layout::push`] makes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    lists: Vec<u16>,
    ends: Vec<u32>,
}

impl Layout {
    /// The lists of a cluster as they are.
    pub fn of(cluster: &Cluster) -> Self {
        let mut layout = Layout { lists: Vec::new(), ends: Vec::with_capacity(cluster.partition_count()) };
        for (_, p) in cluster.partitions() {
            layout.push(p.replicas);
        }
        layout
    }

    /// Adds the list of the next partition.
    pub fn push(&mut self, list: &[u16]) {
        self.lists.extend_from_slice(list);
        self.ends.push(self.lists.len() as u32);
    }

    /// Number of lists.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, index: u32) -> Range<usize> {
        let index = index as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        start..self.ends[index] as usize
    }

    /// The list of the partition of this index; the first is the preferred leader.
    pub fn list(&self, index: u32) -> &[u16] {
        &self.lists[self.range(index)]
    }

    /// Moves the replica at position `at` to the front; the others keep their order.
    pub fn lead(&mut self, index: u32, at: usize) {
        let range = self.range(index);
        self.lists[range][..=at].rotate_right(1);
    }

    /// Puts a broker at position `at`. That the list stays distinct is the caller's care.
    pub fn set(&mut self, index: u32, at: usize, broker: u16) {
        let start = self.range(index).start;
        self.lists[start + at] = broker;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{self, Class};

    #[test]
    fn it_holds_the_lists_of_a_cluster() {
        let cluster = generate::cluster(&Class::S, 3);
        let layout = Layout::of(&cluster);
        assert_eq!(layout.len(), 2_000);
        assert!(cluster.partitions().all(|(_, p)| layout.list(p.index) == p.replicas));
    }

    #[test]
    fn a_new_leader_leaves_the_order_of_the_others() {
        let mut layout = Layout::default();
        layout.push(&[9]);
        layout.push(&[1, 2, 3, 4]);
        layout.push(&[5, 6]);
        layout.lead(1, 2);
        assert_eq!(layout.list(1), [3, 1, 2, 4]);
        layout.lead(1, 0);
        layout.lead(0, 0);
        assert_eq!(
            (layout.list(0), layout.list(1), layout.list(2)),
            (&[9][..], &[3, 1, 2, 4][..], &[5, 6][..])
        );
        layout.set(1, 3, 7);
        layout.set(2, 0, 8);
        assert_eq!((layout.list(1), layout.list(2)), (&[3, 1, 2, 7][..], &[8, 6][..]));
    }
}
