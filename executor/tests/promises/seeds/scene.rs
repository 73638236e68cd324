//! A cluster and a plan, drawn.

use std::time::Duration;

use restow_client::snapshot;
use restow_executor::drive::Pace;
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::plan::{Move, Moves, Plan, PlanTopic};
use restow_simulator::{BrokerSetup, Setup, Simulator, TopicSetup};

use super::super::lab;
use super::dice::Dice;

const MB: u64 = 1_000_000;
const VERSIONS: [&str; 4] = ["3.7.2", "3.9.2", "4.0.2", "4.3.1"];

/// A drawn cluster with a drawn plan.
pub struct Scene {
    pub sim: Simulator,
    pub plan: Plan,
    pub pace: Pace,
    pub brokers: Vec<i32>,
    /// Executors on hosts of their own, each with its journal.
    pub hosts: usize,
    /// How long things go wrong.
    pub trouble: Duration,
}

/// A list of `length` brokers that stands in as many zones as it can.
fn list(dice: &mut Dice, brokers: &[(i32, usize)], length: usize) -> Vec<i32> {
    let mut order = brokers.to_vec();
    dice.shuffle(&mut order);
    let mut chosen: Vec<(i32, usize)> = Vec::new();
    while chosen.len() < length {
        let crowd = |zone: usize| chosen.iter().filter(|(_, z)| *z == zone).count();
        let free = order.iter().filter(|b| !chosen.contains(b));
        let next = *free.min_by_key(|(_, zone)| crowd(*zone)).expect("enough brokers");
        chosen.push(next);
    }
    dice.shuffle(&mut chosen);
    chosen.into_iter().map(|(id, _)| id).collect()
}

/// Draws.
pub async fn draw(dice: &mut Dice) -> Scene {
    let zones = dice.range(1, 3) as usize;
    let count = dice.range(4, 8) as usize;
    let brokers: Vec<(i32, usize)> = (0..count).map(|n| (n as i32 + 1, n % zones)).collect();
    let topics = draw_topics(dice, &brokers);
    let min_isr = if dice.percent(30) { 2 } else { 1 };
    let mut setup = Setup {
        version: (*dice.pick(&VERSIONS)).into(),
        seed: dice.next(),
        brokers: brokers.iter().map(|(id, zone)| BrokerSetup::new(*id, &format!("z{zone}"))).collect(),
        topics: topics.iter().map(|(topic, _)| topic.clone()).collect(),
        auto_leader_rebalance: dice.percent(30),
        metadata_lag: Duration::from_millis(*dice.pick(&[0, 20, 200])),
        ..Setup::default()
    };
    for (topic, (_, targets)) in setup.topics.iter_mut().zip(&topics) {
        let shortest = topic.replicas.iter().chain(targets).map(Vec::len).min().unwrap_or(1);
        if (min_isr as usize) <= shortest {
            topic.configs.insert("min.insync.replicas".into(), min_isr.to_string());
        }
        if dice.percent(15) {
            let list = format!("77:{}", brokers[0].0);
            topic.configs.insert("leader.replication.throttled.replicas".into(), list);
        }
    }
    let sim = Simulator::new(&setup).expect("a known version");
    if dice.percent(15) {
        let broker = restow_simulator::controller::Resource::Broker(BrokerId(brokers[0].0));
        sim.set_config(broker, "leader.replication.throttled.rate", Some("7654321")).expect("set");
    }
    // Every broker has seen it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let client = lab::connect(&sim, "restow-scene").await.expect("a calm cluster");
    let taken =
        snapshot::take(&client, &snapshot::SnapshotOptions::default(), &mut |_| {}).await.expect("read");
    let plan = plan(&taken.cluster, &topics);
    let pace = Pace {
        throttle: dice.percent(85).then(|| dice.range(10, 60) * MB),
        dwell: Duration::from_secs(*dice.pick(&[0, 2, 5])),
        per_broker: dice.range(1, 6) as usize,
        ..Pace::default()
    };
    let hosts = if dice.percent(25) { 2 } else { 1 };
    let trouble = Duration::from_secs(dice.range(20, 200));
    let brokers = brokers.into_iter().map(|(id, _)| id).collect();
    Scene { sim, plan, pace, brokers, hosts, trouble }
}

/// Topics, each with the list that every partition shall get.
fn draw_topics(dice: &mut Dice, brokers: &[(i32, usize)]) -> Vec<(TopicSetup, Vec<Vec<i32>>)> {
    let names = ["__consumer_offsets", "a", "b"];
    let mut topics = Vec::new();
    for name in &names[..dice.range(1, 3) as usize] {
        let partitions = dice.range(1, 5);
        let (before, after) = (dice.range(1, 4) as usize, dice.range(1, 4) as usize);
        let after = if dice.percent(70) { before } else { after };
        let mut lists = |length: usize, most: usize| -> Vec<Vec<i32>> {
            (0..partitions).map(|_| list(dice, &brokers[..most], length)).collect()
        };
        let old = lists(before, brokers.len().max(4) / 2 + 2);
        let new = lists(after, brokers.len());
        let bytes = dice.range(0, 20) * MB;
        let ingest = if dice.percent(50) { dice.range(1, 30_000) } else { 0 };
        topics.push((TopicSetup::new(name, old, bytes).ingesting(ingest), new));
    }
    topics
}

/// A plan that gives every partition its drawn list, made without the planner's choices.
fn plan(cluster: &Cluster, topics: &[(TopicSetup, Vec<Vec<i32>>)]) -> Plan {
    let mut plan = lab::plan_of(cluster);
    let mut all: Vec<_> = cluster.topics.iter().collect();
    all.sort_by_key(|topic| topic.internal);
    let mut moves = Moves::default();
    for topic in all {
        let Some((_, targets)) = topics.iter().find(|(setup, _)| setup.name == topic.name) else { continue };
        for (p, target) in cluster.partitions_of(topic).zip(targets) {
            let (from, to): (_, Vec<BrokerId>) =
                (cluster.ids(p.replicas), target.iter().copied().map(BrokerId).collect());
            if from != to {
                let (topic, partition) = (plan.topics.len() as u32, p.number);
                moves.push(Move {
                    topic,
                    partition,
                    from: &from,
                    to: &to,
                    bytes: p.copy_bytes(),
                    leader: None,
                });
            }
        }
        let min_isr = topic.min_isr.map(|(value, _)| value);
        plan.topics.push(PlanTopic {
            name: topic.name.clone(),
            id: topic.id,
            internal: topic.internal,
            min_isr,
            hold_min_isr: None,
            zones: vec![],
        });
    }
    plan.moves = moves;
    plan
}
