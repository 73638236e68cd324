//! What a tick has to look at, for what may be done next.

use std::collections::BTreeSet;

use restow_planner::model::BrokerId;
use restow_planner::plan::{Pacing, Plan, Step, moves};

use super::agenda::{Agenda, SUBMITS};
use super::stages::next_step;
use super::standing::Standing;
use super::throttle::{Desired, is_slight};
use super::view::View;
use super::{Now, Pace};
use crate::journal::{ConfigKey, Goal, Memory};

/// Time between two far views.
const FAR: std::time::Duration = std::time::Duration::from_secs(30);
/// The same while the cluster is worse than it was: so that a hold ends soon after its reason.
const FAR_WHEN_HELD: std::time::Duration = std::time::Duration::from_secs(5);

/// What a tick reads.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    /// Whether the far view is due: all topics, all brokers, min ISR.
    pub far: bool,
    /// Topics of the near view.
    pub topics: BTreeSet<String>,
    /// Moves whose replicas are probed.
    pub probe: BTreeSet<u32>,
    /// Those of them whose size is asked for: were they as small as the plan says, no throttle would be needed.
    pub sizes: BTreeSet<u32>,
    /// Brokers that have to show that they answer.
    pub ping: BTreeSet<BrokerId>,
    /// Brokers that are not asked: they were given up and are out of service.
    pub skip: BTreeSet<BrokerId>,
    /// Brokers that did not reply to what they were last asked, or are fenced, those to skip among them: no other is
    /// compared with them.
    pub silent: BTreeSet<BrokerId>,
    /// Brokers whose disks the far view looks at: those that get copies.
    pub disks: BTreeSet<BrokerId>,
    /// Of them, those whose replicas are counted: Kafka chooses among several directories by their number.
    pub counted: BTreeSet<BrokerId>,
    /// Configs to read.
    pub configs: BTreeSet<ConfigKey>,
}

/// What to read in the next tick.
pub fn reads(plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory, view: &View, now: Now) -> Reads {
    let agenda = Agenda::of(plan, goal, pace, memory, view, now.moment);
    let is_unseen = view.unseen > 0;
    let is_worse =
        view.health.as_ref().zip(memory.baseline.as_ref()).is_some_and(|(health, was)| health.is_worse(was));
    let waits_for_disks = agenda.no_room.is_some()
        || (plan.pacing == Pacing::Pipelined && view.health.is_some() && view.untold().next().is_some());
    let cadence = if is_worse || waits_for_disks { FAR_WHEN_HELD } else { FAR };
    let is_old = view.far_at.is_none_or(|at| now.moment.saturating_sub(at) >= cadence);
    let mut reads = Reads { far: is_old || (is_unseen && view.ticks < 2), ..Reads::default() };
    let copies = plan.pacing == Pacing::Pipelined || agenda.stage.is_none_or(|step| step == Step::Expand);
    if reads.far && goal == Goal::Forward && copies {
        reads.disks = view.destinations.iter().copied().filter(|id| !view.is_lost(*id)).collect();
    }
    if plan.pacing == Pacing::Pipelined {
        let dirs = |id: &BrokerId| view.health.as_ref().and_then(|health| health.dirs.get(id));
        let is_counted = |id: &&BrokerId| dirs(id).is_none_or(|dirs| dirs.len() > 1);
        reads.counted = reads.disks.iter().filter(is_counted).copied().collect();
    }
    let mut desired = Desired::default();
    let undo = agenda.undo.iter().take(SUBMITS);
    let known = agenda.flying.iter().chain(&agenda.strange).chain(agenda.ready.all()).chain(undo);
    let known = known.chain(view.canaries.keys());
    for at in known.copied().chain(view.suspects()) {
        let m = plan.moves.get(at as usize);
        reads.topics.insert(plan.topic_of(&m).name.clone());
        reads.probe.insert(at);
        reads.ping.extend(moves::expanded(m.from, m.to).into_iter().filter(|id| !view.is_lost(*id)));
        if goal != Goal::Quiesce {
            desired.add(plan, view, at, 0);
        }
    }
    // What an open write names is read back before the write is settled.
    for at in memory.open.values().flat_map(|open| &open.moves) {
        reads.topics.insert(plan.topic_of(&plan.moves.get(*at as usize)).name.clone());
    }
    if let Some(rate) = pace.throttle {
        let expand = agenda.ready.to(Step::Expand).iter().copied();
        let is_slight = |at: &u32| is_slight(plan.moves.get(*at as usize).bytes, rate);
        reads.sizes = expand.filter(is_slight).collect();
    }
    if pace.throttle.or(memory.throttle).is_some() {
        reads.configs.extend(desired.keys().cloned());
        if agenda.stage == Some(Step::Expand) {
            reads.configs.extend(stage_rates(&agenda, view, 0).keys().cloned());
        }
    }
    reads.configs.extend(held_min_isr(plan, view, &agenda, &[]).keys().cloned());
    reads.configs.extend(memory.priors.keys().cloned());
    reads.ping.extend(memory.open.values().map(|open| open.broker));
    // Who was silent is asked again, until it is known to be out of service.
    let silent = view.brokers.iter().filter(|(id, seen)| seen.silent.is_some() && !view.is_lost(**id));
    reads.ping.extend(silent.map(|(id, _)| *id));
    reads.silent = view
        .brokers
        .iter()
        .filter(|(_, seen)| seen.silent.is_some() || seen.fenced)
        .map(|(id, _)| *id)
        .collect();
    reads.skip = view.given_up.iter().copied().filter(|id| view.is_lost(*id)).collect();
    reads
}

/// Topics whose min ISR is held down: those with copies in flight or beginning, and in the expand stage those with
/// moves to come, so that it is not set and restored with every move.
pub(super) fn held_min_isr(plan: &Plan, view: &View, agenda: &Agenda, starting: &[u32]) -> Desired {
    let mut desired = Desired::default();
    if plan.topics.iter().all(|topic| topic.hold_min_isr.is_none()) {
        return desired;
    }
    let adds = |at: &&u32| view.observed(**at).is_some_and(|o| o.standing != Standing::Shrinking);
    agenda.flying.iter().filter(adds).chain(starting).for_each(|at| desired.hold_min_isr(plan, *at));
    if agenda.stage == Some(Step::Expand) && agenda.gate.is_none() {
        for at in 0..view.moves.len() as u32 {
            let m = plan.moves.get(at as usize);
            if view.observed(at).is_some_and(|o| next_step(&m, view, o) == Some(Step::Expand)) {
                desired.hold_min_isr(plan, at);
            }
        }
    }
    desired
}

/// Rates for the brokers of all moves that still have to be copied, while that is the stage.
pub(super) fn stage_rates(agenda: &Agenda, view: &View, rate: u64) -> Desired {
    let mut desired = Desired::default();
    for (id, (lists, adds)) in agenda.copies.iter().filter(|(id, _)| !view.is_lost(**id)) {
        desired.add_rate(*id, *lists > 0, *adds > 0, rate);
    }
    desired
}
