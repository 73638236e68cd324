//! What goes wrong and what a person does about it: brokers given up, partitions set aside, pauses, holds.

mod holds;

use std::collections::BTreeSet;
use std::time::Duration;

use restow_executor::drive::{Cause, FOLLOWER_RATE, Hold, LEADER_LIST, LEADER_RATE, MIN_ISR};
use restow_executor::events::Event;
use restow_executor::journal::{ConfigKey, Gate, Goal, Outcome, Record};
use restow_executor::run::{is_gone, preflight};
use restow_planner::model::BrokerId;
use restow_planner::plan::Pacing;
use restow_simulator::controller::Resource;
use restow_simulator::faults::{Fault, Filter};
use restow_simulator::rules::Api;
use tokio::time::{Instant, sleep};

use super::lab::{Lab, Seen, topic};

const BOTH: [Gate; 2] = [Gate::Swap, Gate::Shrink];
const PACINGS: [Pacing; 2] = [Pacing::Staged, Pacing::Pipelined];
const MB: u64 = 1_000_000;

fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

fn names(report: &[restow_planner::model::TopicPartition]) -> Vec<String> {
    report.iter().map(ToString::to_string).collect()
}

fn holds(seen: &Seen) -> Vec<&Hold> {
    seen.0.iter().filter_map(|event| if let Event::Held(hold) = event { Some(hold) } else { None }).collect()
}

/// Kills an old broker in the middle of the expansion, for ever, and waits until it is fenced.
async fn lose_an_old_broker(lab: &mut Lab, broker: i32) {
    // A pipelined run does not begin without its approval.
    let approved: &[Gate] = if lab.plan.pacing == Pacing::Pipelined { &BOTH } else { &[] };
    assert!(!lab.crash_after(Duration::from_secs(4), Goal::Forward, approved).await);
    assert!(lab.sim.in_flight().len() > 2, "in the middle of the expansion");
    lab.sim.kill(broker);
    sleep(Duration::from_secs(40)).await;
    assert_eq!(is_gone(&lab.client, BrokerId(broker)).await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_old_broker_that_died_for_ever_is_given_up_and_the_run_ends_in_the_target() {
    for (version, pacing) in
        ["3.7.2", "3.9.2", "4.0.2", "4.3.1"].into_iter().flat_map(|v| PACINGS.map(|p| (v, p)))
    {
        let mut lab = Lab::new(version, vec![topic("a", 16, 40 * MB)]).await;
        lab.plan.pacing = pacing;
        lose_an_old_broker(&mut lab, 1).await;
        lab.give_up = vec![1];
        let (report, seen) = lab.run(Goal::Forward, &BOTH).await;
        // Its own rates can only be taken off by itself.
        assert_eq!(report.outcome, Outcome::Left, "{version} {pacing:?} {report:?} {:?}", holds(&seen));
        lab.is_at_target();
        assert!(report.left.iter().all(|left| left.starts_with("broker 1:")), "{:?}", report.left);
    }
}

#[tokio::test(start_paused = true)]
async fn e4_without_giving_up_the_run_waits_for_the_old_broker() {
    let mut lab = Lab::new("4.0.2", vec![topic("a", 16, 40 * MB)]).await;
    lose_an_old_broker(&mut lab, 1).await;
    lab.pace.hold_timeout = Some(Duration::from_secs(120));
    let (report, seen) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Held, "{report:?}");
    let stalled: Vec<_> = holds(&seen).into_iter().filter(|hold| hold.cause == Cause::Stalled).collect();
    assert!(
        !stalled.is_empty() && stalled.iter().all(|hold| hold.clears.contains("--give-up 1")),
        "{stalled:?}"
    );
    lab.pace.hold_timeout = None;
    lab.sim.restart(1);
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_given_up_and_comes_back_is_an_ordinary_one_again() {
    let mut lab = Lab::new("3.9.2", vec![topic("a", 16, 40 * MB)]).await;
    lose_an_old_broker(&mut lab, 1).await;
    lab.give_up = vec![1];
    let run = lab.run(Goal::Forward, &BOTH);
    let back = async {
        sleep(Duration::from_secs(2)).await;
        lab.sim.restart(1);
    };
    let ((report, _), ()) = tokio::join!(run, back);
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
}

#[tokio::test(start_paused = true)]
async fn e4_a_rollback_after_a_broker_was_given_up_costs_no_copy() {
    for (version, seconds) in [("3.9.2", 2), ("3.9.2", 25), ("4.3.1", 2), ("4.3.1", 25)] {
        let mut lab = Lab::new(version, vec![topic("a", 24, 60 * MB)]).await;
        let start = lab.lists();
        lose_an_old_broker(&mut lab, 1).await;
        lab.give_up = vec![1];
        // At the first moment copies are in flight; at the second it may stand at the gate.
        lab.crash_after(Duration::from_secs(seconds), Goal::Forward, &[]).await;
        lab.give_up = vec![];
        lab.pace.hold_timeout = Some(Duration::from_secs(60));
        let live = || -> Vec<usize> {
            lab.plan.moves.iter().map(|m| lab.sim.true_live_copies("a", m.partition).len().min(2)).collect()
        };
        let before = live();
        lab.run(Goal::Back, &[]).await;
        assert!(live().iter().zip(&before).all(|(now, then)| now >= then), "{before:?} -> {:?}", live());
        lab.sim.restart(1);
        sleep(Duration::from_secs(40)).await;
        let (report, seen) = lab.run(Goal::Back, &[]).await;
        let short = names(&report.short);
        let end = if short.is_empty() { Outcome::Done } else { Outcome::Aside };
        assert_eq!(report.outcome, end, "{version} {seconds} {report:?} {:?}", holds(&seen));
        for (at, list) in lab.lists() {
            let is_short = short.contains(&format!("{}-{}", at.0, at.1));
            assert_eq!(list == start[&at], !is_short, "{version} {at:?} {list:?} after {seconds} s");
            assert_eq!(is_short, !list.contains(&BrokerId(1)) && start[&at].contains(&BrokerId(1)));
        }
        let (report, _) = lab.run(Goal::Forward, &BOTH).await;
        assert_eq!(report.outcome, Outcome::Done, "{report:?}");
        lab.is_at_target();
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_in_service_is_not_given_up() {
    let lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    let why = is_gone(&lab.client, BrokerId(1)).await.unwrap().unwrap_err().to_string();
    assert!(why.contains("not fenced"), "{why}");
    lab.sim.kill(1);
    let why = is_gone(&lab.client, BrokerId(1)).await.unwrap().unwrap_err().to_string();
    assert!(why.contains("broker 1"), "just dead, not fenced yet: {why}");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(is_gone(&lab.client, BrokerId(1)).await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_goes_to_a_broker_that_is_given_up_is_taken_back_and_the_rest_ends() {
    for (version, pacing) in ["3.9.2", "4.3.1"].into_iter().flat_map(|v| PACINGS.map(|p| (v, p))) {
        let mut lab = Lab::new(version, vec![topic("a", 16, 40 * MB)]).await;
        lab.plan.pacing = pacing;
        let start = lab.lists();
        lose_an_old_broker(&mut lab, 4).await;
        lab.give_up = vec![4];
        let (report, seen) = lab.run(Goal::Forward, &BOTH).await;
        assert_eq!(report.outcome, Outcome::Aside, "{version} {pacing:?} {report:?} {:?}", holds(&seen));
        let lists = lab.lists();
        let (mut back, mut there) = (0, 0);
        for m in lab.plan.moves.iter() {
            let at = (lab.plan.topic_of(&m).name.clone(), m.partition);
            let dead = m.to.contains(&BrokerId(4));
            assert_eq!(lists[&at], if dead { start[&at].clone() } else { m.to.to_vec() }, "{at:?}");
            *if dead { &mut back } else { &mut there } += 1;
        }
        assert_eq!((report.undone.len(), back, there), (back, 8, 8));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_of_one_broker_leaves_the_rest_where_it_is() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 16, 10 * MB)]).await;
    let start = lab.lists();
    lab.run(Goal::Forward, &[]).await;
    let expanded = lab.lists();
    lab.give_up = vec![5];
    lab.pace.only = Some(BrokerId(5));
    let (report, _) = lab.run(Goal::Forward, &[]).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    for m in lab.plan.moves.iter() {
        let at = (lab.plan.topic_of(&m).name.clone(), m.partition);
        let before = if m.to.contains(&BrokerId(5)) { &start } else { &expanded };
        assert_eq!(lab.lists()[&at], before[&at], "{at:?}");
    }
    // The run goes on without them.
    (lab.give_up, lab.pace.only) = (vec![], None);
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!((report.outcome, report.undone.len()), (Outcome::Aside, 8), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_partition_set_aside_does_not_stop_the_rest() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    lab.run(Goal::Forward, &[]).await;
    lab.sim.alter("a", 0, Some(&[3, 1])).unwrap();
    sleep(Duration::from_secs(20)).await;
    // A gate that nobody has passed yet stays closed while a partition stands elsewhere.
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Diverged, "{report:?}");
    assert_eq!(lab.lists()[&("a".to_owned(), 1)], ids(&[3, 2, 6, 5]), "still expanded");

    lab.aside = vec![0];
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(
        (report.outcome, names(&report.aside)),
        (Outcome::Aside, vec!["a-0".to_owned()]),
        "{report:?}"
    );
    let lists = lab.lists();
    assert_eq!(lists[&("a".to_owned(), 0)], ids(&[3, 1]));
    for m in lab.plan.moves.iter().skip(1) {
        assert_eq!(lists[&("a".to_owned(), m.partition)], m.to);
    }
    let is_aside = |record: &Record| matches!(record, Record::SetAside { moves, .. } if *moves == [0]);
    assert!(lab.records().iter().any(is_aside), "the journal says so");
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_neither_answers_nor_refuses_does_not_stop_a_rollback() {
    let lab = Lab::new("4.3.1", vec![topic("a", 16, 60 * MB)]).await;
    let start = lab.lists();
    lab.crash_after(Duration::from_secs(4), Goal::Forward, &[]).await;
    lab.sim.pause(6);
    let (report, _) = lab.run(Goal::Back, &[]).await;
    assert!(matches!(report.outcome, Outcome::Done | Outcome::Left), "{report:?}");
    assert_eq!(lab.lists(), start);
}

#[tokio::test(start_paused = true)]
async fn a_rack_that_changed_since_the_plan_is_refused() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 4, MB)]).await;
    assert_eq!(look(&lab).await, [""; 0]);
    lab.plan.brokers[3].rack = Some("az-b".into());
    let found = look(&lab).await;
    assert_eq!(found.len(), 1, "{found:?}");
    for word in ["broker 4", "\"az-a\"", "\"az-b\""] {
        assert!(found[0].contains(word), "{word}: {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_does_not_tell_its_own_offsets_is_refused() {
    let lab = Lab::new("4.3.1", vec![topic("a", 4, MB)]).await;
    const NOT_LEADER_OR_FOLLOWER: i16 = 6;
    let filter = Filter::api(Api::ListOffsets).at(BrokerId(3));
    lab.sim.fault_next(filter, Fault::Error(NOT_LEADER_OR_FOLLOWER), 0, 100);
    let found = look(&lab).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("broker 3") && found[0].contains("replica id -2"), "{found:?}");
}

/// What preflight refuses, but for the figures that the lab's plan does not have.
async fn look(lab: &Lab) -> Vec<String> {
    let none = (BTreeSet::new(), BTreeSet::new());
    let found =
        preflight(&lab.client, &lab.plan, &none.0, &none.1, &lab.memory(), &mut |_| {}).await.unwrap();
    let all = found.verdict.findings.iter().map(ToString::to_string);
    all.filter(|finding| finding.contains("broker.rack") || finding.contains("replica id -2")).collect()
}

#[tokio::test(start_paused = true)]
async fn e5_a_min_isr_above_the_factor_is_held_down_while_copies_are_added_and_put_back() {
    let high = |value: &str| {
        let mut topic = topic("high", 6, 60 * MB);
        topic.configs.insert(MIN_ISR.into(), value.into());
        topic
    };
    for goal in [Goal::Forward, Goal::Back] {
        let lab = Lab::new("4.3.1", vec![topic("a", 6, MB), high("3")]).await;
        let before = lab.configs();
        let held = || lab.sim.with_state(|state| state.topics["high"].configs.get(MIN_ISR).cloned());
        let run = async { lab.crash_after(Duration::from_secs(3), Goal::Forward, &[]).await };
        assert!(!run.await);
        assert!(lab.sim.in_flight().iter().any(|flight| flight.partition.topic == "high"));
        assert_eq!(held().as_deref(), Some("2"), "RF2: two in sync are enough until a copy joins");
        let (report, _) = lab.run(goal, &[]).await;
        let end = if goal == Goal::Back { Outcome::Done } else { Outcome::Gate(Gate::Swap) };
        assert_eq!(report.outcome, end, "{report:?}");
        assert_eq!(lab.configs(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn e3_a_move_that_the_journal_does_not_explain_is_adopted_only_if_a_person_says_so() {
    for (adopts, goal) in [(false, Goal::Back), (true, Goal::Back), (true, Goal::Forward)] {
        let mut lab = Lab::new("4.3.1", vec![topic("a", 4, 5000 * MB)]).await;
        let start = lab.lists();
        // Somebody runs an exported file with the stock tool; for another partition, something else.
        lab.sim.alter("a", 0, Some(&[1, 3, 4, 6])).unwrap();
        let foreign = goal == Goal::Back;
        if foreign {
            lab.sim.alter("a", 1, Some(&[3, 2, 6])).unwrap();
        }
        sleep(Duration::from_millis(600)).await;
        assert_eq!(lab.sim.in_flight().len(), if foreign { 2 } else { 1 });
        lab.pace.adopt = adopts;
        lab.pace.hold_timeout = Some(Duration::from_secs(10));
        let (report, seen) = lab.run(goal, &BOTH).await;
        let held: BTreeSet<_> = holds(&seen)
            .iter()
            .filter(|h| h.cause == Cause::Unexplained)
            .map(|h| h.scope.to_string())
            .collect();
        let expected: &[&str] = match (adopts, foreign) {
            (false, _) => &["a-0", "a-1"],
            (true, true) => &["a-1"],
            (true, false) => &[],
        };
        assert_eq!(held.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{report:?}");
        let adopted = |record: &Record| matches!(record, Record::Adopted { at: 0, .. });
        assert_eq!(lab.records().iter().any(adopted), adopts);
        match (adopts, goal) {
            (true, Goal::Back) => assert_eq!(lab.lists()[&("a".to_owned(), 0)], start[&("a".to_owned(), 0)]),
            (true, _) => assert_eq!(report.outcome, Outcome::Done, "{report:?}"),
            _ => assert_eq!(report.outcome, Outcome::Held, "{report:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_of_unknown_owner_is_removed_when_a_person_names_it() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 4, MB)]).await;
    let clean = lab.configs();
    let broker = |id| Resource::Broker(BrokerId(id));
    lab.sim.set_config(broker(5), FOLLOWER_RATE, Some("1000000")).unwrap();
    lab.sim.set_config(Resource::Topic("a".into()), LEADER_LIST, Some("0:1,1:3")).unwrap();
    let before = lab.configs();
    lab.sim.set_config(broker(6), FOLLOWER_RATE, Some("7")).unwrap();
    // A read right after a write may not show it yet.
    sleep(Duration::from_secs(1)).await;
    let key = |resource, key: &str| ConfigKey { resource, key: key.to_owned() };
    lab.claim = vec![
        (key(restow_client::read::Resource::Broker(BrokerId(5)), FOLLOWER_RATE), "1000000".into()),
        (key(restow_client::read::Resource::Topic("a".into()), LEADER_LIST), "0:1,1:3".into()),
    ];
    let (report, _) = lab.run(Goal::Quiesce, &[]).await;
    assert_eq!((report.outcome, report.left.len()), (Outcome::Stopped, 0), "{report:?}");
    assert_ne!(lab.configs(), before);
    lab.sim.set_config(broker(6), FOLLOWER_RATE, None).unwrap();
    assert_eq!(lab.configs(), clean, "what was not named stayed until we took it away here");
}
