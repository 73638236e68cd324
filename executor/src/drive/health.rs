//! How the cluster is beside our own moves: what holds new ones (promise E7). Never interrupts a copy.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::read::Reassignment;
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::{Pacing, Plan};

use super::Moment;
use super::hold::{Cause, Hold, Scope};
use super::seen::{BrokerSeen, Far};
use super::view::View;
use crate::journal::Baseline;

/// Free space of a volume, in percent, below which nothing new is sent to it.
const LEAST_FREE_PERCENT: u64 = 5;

/// A broker that did not answer for this long is out of service. Before that, the guards of the moves that need
/// it hold all the same.
const SILENT: Moment = Moment::from_secs(3);

/// Partitions in a state that is not well: how many, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// One of them, for people.
    pub example: Option<TopicPartition>,
}

impl Tally {
    fn add(&mut self, topic: &str, partition: i32) {
        self.count += 1;
        self.example.get_or_insert_with(|| TopicPartition::new(topic, partition));
    }
}

/// A log directory of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dir {
    /// Its path.
    pub path: String,
    /// Whether the broker reports it as failed.
    pub offline: bool,
    /// Bytes of its volume, and those that are free (`DescribeLogDirs` v4); none where unknown.
    pub space: Option<(u64, u64)>,
    /// How many replicas it holds; none where that was not asked.
    pub replicas: Option<u32>,
    /// Bytes of our copies in it, by move, of those that were asked for.
    pub copies: BTreeMap<u32, u64>,
}

/// What the far view shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Brokers of the plan that are fenced, or that the cluster does not list.
    pub offline: BTreeSet<BrokerId>,
    /// Partitions outside the plan whose ISR lacks a replica.
    pub under_replicated: Tally,
    /// Partitions whose ISR is smaller than `min.insync.replicas`, where that is known.
    pub under_min_isr: Tally,
    /// Log directories of destinations.
    pub dirs: BTreeMap<BrokerId, Vec<Dir>>,
}

impl Health {
    /// Judges a far view. Partitions in flight are judged without the replicas that are being added.
    pub(super) fn of(
        plan: &Plan,
        far: &Far,
        flying: &[Reassignment],
        ours: impl Fn(&str, i32) -> bool,
    ) -> Self {
        let serves =
            |id: &BrokerId| far.cluster.brokers.iter().any(|b| b.id == *id && b.fenced != Some(true));
        let mut health = Health { dirs: far.dirs.clone(), ..Health::default() };
        health.offline.extend(plan.brokers.iter().map(|b| b.id).filter(|id| !serves(id)));
        let adding: BTreeMap<(&str, i32), &[BrokerId]> =
            flying.iter().map(|r| ((r.topic.as_str(), r.partition), r.adding.as_slice())).collect();
        for topic in far.topics.iter().filter(|topic| topic.error.is_none()) {
            let min_isr = far.min_isr.get(&topic.name).copied();
            for p in &topic.partitions {
                let adding = adding.get(&(topic.name.as_str(), p.partition)).copied().unwrap_or_default();
                let count = |list: &[BrokerId]| list.iter().filter(|id| !adding.contains(id)).count();
                let (replicas, isr) = (count(&p.replicas), count(&p.isr));
                if isr < replicas && !ours(&topic.name, p.partition) {
                    health.under_replicated.add(&topic.name, p.partition);
                }
                // Kafka caps the effective value at the length of the list.
                if min_isr.is_some_and(|min_isr| isr < replicas.min(min_isr as usize)) {
                    health.under_min_isr.add(&topic.name, p.partition);
                }
            }
        }
        health
    }

    /// What of it was there at the start.
    pub fn baseline(&self) -> Baseline {
        Baseline {
            offline: self.offline.clone(),
            under_replicated: self.under_replicated.count,
            under_min_isr: self.under_min_isr.count,
        }
    }

    /// Whether it is worse than it was.
    pub fn is_worse(&self, than: &Baseline) -> bool {
        self.under_replicated.count > than.under_replicated
            || self.under_min_isr.count > than.under_min_isr
            || !self.offline.is_subset(&than.offline)
    }
}

/// What holds new moves now, beyond what was so at the start.
pub(super) fn holds(plan: &Plan, view: &View, baseline: &Baseline) -> Vec<Hold> {
    let mut holds = brokers(view, baseline);
    let Some(health) = &view.health else { return holds };
    let worse = |what: &Tally, before: u64, cause, words: &str| {
        let example = what.example.as_ref().filter(|_| what.count > before)?;
        Some(Hold {
            cause,
            scope: Scope::Cluster,
            reason: format!(
                "{} partitions {words}, {example} among them; {before} when the run began",
                what.count
            ),
            clears: format!("no more than {before} are"),
        })
    };
    holds.extend(worse(
        &health.under_replicated,
        baseline.under_replicated,
        Cause::UnderReplicated,
        "outside the plan are under-replicated",
    ));
    holds.extend(worse(
        &health.under_min_isr,
        baseline.under_min_isr,
        Cause::MinIsr,
        "are below min.insync.replicas",
    ));
    for (id, dirs) in &health.dirs {
        holds.extend(dirs.iter().find_map(|dir| disk(*id, dir, plan.pacing)));
    }
    if plan.pacing == Pacing::Pipelined {
        holds.extend(view.untold().map(|id| Hold {
            cause: Cause::Disk,
            scope: Scope::Broker(id),
            reason: format!("broker {id} does not tell its log directories, so no room is kept there"),
            clears: "it does; is DESCRIBE on the cluster missing?".into(),
        }));
    }
    holds
}

/// Brokers that left, by the far view, or that do not answer, by the near one.
fn brokers(view: &View, baseline: &Baseline) -> Vec<Hold> {
    let left = view.health.iter().flat_map(|health| &health.offline).copied();
    let is_silent =
        |seen: &BrokerSeen| seen.silent.is_some_and(|since| view.at.saturating_sub(since) >= SILENT);
    let silent = view.brokers.iter().filter(|(_, seen)| is_silent(seen)).map(|(id, _)| *id);
    let out: BTreeSet<BrokerId> = left.chain(silent).collect();
    let new = out.into_iter().filter(|id| !baseline.offline.contains(id) && !view.is_lost(*id));
    let hold = |id: BrokerId| {
        let fenced = view.brokers.get(&id).is_some_and(|seen| seen.fenced);
        let how = if fenced { "is fenced, or not in the cluster" } else { "does not answer" };
        Hold {
            cause: Cause::OfflineBroker,
            scope: Scope::Broker(id),
            reason: format!("broker {id} {how}; it served when the run began"),
            clears: "it serves again".into(),
        }
    };
    new.map(hold).collect()
}

/// Pipelined runs go to where disks are full: there room is kept by reservations (promise P5).
fn disk(id: BrokerId, dir: &Dir, pacing: Pacing) -> Option<Hold> {
    let hold = |reason, clears| Hold { cause: Cause::Disk, scope: Scope::Broker(id), reason, clears };
    if dir.offline {
        return Some(hold(format!("its log directory {} failed", dir.path), "it is repaired".into()));
    }
    let (total, free) = dir.space.filter(|_| pacing == Pacing::Staged)?;
    let least = total / 100 * LEAST_FREE_PERCENT;
    (free < least).then(|| {
        let reason = format!("{free} of {total} bytes are free in {}", dir.path);
        hold(reason, format!("at least {least} are ({LEAST_FREE_PERCENT} %)"))
    })
}
