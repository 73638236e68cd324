//! What is true of a partition when a request for it is journalled.

use std::collections::BTreeSet;
use std::time::Duration;

use restow_executor::journal::{Gate, Goal};
use restow_planner::model::replicas::{minus, same_set};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::{Move, Plan, moves};
use restow_simulator::controller::Partition;

use super::super::history::Version;
use super::Audit;

/// One partition at the moment at which a request for it is journalled.
pub(super) struct Case<'a> {
    partition: &'a TopicPartition,
    m: Move<'a>,
    plan: &'a Plan,
    versions: Vec<Version>,
    /// Replicas that hold what is committed, or were in the ISR a moment ago, and whose brokers ran then.
    live: BTreeSet<BrokerId>,
    /// The same, of brokers that ran and answered all the while.
    steady: BTreeSet<BrokerId>,
    /// Brokers that ran a moment ago.
    up: BTreeSet<BrokerId>,
    goal: Goal,
    may_shrink: bool,
    asked: BTreeSet<Vec<BrokerId>>,
    min_isr: usize,
    stale: bool,
}

impl<'a> Case<'a> {
    pub fn of(
        audit: &'a mut Audit,
        host: usize,
        partition: &'a TopicPartition,
        at: usize,
        now: Duration,
    ) -> Self {
        let stale = audit.is_stale();
        let (sim, history) = (&audit.sim, &mut audit.history);
        let whole = sim.whole_copies(&partition.topic, partition.partition);
        let brokers: Vec<BrokerId> = sim.with_state(|state| state.brokers.keys().copied().collect());
        let up: BTreeSet<BrokerId> = brokers.iter().copied().filter(|b| history.was_up(*b, now)).collect();
        let steady: BTreeSet<_> = whole.iter().copied().filter(|b| history.was_steady(*b, now)).collect();
        let book = &audit.books[host];
        let m = audit.plan.moves.get(at);
        let versions = history.recent(partition, now);
        let in_sync = versions.iter().flat_map(|v| &v.partition).flat_map(|p| p.isr.iter().copied());
        let held: BTreeSet<BrokerId> = in_sync.chain(whole).collect();
        Case {
            versions,
            live: held.intersection(&up).copied().collect(),
            steady,
            up,
            goal: book.goal.expect("a process opened the run"),
            may_shrink: book.approved.contains(&Gate::Shrink),
            asked: book.lists.get(partition).cloned().unwrap_or_default(),
            min_isr: audit.plan.topic_of(&m).min_isr.unwrap_or(1) as usize,
            stale,
            plan: &audit.plan,
            m,
            partition,
        }
    }

    /// Some version of the last moments satisfies this; else the reason why the last one does not.
    #[track_caller]
    fn some(&self, promise: &str, what: &str, test: impl Fn(&Partition) -> Result<(), String>) {
        let topic = self.plan.topic_of(&self.m).id;
        // Between one read and the next a topic that is deleted takes its moves in flight off the list.
        let is_ours = |version: &Version| version.topic == topic && version.partition.is_some();
        if self.versions.iter().any(is_ours) && !self.versions.last().is_some_and(is_ours) {
            return;
        }
        let mut why = format!("E2: {} is gone or another topic's", self.partition);
        for version in &self.versions {
            let Some(p) = version.partition.as_ref().filter(|_| version.topic == topic) else { continue };
            match test(p) {
                Ok(()) => return,
                Err(reason) => why = format!("{promise}: {reason}; it was {p:?}"),
            }
        }
        panic!(
            "{what} {}: {why}; live {:?}, of {:?} -> {:?}",
            self.partition, self.live, self.m.from, self.m.to
        );
    }

    fn all_live(&self, list: &[BrokerId]) -> Result<(), String> {
        let dead: Vec<&BrokerId> = list.iter().filter(|id| !self.live.contains(id)).collect();
        if dead.is_empty() { Ok(()) } else { Err(format!("{dead:?} are no live copies")) }
    }

    pub fn submit(&self, list: &[BrokerId]) {
        let (o, k) = (self.m.from, self.m.to);
        let forward = self.goal == Goal::Forward;
        self.some("E3/E4", &format!("submit {list:?} for"), |p| {
            if p.in_flight() {
                return Err("E3: a reassignment is in flight".into());
            }
            if list == p.replicas {
                return Ok(());
            }
            let (adds, drops) = (minus(list, &p.replicas), minus(&p.replicas, list));
            if !adds.is_empty() && (forward || !self.stale) {
                let known = p.replicas == o && forward && list == moves::expanded(o, k);
                if !known && !self.stale {
                    return Err(format!("E3/E9: {list:?} is no next list, goal {:?}", self.goal));
                }
                let silent: Vec<_> = adds.iter().filter(|id| !self.up.contains(id)).collect();
                if !silent.is_empty() {
                    return Err(format!("E4: {silent:?} do not run"));
                }
                return self.all_live(o);
            }
            if same_set(list, &p.replicas) {
                let wanted = if forward { k } else { o };
                if list[..wanted.len()] != *wanted {
                    return Err(format!("E9: {list:?} does not begin with {wanted:?}"));
                }
                return self.leads(p, list, wanted);
            }
            if drops.is_empty() {
                return Ok(());
            }
            if forward {
                if list != k || !self.may_shrink {
                    return Err(format!("E9: {list:?} is no approved shrink"));
                }
                if p.leader != Some(k[0]) && !self.stale {
                    return Err("the leader is not the first of the target".into());
                }
                return self.all_live(k);
            }
            if list != o {
                return Err(format!("E3: {list:?} is not the start"));
            }
            self.leaves_enough(p)
        });
    }

    pub fn cancel(&self) {
        assert!(self.goal != Goal::Forward, "E9: {} is cancelled on the way forward", self.partition);
        self.some("E3/E4", "cancel", |p| {
            if !p.in_flight() {
                return Err("nothing is in flight".into());
            }
            let target: Vec<BrokerId> =
                p.replicas.iter().copied().filter(|id| !p.removing.contains(id)).collect();
            if !self.asked.contains(&target) {
                return Err(format!("E3: {target:?} was not asked by this host"));
            }
            self.leaves_enough(p)
        });
    }

    pub fn elect(&self) {
        self.some("E4", "elect", |p| {
            let head = p.replicas.first().ok_or("no replicas")?;
            let wanted = if self.goal == Goal::Forward { self.m.to } else { self.m.from };
            if *head != wanted[0] && !self.stale {
                return Err(format!("E9: {head} is not the first of {wanted:?}"));
            }
            self.leads(p, &p.replicas, wanted)
        });
    }

    /// All of what is wanted is in the ISR, and its first is a live copy.
    fn leads(&self, p: &Partition, list: &[BrokerId], wanted: &[BrokerId]) -> Result<(), String> {
        let out = minus(wanted, &p.isr);
        if !out.is_empty() && !self.stale {
            return Err(format!("E4: {out:?} are not in the ISR"));
        }
        self.all_live(&list[..1])
    }

    /// E4: dropping the added replicas leaves enough.
    fn leaves_enough(&self, p: &Partition) -> Result<(), String> {
        let o = self.m.from;
        let kept: Vec<BrokerId> = o.iter().copied().filter(|id| self.live.contains(id)).collect();
        let is_live = |id: &BrokerId| self.steady.contains(id) && p.isr.contains(id);
        let before: Vec<BrokerId> = p.replicas.iter().copied().filter(is_live).collect();
        if kept.len() < before.len().min(o.len()) || kept.is_empty() {
            return Err(format!("E4: {kept:?} of {before:?} would be left"));
        }
        let (needs, had) = (self.min_isr.min(o.len()), self.min_isr.min(p.replicas.len()));
        if before.len() >= had && kept.len() < needs {
            return Err(format!("E4: {kept:?} would be left, min ISR is {}", self.min_isr));
        }
        let zones = self.plan.count_zones(&before).min(self.plan.count_zones(o));
        if self.plan.count_zones(&kept) < zones {
            return Err(format!("E4: {kept:?} stand in fewer than {zones} zones"));
        }
        Ok(())
    }
}
