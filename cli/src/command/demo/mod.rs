//! `restow demo`: the whole story on a simulated cluster inside this process, over the real protocol, in
//! virtual time.

pub mod serve;

use std::time::Duration;

use restow_client::{Client, snapshot};
use restow_executor::drive::{Orders, Pace};
use restow_executor::events::{Event, Watch};
use restow_executor::journal::{Gate, Goal, Journal, Memory, MemoryBacking};
use restow_executor::run::{self, Env, Outlook, Report, Stop, Task};
use restow_planner::check::{self, At};
use restow_planner::model::{BrokerId, Cluster, UNKNOWN_SIZE, watch::Unwatched};
use restow_planner::plan::{Intent, Plan};
use restow_planner::schedule::Load;
use restow_planner::{file, place};
use restow_simulator::{Setup, Simulator};
use tokio::sync::watch;
use tokio::time::Instant;

use super::outlook;
use super::session::run_error;
use crate::args::Format;
use crate::error::{Error, Exit};
use crate::render::progress::Screen;
use crate::render::table::Table;
use crate::render::{self, report, units};

/// The throttle of the demo, bytes/s.
const THROTTLE: u64 = 50_000_000;
/// The snapshot that comes with the binary.
const SNAPSHOT: &[u8] = include_bytes!("../../../../testdata/clusters/demo.json");
/// Real time that each look of a run is shown for: virtual time would be over at once.
const FRAME: Duration = Duration::from_millis(6);

/// A screen that shows virtual time at a pace for eyes.
struct Slowly(Screen);

impl Watch for Slowly {
    #[expect(
        clippy::disallowed_methods,
        reason = "real time on purpose: the cluster's own time stands still meanwhile"
    )]
    fn event(&mut self, event: &Event) {
        self.0.event(event);
        if matches!(event, Event::Progress(_)) {
            std::thread::sleep(FRAME);
        }
    }
}

fn bundled() -> Result<Cluster, Error> {
    Ok(file::snapshot::read(SNAPSHOT, "the bundled snapshot")?)
}

struct Demo {
    sim: Simulator,
    client: Client,
    start: Cluster,
    plan: Plan,
    hash: String,
    journal: Journal,
    memory: Memory,
    began: Instant,
    format: Format,
}

/// Runs the verb. Must be called within a runtime whose clock is paused.
pub async fn run(format: Format) -> Result<Exit, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::internal(format!("the demo failed: {error}"));
    let start = bundled()?;
    let sim = Simulator::new(&Setup::of(&start)).map_err(|e| failed(&e))?;
    title("A simulated cluster: six brokers, two zones; 1, 2, 3 are old, 4, 5, 6 are new and empty", format);
    let client = super::rehearse::connect(&sim).await?;
    let before = look(&client).await?;

    title("restow plan migrate --from 1,2,3 --to 4,5,6", format);
    let plan = plan(&before)?;
    let hash = file::plan::hash(&plan);
    if format == Format::Text {
        render::print(&render::plan::show(&plan, &hash, false))?;
    }
    let verdict = check::judge(&plan, &before, At::Start);
    title(
        &format!("restow check: {} replica lists judged, {} findings", verdict.lists, verdict.findings.len()),
        format,
    );

    let (journal, _) = Journal::open(Box::new(MemoryBacking::default())).map_err(|e| failed(&e))?;
    let began = Instant::now();
    let mut demo = Demo { sim, client, start, plan, hash, journal, memory: Memory::default(), began, format };
    title("restow apply --throttle 50MB/s --approve swap", format);
    demo.work(Goal::Forward, &[Gate::Swap]).await?;
    title("restow rollback: from the last gate before the point of no return, to the exact start", format);
    demo.work(Goal::Back, &[]).await?;
    let back = look(&demo.client).await?;
    let is_same = restow_is_same(&before, &back);
    title(
        if is_same { "every replica list is in its first order again" } else { "the start is NOT restored" },
        format,
    );
    title("restow apply --throttle 50MB/s --approve swap,shrink", format);
    let last = demo.work(Goal::Forward, &[Gate::Swap, Gate::Shrink]).await?;
    let late = run::remains(&demo.client, &demo.plan).await.ok();
    report::print(&demo.plan, &last, late.as_ref(), "", format);
    let after = look(&demo.client).await?;
    if format == Format::Text {
        let took = units::time(Duration::from_secs(demo.began.elapsed().as_secs()));
        title(&format!("Before and after ({took} of the cluster's time)"), format);
        render::print(&compare(&before, &after))?;
    }
    drop(demo.sim);
    Ok(if is_same { super::apply::exit(&last) } else { Exit::Internal })
}

fn title(text: &str, format: Format) {
    if format == Format::Text {
        eprintln!("\n== {text}");
    }
}

async fn look(client: &Client) -> Result<Cluster, Error> {
    let taken = snapshot::take(client, &snapshot::SnapshotOptions::default(), &mut |_| {}).await?;
    Ok(taken.cluster)
}

fn plan(cluster: &Cluster) -> Result<Plan, Error> {
    let ids = |list: [i32; 3]| list.map(BrokerId).to_vec();
    let intent = Intent::Migrate {
        from: ids([1, 2, 3]),
        to: ids([4, 5, 6]),
        topics: vec![],
        exclude: vec![],
        preserve_leaders: false,
    };
    Ok(place::plan(cluster, &intent, &place::Options::default(), &mut Unwatched)?.plan)
}

impl Demo {
    async fn work(&mut self, goal: Goal, approve: &[Gate]) -> Result<Report, Error> {
        let pace = Pace { throttle: Some(THROTTLE), ..Pace::default() };
        let outlook = match goal {
            Goal::Forward => outlook::of(&self.plan, &self.start, Load::of(&self.plan, &self.start), &pace),
            _ => Outlook::default(),
        };
        let task = Task { approve: approve.to_vec(), outlook, ..Task::new(goal, &self.hash, "demo", pace) };
        let began = self.began;
        let wall = move || began.elapsed().as_millis() as u64;
        let (_to, stop) = watch::channel(Stop::No);
        let mut screen = Slowly(Screen::new(self.format));
        let mut env = Env {
            wall: &wall,
            stop,
            orders: &Orders::default,
            watch: &mut screen,
            host: "demo".into(),
            pid: std::process::id(),
        };
        run::work(&self.client, &self.plan, &task, &mut self.journal, &mut self.memory, &mut env)
            .await
            .map_err(run_error)
    }
}

fn restow_is_same(before: &Cluster, after: &Cluster) -> bool {
    let lists = |cluster: &Cluster| -> Vec<Vec<BrokerId>> {
        cluster.partitions().map(|(_, p)| cluster.ids(p.replicas)).collect()
    };
    lists(before) == lists(after)
}

/// Replicas, leaders and bytes per broker, before and after.
fn compare(before: &Cluster, after: &Cluster) -> String {
    let mut table =
        Table::new(&["broker", "zone", "replicas", "leaders", "bytes", "replicas", "leaders", "bytes"]);
    let (was, is) = (tally(before), tally(after));
    for (at, broker) in before.brokers.iter().enumerate() {
        let cells = |(replicas, leaders, bytes): (u64, u64, u64)| {
            [units::count(replicas), units::count(leaders), units::bytes(bytes)]
        };
        let zone = broker.zone.clone().unwrap_or_default();
        let row = [broker.id.to_string(), zone].into_iter().chain(cells(was[at])).chain(cells(is[at]));
        table.row(row);
    }
    table.render(2)
}

fn tally(cluster: &Cluster) -> Vec<(u64, u64, u64)> {
    let mut table = vec![(0, 0, 0); cluster.brokers.len()];
    for (_, p) in cluster.partitions() {
        for (at, broker) in p.replicas.iter().enumerate() {
            let row = &mut table[*broker as usize];
            row.0 += 1;
            row.1 += u64::from(p.leader == Some(*broker));
            row.2 += if p.sizes[at] == UNKNOWN_SIZE { 0 } else { p.sizes[at] };
        }
    }
    table
}
