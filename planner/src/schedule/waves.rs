//! Waves: a stage as files for the stock tool, which has no window.

use crate::plan::{Plan, Step};

/// The moves of a plan that have this step, in waves of at most this many partitions: one file each for
/// `kafka-reassign-partitions`. Internal topics come last, as in the plan.
pub fn waves(plan: &Plan, step: Step, most: usize) -> Vec<Vec<usize>> {
    let moves: Vec<usize> =
        plan.moves.iter().enumerate().filter(|(_, m)| m.has(step)).map(|(at, _)| at).collect();
    moves.chunks(most.max(1)).map(<[usize]>::to_vec).collect()
}
