//! What is to become of each move, when brokers are given up and partitions set aside.

use restow_planner::model::BrokerId;
use restow_planner::model::replicas::minus;
use restow_planner::plan::{Move, moves};

use super::seen::Observed;
use super::standing::Standing;
use super::view::View;
use crate::journal::{Goal, Memory};

/// What is to become of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It goes on to its target.
    Forward,
    /// It goes back to its start: the goal, or its destination was given up.
    Back,
    /// A person set it aside, or it is not meant: nothing is asked for it.
    Aside,
}

/// What is to become of a move under a goal.
pub(super) fn course(m: &Move<'_>, at: u32, goal: Goal, only: Option<BrokerId>, memory: &Memory) -> Course {
    if memory.aside.contains(&at) {
        return Course::Aside;
    }
    match (goal, only) {
        (_, Some(broker)) if m.to.contains(&broker) => Course::Back,
        (_, Some(_)) => Course::Aside,
        (Goal::Back, None) => Course::Back,
        // A copy on a broker that will not come back never joins.
        _ if memory.given_up.iter().any(|broker| m.to.contains(broker)) => Course::Back,
        _ => Course::Forward,
    }
}

/// The originals that a move has: `O`, but for given-up brokers that it has dropped already.
pub(super) fn originals(m: &Move<'_>, o: &Observed) -> Vec<BrokerId> {
    moves::kept(m.from, &o.dropped)
}

/// Originals that the next expand leaves out: given up, fenced, and out of the ISR. One that came back is kept.
pub(super) fn lost(m: &Move<'_>, o: &Observed, view: &View) -> Vec<BrokerId> {
    let is_lost = |id: &BrokerId| view.is_lost(*id) && !o.isr.contains(id) && !m.to.contains(id);
    originals(m, o).into_iter().filter(is_lost).collect()
}

/// The replica that leads when the move is back: the first of the originals that serves.
pub(super) fn first(m: &Move<'_>, o: &Observed, view: &View) -> Option<BrokerId> {
    minus(&originals(m, o), &lost(m, o, view)).first().copied()
}

/// Whether a move that stands at its start has something to expand: copies to add, or a lost broker to leave out.
pub(super) fn expands(m: &Move<'_>, o: &Observed, view: &View) -> bool {
    let adds = m.to.iter().any(|id| !o.replicas.contains(id));
    adds || (!view.given_up.is_empty() && !lost(m, o, view).is_empty())
}

/// The list that a move in flight is on its way to, if that is one of its own.
pub(super) fn on_its_way(m: &Move<'_>, o: &Observed) -> Option<Vec<BrokerId>> {
    match o.standing {
        Standing::Expanding => Some(moves::expanded(&originals(m, o), m.to)),
        Standing::Shrinking => Some(m.to.to_vec()),
        Standing::Returning => Some(originals(m, o)),
        Standing::Settled(_) | Standing::Foreign | Standing::Diverged => None,
    }
}
