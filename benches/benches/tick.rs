//! What a tick of the executor costs: `cargo bench -p restow-benches --bench tick`.
//!
//! Two million planned moves over a thousand brokers, and a window that is full: what is read next, what is
//! learned from the answers, and what is decided. Requests and frames are not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use restow_client::read::{ClusterView, PartitionView, Reassignment, TopicView};
use restow_client::write::Write;
use restow_executor::drive::{Answers, Far, Now, Pace, Probe, Reads, View, decide, reads};
use restow_executor::journal::{Goal, Memory, Record};
use restow_planner::model::BrokerId;
use restow_planner::plan::{Move, Moves, Plan, PlanBroker, PlanTopic, moves};

const BROKERS: i32 = 500;
const TOPICS: u32 = 20_000;
const PARTITIONS: i32 = 100;

/// Two million moves of RF3 from brokers 0 to 499 to brokers 500 to 999, of 2 GB each.
fn plan() -> Plan {
    let mut list = Moves::default();
    for topic in 0..TOPICS {
        for partition in 0..PARTITIONS {
            let turn = topic as i32 * 7 + partition;
            let old = [turn, turn + 1, turn + 2].map(|n| BrokerId(n % BROKERS));
            let new = [turn, turn + 173, turn + 347].map(|n| BrokerId(BROKERS + n % BROKERS));
            let bytes = Some(2_000_000_000);
            list.push(Move { topic, partition, from: &old, to: &new, bytes, leader: None });
        }
    }
    let topic = |n: u32| PlanTopic {
        name: format!("topic-{n:06}"),
        id: Default::default(),
        internal: false,
        min_isr: Some(2),
        hold_min_isr: None,
        zones: vec![],
    };
    Plan {
        brokers: (0..2 * BROKERS)
            .map(|id| PlanBroker {
                id: BrokerId(id),
                rack: None,
                zone: Some(format!("az-{}", id % 3)),
                limit_bytes: None,
                pinned: false,
            })
            .collect(),
        topics: (0..TOPICS).map(topic).collect(),
        moves: list,
        ..Plan::empty("c")
    }
}

/// A cluster that does what it is asked, and never ends a copy.
struct World<'a> {
    plan: &'a Plan,
    flying: BTreeSet<u32>,
    configs: BTreeMap<restow_executor::journal::ConfigKey, String>,
}

impl World<'_> {
    fn topic(&self, topic: u32) -> TopicView {
        let partition = |partition: i32| {
            let at = topic * PARTITIONS as u32 + partition as u32;
            let m = self.plan.moves.get(at as usize);
            let flies = self.flying.contains(&at);
            PartitionView {
                partition,
                leader: Some(m.from[0]),
                leader_epoch: 1,
                replicas: if flies { moves::expanded(m.from, m.to) } else { m.from.to_vec() },
                isr: m.from.to_vec(),
                offline: vec![],
                error: None,
            }
        };
        TopicView {
            name: self.plan.topics[topic as usize].name.clone(),
            id: Default::default(),
            internal: false,
            error: None,
            partitions: (0..PARTITIONS).map(partition).collect(),
        }
    }

    fn answers(&self, wanted: &Reads) -> Answers {
        let mut answers = Answers::default();
        let number = |name: &String| name["topic-".len()..].parse::<u32>().expect("a number");
        if wanted.far {
            let cluster = ClusterView { cluster_id: "c".into(), brokers: vec![] };
            let topics = (0..TOPICS).map(|topic| self.topic(topic)).collect();
            answers.far = Some(Far { cluster, topics, min_isr: BTreeMap::new(), dirs: BTreeMap::new() });
        }
        answers.topics = wanted.topics.iter().map(|name| self.topic(number(name))).collect();
        for at in &self.flying {
            let m = self.plan.moves.get(*at as usize);
            answers.reassignments.push(Reassignment {
                topic: self.plan.topic_of(&m).name.clone(),
                partition: m.partition,
                replicas: moves::expanded(m.from, m.to),
                adding: moves::added(m.from, m.to),
                removing: vec![],
            });
        }
        for at in &wanted.probe {
            let m = self.plan.moves.get(*at as usize);
            let log_end = m.from.iter().map(|id| (*id, 100)).collect();
            answers.probes.insert(*at, Probe { high_watermark: Some(100), log_end, bytes: None });
        }
        answers.answered.clone_from(&wanted.ping);
        answers.configs =
            wanted.configs.iter().map(|key| (key.clone(), self.configs.get(key).cloned())).collect();
        answers
    }

    fn apply(&mut self, write: &Write, moves: &[u32]) {
        use restow_client::write::ConfigOp;
        match write {
            Write::Reassign { .. } => self.flying.extend(moves),
            Write::Elect { .. } => {}
            Write::Configs { items, .. } => {
                for item in items {
                    let value =
                        self.configs.entry(restow_executor::journal::ConfigKey::of(item)).or_default();
                    match &item.op {
                        ConfigOp::Set(new) => value.clone_from(new),
                        ConfigOp::Append(more) if value.is_empty() => value.clone_from(more),
                        ConfigOp::Append(more) => *value += &format!(",{more}"),
                        ConfigOp::Subtract(_) | ConfigOp::Delete => {}
                    }
                }
            }
        }
    }
}

struct Run<'a> {
    world: World<'a>,
    view: View,
    memory: Memory,
    pace: Pace,
    at: Duration,
}

impl Run<'_> {
    fn now(&self) -> Now {
        Now { moment: self.at, wall: 1_700_000_000_000 + self.at.as_millis() as u64 }
    }

    /// One tick; the answers are made outside of what is measured.
    fn tick(&mut self, spent: &mut Duration) -> usize {
        self.at += Duration::from_millis(600);
        let (plan, now) = (self.world.plan, self.now());
        #[allow(clippy::disallowed_methods)]
        let start = std::time::Instant::now();
        self.view.adopt(plan, Goal::Forward, &self.pace, &self.memory);
        let wanted = reads(plan, Goal::Forward, &self.pace, &self.memory, &self.view, now);
        *spent = start.elapsed();
        let answers = self.world.answers(&wanted);
        #[allow(clippy::disallowed_methods)]
        let start = std::time::Instant::now();
        self.view.next(plan, &self.memory, answers, now);
        let decision = decide(plan, Goal::Forward, &self.pace, &self.memory, &self.view, now);
        *spent += start.elapsed();
        decision.records.iter().for_each(|record| self.memory.learn(record));
        for request in &decision.requests {
            let (seq, time) = (self.memory.next, now.wall);
            let asked = Record::Asked {
                seq,
                time,
                broker: BrokerId(0),
                write: request.write.clone(),
                moves: request.moves.clone(),
            };
            self.memory.learn(&asked);
            let count = match &request.write {
                Write::Reassign { items, .. } => items.len(),
                Write::Elect { items } => items.len(),
                Write::Configs { items, .. } => items.len(),
            };
            let items = vec![restow_executor::journal::ItemResult { code: None, message: None }; count];
            self.memory.learn(&Record::Answered { seq, sent: restow_executor::journal::Sent::Items(items) });
            self.world.apply(&request.write, &request.moves);
            self.view.submitted.extend(request.moves.iter().map(|at| (*at, self.at)));
        }
        decision.requests.len()
    }
}

fn ticking(criterion: &mut Criterion) {
    let plan = plan();
    let world = World { plan: &plan, flying: BTreeSet::new(), configs: BTreeMap::new() };
    let pace = Pace { throttle: Some(50_000_000), ..Pace::default() };
    let mut run = Run { world, view: View::new(&plan), memory: Memory::default(), pace, at: Duration::ZERO };
    let mut spent = Duration::ZERO;
    // Until nothing more is asked: the window is full.
    let mut quiet = 0;
    while quiet < 3 {
        quiet = if run.tick(&mut spent) == 0 { quiet + 1 } else { 0 };
    }
    println!("{} moves of {} are in flight", run.world.flying.len(), plan.moves.len());
    let mut group = criterion.benchmark_group("2M moves");
    group.sample_size(20);
    group.bench_function("a tick with a full window", |bencher| {
        bencher.iter_custom(|times| {
            let mut sum = Duration::ZERO;
            for _ in 0..times {
                // The far view has a cadence of its own.
                run.view.far_at = Some(run.at);
                black_box(run.tick(&mut spent));
                sum += spent;
            }
            sum
        });
    });
    group.finish();
}

criterion_group!(benches, ticking);
criterion_main!(benches);
