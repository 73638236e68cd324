//! One change of one partition: does it end a reassignment, who leads, does the epoch grow.

use restow_planner::model::BrokerId;

use super::state::{Partition, State};
use crate::rules::{Completion, Rules};

/// How a leader is chosen where the present one may not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Election {
    /// The first replica, if it can lead.
    Preferred,
    /// Any in-sync replica.
    Online,
    /// Any replica at all.
    Unclean,
}

/// What one change writes: the fields that differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    /// Written even if it names the present leader: that is how the epoch grows.
    leader: Option<Option<BrokerId>>,
    isr: Option<Vec<BrokerId>>,
    elr: Option<Vec<BrokerId>>,
    replicas: Option<Vec<BrokerId>>,
    adding: Option<Vec<BrokerId>>,
    removing: Option<Vec<BrokerId>>,
}

impl Record {
    /// Writes the fields into the partition.
    pub(crate) fn replay(self, partition: &mut Partition) {
        if let Some(leader) = self.leader {
            partition.leader = leader;
            partition.leader_epoch += 1;
        }
        let fields = [
            (self.isr, &mut partition.isr),
            (self.elr, &mut partition.elr),
            (self.replicas, &mut partition.replicas),
            (self.adding, &mut partition.adding),
            (self.removing, &mut partition.removing),
        ];
        for (new, field) in fields {
            if let Some(new) = new {
                *field = new;
            }
        }
        partition.partition_epoch += 1;
    }
}

/// The state that a change aims at; starts as the present one.
pub(crate) struct Change<'a> {
    now: &'a Partition,
    rules: &'a Rules,
    min_isr: usize,
    pub(crate) election: Election,
    pub(crate) isr: Vec<BrokerId>,
    pub(crate) elr: Vec<BrokerId>,
    pub(crate) replicas: Vec<BrokerId>,
    pub(crate) adding: Vec<BrokerId>,
    pub(crate) removing: Vec<BrokerId>,
}

impl<'a> Change<'a> {
    /// A change of this partition, with the election that the topic's configs allow.
    pub(crate) fn of(state: &'a State, topic: &str, now: &'a Partition) -> Self {
        let config = |key| state.topic_config(topic, key);
        let unclean = config("unclean.leader.election.enable") == Some("true");
        let min_isr = config("min.insync.replicas").and_then(|text| text.parse().ok()).unwrap_or(1);
        Change {
            now,
            rules: &state.rules,
            min_isr: now.replicas.len().min(min_isr),
            election: if unclean { Election::Unclean } else { Election::Online },
            isr: now.isr.clone(),
            elr: now.elr.clone(),
            replicas: now.replicas.clone(),
            adding: now.adding.clone(),
            removing: now.removing.clone(),
        }
    }

    /// The record of this change, or nothing if nothing differs.
    pub(crate) fn build(mut self, may_lead: &dyn Fn(BrokerId) -> bool) -> Option<Record> {
        self.complete();
        self.note_eligible();
        let mut record = Record::default();
        self.elect(may_lead, &mut record);
        if record.leader.is_none() && self.now.replicas.iter().any(|r| !self.replicas.contains(r)) {
            record.leader = Some(self.now.leader);
        }
        let may_be_empty = self.rules.eligible_leader_replicas;
        if (!self.isr.is_empty() || may_be_empty) && self.isr != self.now.isr {
            record.isr = Some(self.isr);
        }
        let differs = |new: Vec<BrokerId>, old: &Vec<BrokerId>| (new != *old).then_some(new);
        record.elr = differs(self.elr, &self.now.elr);
        record.replicas = differs(self.replicas, &self.now.replicas);
        record.adding = differs(self.adding, &self.now.adding);
        record.removing = differs(self.removing, &self.now.removing);
        (record != Record::default()).then_some(record)
    }

    fn complete(&mut self) {
        if self.adding.is_empty() && self.removing.is_empty() {
            return;
        }
        let stays = |list: &[BrokerId]| -> Vec<BrokerId> {
            list.iter().copied().filter(|r| !self.removing.contains(r)).collect()
        };
        let (isr, replicas) = (stays(&self.isr), stays(&self.replicas));
        let all_in = |wanted: &[BrokerId]| wanted.iter().all(|r| isr.contains(r));
        let done = match self.rules.completion {
            Completion::AddingInIsr => all_in(&self.adding),
            Completion::TargetInIsr => all_in(&replicas),
            Completion::AddingInIsrTargetIfShrinking => {
                all_in(&self.adding) && (self.adding.len() >= self.removing.len() || all_in(&replicas))
            }
        };
        let leaves_none = !self.removing.is_empty() && (isr.is_empty() || replicas.is_empty());
        if done && !leaves_none {
            self.isr = isr;
            self.replicas = replicas;
            self.adding.clear();
            self.removing.clear();
        }
    }

    /// Members that leave an ISR below min ISR stay eligible as leaders.
    fn note_eligible(&mut self) {
        if !self.rules.eligible_leader_replicas || self.isr.len() >= self.min_isr {
            self.elr.clear();
            return;
        }
        self.elr.extend(self.now.isr.iter().copied());
        self.elr.retain(|r| !self.isr.contains(r));
        self.elr.sort_unstable();
        self.elr.dedup();
    }

    fn elect(&mut self, may_lead: &dyn Fn(BrokerId) -> bool, record: &mut Record) {
        let (leader, unclean) = self.choose(may_lead);
        if leader == self.now.leader {
            return;
        }
        record.leader = Some(leader);
        let Some(leader) = leader else { return };
        if unclean || self.isr.is_empty() {
            self.isr = vec![leader];
            self.elr.retain(|r| *r != leader);
        }
        if unclean {
            self.elr.clear();
        }
    }

    fn choose(&self, may_lead: &dyn Fn(BrokerId) -> bool) -> (Option<BrokerId>, bool) {
        let in_sync = |r: &BrokerId| self.isr.contains(r) || self.isr.is_empty() && self.elr.contains(r);
        let valid = |r: &BrokerId| in_sync(r) && may_lead(*r);
        if self.election == Election::Preferred
            && let Some(first) = self.replicas.first().filter(|r| valid(r))
        {
            return (Some(*first), false);
        }
        if let Some(leader) = self.now.leader.filter(valid) {
            return (Some(leader), false);
        }
        if let Some(clean) = self.replicas.iter().find(|r| valid(r)) {
            return (Some(*clean), false);
        }
        if self.election == Election::Unclean
            && let Some(any) = self.replicas.iter().find(|r| may_lead(**r))
        {
            return (Some(*any), true);
        }
        (None, false)
    }
}
