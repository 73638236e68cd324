//! `restow rehearse`: the real executor, over the real protocol, on a simulated copy of a snapshot. Time is
//! virtual: a day takes seconds.

mod troubles;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use restow_client::{Client, Dial, Options};
use restow_executor::drive::{Orders, Pace};
use restow_executor::events::{Event, Watch};
use restow_executor::journal::{Gate, Goal, Journal, Memory, MemoryBacking};
use restow_executor::run::{self, Env, Report, Stop, Task};
use restow_planner::forecast::bound;
use restow_planner::model::Cluster;
use restow_planner::plan::{Plan, Step};
use restow_planner::schedule::Load;
use restow_simulator::{Setup, Simulator};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use self::troubles::{Happened, troubles};
use super::session::run_error;
use super::{forecast, outlook};
use crate::args::fault::Fault;
use crate::args::{Format, Rehearse};
use crate::error::{Error, Exit};
use crate::render::progress::Screen;
use crate::render::table::Table;
use crate::render::{self, report, units};

/// A rehearsal that can do nothing for so long is over, where `--hold-timeout` says nothing.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A client of a simulated cluster.
pub(super) async fn connect(sim: &Simulator) -> Result<Client, Error> {
    let servers: Vec<String> = sim.bootstrap().split(',').map(str::to_owned).collect();
    let dial = sim.clone();
    let connect = Arc::new(Dial(move |at: &str| dial.connect(at)));
    Ok(Client::bootstrap(connect, &servers, Options::default()).await?)
}

/// What a rehearsal came to.
struct Played {
    report: Report,
    took: Duration,
    stages: Vec<(Step, Duration)>,
    happened: Vec<Happened>,
    /// Brokers with size, most used, and used at the end of each log directory.
    dirs: BTreeMap<i32, Vec<(u64, u64)>>,
}

/// Runs the verb. Must be called within a runtime whose clock is paused.
pub async fn run(args: &Rehearse, format: Format) -> Result<Exit, Error> {
    let (plan, hash) = super::read_plan(&args.plan)?;
    let cluster = super::read_cluster(&args.cluster, &args.zones)?;
    if cluster.id != plan.cluster_id {
        return Err(Error::refused(format!(
            "the plan is for cluster {}, and {} is a snapshot of {}",
            plan.cluster_id,
            args.cluster.display(),
            cluster.id
        )));
    }
    for fault in &args.faults {
        let known = |id| cluster.brokers.iter().any(|broker| broker.id.0 == id);
        if let Some(id) = fault.what.broker().filter(|id| !known(*id)) {
            return Err(Error::usage(format!("--fault {:?}: the snapshot has no broker {id}", fault.text)));
        }
    }
    let show = Show { format, speed: args.speed, is_shown: true };
    let played = play(args, &plan, &hash, &cluster, &args.faults, show).await?;
    // The same without faults shows what they cost.
    let quiet = match args.faults.is_empty() {
        true => None,
        false => Some(play(args, &plan, &hash, &cluster, &[], Show { is_shown: false, ..show }).await?.took),
    };
    tell(&plan, &played, quiet, args, format);
    Ok(super::apply::exit(&played.report))
}

#[derive(Debug, Clone, Copy)]
struct Show {
    format: Format,
    speed: Option<Duration>,
    is_shown: bool,
}

async fn play(
    args: &Rehearse,
    plan: &Plan,
    hash: &str,
    cluster: &Cluster,
    faults: &[Fault],
    show: Show,
) -> Result<Played, Error> {
    let mut setup = Setup { version: args.kafka.clone(), ..Setup::of(cluster) };
    let round_trips = super::beside::round_trips(plan, &args.links, args.zones.topology.as_deref())?;
    setup.rtt = round_trips.iter().map(|rtt| ((rtt.a.clone(), rtt.b.clone()), rtt.time)).collect();
    let sim = Simulator::new(&setup).map_err(|error| Error::usage(format!("--kafka: {error}")))?;
    let client = connect(&sim).await?;
    let failed = |error: &dyn std::fmt::Display| Error::internal(format!("the rehearsal failed: {error}"));
    let (mut journal, _) = Journal::open(Box::new(MemoryBacking::default())).map_err(|e| failed(&e))?;
    let pace = Pace {
        throttle: args.throttle.rate(),
        per_broker: args.pace.max_in_flight_per_broker as usize,
        poll: args.pace.poll_interval,
        dwell: args.pace.dwell,
        hold_timeout: Some(args.pace.hold_timeout.unwrap_or(PATIENCE)),
        ..Pace::default()
    };
    let task = Task {
        approve: vec![Gate::Swap, Gate::Shrink],
        outlook: outlook::of(plan, cluster, forecast::load(plan, cluster, &round_trips), &pace),
        ..Task::new(Goal::Forward, hash, &args.plan.display().to_string(), pace)
    };
    let began = Instant::now();
    let wall = move || began.elapsed().as_millis() as u64;
    let (_to, stop) = watch::channel(Stop::No);
    let percent = Rc::new(Cell::new(0));
    let mut seer = Seer {
        screen: show.is_shown.then(|| Screen::new(show.format)),
        show,
        began,
        shown: Duration::ZERO,
        percent: percent.clone(),
        stages: Vec::new(),
    };
    let mut memory = Memory::default();
    let mut env = Env {
        wall: &wall,
        stop,
        orders: &Orders::default,
        watch: &mut seer,
        host: "rehearsal".into(),
        pid: std::process::id(),
    };
    let mut happened = Vec::new();
    let report = tokio::select! {
        biased;
        ended = run::work(&client, plan, &task, &mut journal, &mut memory, &mut env) => ended.map_err(run_error)?,
        () = troubles(&sim, faults, &percent, &mut happened, show) => unreachable!("trouble never ends"),
    };
    let took = began.elapsed();
    let dirs = cluster.brokers.iter().zip(&setup.brokers).map(|(broker, setup)| {
        let peaks = sim.disk_peak(broker.id.0);
        (broker.id.0, peaks.into_iter().zip(setup.dirs.iter().copied()).collect())
    });
    Ok(Played { report, took, stages: seer.stages, happened, dirs: dirs.collect() })
}

/// Shows a run with the cluster's time, and at its pace.
struct Seer {
    screen: Option<Screen>,
    show: Show,
    began: Instant,
    shown: Duration,
    percent: Rc<Cell<u64>>,
    stages: Vec<(Step, Duration)>,
}

impl Watch for Seer {
    #[expect(
        clippy::disallowed_methods,
        reason = "real time on purpose: the cluster's own time stands still meanwhile"
    )]
    fn event(&mut self, event: &Event) {
        let now = self.began.elapsed();
        match event {
            Event::Progress(progress) => {
                let percent = match progress.bytes {
                    0 => (progress.moves_done * 100).checked_div(progress.moves),
                    bytes => Some(progress.bytes_done * 100 / bytes),
                };
                self.percent.set(percent.unwrap_or(100).max(self.percent.get()));
                if let Some(speed) = self.show.speed.filter(|speed| self.show.is_shown && !speed.is_zero()) {
                    let passed = now.saturating_sub(self.shown);
                    std::thread::sleep(Duration::from_secs_f64(passed.as_secs_f64() / speed.as_secs_f64()));
                }
                self.shown = now;
            }
            Event::Stage { step } => self.stages.push((*step, now)),
            _ => {}
        }
        let Some(screen) = &mut self.screen else { return };
        let is_told = matches!(
            event,
            Event::Stage { .. }
                | Event::Held(_)
                | Event::Cleared(_)
                | Event::Note { .. }
                | Event::Sent { ok: false, .. }
        );
        if is_told && self.show.format == Format::Text {
            screen.time(now);
        }
        screen.event(event);
    }
}

fn tell(plan: &Plan, played: &Played, quiet: Option<Duration>, args: &Rehearse, format: Format) {
    if format == Format::Json {
        let seconds = |time: Duration| time.as_secs();
        let stages = played.stages.iter().map(|(step, at)| json!({"stage": step, "at_s": seconds(*at)}));
        let dirs = played.dirs.iter().flat_map(|(broker, dirs)| {
            let row = move |(n, (peak, size)): (usize, &(u64, u64))| {
                json!({"broker": broker, "dir": n, "peak_bytes": peak, "size_bytes": size})
            };
            dirs.iter().enumerate().map(row)
        });
        println!(
            "{}",
            json!({
                "event": "rehearsed",
                "outcome": played.report.outcome,
                "took_s": seconds(played.took),
                "without_faults_s": quiet.map(seconds),
                "stages": stages.collect::<Vec<_>>(),
                "dirs": dirs.collect::<Vec<_>>(),
            })
        );
        return;
    }
    report::print(plan, &played.report, None, "the rehearsal ends here", format);
    println!("\nthe cluster's time");
    let ends = played.stages.iter().skip(1).map(|(_, at)| *at).chain([played.took]);
    for ((step, at), end) in played.stages.iter().zip(ends) {
        println!(
            "  {step:<7} {:>10}, from {} on",
            units::time(whole(end.saturating_sub(*at))),
            units::time(whole(*at))
        );
    }
    println!("  in all  {:>10}", units::time(whole(played.took)));
    if let Some(least) = args.throttle.rate().and_then(|rate| bound(plan, &Load::default(), rate)) {
        let time = units::time(whole(Duration::from_millis(least.milliseconds)));
        println!("  the busiest broker's bytes at the throttle alone: {time}");
    }
    if let Some(quiet) = quiet {
        println!("\nwhat the faults did");
        for one in &played.happened {
            println!("  {:>10}  {}", units::time(whole(one.at)), one.what);
        }
        let more = played.took.saturating_sub(quiet);
        println!(
            "  without them it takes {}: they cost {}",
            units::time(whole(quiet)),
            units::time(whole(more))
        );
    }
    println!("\nmost bytes in each log directory");
    let mut table = Table::new(&["broker", "dir", "most used", "size", ""]);
    for (broker, dirs) in &played.dirs {
        for (n, (peak, size)) in dirs.iter().enumerate() {
            let known = *size < 1 << 59;
            let size_told = if known { units::bytes(*size) } else { "unknown".into() };
            let part = if known { format!("{} %", peak * 100 / size.max(&1)) } else { String::new() };
            table.row([broker.to_string(), n.to_string(), units::bytes(*peak), size_told, part]);
        }
    }
    let _ = render::print(&table.render(0));
}

fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}
