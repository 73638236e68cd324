//! Zones that the replicas of a topic may be in.

use restow_planner::check::{At, Promise, judge, judge_assignment};
use restow_planner::generate::{self, Class};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, Cluster, TopicPartition};
use restow_planner::place::{self, Options, PlaceError};
use restow_planner::plan::{Intent, Plan};

/// 12 brokers in three zones, RF2; the first topic may be in two of them only, and has replicas in all.
fn cluster() -> Cluster {
    let class = Class { factor: 2, zones: 3, ..Class::migrate(600, 12, 0) };
    let mut cluster = generate::cluster(&class, 1);
    let largest = (0..cluster.topics.len()).max_by_key(|at| cluster.topics[*at].partitions).unwrap();
    cluster.topics[largest].zones = vec!["az-a".into(), "az-b".into()];
    assert!(cluster.topics[largest].partitions > 8);
    cluster
}

fn factor(factor: u32) -> Intent {
    Intent::SetFactor { factor, topics: vec![], exclude: vec![] }
}

fn repair() -> Intent {
    Intent::Repair { topics: vec![], exclude: vec![] }
}

fn plan(cluster: &Cluster, intent: &Intent) -> Plan {
    let plan = place::plan(cluster, intent, &Options::default(), &mut Unwatched).unwrap().plan;
    let verdict = judge(&plan, cluster, At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    plan
}

fn is_outside(cluster: &Cluster, id: BrokerId) -> bool {
    cluster.broker(id).unwrap().zone.as_deref() == Some("az-c")
}

#[test]
fn new_replicas_go_to_the_zones_that_their_topic_may_be_in() {
    let cluster = cluster();
    let plan = plan(&cluster, &factor(3));
    let bound: Vec<_> = plan.moves.iter().filter(|m| !plan.topic_of(m).zones.is_empty()).collect();
    assert!(bound.len() > 8);
    for m in bound {
        assert!(m.to.iter().filter(|id| !m.from.contains(id)).all(|id| !is_outside(&cluster, *id)), "{m:?}");
    }
    let free = plan.moves.iter().filter(|m| plan.topic_of(m).zones.is_empty());
    assert!(free.flat_map(|m| m.to).any(|id| is_outside(&cluster, *id)), "the others go anywhere");
}

#[test]
fn a_repair_brings_replicas_back_to_where_they_may_be_and_touches_nothing_else() {
    let mut cluster = cluster();
    let plan = plan(&cluster, &repair());
    assert!(!plan.moves.is_empty() && plan.topics.len() == 1 && !plan.topics[0].zones.is_empty());
    for m in plan.moves.iter() {
        let zones = [m.from, m.to].map(|list| list.iter().filter(|id| is_outside(&cluster, **id)).count());
        assert_eq!(zones, [1, 0], "{m:?}");
    }
    cluster.topics.iter_mut().for_each(|topic| topic.zones = vec!["az-c".into()]);
    let refused = place::plan(&cluster, &factor(9), &Options::default(), &mut Unwatched).unwrap_err();
    let PlaceError::Refused { refusals } = refused else { panic!("{refused}") };
    assert!(
        refusals[0].reason.ends_with("in the zones that its topic may be in (az-c)"),
        "{:?}",
        refusals[0]
    );
}

#[test]
fn what_is_outside_already_keeps_nothing_else_from_being_done() {
    let cluster = cluster();
    let drain =
        Intent::Drain { brokers: vec![BrokerId(3)], replace_with: None, topics: vec![], exclude: vec![] };
    assert!(is_outside(&cluster, BrokerId(3)));
    let plan = plan(&cluster, &drain);
    assert!(plan.moves.iter().any(|m| !plan.topic_of(&m).zones.is_empty()));
}

#[test]
fn a_plan_or_an_assignment_that_goes_outside_is_found_out() {
    let mut cluster = cluster();
    let all = std::mem::take(&mut cluster.topics.clone());
    cluster.topics.iter_mut().for_each(|topic| topic.zones.clear());
    let mut free = place::plan(&cluster, &factor(3), &Options::default(), &mut Unwatched).unwrap().plan;
    cluster.topics = all;
    let tells = |plan: &Plan, text: &str| {
        let findings = judge(plan, &cluster, At::Start).findings;
        findings.iter().any(|f| f.promise == Promise::P3 && f.message.contains(text))
    };
    assert!(tells(&free, "the topic may be in zones [az-a, az-b], and in [] by the plan"));
    let bound = cluster.topics.iter().find(|topic| !topic.zones.is_empty()).unwrap();
    let named = free.topics.iter_mut().find(|topic| topic.name == bound.name).unwrap();
    named.zones.clone_from(&bound.zones);
    assert!(tells(&free, "has more replicas in zones that the topic must not be in"));

    let inside = |list: &[BrokerId]| list.iter().all(|id| !is_outside(&cluster, *id));
    let p = cluster.partitions_of(bound).find(|p| inside(&cluster.ids(p.replicas))).unwrap();
    let list = vec![cluster.ids(p.replicas)[0], BrokerId(3)];
    let partition = TopicPartition::new(bound.name.clone(), p.number);
    let findings = judge_assignment(&cluster, &[(partition, list)]).findings;
    assert!(
        findings.iter().any(|f| f.message.contains("more replicas in zones that its topic must not be in"))
    );
}

#[test]
fn a_zone_that_gets_another_name_stays_the_same() {
    let mut cluster = cluster();
    place::map_zones(&mut cluster, &[], &[("az-b".into(), "west".into())]).unwrap();
    let bound = cluster.topics.iter().find(|topic| !topic.zones.is_empty()).unwrap();
    assert_eq!(bound.zones, ["az-a", "west"]);
    plan(&cluster, &factor(3));
}
