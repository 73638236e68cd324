//! The loop: observe, decide, journal, act.

use std::collections::BTreeSet;

use restow_client::Client;
use restow_planner::model::TopicPartition;
use restow_planner::plan::Plan;
use tokio::time::{Instant, sleep};

use super::act::Hands;
use super::progress::Meter;
use super::{Env, RunError, Stop, belongs, read};
use crate::drive::{Agenda, Decision, FRESH, Hold, Known, Moment, Next, Now, Pace, View, decide, reads};
use crate::events::{Event, Progress};
use crate::journal::{Gate, Goal, Journal, Memory, Opened, Outcome, Record};

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
    /// How fast.
    pub pace: Pace,
}

/// How it ended.
#[derive(Debug, Clone)]
pub struct Report {
    /// How.
    pub outcome: Outcome,
    /// Configs of ours that are still set, in words.
    pub left: Vec<String>,
    /// What holds.
    pub holds: Vec<Hold>,
    /// Moves of ours that are still in flight.
    pub flying: Vec<TopicPartition>,
    /// Partitions whose list is none of ours.
    pub diverged: Vec<TopicPartition>,
    /// Partitions of topics that were deleted.
    pub gone: Vec<TopicPartition>,
    /// Partitions of topics that were deleted and created again.
    pub recreated: Vec<TopicPartition>,
    /// Moves whose old copies are dropped, as positions in the plan (goal `Back`).
    pub shrunk: Vec<u32>,
    /// How far it is.
    pub progress: Progress,
}

/// Time between two looks while something goes on: longer than most reads lag behind a write.
const TICK: Moment = Moment::from_millis(100);
/// Looks in which a hold must stand before anything was asked, until it is a refusal.
const STRIKES: u32 = 3;

/// Works on a plan until its goal is reached, a gate is closed, or a person stops it.
///
/// # Errors
/// If the journal cannot be written, or the cluster cannot be reached at the start.
pub async fn work(
    client: &Client,
    plan: &Plan,
    task: &Task,
    journal: &mut Journal,
    memory: &mut Memory,
    env: &mut Env<'_>,
) -> Result<Report, RunError> {
    belongs(client, plan)?;
    let mut worker = Worker {
        plan,
        task,
        hands: Hands { client, journal, memory },
        start: Instant::now(),
        view: View::new(plan),
        meter: Meter::default(),
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

/// Looks once and decides, without acting: for `restow status`.
///
/// # Errors
/// If the cluster cannot be reached.
pub async fn look(
    client: &Client,
    plan: &Plan,
    goal: Goal,
    pace: &Pace,
    memory: &Memory,
    wall: u64,
) -> Result<Report, RunError> {
    belongs(client, plan)?;
    let start = Instant::now();
    let mut view = View::new(plan);
    let mut last = None;
    // The first look is wide, the second at what the first found to be next.
    for _ in 0..2 {
        let now = Now { moment: start.elapsed(), wall };
        let wanted = reads(plan, goal, pace, memory, &view, now);
        let answers = read::look(client, plan, &wanted).await?;
        view.next(plan, memory, answers, now);
        last = Some(decide(plan, goal, pace, memory, &view, Now { moment: start.elapsed(), wall }));
    }
    let agenda = Agenda::of(plan, goal, pace, memory, &view, view.at);
    let (holds, next) = last.map_or((vec![], Next::Again), |d| (d.holds, d.next));
    let outcome = match (next, agenda.gate) {
        (Next::Stop(outcome), _) => outcome,
        (_, Some(gate)) => Outcome::Gate(gate),
        _ if !agenda.diverged.is_empty() => Outcome::Diverged,
        _ => Outcome::Stopped,
    };
    let left = memory.priors.keys().map(ToString::to_string).collect();
    let progress = Meter::default().progress(plan, &view, agenda.stage, None);
    Ok(report(plan, &view, &agenda, outcome, left, holds, progress))
}

struct Worker<'a> {
    plan: &'a Plan,
    task: &'a Task,
    hands: Hands<'a>,
    start: Instant,
    view: View,
    meter: Meter,
    holds: BTreeSet<Hold>,
    stage: Option<restow_planner::plan::Step>,
    strikes: u32,
    held_since: Option<Moment>,
}

impl Worker<'_> {
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
            time: (env.wall)(),
        };
        let mut records = vec![Record::Opened(opened)];
        if !continued {
            let bytes = self.plan.certificate.moved_bytes;
            records.push(Record::Predicted { bytes, seconds: None });
        }
        records.extend(self.task.accept.iter().map(|key| Record::Accepted { key: key.clone() }));
        let gates: Vec<Gate> =
            self.task.approve.iter().copied().filter(|gate| self.plan.has(gate.step())).collect();
        records.extend(gates.into_iter().map(|gate| Record::Approved { gate }));
        self.hands.record(&records)?;
        env.watch.event(&Event::Opened { continued, journal: self.hands.journal.name() });
        Ok(())
    }

    /// One look and what follows from it; a report if that was the last.
    async fn tick(&mut self, env: &mut Env<'_>) -> Result<Option<Report>, RunError> {
        let goal = if *env.stop.borrow() == Stop::No { self.task.goal } else { Goal::Quiesce };
        let pace = &self.task.pace;
        let now = self.now(env);
        let wanted = reads(self.plan, goal, pace, self.hands.memory, &self.view, now);
        match read::look(self.hands.client, self.plan, &wanted).await {
            Ok(answers) => self.view.next(self.plan, self.hands.memory, answers, now),
            Err(error) if self.view.ticks == 0 => return Err(error.into()),
            Err(error) => return self.blind(&error, env).await,
        }
        let decision = decide(self.plan, goal, pace, self.hands.memory, &self.view, self.now(env));
        self.tell(goal, &decision, env);
        if self.refuses(goal, &decision) {
            if self.strikes >= STRIKES {
                return self.close(Outcome::Refused, &decision).map(Some);
            }
            self.rest(pace.poll, env).await;
            return Ok(None);
        }
        let until = self.view.at + pace.poll.max(TICK);
        self.view.held.retain(|_, (until, _)| *until > self.view.at);
        self.view.held.extend(decision.held.iter().map(|(at, stay)| (*at, (until, stay.clone()))));
        self.act(&decision, env).await?;
        match decision.next {
            Next::Stop(outcome) => return self.close(outcome, &decision).map(Some),
            Next::Again => self.rest(TICK.min(pace.poll), env).await,
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
        let refuses = is_first && !decision.holds.is_empty();
        self.strikes = if refuses { self.strikes + 1 } else { 0 };
        refuses
    }

    fn is_held_too_long(&mut self, decision: &Decision) -> bool {
        let is_held = !decision.holds.is_empty() && decision.requests.is_empty();
        self.held_since = if is_held { self.held_since.or(Some(self.view.at)) } else { None };
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
            scope: crate::drive::Scope::Cluster,
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
            let (ok, what) = self.hands.send(request, &mut self.view, wall, || start.elapsed()).await?;
            env.watch.event(&Event::Sent { what, ok });
            if !ok {
                return Ok(());
            }
        }
        Ok(())
    }

    fn tell(&mut self, goal: Goal, decision: &Decision, env: &mut Env<'_>) {
        for text in &decision.notes {
            env.watch.event(&Event::Note { text: text.clone() });
        }
        let agenda =
            Agenda::of(self.plan, goal, &self.task.pace, self.hands.memory, &self.view, self.view.at);
        if let Some(step) = agenda.stage.filter(|step| Some(*step) != self.stage && agenda.gate.is_none()) {
            self.stage = Some(step);
            env.watch.event(&Event::Stage { step });
        }
        self.show_holds(decision.holds.iter().cloned().collect(), env);
        let progress = self.meter.progress(self.plan, &self.view, self.stage, decision.waits.clone());
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
        let is_end =
            matches!(outcome, Outcome::Done | Outcome::Left | Outcome::PartlyBack | Outcome::Refused)
                || (self.task.goal == Goal::Quiesce && outcome == Outcome::Stopped)
                || (outcome == Outcome::Diverged && self.agenda().left == 0);
        if is_end {
            self.hands.record(&[Record::Closed { outcome, left: left.clone() }])?;
        }
        Ok(self.report(outcome, left))
    }

    fn agenda(&self) -> Agenda {
        Agenda::of(self.plan, self.task.goal, &self.task.pace, self.hands.memory, &self.view, self.view.at)
    }

    fn report(&mut self, outcome: Outcome, left: Vec<String>) -> Report {
        let progress = self.meter.progress(self.plan, &self.view, self.stage, None);
        let holds = self.holds.iter().cloned().collect();
        report(self.plan, &self.view, &self.agenda(), outcome, left, holds, progress)
    }
}

fn report(
    plan: &Plan,
    view: &View,
    agenda: &Agenda,
    outcome: Outcome,
    left: Vec<String>,
    holds: Vec<Hold>,
    progress: Progress,
) -> Report {
    let named =
        |moves: &[u32]| moves.iter().map(|at| plan.partition_of(&plan.moves.get(*at as usize))).collect();
    let known = |what: &Known| {
        let moves = (0..view.moves.len() as u32).filter(|at| view.moves[*at as usize] == *what);
        named(&moves.collect::<Vec<_>>())
    };
    Report {
        outcome,
        left,
        holds,
        flying: named(&agenda.flying),
        diverged: named(&agenda.diverged),
        gone: known(&Known::Gone),
        recreated: known(&Known::Recreated),
        shrunk: agenda.shrunk.clone(),
        progress,
    }
}
