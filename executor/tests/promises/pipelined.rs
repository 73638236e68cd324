//! Pipelined runs: each move goes through its steps on its own.

use std::collections::BTreeMap;
use std::time::Duration;

use restow_client::write::Write;
use restow_executor::events::Event;
use restow_executor::journal::{Gate, Goal, Outcome, Record};
use restow_executor::run::{RunError, Stop};
use restow_planner::model::BrokerId;
use restow_planner::plan::{Pacing, moves};
use tokio::sync::watch;
use tokio::time::sleep;

use super::lab::{Lab, topic};

const SHRINK: [Gate; 1] = [Gate::Shrink];
const MB: u64 = 1_000_000;

/// Twice as many copies as go at once, and some internal ones.
async fn lab(version: &str) -> Lab {
    let mut lab = Lab::new(version, vec![topic("a", 40, 20 * MB), topic("__consumer_offsets", 7, MB)]).await;
    lab.plan.pacing = Pacing::Pipelined;
    lab.pace.per_broker = 2;
    lab
}

/// What was asked for a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Expand,
    Swap,
    Elect,
    Shrink,
}

/// Wall time, move and what was asked for it, in order.
fn asked(lab: &Lab) -> Vec<(u64, u32, Asked)> {
    let mut all = Vec::new();
    for record in lab.records() {
        let Record::Asked { time, write, moves: positions, .. } = record else { continue };
        let what = |position: usize, at: u32| {
            let m = lab.plan.moves.get(at as usize);
            match &write {
                Write::Elect { .. } => Some(Asked::Elect),
                Write::Configs { .. } => None,
                Write::Reassign { items, .. } => items[position].1.as_ref().map(|list| match list {
                    list if *list == m.to => Asked::Shrink,
                    list if *list == moves::expanded(m.from, m.to) => Asked::Expand,
                    list if *list == moves::swapped(m.from, m.to) => Asked::Swap,
                    list => panic!("{list:?} is no step of {:?} -> {:?}", m.from, m.to),
                }),
            }
        };
        let told = positions.iter().enumerate();
        all.extend(told.filter_map(|(position, at)| Some((time, *at, what(position, *at)?))));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn e5_a_pipelined_run_ends_in_the_target_and_leaves_no_throttle() {
    for version in ["3.7.2", "3.9.2", "4.0.2", "4.3.1"] {
        let lab = lab(version).await;
        let before = lab.configs();
        let (report, seen) = lab.run(Goal::Forward, &SHRINK).await;
        assert_eq!(report.outcome, Outcome::Done, "{version} {report:?}");
        lab.is_at_target();
        assert_eq!(lab.configs(), before);
        let is_stage = |event: &&Event| matches!(event, Event::Stage { .. } | Event::Gate { .. });
        assert_eq!(seen.0.iter().find(is_stage), None, "it has no stages and no gates");
        assert!(report.score.is_some(), "it saw the copies begin and end");
        let asked = asked(&lab);
        let position = |what| move |(_, _, one): &(u64, u32, Asked)| *one == what;
        let first_shrink = asked.iter().position(position(Asked::Shrink)).unwrap();
        let last_expand = asked.iter().rposition(position(Asked::Expand)).unwrap();
        assert!(first_shrink < last_expand, "{version}: all were expanded before the first was shrunk");
        // Nothing is left to do, so nothing has to be approved.
        let (again, _) = lab.run(Goal::Forward, &[]).await;
        assert_eq!(again.outcome, Outcome::Done);
    }
}

#[tokio::test(start_paused = true)]
async fn e4_each_move_stands_for_the_dwell_before_its_shrink() {
    let mut lab = lab("4.3.1").await;
    lab.pace.dwell = Duration::from_secs(20);
    let (report, _) = lab.run(Goal::Forward, &SHRINK).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    let mut all: BTreeMap<u32, Vec<(Asked, u64)>> = BTreeMap::new();
    for (time, at, what) in asked(&lab) {
        all.entry(at).or_default().push((what, time));
    }
    assert_eq!(all.len(), lab.plan.moves.len());
    for (at, told) in all {
        let kinds: Vec<Asked> = told.iter().map(|(what, _)| *what).collect();
        assert!(kinds.is_sorted(), "move {at}: {kinds:?}");
        let time = |what| told.iter().rfind(|(one, _)| *one == what).map(|(_, time)| *time);
        let (elect, shrink) = (time(Asked::Elect).unwrap(), time(Asked::Shrink).unwrap());
        assert!(shrink - elect >= 20_000, "move {at} was shrunk {} ms after its election", shrink - elect);
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_approval_a_pipelined_run_does_not_begin() {
    for approved in [&[][..], &[Gate::Swap]] {
        let lab = lab("4.3.1").await;
        let start = (lab.lists(), lab.leaders(), lab.configs());
        let (refused, seen) = lab.try_run(Goal::Forward, approved).await;
        let error = refused.expect_err("it is not approved");
        assert!(matches!(error, RunError::NotApproved), "{error}");
        assert!(error.to_string().contains("--approve shrink"), "{error}");
        assert_eq!((lab.records(), seen.0.len()), (vec![], 0), "nothing is journalled, so nothing was sent");
        sleep(Duration::from_secs(70)).await;
        assert_eq!((lab.lists(), lab.leaders(), lab.configs()), start);
    }
}

#[tokio::test(start_paused = true)]
async fn e9_an_approval_lasts_for_the_run_and_ends_with_a_rollback() {
    let lab = lab("4.3.1").await;
    assert!(!lab.crash_after(Duration::from_secs(3), Goal::Forward, &SHRINK).await);
    assert!(!lab.crash_after(Duration::from_secs(3), Goal::Forward, &[]).await, "it is in the journal");
    lab.run(Goal::Back, &[]).await;
    let (refused, _) = lab.try_run(Goal::Forward, &[Gate::Swap]).await;
    assert!(matches!(refused, Err(RunError::NotApproved)), "{refused:?}");
    let (report, _) = lab.run(Goal::Forward, &SHRINK).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
}

/// What is not shrunk goes back exactly; what is shrunk stays, and is named.
#[tokio::test(start_paused = true)]
async fn p7_a_rollback_in_the_middle_takes_back_all_but_what_is_shrunk() {
    let mut partly = 0;
    for (version, seconds) in [("3.7.2", 4), ("3.9.2", 12), ("4.0.2", 20), ("4.3.1", 30), ("4.3.1", 40)] {
        let lab = lab(version).await;
        let (lists, leaders, configs) = (lab.lists(), lab.leaders(), lab.configs());
        let ended = lab.crash_after(Duration::from_secs(seconds), Goal::Forward, &SHRINK).await;
        assert!(!ended, "{version} after {seconds} s: it is over");
        let (report, _) = lab.run(Goal::Back, &[]).await;
        let expected = if report.shrunk.is_empty() { Outcome::Done } else { Outcome::PartlyBack };
        assert_eq!(report.outcome, expected, "{report:?}");
        partly += usize::from(!report.shrunk.is_empty());
        for (at, m) in lab.plan.moves.iter().enumerate() {
            let name = (lab.plan.topic_of(&m).name.clone(), m.partition);
            let is_shrunk = report.shrunk.contains(&(at as u32));
            let (list, leader): (&[BrokerId], _) =
                if is_shrunk { (m.to, Some(m.to[0])) } else { (&lists[&name], leaders[&name]) };
            assert_eq!(lab.lists()[&name], list, "{version} after {seconds} s: {name:?}");
            assert_eq!(lab.leaders()[&name], leader, "{version} after {seconds} s: leader of {name:?}");
        }
        assert_eq!(lab.configs(), configs, "{version} after {seconds} s");
    }
    assert!((1..5).contains(&partly), "{partly} of 5 had shrunk something");
}

#[tokio::test(start_paused = true)]
async fn e5_a_stop_in_the_middle_leaves_what_flies_throttled_and_the_next_process_goes_on() {
    let lab = lab("4.3.1").await;
    let configs = lab.configs();
    let (to, stop) = watch::channel(Stop::No);
    let person = async {
        sleep(Duration::from_secs(15)).await;
        to.send_replace(Stop::Quiesce);
    };
    let ((report, _), ()) = tokio::join!(lab.process(Goal::Forward, &SHRINK, stop), person);
    let report = report.unwrap();
    assert_eq!(report.outcome, Outcome::Stopped, "{report:?}");
    let is_throttled = lab.configs() != configs;
    assert_eq!(is_throttled, !report.flying.is_empty(), "{report:?}");
    let (report, _) = lab.run(Goal::Forward, &[]).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
    assert_eq!(lab.configs(), configs);
}

#[tokio::test(start_paused = true)]
async fn e1_a_pipelined_run_that_is_killed_at_any_moment_goes_on() {
    let lab = lab("3.9.2").await;
    let configs = lab.configs();
    let mut moment = 37;
    while !lab.crash_after(Duration::from_millis(moment), Goal::Forward, &SHRINK).await {
        moment += 373;
        assert!(moment < 60_000, "it never ends");
    }
    let (report, _) = lab.run(Goal::Forward, &SHRINK).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
    assert_eq!(lab.configs(), configs);
}

/// Ten partitions are swapped before all others: while they do not stand, no other is.
#[tokio::test(start_paused = true)]
async fn the_first_swaps_have_to_stand_before_the_next() {
    let lab = lab("4.3.1").await;
    let (report, _) = lab.run(Goal::Forward, &SHRINK).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    let swaps: Vec<(u64, u32)> = asked(&lab)
        .iter()
        .filter(|(.., what)| *what == Asked::Swap)
        .map(|(time, at, _)| (*time, *at))
        .collect();
    let first = swaps[0].0;
    let canaries: Vec<u32> = swaps.iter().filter(|(time, _)| *time == first).map(|(_, at)| *at).collect();
    assert!((1..=10).contains(&canaries.len()), "{canaries:?}");
    let elected = asked(&lab)
        .iter()
        .filter(|(_, at, what)| *what == Asked::Elect && canaries.contains(at))
        .map(|(time, ..)| *time)
        .max()
        .unwrap();
    let early: Vec<_> = swaps.iter().filter(|(time, _)| *time > first && *time <= elected).collect();
    assert!(early.is_empty(), "{early:?} were swapped before the first were elected at {elected}");
}

#[tokio::test(start_paused = true)]
async fn e4_a_dead_keeper_holds_its_shrinks_and_nothing_is_lost() {
    let lab = lab("4.3.1").await;
    let run = lab.run(Goal::Forward, &SHRINK);
    let trouble = async {
        sleep(Duration::from_secs(14)).await;
        lab.sim.kill(6);
        for _ in 0..300 {
            sleep(Duration::from_millis(100)).await;
            for (at, list) in lab.lists() {
                let live = lab.sim.true_live_copies(&at.0, at.1).len();
                let least = if list.contains(&BrokerId(6)) { 1 } else { 2 };
                assert!(live >= least, "{at:?} {list:?}: {live} live copies");
            }
        }
        lab.sim.restart(6);
    };
    let ((report, seen), ()) = tokio::join!(run, trouble);
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    assert!(format!("{:?}", seen.0).contains("broker 6 does not answer"));
    lab.is_at_target();
}

#[tokio::test(start_paused = true)]
async fn e7_a_pause_holds_every_step_and_ends_no_copy() {
    let lab = lab("4.3.1").await;
    let run = lab.run(Goal::Forward, &SHRINK);
    let person = async {
        sleep(Duration::from_secs(15)).await;
        lab.orders.borrow_mut().paused = Some("a person".into());
        sleep(Duration::from_secs(2)).await;
        let before = asked(&lab).len();
        sleep(Duration::from_secs(120)).await;
        assert_eq!(asked(&lab).len(), before, "nothing is asked in a pause");
        assert!(lab.sim.in_flight().is_empty(), "copies in flight have ended");
        lab.orders.borrow_mut().paused = None;
    };
    let ((report, _), ()) = tokio::join!(run, person);
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
}
