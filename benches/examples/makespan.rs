//! How long copies take beside what no schedule can beat, and beside what was forecast:
//! `cargo run --release -p restow-benches --example makespan -- [SEEDS [ORDER [FAMILY]]]`.
//!
//! The real executor on the simulator, in virtual time, over families of moves. The bound is the bytes through the
//! busiest port at the throttle; what producers write meanwhile is not in it, so the ratios are on the high side.

use std::sync::Arc;
use std::time::Duration;

use restow_client::{Client, Dial, Options};
use restow_executor::drive::{Orders, Pace};
use restow_executor::events::{Event, Watch};
use restow_executor::journal::{Gate, Goal, Journal, Memory, MemoryBacking, Outcome};
use restow_executor::run::{self, Env, Outlook, Stop, Task};
use restow_planner::forecast::{self, bound};
use restow_planner::generate::{self, Class, Family, FamilyRow};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::place;
use restow_planner::plan::{Intent, Move, Moves, Plan, PlanBroker, PlanTopic, Step};
use restow_planner::schedule::{Load, Order};
use restow_simulator::{BrokerSetup, Setup, Simulator, TopicSetup};
use tokio::sync::watch;
use tokio::time::Instant;

/// Bytes/s, of migrations; a family has its own.
const THROTTLE: u64 = 50_000_000;
/// Bytes/s that producers write into a partition, for each GB that it holds: what fills it in four days.
const INGEST_PER_GB: u64 = 2_900;
const PARTITIONS: u32 = 600;

/// A cluster and what is to change in it.
struct Case {
    setup: Setup,
    plan: Plan,
    load: Load,
    throttle: u64,
}

/// What a run came to, in seconds.
struct Took {
    expand: f64,
    all: f64,
}

/// When each stage began.
#[derive(Default)]
struct Stages(Vec<(Step, Instant)>);

impl Watch for Stages {
    fn event(&mut self, event: &Event) {
        if let Event::Stage { step } = event {
            self.0.push((*step, Instant::now()));
        }
    }
}

fn main() {
    let seeds = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(3);
    let order = match std::env::args().nth(2).as_deref() {
        Some("critical-port-first") => Order::CriticalPortFirst,
        Some("smallest-first") => Order::SmallestFirst,
        Some("fifo") | None => Order::Fifo,
        Some(other) => panic!("{other} is no order: fifo, smallest-first or critical-port-first"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let (mut ratios, mut errors) = (Vec::new(), Vec::new());
    println!("{:<18} seed  {:>8} {:>8} {:>8}  ratio  ETA error", "family", "bound", "forecast", "took");
    let only = std::env::args().nth(3);
    let families = Family::ALL.into_iter().map(Some).chain([None]);
    for family in families {
        let name = family.map_or("Migrate".to_owned(), |family| format!("{family:?}"));
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        for seed in 1..=seeds {
            let case = case(family, seed);
            let pace = Pace { throttle: Some(case.throttle), order, ..Pace::default() };
            let model =
                forecast::Pace { order, dwell_s: pace.dwell.as_secs(), ..forecast::Pace::new(pace.limits()) };
            let told = forecast::forecast(&case.plan, &case.load, &model);
            let least = bound(&case.plan, &case.load, case.throttle).expect("something to copy").milliseconds;
            let expected = told.total.expect("an end").likely as f64;
            let outlook = Outlook { load: case.load.clone(), forecast: Some(told) };
            let took = runtime.block_on(play(&case, pace, outlook));
            let (least, ratio) = (least as f64 / 1000.0, took.expand * 1000.0 / least as f64);
            let error = (expected - took.all) / took.all * 100.0;
            println!(
                "{name:<18} {seed:>4}  {least:>7.0}s {expected:>7.0}s {:>7.0}s  {ratio:>5.3}  {error:+.1} %",
                took.all
            );
            ratios.push(ratio);
            errors.push(error.abs());
        }
    }
    ratios.sort_by(f64::total_cmp);
    errors.sort_by(f64::total_cmp);
    let (median, worst) = (ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    println!("makespan / bound: median {median:.3}, worst {worst:.3}");
    println!("ETA error: median {:.1} %, worst {:.1} %", errors[errors.len() / 2], errors[errors.len() - 1]);
}

async fn play(case: &Case, pace: Pace, outlook: Outlook) -> Took {
    let sim = Simulator::new(&case.setup).expect("a known version");
    let servers: Vec<String> = sim.bootstrap().split(',').map(str::to_owned).collect();
    let dial = sim.clone();
    let connect = Arc::new(Dial(move |at: &str| dial.connect(at)));
    let client = Client::bootstrap(connect, &servers, Options::default()).await.expect("a simulated broker");
    let (mut journal, _) = Journal::open(Box::new(MemoryBacking::default())).expect("memory");
    let task = Task {
        approve: vec![Gate::Swap, Gate::Shrink],
        outlook,
        ..Task::new(Goal::Forward, "makespan", "makespan", pace)
    };
    let began = Instant::now();
    let wall = move || began.elapsed().as_millis() as u64;
    let (_to, stop) = watch::channel(Stop::No);
    let mut stages = Stages::default();
    let mut env = Env {
        wall: &wall,
        stop,
        orders: &Orders::default,
        watch: &mut stages,
        host: "makespan".into(),
        pid: 1,
    };
    let mut memory = Memory::default();
    let report = run::work(&client, &case.plan, &task, &mut journal, &mut memory, &mut env).await;
    assert_eq!(report.expect("a run").outcome, Outcome::Done);
    let begin = |step| stages.0.iter().find(|stage| stage.0 == step).map(|stage| stage.1);
    let expanded = begin(Step::Swap).or(begin(Step::Shrink)).expect("a stage after the expansion");
    let expand = expanded - begin(Step::Expand).expect("an expansion");
    Took { expand: expand.as_secs_f64(), all: began.elapsed().as_secs_f64() }
}

/// A case of a family of moves, or of a migration as it is planned.
fn case(family: Option<Family>, seed: u64) -> Case {
    let (plan, mut setup) = match family {
        Some(family) => of_rows(family.brokers(), family.rows(PARTITIONS, seed)),
        None => {
            let class = Class::migrate(PARTITIONS, 18, 18);
            let cluster = generate::cluster(&class, seed);
            (migrate(&cluster, &class), Setup::of(&cluster))
        }
    };
    let ingest = |bytes: u64| bytes / 1_000_000_000 * INGEST_PER_GB;
    for topic in &mut setup.topics {
        topic.ingest = topic.bytes.iter().copied().map(ingest).collect();
    }
    let mut load = Load::default();
    for (at, m) in plan.moves.iter().enumerate() {
        load.set_ingest(at, Some(ingest(m.bytes.unwrap_or(0))));
    }
    setup.tick = Duration::from_millis(250);
    let throttle = family.map_or(THROTTLE, Family::throttle);
    Case { setup, plan, load, throttle }
}

fn migrate(cluster: &Cluster, class: &Class) -> Plan {
    let (from, to) = generate::sources_and_destinations(class);
    let intent = Intent::Migrate { from, to, topics: vec![], exclude: vec![], preserve_leaders: false };
    place::plan(cluster, &intent, &place::Options::default(), &mut Unwatched).expect("a plan").plan
}

/// One topic: the list of each partition, its target and its bytes.
fn of_rows(brokers: i32, rows: Vec<FamilyRow>) -> (Plan, Setup) {
    let mut topic = TopicSetup::new("t", vec![], 0);
    topic.bytes.clear();
    let mut list = Moves::default();
    for (at, (from, to, bytes)) in rows.into_iter().enumerate() {
        let ids = |list: &[i32]| list.iter().map(|id| BrokerId(*id)).collect::<Vec<_>>();
        let (from_ids, to_ids) = (ids(&from), ids(&to));
        list.push(Move {
            topic: 0,
            partition: at as i32,
            from: &from_ids,
            to: &to_ids,
            bytes: Some(bytes),
            leader: None,
        });
        topic.bytes.push(bytes);
        topic.replicas.push(from);
    }
    let mut setup = Setup {
        brokers: (0..brokers)
            .map(|id| BrokerSetup {
                dirs: vec![1 << 60],
                line_speed: 1_250_000_000,
                ..BrokerSetup::new(id, "z")
            })
            .collect(),
        ..Setup::default()
    };
    topic.id = Some(restow_planner::model::TopicId([7; 16]));
    let plan = Plan {
        brokers: (0..brokers)
            .map(|id| PlanBroker {
                id: BrokerId(id),
                rack: None,
                zone: Some("z".into()),
                limit_bytes: None,
                pinned: false,
            })
            .collect(),
        topics: vec![PlanTopic {
            name: "t".into(),
            id: restow_planner::model::TopicId([7; 16]),
            internal: false,
            min_isr: Some(1),
            hold_min_isr: None,
            zones: vec![],
        }],
        moves: list,
        ..Plan::empty(&setup.cluster_id)
    };
    setup.topics.push(topic);
    (plan, setup)
}
