//! The verbs, one file each.

mod acls;
mod apply;
mod beside;
mod check;
mod demo;
pub mod doctor;
mod each;
mod explain;
mod export;
mod forecast;
mod generate;
mod incident;
mod merge;
mod orders;
mod outlook;
mod plan;
mod rehearse;
mod report;
mod rollback;
mod session;
mod show;
mod size;
mod snapshot;
mod status;
mod sweep;
mod whatif;

use std::path::Path;

use restow_planner::file;
use restow_planner::model::Cluster;
use restow_planner::plan::Plan;

use crate::args::{Cli, Command, Format, Output, Zones};
use crate::error::{Error, Exit};
use crate::{connect, files};

/// Runs what was typed.
pub fn run(cli: &Cli) -> Result<Exit, Error> {
    // Verbs whose result is a table print csv too.
    let format = match cli.format {
        Output::Text => Ok(Format::Text),
        Output::Json => Ok(Format::Json),
        Output::Csv => {
            Err(Error::usage("--format csv: this verb has no table").hint("whatif and size print csv"))
        }
    };
    match &cli.command {
        Command::Snapshot(args) => snapshot::run(args, format?),
        Command::Plan(args) => plan::run(&args.verb, format?),
        Command::Show(args) => show::run(args, format?),
        Command::Explain(args) => explain::run(args, format?),
        Command::Check(args) => check::run(args, format?),
        Command::Export(args) => export::run(args, format?),
        Command::Forecast(args) => forecast::run(args, format?),
        Command::Report(args) => report::run(args, format?),
        Command::Apply(args) => connect::runtime()?.block_on(apply::run(args, format?)),
        Command::Status(args) => connect::runtime()?.block_on(status::run(args, format?)),
        Command::Rollback(args) => connect::runtime()?.block_on(rollback::run(args, format?)),
        Command::Pause(args) => incident::pause(args),
        Command::Resume(args) => incident::resume(args),
        Command::Throttle(args) => incident::throttle(args),
        Command::Sweep(args) => connect::runtime()?.block_on(sweep::run(args, format?)),
        Command::Rehearse(args) => connect::paused_runtime()?.block_on(rehearse::run(args, format?)),
        Command::Doctor(args) => connect::runtime()?.block_on(doctor::run(args, format?)),
        Command::Acls(args) => acls::run(args, format?),
        Command::Whatif(args) => whatif::run(args, cli.format),
        Command::Size(args) => size::run(args, cli.format),
        Command::Generate(args) => generate::run(args, format?),
        Command::Demo(args) if args.serve => connect::runtime()?.block_on(demo::serve::run(format?)),
        Command::Demo(_) => connect::paused_runtime()?.block_on(demo::run(format?)),
    }
}

/// Reads a plan file and gives its hash.
pub fn read_plan(path: &Path) -> Result<(Plan, String), Error> {
    let (from, name) = files::open(path)?;
    Ok(file::plan::read(from, &name)?)
}

/// Reads a snapshot, with what a person knows beside it.
pub fn read_cluster(path: &Path, zones: &Zones) -> Result<Cluster, Error> {
    let (from, name) = files::open(path)?;
    let mut cluster = file::snapshot::read(from, &name)?;
    beside::correct(&mut cluster, zones)?;
    Ok(cluster)
}
