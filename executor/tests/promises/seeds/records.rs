//! A kill at every record of one staged migration, at each point that a record has.

use std::time::Duration;

use restow_executor::drive::FOLLOWER_RATE;
use restow_executor::journal::{Gate, Goal, Outcome};
use restow_executor::run::{Report, Stop};
use restow_planner::model::BrokerId;
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

/// A migration whose first process dies so; what stands at its end, and how often a process appended.
async fn migration(death: Death) -> (String, u64) {
    let lab = Lab::new("4.3.1", vec![topic("a", 6, 5 * MB), topic("__consumer_offsets", 3, MB)]).await;
    let brokers = (1..=6).collect();
    let (sim, plan, pace) = (lab.sim.clone(), lab.plan.clone(), lab.pace.clone());
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
    let play = |death| {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        clock.expect("a runtime").block_on(migration(death))
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
    println!("{records} records, {deaths} kills, all in the same state");
    assert!(records > 20, "{records} records");
}
