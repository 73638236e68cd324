//! P6: the certificate, computed again with exact integers from sizes and the intent alone.

use super::book::Book;
use super::safety::Zones;
use super::shape::Lists;
use super::{Promise, Verdict};
use crate::plan::{Intent, Plan};

/// Sums over the moves.
#[derive(Debug, Default)]
pub(super) struct Sums {
    bound: u128,
    moved: u128,
    unknown: u128,
}

impl Sums {
    /// Counts one move: bytes of one copy, replicas that have to leave, copies that the plan makes.
    pub fn add(&mut self, bytes: Option<u64>, forced: usize, copies: usize) {
        match bytes {
            Some(bytes) => {
                self.bound += u128::from(bytes) * forced as u128;
                self.moved += u128::from(bytes) * copies as u128;
            }
            None => self.unknown += copies as u128,
        }
    }

    /// Compares with what the plan claims.
    pub fn judge(&self, plan: &Plan, verdict: &mut Verdict) {
        let claimed = &plan.certificate;
        let has_bands = matches!(plan.intent, Intent::Add { .. } | Intent::Rebalance { .. });
        let bound = if has_bands { u128::from(claimed.bound_bytes) } else { self.bound };
        let mut say = |message: String| verdict.add(Promise::P6, None, None, message);
        for (what, claim, sum) in [
            ("the lower bound", claimed.bound_bytes, bound),
            ("the bytes to copy", claimed.moved_bytes, self.moved),
            ("the number of unknown sizes", claimed.unknown_sizes, self.unknown),
        ] {
            if u128::from(claim) != sum {
                say(format!("{what}: the plan says {claim}, the recount {sum}; plan again"));
            }
        }
    }
}

/// A plan that does what was asked copies no less than the bound.
pub(super) fn judge_bound(plan: &Plan, verdict: &mut Verdict) {
    let (bound, moved) = (plan.certificate.bound_bytes, plan.certificate.moved_bytes);
    if bound > moved {
        let message =
            format!("the lower bound {bound} is above the {moved} bytes that the plan copies: it is none");
        verdict.add(Promise::P6, None, None, message);
    }
}

/// Replicas of a move that the intent forces to be copied.
pub(super) fn forced(intent: &Intent, book: &Book<'_>, zones: &mut Zones, lists: &Lists) -> usize {
    match intent {
        Intent::Migrate { .. } | Intent::Drain { .. } => {
            lists.from.iter().filter(|at| book.entry(**at).source).count()
        }
        Intent::SetFactor { factor, .. } => (*factor as usize).saturating_sub(lists.from.len()),
        // Racks are mended where they can be.
        Intent::Repair { .. } => (*zones.misplaced(book, &lists.from).end()).min(lists.added.len()),
        // Bounded over all moves together.
        Intent::Add { .. } | Intent::Rebalance { .. } | Intent::Leaders { .. } => 0,
        Intent::Follow { .. } | Intent::Return { .. } => lists.added.len(),
    }
}
