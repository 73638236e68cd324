//! The kind world at the end: nothing goes wrong any more, and the run has to reach its goal.

use std::fmt;
use std::time::Duration;

use restow_executor::journal::{Gate, Goal, Outcome};
use restow_executor::run::{Report, Stop};
use restow_planner::plan::{Move, moves};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::dice::Dice;
use super::process::{Death, Stage};
use super::scene::Scene;

/// Longer than any drawn plan takes.
const LONG: Duration = Duration::from_secs(6 * 3600);

/// What seeds came to.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    seeds: u64,
    processes: u64,
    deaths: u64,
    forward: u64,
    virtual_time: Duration,
}

impl Tally {
    pub fn add(&mut self, other: &Tally) {
        self.seeds += other.seeds;
        self.processes += other.processes;
        self.deaths += other.deaths;
        self.forward += other.forward;
        self.virtual_time += other.virtual_time;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} seeds: {} processes, {} killed at a record, {} ended forward and {} back, {} h of virtual time",
            self.seeds,
            self.processes,
            self.deaths,
            self.forward,
            self.seeds - self.forward,
            self.virtual_time.as_secs() / 3600
        )
    }
}

/// Ends all trouble, lets each host's run reach its end, and judges what stands then.
pub async fn kind(scene: &Scene, stage: &Stage, dice: &mut Dice) -> Tally {
    stage.audit.borrow().say(|| "== the world is kind".into());
    let sim = &scene.sim;
    sim.clear_faults();
    sim.restore_controller();
    for broker in &scene.brokers {
        sim.reconnect(*broker);
        stage.audit.borrow_mut().cut(*broker, false);
        sim.resume(*broker);
    }
    // Who is in controlled shutdown ends first.
    sleep(Duration::from_secs(1)).await;
    for broker in &scene.brokers {
        sim.restart(*broker);
    }
    sleep(Duration::from_secs(15)).await;
    stage.audit.borrow_mut().see();
    let touched = stage.audit.borrow().touched.clone();
    for one in sim.in_flight() {
        if touched.contains(&one.partition) {
            let _ = sim.alter(&one.partition.topic, one.partition.partition, None);
        }
    }
    let goal = if dice.percent(60) { Goal::Forward } else { Goal::Back };
    for host in 0..scene.hosts {
        let ended = timeout(LONG, finish(scene, stage, host, goal)).await;
        assert!(ended.is_ok(), "host {host} does not reach its end in {LONG:?}");
    }
    // Late answers, and copies that still come back into the ISR.
    sleep(Duration::from_secs(70)).await;
    stage.audit.borrow_mut().see();
    at_end(scene, stage, goal);
    stage.audit.borrow_mut().throttles.at_end(sim);
    Tally {
        seeds: 1,
        processes: *stage.processes.borrow(),
        deaths: *stage.deaths.borrow(),
        forward: u64::from(goal == Goal::Forward),
        virtual_time: sim.clock(),
    }
}

async fn finish(scene: &Scene, stage: &Stage, host: usize, goal: Goal) {
    let approve = [Gate::Swap, Gate::Shrink];
    for _ in 0..40 {
        let (_to, stop) = watch::channel(Stop::No);
        let report = stage.process(scene, host, goal, &approve, Death::Never, stop).await;
        match report {
            Some(Report { outcome: Outcome::Done | Outcome::PartlyBack | Outcome::Aside, .. }) => return,
            Some(Report { outcome: Outcome::Diverged, diverged, .. }) => {
                let touched = !stage.audit.borrow().touched.is_empty() || scene.hosts > 1;
                assert!(touched, "{diverged:?} diverged, and nobody else changed a partition");
                // A person sets them aside, and the rest goes on.
                let is_one = |m: &Move<'_>| diverged.contains(&scene.plan.partition_of(m));
                let moves = scene.plan.moves.iter().enumerate().filter(|(_, m)| is_one(m));
                stage.aside.borrow_mut().extend(moves.map(|(at, _)| at as u32));
                if goal == Goal::Back {
                    return;
                }
            }
            // What holds now may be what the other host left in flight.
            _ => sleep(Duration::from_secs(30)).await,
        }
    }
    panic!("host {host} does not reach its end");
}

/// Every partition that nobody else touched is at its target, or exactly at its start. Two hosts that go two ways may
/// leave one between their lists: then the run has named it.
fn at_end(scene: &Scene, stage: &Stage, goal: Goal) {
    let audit = stage.audit.borrow();
    let aside = stage.aside.borrow();
    for (position, m) in scene.plan.moves.iter().enumerate() {
        let at = scene.plan.partition_of(&m);
        let is_named = scene.hosts > 1 && aside.contains(&(position as u32));
        if audit.touched.contains(&at) || is_named {
            continue;
        }
        let found = scene.sim.with_state(|state| state.partition(&at.topic, at.partition).cloned());
        let Some(p) = found else { panic!("{at} is gone, and nobody deleted it") };
        assert!(!p.in_flight(), "{at} is in flight at the end: {p:?}");
        let is_shrunk = p.replicas == m.to;
        let at_goal = match goal {
            Goal::Forward => is_shrunk,
            // What was shrunk before the rollback stays: going back would copy.
            _ => p.replicas == m.from || (is_shrunk && !moves::removed(m.from, m.to).is_empty()),
        };
        assert!(at_goal, "{at} ends as {p:?}: {:?} -> {:?}, {goal:?}", m.from, m.to);
        let live = scene.sim.true_live_copies(&at.topic, at.partition);
        assert_eq!(live.len(), p.replicas.len(), "{at}: live copies {live:?} of {p:?}");
        if goal == Goal::Back && p.replicas == m.from {
            assert_eq!(p.leader, Some(m.from[0]), "{at} is led by another");
        }
    }
}
