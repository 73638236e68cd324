//! What goes wrong and what a person does about it: brokers given up, partitions set aside, pauses, holds.

use std::collections::BTreeSet;
use std::time::Duration;

use restow_executor::drive::{Cause, Hold, LEADER_RATE};
use restow_executor::events::Event;
use restow_executor::journal::{Gate, Goal, Outcome, Record};
use restow_executor::run::{is_gone, preflight};
use restow_planner::model::BrokerId;
use restow_simulator::faults::{Fault, Filter};
use restow_simulator::rules::Api;
use tokio::time::{Instant, sleep};

use super::lab::{Lab, Seen, topic};

const BOTH: [Gate; 2] = [Gate::Swap, Gate::Shrink];
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
    assert!(!lab.crash_after(Duration::from_secs(4), Goal::Forward, &BOTH).await);
    assert!(lab.sim.in_flight().len() > 2, "in the middle of the expansion");
    lab.sim.kill(broker);
    sleep(Duration::from_secs(40)).await;
    assert_eq!(is_gone(&lab.client, BrokerId(broker)).await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_old_broker_that_died_for_ever_is_given_up_and_the_run_ends_in_the_target() {
    for version in ["3.7.2", "3.9.2", "4.0.2", "4.3.1"] {
        let mut lab = Lab::new(version, vec![topic("a", 16, 40 * MB)]).await;
        lose_an_old_broker(&mut lab, 1).await;
        lab.give_up = vec![1];
        let (report, seen) = lab.run(Goal::Forward, &BOTH).await;
        lab.is_at_target();
        // Its own rates can only be taken off by itself.
        assert_eq!(report.outcome, Outcome::Left, "{version} {report:?} {:?}", holds(&seen));
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
    for version in ["3.9.2", "4.3.1"] {
        let mut lab = Lab::new(version, vec![topic("a", 16, 40 * MB)]).await;
        let start = lab.lists();
        lose_an_old_broker(&mut lab, 4).await;
        lab.give_up = vec![4];
        let (report, seen) = lab.run(Goal::Forward, &BOTH).await;
        assert_eq!(report.outcome, Outcome::Aside, "{version} {report:?} {:?}", holds(&seen));
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
async fn e7_a_pause_stops_admission_within_a_tick_and_interrupts_no_copy() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 40, 100 * MB)]).await;
    lab.pace.per_broker = 2;
    let run = lab.run(Goal::Forward, &[]);
    let person = async {
        sleep(Duration::from_secs(5)).await;
        lab.orders.borrow_mut().paused = Some("lunch".into());
        sleep(Duration::from_secs(3)).await;
        let begun = reassigned(&lab);
        let flying = lab.sim.in_flight().len();
        assert!(flying > 0, "copies go on");
        sleep(Duration::from_secs(120)).await;
        assert_eq!(reassigned(&lab), begun, "nothing began");
        assert_eq!(lab.sim.in_flight().len(), 0, "what was in flight ended");
        lab.orders.borrow_mut().paused = None;
    };
    let ((report, seen), ()) = tokio::join!(run, person);
    assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
    assert!(holds(&seen).iter().any(|hold| hold.cause == Cause::Paused && hold.reason == "lunch"));
}

fn reassigned(lab: &Lab) -> usize {
    let is_one = |record: &Record| {
        matches!(record, Record::Asked { write: restow_client::write::Write::Reassign { .. }, .. })
    };
    lab.records().iter().filter(|record| is_one(record)).count()
}

#[tokio::test(start_paused = true)]
async fn the_throttle_of_a_running_process_changes_within_a_tick() {
    let lab = Lab::new("4.3.1", vec![topic("a", 24, 100 * MB)]).await;
    let before = lab.configs();
    let rate = || lab.sim.with_state(|state| state.brokers[&BrokerId(1)].configs.get(LEADER_RATE).cloned());
    let run = lab.run(Goal::Forward, &[]);
    let person = async {
        sleep(Duration::from_secs(4)).await;
        assert_eq!(rate().as_deref(), Some("20000000"));
        lab.orders.borrow_mut().throttle = Some(Some(90_000_000));
        sleep(Duration::from_secs(4)).await;
        assert_eq!(rate().as_deref(), Some("90000000"));
        assert_eq!(lab.memory().throttle, Some(90_000_000), "a later process knows");
        lab.orders.borrow_mut().throttle = Some(None);
        sleep(Duration::from_secs(4)).await;
        assert_eq!(rate(), None, "none takes them off");
    };
    let ((report, _), ()) = tokio::join!(run, person);
    assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
    assert_eq!(lab.configs(), before);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_in_flight_when_the_hour_comes() {
    let mut lab = Lab::new("4.3.1", vec![topic("a", 60, 100 * MB)]).await;
    let (configs, begun) = (lab.configs(), Instant::now());
    let now = 1_700_000_000_000 + u64::try_from(lab.age().as_millis()).unwrap();
    lab.pace.until = Some(now + 120_000);
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Stopped, "{report:?}");
    assert!(begun.elapsed() <= Duration::from_secs(120), "{:?}", begun.elapsed());
    assert_eq!((lab.sim.in_flight().len(), report.flying.len()), (0, 0));
    assert!(report.progress.moves_done > 0 && report.progress.moves_done < 60, "{:?}", report.progress);
    assert_eq!(lab.configs(), configs, "the throttles are off");
    lab.pace.until = None;
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn e7_a_cluster_that_got_worse_holds_and_a_person_may_override_it() {
    let theirs = restow_simulator::TopicSetup::new("theirs", vec![vec![7, 2]], MB);
    let mut brokers = super::lab::brokers();
    brokers.push(restow_simulator::BrokerSetup::new(7, "az-b"));
    for ignore in [&[][..], &["under-replicated"][..]] {
        let mut lab =
            Lab::with(brokers.clone(), "4.3.1", vec![topic("a", 24, 300 * MB), theirs.clone()]).await;
        lab.pace.per_broker = 1;
        lab.pace.ignore = ignore.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<_>>();
        let run = lab.run(Goal::Forward, &[]);
        let trouble = async {
            sleep(Duration::from_secs(3)).await;
            // Broker 7 has nothing to do with the plan.
            lab.sim.kill(7);
            sleep(Duration::from_secs(60)).await;
            let begun = reassigned(&lab);
            sleep(Duration::from_secs(60)).await;
            let more = reassigned(&lab) > begun;
            assert_eq!(more, !ignore.is_empty(), "new moves while a partition outside is under-replicated");
            lab.sim.restart(7);
        };
        let ((report, seen), ()) = tokio::join!(run, trouble);
        assert_eq!(report.outcome, Outcome::Gate(Gate::Swap), "{report:?}");
        let held = holds(&seen).iter().any(|hold| hold.cause == Cause::UnderReplicated);
        assert_eq!(held, ignore.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_unhealthy_at_the_start_holds_nothing() {
    let theirs = restow_simulator::TopicSetup::new("theirs", vec![vec![7, 2]], MB);
    let mut brokers = super::lab::brokers();
    brokers.push(restow_simulator::BrokerSetup::new(7, "az-b"));
    let lab = Lab::with(brokers, "4.3.1", vec![topic("a", 8, MB), theirs]).await;
    lab.sim.kill(7);
    sleep(Duration::from_secs(30)).await;
    let (report, seen) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?} {:?}", holds(&seen));
    let baseline = lab.memory().baseline;
    assert_eq!(baseline.map(|b| (b.offline, b.under_replicated)), Some((BTreeSet::from([BrokerId(7)]), 1)));
}

#[tokio::test(start_paused = true)]
async fn an_external_hold_is_waited_for_even_before_anything_was_asked() {
    let lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
    lab.orders.borrow_mut().external = vec!["the change calendar says no".into()];
    let run = lab.run(Goal::Forward, &BOTH);
    let calendar = async {
        sleep(Duration::from_secs(60)).await;
        assert_eq!(reassigned(&lab), 0);
        lab.orders.borrow_mut().external.clear();
    };
    let ((report, _), ()) = tokio::join!(run, calendar);
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
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
