//! Kills at any moment, lost answers, late writes.

use std::time::Duration;

use restow_client::write::Write;
use restow_executor::journal::{Gate, Goal, Outcome, Record};
use restow_simulator::faults::{Fault, Filter};
use restow_simulator::rules::Api;

use super::lab::{Lab, topic};

const BOTH: [Gate; 2] = [Gate::Swap, Gate::Shrink];
const MB: u64 = 1_000_000;

#[tokio::test(start_paused = true)]
async fn e1_a_run_that_is_killed_at_any_moment_goes_on() {
    let lab = Lab::new("4.3.1", vec![topic("a", 16, 10 * MB)]).await;
    let configs = lab.configs();
    // Ever later moments: most fall between two requests, some between a request and its answer.
    let mut moment = 37;
    while !lab.crash_after(Duration::from_millis(moment), Goal::Forward, &BOTH).await {
        moment += 173;
        assert!(moment < 60_000, "it never ends");
    }
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
    assert_eq!(lab.configs(), configs);
}

#[tokio::test(start_paused = true)]
async fn p7_a_run_that_is_killed_at_any_moment_goes_back() {
    for moment in [150, 700, 1_500, 3_000, 6_000, 9_000, 12_000] {
        let lab = Lab::new("3.9.2", vec![topic("a", 16, 10 * MB)]).await;
        let start = (lab.lists(), lab.leaders(), lab.configs());
        lab.crash_after(Duration::from_millis(moment), Goal::Forward, &[Gate::Swap]).await;
        let (report, _) = lab.run(Goal::Back, &[]).await;
        assert_eq!(report.outcome, Outcome::Done, "{report:?}");
        assert_eq!((lab.lists(), lab.leaders(), lab.configs()), start, "killed after {moment} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn e6_nothing_is_sent_for_a_partition_until_an_unanswered_write_is_settled() {
    for fault in [Fault::LoseAnswer, Fault::Late(Duration::from_secs(40)), Fault::Drop] {
        let lab = Lab::new("4.3.1", vec![topic("a", 8, MB)]).await;
        lab.sim.fault(Filter::api(Api::AlterPartitionReassignments), fault.clone());
        // Killed while the answer is awaited, or shortly after it was lost.
        lab.crash_after(Duration::from_secs(3), Goal::Forward, &BOTH).await;
        let first = times(&lab).swap_remove(0);
        let (report, _) = lab.run(Goal::Forward, &BOTH).await;
        assert_eq!(report.outcome, Outcome::Done, "{report:?}");
        let all = times(&lab);
        for (time, moves) in &all[1..] {
            let shares = moves.iter().any(|at| first.1.contains(at));
            assert!(
                !shares || time - first.0 >= 65_000,
                "{fault:?}: asked again after {} ms",
                time - first.0
            );
        }
        lab.is_at_target();
    }
}

/// Wall times and moves of every reassignment that was asked for.
fn times(lab: &Lab) -> Vec<(u64, Vec<u32>)> {
    let asked = |record: Record| match record {
        Record::Asked { time, write: Write::Reassign { .. }, moves, .. } => Some((time, moves)),
        _ => None,
    };
    lab.records().into_iter().filter_map(asked).collect()
}
