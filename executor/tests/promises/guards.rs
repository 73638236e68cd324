//! Brokers that die where it hurts (E4).

use std::time::Duration;

use restow_executor::journal::{Gate, Goal, Outcome};
use restow_planner::model::BrokerId;
use tokio::time::sleep;

use super::lab::{Lab, topic};

const BOTH: [Gate; 2] = [Gate::Swap, Gate::Shrink];
const MB: u64 = 1_000_000;

#[tokio::test(start_paused = true)]
async fn e4_a_dead_keeper_that_is_not_fenced_yet_holds_the_shrink() {
    for version in ["3.7.2", "3.9.2", "4.3.1"] {
        let lab = Lab::new(version, vec![topic("a", 8, MB)]).await;
        lab.run(Goal::Forward, &[Gate::Swap]).await;
        lab.sim.kill(6);
        let run = lab.run(Goal::Forward, &BOTH);
        let comes_back = async {
            for _ in 0..200 {
                sleep(Duration::from_millis(100)).await;
                for (at, list) in lab.lists() {
                    let live = lab.sim.true_live_copies(&at.0, at.1).len();
                    assert!(live >= 2, "{version} {at:?} {list:?}: {live} live copies through us");
                }
            }
            lab.sim.restart(6);
        };
        let ((report, seen), ()) = tokio::join!(run, comes_back);
        assert_eq!(report.outcome, Outcome::Done, "{report:?}");
        assert!(format!("{:?}", seen.0).contains("broker 6 does not answer"), "{:?}", seen.0);
        lab.is_at_target();
    }
}

#[tokio::test(start_paused = true)]
async fn e4_a_dead_broker_is_not_elected() {
    let lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    lab.run(Goal::Forward, &[]).await;
    lab.sim.kill(4);
    let run = lab.run(Goal::Forward, &[Gate::Swap]);
    let comes_back = async {
        for _ in 0..200 {
            sleep(Duration::from_millis(100)).await;
            assert!(lab.leaders().values().all(|leader| *leader != Some(BrokerId(4))));
        }
        lab.sim.restart(4);
    };
    let ((report, _), ()) = tokio::join!(run, comes_back);
    assert_eq!(report.outcome, Outcome::Gate(Gate::Shrink), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hold_before_anything_was_asked_is_a_refusal() {
    let lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    lab.sim.kill(5);
    let lists = lab.lists();
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Refused, "{report:?}");
    assert!(!report.holds.is_empty());
    assert_eq!(lab.lists(), lists);
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_given_up_after_its_time_limit() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    lab.run(Goal::Forward, &[]).await;
    lab.sim.kill(6);
    lab.pace.hold_timeout = Some(Duration::from_secs(30));
    let (report, _) = lab.run(Goal::Forward, &[Gate::Swap]).await;
    assert_eq!(report.outcome, Outcome::Held, "{report:?}");
}
