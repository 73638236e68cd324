//! What is to be done, in order.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::BrokerId;
use restow_planner::plan::{Pacing, Plan, Step};
use restow_planner::schedule::{Ports, Window};

use super::course::{Course, course};
use super::room::NoRoom;
use super::stages::{Stages, next_step};
use super::standing::Standing;
use super::switch::Guard;
use super::view::View;
use super::{Hold, Moment, Pace, Scope, Stay};
use crate::journal::{Gate, Goal, Memory};

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

/// Moves to act on in one tick, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready {
    /// Forward, by the step that they take.
    steps: [Vec<u32>; 3],
    /// To be taken back, or cancelled.
    pub back: Vec<u32>,
}

impl Ready {
    /// Those that take this step.
    pub fn to(&self, step: Step) -> &[u32] {
        &self.steps[step as usize]
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &u32> {
        self.steps.iter().flatten().chain(&self.back)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

/// What is to be done next for a goal, as the view shows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// The stage of a forward run, of a pipelined one the earliest step that is left; none when nothing is left to do.
    pub stage: Option<Step>,
    /// Steps that moves may take now, the earliest first: in a staged run that of its stage.
    pub steps: Vec<Step>,
    /// The gate that is closed before that stage.
    pub gate: Option<Gate>,
    /// Moves in flight that are ours.
    pub flying: Vec<u32>,
    /// Moves in flight that the journal does not explain, or that are somebody else's.
    pub strange: Vec<u32>,
    /// Moves to act on in this tick.
    pub ready: Ready,
    /// Moves that have their new copies and wait for their swap, election or shrink.
    pub begun: usize,
    /// The first of those that wait for room on a disk, where no copy is under way (pipelined runs).
    pub no_room: Option<NoRoom>,
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
    /// The agenda of a goal at a moment: that of the view, or for [`reads`](super::reads()) that of the view to come.
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
        agenda.begun = stages.swap.len() + stages.elect.len() + stages.shrink.len();
        agenda.left = stages.expand.len()
            + agenda.begun
            + stages.back.len()
            + flying.len()
            + agenda.strange.len()
            + agenda.undo.len();
        if self.goal == Goal::Forward {
            self.enter_stage(stages, &flying, &mut agenda);
        }
        if agenda.gate.is_some() {
            return agenda;
        }
        let cancelled = agenda.flying.clone().into_iter().filter(|at| self.is_free(at));
        match self.goal {
            Goal::Forward => {
                agenda.steps = self.steps(&agenda);
                for step in agenda.steps.clone() {
                    let again = flying.iter().filter(|_| !Guard::Alone.stands());
                    let again = again.filter(|(_, next)| *next == Some(step)).map(|(at, _)| *at);
                    let again: Vec<u32> = again.filter(|at| self.is_free(at)).collect();
                    agenda.ready.steps[step as usize] =
                        [again, self.ready(step, stages, &mut agenda)].concat();
                }
            }
            // Cancels are urgent and copy nothing.
            Goal::Back => {
                let flying = flying.iter().map(|(at, _)| *at);
                let back = flying.chain(stages.back.iter().copied());
                agenda.ready.back = back.filter(|at| self.is_free(at)).take(SUBMITS).collect();
            }
            Goal::Quiesce if self.pace.cancels => agenda.ready.back = cancelled.take(SUBMITS).collect(),
            Goal::Quiesce => {}
        }
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
        if !agenda.strange.is_empty() || self.plan.pacing == Pacing::Pipelined {
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

    /// The steps that moves may take now. A pipelined run has no gate: it does not begin without its approval.
    fn steps(&self, agenda: &Agenda) -> Vec<Step> {
        if self.plan.pacing == Pacing::Staged || agenda.stage.is_none() {
            return agenda.stage.into_iter().collect();
        }
        let may_shrink = self.memory.approvals.contains(&Gate::Shrink) || !Guard::Gate.stands();
        Step::ALL.into_iter().filter(|step| *step != Step::Shrink || may_shrink).collect()
    }

    /// Whether nothing held this move a moment ago.
    fn is_free(&self, at: &u32) -> bool {
        self.view.held.get(at).is_none_or(|(until, _)| *until <= self.moment)
    }

    /// The moves to act on now that take this step.
    fn ready(&self, step: Step, stages: &Stages, agenda: &mut Agenda) -> Vec<u32> {
        match step {
            Step::Expand => self.admit(stages, agenda),
            Step::Swap => self.swap_batch(stages),
            Step::Shrink => {
                stages.shrink.iter().copied().filter(|at| self.is_free(at)).take(SHRINKS).collect()
            }
        }
    }

    /// What the window takes beside what is in flight.
    fn admit(&self, stages: &Stages, agenda: &mut Agenda) -> Vec<u32> {
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
        for at in &agenda.flying {
            let mut ports = ports(*at);
            // Copies that have joined have given their places back.
            view.observed(*at).into_iter().flat_map(|o| &o.isr).for_each(|id| ports.join(*id));
            window.occupy(&ports);
        }
        let begun = [&stages.swap, &stages.elect, &stages.shrink].into_iter().flatten();
        window.disks = view.disks(self.plan, self.pace, begun.chain(&agenda.flying).copied());
        let disks = window.disks.clone();
        let no_room = |at: u32, ports: &Ports| {
            let (disks, bytes) = (disks.as_ref()?, ports.bytes.unwrap_or(0));
            let broker = ports.incoming.iter().copied().find(|id| !disks.fits(*id, bytes))?;
            Some(NoRoom { at, broker, usable: disks.usable(broker).unwrap_or(0) })
        };
        let mut first = None;
        let admitted = stages.expand.admit(&mut window, SUBMITS, |at| {
            let ports = self.is_free(&at).then(|| ports(at))?;
            first = first.or_else(|| no_room(at, &ports));
            Some(ports)
        });
        let copies = |at: &u32| view.observed(*at).is_some_and(|o| o.standing == Standing::Expanding);
        let is_idle = admitted.is_empty() && !agenda.flying.iter().any(copies);
        agenda.no_room = first.filter(|_| is_idle);
        admitted
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
