//! What a plan leaves as it is, sorted by topic and reason.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::BrokerId;
use restow_planner::plan::Plan;

use super::list;

/// Partitions of one topic that stay for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The topic.
    pub topic: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Which of its partitions.
    pub partitions: Vec<i32>,
    /// Source brokers that keep a replica.
    pub on: BTreeSet<BrokerId>,
}

impl Kept<'_> {
    /// Its partitions as ranges. A topic that cannot be seen has no partition numbers.
    pub fn numbers(&self) -> String {
        if self.partitions == [-1] { "(all of it)".into() } else { list::ranges(&self.partitions) }
    }
}

/// All of it, by topic and reason.
pub fn groups(plan: &Plan) -> Vec<Kept<'_>> {
    let mut by: BTreeMap<(&str, &str), Kept<'_>> = BTreeMap::new();
    for out in &plan.left_out {
        let (topic, reason) = (out.partition.topic.as_str(), out.reason.as_str());
        let empty = || Kept { topic, reason, partitions: Vec::new(), on: BTreeSet::new() };
        let kept = by.entry((topic, reason)).or_insert_with(empty);
        kept.partitions.push(out.partition.partition);
        kept.on.extend(&out.keeps);
    }
    by.into_values().collect()
}

/// Replicas that each source broker keeps.
pub fn per_broker(plan: &Plan) -> BTreeMap<BrokerId, u64> {
    let mut keeps = BTreeMap::new();
    for broker in plan.left_out.iter().flat_map(|out| &out.keeps) {
        *keeps.entry(*broker).or_default() += 1;
    }
    keeps
}
