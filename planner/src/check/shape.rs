//! P1, P2 and P7 on lists: what a replica list is, which steps a move has, in which order moves stand.

use std::collections::BTreeSet;

use super::{Promise, Verdict};
use crate::model::{MAX_REPLICAS, TopicPartition};
use crate::plan::{Plan, Step};

/// Why this is not a replica list.
pub(super) fn replica_list<T: Copy + Eq + std::fmt::Display>(list: &[T]) -> Result<(), String> {
    if list.is_empty() {
        return Err("the replica list is empty".into());
    }
    if list.len() > MAX_REPLICAS {
        return Err(format!("{} replicas, where at most {MAX_REPLICAS} are handled", list.len()));
    }
    for (at, broker) in list.iter().enumerate() {
        if list[at + 1..].contains(broker) {
            return Err(format!("broker {broker} stands twice in the replica list"));
        }
    }
    Ok(())
}

/// The lists of one move, as positions in the judge's book of brokers. Kept between moves to save allocations.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Replicas at the start.
    pub from: Vec<u32>,
    /// Replicas at the start without those that were given up: `O` of every step.
    pub kept: Vec<u32>,
    /// Replicas at the end.
    pub to: Vec<u32>,
    /// After expand.
    pub expanded: Vec<u32>,
    /// After swap.
    pub swapped: Vec<u32>,
    /// Brokers that get a copy.
    pub added: Vec<u32>,
    /// Brokers that lose their copy.
    pub removed: Vec<u32>,
}

impl Lists {
    /// Derives all lists from `from`, `kept` and `to`.
    pub fn derive(&mut self) {
        let Lists { from, kept, to, expanded, swapped, added, removed } = self;
        added.clear();
        added.extend(to.iter().filter(|broker| !from.contains(broker)));
        removed.clear();
        removed.extend(from.iter().filter(|broker| !to.contains(broker)));
        expanded.clear();
        expanded.extend_from_slice(kept);
        expanded.extend_from_slice(added);
        swapped.clear();
        swapped.extend_from_slice(to);
        swapped.extend(kept.iter().filter(|broker| !to.contains(broker)));
    }

    /// The steps that change something, each with the list after it.
    pub fn steps(&self) -> impl Iterator<Item = (Step, &[u32])> {
        let all: [(Step, &[u32], &[u32]); 3] = [
            (Step::Expand, &self.kept, &self.expanded),
            (Step::Swap, &self.expanded, &self.swapped),
            (Step::Shrink, &self.swapped, &self.to),
        ];
        all.into_iter().filter(|(_, before, after)| before != after).map(|(step, _, after)| (step, after))
    }
}

/// What is wrong with these steps of the move `from -> to`. All lists are replica lists.
pub(super) fn chain<'a, T: Copy + Eq + 'a>(
    from: &'a [T],
    to: &'a [T],
    steps: impl Iterator<Item = (Step, &'a [T])>,
) -> Vec<(Promise, String)> {
    let mut wrong = Vec::new();
    let mut say = |promise, message: String| wrong.push((promise, message));
    let mut before = from;
    let mut last: Option<Step> = None;
    for (step, after) in steps {
        if let Some(last) = last.filter(|last| *last >= step) {
            say(Promise::P2, format!("{step} stands after {last}"));
        }
        if after == before {
            say(Promise::P2, format!("{step} changes nothing and has to be skipped"));
        }
        match step {
            Step::Expand => {
                if before != from {
                    say(Promise::P2, "expand does not begin at the start".into());
                }
                if !after.starts_with(from) {
                    let why = "expand does not keep the originals as a prefix in their order, so a cancel \
                               would not restore them";
                    say(Promise::P7, why.into());
                }
                let news = to.iter().filter(|broker| !from.contains(broker));
                if !after.iter().filter(|broker| !from.contains(broker)).eq(news) {
                    say(
                        Promise::P2,
                        "expand does not add exactly the new replicas in the target's order".into(),
                    );
                }
            }
            Step::Swap => {
                let same = before.len() == after.len() && before.iter().all(|broker| after.contains(broker));
                if !same {
                    say(Promise::P7, "swap changes the set of replicas, so its way back would copy".into());
                }
                let olds = from.iter().filter(|broker| !to.contains(broker));
                if !after.starts_with(to) || !after[to.len()..].iter().eq(olds) {
                    say(
                        Promise::P2,
                        "swap is not the target followed by the originals in their order".into(),
                    );
                }
            }
            Step::Shrink => {
                if !before.starts_with(to) {
                    say(
                        Promise::P2,
                        "shrink begins where the target is not a prefix: the leader would move".into(),
                    );
                }
                if after != to {
                    say(Promise::P2, "shrink does not end at the target".into());
                }
            }
        }
        (before, last) = (after, Some(step));
    }
    if last.is_none() {
        say(Promise::P2, "the move changes nothing".into());
    } else if before != to {
        say(Promise::P2, "the last step does not end at the target".into());
    }
    wrong
}

/// Judges the table of topics and the order of moves. Gives the positions of moves that repeat a partition.
pub(super) fn order(plan: &Plan, verdict: &mut Verdict) -> BTreeSet<usize> {
    let mut names: Vec<&str> = plan.topics.iter().map(|topic| topic.name.as_str()).collect();
    names.sort_unstable();
    for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
        let message = format!("topic {:?} stands twice among the plan's topics", pair[0]);
        verdict.add(Promise::P2, None, None, message);
    }
    // The place of each topic: internal ones last, then by name.
    let mut places: Vec<u32> = (0..plan.topics.len() as u32).collect();
    places.sort_by_key(|at| (plan.topics[*at as usize].internal, plan.topics[*at as usize].name.as_str()));
    let mut rank = vec![0u32; places.len()];
    for (place, topic) in places.iter().enumerate() {
        rank[*topic as usize] = place as u32;
    }

    let key = |at: usize| {
        let m = plan.moves.get(at);
        rank.get(m.topic as usize).map(|place| (*place, m.partition))
    };
    let mut backward: Option<(usize, u64)> = None;
    let mut repeated = false;
    let mut last = None;
    for at in 0..plan.moves.len() {
        let Some(here) = key(at) else { continue };
        if last.is_some_and(|last| here < last) {
            let (_, count) = backward.get_or_insert((at, 0));
            *count += 1;
        }
        repeated |= last == Some(here);
        last = Some(here);
    }
    if let Some((at, count)) = backward {
        let message = format!(
            "the move stands after a later one ({count} such places): internal topics come last, then topics by \
             name and partitions by number"
        );
        verdict.add(Promise::P2, Some(name(plan, at)), None, message);
    }
    if backward.is_none() && !repeated {
        return BTreeSet::new();
    }
    let mut keys: Vec<((u32, i32), usize)> =
        (0..plan.moves.len()).filter_map(|at| key(at).map(|key| (key, at))).collect();
    keys.sort_unstable();
    let twice = keys.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1);
    let twice: BTreeSet<usize> = twice.collect();
    for at in &twice {
        verdict.add(Promise::P2, Some(name(plan, *at)), None, "the partition is moved twice".into());
    }
    twice
}

/// The name of the partition of a move, whatever its topic number is.
pub(super) fn name(plan: &Plan, at: usize) -> TopicPartition {
    let m = plan.moves.get(at);
    match plan.topics.get(m.topic as usize) {
        Some(topic) => TopicPartition::new(topic.name.clone(), m.partition),
        None => TopicPartition::new(format!("#{}", m.topic), m.partition),
    }
}
