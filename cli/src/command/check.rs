//! `restow check`: an independent verdict, on a plan or on a file for the stock tool.

use std::fmt::Write;
use std::path::Path;

use restow_planner::check::{self, At, Verdict};
use restow_planner::file::reassignment;
use restow_planner::model::Cluster;
use serde_json::json;

use crate::args::{Check, Format};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::{self, json as render_json, units};

/// Judges, and says so.
pub fn run(args: &Check, format: Format) -> Result<Exit, Error> {
    let judged = match (&args.plan, &args.reassignment_json_file) {
        (Some(plan), _) => of_plan(plan, args)?,
        (None, Some(file)) => of_assignment(file, args)?,
        (None, None) => return Err(Error::usage("neither a plan nor --reassignment-json-file")),
    };
    let exit = if judged.verdict.accepted() { Exit::Done } else { Exit::Refused };
    match format {
        Format::Text => render::print(&text(&judged))?,
        Format::Json => render::print(&render_json::line(&value(&judged, exit)))?,
    }
    Ok(exit)
}

/// What was judged, and how.
struct Judged {
    what: String,
    against: String,
    verdict: Verdict,
    hint: Option<&'static str>,
}

fn of_plan(path: &Path, args: &Check) -> Result<Judged, Error> {
    let (plan, hash) = super::read_plan(path)?;
    let cluster = super::read_cluster(&args.cluster, &args.zones)?;
    let at = if args.later { At::Anywhere } else { At::Start };
    let verdict = check::judge(&plan, &cluster, at);
    let newer = at == At::Start
        && !verdict.accepted()
        && plan.cluster_id == cluster.id
        && check::judge(&plan, &cluster, At::Anywhere).accepted();
    let hint = newer.then_some(
        "the plan would be accepted with --later: for a snapshot that is newer than the plan, where sizes have \
         changed or the plan is under way",
    );
    Ok(Judged {
        what: format!("plan {} ({hash})", path.display()),
        against: of(&args.cluster, &cluster),
        verdict,
        hint,
    })
}

fn of_assignment(path: &Path, args: &Check) -> Result<Judged, Error> {
    let (from, name) = files::open(path)?;
    let lists = reassignment::read(from, &name)?;
    let cluster = super::read_cluster(&args.cluster, &args.zones)?;
    let lists: Vec<_> = lists.into_iter().map(|item| (item.partition, item.replicas.into())).collect();
    let verdict = check::judge_assignment(&cluster, &lists);
    Ok(Judged {
        what: format!("file {}", path.display()),
        against: of(&args.cluster, &cluster),
        verdict,
        hint: None,
    })
}

fn of(path: &Path, cluster: &Cluster) -> String {
    let taken =
        if cluster.taken_at.is_empty() { String::new() } else { format!(", taken {}", cluster.taken_at) };
    format!("{} (cluster {}{taken})", path.display(), cluster.id)
}

fn text(judged: &Judged) -> String {
    let Judged { what, against, verdict, hint } = judged;
    let mut text = format!("Judged {what}\nagainst {against}\n\n");
    for finding in &verdict.findings {
        let _ = writeln!(text, "  {finding}");
    }
    let partitions = units::of(verdict.partitions as u64, "partition");
    let lists = units::of(verdict.lists as u64, "replica list");
    if verdict.accepted() {
        let _ = writeln!(text, "Accepted: nothing is wrong with {lists} of {partitions}.");
    } else {
        let findings = units::of(verdict.findings.len() as u64, "finding");
        let _ = writeln!(text, "\nRefused: {findings} among {lists} of {partitions}.");
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}

fn value(judged: &Judged, exit: Exit) -> serde_json::Value {
    let verdict = &judged.verdict;
    let findings = verdict.findings.iter().map(|finding| {
        json!({
            "promise": finding.promise.to_string(),
            "topic": finding.partition.as_ref().map(|p| &p.topic),
            "partition": finding.partition.as_ref().map(|p| p.partition),
            "broker": finding.broker,
            "message": finding.message,
        })
    });
    json!({
        "outcome": exit.name(),
        "exit": exit.code(),
        "partitions": verdict.partitions,
        "lists": verdict.lists,
        "findings": findings.collect::<Vec<_>>(),
        "hint": judged.hint,
    })
}
