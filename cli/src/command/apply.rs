//! `restow apply`: runs a plan, from wherever it stands.

use std::collections::BTreeSet;

use restow_client::Client;
use restow_executor::drive::{self, Orders};
use restow_executor::journal::{Gate, Goal, Memory, Outcome};
use restow_executor::run::{self, Env, Outlook, Report, RunError, Task, preflight};
use restow_planner::model::{BrokerId, Cluster, TopicPartition};
use restow_planner::plan::{Pacing, Plan, Step};

use super::orders::{self, Inbox};
use super::outlook::foresee;
use super::session::{self, Session, run_error};
use crate::args::{self, Apply, Format, journal_of};
use crate::error::{Error, Exit};
use crate::render::audit::Audited;
use crate::render::progress::Screen;
use crate::render::{list, report, units};
use crate::{clock, connect};

/// Runs the verb.
pub async fn run(args: &Apply, format: Format) -> Result<Exit, Error> {
    let (plan, hash) = super::read_plan(&args.plan)?;
    // What cannot be used is refused before anything is opened.
    super::beside::round_trips(&plan, &args.links, args.topology.as_deref())?;
    let client = connect::client(&args.bootstrap).await?;
    session::belongs_to(&client, &plan)?;
    run::permitted(&client, &plan).await.map_err(run_error)?;
    let journal = journal_of(&args.plan, args.journal.as_deref());
    let mut session = session::open(&plan, &hash, &journal, &args.audit)?;
    let mut pace = pace(&args.pace, args.throttle.rate());
    pace.adopt = args.adopt;
    pace.ignore = args.holds.ignore_hold.iter().cloned().collect();
    pace.order = super::forecast::order(args.order);
    pace.until = args.holds.until.map(|until| orders::moment(until, clock::now())).transpose()?;
    let aside = moves_of(&plan, &args.set_aside)?;
    may_give_up(&client, &plan, &args.give_up, &session.memory).await?;
    let gates: BTreeSet<Gate> = args.approve.iter().map(|gate| gate_of(*gate)).collect();

    let before = run::look(&client, &plan, Goal::Forward, &pace, &session.memory, session::wall())
        .await
        .map_err(run_error)?;
    let is_done = before.outcome == Outcome::Done && !session.memory.has_left();
    let mut outlook = Outlook::default();
    if !is_done {
        let approve: Vec<Gate> = gates.iter().copied().collect();
        if !run::may_begin(&plan, &approve, &session.memory) {
            return Err(run_error(RunError::NotApproved));
        }
        let mut cluster = look_first(&client, &plan, args, &session.memory, format).await?;
        if before.stage == Some(Step::Expand) {
            let memory = &session.memory;
            outlook = foresee(&client, &plan, args, &pace, memory, &mut cluster, format).await?;
        }
        if format == Format::Text {
            eprint!("{}", announce(&plan, &before, &pace, &gates, &session.memory));
        }
        if !session::confirm(args.yes, "Go on?")? {
            eprintln!("nothing was changed");
            return Ok(Exit::Waiting);
        }
    }
    let path = std::path::absolute(&args.plan).unwrap_or_else(|_| args.plan.clone());
    let task = Task {
        approve: gates.iter().copied().collect(),
        accept: args.accept_config_diff.clone(),
        give_up: args.give_up.clone(),
        aside,
        outlook,
        ..Task::new(Goal::Forward, &hash, &path.display().to_string(), pace)
    };
    let inbox = Inbox::open(&args.plan, &args.holds).await;
    let report = work(&client, &plan, &task, &mut session, &|| inbox.read(), format).await?;
    let late = run::remains(&client, &plan).await.ok();
    report::print(&plan, &report, late.as_ref(), &again(args, &report), format);
    let cluster = args.bootstrap.flags();
    report::late(&plan, &report, late.as_ref(), &session.memory.given_up, &cluster, format);
    Ok(exit(&report))
}

/// The moves of these partitions, as positions in the plan.
fn moves_of(plan: &Plan, partitions: &[TopicPartition]) -> Result<Vec<u32>, Error> {
    let position = |wanted: &TopicPartition| {
        plan.position_of(wanted)
            .map(|at| at as u32)
            .ok_or_else(|| Error::usage(format!("--set-aside {wanted}: the plan does not move it")))
    };
    partitions.iter().map(position).collect()
}

/// Refuses to give up a broker that somebody still counts on.
async fn may_give_up(
    client: &Client,
    plan: &Plan,
    brokers: &[BrokerId],
    memory: &Memory,
) -> Result<(), Error> {
    for broker in brokers.iter().filter(|broker| !memory.given_up.contains(broker)) {
        if plan.brokers.iter().all(|known| known.id != *broker) {
            return Err(Error::usage(format!("--give-up {broker}: the plan does not know this broker")));
        }
        if let Err(why) = run::is_gone(client, *broker).await.map_err(run_error)? {
            return Err(Error::refused(format!("--give-up {broker}: {why}")));
        }
    }
    Ok(())
}

/// Runs a task to its end, with signals and a screen.
pub async fn work(
    client: &Client,
    plan: &Plan,
    task: &Task,
    session: &mut Session,
    orders: &dyn Fn() -> Orders,
    format: Format,
) -> Result<Report, Error> {
    let Session { journal, memory, audit, .. } = session;
    let mut watch = Audited { screen: Screen::new(format), log: audit.as_mut() };
    let mut env = Env {
        wall: &session::wall,
        stop: session::signals()?,
        orders,
        watch: &mut watch,
        host: session::host(),
        pid: std::process::id(),
    };
    run::work(client, plan, task, journal, memory, &mut env).await.map_err(run_error)
}

/// The exit code of a report.
pub fn exit(report: &Report) -> Exit {
    let exit = match report.outcome {
        Outcome::Done => Exit::Done,
        Outcome::Gate(_) | Outcome::Stopped | Outcome::PartlyBack => Exit::Waiting,
        Outcome::Diverged | Outcome::Aside => Exit::Diverged,
        Outcome::Left => Exit::Left,
        Outcome::Held => Exit::Held,
        Outcome::Refused => return Exit::Refused,
    };
    let left = if report.left.is_empty() || !report.flying.is_empty() { Exit::Done } else { Exit::Left };
    exit.or(left)
}

/// The executor's pace from what was typed.
pub fn pace(args: &args::Pace, throttle: Option<u64>) -> drive::Pace {
    drive::Pace {
        throttle,
        per_broker: args.max_in_flight_per_broker as usize,
        poll: args.poll_interval,
        dwell: args.dwell,
        hold_timeout: args.hold_timeout,
        ..drive::Pace::default()
    }
}

fn gate_of(gate: args::Gate) -> Gate {
    match gate {
        args::Gate::Swap => Gate::Swap,
        args::Gate::Shrink => Gate::Shrink,
    }
}

/// Preflight: before anything was asked its findings are refusals, later they are waited for.
async fn look_first(
    client: &Client,
    plan: &Plan,
    args: &Apply,
    memory: &Memory,
    format: Format,
) -> Result<Cluster, Error> {
    if format == Format::Text {
        eprintln!("looking at the cluster before anything is changed");
    }
    let accepted: BTreeSet<String> =
        args.accept_config_diff.iter().chain(&memory.accepted).cloned().collect();
    let given_up = args.give_up.iter().copied().collect();
    let found =
        preflight(client, plan, &accepted, &given_up, memory, &mut |_| {}).await.map_err(run_error)?;
    if format == Format::Text {
        for warning in &found.warnings {
            eprintln!("warning: {warning}");
        }
        for throttle in &found.throttles {
            eprintln!("found a throttle that is not ours: {throttle}");
        }
        if !memory.asked_anything {
            for partition in &found.in_flight {
                eprintln!("found a reassignment in flight that is not ours: {partition}");
            }
        }
    }
    if found.verdict.accepted() {
        return Ok(found.cluster);
    }
    let findings: Vec<String> = found.verdict.findings.iter().map(ToString::to_string).collect();
    if memory.asked_anything {
        findings.iter().for_each(|finding| eprintln!("since the plan was made: {finding}"));
        return Ok(found.cluster);
    }
    let error = Error::refused(format!(
        "the plan does not fit the cluster as it is now:\n  {}",
        findings.join("\n  ")
    ));
    Err(error.hint("take a new snapshot and plan again"))
}

fn announce(plan: &Plan, at: &Report, pace: &drive::Pace, gates: &BTreeSet<Gate>, memory: &Memory) -> String {
    let mut text =
        format!("cluster {}, {}\n", plan.cluster_id, units::of(plan.moves.len() as u64, "partition"));
    let throttle = match pace.throttle {
        Some(rate) => format!("throttle {} per broker and direction", units::rate(rate)),
        None => "no throttle: copies take all the network and disk they can get".into(),
    };
    text += &format!("{throttle}, {} moves in flight per broker and direction\n", pace.per_broker);
    if let Some(until) = pace.until {
        text += &format!("at rest by {}\n", orders::show(until));
    }
    for ignore in &pace.ignore {
        text += &format!("overridden: {ignore}\n");
    }
    let progress = &at.progress;
    if plan.pacing == Pacing::Pipelined {
        return text + &in_a_pipeline(plan, at, memory);
    }
    if memory.asked_anything {
        let stage = progress.step.map_or_else(|| "the last".into(), |step| step.to_string());
        text += &format!(
            "the run goes on in stage {stage}: {} of {} there\n",
            progress.moves_done, progress.moves
        );
    }
    for step in Step::ALL.into_iter().filter(|step| plan.has(*step)) {
        let count = plan.moves.iter().filter(|m| m.has(step)).count() as u64;
        let gate = match step {
            Step::Swap => Some(Gate::Swap),
            Step::Shrink => Some(Gate::Shrink),
            Step::Expand => None,
        };
        let closed = gate.filter(|gate| !gates.contains(gate) && !memory.approvals.contains(gate));
        let note = match (step, closed) {
            (_, Some(_)) => "  (stops before it: not approved)",
            (Step::Shrink, None) => "  (the point of no return)",
            _ => "",
        };
        text += &format!("  {step:<7}{}{note}\n", units::of(count, "partition"));
    }
    text
}

/// What a pipelined run does: it has no gates.
fn in_a_pipeline(plan: &Plan, at: &Report, memory: &Memory) -> String {
    let mut text = String::new();
    if memory.asked_anything {
        let progress = &at.progress;
        text += &format!(
            "the run goes on: {} of {} at their end\n",
            units::count(progress.moves_done),
            units::of(progress.moves, "partition")
        );
    }
    let steps: Vec<Step> = Step::ALL.into_iter().filter(|step| plan.has(*step)).collect();
    text +=
        &format!("pipelined: each partition goes through {} on its own, without a gate\n", list::and(&steps));
    if plan.has(Step::Shrink) {
        text += "there is no cheap way back: old copies are dropped while others are still copied, and a rollback \
                 takes back only what is not dropped yet\n";
    }
    text
}

/// The command that carries on from where a run stopped.
fn again(args: &Apply, report: &Report) -> String {
    let mut gates: Vec<&str> = Vec::new();
    if args.approve.contains(&args::Gate::Swap) || matches!(report.outcome, Outcome::Gate(_)) {
        gates.push("swap");
    }
    if args.approve.contains(&args::Gate::Shrink) || report.outcome == Outcome::Gate(Gate::Shrink) {
        gates.push("shrink");
    }
    let throttle = args.throttle.rate().map_or_else(|| "none".into(), |rate| format!("{rate}B/s"));
    let approve = if gates.is_empty() { String::new() } else { format!(" --approve {}", gates.join(",")) };
    let journal =
        args.journal.as_ref().map(|path| format!(" --journal {}", path.display())).unwrap_or_default();
    format!(
        "restow apply {} {} --throttle {throttle}{approve}{journal}",
        args.plan.display(),
        args.bootstrap.flags()
    )
}
