//! Others act during a run (E3, E5, E8): each is seen, none of theirs is touched.

use std::time::Duration;

use restow_executor::drive::{FOLLOWER_RATE, LEADER_LIST, LEADER_RATE};
use restow_executor::journal::{Gate, Goal, Outcome};
use restow_executor::run::Stop;
use restow_planner::model::BrokerId;
use restow_simulator::controller::Resource;
use tokio::sync::watch;
use tokio::time::sleep;

use super::lab::{Lab, topic};

const BOTH: [Gate; 2] = [Gate::Swap, Gate::Shrink];
const MB: u64 = 1_000_000;

fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

#[tokio::test(start_paused = true)]
async fn e3_a_partition_in_a_foreign_list_is_left_alone() {
    let lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    lab.run(Goal::Forward, &[]).await;
    lab.sim.alter("a", 0, Some(&[3, 1])).unwrap();
    sleep(Duration::from_secs(20)).await;
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Diverged, "{report:?}");
    assert_eq!(report.diverged.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a-0"]);
    assert_eq!(lab.lists()[&("a".to_owned(), 0)], ids(&[3, 1]));
}

#[tokio::test(start_paused = true)]
async fn e8_a_foreign_move_is_waited_for() {
    let mut theirs = topic("theirs", 1, 100 * MB);
    theirs.replicas = vec![vec![1, 3]];
    let lab = Lab::new("4.3.1", vec![topic("a", 8, 5 * MB), theirs]).await;
    lab.run(Goal::Forward, &[]).await;
    lab.sim.alter("theirs", 0, Some(&[1, 3, 4])).unwrap();
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    assert_eq!(lab.lists()[&("theirs".to_owned(), 0)], ids(&[1, 3, 4]), "theirs ended as they asked");
    lab.is_at_target();
}

#[tokio::test(start_paused = true)]
async fn e5_throttles_of_others_stay_and_ours_are_put_back() {
    let lab = Lab::new("4.3.1", vec![topic("a", 8, 60 * MB)]).await;
    let broker = |id| Resource::Broker(BrokerId(id));
    lab.sim.set_config(broker(1), LEADER_RATE, Some("7654321")).unwrap();
    lab.sim.set_config(Resource::Topic("a".into()), LEADER_LIST, Some("77:1")).unwrap();
    let before = lab.configs();
    let run = lab.run(Goal::Forward, &[]);
    let edits = async {
        sleep(Duration::from_secs(4)).await;
        // Somebody changes one rate of ours, and deletes another, as the stock tool's --verify does.
        lab.sim.set_config(broker(6), FOLLOWER_RATE, Some("9999999")).unwrap();
        lab.sim.set_config(broker(4), FOLLOWER_RATE, None).unwrap();
        sleep(Duration::from_secs(3)).await;
        lab.configs()
    };
    let ((report, seen), during) = tokio::join!(run, edits);
    assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
    assert!(during.contains("9999999"), "{during}");
    let notes = format!("{:?}", seen.0);
    assert!(notes.contains("9999999") && notes.contains("put back"), "{notes}");
    lab.sim.set_config(broker(6), FOLLOWER_RATE, None).unwrap();
    assert_eq!(lab.configs(), before);
}

#[tokio::test(start_paused = true)]
async fn e2_deleted_and_recreated_topics_are_dropped() {
    let lab =
        Lab::new("4.3.1", vec![topic("a", 8, 40 * MB), topic("gone", 2, MB), topic("new", 2, MB)]).await;
    lab.run(Goal::Forward, &[]).await;
    lab.sim.delete_topic("gone").unwrap();
    lab.sim.recreate_topic("new").unwrap();
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    assert_eq!((report.gone.len(), report.recreated.len()), (2, 2), "{report:?}");
    assert_eq!(lab.lists()[&("new".to_owned(), 0)].len(), 4, "left alone as it was created again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_asks_for_nothing_new_and_keeps_the_throttle_of_what_is_in_flight() {
    let lab = Lab::new("4.3.1", vec![topic("a", 24, 100 * MB)]).await;
    let (to, stop) = watch::channel(Stop::No);
    let run = lab.process(Goal::Forward, &BOTH, stop);
    let interrupt = async {
        sleep(Duration::from_secs(5)).await;
        to.send_replace(Stop::Quiesce);
    };
    let ((report, _), ()) = tokio::join!(run, interrupt);
    let report = report.unwrap();
    assert_eq!(report.outcome, Outcome::Stopped);
    assert!(!report.flying.is_empty() && !report.left.is_empty(), "{report:?}");
    assert!(lab.configs().contains("throttled.rate"));
    assert!(lab.memory().is_unfinished());
}
