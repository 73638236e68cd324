//! `restow generate`: the snapshots of made-up clusters.

use restow_planner::file;
use restow_planner::generate::{self, Class, FLEET_CLUSTERS, Shape};
use restow_planner::model::Cluster;
use restow_planner::model::watch::Watch;
use serde_json::json;

use crate::args::{ClassName, Format, Generate};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::{self, json as render_json, snapshot, units, watch};

/// Makes the clusters and writes them.
pub fn run(args: &Generate, format: Format) -> Result<Exit, Error> {
    let Some(class) = class(args)? else { return fleet(args, format) };
    let cluster = generate::cluster(&class, args.seed);
    files::write(&args.out, |to| file::snapshot::write(&cluster, to))?;
    tell(args, format, 1, &Sums::of(&cluster), &format!("Cluster {}", cluster.id), &json!(cluster.id))
}

/// One snapshot per cluster, in a directory that is there whole or not at all.
fn fleet(args: &Generate, format: Format) -> Result<Exit, Error> {
    let mut sums = Sums::default();
    let mut progress = watch::Phases::new();
    files::write_dir(&args.out, |dir| {
        for (at, cluster) in generate::fleet(args.seed).enumerate() {
            progress.phase("writing clusters", at as u64, FLEET_CLUSTERS.into());
            sums.add(&Sums::of(&cluster));
            let path = dir.join(format!("fleet-{:03}.json", at + 1));
            files::write(&path, |to| file::snapshot::write(&cluster, to))?;
        }
        Ok(())
    })?;
    progress.end();
    let clusters = u64::from(FLEET_CLUSTERS);
    tell(args, format, clusters, &sums, &units::of(clusters, "cluster"), &serde_json::Value::Null)
}

#[derive(Debug, Default)]
struct Sums {
    brokers: u64,
    topics: u64,
    partitions: u64,
}

impl Sums {
    fn of(cluster: &Cluster) -> Self {
        let [brokers, topics, partitions] =
            [cluster.brokers.len(), cluster.topics.len(), cluster.partition_count()].map(|n| n as u64);
        Sums { brokers, topics, partitions }
    }

    fn add(&mut self, other: &Sums) {
        self.brokers += other.brokers;
        self.topics += other.topics;
        self.partitions += other.partitions;
    }
}

fn tell(
    args: &Generate,
    format: Format,
    clusters: u64,
    sums: &Sums,
    what: &str,
    id: &serde_json::Value,
) -> Result<Exit, Error> {
    match format {
        Format::Text => render::print(&format!(
            "{what}: {}\nWritten {}\n",
            snapshot::counts(sums.brokers, sums.topics, sums.partitions),
            args.out.display(),
        ))?,
        Format::Json => render::print(&render_json::done(json!({
            "file": args.out.display().to_string(),
            "cluster_id": id,
            "clusters": clusters,
            "brokers": sums.brokers,
            "topics": sums.topics,
            "partitions": sums.partitions,
        })))?,
    }
    Ok(Exit::Done)
}

/// The class of one cluster; `None` for the fleet, which is what it is.
fn class(args: &Generate) -> Result<Option<Class>, Error> {
    let class = match args.class {
        ClassName::S => Class::S,
        ClassName::M => Class::M,
        ClassName::L => Class::L,
        ClassName::Xl => Class::XL,
        ClassName::Fleet if args.rf2 || args.hot_spots || args.utilisation.is_some() => {
            let found = "--class FLEET goes with neither --rf2, --hot-spots nor --utilisation";
            return Err(Error::usage(found).hint("a fleet has clusters of both kinds, 60 to 97 % full"));
        }
        ClassName::Fleet => return Ok(None),
    };
    let class = if args.rf2 { Class { factor: 2, zones: 2, ..class } } else { class };
    let class = if args.hot_spots { Class { shape: Shape::HotSpots, ..class.full() } } else { class };
    Ok(Some(Class { utilisation: args.utilisation, ..class }))
}
