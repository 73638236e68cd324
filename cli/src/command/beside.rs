//! What a person knows beside a snapshot: zones, node types, rates, round-trip times.

use std::path::Path;

use restow_planner::file::{self, topology::TopologyFile};
use restow_planner::model::Cluster;
use restow_planner::place;
use restow_planner::plan::Plan;

use crate::args::{Links, Rtt, Zones};
use crate::error::Error;
use crate::files;

/// Applies `--topology`, then `--map-zone` and `--zone`, which win over it, and `--rates`.
pub fn correct(cluster: &mut Cluster, zones: &Zones) -> Result<(), Error> {
    if let Some(path) = &zones.topology {
        topology(path)?.apply_to(cluster)?;
    }
    let of_brokers: Vec<_> = zones.of_brokers.iter().map(|z| (z.broker, z.zone.clone())).collect();
    let mappings: Vec<_> = zones.mappings.iter().map(|m| (m.old.clone(), m.new.clone())).collect();
    place::map_zones(cluster, &of_brokers, &mappings)?;
    if let Some(path) = &zones.rates {
        let (from, name) = files::open(path)?;
        file::rates::read(from, &name)?.apply_to(cluster)?;
    }
    Ok(())
}

fn topology(path: &Path) -> Result<TopologyFile, Error> {
    let (from, name) = files::open(path)?;
    Ok(file::topology::read(from, &name)?)
}

/// Round-trip times between zones of a plan: those of `--rtt`, and those of the topology file for all other pairs.
pub fn round_trips(plan: &Plan, links: &Links, path: Option<&Path>) -> Result<Vec<Rtt>, Error> {
    let stranger = |a: &str, b: &str| {
        let known = |zone: &str| plan.brokers.iter().any(|broker| broker.zone.as_deref() == Some(zone));
        [a, b].into_iter().find(|zone| !known(zone)).map(str::to_owned)
    };
    let mut list = links.rtt.clone();
    if let Some(zone) = links.rtt.iter().find_map(|rtt| stranger(&rtt.a, &rtt.b)) {
        return Err(Error::usage(format!("--rtt names zone {zone}, and no broker of the plan is in it")));
    }
    let Some(path) = path else { return Ok(list) };
    let told = topology(path)?;
    for rtt in told.rtt() {
        if let Some(zone) = stranger(&rtt.a, &rtt.b) {
            let place = format!("{}, line {}, rtt.{}:{}", told.file(), rtt.line, rtt.a, rtt.b);
            return Err(Error::usage(format!("{place}: no broker of the plan is in zone {zone}"))
                .hint("was the plan made with the same --topology?"));
        }
        let flagged =
            |flag: &Rtt| (flag.a == rtt.a && flag.b == rtt.b) || (flag.a == rtt.b && flag.b == rtt.a);
        if !links.rtt.iter().any(flagged) {
            let time = std::time::Duration::from_micros(rtt.micros);
            list.push(Rtt { a: rtt.a.clone(), b: rtt.b.clone(), time });
        }
    }
    Ok(list)
}
