//! From a view to what is done about it.

use std::collections::BTreeSet;

use restow_client::write::Write;
use restow_planner::plan::{Pacing, Plan, Step};

use super::agenda::Agenda;
use super::course::on_its_way;
use super::guard::Case;
use super::open::{Blocked, blocked};
use super::reads::{held_min_isr, stage_rates};
use super::seen::Known;
use super::stall::stall;
use super::switch::Guard;
use super::throttle::{Added, Desired, Difference, difference, is_listed};
use super::view::View;
use super::{Cause, FRESH, Hold, LAG, Moment, Now, Pace, Scope, Stay};
use crate::journal::{Goal, Memory, Outcome, Record};

/// One wire request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is asked.
    pub write: Write,
    /// Moves that it concerns, beside its items.
    pub moves: Vec<u32>,
}

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// As soon as the cluster can show an effect.
    Again,
    /// After this long.
    After(std::time::Duration),
    /// Not at all.
    Stop(Outcome),
}

/// What is decided.
#[derive(Debug)]
pub struct Decision {
    /// Records to journal before anything is sent.
    pub records: Vec<Record>,
    /// Requests, in order. If one does not succeed as a whole the rest is dropped.
    pub requests: Vec<Request>,
    /// What holds, and what would clear it.
    pub holds: Vec<Hold>,
    /// What is waited for that is no fault: the dwell.
    pub waits: Option<String>,
    /// Moves that are not acted on now, and why.
    pub held: Vec<(u32, Stay)>,
    /// Moves that go first in the swap stage, when it begins.
    pub canaries: Vec<u32>,
    /// What happened without us, in words.
    pub notes: Vec<String>,
    /// What of ours is still set, in words.
    pub left: Vec<String>,
    /// Whether nothing goes on: something holds that nobody asked for, nothing is sent, and no copy moves.
    pub is_stuck: bool,
    /// What there is to do, as the view shows it.
    pub agenda: Agenda,
    /// When to come back.
    pub next: Next,
}

/// The state of one decision under way.
pub(super) struct Desk<'a> {
    pub plan: &'a Plan,
    pub pace: &'a Pace,
    pub memory: &'a Memory,
    pub view: &'a View,
    pub agenda: Agenda,
    pub blocked: Blocked,
    pub requests: Vec<Request>,
    pub holds: BTreeSet<Hold>,
    pub held: Vec<(u32, Stay)>,
    /// What holds moves beyond their own guards.
    pub health: Vec<Hold>,
    /// Whether a move was left because it would not end before `--until`.
    pub closing: bool,
    /// Wall time in milliseconds since 1970.
    pub wall: u64,
    /// Moves in flight that a person claims in this tick.
    pub adopted: Vec<u32>,
    /// Moves that will be in flight after this decision.
    pub starting: Vec<u32>,
    pub canaries: Vec<u32>,
}

impl<'a> Desk<'a> {
    /// A move to judge; none if an open write names it, somebody else moves data on its brokers, or what we
    /// submitted may not show yet.
    pub fn case(&mut self, at: u32) -> Option<Case<'a>> {
        if self.blocked.moves.contains(&at) && Guard::Open.stands() {
            return None;
        }
        let is_new = |since: &Moment| self.view.at.saturating_sub(*since) < LAG / 4;
        if self.view.submitted.get(&at).is_some_and(is_new) && Guard::Lag.stands() {
            return None;
        }
        // Not looked at in this tick (promise E2): it is in the next.
        let case = Case::of(self.plan, self.view, at).filter(Case::is_fresh)?;
        let refused = self.view.refused.get(&at);
        if let Some((_, why)) =
            refused.filter(|(since, _)| self.view.at.saturating_sub(*since) < self.pace.poll)
        {
            let scope = Scope::Partition(case.partition());
            let reason = format!("Kafka refused: {why}");
            let hold = Hold { cause: Cause::Guard, scope, reason, clears: "Kafka accepts it".into() };
            self.stay(at, hold.into());
            return None;
        }
        Some(case)
    }

    /// Remembers why a move is not acted on now.
    pub fn stay(&mut self, at: u32, stay: Stay) {
        self.held.push((at, stay));
    }
}

/// Decides.
pub fn decide(plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory, view: &View, now: Now) -> Decision {
    let mut desk = Desk {
        plan,
        pace,
        memory,
        view,
        agenda: Agenda::of(plan, goal, pace, memory, view, view.at),
        blocked: blocked(memory, view, now),
        requests: vec![],
        holds: BTreeSet::new(),
        held: vec![],
        health: vec![],
        closing: false,
        wall: now.wall,
        adopted: vec![],
        starting: vec![],
        canaries: vec![],
    };
    if goal == Goal::Forward {
        desk.look_around();
    }
    desk.holds.extend(std::mem::take(&mut desk.blocked.holds));
    let age = now.moment.saturating_sub(view.at);
    // Once in a while the far view takes long; twice in a row is no accident.
    if age > FRESH && view.slow > 1 {
        desk.holds.insert(Hold {
            cause: Cause::StaleView,
            scope: Scope::Cluster,
            reason: format!("a look at the cluster takes {} s", age.as_secs()),
            clears: format!("it takes less than {} s", FRESH.as_secs()),
        });
    }
    if age <= FRESH || !Guard::Fresh.stands() {
        match goal {
            Goal::Forward => super::forward::act(&mut desk),
            Goal::Back => {
                let ready = desk.agenda.ready.back.clone();
                super::back::act(&mut desk, &ready);
            }
            Goal::Quiesce => super::back::cancel(&mut desk),
        }
    }
    desk.adopt();
    desk.strange_holds();
    let throttle = desk.throttle(goal);
    desk.finish(goal, throttle)
}

impl Desk<'_> {
    /// Claims what is in flight and equals a step of the plan, if a person says so.
    fn adopt(&mut self) {
        if self.pace.adopt {
            let equals = |at: &&u32| self.adoption(**at).is_some();
            self.adopted = self.agenda.strange.iter().filter(equals).copied().collect();
        }
    }

    /// The record that makes a move in flight ours.
    fn adoption(&self, at: u32) -> Option<Record> {
        let list = on_its_way(&self.plan.moves.get(at as usize), self.view.observed(at)?)?;
        let partition = self.plan.partition_of(&self.plan.moves.get(at as usize));
        Some(Record::Adopted { at, partition, list })
    }

    /// Partitions that nobody may act on, and why.
    fn strange_holds(&mut self) {
        let is_missing = self.view.unseen > 0 && self.view.ticks > 2;
        let unseen = || self.view.moves.iter().position(|known| *known == Known::Unseen);
        if let Some(at) = is_missing.then(unseen).flatten() {
            self.holds.insert(Hold {
                cause: Cause::Unexplained,
                scope: Scope::Partition(self.plan.partition_of(&self.plan.moves.get(at))),
                reason: "metadata does not show it".into(),
                clears: "it does; is DESCRIBE on the topic missing?".into(),
            });
        }
        for at in self.agenda.strange.iter().filter(|at| !self.adopted.contains(at)) {
            let partition = self.plan.partition_of(&self.plan.moves.get(*at as usize));
            self.holds.insert(Hold {
                cause: Cause::Unexplained,
                scope: Scope::Partition(partition),
                reason: "a reassignment is in flight that our journal does not explain".into(),
                clears: "it ends; it is never cancelled or throttled by this run".into(),
            });
        }
        let stalls = self.agenda.flying.iter().filter_map(|at| stall(self.plan, self.pace, self.view, *at));
        self.holds.extend(stalls.collect::<Vec<_>>());
    }

    /// Whether the throttles of a copy that is to begin are set when it does (promise E5). If not it is tried again in
    /// the next tick.
    pub fn throttles(&self, at: u32, added: &mut Added) -> bool {
        let mut desired = Desired::default();
        if let Some(rate) = self.pace.throttle {
            desired.add(self.plan, self.view, at, rate);
        }
        desired.hold_min_isr(self.plan, at);
        added.take(&desired, self.memory, self.view, &self.blocked.keys)
    }

    /// The difference between the throttles that should be and those that are; its requests come before the
    /// submissions that they cover.
    fn throttle(&mut self, goal: Goal) -> Difference {
        let mut desired = Desired::default();
        // Who only goes back or stops keeps the throttle under which copies are in flight.
        let kept = self.memory.throttle.filter(|_| goal != Goal::Forward);
        if let Some(rate) = self.pace.throttle.or(kept) {
            let expands = self.agenda.stage == Some(Step::Expand) && self.agenda.gate.is_none();
            if goal == Goal::Forward && expands && !self.closing {
                desired = stage_rates(&self.agenda, self.view, rate);
            }
            // A copy that was asked for and not answered may still begin.
            let asked = self.blocked.moves.iter().filter(|at| is_listed(self.plan, self.memory, **at));
            for at in self.agenda.flying.iter().chain(&self.starting).chain(asked) {
                desired.add(self.plan, self.view, *at, rate);
            }
        }
        if !self.closing || !self.agenda.flying.is_empty() {
            desired.join(held_min_isr(self.plan, self.view, &self.agenda, &self.starting));
        }
        difference(&desired, self.memory, self.view, &self.blocked.keys)
    }

    fn finish(mut self, goal: Goal, throttle: Difference) -> Decision {
        let mut records = std::mem::take(&mut self.blocked.records);
        if let Some(health) =
            self.view.health.as_ref().filter(|_| goal == Goal::Forward && self.memory.baseline.is_none())
        {
            records.push(Record::Baseline(health.baseline()));
        }
        records.extend(self.adopted.iter().filter_map(|at| self.adoption(*at)));
        let waits = self.collect_stays();
        let waits = self.wait_for_room().or(waits).filter(|_| !self.is_copying());
        records.extend(throttle.records);
        let submissions = std::mem::take(&mut self.requests);
        let acted = !submissions.is_empty() || !throttle.requests.is_empty() || !records.is_empty();
        let mut requests: Vec<Request> =
            throttle.requests.into_iter().filter(|request| self.reaches(request)).collect();
        requests.extend(submissions);
        let left: Vec<String> = throttle.pending.iter().map(ToString::to_string).collect();
        let is_stuck = requests.is_empty() && self.is_stuck();
        let next =
            if acted && !requests.is_empty() { Next::Again } else { self.next(goal, &throttle.pending) };
        Decision {
            records,
            requests,
            holds: self.holds.into_iter().collect(),
            waits,
            held: self.held,
            canaries: self.canaries,
            notes: throttle.notes,
            left,
            is_stuck,
            agenda: self.agenda,
            next,
        }
    }

    /// Whether something holds that nobody asked for, and no copy moves.
    fn is_stuck(&self) -> bool {
        let is_fault = |hold: &Hold| !hold.cause.is_asked_for();
        let is_still = |at: &u32| self.view.copies.is_still(*at, self.view.at);
        self.holds.iter().any(is_fault) && self.agenda.flying.iter().all(is_still)
    }

    /// The holds of moves that were judged now or a moment ago; what is waited for that is no fault.
    fn collect_stays(&mut self) -> Option<String> {
        let now = self.held.iter().map(|(_, stay)| stay);
        let earlier =
            self.view.held.values().filter(|(until, _)| *until > self.view.at).map(|(_, stay)| stay);
        let mut waits = None;
        for stay in now.chain(earlier) {
            match stay {
                Stay::Hold(hold) => drop(self.holds.insert(hold.clone())),
                Stay::Wait(what) => waits = Some(what.clone()),
            }
        }
        waits
    }

    /// Whether a pipelined run has something in flight: then it is no news that other moves wait.
    fn is_copying(&self) -> bool {
        self.plan.pacing == Pacing::Pipelined && !self.agenda.flying.is_empty()
    }

    /// What holds copies that find no room on disks, or what they wait for.
    fn wait_for_room(&mut self) -> Option<String> {
        let no_room = self.agenda.no_room?;
        match self.view.why_no_room(self.plan, no_room, self.agenda.begun > 0)? {
            Stay::Wait(what) => return Some(what),
            Stay::Hold(hold) => drop(self.holds.insert(hold)),
        }
        None
    }

    /// A dead broker's rates cannot be written now: only that broker takes them.
    fn reaches(&self, request: &Request) -> bool {
        match &request.write {
            Write::Configs { broker: Some(id), .. } => self.view.answered.contains(id),
            _ => true,
        }
    }

    fn next(&self, goal: Goal, pending: &BTreeSet<crate::journal::ConfigKey>) -> Next {
        if self.view.unseen > 0 || !self.memory.open.is_empty() {
            return Next::After(self.pace.poll);
        }
        let at_goal = match goal {
            Goal::Forward if !self.agenda.undo.is_empty() => false,
            Goal::Forward => self.agenda.gate.is_some() || self.agenda.stage.is_none() || self.is_closed(),
            Goal::Back => self.agenda.left == 0,
            Goal::Quiesce => !self.pace.cancels || self.agenda.flying.is_empty(),
        };
        // What is in flight still needs its throttles; at a gate nothing of ours is in flight.
        let is_awaited = |at: &u32| self.pace.only.is_none() && !self.memory.aside.contains(at);
        if !at_goal || (goal != Goal::Quiesce && self.agenda.flying.iter().any(is_awaited)) {
            let busy = !self.agenda.flying.is_empty() || !self.agenda.ready.is_empty();
            return if busy && self.holds.is_empty() { Next::Again } else { Next::After(self.pace.poll) };
        }
        let restorable = pending.iter().any(|key| !self.is_out_of_reach(key));
        if restorable {
            return Next::Again;
        }
        Next::Stop(self.outcome(goal, !pending.is_empty()))
    }

    /// Whether nothing more is begun, for the hour. A pipelined run uses what is left of it to end what has begun.
    fn is_closed(&self) -> bool {
        let ends = self.plan.pacing == Pacing::Pipelined && self.agenda.begun > 0;
        self.closing && (!ends || self.has_hour_come())
    }

    /// A broker that has not answered for a while: its rates are left for later.
    fn is_out_of_reach(&self, key: &crate::journal::ConfigKey) -> bool {
        const GRACE: Moment = Moment::from_secs(15);
        let restow_client::read::Resource::Broker(id) = &key.resource else { return false };
        let silent = self.view.brokers.get(id).and_then(|seen| seen.silent);
        silent.is_some_and(|since| self.view.at.saturating_sub(since) >= GRACE)
    }

    fn outcome(&self, goal: Goal, left: bool) -> Outcome {
        if !self.agenda.diverged.is_empty() && goal != Goal::Quiesce {
            return Outcome::Diverged;
        }
        match (goal, self.agenda.gate) {
            (Goal::Quiesce, _) => Outcome::Stopped,
            (Goal::Forward, Some(gate)) => Outcome::Gate(gate),
            _ if self.pace.only.is_some() => Outcome::Done,
            (Goal::Forward, _) if self.agenda.stage.is_some() => Outcome::Stopped,
            (Goal::Back, _) if !self.agenda.shrunk.is_empty() => Outcome::PartlyBack,
            _ if self.agenda.leaves_some() => Outcome::Aside,
            _ if left => Outcome::Left,
            _ => Outcome::Done,
        }
    }
}
