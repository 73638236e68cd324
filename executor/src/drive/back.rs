//! Back: cancel what is in flight, restore order and leaders, drop what was added. Nothing is copied.

use restow_client::write::Write;
use restow_planner::model::BrokerId;
use restow_planner::plan::moves;

use super::agenda::{ELECTIONS, INTERNAL, SHRINKS, SUBMITS};
use super::decide::{Desk, Request};
use super::forward::{elections, submit};
use super::guard::Case;
use super::standing::Standing;

/// What is next for a move on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leg {
    Wait,
    Cancel,
    Reorder,
    Elect,
    Drop,
}

/// Adds what the way back asks for now, for these moves.
pub(super) fn act(desk: &mut Desk<'_>, moves: &[u32]) {
    let mut legs: Vec<(Leg, Case<'_>)> = Vec::new();
    for at in moves.iter().copied() {
        let Some(case) = desk.case(at) else { continue };
        let leg = leg(&case);
        let verdict = match leg {
            Leg::Wait => continue,
            Leg::Cancel | Leg::Drop => case.drop_added(),
            Leg::Reorder | Leg::Elect => case.lead(&case.kept()),
        };
        match verdict {
            Ok(()) => legs.push((leg, case)),
            Err(hold) => desk.stay(at, hold.into()),
        }
    }
    let cancel = batch(&mut legs, Leg::Cancel, SUBMITS, SUBMITS);
    let reorder = batch(&mut legs, Leg::Reorder, ELECTIONS, INTERNAL);
    let elect = batch(&mut legs, Leg::Elect, ELECTIONS, INTERNAL);
    let drop = batch(&mut legs, Leg::Drop, SHRINKS, SHRINKS);

    cancels(desk, &cancel);
    // Leaders first: a batch is elected before the next is reordered.
    if !elect.is_empty() {
        elections(desk, &elect.iter().collect::<Vec<_>>());
    } else {
        submit(desk, &reorder, ordered, ELECTIONS);
    }
    submit(desk, &drop, |case| case.from.clone(), SHRINKS);
}

/// The same set in the order of the way back: nothing is added to what is there.
fn ordered(case: &Case<'_>) -> Vec<BrokerId> {
    let mut list = moves::expanded(&case.from, case.m.to);
    list.retain(|id| case.observed.replicas.contains(id));
    list
}

/// Cancels what is in flight, where a process that only stops may do so.
pub(super) fn cancel(desk: &mut Desk<'_>) {
    let mut cases = Vec::new();
    for at in desk.agenda.ready.back.clone() {
        let Some(case) = desk.case(at).filter(|case| leg(case) == Leg::Cancel) else { continue };
        match case.drop_added() {
            Ok(()) => cases.push(case),
            Err(hold) => desk.stay(at, hold.into()),
        }
    }
    cancels(desk, &cases);
}

fn cancels(desk: &mut Desk<'_>, cases: &[Case<'_>]) {
    if cases.is_empty() {
        return;
    }
    let items = cases.iter().map(|case| (case.partition(), None)).collect();
    let moves = cases.iter().map(|case| case.at).collect();
    desk.requests.push(Request { write: Write::Reassign { items, allow_rf_change: true }, moves });
}

/// Takes the cases of a leg, `most` at most and of internal topics `internal` at most.
fn batch<'a>(legs: &mut Vec<(Leg, Case<'a>)>, leg: Leg, most: usize, internal: usize) -> Vec<Case<'a>> {
    let (mut taken, mut internals) = (Vec::new(), 0);
    for (_, case) in legs.extract_if(.., |(l, _)| *l == leg) {
        let is_internal = case.plan.topic_of(&case.m).internal;
        internals += usize::from(is_internal);
        if taken.len() < most && (!is_internal || internals <= internal) {
            taken.push(case);
        }
    }
    taken
}

fn leg(case: &Case<'_>) -> Leg {
    let o = case.observed;
    match o.standing {
        Standing::Expanding | Standing::Shrinking => Leg::Cancel,
        Standing::Returning | Standing::Foreign | Standing::Diverged => Leg::Wait,
        Standing::Settled(_) => {
            let leads = o.leader == Some(case.first());
            if o.replicas == case.from {
                return if leads { Leg::Wait } else { Leg::Elect };
            }
            if o.replicas != ordered(case) {
                return Leg::Reorder;
            }
            if leads { Leg::Drop } else { Leg::Elect }
        }
    }
}
