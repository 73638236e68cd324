//! How much is done, counted with every observation: for people only, never for a guard.

use restow_planner::plan::{Move, Plan, Step, moves};

use super::seen::Known;
use super::standing::{Reached, Standing};

/// Moves and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Moves that have (or have taken) each step.
    pub steps: [u64; 3],
    /// All moves, or those at their end.
    pub moves: u64,
    /// Known bytes of copies; of copies in flight nothing counts as done here.
    pub bytes: u64,
}

/// What there is to do in all, and what of it is done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// In all.
    pub all: Count,
    /// Done.
    pub done: Count,
}

impl Counts {
    /// Nothing is done.
    pub(super) fn new(plan: &Plan) -> Self {
        let mut all = Count::default();
        for m in plan.moves.iter() {
            Step::ALL.iter().for_each(|step| all.steps[*step as usize] += u64::from(m.has(*step)));
            all.moves += 1;
            all.bytes += copy_bytes(&m);
        }
        Counts { all, done: Count::default() }
    }

    /// A move was known in one way and is now known in another.
    pub(super) fn change(&mut self, plan: &Plan, at: u32, before: &Known, now: &Known) {
        let m = plan.moves.get(at as usize);
        let (before, now) = (of(&m, before), of(&m, now));
        for step in 0..3 {
            self.done.steps[step] =
                (self.done.steps[step] + now.steps[step]).saturating_sub(before.steps[step]);
        }
        self.done.moves = (self.done.moves + now.moves).saturating_sub(before.moves);
        self.done.bytes = (self.done.bytes + now.bytes).saturating_sub(before.bytes);
    }
}

/// What one move has done.
fn of(m: &Move<'_>, known: &Known) -> Count {
    let Known::At(o) = known else { return Count::default() };
    let taken = |step: Step| u64::from(m.has(step) && has_taken(o.standing, Some(step)));
    let has_bytes = !matches!(o.standing, Standing::Expanding | Standing::Settled(Reached::Start));
    Count {
        steps: Step::ALL.map(taken),
        moves: u64::from(has_taken(o.standing, None)),
        bytes: if has_bytes { copy_bytes(m) } else { 0 },
    }
}

/// Known bytes of all copies of a move.
fn copy_bytes(m: &Move<'_>) -> u64 {
    m.bytes.unwrap_or(0).saturating_mul(moves::added(m.from, m.to).len() as u64)
}

/// Whether a move has taken a step; all of them where none is named.
fn has_taken(standing: Standing, step: Option<Step>) -> bool {
    let Standing::Settled(reached) = standing else {
        return standing == Standing::Shrinking && step != Some(Step::Shrink);
    };
    let needed = match step {
        Some(Step::Expand) => Reached::Expanded,
        Some(Step::Swap) => Reached::Swapped,
        Some(Step::Shrink) | None => Reached::Shrunk,
    };
    reached >= needed
}
