//! Plans a migration from a snapshot file, checks it and writes the plan:
//!
//! ```text
//! cargo run -p restow-planner --example plan_from_file -- cluster.json 1,2,3 4,5,6 plan.json
//! ```
//!
//! Without arguments it makes a small cluster and goes through the same steps in memory.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use restow_planner::model::BrokerId;
use restow_planner::model::watch::Unwatched;
use restow_planner::place::{self, PlaceError};
use restow_planner::plan::Intent;
use restow_planner::{check, file, generate};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [snapshot, from, to, out] = arguments.as_slice() else { return in_memory() };
    let cluster = file::snapshot::read(File::open(snapshot)?, snapshot)?;
    let mut out = BufWriter::new(File::create(out)?);
    plan(&cluster, ids(from)?, ids(to)?, &mut out)?;
    Ok(out.flush()?)
}

fn in_memory() -> Result<(), Box<dyn Error>> {
    let class = generate::Class::migrate(100, 6, 6);
    let mut snapshot = Vec::new();
    file::snapshot::write(&generate::cluster(&class, 1), &mut snapshot)?;
    let cluster = file::snapshot::read(snapshot.as_slice(), "memory")?;
    let (from, to) = generate::sources_and_destinations(&class);
    plan(&cluster, from, to, &mut Vec::new())
}

fn ids(list: &str) -> Result<Vec<BrokerId>, std::num::ParseIntError> {
    list.split(',').map(str::parse).collect()
}

fn plan(
    cluster: &restow_planner::model::Cluster,
    from: Vec<BrokerId>,
    to: Vec<BrokerId>,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let intent = Intent::Migrate { from, to, topics: vec![], exclude: vec![], preserve_leaders: false };
    let placed = match place::plan(cluster, &intent, &place::Options::default(), &mut Unwatched) {
        Ok(placed) => placed,
        Err(PlaceError::Refused { refusals }) => {
            for refusal in &refusals {
                println!("refused: {} (past it: {})", refusal.reason, refusal.way_past);
            }
            return Ok(());
        }
        Err(usage) => return Err(usage.into()),
    };
    let verdict = check::judge(&placed.plan, cluster, check::At::Start);
    for finding in &verdict.findings {
        println!("finding: {finding}");
    }
    let hash = file::plan::write(&placed.plan, out)?;
    println!(
        "{} moves, {} bytes to copy, {hash}",
        placed.plan.moves.len(),
        placed.plan.certificate.moved_bytes
    );
    Ok(())
}
