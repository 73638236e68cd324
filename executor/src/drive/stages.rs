//! What each move waits for, kept up with every observation: a tick costs by its window, not by the plan.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::BrokerId;
use restow_planner::plan::{Move, Plan, Step, moves};
use restow_planner::schedule::{Ports, Waiting};

use super::Pace;
use super::course::{Course, course, expands, first};
use super::seen::{Known, Observed};
use super::standing::{Reached, Standing};
use super::view::View;
use crate::journal::{Goal, Memory};

/// What the classes of moves depend on, beside what is observed of each.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms {
    goal: Goal,
    only: Option<BrokerId>,
    aside: usize,
    given_up: usize,
    lost: Vec<BrokerId>,
}

impl Terms {
    fn of(goal: Goal, pace: &Pace, memory: &Memory, view: &View) -> Self {
        Terms {
            goal,
            only: pace.only,
            // Both only grow in a process.
            aside: memory.aside.len(),
            given_up: memory.given_up.len(),
            lost: view.given_up.iter().copied().filter(|id| view.is_lost(*id)).collect(),
        }
    }
}

/// What a move waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing, or nobody knows.
    Nothing,
    /// It is in flight: judged at each look.
    Flying,
    Diverged,
    Aside,
    Expand,
    Swap,
    /// Reordered, and not elected.
    Elect,
    Shrink,
    /// It has to go back (goal `Back`).
    Back,
    /// It is back beyond what is free of copies (goal `Back`).
    Shrunk,
    /// It cannot go back: it has dropped a broker that was given up.
    Short,
    /// It has to go back although the run goes forward.
    Undo,
    Undone,
}

/// The moves by what they wait for, under one goal.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    terms: Option<Terms>,
    classes: Vec<Class>,
    /// Leaders with which moves were put into `expand`.
    leaders: BTreeMap<u32, BrokerId>,
    pub(super) expand: Waiting,
    pub(super) flying: BTreeSet<u32>,
    pub(super) diverged: BTreeSet<u32>,
    pub(super) aside: BTreeSet<u32>,
    pub(super) swap: BTreeSet<u32>,
    pub(super) elect: BTreeSet<u32>,
    pub(super) shrink: BTreeSet<u32>,
    pub(super) back: BTreeSet<u32>,
    pub(super) shrunk: BTreeSet<u32>,
    pub(super) short: BTreeSet<u32>,
    pub(super) undo: BTreeSet<u32>,
    pub(super) undone: BTreeSet<u32>,
    /// For each broker: moves still to be copied that list it, and that add to it.
    pub(super) copies: BTreeMap<BrokerId, (u32, u32)>,
    /// Moves that have taken their swap, and their shrink.
    pub(super) taken: (usize, usize),
}

impl Stages {
    /// All moves of a view, looked at one by one.
    pub(super) fn of(plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory, view: &View) -> Self {
        let mut stages = Stages {
            terms: Some(Terms::of(goal, pace, memory, view)),
            classes: vec![Class::Nothing; view.moves.len()],
            expand: Waiting::new(pace.order),
            ..Stages::default()
        };
        for at in 0..view.moves.len() as u32 {
            stages.enter(plan, memory, view, at);
        }
        stages
    }

    /// Whether these are the moves under this goal.
    pub(super) fn are_of(&self, goal: Goal, pace: &Pace, memory: &Memory, view: &View) -> bool {
        self.terms.as_ref().is_some_and(|terms| *terms == Terms::of(goal, pace, memory, view))
    }

    /// Forgets a move as the view knew it, before the view learns something else about it.
    pub(super) fn leave(&mut self, plan: &Plan, known: &Known, at: u32) {
        if self.terms.is_none() {
            return;
        }
        let class = std::mem::replace(&mut self.classes[at as usize], Class::Nothing);
        let m = plan.moves.get(at as usize);
        match class {
            Class::Expand => {
                let leader = self.leaders.remove(&at).unwrap_or(m.from[0]);
                self.expand.remove(at, &Ports::of(&m, leader, None));
            }
            class => drop(self.set(class).map(|set| set.remove(&at))),
        }
        if let Known::At(o) = known {
            self.count(&m, o, class, false);
        }
    }

    /// Learns a move as the view knows it now.
    pub(super) fn enter(&mut self, plan: &Plan, memory: &Memory, view: &View, at: u32) {
        let (Some(terms), Some(o)) = (&self.terms, view.observed(at)) else { return };
        let m = plan.moves.get(at as usize);
        let class = classify(&m, terms.goal, course(&m, at, terms.goal, terms.only, memory), view, o);
        let class = match class {
            // Those that are not meant are passed over; those that a person set aside are named.
            Class::Aside if !memory.aside.contains(&at) => Class::Nothing,
            class => class,
        };
        self.classes[at as usize] = class;
        match class {
            Class::Expand => {
                let leader = o.leader.unwrap_or(m.from[0]);
                self.leaders.insert(at, leader);
                self.expand.insert(at, &Ports::of(&m, leader, None));
            }
            class => drop(self.set(class).map(|set| set.insert(at))),
        }
        self.count(&m, o, class, true);
    }

    fn set(&mut self, class: Class) -> Option<&mut BTreeSet<u32>> {
        Some(match class {
            Class::Nothing | Class::Expand => return None,
            Class::Flying => &mut self.flying,
            Class::Diverged => &mut self.diverged,
            Class::Aside => &mut self.aside,
            Class::Swap => &mut self.swap,
            Class::Elect => &mut self.elect,
            Class::Shrink => &mut self.shrink,
            Class::Back => &mut self.back,
            Class::Shrunk => &mut self.shrunk,
            Class::Short => &mut self.short,
            Class::Undo => &mut self.undo,
            Class::Undone => &mut self.undone,
        })
    }

    fn count(&mut self, m: &Move<'_>, o: &Observed, class: Class, enters: bool) {
        let add = |sum: &mut usize, is: bool| {
            if is {
                *sum = if enters { *sum + 1 } else { *sum - 1 };
            }
        };
        let reached = |least| matches!(o.standing, Standing::Settled(reached) if reached >= least);
        add(&mut self.taken.0, reached(Reached::Swapped) && m.has(Step::Swap));
        add(&mut self.taken.1, reached(Reached::Shrunk) && m.has(Step::Shrink));
        let copies = class == Class::Expand
            || matches!(o.standing, Standing::Expanding | Standing::Returning) && m.has(Step::Expand);
        if !copies {
            return;
        }
        for id in moves::expanded(m.from, m.to) {
            let adds = u32::from(!m.from.contains(&id));
            let (lists, fetches) = self.copies.entry(id).or_default();
            (*lists, *fetches) =
                if enters { (*lists + 1, *fetches + adds) } else { (*lists - 1, *fetches - adds) };
            if *lists == 0 {
                self.copies.remove(&id);
            }
        }
    }
}

fn classify(m: &Move<'_>, goal: Goal, course: Course, view: &View, o: &Observed) -> Class {
    match o.standing {
        Standing::Settled(_) => {}
        Standing::Diverged if course == Course::Aside => return Class::Aside,
        Standing::Diverged => return Class::Diverged,
        _ => return Class::Flying,
    }
    match (goal, course) {
        (Goal::Quiesce, _) => Class::Nothing,
        (_, Course::Aside) if next_step(m, view, o).is_none() => Class::Nothing,
        (_, Course::Aside) => Class::Aside,
        (_, Course::Forward) => match next_step(m, view, o) {
            Some(Step::Expand) => Class::Expand,
            Some(Step::Swap) => match o.standing {
                Standing::Settled(Reached::Swapped | Reached::Shrunk) => Class::Elect,
                _ => Class::Swap,
            },
            Some(Step::Shrink) => Class::Shrink,
            None => Class::Nothing,
        },
        (_, Course::Back) if is_beyond_return(m, o) && !o.dropped.is_empty() => Class::Short,
        (Goal::Forward, Course::Back) if is_beyond_return(m, o) => Class::Nothing,
        (Goal::Forward, Course::Back) if is_back(m, view, o) => Class::Undone,
        (Goal::Forward, Course::Back) => Class::Undo,
        (Goal::Back, Course::Back) if is_beyond_return(m, o) => Class::Shrunk,
        (Goal::Back, Course::Back) if is_back(m, view, o) => Class::Nothing,
        (Goal::Back, Course::Back) => Class::Back,
    }
}

/// The next step of a move, forward; none when it is done.
pub(super) fn next_step(m: &Move<'_>, view: &View, o: &Observed) -> Option<Step> {
    let leads = o.leader == Some(m.to[0]);
    match o.standing {
        Standing::Expanding => Some(Step::Expand),
        Standing::Shrinking => Some(Step::Shrink),
        Standing::Returning => Some(Step::Expand),
        Standing::Settled(Reached::Start) if expands(m, o, view) => Some(Step::Expand),
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
pub(super) fn is_beyond_return(m: &Move<'_>, o: &Observed) -> bool {
    matches!(o.standing, Standing::Settled(_)) && !m.from.iter().all(|id| o.replicas.contains(id))
}

/// Whether the move is back at its start, its leader included.
pub(super) fn is_back(m: &Move<'_>, view: &View, o: &Observed) -> bool {
    let is_there = matches!(o.standing, Standing::Settled(_)) && o.replicas == m.from;
    is_there && o.leader == first(m, o, view)
}
