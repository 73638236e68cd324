//! The run itself: gates, target, throttles, rollback.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use restow_client::read::Resource;
use restow_client::write::{ConfigOp, Write};
use restow_executor::journal::{Gate, Goal, Outcome, Record};
use tokio::time::sleep;

use super::lab::{Lab, topic};

const BOTH: [Gate; 2] = [Gate::Swap, Gate::Shrink];
const MB: u64 = 1_000_000;

#[tokio::test(start_paused = true)]
async fn e5_a_run_ends_in_the_target_and_leaves_no_throttle() {
    for version in ["3.7.2", "3.9.2", "4.0.2", "4.3.1"] {
        let lab = Lab::new(version, vec![topic("a", 12, 20 * MB), topic("__consumer_offsets", 7, MB)]).await;
        let before = lab.configs();
        let (report, _) = lab.run(Goal::Forward, &BOTH).await;
        assert_eq!(report.outcome, Outcome::Done, "{report:?}");
        lab.is_at_target();
        assert_eq!(lab.configs(), before);
        let (again, _) = lab.run(Goal::Forward, &[]).await;
        assert_eq!(again.outcome, Outcome::Done);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_stops_at_each_gate_and_goes_back_exactly() {
    let lab = Lab::new("4.3.1", vec![topic("a", 30, 2 * MB)]).await;
    let (lists, leaders, configs) = (lab.lists(), lab.leaders(), lab.configs());
    for approved in [&[][..], &[Gate::Swap]] {
        let (report, _) = lab.run(Goal::Forward, approved).await;
        let gate = if approved.is_empty() { Gate::Swap } else { Gate::Shrink };
        assert_eq!(report.outcome, Outcome::Gate(gate), "{report:?}");
        assert_eq!(lab.configs(), configs, "nothing of ours is set at a gate");
        let (report, _) = lab.run(Goal::Back, &[]).await;
        assert_eq!(report.outcome, Outcome::Done, "{report:?}");
        assert_eq!(
            (lab.lists(), lab.leaders(), lab.configs()),
            (lists.clone(), leaders.clone(), configs.clone())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn e9_approvals_end_with_a_rollback() {
    let lab = Lab::new("4.3.1", vec![topic("a", 4, MB)]).await;
    lab.run(Goal::Forward, &[Gate::Swap]).await;
    lab.run(Goal::Back, &[]).await;
    let (report, _) = lab.run(Goal::Forward, &[]).await;
    assert_eq!(report.outcome, Outcome::Gate(Gate::Swap));
}

#[tokio::test(start_paused = true)]
async fn what_is_shrunk_is_not_copied_back_by_a_rollback() {
    let lab = Lab::new("4.3.1", vec![topic("a", 4, MB)]).await;
    lab.run(Goal::Forward, &BOTH).await;
    let (report, _) = lab.run(Goal::Back, &[]).await;
    assert_eq!((report.outcome, report.shrunk.len()), (Outcome::PartlyBack, 4));
    lab.is_at_target();
}

/// Partitions whose copies were listed as throttled in a run, by topic.
fn listed(lab: &Lab) -> BTreeMap<String, BTreeSet<i32>> {
    let mut listed: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for record in lab.records() {
        let Record::Asked { write: Write::Configs { items, .. }, .. } = record else { continue };
        for change in items {
            let (Resource::Topic(topic), ConfigOp::Append(entries)) = (change.resource, change.op) else {
                continue;
            };
            let numbers = entries.split(',').map(|entry| entry.split(':').next().unwrap().parse().unwrap());
            listed.entry(topic).or_default().extend(numbers.collect::<Vec<i32>>());
        }
    }
    listed
}

#[tokio::test(start_paused = true)]
async fn what_copies_in_a_thousandth_of_a_second_is_not_listed_and_what_grew_since_the_plan_is() {
    let lab = Lab::new("4.3.1", vec![topic("tiny", 12, 10_000), topic("large", 4, MB)]).await;
    lab.sim.set_ingest("tiny", 3, 100_000);
    sleep(Duration::from_secs(1)).await;
    lab.sim.set_ingest("tiny", 3, 0);
    let (report, _) = lab.run(Goal::Forward, &BOTH).await;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    lab.is_at_target();
    let numbers = |list: &[i32]| list.iter().copied().collect::<BTreeSet<i32>>();
    assert_eq!(
        listed(&lab),
        [("large".into(), numbers(&[0, 1, 2, 3])), ("tiny".into(), numbers(&[3]))].into()
    );
}
