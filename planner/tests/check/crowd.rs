//! Replicas of one topic, and replicas in all, that brokers end with.

use restow_planner::check::{At, Verdict, judge};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{
    Broker, BrokerId, Cluster, ClusterBuilder, LogDir, NodeType, PartitionRow, Topic, TopicId,
};
use restow_planner::place::{self, Options, PlaceError};
use restow_planner::plan::{Bands, Budget, Intent, Measure, Move, Moves, Plan};

/// Brokers 1 to 4 hold 10 partitions of `small` and 30 of `large` each, broker 5 is empty; each may hold so many.
fn cluster(most: Option<u32>) -> Cluster {
    let dir =
        LogDir { path: "/".into(), total_bytes: Some(1 << 40), usable_bytes: Some(1 << 39), offline: false };
    let node = NodeType {
        name: "n".into(),
        disk_bytes: None,
        network_bytes_per_second: None,
        replicas: most,
        price_per_month: None,
    };
    let broker =
        |id| Broker { log_dirs: vec![dir.clone()], node: Some(node.clone()), ..Broker::bare(BrokerId(id)) };
    let mut build = ClusterBuilder::new("c", (1..=5).map(broker).collect()).unwrap();
    for (number, (name, partitions, bytes)) in
        [("large", 120, 1_000_000), ("small", 40, 1_000)].into_iter().enumerate()
    {
        let id = TopicId([number as u8 + 1; 16]);
        build.topic(Topic { name: name.into(), id, ..Topic::default() }).unwrap();
        for at in 0..partitions {
            let replicas = [BrokerId(1 + at % 4)];
            let row = PartitionRow {
                replicas: &replicas,
                sizes: &[bytes],
                dirs: &[0],
                leader: Some(replicas[0]),
                isr: &replicas,
                ..PartitionRow::default()
            };
            build.partition(&row).unwrap();
        }
    }
    build.finish(String::new(), vec![])
}

fn rebalance(cluster: &Cluster) -> Plan {
    let bands = Bands { spread_topics: true, ..Bands::on(&[Measure::Replicas], 0) };
    let intent = Intent::Rebalance { bands, budget: Budget::default(), topics: vec![], exclude: vec![] };
    place::plan(cluster, &intent, &Options::default(), &mut Unwatched).unwrap().plan
}

/// Moves to broker 5, by topic.
fn to_5(plan: &Plan, name: &str) -> usize {
    plan.moves.iter().filter(|m| plan.topic_of(m).name == name && m.to == [BrokerId(5)]).count()
}

fn tells(verdict: &Verdict, text: &str) -> bool {
    verdict.findings.iter().any(|finding| finding.message.contains(text))
}

#[test]
fn a_rebalance_takes_what_is_cheap_but_does_not_crowd_a_topic() {
    let cluster = cluster(None);
    let plan = rebalance(&cluster);
    let verdict = judge(&plan, &cluster, At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    // 32 replicas are its share, and small ones are cheaper: 16 are twice its part of them.
    assert_eq!((to_5(&plan, "small"), to_5(&plan, "large")), (16, 16));
}

#[test]
fn a_plan_that_crowds_a_topic_is_found_out() {
    let cluster = cluster(None);
    let mut plan = rebalance(&cluster);
    let mut crowded = Moves::default();
    plan.moves.iter().for_each(|m| crowded.push(m));
    let small = plan.topics.iter().position(|topic| topic.name == "small").unwrap() as u32;
    let moved: Vec<i32> = plan.moves.iter().filter(|m| m.topic == small).map(|m| m.partition).collect();
    let partition = (0..40).find(|partition| !moved.contains(partition)).unwrap();
    let from = [BrokerId(1 + partition % 4)];
    crowded.push(Move {
        topic: small,
        partition,
        from: &from,
        to: &[BrokerId(5)],
        bytes: Some(1_000),
        leader: None,
    });
    let mut sorted: Vec<usize> = (0..crowded.len()).collect();
    sorted.sort_by_key(|at| (crowded.get(*at).topic, crowded.get(*at).partition));
    plan.moves = Moves::default();
    sorted.iter().for_each(|at| plan.moves.push(crowded.get(*at)));
    let verdict = judge(&plan, &cluster, At::Start);
    assert!(
        tells(&verdict, "ends with 17 replicas of topic small, where 16 are twice its part"),
        "{:#?}",
        verdict.findings
    );
    plan.rules.clear();
    assert!(tells(&judge(&plan, &cluster, At::Start), "TopicSpread"));
}

#[test]
fn a_broker_that_ends_with_more_than_its_kind_may_hold_is_found_out() {
    let plan = rebalance(&cluster(None));
    let tight = cluster(Some(30));
    let verdict = judge(&plan, &tight, At::Start);
    assert!(
        tells(&verdict, "ends with 32 replicas, where its kind of machine may hold 30"),
        "{:#?}",
        verdict.findings
    );
    let verdict = judge(&rebalance(&tight), &tight, At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
}

#[test]
fn what_a_kind_of_machine_may_hold_binds_every_intent() {
    let tight = cluster(Some(45));
    let drain = |brokers: &[i32], leave_out_refused| {
        let brokers = brokers.iter().copied().map(BrokerId).collect();
        let drain = Intent::Drain { brokers, replace_with: None, topics: vec![], exclude: vec![] };
        place::plan(&tight, &drain, &Options { leave_out_refused, ..Options::default() }, &mut Unwatched)
    };
    assert!(judge(&drain(&[1], false).unwrap().plan, &tight, At::Start).accepted());
    let PlaceError::Refused { refusals } = drain(&[1, 2], false).unwrap_err() else { panic!() };
    let reasons: Vec<&str> = refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
    assert!(reasons.iter().all(|reason| reason.ends_with("its node type may hold 45")), "{reasons:?}");
    // Brokers 3 and 4 take 5 more each, broker 5 takes 45.
    let rest = drain(&[1, 2], true).unwrap();
    assert_eq!((rest.plan.moves.len(), rest.refusals.len()), (55, 25));
    assert!(judge(&rest.plan, &tight, At::Start).accepted());
}
