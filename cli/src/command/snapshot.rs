//! `restow snapshot`: what planning needs to know about a live cluster, in one file.

use restow_client::snapshot::{self, SnapshotOptions};
use restow_planner::file;
use restow_planner::model::Topology;
use serde_json::json;

use crate::args::{Format, Snapshot};
use crate::error::{Error, Exit};
use crate::render::{self, json as render_json, snapshot as show, watch};
use crate::{clock, connect, files};

/// Takes the snapshot and writes it.
pub fn run(args: &Snapshot, format: Format) -> Result<Exit, Error> {
    let mut progress = watch::Phases::new();
    let taken = connect::runtime()?.block_on(async {
        let client = connect::client(&args.bootstrap).await?;
        let options = SnapshotOptions {
            taken_at: clock::rfc3339(clock::now()),
            sample: args.sample,
            ..SnapshotOptions::default()
        };
        let mut said = |step: snapshot::Progress| progress.snapshot(&step);
        Ok::<_, Error>(snapshot::take(&client, &options, &mut said).await?)
    });
    progress.end();
    let mut taken = taken?;
    super::correct_zones(&mut taken.cluster, &args.zones)?;
    let mut warnings: Vec<String> = taken.warnings.iter().map(ToString::to_string).collect();
    if let Err(error) = Topology::of(&taken.cluster) {
        warnings.push(format!(
            "{error}: a plan on this snapshot will be refused until each has a zone (--zone BROKER=ZONE, here or on plan)"
        ));
    }
    files::write(&args.out, |to| file::snapshot::write(&taken.cluster, to))?;
    match format {
        Format::Text => render::print(&show::show(&taken.cluster, &warnings, &args.out))?,
        Format::Json => render::print(&render_json::line(&json!({
            "outcome": Exit::Done.name(),
            "exit": Exit::Done.code(),
            "file": args.out.display().to_string(),
            "cluster_id": taken.cluster.id,
            "brokers": taken.cluster.brokers.len(),
            "topics": taken.cluster.topics.len(),
            "partitions": taken.cluster.partition_count(),
            "write_rates": taken.cluster.known_write_rates(),
            "in_flight": taken.cluster.in_flight.len(),
            "warnings": warnings,
        })))?,
    }
    Ok(Exit::Done)
}
