//! A simulated cluster with a plan, and processes that work on it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use restow_client::{Client, Dial, Options, snapshot};
use restow_executor::drive::{Orders, Pace};
use restow_executor::events::{Event, Watch};
use restow_executor::journal::{ConfigKey, Gate, Goal, Journal, Memory, MemoryBacking, Record, fold};
use restow_executor::run::{Env, Report, RunError, Stop, Task, work};
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::plan::{Intent, Move, Moves, Plan, PlanBroker, PlanTopic};
use restow_simulator::{BrokerSetup, Setup, Simulator, TopicSetup};
use tokio::sync::watch;
use tokio::time::Instant;

/// Ordered lists of every partition.
pub type Lists = BTreeMap<(String, i32), Vec<BrokerId>>;

/// A cluster with a plan.
pub struct Lab {
    pub sim: Simulator,
    pub plan: Plan,
    pub backing: MemoryBacking,
    pub pace: Pace,
    /// What a person asks of processes while they run.
    pub orders: RefCell<Orders>,
    /// Brokers that the next process gives up.
    pub give_up: Vec<i32>,
    /// Moves that the next process sets aside.
    pub aside: Vec<u32>,
    /// Throttles that the next process is told to take away.
    pub claim: Vec<(ConfigKey, String)>,
    began: Instant,
    pub client: Client,
}

/// What a process saw.
#[derive(Debug, Default)]
pub struct Seen(pub Vec<Event>);

impl Watch for Seen {
    fn event(&mut self, event: &Event) {
        self.0.push(event.clone());
    }
}

/// The brokers of the story: 1, 2 and 4, 5 in az-a, 3 and 6 in az-b.
pub fn brokers() -> Vec<BrokerSetup> {
    [(1, "az-a"), (2, "az-a"), (3, "az-b"), (4, "az-a"), (5, "az-a"), (6, "az-b")]
        .map(|(id, rack)| BrokerSetup::new(id, rack))
        .to_vec()
}

/// A topic with RF2 over both zones on the old brokers.
pub fn topic(name: &str, partitions: usize, bytes: u64) -> TopicSetup {
    let lists =
        [[1, 3], [3, 2], [2, 3], [3, 1]].into_iter().map(Vec::from).cycle().take(partitions).collect();
    TopicSetup::new(name, lists, bytes)
}

impl Lab {
    /// A cluster of this version with a plan that moves these topics from 1, 2, 3 to 4, 5, 6.
    pub async fn new(version: &str, topics: Vec<TopicSetup>) -> Lab {
        Lab::with(brokers(), version, topics).await
    }

    /// The same with other brokers beside.
    pub async fn with(brokers: Vec<BrokerSetup>, version: &str, topics: Vec<TopicSetup>) -> Lab {
        let setup = Setup {
            version: version.into(),
            brokers,
            topics,
            auto_leader_rebalance: false,
            ..Setup::default()
        };
        let sim = Simulator::new(&setup).unwrap();
        let client = connect(&sim, "restow").await.unwrap();
        let taken =
            snapshot::take(&client, &snapshot::SnapshotOptions::default(), &mut |_| {}).await.unwrap();
        let plan = migrate(&taken.cluster);
        let pace = Pace { throttle: Some(20_000_000), dwell: Duration::from_secs(5), ..Pace::default() };
        Lab {
            sim,
            plan,
            backing: MemoryBacking::default(),
            pace,
            orders: RefCell::default(),
            give_up: vec![],
            aside: vec![],
            claim: vec![],
            began: Instant::now(),
            client,
        }
    }

    /// Time since the lab was made.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn records(&self) -> Vec<Record> {
        Journal::open(Box::new(self.backing.clone())).unwrap().1
    }

    pub fn memory(&self) -> Memory {
        fold(&self.records())
    }

    /// A process that works to its end.
    pub async fn run(&self, goal: Goal, approve: &[Gate]) -> (Report, Seen) {
        let (report, seen) = self.try_run(goal, approve).await;
        (report.unwrap(), seen)
    }

    pub async fn try_run(&self, goal: Goal, approve: &[Gate]) -> (Result<Report, RunError>, Seen) {
        let (_to, stop) = watch::channel(Stop::No);
        self.process(goal, approve, stop).await
    }

    /// A process that is stopped from outside.
    pub async fn process(
        &self,
        goal: Goal,
        approve: &[Gate],
        stop: watch::Receiver<Stop>,
    ) -> (Result<Report, RunError>, Seen) {
        let (mut journal, records) = Journal::open(Box::new(self.backing.clone())).unwrap();
        let mut memory = fold(&records);
        let mut seen = Seen::default();
        let began = self.began;
        let wall = move || 1_700_000_000_000 + began.elapsed().as_millis() as u64;
        let orders = || self.orders.borrow().clone();
        let mut env =
            Env { wall: &wall, stop, orders: &orders, watch: &mut seen, host: "here".into(), pid: 1 };
        let task = Task {
            give_up: self.give_up.iter().copied().map(BrokerId).collect(),
            aside: self.aside.clone(),
            claim: self.claim.clone(),
            ..task(goal, approve, &self.pace)
        };
        let report = work(&self.client, &self.plan, &task, &mut journal, &mut memory, &mut env).await;
        (report, seen)
    }

    /// A process that is killed after this long, as by `kill -9`; whether it ended before.
    pub async fn crash_after(&self, time: Duration, goal: Goal, approve: &[Gate]) -> bool {
        let ended = tokio::time::timeout(time, self.try_run(goal, approve)).await.is_ok();
        self.backing.crash();
        ended
    }

    /// True lists.
    pub fn lists(&self) -> Lists {
        self.sim.with_state(|state| {
            let all = state.topics.iter().flat_map(|(name, topic)| {
                topic
                    .partitions
                    .iter()
                    .enumerate()
                    .map(move |(n, p)| ((name.clone(), n as i32), p.replicas.clone()))
            });
            all.collect()
        })
    }

    /// True leaders.
    pub fn leaders(&self) -> BTreeMap<(String, i32), Option<BrokerId>> {
        self.sim.with_state(|state| {
            let all = state.topics.iter().flat_map(|(name, topic)| {
                topic.partitions.iter().enumerate().map(move |(n, p)| ((name.clone(), n as i32), p.leader))
            });
            all.collect()
        })
    }

    /// Every dynamic config.
    pub fn configs(&self) -> String {
        self.sim.with_state(|state| {
            let topics: BTreeMap<_, _> =
                state.topics.iter().map(|(name, topic)| (name, &topic.configs)).collect();
            let brokers: BTreeMap<_, _> =
                state.brokers.iter().map(|(id, broker)| (id, &broker.configs)).collect();
            format!("{topics:?} {brokers:?}")
        })
    }

    /// Panics unless every move of the plan is at its target, led by its first replica.
    #[track_caller]
    pub fn is_at_target(&self) {
        let (lists, leaders) = (self.lists(), self.leaders());
        for m in self.plan.moves.iter() {
            let at = (self.plan.topic_of(&m).name.clone(), m.partition);
            assert_eq!(lists[&at], m.to, "{at:?}");
            assert_eq!(leaders[&at], Some(m.to[0]), "leader of {at:?}");
        }
    }
}

/// A plan that puts broker 4 in the place of 1, 5 of 2 and 6 of 3, made without the planner's choices.
fn migrate(cluster: &Cluster) -> Plan {
    let (from, to) = ([1, 2, 3].map(BrokerId), [4, 5, 6].map(BrokerId));
    let (mut plan, mut moves) = (plan_of(cluster), Moves::default());
    let mut all: Vec<_> = cluster.topics.iter().filter(|topic| topic.name != "theirs").collect();
    all.sort_by_key(|topic| topic.internal);
    for topic in all {
        for p in cluster.partitions_of(topic) {
            let old = cluster.ids(p.replicas);
            let new: Vec<BrokerId> =
                old.iter().map(|id| from.iter().position(|f| f == id).map_or(*id, |at| to[at])).collect();
            let (topic, partition) = (plan.topics.len() as u32, p.number);
            moves.push(Move { topic, partition, from: &old, to: &new, bytes: p.copy_bytes(), leader: None });
        }
        let min_isr = topic.min_isr.map(|(value, _)| value);
        let factor = cluster.partitions_of(topic).map(|p| p.replicas.len() as u32).min();
        let hold_min_isr = factor.filter(|factor| min_isr.is_some_and(|min_isr| min_isr > *factor));
        let (name, internal) = (topic.name.clone(), topic.internal);
        plan.topics.push(PlanTopic { name, id: topic.id, internal, min_isr, hold_min_isr, zones: vec![] });
    }
    plan.moves = moves;
    plan
}

/// A plan for this cluster that moves nothing yet.
pub fn plan_of(cluster: &Cluster) -> Plan {
    let broker = |b: &restow_planner::model::Broker| PlanBroker {
        id: b.id,
        rack: b.rack.clone(),
        zone: b.zone.clone(),
        limit_bytes: None,
        pinned: false,
    };
    let (topics, exclude) = (vec![], vec![]);
    Plan {
        intent: Intent::Migrate { from: vec![], to: vec![], topics, exclude, preserve_leaders: true },
        brokers: cluster.brokers.iter().map(broker).collect(),
        ..Plan::empty(&cluster.id)
    }
}

/// What a process is to do.
pub fn task(goal: Goal, approve: &[Gate], pace: &Pace) -> Task {
    Task { approve: approve.to_vec(), ..Task::new(goal, "sha256:test", "plan.json", pace.clone()) }
}

/// A client of the simulator.
///
/// # Errors
/// If no broker answers.
pub async fn connect(sim: &Simulator, name: &str) -> Result<Client, restow_client::Error> {
    let servers: Vec<String> = sim.bootstrap().split(',').map(str::to_owned).collect();
    let options = Options { client_id: name.into(), ..Options::default() };
    let dial = sim.clone();
    Client::bootstrap(Arc::new(Dial(move |at: &str| dial.connect(at))), &servers, options).await
}
