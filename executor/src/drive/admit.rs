//! What a move waits for beyond its own guard: the cluster's health, other people, a person, the hour.

use restow_client::read::Reassignment;
use restow_planner::model::BrokerId;
use restow_planner::plan::{Step, moves};

use super::decide::Desk;
use super::guard::Case;
use super::{Cause, Hold, Scope, Stay, health};

/// Time that is left free before `--until`, in milliseconds: for what was asked last, and for the throttles.
const MARGIN: u64 = 30_000;
/// Where no rate is known yet, nothing is begun in the last this many milliseconds.
const BLIND_MARGIN: u64 = 600_000;
const LATE: &str = "what is in flight ends, so that nothing is at --until";

impl Desk<'_> {
    /// Collects what holds beside single moves: health, what a person asked for.
    pub fn look_around(&mut self) {
        let at_work = self.agenda.stage.is_some() && self.agenda.gate.is_none();
        let baseline = self.memory.baseline.clone().or(self.view.health.as_ref().map(|h| h.baseline()));
        let mut holds =
            baseline.map(|baseline| health::holds(self.plan, self.view, &baseline)).unwrap_or_default();
        let orders = &self.view.orders;
        let asked = |cause, reason: &String, clears: &str| Hold {
            cause,
            scope: Scope::Cluster,
            reason: reason.clone(),
            clears: clears.into(),
        };
        holds.extend(orders.paused.iter().map(|why| asked(Cause::Paused, why, "`restow resume` is called")));
        holds.extend(orders.external.iter().map(|why| asked(Cause::External, why, "it says so no more")));
        holds.retain(|hold| !self.ignores(hold));
        // What concerns single brokers is shown when it holds a move.
        self.holds.extend(holds.iter().filter(|hold| at_work && hold.scope == Scope::Cluster).cloned());
        self.health = holds;
    }

    /// Whether a person paused the run.
    pub fn is_paused(&self) -> bool {
        self.health.iter().any(|hold| hold.cause == Cause::Paused)
    }

    fn ignores(&self, hold: &Hold) -> bool {
        self.pace.ignore.iter().any(|ignore| ignore.covers(hold))
    }

    /// What holds this move beyond its own guard.
    pub fn held_by(&mut self, case: &Case<'_>, step: Step) -> Option<Stay> {
        let concerns =
            |id: &BrokerId| case.from.contains(id) && !case.lost.contains(id) || case.m.to.contains(id);
        let holds = |hold: &&Hold| match &hold.scope {
            Scope::Cluster => true,
            Scope::Broker(id) => concerns(id),
            Scope::Partition(partition) => *partition == case.partition(),
        };
        // A full disk holds what copies to it, and nothing else.
        let applies = |hold: &&Hold| step == Step::Expand || hold.cause != Cause::Disk;
        if let Some(hold) = self.health.iter().filter(applies).find(holds) {
            return Some(hold.clone().into());
        }
        if let Some(hold) = self.foreign_hold(case).filter(|hold| !self.ignores(hold)) {
            return Some(hold.into());
        }
        self.is_too_late(case, step).then(|| {
            self.closing = true;
            Stay::Wait(LATE.into())
        })
    }

    /// Foreign moves hold the brokers that they concern (promise E8).
    fn foreign_hold(&self, case: &Case<'_>) -> Option<Hold> {
        let concerns = |r: &&Reassignment| {
            let busy = r.adding.iter().chain(&r.removing);
            let ours: Vec<_> = case.m.from.iter().chain(case.m.to).collect();
            busy.into_iter().any(|id| ours.contains(&id))
        };
        self.view.foreign.iter().find(concerns).map(|r| Hold {
            cause: Cause::ForeignMove,
            scope: Scope::Broker(*r.adding.first().or(r.removing.first()).unwrap_or(&r.replicas[0])),
            reason: format!("{}-{} is moved by somebody else", r.topic, r.partition),
            clears: "that move ends".into(),
        })
    }

    /// When the hour has come nothing is begun any more; it is also near while a move waits for that reason.
    pub fn close_in_time(&mut self) {
        let is_late = |(_, stay): &(_, Stay)| matches!(stay, Stay::Wait(what) if what == LATE);
        self.closing = self.has_hour_come() || self.view.held.values().any(is_late);
    }

    pub(super) fn has_hour_come(&self) -> bool {
        self.pace.until.is_some_and(|until| self.wall + MARGIN >= until)
    }

    /// Whether a move that began now might still be in flight at `--until`. An estimate: all that is in flight,
    /// and this, at the rate that this process measured.
    fn is_too_late(&self, case: &Case<'_>, step: Step) -> bool {
        let Some(until) = self.pace.until else { return false };
        if self.has_hour_come() || step != Step::Expand {
            return self.has_hour_come();
        }
        let bytes = |at: u32| {
            let m = self.plan.moves.get(at as usize);
            m.bytes.unwrap_or(0) * moves::added(m.from, m.to).len() as u64
        };
        let ahead = self.agenda.flying.iter().chain(&self.starting).map(|at| bytes(*at)).sum::<u64>();
        let total = ahead + bytes(case.at);
        let takes = match self.view.rate.filter(|rate| *rate > 0).or(self.pace.throttle) {
            // A quarter more than the estimate: rates vary.
            Some(rate) => (u128::from(total) * 1250 / u128::from(rate)) as u64,
            None => BLIND_MARGIN,
        };
        self.wall + takes + MARGIN >= until
    }
}
