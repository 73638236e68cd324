//! A move and its steps: `(from, to)` determines every list in between.
//!
//! ```text
//! expand  E = O ++ (K minus O)   the originals stay a prefix in their order, so Kafka's cancel restores them exactly
//! swap    S = K ++ (O minus K)   the same set: metadata only; then a preferred leader election
//! shrink  K                      a prefix of S: the leader does not move
//! ```
//!
//! Where brokers `N` are given up, `O` is [`O minus N`](kept) in every step.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::BrokerId;
use crate::model::replicas::{minus, union};

/// A kind of step. Ordered as the stages of a staged run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Copies are added.
    Expand,
    /// The order changes, and with it the preferred leader; nothing is copied.
    Swap,
    /// The old copies are dropped: the point of no return.
    Shrink,
}

impl Step {
    /// All steps, in the order of a staged run.
    pub const ALL: [Step; 3] = [Step::Expand, Step::Swap, Step::Shrink];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Expand => "expand",
            Step::Swap => "swap",
            Step::Shrink => "shrink",
        })
    }
}

/// `O` of every step: the originals without the brokers that were given up.
pub fn kept(from: &[BrokerId], given_up: &[BrokerId]) -> Vec<BrokerId> {
    minus(from, given_up)
}

/// The expanded list: `O ++ (K minus O)`.
pub fn expanded(from: &[BrokerId], to: &[BrokerId]) -> Vec<BrokerId> {
    union(from, to)
}

/// The swapped list: `K ++ (O minus K)`.
pub fn swapped(from: &[BrokerId], to: &[BrokerId]) -> Vec<BrokerId> {
    union(to, from)
}

/// Brokers that get a new copy: `K minus O`.
pub fn added(from: &[BrokerId], to: &[BrokerId]) -> Vec<BrokerId> {
    minus(to, from)
}

/// Brokers that lose their copy: `O minus K`.
pub fn removed(from: &[BrokerId], to: &[BrokerId]) -> Vec<BrokerId> {
    minus(from, to)
}

/// The list after each step; a step that changes nothing gives the list before it.
pub fn lists(from: &[BrokerId], to: &[BrokerId]) -> [(Step, Vec<BrokerId>); 3] {
    [(Step::Expand, expanded(from, to)), (Step::Swap, swapped(from, to)), (Step::Shrink, to.to_vec())]
}

/// The steps that change something, each with the list after it.
pub fn steps(from: &[BrokerId], to: &[BrokerId]) -> Vec<(Step, Vec<BrokerId>)> {
    let mut before = from.to_vec();
    let mut changes = Vec::with_capacity(3);
    for (step, after) in lists(from, to) {
        if after != before {
            before.clone_from(&after);
            changes.push((step, after));
        }
    }
    changes
}

/// One move of a plan: slices of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move<'a> {
    /// The topic as a position in [`Plan::topics`](super::Plan::topics).
    pub topic: u32,
    /// The partition's number.
    pub partition: i32,
    /// Replicas at the start.
    pub from: &'a [BrokerId],
    /// Replicas at the end.
    pub to: &'a [BrokerId],
    /// Bytes that each added replica has to copy; `None` where unknown.
    pub bytes: Option<u64>,
    /// The leader at the start where it is not `from[0]`.
    pub leader: Option<BrokerId>,
}

impl Move<'_> {
    /// Whether one of its steps is of this kind.
    pub fn has(&self, step: Step) -> bool {
        let (from, to) = (self.from, self.to);
        let added = to.iter().filter(|id| !from.contains(id));
        let removed = from.iter().filter(|id| !to.contains(id));
        match step {
            Step::Expand => added.count() > 0,
            Step::Swap => !from.iter().chain(added).eq(to.iter().chain(removed)),
            Step::Shrink => removed.count() > 0,
        }
    }
}

/// The moves of a plan, in columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moves {
    topics: Vec<u32>,
    partitions: Vec<i32>,
    bytes: Vec<u64>,
    leaders: Vec<Option<BrokerId>>,
    /// End of `from` and of `to` of each move in `lists`.
    ends: Vec<(u32, u32)>,
    lists: Vec<BrokerId>,
}

const UNKNOWN: u64 = u64::MAX;

impl Moves {
    /// Adds a move.
    pub fn push(&mut self, m: Move<'_>) {
        self.topics.push(m.topic);
        self.partitions.push(m.partition);
        self.bytes.push(m.bytes.unwrap_or(UNKNOWN));
        self.leaders.push(m.leader);
        self.lists.extend_from_slice(m.from);
        let middle = self.lists.len() as u32;
        self.lists.extend_from_slice(m.to);
        self.ends.push((middle, self.lists.len() as u32));
    }

    /// Number of moves.
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether there is no move.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The move at this position.
    pub fn get(&self, at: usize) -> Move<'_> {
        let start = if at == 0 { 0 } else { self.ends[at - 1].1 as usize };
        let (middle, end) = self.ends[at];
        Move {
            topic: self.topics[at],
            partition: self.partitions[at],
            from: &self.lists[start..middle as usize],
            to: &self.lists[middle as usize..end as usize],
            bytes: Some(self.bytes[at]).filter(|bytes| *bytes != UNKNOWN),
            leader: self.leaders[at],
        }
    }

    /// All moves, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Move<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[i32]) -> Vec<BrokerId> {
        list.iter().copied().map(BrokerId).collect()
    }

    #[test]
    fn p2_steps_of_a_whole_replacement_over_two_zones() {
        let all = steps(&ids(&[1, 3]), &ids(&[4, 6]));
        let lists: Vec<_> =
            all.iter().map(|(step, list)| (*step, list.iter().map(|b| b.0).collect::<Vec<_>>())).collect();
        assert_eq!(
            lists,
            [(Step::Expand, vec![1, 3, 4, 6]), (Step::Swap, vec![4, 6, 1, 3]), (Step::Shrink, vec![4, 6])]
        );
    }

    #[test]
    fn p2_a_broker_that_is_given_up_is_in_no_step() {
        let kept = kept(&ids(&[1, 3]), &ids(&[1]));
        let all = steps(&kept, &ids(&[4, 6]));
        assert_eq!(
            all,
            [(Step::Expand, ids(&[3, 4, 6])), (Step::Swap, ids(&[4, 6, 3])), (Step::Shrink, ids(&[4, 6]))]
        );
    }

    #[test]
    fn p2_a_step_that_changes_nothing_is_skipped() {
        let kinds =
            |from: &[i32], to: &[i32]| steps(&ids(from), &ids(to)).iter().map(|s| s.0).collect::<Vec<_>>();
        assert_eq!(kinds(&[1, 2], &[2, 1]), [Step::Swap]);
        assert_eq!(kinds(&[1], &[1, 2]), [Step::Expand]);
        assert_eq!(kinds(&[1, 2, 3], &[1, 2]), [Step::Shrink]);
        assert_eq!(kinds(&[1, 2, 3], &[3, 1]), [Step::Swap, Step::Shrink]);
        assert_eq!(kinds(&[1, 2], &[1, 2]), []);
    }

    #[test]
    fn p2_a_move_has_exactly_the_steps_that_it_takes() {
        let lists: [&[i32]; 7] = [&[1], &[2], &[1, 2], &[2, 1], &[1, 2, 3], &[3, 1], &[4, 2, 1]];
        for (from, to) in lists.iter().flat_map(|from| lists.iter().map(move |to| (ids(from), ids(to)))) {
            let m = Move { topic: 0, partition: 0, from: &from, to: &to, bytes: None, leader: None };
            let taken: Vec<Step> = steps(&from, &to).into_iter().map(|(step, _)| step).collect();
            let has: Vec<Step> = Step::ALL.into_iter().filter(|step| m.has(*step)).collect();
            assert_eq!(has, taken, "{from:?} {to:?}");
        }
    }
}
