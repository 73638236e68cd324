//! `restow size`: the cheapest brokers that hold a cluster, its partitions placed on them.

use restow_planner::file;
use restow_planner::model::watch::{Unwatched, Watch};
use restow_planner::model::{Cluster, NodeType};
use restow_planner::place::Options;
use restow_planner::whatif::growth::{Growth, factor};
use restow_planner::whatif::size::{self, Sizing, Wish};

use super::each::each;
use super::whatif::snapshots;
use crate::args::{Output, Size};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::size::{Fleet, FleetRow, Page};
use crate::render::{self, json, watch::Phases};

/// Sizes one cluster, or every cluster of a directory.
pub fn run(args: &Size, output: Output) -> Result<Exit, Error> {
    let mut types = Vec::new();
    for path in &args.node_types {
        let (from, name) = files::open(path)?;
        types.extend(file::node_types::read(from, &name)?);
    }
    if args.cluster.is_dir() {
        return fleet(args, &types, output);
    }
    let cluster = super::read_cluster(&args.cluster, &args.zones)?;
    let mut phases = Phases::new();
    let sizing = sized(args, &cluster, &types, &mut phases)?;
    phases.end();
    let mut written = None;
    if let Some(out) = &args.out {
        let plan = sizing.best().and_then(|(_, settled)| settled.plan.as_ref());
        if let Some(plan) = plan {
            files::write(out, |to| file::plan::write(plan, to))?;
            written = Some(out.as_path());
        }
    }
    let exit = if sizing.best().is_some() { Exit::Done } else { Exit::Refused };
    let page = Page { cluster: &cluster, sizing: &sizing, written };
    match output {
        Output::Text => render::print(&page.text())?,
        Output::Json => render::print(&json::line(&page.json(exit)))?,
        Output::Csv => render::print(&page.csv())?,
    }
    Ok(exit)
}

fn sized(args: &Size, cluster: &Cluster, types: &[NodeType], watch: &mut dyn Watch) -> Result<Sizing, Error> {
    let grown = match (args.growth, args.horizon) {
        (Some(Growth::Compound { per_year_millionths }), Some(horizon)) => {
            factor(per_year_millionths, horizon.days()).millionths()
        }
        _ => 1_000_000,
    };
    let wish = Wish {
        survive: args.survive.into(),
        headroom: args.headroom,
        grown,
        peak: args.peak,
        same_type: args.same_type,
        offers: args.offers as usize,
        options: Options { hold_min_isr: args.hold_min_isr, ..Options::default() },
    };
    size::size(cluster, types, &wish, watch)
        .map_err(|error| Error::refused(format!("{}: {error}", cluster.id)))
}

/// A row for each cluster of a directory.
fn fleet(args: &Size, types: &[NodeType], output: Output) -> Result<Exit, Error> {
    if args.out.is_some() {
        return Err(Error::usage("-o is for one cluster").hint("name one snapshot with --cluster"));
    }
    let paths = snapshots(&args.cluster)?;
    let mut phases = Phases::new();
    let rows: Vec<Result<FleetRow, Error>> = each(&paths, "clusters", &mut phases, |path| {
        let cluster = super::read_cluster(path, &args.zones)?;
        let result = sized(args, &cluster, types, &mut Unwatched).map_err(|error| error.message);
        Ok(FleetRow::of(&cluster, result))
    });
    phases.end();
    let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    let exit = if rows.iter().all(FleetRow::is_placed) { Exit::Done } else { Exit::Refused };
    let fleet = Fleet { rows: &rows };
    match output {
        Output::Text => render::print(&fleet.text())?,
        Output::Json => render::print(&json::line(&fleet.json(exit)))?,
        Output::Csv => render::print(&fleet.csv())?,
    }
    Ok(exit)
}
