//! Racks, where zones stand above them.

use restow_planner::check::{At, judge};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{
    Broker, BrokerId, Cluster, ClusterBuilder, LogDir, PartitionRow, Racks, Topic, TopicId, Topology,
};
use restow_planner::place::{self, Options};
use restow_planner::plan::{Bands, Budget, Intent, Measure, Move, Moves, Plan};
use restow_planner::rule::What;

/// Brokers 1 to 6 are in az-a, 7 to 12 in az-b; each zone has three racks of two brokers.
fn cluster(partitions: i32, list: impl Fn(i32) -> Vec<i32>) -> Cluster {
    let dir =
        LogDir { path: "/".into(), total_bytes: Some(1 << 40), usable_bytes: Some(1 << 39), offline: false };
    let broker = |id: i32| {
        let zone = if id < 7 { "az-a" } else { "az-b" };
        let rack = format!("{zone}-{}", (id - 1) % 3);
        let (zone, rack) = (Some(zone.into()), Some(rack));
        Broker { log_dirs: vec![dir.clone()], zone, rack, ..Broker::bare(BrokerId(id)) }
    };
    let mut build = ClusterBuilder::new("c", (1..=12).map(broker).collect()).unwrap();
    build.topic(Topic { name: "t".into(), id: TopicId([1; 16]), ..Topic::default() }).unwrap();
    for at in 0..partitions {
        let replicas: Vec<BrokerId> = list(at).into_iter().map(BrokerId).collect();
        let sizes = vec![1_000 + 10 * at as u64; replicas.len()];
        let dirs = vec![0; replicas.len()];
        let (leader, isr) = (Some(replicas[0]), &replicas[..]);
        let row = PartitionRow {
            replicas: isr,
            sizes: &sizes,
            dirs: &dirs,
            leader,
            isr,
            ..PartitionRow::default()
        };
        build.partition(&row).unwrap();
    }
    build.finish(String::new(), vec![])
}

/// Two replicas in each zone, in different racks.
fn spread(at: i32) -> Vec<i32> {
    vec![1 + at % 6, 7 + at % 6, 1 + (at + 1) % 6, 7 + (at + 1) % 6]
}

fn plan(cluster: &Cluster, intent: &Intent) -> Plan {
    let plan = place::plan(cluster, intent, &Options::default(), &mut Unwatched).unwrap().plan;
    let verdict = judge(&plan, cluster, At::Start);
    assert!(verdict.accepted(), "{:#?}", verdict.findings);
    assert!(plan.rules.iter().any(|rule| rule.what == What::RackSpread), "{:?}", plan.rules);
    plan
}

/// Partitions of a cluster, and those that a plan moves at its end, with replicas that share a rack without need.
fn crowded(cluster: &Cluster, plan: &Plan) -> (usize, usize) {
    let racks = Racks::of(cluster, &Topology::of(cluster).unwrap());
    let index = |id: &BrokerId| cluster.broker_index(*id).unwrap();
    let ends = plan.moves.iter().map(|m| m.to.iter().map(index).collect::<Vec<u16>>());
    let before = cluster.partitions().filter(|(_, p)| racks.crowded(p.replicas) > 0).count();
    (before, ends.filter(|list| racks.crowded(list) > 0).count())
}

fn rebalance(measures: &[Measure]) -> Intent {
    let bands = Bands::on(measures, 0);
    Intent::Rebalance { bands, budget: Budget::default(), topics: vec![], exclude: vec![] }
}

#[test]
fn new_replicas_go_to_other_racks() {
    // The other broker of the first one's rack is empty: the best place, but for its rack.
    let cluster = cluster(60, |at| vec![1 + at % 3, 7 + at % 3]);
    let plan = plan(&cluster, &Intent::SetFactor { factor: 4, topics: vec![], exclude: vec![] });
    assert_eq!((plan.moves.len(), crowded(&cluster, &plan)), (60, (0, 0)));
    let fewer = Intent::SetFactor { factor: 3, topics: vec![], exclude: vec![] };
    // Brokers 2 and 5 share a rack: one of the two is dropped, and not broker 1, which leads.
    let cluster = self::cluster(12, |_| vec![2, 7, 1, 5, 8]);
    let plan = self::plan(&cluster, &fewer);
    assert!(
        plan.moves.iter().all(|m| !m.to.contains(&BrokerId(5)) && m.to.contains(&BrokerId(2))),
        "{plan:?}"
    );
}

#[test]
fn replacements_keep_racks_apart() {
    let cluster = cluster(60, spread);
    let drain = |brokers: &[i32]| {
        let brokers = brokers.iter().copied().map(BrokerId).collect();
        Intent::Drain { brokers, replace_with: None, topics: vec![], exclude: vec![] }
    };
    let plan = plan(&cluster, &drain(&[2, 9]));
    assert_eq!((plan.moves.len(), crowded(&cluster, &plan)), (30, (0, 0)));
}

#[test]
fn a_repair_takes_apart_what_shares_a_rack_and_moves_nothing_else() {
    // Every third has two replicas in one rack of az-a.
    let cluster = cluster(60, |at| if at % 3 == 0 { vec![1, 7, 4, 8] } else { spread(at) });
    let plan = plan(&cluster, &Intent::Repair { topics: vec![], exclude: vec![] });
    assert_eq!((plan.moves.len(), crowded(&cluster, &plan)), (20, (20, 0)));
    let bytes: u64 = (0..20).map(|n| 1_000 + 30 * n).sum();
    assert_eq!((plan.certificate.moved_bytes, plan.certificate.bound_bytes), (bytes, bytes));
}

#[test]
fn a_rebalance_crowds_no_rack() {
    // Brokers 6 and 12 are empty, and in the racks of 3 and 9.
    let five = |at: i32| vec![1 + at % 5, 7 + at % 5, 1 + (at + 1) % 5, 7 + (at + 1) % 5];
    let cluster = cluster(60, five);
    let intent = rebalance(&[Measure::Replicas, Measure::Bytes]);
    let mut plan = plan(&cluster, &intent);
    let (before, after) = crowded(&cluster, &plan);
    assert!(plan.moves.len() >= 20 && after <= before, "{} moves, {before}, {after}", plan.moves.len());
    // Somebody else's move from rack 1 to rack 2 beside a replica in rack 2.
    let at = (0..60).find(|at| !plan.moves.iter().any(|m| m.partition == *at) && at % 5 == 1).unwrap();
    let from = five(at).into_iter().map(BrokerId).collect::<Vec<_>>();
    assert_eq!(from, [2, 8, 3, 9].map(BrokerId));
    let moved = Move {
        topic: 0,
        partition: at,
        from: &from,
        to: &[6, 8, 3, 9].map(BrokerId),
        bytes: None,
        leader: None,
    };
    let mut moves: Vec<Move<'_>> = plan.moves.iter().chain([moved]).collect();
    moves.sort_by_key(|m| m.partition);
    let mut forged = Moves::default();
    moves.into_iter().for_each(|m| forged.push(m));
    plan.moves = forged;
    let tells = |text: &str, plan: &Plan| {
        judge(plan, &cluster, At::Start).findings.iter().any(|finding| finding.message.contains(text))
    };
    assert!(tells("more replicas share a rack, and nothing forces them to", &plan));
    assert!(!tells("RackSpread", &plan));
    plan.rules.retain(|rule| rule.what != What::RackSpread);
    assert!(tells("RackSpread", &plan));
}

#[test]
fn where_no_other_rack_has_a_place_the_plan_says_so() {
    let cluster = cluster(60, spread);
    let migrate = Intent::Migrate {
        from: vec![BrokerId(1)],
        to: vec![BrokerId(5)],
        topics: vec![],
        exclude: vec![],
        preserve_leaders: false,
    };
    let placed = place::plan(&cluster, &migrate, &Options::default(), &mut Unwatched).unwrap();
    assert!(judge(&placed.plan, &cluster, At::Start).accepted());
    let note = placed.notes.iter().find(|note| note.contains("in one rack")).unwrap();
    assert!(
        note.starts_with("10 partitions end with more replicas in one rack than they began with"),
        "{note}"
    );
}
