//! What is to be done, in order, and what has to be looked at for it.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::BrokerId;
use restow_planner::plan::{Plan, Step, moves};
use restow_planner::schedule::{Ports, Window};

use super::course::{Course, course};
use super::stages::{Stages, next_step};
use super::standing::Standing;
use super::switch::Guard;
use super::throttle::Desired;
use super::view::View;
use super::{Hold, Moment, Now, Pace, Scope, Stay};
use crate::journal::{ConfigKey, Gate, Goal, Memory};

/// Time between two far views.
const FAR: std::time::Duration = std::time::Duration::from_secs(30);
/// The same while the cluster is worse than it was: so that a hold ends soon after its reason.
const FAR_WHEN_HELD: std::time::Duration = std::time::Duration::from_secs(5);
/// Partitions in one shrink request at most: a removal deletes files on brokers.
pub(super) const SHRINKS: usize = 200;
/// Partitions in one expand or reorder request at most.
pub(super) const SUBMITS: usize = 300;
/// Partitions of one reorder and election batch: clients see each of them.
pub(super) const ELECTIONS: usize = 200;
/// The same for internal topics: every leader change there moves a coordinator.
pub(super) const INTERNAL: usize = 5;
/// Partitions that are swapped before all others.
pub(super) const CANARIES: usize = 10;

/// What a tick reads.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    /// Whether the far view is due: all topics, all brokers, min ISR.
    pub far: bool,
    /// Topics of the near view.
    pub topics: BTreeSet<String>,
    /// Moves whose replicas are probed.
    pub probe: BTreeSet<u32>,
    /// Brokers that have to show that they answer.
    pub ping: BTreeSet<BrokerId>,
    /// Brokers that are not asked: they were given up and are out of service.
    pub skip: BTreeSet<BrokerId>,
    /// Brokers that did not reply to what they were last asked, or are fenced, those to skip among them: no other is
    /// compared with them.
    pub silent: BTreeSet<BrokerId>,
    /// Brokers whose disks the far view looks at: those that get copies.
    pub disks: BTreeSet<BrokerId>,
    /// Configs to read.
    pub configs: BTreeSet<ConfigKey>,
}

/// What is to be done next for a goal, as the view shows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// The stage of a forward run; none when nothing is left to do.
    pub stage: Option<Step>,
    /// The gate that is closed before that stage.
    pub gate: Option<Gate>,
    /// Moves in flight that are ours.
    pub flying: Vec<u32>,
    /// Moves in flight that the journal does not explain, or that are somebody else's.
    pub strange: Vec<u32>,
    /// Moves to act on in this tick, in order.
    pub ready: Vec<u32>,
    /// Moves whose list is none of ours.
    pub diverged: Vec<u32>,
    /// Moves that go back although the run goes forward: their destination was given up.
    pub undo: Vec<u32>,
    /// Moves that are back for that reason.
    pub undone: Vec<u32>,
    /// Moves that cannot go back, because they have dropped a broker that was given up: they stay where they are.
    pub short: Vec<u32>,
    /// Moves that a person set aside, and that are not where the goal wants them.
    pub aside: Vec<u32>,
    /// Moves that still have something to do for the goal.
    pub left: usize,
    /// Moves whose old copies are dropped (goal `Back`): taking them back would copy.
    pub shrunk: Vec<u32>,
    /// In the expand stage, for each broker: moves still to be copied that list it, and that add to it.
    pub copies: BTreeMap<BrokerId, (u32, u32)>,
}

impl Agenda {
    /// The agenda of a goal at a moment: that of the view, or for [`reads`] that of the view to come.
    pub fn of(plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory, view: &View, moment: Moment) -> Self {
        let look = Look { plan, goal, pace, memory, view, moment };
        if !view.stages.are_of(goal, pace, memory, view) {
            return look.agenda(&Stages::of(plan, goal, pace, memory, view));
        }
        let agenda = look.agenda(&view.stages);
        debug_assert!(
            plan.moves.len() > 64 || agenda == look.agenda(&Stages::of(plan, goal, pace, memory, view)),
            "what was kept up is not what a look at every move gives"
        );
        agenda
    }

    /// Whether the goal is reached but for moves that a person let go.
    pub fn leaves_some(&self) -> bool {
        !self.aside.is_empty() || !self.undone.is_empty() || !self.short.is_empty()
    }
}

/// All that an agenda follows from, but for the moves themselves.
#[derive(Clone, Copy)]
struct Look<'a> {
    plan: &'a Plan,
    goal: Goal,
    pace: &'a Pace,
    memory: &'a Memory,
    view: &'a View,
    moment: Moment,
}

impl Look<'_> {
    fn agenda(&self, stages: &Stages) -> Agenda {
        let list = |set: &BTreeSet<u32>| set.iter().copied().collect::<Vec<u32>>();
        let mut agenda = Agenda {
            diverged: list(&stages.diverged),
            undone: list(&stages.undone),
            shrunk: list(&stages.shrunk),
            short: list(&stages.short),
            ..Agenda::default()
        };
        let flying = self.flying(stages, &mut agenda);
        agenda.undo.extend(&stages.undo);
        agenda.aside.extend(&stages.aside);
        agenda.aside.sort_unstable();
        let waiting = stages.expand.len() + stages.swap.len() + stages.elect.len() + stages.shrink.len();
        agenda.left = waiting + stages.back.len() + flying.len() + agenda.strange.len() + agenda.undo.len();
        if self.goal == Goal::Forward {
            self.enter_stage(stages, &flying, &mut agenda);
        }
        if agenda.gate.is_some() {
            return agenda;
        }
        let cancelled = agenda.flying.iter().copied().filter(|at| self.is_free(at));
        agenda.ready = match self.goal {
            Goal::Forward => {
                let again = |(_, step): &&(u32, Option<Step>)| *step == agenda.stage;
                let again = flying.iter().filter(|_| !Guard::Alone.stands()).filter(again);
                let again: Vec<u32> = again.map(|(at, _)| *at).filter(|at| self.is_free(at)).collect();
                [again, self.ready(stages, &agenda)].concat()
            }
            // Cancels are urgent and copy nothing.
            Goal::Back => {
                let flying = flying.iter().map(|(at, _)| *at);
                let back = flying.chain(stages.back.iter().copied());
                back.filter(|at| self.is_free(at)).take(SUBMITS).collect()
            }
            Goal::Quiesce if self.pace.cancels => cancelled.take(SUBMITS).collect(),
            Goal::Quiesce => vec![],
        };
        if agenda.stage == Some(Step::Expand) {
            agenda.copies.clone_from(&stages.copies);
        }
        agenda
    }

    /// Judges what is in flight; gives the moves whose step belongs to the goal, each with that step.
    fn flying(&self, stages: &Stages, agenda: &mut Agenda) -> Vec<(u32, Option<Step>)> {
        let mut todo = Vec::new();
        for at in stages.flying.iter().copied() {
            let Some(o) = self.view.observed(at) else { continue };
            let m = self.plan.moves.get(at as usize);
            let course = course(&m, at, self.goal, self.pace.only, self.memory);
            let is_aside = self.memory.aside.contains(&at);
            if o.standing == Standing::Foreign || !View::explained(self.plan, self.memory, at, o) {
                match course {
                    Course::Aside => agenda.aside.extend(is_aside.then_some(at)),
                    _ => agenda.strange.push(at),
                }
                continue;
            }
            agenda.flying.push(at);
            match (self.goal, course) {
                (Goal::Quiesce, _) => {}
                (_, Course::Aside) => agenda.aside.extend(is_aside.then_some(at)),
                (_, Course::Forward) => todo.push((at, next_step(&m, self.view, o))),
                (Goal::Forward, Course::Back) => agenda.undo.push(at),
                (Goal::Back, Course::Back) => todo.push((at, None)),
            }
        }
        todo
    }

    /// A stage ends before the next begins; moves that are strange or unseen keep the earliest stage open.
    /// No gate that is still closed to all is passed while a partition stands in a list that is none of ours: it
    /// has to be set aside first.
    fn enter_stage(&self, stages: &Stages, flying: &[(u32, Option<Step>)], agenda: &mut Agenda) {
        let waiting = [
            (Step::Expand, stages.expand.is_empty()),
            (Step::Swap, stages.swap.is_empty() && stages.elect.is_empty()),
            (Step::Shrink, stages.shrink.is_empty()),
        ];
        let waiting = waiting.into_iter().filter(|(_, none)| !none).map(|(step, _)| step);
        let first = waiting.chain(flying.iter().filter_map(|(_, step)| *step)).min();
        agenda.stage = if agenda.strange.is_empty() { first } else { Some(Step::Expand) };
        if !agenda.strange.is_empty() {
            return;
        }
        let (gate, has_begun) = match agenda.stage {
            Some(Step::Swap) => (Gate::Swap, stages.taken.0 > 0),
            Some(Step::Shrink) => (Gate::Shrink, stages.taken.1 > 0),
            _ => return,
        };
        let is_open = self.memory.approvals.contains(&gate) && (agenda.diverged.is_empty() || has_begun);
        agenda.gate = (!is_open && Guard::Gate.stands()).then_some(gate);
    }

    /// Whether nothing held this move a moment ago.
    fn is_free(&self, at: &u32) -> bool {
        self.view.held.get(at).is_none_or(|(until, _)| *until <= self.moment)
    }

    /// The moves of the stage to act on now.
    fn ready(&self, stages: &Stages, agenda: &Agenda) -> Vec<u32> {
        match agenda.stage {
            Some(Step::Expand) => self.admit(stages, &agenda.flying),
            Some(Step::Swap) => self.swap_batch(stages),
            Some(Step::Shrink) => {
                stages.shrink.iter().copied().filter(|at| self.is_free(at)).take(SHRINKS).collect()
            }
            None => vec![],
        }
    }

    /// What the window takes beside what is in flight.
    fn admit(&self, stages: &Stages, flying: &[u32]) -> Vec<u32> {
        let view = self.view;
        let ports = |at: u32| {
            let m = self.plan.moves.get(at as usize);
            let leader = view.observed(at).and_then(|o| o.leader).unwrap_or(m.from[0]);
            Ports::of(&m, leader, view.load.ingest(at as usize))
        };
        let mut window = Window::new(self.plan, self.pace.limits());
        // A broker whose hold is shown is tried again when that is due, not with every move that concerns it.
        let held = view.held.values().filter(|(until, _)| *until > self.moment);
        window.keep_out(held.filter_map(|(_, stay)| match stay {
            Stay::Hold(Hold { scope: Scope::Broker(id), .. }) => Some(*id),
            _ => None,
        }));
        for at in flying {
            let mut ports = ports(*at);
            // Copies that have joined have given their places back.
            view.observed(*at).into_iter().flat_map(|o| &o.isr).for_each(|id| ports.join(*id));
            window.occupy(&ports);
        }
        stages.expand.admit(&mut window, SUBMITS, |at| self.is_free(&at).then(|| ports(at)))
    }

    /// Swaps go in batches, each elected before the next is reordered; the first are ten canaries.
    fn swap_batch(&self, stages: &Stages) -> Vec<u32> {
        let view = self.view;
        let free = |set: &BTreeSet<u32>, most: usize, internal: bool| -> Vec<u32> {
            let free = set.iter().copied().filter(|at| self.is_free(at));
            free.filter(|at| self.is_internal(*at) == internal).take(most).collect()
        };
        if !view.canaries_stood && !view.canaries.is_empty() {
            let waits = |at: &&u32| stages.swap.contains(at) || stages.elect.contains(at);
            return view.canaries.keys().filter(waits).filter(|at| self.is_free(at)).copied().collect();
        }
        // Reordered and not yet elected: finish these first. Internal topics come last.
        let most = if view.canaries_stood { ELECTIONS } else { CANARIES };
        for set in [&stages.elect, &stages.swap] {
            for (most, internal) in [(most, false), (INTERNAL, true)] {
                let batch = free(set, most, internal);
                if !batch.is_empty() {
                    return batch;
                }
            }
        }
        vec![]
    }

    fn is_internal(&self, at: u32) -> bool {
        self.plan.topic_of(&self.plan.moves.get(at as usize)).internal
    }
}

/// What to read in the next tick.
pub fn reads(plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory, view: &View, now: Now) -> Reads {
    let agenda = Agenda::of(plan, goal, pace, memory, view, now.moment);
    let is_unseen = view.unseen > 0;
    let is_worse =
        view.health.as_ref().zip(memory.baseline.as_ref()).is_some_and(|(health, was)| health.is_worse(was));
    let cadence = if is_worse { FAR_WHEN_HELD } else { FAR };
    let is_old = view.far_at.is_none_or(|at| now.moment.saturating_sub(at) >= cadence);
    let mut reads = Reads { far: is_old || (is_unseen && view.ticks < 2), ..Reads::default() };
    if reads.far && goal == Goal::Forward && agenda.stage.is_none_or(|step| step == Step::Expand) {
        reads.disks = view.destinations.iter().copied().filter(|id| !view.is_lost(*id)).collect();
    }
    let mut desired = Desired::default();
    let undo = agenda.undo.iter().take(SUBMITS);
    let known = agenda.flying.iter().chain(&agenda.strange).chain(&agenda.ready).chain(undo);
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
