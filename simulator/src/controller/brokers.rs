//! Brokers that come and go, replicas that join and leave the ISR.

use restow_planner::model::{BrokerId, TopicPartition};

use super::Outcome;
use super::change::Change;
use super::reassign::{find, write};
use super::state::{Broker, Configs, Life, Partition, State};
use crate::code::{Code, Refusal};

pub(super) fn register(state: &mut State, broker: BrokerId, rack: Option<String>, host: String, port: i32) {
    let before = state.brokers.remove(&broker);
    let life = before.as_ref().map_or(Life::Up, |b| b.life);
    let configs: Configs = before.map(|b| b.configs).unwrap_or_default();
    let registered = Broker { rack, host, port, fenced: true, shutting_down: false, life, configs };
    state.brokers.insert(broker, registered);
}

fn known(state: &State, broker: BrokerId) -> Result<&Broker, Refusal> {
    let message = || format!("Broker ID {broker} is not currently registered");
    state.brokers.get(&broker).ok_or_else(|| Refusal::new(Code::BrokerIdNotRegistered, message()))
}

pub(super) fn fence(state: &mut State, broker: BrokerId) -> Outcome {
    known(state, broker)?;
    drop_from_isrs(state, broker);
    if let Some(fenced) = state.brokers.get_mut(&broker) {
        fenced.fenced = true;
        fenced.shutting_down = false;
    }
    state.find_controller();
    Ok(())
}

pub(super) fn shut_down(state: &mut State, broker: BrokerId) -> Outcome {
    known(state, broker)?;
    drop_from_isrs(state, broker);
    if let Some(leaving) = state.brokers.get_mut(&broker) {
        leaving.shutting_down = true;
    }
    state.find_controller();
    Ok(())
}

pub(super) fn unregister(state: &mut State, broker: BrokerId) -> Outcome {
    known(state, broker)?;
    drop_from_isrs(state, broker);
    state.brokers.remove(&broker);
    Ok(())
}

pub(super) fn unfence(state: &mut State, broker: BrokerId) -> Outcome {
    known(state, broker)?;
    if let Some(back) = state.brokers.get_mut(&broker) {
        back.fenced = false;
        back.shutting_down = false;
    }
    state.find_controller();
    change_all(state, |p| p.leader.is_none(), |_| {}, None);
    Ok(())
}

/// Takes the broker out of every ISR that it may leave, and its leaderships from it.
fn drop_from_isrs(state: &mut State, broker: BrokerId) {
    let concerned = |p: &Partition| p.isr.contains(&broker);
    change_all(state, concerned, |change| change.isr.retain(|r| *r != broker), Some(broker));
}

/// Takes the broker out of the ISRs of what is in a failed directory.
pub(super) fn log_dir_failed(state: &mut State, broker: BrokerId, partitions: &[TopicPartition]) -> Outcome {
    known(state, broker)?;
    let mut records = Vec::new();
    for at in partitions {
        let Some(partition) = state.partition(&at.topic, at.partition) else { continue };
        let mut change = Change::of(state, &at.topic, partition);
        change.isr.retain(|r| *r != broker);
        let record = change.build(&|r| r != broker && state.is_active(r));
        records.extend(record.map(|record| (at.clone(), record)));
    }
    write(state, records);
    Ok(())
}

fn change_all(
    state: &mut State,
    concerned: impl Fn(&Partition) -> bool,
    edit: impl Fn(&mut Change<'_>),
    gone: Option<BrokerId>,
) {
    let mut records = Vec::new();
    for (at, partition) in state.partitions() {
        if !concerned(partition) {
            continue;
        }
        let mut change = Change::of(state, &at.topic, partition);
        edit(&mut change);
        let record = change.build(&|r| Some(r) != gone && state.is_active(r));
        records.extend(record.map(|record| (at, record)));
    }
    write(state, records);
}

pub(super) fn join(state: &mut State, at: &TopicPartition, broker: BrokerId) -> Outcome {
    let now = find(state, at)?;
    if now.leader.is_none() {
        return Err(Refusal::bare(Code::NotLeaderOrFollower));
    }
    if !now.replicas.contains(&broker) {
        return Err(Refusal::new(Code::InvalidRequest, format!("{broker} is not a replica")));
    }
    if now.isr.contains(&broker) {
        return Ok(());
    }
    if !state.is_active(broker) {
        return Err(Refusal::bare(Code::IneligibleReplica));
    }
    let mut change = Change::of(state, &at.topic, now);
    change.isr.push(broker);
    let record = change.build(&|r| state.is_active(r));
    write(state, record.map(|record| (at.clone(), record)).into_iter().collect());
    Ok(())
}

pub(super) fn leave(state: &mut State, at: &TopicPartition, broker: BrokerId) -> Outcome {
    let now = find(state, at)?;
    if now.leader.is_none() || now.leader == Some(broker) {
        return Err(Refusal::new(Code::InvalidRequest, "the leader stays in its ISR"));
    }
    let mut change = Change::of(state, &at.topic, now);
    change.isr.retain(|r| *r != broker);
    let record = change.build(&|r| state.is_active(r));
    write(state, record.map(|record| (at.clone(), record)).into_iter().collect());
    Ok(())
}
