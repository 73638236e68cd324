//! Topics and partitions that are created and deleted.

use std::collections::BTreeMap;

use restow_planner::model::replicas::first_repeated;
use restow_planner::model::{BrokerId, TopicId};

use super::reassign::check_list;
use super::state::{Configs, Partition, State, Topic};
use super::{ConfigChange, NewPartitions, NewTopic, Placement, Resource, configs};
use crate::code::{Code, Refusal};

const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

pub(super) fn create(
    state: &mut State,
    items: Vec<NewTopic>,
    validate_only: bool,
) -> Vec<(String, Result<TopicId, Refusal>)> {
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let name = item.name.clone();
        outcomes.push((name, create_one(state, item, validate_only)));
    }
    outcomes
}

fn create_one(state: &mut State, item: NewTopic, validate_only: bool) -> Result<TopicId, Refusal> {
    let NewTopic { name, placement, configs } = item;
    check_name(&name)?;
    if state.topics.contains_key(&name) {
        let message = format!("Topic '{name}' already exists.");
        return Err(Refusal::new(Code::TopicAlreadyExists, message));
    }
    let lists = match placement {
        Placement::Given(lists) if lists.is_empty() => {
            return Err(Refusal::new(Code::InvalidPartitions, "Number of partitions must be larger than 0."));
        }
        Placement::Given(lists) => lists,
        Placement::Spread { partitions, replication_factor } => {
            let count = if partitions == -1 { 1 } else { partitions };
            let factor = if replication_factor == -1 { 1 } else { replication_factor };
            if count <= 0 {
                let text = "Number of partitions was set to an invalid non-positive value.";
                return Err(Refusal::new(Code::InvalidPartitions, text));
            }
            spread(state, 0, count as usize, i32::from(factor))?
        }
    };
    if lists.iter().any(|list| list.len() != lists[0].len()) {
        let text = "The manual partition assignment includes partitions with different numbers of replicas.";
        return Err(Refusal::new(Code::InvalidReplicaAssignment, text));
    }
    let checked = !state.rules.creates_on_dead_brokers;
    let partitions: Vec<Partition> =
        lists.into_iter().map(|list| new_partition(state, list, checked)).collect::<Result<_, _>>()?;
    let led = partitions.iter().all(|p| p.leader.is_some());
    check_configs(state, &name, &configs)?;
    if validate_only {
        return Ok(TopicId::ZERO);
    }
    let id = state.next_topic_id();
    let internal = INTERNAL.contains(&name.as_str());
    state.topics.insert(name, Topic { id, internal, configs, partitions });
    // It is there, but the request waited for its leaders in vain.
    if led { Ok(id) } else { Err(Refusal::bare(Code::RequestTimedOut)) }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let good = !name.is_empty() && name != "." && name != ".." && name.len() <= 249;
    if good && name.chars().all(legal) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidTopic, format!("Topic name is invalid: '{name}'")))
}

fn check_configs(state: &State, name: &str, values: &Configs) -> Result<(), Refusal> {
    let changes: Vec<ConfigChange> =
        values.iter().map(|(key, value)| ConfigChange::Set(key.clone(), value.clone())).collect();
    configs::check_new(state, &Resource::Topic(name.to_owned()), &changes)
}

/// A new partition: in sync is who is active; one must be.
fn new_partition(state: &State, replicas: Vec<BrokerId>, checked: bool) -> Result<Partition, Refusal> {
    if checked || first_repeated(&replicas).is_some() {
        check_list(state, &replicas)?;
    }
    let isr: Vec<BrokerId> = replicas.iter().copied().filter(|r| state.is_active(*r)).collect();
    let Some(leader) = isr.first().copied() else {
        if !checked {
            return Ok(Partition { leader: None, ..Partition::settled(replicas) });
        }
        return Err(Refusal::new(
            Code::InvalidReplicaAssignment,
            "All brokers specified in the manual partition assignment are fenced or in controlled shutdown.",
        ));
    };
    Ok(Partition { leader: Some(leader), isr, replicas, ..Partition::default() })
}

/// Lists over the active brokers: racks in turn, the start moves on with each partition. Kafka starts at
/// random; here it follows from how many topics were created.
fn spread(state: &State, from: usize, count: usize, factor: i32) -> Result<Vec<Vec<BrokerId>>, Refusal> {
    if factor <= 0 {
        let text = "Replication factor must be larger than 0, or -1 to use the default value.";
        return Err(Refusal::new(Code::InvalidReplicationFactor, text));
    }
    let mut racks: BTreeMap<Option<&str>, Vec<BrokerId>> = BTreeMap::new();
    for (id, broker) in state.brokers.iter().filter(|(_, broker)| broker.is_active()) {
        racks.entry(broker.rack.as_deref()).or_default().push(*id);
    }
    let active: usize = racks.values().map(Vec::len).sum();
    if (factor as usize) > active {
        let text = format!(
            "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot \
             be reached because only {active} broker(s) are registered."
        );
        return Err(Refusal::new(Code::InvalidReplicationFactor, text));
    }
    let racks: Vec<Vec<BrokerId>> = racks.into_values().collect();
    let place = |n: usize| {
        let mut list: Vec<BrokerId> = Vec::new();
        let mut step = 0;
        while list.len() < factor as usize {
            let rack = &racks[(n + step) % racks.len()];
            let turn = n / racks.len() + step / racks.len();
            let broker = rack[turn % rack.len()];
            if !list.contains(&broker) {
                list.push(broker);
            }
            step += 1;
        }
        list
    };
    let start = state.created as usize + from;
    Ok((start..start + count).map(place).collect())
}

fn is_in_flight(state: &State, topic: &str) -> bool {
    state.topics.get(topic).is_some_and(|topic| topic.partitions.iter().any(Partition::in_flight))
}

pub(super) fn delete(state: &mut State, name: &str) -> Result<TopicId, Refusal> {
    match state.topics.remove(name) {
        Some(topic) => Ok(topic.id),
        None => Err(Refusal::new(
            Code::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )),
    }
}

pub(super) fn add_partitions(
    state: &mut State,
    items: Vec<NewPartitions>,
    validate_only: bool,
) -> Vec<(String, Result<TopicId, Refusal>)> {
    let mut outcomes = Vec::with_capacity(items.len());
    for NewPartitions { topic, count, replicas } in items {
        let outcome = grow(state, &topic, count, replicas, validate_only);
        outcomes.push((topic, outcome));
    }
    outcomes
}

fn grow(
    state: &mut State,
    name: &str,
    count: i32,
    lists: Option<Vec<Vec<BrokerId>>>,
    validate_only: bool,
) -> Result<TopicId, Refusal> {
    let Some(topic) = state.topics.get(name) else {
        return Err(Refusal::bare(Code::UnknownTopicOrPartition));
    };
    let (id, have) = (topic.id, topic.partitions.len());
    if !state.rules.grows_in_flight && is_in_flight(state, name) {
        return Err(Refusal::new(Code::ReassignmentInProgress, "A partition reassignment is in progress."));
    }
    let wanted = usize::try_from(count).unwrap_or(0);
    if wanted <= have {
        let relation = if wanted == have { "already has" } else { "currently has" };
        let text =
            format!("The topic {name} {relation} {have} partition(s); {count} would not be an increase.");
        return Err(Refusal::new(Code::InvalidPartitions, text));
    }
    // The length of partition 0's whole list, replicas in flight included: case M.
    let factor = topic.partitions.first().map_or(1, |p| p.replicas.len());
    let lists = match lists {
        Some(lists) if lists.len() != wanted - have => {
            let text = format!(
                "Attempted to add {} additional partition(s), but only {} assignment(s) were specified.",
                wanted - have,
                lists.len()
            );
            return Err(Refusal::new(Code::InvalidReplicaAssignment, text));
        }
        Some(lists) => {
            if lists.iter().any(|list| list.len() != factor) {
                let text =
                    "The manual partition assignment includes a partition with another number of replicas.";
                return Err(Refusal::new(Code::InvalidReplicaAssignment, text));
            }
            lists
        }
        None => spread(state, have, wanted - have, factor as i32)?,
    };
    let live = |list: &Vec<BrokerId>| list.iter().all(|broker| state.is_active(*broker));
    if !state.rules.adds_dead_replicas && !lists.iter().all(live) {
        return Err(Refusal::new(Code::InvalidReplicaAssignment, "Unknown broker(s) in replica assignment."));
    }
    let new: Vec<Partition> =
        lists.into_iter().map(|list| new_partition(state, list, true)).collect::<Result<_, _>>()?;
    if !validate_only && let Some(topic) = state.topics.get_mut(name) {
        topic.partitions.extend(new);
    }
    Ok(id)
}
