//! `restow generate`: the snapshot of a made-up cluster.

use restow_planner::file;
use restow_planner::generate::{self, Class, Shape};
use serde_json::json;

use crate::args::{ClassName, Format, Generate};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::{self, json as render_json, units};

/// Makes the cluster and writes it.
pub fn run(args: &Generate, format: Format) -> Result<Exit, Error> {
    let cluster = generate::cluster(&class(args), args.seed);
    files::write(&args.out, |to| file::snapshot::write(&cluster, to))?;
    match format {
        Format::Text => render::print(&format!(
            "Cluster {}: {}, {}, {}\nWritten {}\n",
            cluster.id,
            units::of(cluster.brokers.len() as u64, "broker"),
            units::of(cluster.topics.len() as u64, "topic"),
            units::of(cluster.partition_count() as u64, "partition"),
            args.out.display(),
        ))?,
        Format::Json => render::print(&render_json::line(&json!({
            "outcome": Exit::Done.name(),
            "exit": Exit::Done.code(),
            "file": args.out.display().to_string(),
            "cluster_id": cluster.id,
            "brokers": cluster.brokers.len(),
            "topics": cluster.topics.len(),
            "partitions": cluster.partition_count(),
        })))?,
    }
    Ok(Exit::Done)
}

fn class(args: &Generate) -> Class {
    let class = match args.class {
        ClassName::S => Class::S,
        ClassName::M => Class::M,
        ClassName::L => Class::L,
        ClassName::Xl => Class::XL,
    };
    let class = if args.rf2 { Class { factor: 2, zones: 2, ..class } } else { class };
    if args.hot_spots { Class { shape: Shape::HotSpots, ..class.full() } } else { class }
}
