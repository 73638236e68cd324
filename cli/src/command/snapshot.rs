//! `restow snapshot`: what planning needs to know about a live cluster, in one file.

use std::path::Path;

use restow_client::Client;
use restow_client::read::permissions::{self, Purpose};
use restow_client::snapshot::{self, SnapshotOptions};
use restow_planner::file;
use restow_planner::model::{Rate, Topology};
use serde_json::json;

use crate::args::{Bootstrap, Format, Snapshot, SnapshotVerb};
use crate::error::{Error, Exit};
use crate::render::{self, json as render_json, snapshot as show, watch};
use crate::{clock, connect, files};

/// Takes a snapshot, or makes one of several.
pub fn run(args: &Snapshot, format: Format) -> Result<Exit, Error> {
    match (&args.verb, &args.bootstrap, &args.out) {
        (Some(SnapshotVerb::Merge(args)), ..) => super::merge::run(args, format),
        (None, Some(bootstrap), Some(out)) => take(bootstrap, out, args, format),
        // The parser asks for both.
        (None, ..) => Err(Error::usage("no cluster to take a snapshot of, or no file to write it to")),
    }
}

/// Refuses a snapshot that would lack what we may not see.
async fn may_look(client: &Client) -> Result<(), Error> {
    let missing = permissions::missing(client, Purpose::Plan, None).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let text = format!("not allowed, and nothing was written:\n  {}", lines.join("\n  "));
    Err(Error::new(Exit::Unreachable, text)
        .hint("`restow acls --for plan` prints every line that is needed")
        .hint("--partial takes a snapshot of what can be seen"))
}

/// Takes the snapshot and writes it.
fn take(bootstrap: &Bootstrap, out: &Path, args: &Snapshot, format: Format) -> Result<Exit, Error> {
    let mut progress = watch::Phases::new();
    let taken = connect::runtime()?.block_on(async {
        let client = connect::client(bootstrap).await?;
        if !args.partial {
            may_look(&client).await?;
        }
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
    super::beside::correct(&mut taken.cluster, &args.zones)?;
    let mut warnings: Vec<String> = taken.warnings.iter().map(ToString::to_string).collect();
    if let Err(error) = Topology::of(&taken.cluster) {
        warnings.push(format!(
            "{error}: a plan on this snapshot will be refused until each has a zone (--zone BROKER=ZONE, here or on plan)"
        ));
    }
    files::write(out, |to| file::snapshot::write(&taken.cluster, to))?;
    match format {
        Format::Text => render::print(&show::show(&taken.cluster, &warnings, out))?,
        Format::Json => render::print(&render_json::done(json!({
            "file": out.display().to_string(),
            "cluster_id": taken.cluster.id,
            "brokers": taken.cluster.brokers.len(),
            "topics": taken.cluster.topics.len(),
            "partitions": taken.cluster.partition_count(),
            "write_rates": taken.cluster.known_rates(Rate::Write),
            "read_rates": taken.cluster.known_rates(Rate::Read),
            "request_rates": taken.cluster.known_rates(Rate::Requests),
            "in_flight": taken.cluster.in_flight.len(),
            "warnings": warnings,
        })))?,
    }
    Ok(Exit::Done)
}
