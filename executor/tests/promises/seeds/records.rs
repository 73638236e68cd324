//! A kill at every record of one migration, staged and pipelined, at each point that a record has.

use std::time::Duration;

use restow_client::write::Write;
use restow_executor::drive::FOLLOWER_RATE;
use restow_executor::journal::{Gate, Goal, Journal, Outcome, Record};
use restow_executor::run::{Report, Stop};
use restow_planner::model::BrokerId;
use restow_planner::plan::{Move, Pacing, Plan, moves};
use restow_simulator::controller::Resource;
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::lab::{Lab, topic};
use super::dice::Dice;
use super::process::{Death, Stage};
use super::scene::Scene;

const BOTH: [Gate; 2] = [Gate::Swap, Gate::Shrink];
const MB: u64 = 1_000_000;

async fn run(scene: &Scene, stage: &Stage, death: Death) -> Option<Report> {
    let (_to, stop) = watch::channel(Stop::No);
    let report = stage.process(scene, 0, Goal::Forward, &BOTH, death, stop).await;
    stage.disks[0].crash(&mut Dice::new(1));
    report
}

/// Every list that was asked for, in order, with its move.
fn asked(stage: &Stage) -> Vec<(u32, Vec<BrokerId>)> {
    let (_, records) = Journal::open(Box::new(stage.disks[0].clone())).expect("a sound journal");
    let lists = |record| match record {
        Record::Asked { write: Write::Reassign { items, .. }, moves, .. } => {
            moves.into_iter().zip(items).filter_map(|(at, (_, list))| Some((at, list?))).collect()
        }
        _ => vec![],
    };
    records.into_iter().flat_map(lists).collect()
}

/// A migration whose first process dies so; what stands at its end, and how often a process appended.
async fn migration(pacing: Pacing, death: Death) -> (String, u64) {
    let (partitions, internal) = if pacing == Pacing::Staged { (6, 3) } else { (4, 1) };
    let topics = vec![topic("a", partitions, 5 * MB), topic("__consumer_offsets", internal, MB)];
    let lab = Lab::new("4.3.1", topics).await;
    let brokers = (1..=6).collect();
    let (sim, mut pace) = (lab.sim.clone(), lab.pace.clone());
    if pacing == Pacing::Pipelined {
        // One copy after the other, so that some are shrunk before others are expanded.
        (pace.bytes_in_flight, pace.dwell) = (6 * MB, Duration::from_millis(500));
        pace.throttle = Some(MB);
    }
    let plan = Plan { pacing, ..lab.plan.clone() };
    let scene = Scene { sim, plan, pace, brokers, hosts: 1, trouble: Duration::ZERO };
    let stage = Stage::new(&scene, false);
    let mut report = run(&scene, &stage, death).await;
    let appends = stage.disks[0].appends();
    if report.is_none() {
        report = run(&scene, &stage, Death::Never).await;
    }
    assert_eq!(report.map(|report| report.outcome), Some(Outcome::Done), "{death:?}");
    lab.is_at_target();
    stage.audit.borrow_mut().see();
    stage.audit.borrow_mut().throttles.at_end(&lab.sim);
    if pacing == Pacing::Pipelined && death == Death::Never {
        let all = asked(&stage);
        let ends = |list: fn(&Move<'_>, &[BrokerId]) -> bool| {
            let is = |(at, asked): &(u32, Vec<BrokerId>)| list(&scene.plan.moves.get(*at as usize), asked);
            (all.iter().position(is).expect("asked"), all.iter().rposition(is).expect("asked"))
        };
        let (shrink, _) = ends(|m, list| list == m.to);
        let (_, expand) = ends(|m, list| list == moves::expanded(m.from, m.to));
        assert!(shrink < expand, "every copy was there before the first was shrunk: {all:?}");
    }
    (format!("{:?} {:?} {}", lab.lists(), lab.leaders(), lab.configs()), appends)
}

/// Found by seed 1073: a process died between a prior and its write, somebody else changed the value, and the
/// next process put back the older one.
#[tokio::test(start_paused = true)]
async fn e5_a_prior_whose_write_was_never_sent_is_taken_anew() {
    let lab = Lab::new("4.3.1", vec![topic("a", 6, 5 * MB)]).await;
    let (sim, plan, pace) = (lab.sim.clone(), lab.plan.clone(), lab.pace.clone());
    let scene = Scene { sim, plan, pace, brokers: (1..=6).collect(), hosts: 1, trouble: Duration::ZERO };
    let stage = Stage::new(&scene, false);
    // The second append holds the priors, the third announces the first write.
    assert!(run(&scene, &stage, Death::Before(3)).await.is_none());
    assert!(!lab.configs().contains("throttled"), "nothing was sent");
    let broker = Resource::Broker(BrokerId(4));
    lab.sim.set_config(broker, FOLLOWER_RATE, Some("9999999")).unwrap();
    sleep(Duration::from_secs(1)).await;
    let before = lab.configs();
    let report = run(&scene, &stage, Death::Never).await;
    assert_eq!(report.map(|report| report.outcome), Some(Outcome::Done));
    assert_eq!(lab.configs(), before);
}

/// Found the bug that a process which begins within the lag of a broker's metadata took throttles of the one
/// before it for restored.
#[test]
fn e1_a_kill_at_every_point_of_every_record_ends_in_the_same_state() {
    kill_everywhere(Pacing::Staged);
}

#[test]
fn e1_a_kill_at_every_point_of_every_record_of_a_pipelined_run_ends_in_the_same_state() {
    kill_everywhere(Pacing::Pipelined);
}

fn kill_everywhere(pacing: Pacing) {
    let play = |death| {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        clock.expect("a runtime").block_on(migration(pacing, death))
    };
    let (end, records) = play(Death::Never);
    let mut deaths = 0;
    for at in 1..=records {
        let sent = |micros| Death::During(at, Duration::from_micros(micros));
        // Before it is written; when it is durable and nothing is sent; sent and not applied; applied and not
        // answered.
        for death in [Death::Before(at), Death::After(at), sent(500), sent(1_500)] {
            assert_eq!(play(death).0, end, "{death:?}");
            deaths += 1;
        }
    }
    println!("{pacing:?}: {records} records, {deaths} kills, all in the same state");
    assert!(records > 20, "{records} records");
}
