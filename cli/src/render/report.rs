//! What a run, a status and a rollback say at their end.

use std::collections::BTreeSet;
use std::time::Duration;

use restow_executor::events::Remains;
use restow_executor::journal::{Goal, Memory, Outcome};
use restow_executor::run::{Late, Report, Score};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::{Intent, Pacing, Plan};
use serde::Serialize;

use super::{list, units};
use crate::args::Format;

/// Names of at most this many partitions are printed.
const NAMES: usize = 10;

fn names(partitions: &[TopicPartition]) -> String {
    let shown = list::commas(partitions.iter().take(NAMES));
    match partitions.len().checked_sub(NAMES) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

#[derive(Serialize)]
struct Json<'a> {
    event: &'a str,
    outcome: Outcome,
    stage: Option<restow_planner::plan::Step>,
    moves_done: u64,
    moves: u64,
    in_flight: Vec<String>,
    diverged: Vec<String>,
    set_aside: Vec<String>,
    taken_back: Vec<String>,
    cannot_go_back: Vec<String>,
    gone: Vec<String>,
    recreated: Vec<String>,
    left: &'a [String],
    holds: &'a [restow_executor::drive::Hold],
    sources: &'a [Remains],
    copying: Option<Score>,
}

fn json(event: &str, report: &Report, late: Option<&Late>) {
    let named = |list: &[TopicPartition]| list.iter().map(ToString::to_string).collect();
    let told = Json {
        event,
        outcome: report.outcome,
        stage: report.progress.step,
        moves_done: report.progress.moves_done,
        moves: report.progress.moves,
        in_flight: named(&report.flying),
        diverged: named(&report.diverged),
        set_aside: named(&report.aside),
        taken_back: named(&report.undone),
        cannot_go_back: named(&report.short),
        gone: named(&report.gone),
        recreated: named(&report.recreated),
        left: &report.left,
        holds: &report.holds,
        sources: late.map_or(&[], |late| &late.remains),
        copying: report.score,
    };
    match serde_json::to_string(&told) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("the result cannot be written: {error}"),
    }
}

/// A prediction and what came of it.
pub fn scored(score: &Score) -> String {
    let time = |seconds| units::time(Duration::from_secs(seconds));
    let took = format!("copying took {}", time(score.took));
    let Some(predicted) = score.predicted else { return took };
    let off = predicted.abs_diff(score.took) * 100 / score.took.max(1);
    let how = if predicted < score.took { "too short" } else { "too long" };
    format!("{took}; {} were expected, {off} % {how}", time(predicted))
}

/// The end of `apply` and `rollback`.
pub fn print(plan: &Plan, report: &Report, late: Option<&Late>, again: &str, format: Format) {
    if format == Format::Json {
        return json("result", report, late);
    }
    if let Some(score) = report.score {
        println!("{}", scored(&score));
    }
    match report.outcome {
        Outcome::Done => println!("done: nothing is left to do"),
        Outcome::Gate(gate) => {
            println!("waiting at the gate before {gate}. To go on:\n  {again}");
        }
        Outcome::Stopped => println!("stopped. To go on:\n  {again}"),
        Outcome::Diverged => {
            let rest = if plan.pacing == Pacing::Staged { "the rest of the stage" } else { "the rest" };
            println!(
                "the cluster diverged from the plan; {rest} is finished. To go on without them:\n  \
                 {again} --set-aside {}",
                list::plain(&report.diverged)
            );
        }
        Outcome::Aside => println!("done, but for what is named below"),
        Outcome::Left => println!("done, but something of ours is left"),
        Outcome::Held => println!("held for longer than --hold-timeout. To go on:\n  {again}"),
        Outcome::Refused => println!("refused: nothing was asked of the cluster"),
        Outcome::PartlyBack => {
            println!(
                "what was not shrunk is back at its start; the old copies of {} are dropped. To copy them back:\n  {again}",
                units::of(report.shrunk.len() as u64, "partition")
            );
        }
    }
    findings(report);
    sources(plan, late);
}

fn findings(report: &Report) {
    let say = |what: &str, partitions: &[TopicPartition]| {
        if !partitions.is_empty() {
            println!("{what}: {}", names(partitions));
        }
    };
    say("in flight, ours, under our throttles", &report.flying);
    say("settled in a list that is not ours", &report.diverged);
    say("set aside, left as they are", &report.aside);
    say("taken back, because they go to a broker that was given up: plan again for them", &report.undone);
    say(
        "cannot go back, because the copy on a broker that was given up is dropped; `restow apply` ends them",
        &report.short,
    );
    say("deleted during the run", &report.gone);
    say("deleted and created again during the run, left alone", &report.recreated);
    for hold in &report.holds {
        println!("holding: {hold}");
    }
    for left in &report.left {
        println!("still set by us: {left}");
    }
}

/// The last lines: each source broker is empty, or holds N replicas.
fn sources(plan: &Plan, late: Option<&Late>) {
    let Some(late) = late else {
        if !plan.intent.sources().is_empty() {
            println!("what the source brokers still hold is unknown: they could not be asked");
        }
        return;
    };
    for (partition, replicas) in &late.inflated {
        let replicas = list::commas(replicas);
        println!("{partition}: added during the run with {replicas}: more replicas than its topic has");
    }
    for remains in &late.remains {
        let dirs = match remains.in_log_dirs {
            Some(0) => "its log directories are empty".into(),
            Some(n) => format!("{} in its log directories", units::of(n, "replica")),
            None => "its log directories are unknown: it did not answer".into(),
        };
        if remains.partitions.is_empty() {
            println!("source broker {}: empty ({dirs})", remains.broker);
        } else {
            let replicas = units::of(remains.partitions.len() as u64, "replica");
            println!(
                "source broker {}: {replicas} left ({dirs}): {}",
                remains.broker,
                names(&remains.partitions)
            );
        }
    }
}

/// The commands for partitions that this plan does not bring to an end: they came late, their topic was created
/// again, or they were taken back.
pub fn late(
    plan: &Plan,
    report: &Report,
    late: Option<&Late>,
    given_up: &BTreeSet<BrokerId>,
    cluster: &str,
    format: Format,
) {
    let Intent::Migrate { from, to, .. } = &plan.intent else { return };
    let topics = late_topics(plan, report, late);
    if topics.is_empty()
        || format == Format::Json
        || !matches!(report.outcome, Outcome::Done | Outcome::Aside)
    {
        return;
    }
    let to = to.iter().filter(|id| !given_up.contains(id));
    let topics: String =
        topics.iter().map(|topic| format!(" --topics '{}'", topic.replace('.', "\\."))).collect();
    println!(
        "to move these too:\n  restow snapshot {cluster} -o late.json\n  \
         restow plan migrate --cluster late.json --from {} --to {}{topics} -o late-plan.json",
        list::plain(from),
        list::plain(to)
    );
}

fn late_topics(plan: &Plan, report: &Report, late: Option<&Late>) -> BTreeSet<String> {
    let mut topics: BTreeSet<String> =
        report.undone.iter().chain(&report.recreated).map(|partition| partition.topic.clone()).collect();
    let Some(late) = late else { return topics };
    let planned: BTreeSet<TopicPartition> = plan.moves.iter().map(|m| plan.partition_of(&m)).collect();
    let left_out: BTreeSet<&TopicPartition> = plan.left_out.iter().map(|left| &left.partition).collect();
    let stays = |p: &&TopicPartition| !planned.contains(*p) && !left_out.contains(*p);
    // What the intent never covered stays on purpose: only topics of the plan are late.
    let of_plan = |p: &&TopicPartition| plan.topics.binary_search_by(|t| t.name.cmp(&p.topic)).is_ok();
    let remains = late.remains.iter().flat_map(|remains| &remains.partitions);
    let new =
        remains.chain(late.inflated.iter().map(|(partition, _)| partition)).filter(stays).filter(of_plan);
    topics.extend(new.map(|partition| partition.topic.clone()));
    topics
}

/// Partitions that another replica led before the plan: a rollback leaves them with their preferred leader.
pub fn leaders_elsewhere(plan: &Plan, format: Format) {
    if format == Format::Json {
        return;
    }
    for m in plan.moves.iter() {
        if let Some(leader) = m.leader {
            println!(
                "{}: broker {leader} led it before the plan, now its preferred leader {}",
                plan.partition_of(&m),
                m.from[0]
            );
        }
    }
}

/// `restow status`.
pub fn status(
    plan: &Plan,
    memory: &Memory,
    goal: Goal,
    report: &Report,
    late: Option<&Late>,
    format: Format,
) {
    if format == Format::Json {
        return json("status", report, late);
    }
    match (&memory.last, &memory.closed) {
        (None, _) => println!("no journal: nothing was asked by this restow under this plan"),
        (Some(opened), None) => {
            println!("a run is unfinished: {:?}, last by pid {} on {}", opened.goal, opened.pid, opened.host);
        }
        (Some(_), Some((outcome, _))) => println!("the last run ended: {outcome:?}"),
    }
    let progress = &report.progress;
    match (report.outcome, progress.step) {
        (Outcome::Done, _) if goal == Goal::Back => println!("everything is back at its start"),
        (Outcome::Done, _) => println!("everything is at its target"),
        (Outcome::Gate(gate), _) => println!("at the gate before {gate}"),
        (_, Some(step)) => println!("stage {step}: {} of {} partitions", progress.moves_done, progress.moves),
        _ => println!("under way: {} of {} partitions", progress.moves_done, progress.moves),
    }
    if !memory.given_up.is_empty() {
        println!("brokers given up: {}", list::commas(&memory.given_up));
    }
    if !memory.approvals.is_empty() {
        println!("approved: {}", list::commas(&memory.approvals));
    }
    findings(report);
    sources(plan, late);
}
