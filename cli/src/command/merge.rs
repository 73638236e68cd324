//! `restow snapshot merge`: one snapshot from several of the same cluster.

use restow_planner::file;
use restow_planner::model::{Keep, Merge, Rate};
use serde_json::json;

use crate::args::{self, Format, Zones};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::{self, json as render_json, units};

/// Reads them one at a time, and writes the one.
pub fn run(args: &args::Merge, format: Format) -> Result<Exit, Error> {
    let Some((last, others)) = args.files.split_last() else {
        return Err(Error::usage("no snapshot to merge"));
    };
    let plain = Zones::default();
    let mut merge = Merge::into_layout_of(super::read_cluster(last, &plain)?);
    for path in others {
        let cluster = super::read_cluster(path, &plain)?;
        merge.add(&cluster).map_err(|error| {
            Error::usage(format!("{}: {error}", path.display())).hint("merge snapshots of one cluster only")
        })?;
    }
    let cluster = merge.finish(args.percentile.map_or(Keep::Maximum, Keep::Percentile));
    files::write(&args.out, |to| file::snapshot::write(&cluster, to))?;
    let [written, read, requests] = Rate::ALL.map(|rate| cluster.known_rates(rate) as u64);
    match format {
        Format::Text => render::print(&format!(
            "Merged {} of cluster {}: the layout of {}, {}\n\
             Write rates are known of {}, read rates of {}, request rates of {}.\nWritten {}\n",
            units::of(args.files.len() as u64, "snapshot"),
            cluster.id,
            last.display(),
            args.percentile
                .map_or_else(|| "the largest rates".into(), |p| format!("percentile {p} of the rates")),
            units::of(written, "partition"),
            units::count(read),
            units::count(requests),
            args.out.display(),
        ))?,
        Format::Json => render::print(&render_json::done(json!({
            "file": args.out.display().to_string(),
            "cluster_id": cluster.id,
            "snapshots": args.files.len(),
            "partitions": cluster.partition_count(),
            "write_rates": written,
            "read_rates": read,
            "request_rates": requests,
        })))?,
    }
    Ok(Exit::Done)
}
