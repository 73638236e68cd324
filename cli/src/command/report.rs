//! `restow report`: one page about a plan, a run or a what-if.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use restow_executor::drive::Pace;
use restow_executor::journal::{Journal, Memory, Record, fold};
use restow_planner::file;
use restow_planner::model::Cluster;
use restow_planner::plan::Plan;
use restow_planner::schedule::{Disks, doomed};
use restow_planner::whatif::Answers;
use serde_json::json;

use super::{forecast, outlook};
use crate::args::{Format, Report, Zones};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::page::{self, History, Outlook, Subject};
use crate::render::{self, json as render_json, units};

/// What a page can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plan,
    Run,
    Whatif,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Plan => "plan",
            Kind::Run => "run",
            Kind::Whatif => "whatif",
        }
    }
}

/// Writes the page.
pub fn run(args: &Report, format: Format) -> Result<Exit, Error> {
    let kind = kind(&args.input)?;
    let text = match kind {
        Kind::Plan => of_plan(args)?,
        Kind::Run => of_run(args)?,
        Kind::Whatif => of_whatif(args)?,
    };
    files::write(&args.out, |to| to.write_all(text.as_bytes()))?;
    let (out, size) = (args.out.display().to_string(), text.len() as u64);
    match format {
        Format::Text => render::print(&format!("Written {out}: {}\n", units::bytes(size)))?,
        Format::Json => render::print(&render_json::done(json!({
            "about": kind.name(),
            "report": out,
            "bytes": size,
        })))?,
    }
    Ok(Exit::Done)
}

fn of_plan(args: &Report) -> Result<String, Error> {
    if args.plan.is_some() {
        let why = format!("--plan names the plan of a journal, and {} is a plan", args.input.display());
        return Err(Error::usage(why));
    }
    let (plan, hash) = super::read_plan(&args.input)?;
    let throttle = args.throttle.map(crate::args::Throttle::rate);
    if args.cluster.is_some() && throttle.is_none() {
        return Err(Error::usage("--cluster: without --throttle there is nothing to forecast")
            .hint("give both, as in --cluster cluster.json --throttle 50MB/s, or none"));
    }
    let name = args.input.display().to_string();
    let subject = subject(args, &plan, &hash, &name, throttle.flatten())?;
    Ok(page::of_plan(&subject))
}

fn of_run(args: &Report) -> Result<String, Error> {
    let records = Journal::read(&args.input).map_err(|error| Error::usage(error.to_string()))?;
    let memory = fold(&records);
    let (path, plan, hash) = plan_of(args, &records, &memory)?;
    let throttle = args.throttle.map_or(memory.throttle, crate::args::Throttle::rate);
    let name = path.display().to_string();
    let subject = subject(args, &plan, &hash, &name, throttle)?;
    Ok(page::of_run(&subject, &History::of(&plan, &records)))
}

fn of_whatif(args: &Report) -> Result<String, Error> {
    if args.plan.is_some() || args.cluster.is_some() {
        let why = format!("--plan and --cluster are about a plan, and {} is a what-if", args.input.display());
        return Err(Error::usage(why));
    }
    let (from, name) = files::open(&args.input)?;
    let answers: Answers =
        serde_json::from_reader(from).map_err(|error| Error::usage(format!("{name}: {error}")))?;
    if answers.version > Answers::VERSION {
        return Err(Error::usage(format!(
            "{name}: version {} of {}; this restow reads up to {}",
            answers.version,
            Answers::FORMAT,
            Answers::VERSION
        )));
    }
    Ok(page::of_answers(&answers, args.price_per_gb))
}

/// The plan with what was asked beside it.
fn subject<'a>(
    args: &Report,
    plan: &'a Plan,
    hash: &'a str,
    name: &'a str,
    throttle: Option<u64>,
) -> Result<Subject<'a>, Error> {
    let outlook = match &args.cluster {
        None => None,
        Some(path) => {
            let cluster = super::read_cluster(path, &Zones::default())?;
            if cluster.id != plan.cluster_id {
                return Err(Error::usage(format!(
                    "the plan is for cluster {}, and {} is of cluster {}",
                    plan.cluster_id,
                    path.display(),
                    cluster.id
                )));
            }
            foresee(plan, &cluster, throttle)
        }
    };
    Ok(Subject { price: args.price_per_gb, outlook, ..Subject::new(plan, hash, name) })
}

/// What is expected of a plan at a throttle, at the pace of `restow apply` if nothing else is said to it.
fn foresee(plan: &Plan, cluster: &Cluster, throttle: Option<u64>) -> Option<Outlook> {
    let load = forecast::load(plan, cluster, &[]);
    let dooms = doomed(plan, &load, throttle, Some(Disks::of(cluster)));
    let pace = Pace { throttle, ..Pace::default() };
    let told = outlook::of(plan, cluster, load, &pace).forecast?;
    Some(Outlook { told, dooms, throttle })
}

/// The plan of a journal: the one that is named, else the one where the journal says, else the one that the journal
/// lies beside.
fn plan_of(args: &Report, records: &[Record], memory: &Memory) -> Result<(PathBuf, Plan, String), Error> {
    let journal = args.input.display();
    let Some(opened) = &memory.last else {
        let torn = if records.is_empty() { ": it holds no whole record" } else { "" };
        return Err(Error::usage(format!("{journal}: nothing was begun in this journal{torn}")));
    };
    if opened.plan_hash.is_empty() {
        return Err(Error::usage(format!(
            "{journal} is of a sweep that had no plan: there is nothing to report"
        )));
    }
    let hint = "name the plan with --plan FILE";
    let path = match &args.plan {
        Some(path) => path.clone(),
        None => {
            let places = [Some(PathBuf::from(&opened.plan_path)), beside(&args.input)];
            places.into_iter().flatten().find(|path| path.is_file()).ok_or_else(|| {
                Error::usage(format!("the plan of {journal} is not at {}", opened.plan_path)).hint(hint)
            })?
        }
    };
    let (plan, hash) = super::read_plan(&path)?;
    if hash != opened.plan_hash {
        let why = format!(
            "{} is not the plan of {journal}: it is {hash}, and that is {}",
            path.display(),
            opened.plan_hash
        );
        return Err(Error::usage(why).hint(hint));
    }
    Ok((path, plan, hash))
}

/// `PLAN` of `PLAN.journal`.
fn beside(journal: &Path) -> Option<PathBuf> {
    journal.extension().is_some_and(|kind| kind == "journal").then(|| journal.with_extension(""))
}

/// What the file is about, told by how it begins.
fn kind(path: &Path) -> Result<Kind, Error> {
    let (mut from, name) = files::open(path)?;
    let head = from.fill_buf().map_err(|error| Error::file(path, "read", &error))?;
    if is_record(head) {
        return Ok(Kind::Run);
    }
    let expected = "a report is about a plan, the journal of a run, or what restow whatif wrote";
    match format_of(head) {
        Some(format) if format == file::plan::FORMAT => Ok(Kind::Plan),
        Some(format) if format == Answers::FORMAT => Ok(Kind::Whatif),
        Some(format) if format == file::snapshot::FORMAT => {
            Err(Error::usage(format!("{name}: is a snapshot ({format}); {expected}"))
                .hint("`restow plan` makes a plan of a snapshot"))
        }
        Some(format) => Err(Error::usage(format!("{name}: has the format {format:?}; {expected}"))),
        None if head.is_empty() => Err(Error::usage(format!("{name}: is empty; {expected}"))),
        None => Err(Error::usage(format!("{name}: is none of that; {expected}"))),
    }
}

/// Whether these bytes begin as a record of a journal does: eight hexadecimal digits, a blank, an object.
fn is_record(head: &[u8]) -> bool {
    let is_sum = head.len() > 9 && head[..8].iter().all(u8::is_ascii_hexdigit);
    is_sum && head[8..10] == *b" {"
}

/// The `format` of one of our files: its first member.
fn format_of(head: &[u8]) -> Option<String> {
    const ENOUGH: usize = 200;
    let text = String::from_utf8_lossy(&head[..head.len().min(ENOUGH)]).into_owned();
    let mut rest = text.as_str();
    for token in ["{", "\"format\"", ":", "\""] {
        rest = rest.trim_start().strip_prefix(token)?;
    }
    rest.split_once('"').map(|(format, _)| format.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_how_they_begin() {
        assert!(is_record(b"0a1b2c3d {\"record\":\"opened\""));
        for other in
            ["", "0a1b2c3d", "0a1b2c3d [", "{\"format\":\"restow-plan\"", "0a1b2c3g {}", "\u{feff}{}"]
        {
            assert!(!is_record(other.as_bytes()), "{other}");
        }
        let format = |text: &str| format_of(text.as_bytes());
        assert_eq!(format("{\"format\":\"restow-plan\",\"version\":1"), Some("restow-plan".into()));
        assert_eq!(format("\n { \"format\" :\t\"x\"}"), Some("x".into()));
        for other in ["", "{", "{\"version\":1,\"format\":\"x\"}", "{\"format\":1}", "{\"format\":\"cut"] {
            assert_eq!(format(other), None, "{other}");
        }
        assert_eq!(format_of(&[b'{', 0xff, 0xfe]), None);
    }

    #[test]
    fn a_journal_lies_beside_its_plan() {
        assert_eq!(beside(Path::new("a/plan.json.journal")), Some(PathBuf::from("a/plan.json")));
        assert_eq!(beside(Path::new("a/plan.json")), None);
    }
}
