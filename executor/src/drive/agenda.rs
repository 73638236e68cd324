//! What is to be done, in order, and what has to be looked at for it.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::BrokerId;
use restow_planner::plan::{Move, Plan, Step, moves};
use restow_planner::schedule::{Ports, Window, WindowLimits};

use super::course::{Course, course, expands, first};
use super::standing::{Reached, Standing};
use super::switch::Guard;
use super::throttle::Desired;
use super::view::{Known, Observed, View};
use super::{Moment, Now, Pace};
use crate::journal::{ConfigKey, Gate, Goal, Memory};

/// Time between two far views.
const FAR: std::time::Duration = std::time::Duration::from_secs(30);
/// The same while the cluster is worse than it was: so that a hold ends soon after its reason.
const FAR_WHEN_HELD: std::time::Duration = std::time::Duration::from_secs(5);
/// Partitions in one shrink request at most: a removal deletes files on brokers.
pub(super) const SHRINKS: usize = 50;
/// Partitions in one expand or reorder request at most.
pub(super) const SUBMITS: usize = 300;
/// Partitions of one reorder and election batch: clients see each of them.
pub(super) const ELECTIONS: usize = 50;
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
    /// Brokers whose disks the far view looks at: those that get copies.
    pub disks: BTreeSet<BrokerId>,
    /// Configs to read.
    pub configs: BTreeSet<ConfigKey>,
}

/// What is to be done next for a goal, as the view shows it.
#[derive(Debug, Default)]
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
}

impl Agenda {
    /// The agenda of a goal at a moment: that of the view, or for [`reads`] that of the view to come.
    pub fn of(plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory, view: &View, moment: Moment) -> Self {
        let mut agenda = Agenda::default();
        let mut todo: BTreeMap<Option<Step>, Vec<u32>> = BTreeMap::new();
        for at in 0..view.moves.len() as u32 {
            let Some(o) = view.observed(at) else { continue };
            let m = plan.moves.get(at as usize);
            let course = course(&m, at, goal, pace, memory);
            match o.standing {
                Standing::Expanding | Standing::Shrinking | Standing::Returning
                    if View::explained(plan, memory, at, o) =>
                {
                    agenda.flying.push(at);
                }
                Standing::Settled(_) => {}
                _ if course == Course::Aside => {
                    agenda.aside.extend(memory.aside.contains(&at).then_some(at));
                    continue;
                }
                Standing::Diverged => {
                    agenda.diverged.push(at);
                    continue;
                }
                _ => {
                    agenda.strange.push(at);
                    continue;
                }
            }
            match (goal, course) {
                (Goal::Quiesce, _) => {}
                (_, Course::Aside) if !memory.aside.contains(&at) => {}
                (_, Course::Aside) => agenda.aside.extend(next_step(plan, view, at, o).map(|_| at)),
                (_, Course::Forward) => {
                    if let Some(step) = next_step(plan, view, at, o) {
                        todo.entry(Some(step)).or_default().push(at);
                    }
                }
                (_, Course::Back) if is_beyond_return(&m, o) && !o.dropped.is_empty() => {
                    agenda.short.push(at);
                }
                (Goal::Forward, Course::Back) if is_beyond_return(&m, o) => {}
                (Goal::Forward, Course::Back) if is_back(&m, view, o) => agenda.undone.push(at),
                (Goal::Forward, Course::Back) => agenda.undo.push(at),
                (Goal::Back, Course::Back) if is_beyond_return(&m, o) => agenda.shrunk.push(at),
                (Goal::Back, Course::Back) if !is_back(&m, view, o) => todo.entry(None).or_default().push(at),
                (Goal::Back, Course::Back) => {}
            }
        }
        agenda.left = todo.values().map(Vec::len).sum::<usize>() + agenda.strange.len() + agenda.undo.len();
        if goal == Goal::Forward {
            agenda.enter_stage(plan, memory, view, &todo);
        }
        let candidates = match goal {
            Goal::Forward => agenda.stage.and_then(|stage| todo.remove(&Some(stage))),
            Goal::Back => todo.remove(&None),
            Goal::Quiesce => pace.cancels.then(|| agenda.flying.clone()),
        };
        if agenda.gate.is_none() {
            agenda.ready = candidates.unwrap_or_default();
            let waits = |at: &u32| view.held.get(at).is_some_and(|(until, _)| *until > moment);
            agenda.ready.retain(|at| !waits(at));
            agenda.ready = choose(plan, goal, agenda.stage, pace, view, &agenda.flying, agenda.ready);
        }
        agenda
    }

    /// Whether the goal is reached but for moves that a person let go.
    pub fn leaves_some(&self) -> bool {
        !self.aside.is_empty() || !self.undone.is_empty() || !self.short.is_empty()
    }

    /// A stage ends before the next begins; moves that are strange or unseen keep the earliest stage open.
    /// No gate that is still closed to all is passed while a partition stands in a list that is none of ours: it
    /// has to be set aside first.
    fn enter_stage(
        &mut self,
        plan: &Plan,
        memory: &Memory,
        view: &View,
        todo: &BTreeMap<Option<Step>, Vec<u32>>,
    ) {
        let first = todo.keys().next().copied().flatten();
        self.stage = if self.strange.is_empty() { first } else { Some(Step::Expand) };
        if !self.strange.is_empty() {
            return;
        }
        let gate = match self.stage {
            Some(Step::Swap) => Gate::Swap,
            Some(Step::Shrink) => Gate::Shrink,
            _ => return,
        };
        let is_open = memory.approvals.contains(&gate)
            && (self.diverged.is_empty() || has_begun(plan, view, gate.step()));
        self.gate = (!is_open && Guard::Gate.stands()).then_some(gate);
    }
}

/// Whether any move has taken a step of this kind.
fn has_begun(plan: &Plan, view: &View, step: Step) -> bool {
    let reached = if step == Step::Swap { Reached::Swapped } else { Reached::Shrunk };
    let has_taken = |at: u32| {
        let stands = view.observed(at).map(|o| o.standing);
        let is_there = matches!(stands, Some(Standing::Settled(r)) if r >= reached);
        is_there && plan.moves.get(at as usize).has(step)
    };
    (0..view.moves.len() as u32).any(has_taken)
}

/// The next step of a move, forward; none when it is done.
fn next_step(plan: &Plan, view: &View, at: u32, o: &Observed) -> Option<Step> {
    let m = plan.moves.get(at as usize);
    let leads = o.leader == Some(m.to[0]);
    match o.standing {
        Standing::Expanding => Some(Step::Expand),
        Standing::Shrinking => Some(Step::Shrink),
        Standing::Returning => Some(Step::Expand),
        Standing::Settled(Reached::Start) if expands(&m, o, view) => Some(Step::Expand),
        Standing::Settled(Reached::Start | Reached::Expanded) => Some(Step::Swap),
        Standing::Settled(Reached::Swapped) if !leads => Some(Step::Swap),
        Standing::Settled(Reached::Swapped) => Some(Step::Shrink),
        // A pure change of order has an election to come; a finished move is left alone.
        Standing::Settled(Reached::Shrunk) if !leads && m.has(Step::Swap) && !m.has(Step::Shrink) => {
            Some(Step::Swap)
        }
        Standing::Settled(Reached::Shrunk) | Standing::Foreign | Standing::Diverged => None,
    }
}

/// Whether taking the move back would copy data.
fn is_beyond_return(m: &Move<'_>, o: &Observed) -> bool {
    matches!(o.standing, Standing::Settled(_)) && !m.from.iter().all(|id| o.replicas.contains(id))
}

/// Whether the move is back at its start, its leader included.
fn is_back(m: &Move<'_>, view: &View, o: &Observed) -> bool {
    let is_there = matches!(o.standing, Standing::Settled(_)) && o.replicas == m.from;
    is_there && o.leader == first(m, o, view)
}

/// The moves to act on now: what the window admits, those first that were not held a moment ago.
fn choose(
    plan: &Plan,
    goal: Goal,
    stage: Option<Step>,
    pace: &Pace,
    view: &View,
    flying: &[u32],
    candidates: Vec<u32>,
) -> Vec<u32> {
    let is_flying = |at: &u32| flying.binary_search(at).is_ok();
    let fresh = candidates.into_iter();
    if goal != Goal::Forward {
        // Cancels are urgent and copy nothing; they come with the rest, in order.
        return fresh.take(SUBMITS).collect();
    }
    let fresh = fresh.filter(|at| !is_flying(at) || !Guard::Alone.stands());
    match stage {
        Some(Step::Expand) => admit(plan, pace, view, flying, fresh),
        Some(Step::Shrink) => fresh.take(SHRINKS).collect(),
        _ => swap_batch(plan, view, fresh.collect()),
    }
}

fn admit(
    plan: &Plan,
    pace: &Pace,
    view: &View,
    flying: &[u32],
    candidates: impl Iterator<Item = u32>,
) -> Vec<u32> {
    let mut window = Window::new(WindowLimits { per_broker: pace.per_broker, bytes: pace.bytes_in_flight });
    let occupied = |at: u32| {
        let m = plan.moves.get(at as usize);
        let incoming = moves::added(m.from, m.to);
        let bytes = m.bytes.unwrap_or(0).saturating_mul(incoming.len() as u64);
        (view.observed(at).and_then(|o| o.leader).unwrap_or(m.from[0]), incoming, bytes)
    };
    for at in flying {
        let (leader, incoming, bytes) = occupied(*at);
        window.occupy(&Ports { leader, incoming: &incoming, bytes });
    }
    let fits = |at: &u32| {
        let (leader, incoming, bytes) = occupied(*at);
        window.admit(&Ports { leader, incoming: &incoming, bytes })
    };
    candidates.filter(fits).take(SUBMITS).collect()
}

/// Swaps go in small batches, each elected before the next is reordered; the first are ten canaries.
fn swap_batch(plan: &Plan, view: &View, candidates: Vec<u32>) -> Vec<u32> {
    let is_internal = |at: &u32| plan.topic_of(&plan.moves.get(*at as usize)).internal;
    if !view.canaries_stood && !view.canaries.is_empty() {
        return candidates.into_iter().filter(|at| view.canaries.contains_key(at)).collect();
    }
    // Reordered and not yet elected: finish these first.
    let begun: Vec<u32> = candidates
        .iter()
        .copied()
        .filter(|at| {
            view.observed(*at)
                .is_some_and(|o| matches!(o.standing, Standing::Settled(Reached::Swapped | Reached::Shrunk)))
        })
        .collect();
    let from = if begun.is_empty() { candidates } else { begun };
    let (ordinary, internal): (Vec<u32>, Vec<u32>) = from.into_iter().partition(|at| !is_internal(at));
    if ordinary.is_empty() {
        return internal.into_iter().take(INTERNAL).collect();
    }
    ordinary.into_iter().take(if view.canaries_stood { ELECTIONS } else { CANARIES }).collect()
}

/// What to read in the next tick.
pub fn reads(plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory, view: &View, now: Now) -> Reads {
    let agenda = Agenda::of(plan, goal, pace, memory, view, now.moment);
    let is_unseen = view.moves.contains(&Known::Unseen);
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
            reads.configs.extend(stage_rates(plan, view, 0).keys().cloned());
        }
    }
    reads.configs.extend(held_min_isr(plan, view, &agenda, &[]).keys().cloned());
    reads.configs.extend(memory.priors.keys().cloned());
    reads.ping.extend(memory.open.values().map(|open| open.broker));
    // Who was silent is asked again, until it is known to be out of service.
    let silent = view.brokers.iter().filter(|(id, seen)| seen.silent.is_some() && !view.is_lost(**id));
    reads.ping.extend(silent.map(|(id, _)| *id));
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
            if view.observed(at).is_some_and(|o| next_step(plan, view, at, o) == Some(Step::Expand)) {
                desired.hold_min_isr(plan, at);
            }
        }
    }
    desired
}

/// Rates for the brokers of all moves that still have to be copied.
pub(super) fn stage_rates(plan: &Plan, view: &View, rate: u64) -> Desired {
    let mut desired = Desired::default();
    let mut seen: BTreeSet<(Vec<BrokerId>, Vec<BrokerId>)> = BTreeSet::new();
    for at in 0..view.moves.len() as u32 {
        let m = plan.moves.get(at as usize);
        let left = view.observed(at).is_some_and(|o| next_step(plan, view, at, o) == Some(Step::Expand));
        if left && m.has(Step::Expand) && seen.insert((m.from.to_vec(), m.to.to_vec())) {
            desired.add_rates(view, m.from, m.to, rate);
        }
    }
    desired
}
