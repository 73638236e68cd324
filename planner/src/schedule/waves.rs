//! Waves: a stage as files for the stock tool, which has no window.

use crate::plan::{Plan, Step, moves};

/// The moves of a plan that have this step, in waves of at most this many partitions, and where copies are added of at
/// most this many bytes, unless a single move has more: one file each for `kafka-reassign-partitions`. Internal topics
/// come last, as in the plan. What has an unknown size goes alone where bytes are limited: unknown is never zero.
pub fn waves(plan: &Plan, step: Step, most: usize, most_bytes: Option<u64>) -> Vec<Vec<usize>> {
    let limit = most_bytes.filter(|_| step == Step::Expand).unwrap_or(u64::MAX);
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut sum = 0u64;
    for (at, m) in plan.moves.iter().enumerate().filter(|(_, m)| m.has(step)) {
        let copies = moves::added(m.from, m.to).len() as u64;
        let bytes = m.bytes.map_or(limit, |bytes| bytes.saturating_mul(copies));
        match waves.last_mut() {
            Some(wave) if wave.len() < most.max(1) && sum.saturating_add(bytes) <= limit => wave.push(at),
            _ => {
                waves.push(vec![at]);
                sum = 0;
            }
        }
        sum = sum.saturating_add(bytes);
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Pacing;
    use crate::schedule::tests::{Row, plan};

    #[test]
    fn waves_keep_within_a_number_and_within_bytes() {
        let row = |bytes| -> Row { (vec![0, 1], vec![2, 3], bytes) };
        let rows = [row(Some(10)), row(Some(20)), row(Some(100)), row(None), row(Some(1)), row(Some(1))];
        let plan = plan(4, &rows, Pacing::Staged);
        assert_eq!(waves(&plan, Step::Expand, 4, None), [vec![0, 1, 2, 3], vec![4, 5]]);
        let by_bytes = waves(&plan, Step::Expand, 4, Some(60));
        assert_eq!(
            by_bytes,
            [vec![0, 1], vec![2], vec![3], vec![4, 5]],
            "two copies each; unknown goes alone"
        );
        assert_eq!(waves(&plan, Step::Shrink, 10, Some(60)).len(), 1, "nothing is copied");
    }
}
