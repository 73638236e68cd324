//! `restow whatif`: what becomes of a cluster under edits.

use std::path::{Path, PathBuf};

use restow_planner::file::{self, FileError};
use restow_planner::model::watch::{Unwatched, Watch};
use restow_planner::model::{Cluster, NodeType};
use restow_planner::whatif::growth::{CannotFit, Fits, Series};
use restow_planner::whatif::{self, Answered, Answers, Scenario, Setting, WhatifError};

use super::each::each;
use crate::args::{Output, Throttle, Whatif};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::whatif::{self as show, FleetRow, Page};
use crate::render::{self, json, watch::Phases};

/// Asks every scenario of the cluster, or of every cluster of a directory.
pub fn run(args: &Whatif, output: Output) -> Result<Exit, Error> {
    let (scenarios, file) = scenarios(args)?;
    let types = types(args)?;
    if args.cluster.is_dir() {
        return fleet(args, &scenarios, &types, output);
    }
    let mut phases = Phases::new();
    phases.phase("reading the snapshot", 0, 1);
    let cluster = super::read_cluster(&args.cluster, &args.zones)?;
    let fits = fits(args, &cluster)?;
    let setting =
        Setting { types: &types, fits: fits.as_ref(), throttle: args.throttle.and_then(Throttle::rate) };
    let results = match scenarios.as_slice() {
        [one] => vec![whatif::answer(&cluster, one, &setting, &mut phases)],
        all => {
            each(all, "scenarios", &mut phases, |one| whatif::answer(&cluster, one, &setting, &mut Unwatched))
        }
    };
    phases.end();
    let mut told = Vec::new();
    for (scenario, result) in scenarios.iter().zip(results) {
        told.push(answered(scenario, result, file.as_deref(), scenarios.len() > 1)?);
    }
    let exit = if told.iter().any(|one| one.answer.is_none()) { Exit::Refused } else { Exit::Done };
    let answers = Answers {
        format: Answers::FORMAT.into(),
        version: Answers::VERSION,
        cluster_id: cluster.id.clone(),
        taken_at: cluster.taken_at.clone(),
        scenarios: told,
    };
    if let Some(out) = &args.out {
        files::write(out, |to| Ok(serde_json::to_writer(&mut *to, &answers)?))?;
    }
    let page = Page { answers: &answers, price: args.price_per_gb, every_broker: args.brokers };
    match output {
        Output::Text => render::print(&page.text(args.out.as_deref()))?,
        Output::Json => render::print(&json::line(&page.json(exit)))?,
        Output::Csv => render::print(&page.csv())?,
    }
    Ok(exit)
}

/// The scenarios of the file, or the one that was typed; and the file's name.
fn scenarios(args: &Whatif) -> Result<(Vec<Scenario>, Option<String>), Error> {
    let typed = &args.edits.0;
    match (&args.scenarios, typed.is_empty()) {
        (Some(_), false) => Err(Error::usage("-f goes with no edit beside it")
            .hint("write the edit into every scenario of the file that it is for")),
        (Some(path), true) => {
            let (from, name) = files::open(path)?;
            let rows = file::scenarios::read(from, &name)?;
            let all =
                rows.iter().map(|row| Scenario::of_row(row, &name)).collect::<Result<_, FileError>>()?;
            Ok((all, Some(name)))
        }
        (None, true) => Err(Error::usage("nothing is asked").hint(
            "type an edit, as in --lose-any-zone, or name a file of scenarios with -f (restow whatif --help)",
        )),
        (None, false) => {
            let name = typed.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(" ");
            Ok((vec![Scenario { name, edits: typed.clone() }], None))
        }
    }
}

/// Node types that edits may name: those of the files, and those of the topology file, used or not.
fn types(args: &Whatif) -> Result<Vec<NodeType>, Error> {
    let mut types = Vec::new();
    for path in args.node_types.iter().chain(&args.zones.topology) {
        let (from, name) = files::open(path)?;
        types.extend(file::node_types::read(from, &name)?);
    }
    Ok(types)
}

/// Growth that fits the older snapshots and this one.
fn fits(args: &Whatif, cluster: &Cluster) -> Result<Option<Fits>, Error> {
    if args.history.is_empty() {
        return Ok(None);
    }
    let mut series = Series::default();
    let of = |name: &str, error: CannotFit| Error::usage(format!("{name}: {error}"));
    series.add(cluster).map_err(|error| of(&args.cluster.display().to_string(), error))?;
    for path in &args.history {
        let (from, name) = files::open(path)?;
        series.add(&file::snapshot::read(from, &name)?).map_err(|error| of(&name, error))?;
    }
    let fits = series.fit().map_err(|error| of("--history", error))?;
    Ok(Some(fits))
}

/// An answer, or why there is none. An edit that does not fit ends the verb: nothing else is told then.
fn answered(
    scenario: &Scenario,
    result: Result<whatif::Answer, (usize, WhatifError)>,
    file: Option<&str>,
    is_one_of_many: bool,
) -> Result<Answered, Error> {
    let edits = scenario.edits.iter().map(|typed| typed.text.clone()).collect();
    let name = scenario.name.clone();
    let (at, error) = match result {
        Ok(answer) => return Ok(Answered { name, edits, answer: Some(answer), refused: None }),
        Err(failed) => failed,
    };
    let typed = scenario.edits.get(at);
    let place = match (file, typed) {
        (Some(file), Some(typed)) => format!("{file}, line {}, {name}.{}", typed.line, typed.text),
        (_, Some(typed)) => typed.text.clone(),
        _ => name.clone(),
    };
    match error {
        WhatifError::Edit { found, accepted } => {
            Err(Error::usage(format!("{place}: {found}")).hint(format!("expected {accepted}")))
        }
        WhatifError::Check { .. } => Err(Error::internal(format!("{place}: {error}"))
            .hint("this is a defect of restow: please report it with the snapshot")),
        error if is_one_of_many => {
            Ok(Answered { name, edits, answer: None, refused: Some(format!("{place}: {error}")) })
        }
        error => Err(Error::refused(format!("{place}: {error}"))),
    }
}

/// A row for each cluster of a directory.
fn fleet(args: &Whatif, scenarios: &[Scenario], types: &[NodeType], output: Output) -> Result<Exit, Error> {
    let [scenario] = scenarios else {
        return Err(
            Error::usage("a directory of clusters takes one scenario").hint("type its edits as flags")
        );
    };
    if !args.history.is_empty() || args.out.is_some() {
        return Err(Error::usage("--history and -o are for one cluster"));
    }
    let paths = snapshots(&args.cluster)?;
    let setting = Setting { types, fits: None, throttle: args.throttle.and_then(Throttle::rate) };
    let mut phases = Phases::new();
    let rows: Vec<Result<FleetRow, Error>> = each(&paths, "clusters", &mut phases, |path| {
        let cluster = super::read_cluster(path, &args.zones)?;
        let result = whatif::answer(&cluster, scenario, &setting, &mut Unwatched);
        let result = result.map_err(|(_, error)| error.to_string());
        Ok(FleetRow { cluster: cluster.id, result })
    });
    phases.end();
    let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    let exit = if rows.iter().any(|row| row.result.is_err()) { Exit::Refused } else { Exit::Done };
    let fleet = show::Fleet { scenario: &scenario.name, rows: &rows, price: args.price_per_gb };
    match output {
        Output::Text => render::print(&fleet.text())?,
        Output::Json => render::print(&json::line(&fleet.json(exit)))?,
        Output::Csv => render::print(&fleet.csv())?,
    }
    Ok(exit)
}

/// The snapshots of a directory, by name.
pub fn snapshots(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error: std::io::Error| Error::file(dir, "read", &error);
    let entries = std::fs::read_dir(dir).map_err(failed)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    if paths.is_empty() {
        return Err(Error::usage(format!("{}: holds no snapshot", dir.display()))
            .hint("snapshots are files NAME.json"));
    }
    Ok(paths)
}
