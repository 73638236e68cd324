//! The loop: observe, decide, journal, act.

use std::collections::BTreeSet;

use restow_client::Client;
use restow_planner::forecast::Forecast;
use restow_planner::model::BrokerId;
use restow_planner::plan::{Pacing, Plan, Step};
use restow_planner::schedule::Load;
use tokio::time::{Instant, sleep};

use super::act::Hands;
use super::progress::Meter;
use super::report::{Report, Score, look, report};
use super::{Env, RunError, Stop, belongs, may_begin, read};
use crate::drive::{
    Agenda, Cause, Decision, FRESH, Hold, Moment, Next, Now, Pace, Scope, View, decide, reads,
};
use crate::events::{Event, Wrote};
use crate::journal::{ConfigKey, Gate, Goal, Journal, Memory, Opened, Outcome, Record, Sent};

/// What one process is to do.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it wants.
    pub goal: Goal,
    /// Hash of the plan.
    pub plan_hash: String,
    /// Where the plan file lies.
    pub plan_path: String,
    /// Gates that a person approves now.
    pub approve: Vec<Gate>,
    /// Config keys whose differences a person accepts now.
    pub accept: Vec<String>,
    /// Brokers that a person gives up now: fenced, out of every ISR, and not coming back.
    pub give_up: Vec<BrokerId>,
    /// Throttles that a person wants gone, with their values (goal `Quiesce`).
    pub claim: Vec<(ConfigKey, String)>,
    /// Moves that a person sets aside now, as positions in the plan.
    pub aside: Vec<u32>,
    /// How fast.
    pub pace: Pace,
    /// What is known and expected of the copies.
    pub outlook: Outlook,
}

impl Task {
    /// A task with nothing approved, given up, set aside or claimed.
    pub fn new(goal: Goal, plan_hash: &str, plan_path: &str, pace: Pace) -> Self {
        Task {
            goal,
            plan_hash: plan_hash.to_owned(),
            plan_path: plan_path.to_owned(),
            approve: vec![],
            accept: vec![],
            give_up: vec![],
            claim: vec![],
            aside: vec![],
            pace,
            outlook: Outlook::default(),
        }
    }
}

/// What is known and expected of the copies of a run. By default nothing.
#[derive(Debug, Clone, Default)]
pub struct Outlook {
    /// What producers write, and what links carry.
    pub load: Load,
    /// What the model says; journalled before the run and scored after it.
    pub forecast: Option<Forecast>,
}

/// Time between two looks while something goes on: longer than most reads lag behind a write.
const TICK: Moment = Moment::from_millis(100);
/// Looks in which a hold must stand before anything was asked, until it is a refusal.
const STRIKES: u32 = 3;

/// Works on a plan until its goal is reached, a gate is closed, or a person stops it.
///
/// # Errors
/// If the journal cannot be written, or the cluster cannot be reached at the start. If the plan is pipelined, has
/// something left to do, and its shrinks are not approved: nothing is journalled or sent then.
pub async fn work(
    client: &Client,
    plan: &Plan,
    task: &Task,
    journal: &mut Journal,
    memory: &mut Memory,
    env: &mut Env<'_>,
) -> Result<Report, RunError> {
    belongs(client, plan)?;
    let is_whole = task.goal == Goal::Forward && task.pace.only.is_none();
    if is_whole && !may_begin(plan, &task.approve, memory) {
        let now = (env.wall)();
        if look(client, plan, task.goal, &task.pace, memory, now).await?.stage.is_some() {
            return Err(RunError::NotApproved);
        }
    }
    let mut view = View::new(plan);
    view.load = task.outlook.load.clone();
    let expected = task.outlook.forecast.as_ref().map(|f| f.curve.clone()).unwrap_or_default();
    let mut worker = Worker {
        plan,
        task,
        pace: task.pace.clone(),
        hands: Hands { client, journal, memory },
        start: Instant::now(),
        view,
        meter: Meter::expecting(expected),
        holds: BTreeSet::new(),
        stage: None,
        strikes: 0,
        held_since: None,
    };
    worker.open(env)?;
    let mut stop = env.stop.clone();
    loop {
        let ended = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop == Stop::Now) => Some(worker.report(Outcome::Stopped, vec![])),
            ended = worker.tick(env) => ended?,
        };
        if let Some(report) = ended {
            env.watch.event(&Event::Ended { outcome: report.outcome });
            return Ok(report);
        }
    }
}

struct Worker<'a> {
    plan: &'a Plan,
    task: &'a Task,
    /// The task's pace, as a person changed it since.
    pace: Pace,
    hands: Hands<'a>,
    start: Instant,
    view: View,
    meter: Meter,
    holds: BTreeSet<Hold>,
    stage: Option<Step>,
    strikes: u32,
    held_since: Option<Moment>,
}

impl Worker<'_> {
    /// Seconds that the copies are expected to take.
    fn predicted(&self) -> Option<u64> {
        let forecast = self.task.outlook.forecast.as_ref().filter(|f| f.total.is_some())?;
        forecast.stages.iter().find(|(step, _)| *step == Step::Expand).map(|(_, seconds)| *seconds)
    }

    fn now(&self, env: &Env<'_>) -> Now {
        Now { moment: self.start.elapsed(), wall: (env.wall)() }
    }

    fn open(&mut self, env: &mut Env<'_>) -> Result<(), RunError> {
        let continued = self.hands.memory.is_unfinished();
        let opened = Opened {
            format: crate::journal::FORMAT,
            plan_hash: self.task.plan_hash.clone(),
            plan_path: self.task.plan_path.clone(),
            cluster: self.plan.cluster_id.clone(),
            goal: self.task.goal,
            pace: format!("{:?}", self.task.pace),
            throttle: self.task.pace.throttle,
            host: env.host.clone(),
            pid: env.pid,
            principal: self.hands.client.principal().map(Into::into),
            time: (env.wall)(),
        };
        let mut records = vec![Record::Opened(opened)];
        if !continued {
            let bytes = self.plan.certificate.moved_bytes;
            records.push(Record::Predicted { bytes, seconds: self.predicted() });
        }
        records.extend(self.task.accept.iter().map(|key| Record::Accepted { key: key.clone() }));
        records.extend(self.task.give_up.iter().map(|broker| Record::GaveUp { broker: *broker }));
        let claims = self.task.claim.iter();
        records.extend(claims.map(|(key, value)| Record::Claimed { key: key.clone(), value: value.clone() }));
        if !self.task.aside.is_empty() {
            let name = |at: &u32| self.plan.partition_of(&self.plan.moves.get(*at as usize));
            let partitions = self.task.aside.iter().map(name).collect();
            records.push(Record::SetAside { moves: self.task.aside.clone(), partitions });
        }
        records.extend(self.pace.ignore.iter().map(|ignore| Record::Ignored { hold: ignore.to_string() }));
        // Also those of stages that the plan has no step for: what befell the cluster may make one necessary.
        records.extend(self.task.approve.iter().map(|gate| Record::Approved { gate: *gate }));
        self.hands.record(&records)?;
        env.watch.event(&Event::Opened { continued, journal: self.hands.journal.name() });
        Ok(())
    }

    /// Learns what a person asks of this process now.
    fn obey(&mut self, env: &mut Env<'_>) -> Result<(), RunError> {
        let orders = (env.orders)();
        let throttle = orders.throttle.unwrap_or(self.task.pace.throttle);
        if self.task.goal == Goal::Forward && throttle != self.pace.throttle {
            self.hands.record(&[Record::Throttled { throttle }])?;
            self.pace.throttle = throttle;
            let rate = throttle.map_or("none".into(), |rate| format!("{rate} bytes/s"));
            env.watch.event(&Event::Note { text: format!("the throttle was changed to {rate}") });
        }
        self.view.orders = orders;
        Ok(())
    }

    /// One look and what follows from it; a report if that was the last.
    async fn tick(&mut self, env: &mut Env<'_>) -> Result<Option<Report>, RunError> {
        let goal = if *env.stop.borrow() == Stop::No { self.task.goal } else { Goal::Quiesce };
        self.obey(env)?;
        let now = self.now(env);
        self.view.adopt(self.plan, goal, &self.pace, self.hands.memory);
        let wanted = reads(self.plan, goal, &self.pace, self.hands.memory, &self.view, now);
        match read::look(self.hands.client, self.plan, &wanted).await {
            Ok(answers) => self.view.next(self.plan, self.hands.memory, answers, now),
            Err(error) if self.view.ticks == 0 => return Err(error.into()),
            Err(error) => return self.blind(&error, env).await,
        }
        let took = self.start.elapsed().saturating_sub(self.view.at);
        self.view.slow = if took > FRESH { self.view.slow + 1 } else { 0 };
        let decision = decide(self.plan, goal, &self.pace, self.hands.memory, &self.view, self.now(env));
        self.tell(&decision, env);
        if self.refuses(goal, &decision) {
            if self.strikes >= STRIKES {
                return self.close(Outcome::Refused, &decision).map(Some);
            }
            self.rest(self.pace.poll, env).await;
            return Ok(None);
        }
        let until = self.view.at + self.pace.poll.max(TICK);
        self.view.held.retain(|_, (until, _)| *until > self.view.at);
        self.view.held.extend(decision.held.iter().map(|(at, stay)| (*at, (until, stay.clone()))));
        self.act(&decision, env).await?;
        match decision.next {
            Next::Stop(outcome) => return self.close(outcome, &decision).map(Some),
            Next::Again => self.rest(TICK.min(self.pace.poll), env).await,
            Next::After(time) => self.rest(time, env).await,
        }
        if self.is_held_too_long(&decision) {
            return Ok(Some(self.report(Outcome::Held, decision.left)));
        }
        Ok(None)
    }

    /// Before anything was asked under this plan, a hold is a refusal.
    fn refuses(&mut self, goal: Goal, decision: &Decision) -> bool {
        let is_first = goal == Goal::Forward && !self.hands.memory.asked_anything;
        // What a person asked for is waited for from the start.
        let refuses = is_first && decision.holds.iter().any(|hold| !hold.cause.is_asked_for());
        self.strikes = if refuses { self.strikes + 1 } else { 0 };
        refuses
    }

    fn is_held_too_long(&mut self, decision: &Decision) -> bool {
        self.held_since = if decision.is_stuck { self.held_since.or(Some(self.view.at)) } else { None };
        let Some(limit) = self.task.pace.hold_timeout else { return false };
        self.held_since.is_some_and(|since| self.start.elapsed().saturating_sub(since) >= limit)
    }

    /// The cluster does not answer: nothing is known, so nothing is done.
    async fn blind(
        &mut self,
        error: &restow_client::Error,
        env: &mut Env<'_>,
    ) -> Result<Option<Report>, RunError> {
        let hold = Hold {
            cause: Cause::StaleView,
            scope: Scope::Cluster,
            reason: format!("the cluster cannot be read: {error}"),
            clears: "it answers".into(),
        };
        self.show_holds(BTreeSet::from([hold]), env);
        if *env.stop.borrow() != Stop::No {
            return Ok(Some(self.report(Outcome::Stopped, self.still_set())));
        }
        self.held_since = self.held_since.or(Some(self.view.at));
        self.rest(self.task.pace.poll, env).await;
        let limit = self.task.pace.hold_timeout;
        let since = self.held_since.unwrap_or_default();
        if limit.is_some_and(|limit| self.start.elapsed().saturating_sub(since) >= limit) {
            return Ok(Some(self.report(Outcome::Held, self.still_set())));
        }
        Ok(None)
    }

    async fn act(&mut self, decision: &Decision, env: &mut Env<'_>) -> Result<(), RunError> {
        self.hands.record(&decision.records)?;
        if !decision.canaries.is_empty() {
            self.view.canaries = decision.canaries.iter().map(|at| (*at, 0)).collect();
        }
        let start = self.start;
        for request in &decision.requests {
            // A view that is too old is not acted on: look again (promise E2).
            if start.elapsed().saturating_sub(self.view.at) > FRESH {
                return Ok(());
            }
            let wall = (env.wall)();
            let (client, plan, task) = (self.hands.client, self.plan, self.task);
            let mut wrote = |broker, answer: &Sent| {
                env.watch.wrote(&Wrote {
                    time: wall,
                    principal: client.principal(),
                    cluster: &plan.cluster_id,
                    plan: &task.plan_hash,
                    broker,
                    request: &request.write,
                    answer,
                });
            };
            let made = self.hands.send(request, &mut self.view, wall, || start.elapsed(), &mut wrote).await?;
            env.watch.event(&Event::Sent { what: made.what, ok: made.ok });
            if !made.ok {
                return Ok(());
            }
        }
        Ok(())
    }

    fn tell(&mut self, decision: &Decision, env: &mut Env<'_>) {
        for text in &decision.notes {
            env.watch.event(&Event::Note { text: text.clone() });
        }
        let agenda = &decision.agenda;
        let stage = agenda.stage.filter(|_| self.plan.pacing == Pacing::Staged && agenda.gate.is_none());
        if let Some(step) = stage.filter(|step| Some(*step) != self.stage) {
            self.stage = Some(step);
            env.watch.event(&Event::Stage { step });
        }
        self.show_holds(decision.holds.iter().cloned().collect(), env);
        let progress = self.meter.progress(self.plan, &self.view, self.stage, decision.waits.clone());
        self.view.rate = progress.rate;
        env.watch.event(&Event::Progress(progress));
        if let Next::Stop(Outcome::Gate(gate)) = decision.next {
            env.watch.event(&Event::Gate { gate });
        }
    }

    fn show_holds(&mut self, holds: BTreeSet<Hold>, env: &mut Env<'_>) {
        for gone in self.holds.difference(&holds) {
            env.watch.event(&Event::Cleared(gone.clone()));
        }
        for new in holds.difference(&self.holds) {
            env.watch.event(&Event::Held(new.clone()));
        }
        self.holds = holds;
    }

    async fn rest(&self, time: Moment, env: &mut Env<'_>) {
        let before = *env.stop.borrow();
        let mut stop = env.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop != before) => {}
            () = sleep(time) => {}
        }
    }

    fn still_set(&self) -> Vec<String> {
        self.hands.memory.priors.keys().map(ToString::to_string).collect()
    }

    fn close(&mut self, outcome: Outcome, decision: &Decision) -> Result<Report, RunError> {
        let left = if outcome == Outcome::Done { decision.left.clone() } else { self.still_set() };
        // A gate, Ctrl-C and a hold write no end: the run goes on with the next process.
        let is_end = self.pace.only.is_none() && self.is_end(outcome);
        if is_end {
            self.hands.record(&[Record::Closed { outcome, left: left.clone() }])?;
        }
        Ok(self.report(outcome, left))
    }

    fn is_end(&self, outcome: Outcome) -> bool {
        let agenda = self.agenda();
        // What dropped a broker is known by this run only: a new one would find it in a list of nobody.
        if !agenda.short.is_empty() {
            return false;
        }
        match outcome {
            Outcome::Done | Outcome::Left | Outcome::PartlyBack | Outcome::Refused => true,
            Outcome::Aside => agenda.flying.is_empty(),
            Outcome::Stopped => self.task.goal == Goal::Quiesce,
            Outcome::Diverged => agenda.left == 0,
            Outcome::Gate(_) | Outcome::Held => false,
        }
    }

    fn agenda(&self) -> Agenda {
        Agenda::of(self.plan, self.task.goal, &self.pace, self.hands.memory, &self.view, self.view.at)
    }

    fn report(&mut self, outcome: Outcome, left: Vec<String>) -> Report {
        let progress = self.meter.progress(self.plan, &self.view, self.stage, None);
        let holds = self.holds.iter().cloned().collect();
        let mut report = report(self.plan, &self.view, &self.agenda(), outcome, left, holds, progress);
        let took = self.meter.copying(&self.view);
        report.score = took.map(|took| Score { predicted: self.predicted(), took });
        report
    }
}
