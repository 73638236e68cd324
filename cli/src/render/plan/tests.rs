use super::*;
use restow_planner::model::{TopicId, TopicPartition};
use restow_planner::plan::{BrokerImpact, Intent, LeftOut, Moves, Pacing, PlanBroker, PlanTopic};
use restow_planner::rule::Rule;

/// The plan of the story: brokers 1, 2, 4, 5 in az-a, 3 and 6 in az-b; these moves of 1 MB each.
pub(crate) fn plan_of(lists: &[(&[i32], &[i32])]) -> Plan {
    let ids = |list: &[i32]| list.iter().copied().map(BrokerId).collect::<Vec<_>>();
    let zone = |id: i32| Some(if id % 3 == 0 { "az-b" } else { "az-a" }.to_owned());
    let mut moves = Moves::default();
    let mut copied = 0;
    for (at, (from, to)) in lists.iter().enumerate() {
        let (from, to) = (ids(from), ids(to));
        copied += 1_000_000 * moves::added(&from, &to).len() as u64;
        let bytes = Some(1_000_000);
        moves.push(Move { topic: 0, partition: at as i32, from: &from, to: &to, bytes, leader: None });
    }
    let impact = |id: i32| BrokerImpact {
        broker: BrokerId(id),
        before: 1_000_000,
        peak: 2_000_000,
        after: 1_000_000,
        replicas_before: 2,
        replicas_after: 3,
        leaders_before: 1,
        leaders_after: 1,
        unknown: 0,
    };
    Plan {
        cluster_id: "cluster-of-the-story".into(),
        intent: Intent::Migrate {
            from: ids(&[1, 2, 3]),
            to: ids(&[4, 5, 6]),
            topics: vec![],
            exclude: vec![],
            preserve_leaders: false,
        },
        pacing: Pacing::Staged,
        seed: 0,
        brokers: (1..=6)
            .map(|id| PlanBroker {
                id: BrokerId(id),
                rack: zone(id),
                zone: zone(id),
                limit_bytes: Some(10_000_000),
                pinned: false,
            })
            .collect(),
        rules: Rule::of_plan(true, None, false),
        no_worse: vec![],
        accepted_differences: vec![],
        given_up: vec![],
        left_out: vec![],
        topics: vec![PlanTopic {
            name: "orders".into(),
            id: TopicId::ZERO,
            internal: false,
            min_isr: Some(1),
            hold_min_isr: None,
            zones: vec![],
        }],
        moves,
        impact: (1..=6).map(impact).collect(),
        certificate: Certificate {
            bound_bytes: copied,
            moved_bytes: copied,
            unknown_sizes: 0,
            ..Certificate::default()
        },
    }
}

#[test]
fn a_person_finds_what_matters() {
    let mut plan = plan_of(&[(&[1, 3], &[4, 6]), (&[3, 2], &[6, 5])]);
    plan.left_out = vec![0, 1, 2]
        .into_iter()
        .map(|n| LeftOut {
            partition: TopicPartition::new("rf1", n),
            keeps: vec![BrokerId(2)],
            reason: "min ISR 2 is above RF 1".into(),
        })
        .collect();
    let text = show(&plan, "sha256:abc", true);
    for says in [
        "cluster-of-the-story",
        "migrate from brokers 1, 2, 3 to brokers 4, 5, 6; leaders balanced",
        "2 partitions of 1 topic; 4 new replicas to copy, 4 MB (4,000,000 bytes)",
        "sha256:abc",
        "az-b  3, 6        3         6\n",
        "copied 3 times, 2 across zones; before: 1 and 1",
        "1  expand  2 partitions",
        "gate: waits for --approve shrink. The point of no return",
        "rf1 0-2 (stays on 2): min ISR 2 is above RF 1",
        "Broker 2 will not be empty: it keeps 3 replicas.",
        "This one copies 4 MB (4,000,000 bytes): nothing more than it must.",
        "orders-0   [1,3]  [1,3,4,6]  [4,6,1,3]  [4,6]         1 MB",
    ] {
        assert!(text.contains(says), "{says:?} is not in\n{text}");
    }
}

#[test]
fn a_gate_exists_only_before_a_step_of_its_kind() {
    let text = stages(&plan_of(&[(&[1, 3], &[3, 1])]));
    assert!(text.contains("1  swap") && !text.contains("shrink") && !text.contains("expand"), "{text}");
    assert_eq!(stages(&plan_of(&[])), "");
}

#[test]
fn an_empty_plan_says_so() {
    let text = show(&plan_of(&[]), "sha256:0", true);
    assert!(text.contains("already as asked"), "{text}");
}

#[test]
fn a_gap_is_named() {
    let gap = Certificate {
        bound_bytes: 3_000_000,
        moved_bytes: 3_100_000,
        unknown_sizes: 2,
        ..Certificate::default()
    };
    let text = certificate(&gap);
    assert!(text.contains("100 kB (100,000 bytes) more than it must, 3.33 %"), "{text}");
    assert!(text.contains("2 replicas of unknown size"), "{text}");
}
