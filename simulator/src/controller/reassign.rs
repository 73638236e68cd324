//! Reassignments, what is in flight, elections.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::replicas::{first_repeated, minus};
use restow_planner::model::{BrokerId, TopicPartition};

use super::change::{Change, Election, Record};
use super::state::{Partition, State};
use super::{InFlight, Outcome};
use crate::code::{Code, Refusal};
use crate::rules::Base;

type Item = (TopicPartition, Option<Vec<BrokerId>>);

/// All items are judged on the state before the request; then all records are written. Of a partition that is named
/// twice both are answered and the first wins, since the second record is of an older epoch; or the last alone.
pub(super) fn alter(
    state: &mut State,
    items: Vec<Item>,
    allow_rf_change: bool,
) -> Vec<(TopicPartition, Outcome)> {
    let mut records = Vec::new();
    let mut outcomes = Vec::with_capacity(items.len());
    let items = if state.rules.first_item_wins { items } else { last_of_each(items) };
    for (at, target) in items {
        let outcome = match one(state, &at, target, allow_rf_change) {
            Ok(Some(_)) if records.len() >= state.rules.max_records => {
                Err(Refusal::bare(Code::UnknownServerError))
            }
            Ok(record) => {
                records.extend(record.map(|record| (at.clone(), record)));
                Ok(())
            }
            Err(refusal) => Err(refusal),
        };
        outcomes.push((at, outcome));
    }
    write(state, records);
    outcomes
}

fn last_of_each(items: Vec<Item>) -> Vec<Item> {
    items.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// Writes records into the state.
pub(super) fn write(state: &mut State, records: Vec<(TopicPartition, Record)>) {
    for (at, record) in records {
        if let Some(partition) = state.partition_mut(&at.topic, at.partition) {
            record.replay(partition);
        }
    }
}

pub(super) fn find<'a>(state: &'a State, at: &TopicPartition) -> Result<&'a Partition, Refusal> {
    let Some(topic) = state.topics.get(&at.topic) else {
        let message = format!("Unable to find a topic named {}.", at.topic);
        return Err(Refusal::new(Code::UnknownTopicOrPartition, message));
    };
    usize::try_from(at.partition).ok().and_then(|n| topic.partitions.get(n)).ok_or_else(|| {
        let message = format!("Unable to find partition {}:{}.", at.topic, at.partition);
        Refusal::new(Code::UnknownTopicOrPartition, message)
    })
}

fn one(
    state: &State,
    at: &TopicPartition,
    target: Option<Vec<BrokerId>>,
    allow_rf_change: bool,
) -> Result<Option<Record>, Refusal> {
    let now = match find(state, at) {
        // What is unknown is not in flight, and that is what ZooKeeper's controller looks at first.
        Err(_) if target.is_none() && state.rules.base == Base::Originals => {
            return Err(Refusal::bare(Code::NoReassignmentInProgress));
        }
        found => found?,
    };
    let change = match target {
        None if state.rules.base == Base::Originals => return_to_originals(state, at, now)?,
        None => cancel(state, at, now)?,
        Some(target) => start(state, at, now, &target, allow_rf_change)?,
    };
    Ok(change.build(&|broker| state.is_active(broker)))
}

fn start<'a>(
    state: &'a State,
    at: &TopicPartition,
    now: &'a Partition,
    target: &[BrokerId],
    allow_rf_change: bool,
) -> Result<Change<'a>, Refusal> {
    if state.rules.adds_dead_replicas {
        check_list(state, target)?;
    } else {
        check_added_live(state, now, target)?;
    }
    if state.rules.base == Base::Originals {
        return Ok(from_originals(state, at, now, target));
    }
    if !allow_rf_change {
        let counted = minus(&now.replicas, &now.removing).len();
        if counted != target.len() {
            let message = format!("The replication factor is changed from {counted} to {}", target.len());
            return Err(Refusal::new(Code::InvalidReplicationFactor, message));
        }
    }
    // Against the whole present list, replicas that are being added included: cases B and C follow from this.
    let mut removing = minus(&now.replicas, target);
    let mut adding = minus(target, &now.replicas);
    removing.sort_unstable();
    adding.sort_unstable();
    let mut change = Change::of(state, &at.topic, now);
    change.replicas = target.iter().chain(&removing).copied().collect();
    // An empty difference leaves what was there: cases D and E.
    if !adding.is_empty() {
        change.adding = adding;
    }
    if !removing.is_empty() {
        change.removing = removing;
    }
    Ok(change)
}

/// A reassignment to the replicas from before the one that is in flight: nothing checks whether any of them lives.
fn return_to_originals<'a>(
    state: &'a State,
    at: &TopicPartition,
    now: &'a Partition,
) -> Result<Change<'a>, Refusal> {
    if now.in_flight() {
        Ok(from_originals(state, at, now, &minus(&now.replicas, &now.adding)))
    } else {
        Err(Refusal::bare(Code::NoReassignmentInProgress))
    }
}

/// `ReplicaAssignment.reassignTo` (ControllerContext.scala): the target, then what was there before.
fn from_originals<'a>(
    state: &'a State,
    at: &TopicPartition,
    now: &'a Partition,
    target: &[BrokerId],
) -> Change<'a> {
    let originals = minus(&now.replicas, &now.adding);
    let goes = minus(&originals, target);
    let mut change = Change::of(state, &at.topic, now);
    change.replicas = target.iter().chain(&goes).copied().collect();
    change.adding = minus(&change.replicas, &originals);
    change.removing = goes;
    let stays = change.replicas.clone();
    change.isr.retain(|r| stays.contains(r));
    change
}

/// With ZooKeeper only the brokers that are added must live.
fn check_added_live(state: &State, now: &Partition, target: &[BrokerId]) -> Outcome {
    let refuse = |text: String| Err(Refusal::new(Code::InvalidReplicaAssignment, text));
    if target.is_empty() {
        return refuse("Empty replica list specified in partition reassignment.".to_owned());
    }
    if first_repeated(target).is_some() || target.iter().any(|broker| broker.0 < 0) {
        return refuse(format!("Invalid replica list in partition reassignment: {target:?}"));
    }
    let originals = minus(&now.replicas, &now.adding);
    if minus(target, &originals).iter().all(|broker| state.is_active(*broker)) {
        return Ok(());
    }
    refuse(format!("Replica assignment has brokers that are not alive. Replica list: {target:?}"))
}

/// Refuses lists that are no replica lists of registered brokers. Whether they are alive is not asked.
pub(super) fn check_list(state: &State, list: &[BrokerId]) -> Result<(), Refusal> {
    let refuse = |text: String| Err(Refusal::new(Code::InvalidReplicaAssignment, text));
    if list.is_empty() {
        return refuse("The manual partition assignment includes an empty replica list.".to_owned());
    }
    if let Some(twice) = first_repeated(list) {
        return refuse(format!(
            "The manual partition assignment includes the broker {twice} more than once."
        ));
    }
    match list.iter().find(|broker| !state.brokers.contains_key(broker)) {
        Some(broker) => refuse(format!(
            "The manual partition assignment includes broker {broker}, but no such broker is registered."
        )),
        None => Ok(()),
    }
}

fn cancel<'a>(state: &'a State, at: &TopicPartition, now: &'a Partition) -> Result<Change<'a>, Refusal> {
    if !now.in_flight() {
        return Err(Refusal::new(
            Code::NoReassignmentInProgress,
            "No partition reassignment is in progress.",
        ));
    }
    let mut change = Change::of(state, &at.topic, now);
    change.isr = minus(&now.isr, &now.adding);
    change.replicas = minus(&now.replicas, &now.adding);
    change.adding.clear();
    change.removing.clear();
    if change.isr.is_empty() {
        if change.election != Election::Unclean {
            let message = format!(
                "Unable to revert partition assignment for {}:{} because it would require an unclean leader election.",
                at.topic, at.partition
            );
            return Err(Refusal::new(Code::InvalidReplicaAssignment, message));
        }
        match change.replicas.first() {
            Some(first) => change.isr.push(*first),
            None => {
                let text = "Invalid replica assignment: addingReplicas contains all replicas.";
                return Err(Refusal::new(Code::InvalidReplicaAssignment, text));
            }
        }
    }
    Ok(change)
}

/// What is in flight.
pub(super) fn list(state: &State, only: Option<Vec<TopicPartition>>) -> Vec<InFlight> {
    let listed = |(at, p): (TopicPartition, &Partition)| {
        p.in_flight().then(|| InFlight {
            partition: at,
            replicas: p.replicas.clone(),
            adding: p.adding.clone(),
            removing: p.removing.clone(),
        })
    };
    match only {
        None => state.partitions().filter_map(listed).collect(),
        Some(only) => only
            .into_iter()
            .filter_map(|at| {
                let partition = state.partition(&at.topic, at.partition)?;
                listed((at, partition))
            })
            .collect(),
    }
}

/// Elects; for the whole cluster only those are answered that needed an election.
pub(super) fn elect(
    state: &mut State,
    unclean: bool,
    only: Option<Vec<TopicPartition>>,
) -> Vec<(TopicPartition, Outcome)> {
    let all = only.is_none();
    let wanted: Vec<TopicPartition> = only.unwrap_or_else(|| state.partitions().map(|(at, _)| at).collect());
    let wanted = if state.rules.first_item_wins {
        wanted
    } else {
        wanted.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
    };
    let mut outcomes = Vec::new();
    for at in wanted {
        let outcome = elect_one(state, unclean, &at);
        let needless = outcome.as_ref().is_err_and(|refusal| refusal.code == Code::ElectionNotNeeded);
        if !(all && needless) {
            outcomes.push((at, outcome));
        }
    }
    outcomes
}

fn elect_one(state: &mut State, unclean: bool, at: &TopicPartition) -> Outcome {
    let now = find(state, at)?;
    let content = if unclean { now.leader.is_some() } else { now.leader == now.replicas.first().copied() };
    if content {
        return Err(Refusal::bare(Code::ElectionNotNeeded));
    }
    let mut change = Change::of(state, &at.topic, now);
    change.election = if unclean { Election::Unclean } else { Election::Preferred };
    let Some(record) = change.build(&|broker| state.is_active(broker)) else {
        let code =
            if unclean { Code::EligibleLeadersNotAvailable } else { Code::PreferredLeaderNotAvailable };
        return Err(Refusal::bare(code));
    };
    write(state, vec![(at.clone(), record)]);
    Ok(())
}
