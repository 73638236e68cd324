//! The journal of a run against a simulated cluster, in virtual time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use restow_client::{Client, Dial, Options};
use restow_executor::drive::{Orders, Pace};
use restow_executor::events::{Event, Watch};
use restow_executor::journal::{FileBacking, Gate, Goal, Journal, Outcome, fold};
use restow_executor::run::{Env, Outlook, Stop, Task, work};
use restow_planner::file;
use restow_planner::forecast;
use restow_planner::model::Cluster;
use restow_planner::plan::Plan;
use restow_planner::schedule::Load;
use restow_simulator::{Setup, Simulator};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// When the run begins: 2026-11-21T12:40:05Z.
const BEGIN: u64 = 1_795_264_805_000;

struct Unseen;

impl Watch for Unseen {
    fn event(&mut self, _: &Event) {}
}

/// Carries a plan out, from gate to gate in three processes, and leaves the journal in a file.
pub fn journal(cluster: &Path, plan: &Path, journal: &Path) {
    let open = |path: &Path| std::fs::File::open(path).expect("a file");
    let cluster =
        file::snapshot::read(std::io::BufReader::new(open(cluster)), "cluster").expect("a snapshot");
    let (read, hash) = file::plan::read(open(plan), "plan").expect("a plan");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let lab = Lab::new(cluster, read, hash, plan).await;
        assert_eq!(lab.process(journal, &[]).await, Outcome::Gate(Gate::Swap));
        sleep(Duration::from_secs(20)).await;
        assert_eq!(lab.process(journal, &[Gate::Swap]).await, Outcome::Gate(Gate::Shrink));
        sleep(Duration::from_secs(40)).await;
        assert_eq!(lab.process(journal, &[Gate::Shrink]).await, Outcome::Done);
    });
}

struct Lab {
    cluster: Cluster,
    plan: Plan,
    hash: String,
    path: String,
    client: Client,
    began: Instant,
    _sim: Simulator,
}

impl Lab {
    async fn new(cluster: Cluster, plan: Plan, hash: String, path: &Path) -> Lab {
        let sim = Simulator::new(&Setup::of(&cluster)).expect("a simulated cluster");
        let servers: Vec<String> = sim.bootstrap().split(',').map(str::to_owned).collect();
        let dial = sim.clone();
        let connect = Arc::new(Dial(move |at: &str| dial.connect(at)));
        let client = Client::bootstrap(connect, &servers, Options::default()).await.expect("a client");
        Lab {
            cluster,
            plan,
            hash,
            path: path.display().to_string(),
            client,
            began: Instant::now(),
            _sim: sim,
        }
    }

    async fn process(&self, path: &Path, approve: &[Gate]) -> Outcome {
        let (mut journal, records) =
            Journal::open(Box::new(FileBacking::open(path).expect("a journal"))).expect("a sound journal");
        let mut memory = fold(&records);
        let pace = Pace { throttle: Some(10_000_000), ..Pace::default() };
        let load = Load::of(&self.plan, &self.cluster);
        let told = forecast::forecast(&self.plan, &load, &forecast::Pace::new(pace.limits()));
        let task = Task {
            approve: approve.to_vec(),
            outlook: Outlook { load, forecast: Some(told) },
            ..Task::new(Goal::Forward, &self.hash, &self.path, pace)
        };
        let began = self.began;
        let wall = move || BEGIN + began.elapsed().as_millis() as u64;
        let (_to, stop) = watch::channel(Stop::No);
        let mut env = Env {
            wall: &wall,
            stop,
            orders: &Orders::default,
            watch: &mut Unseen,
            host: "ops-1".into(),
            pid: 4711,
        };
        let ended = work(&self.client, &self.plan, &task, &mut journal, &mut memory, &mut env).await;
        ended.expect("the run ends").outcome
    }
}
