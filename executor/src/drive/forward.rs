//! Forward: expand, swap, shrink.

use restow_client::write::Write;
use restow_planner::model::replicas::minus;
use restow_planner::plan::{Step, moves};

use super::Stay;
use super::agenda::{CANARIES, SUBMITS};
use super::decide::{Desk, Request};
use super::guard::Case;
use super::standing::{Reached, Standing};
use super::switch::Guard;
use super::throttle::Added;

/// Adds what the way forward asks for now.
pub(super) fn act(desk: &mut Desk<'_>) {
    if !desk.is_paused() {
        let undo = desk.agenda.undo.clone();
        super::back::act(desk, &undo);
    }
    if desk.agenda.gate.is_some() {
        return;
    }
    desk.close_in_time();
    // What has begun is ended before more begins.
    for step in desk.agenda.steps.clone().into_iter().rev() {
        match step {
            Step::Expand => expand(desk),
            Step::Swap => swap(desk),
            Step::Shrink => shrink(desk),
        }
    }
}

/// Judges the ready moves and keeps those whose guard lets them pass.
fn pass<'a>(
    desk: &mut Desk<'a>,
    step: Step,
    guard: impl Fn(&Desk<'a>, &Case<'a>) -> Result<(), Stay>,
) -> Vec<Case<'a>> {
    let mut passed = Vec::new();
    for at in desk.agenda.ready.to(step).to_vec() {
        let Some(case) = desk.case(at) else { continue };
        let verdict = match desk.held_by(&case, step) {
            Some(stay) => Err(stay),
            None => guard(desk, &case),
        };
        match verdict {
            Ok(()) => passed.push(case),
            Err(stay) => desk.stay(at, stay),
        }
    }
    passed
}

fn expand(desk: &mut Desk<'_>) {
    give_up(desk);
    let mut passed = pass(desk, Step::Expand, |_, case| Ok(case.expand()?));
    let mut added = Added::default();
    passed.retain(|case| desk.throttles(case.at, &mut added));
    desk.starting.extend(passed.iter().map(|case| case.at));
    let list = |case: &Case<'_>| moves::expanded(&case.kept(), case.m.to);
    submit(desk, &passed, list, SUBMITS);
}

/// Expansions in flight that wait for a broker which was given up: all new copies are there, and Kafka 3.8 to 4.1
/// wait for the dead one too. The same list without it ends at once.
fn give_up(desk: &mut Desk<'_>) {
    if desk.view.given_up.is_empty() || desk.is_paused() {
        return;
    }
    let mut passed = Vec::new();
    for at in desk.agenda.flying.clone() {
        let waits = |case: &Case<'_>| {
            let is_expanding = case.observed.standing == Standing::Expanding && !case.lost.is_empty();
            is_expanding && minus(&moves::added(case.m.from, case.m.to), &case.observed.isr).is_empty()
        };
        let Some(case) = desk.case(at).filter(waits) else { continue };
        match case.give_up() {
            Ok(()) => passed.push(case),
            Err(hold) => desk.stay(at, hold.into()),
        }
    }
    submit(desk, &passed, |case| moves::expanded(&case.kept(), case.m.to), SUBMITS);
}

fn swap(desk: &mut Desk<'_>) {
    canaries_stand(desk);
    let passed = pass(desk, Step::Swap, |_, case| Ok(case.lead(case.m.to)?));
    let is_ordered = |case: &&Case<'_>| {
        matches!(case.observed.standing, Standing::Settled(Reached::Swapped | Reached::Shrunk))
    };
    let elect: Vec<&Case<'_>> = passed.iter().filter(is_ordered).collect();
    if !elect.is_empty() {
        elections(desk, &elect);
        return;
    }
    if desk.view.canaries.is_empty() && !desk.view.canaries_stood {
        desk.canaries = passed.iter().take(CANARIES).map(|case| case.at).collect();
    }
    submit(desk, &passed, |case| moves::swapped(&case.from, case.m.to), SUBMITS);
}

/// The first swapped partitions are elected: if leader or ISR do not stand now, no further one is touched.
fn canaries_stand(desk: &mut Desk<'_>) {
    if desk.view.canaries_stood || !desk.agenda.ready.to(Step::Swap).is_empty() {
        return;
    }
    for (at, _) in desk.view.canaries.iter().filter(|(_, stood)| **stood == 0) {
        let Some(case) = Case::of(desk.plan, desk.view, *at) else { continue };
        if let Err(mut hold) = case.lead(case.m.to).and_then(|()| case.leads(case.m.to[0])) {
            hold.reason = format!("it was swapped first and does not stand: {}", hold.reason);
            desk.stay(*at, hold.into());
        }
    }
}

fn shrink(desk: &mut Desk<'_>) {
    let passed = pass(desk, Step::Shrink, |desk, case| {
        case.shrink()?;
        let steady = case.observed.steady.map(|since| desk.view.at.saturating_sub(since)).unwrap_or_default();
        if steady >= desk.pace.dwell || !Guard::Dwell.stands() {
            return Ok(());
        }
        let dwell = desk.pace.dwell.as_secs();
        Err(Stay::Wait(format!("leaders and ISR have to stand for {dwell} s (--dwell) before a shrink")))
    });
    submit(desk, &passed, |case| case.m.to.to_vec(), super::agenda::SHRINKS);
}

/// One reassignment request for these cases.
pub(super) fn submit(
    desk: &mut Desk<'_>,
    cases: &[Case<'_>],
    list: impl Fn(&Case<'_>) -> Vec<restow_planner::model::BrokerId>,
    most: usize,
) {
    for cases in cases.chunks(most) {
        let items = cases.iter().map(|case| (case.partition(), Some(list(case)))).collect();
        let moves = cases.iter().map(|case| case.at).collect();
        desk.requests.push(Request { write: Write::Reassign { items, allow_rf_change: true }, moves });
    }
}

/// One election request for these cases.
pub(super) fn elections(desk: &mut Desk<'_>, cases: &[&Case<'_>]) {
    let items = cases.iter().map(|case| case.partition()).collect();
    let moves = cases.iter().map(|case| case.at).collect();
    desk.requests.push(Request { write: Write::Elect { items }, moves });
}
