//! What a snapshot holds, in a few lines.

use std::fmt::Write;
use std::path::Path;

use restow_planner::model::{Cluster, UNKNOWN_SIZE};

use super::table::Table;
use super::units;

/// The cluster's id, and what it has how many of.
pub fn head(cluster: &Cluster) -> String {
    let [brokers, topics] = [cluster.brokers.len(), cluster.topics.len()].map(|n| n as u64);
    format!("Cluster {}: {}", cluster.id, counts(brokers, topics, cluster.partition_count() as u64))
}

/// How large a cluster is, or several are together.
pub fn counts(brokers: u64, topics: u64, partitions: u64) -> String {
    let (brokers, topics) = (units::of(brokers, "broker"), units::of(topics, "topic"));
    format!("{brokers}, {topics}, {}", units::of(partitions, "partition"))
}

/// The snapshot, what is missing in it, and where it is.
pub fn show(cluster: &Cluster, warnings: &[String], file: &Path) -> String {
    let mut text = head(cluster) + "\n\n";
    text.push_str(&brokers(cluster));
    if cluster.brokers.iter().all(|broker| broker.zone.is_none()) {
        text.push_str(
            "\nNO BROKER HAS A RACK: all are one zone, and nothing keeps replicas apart. --zone BROKER=ZONE tells the \
             zones.\n",
        );
    }
    if !cluster.in_flight.is_empty() {
        let _ = writeln!(text, "\n{} in flight.", units::of(cluster.in_flight.len() as u64, "reassignment"));
    }
    text.push_str(&throttles(cluster));
    if !cluster.config_differences.is_empty() {
        let _ = writeln!(
            text,
            "\n{} not the same on every broker: plan compares sources with destinations.",
            match cluster.config_differences.len() as u64 {
                1 => "1 topic config is".to_owned(),
                n => format!("{} topic configs are", units::count(n)),
            }
        );
    }
    if !warnings.is_empty() {
        text.push_str("\nWarnings\n");
        warnings.iter().for_each(|warning| {
            let _ = writeln!(text, "  {warning}");
        });
    }
    let file = file.display();
    let _ = writeln!(
        text,
        "\nWritten {file}\nNext: restow plan migrate --cluster {file} --from … --to … -o plan.json"
    );
    text
}

fn brokers(cluster: &Cluster) -> String {
    #[derive(Clone, Default)]
    struct Sum {
        replicas: u64,
        leaders: u64,
        bytes: u64,
        unknown: u64,
    }
    let mut sums = vec![Sum::default(); cluster.brokers.len()];
    for (_, p) in cluster.partitions() {
        for (broker, size) in p.replicas.iter().zip(p.sizes) {
            let sum = &mut sums[*broker as usize];
            sum.replicas += 1;
            match *size {
                UNKNOWN_SIZE => sum.unknown += 1,
                size => sum.bytes += size,
            }
        }
        if let Some(leader) = p.leader {
            sums[leader as usize].leaders += 1;
        }
    }
    let mut table = Table::new(&[
        "broker",
        "zone",
        ">replicas",
        ">leads",
        ">bytes",
        ">unknown sizes",
        ">free",
        ">of",
        "",
    ]);
    for (broker, sum) in cluster.brokers.iter().zip(sums) {
        let volumes = |of: fn(&restow_planner::model::LogDir) -> Option<u64>| -> String {
            let all: Option<Vec<u64>> = broker.log_dirs.iter().map(of).collect();
            match all {
                // Several directories may share a volume, so their numbers are not summed.
                Some(all) if all.len() == 1 => units::bytes(all[0]),
                Some(all) if all.len() > 1 => format!("{} dirs", all.len()),
                _ => "unknown".into(),
            }
        };
        let state = match (broker.fenced, broker.answered) {
            (Some(true), _) => "fenced",
            (_, false) => "did not answer",
            _ if broker.log_dirs.iter().any(|dir| dir.offline) => "log dir offline",
            _ => "",
        };
        table.row([
            broker.id.to_string(),
            broker.zone.clone().unwrap_or_else(|| "-".into()),
            units::count(sum.replicas),
            units::count(sum.leaders),
            units::bytes(sum.bytes),
            if sum.unknown > 0 { units::count(sum.unknown) } else { String::new() },
            volumes(|dir| dir.usable_bytes),
            volumes(|dir| dir.total_bytes),
            state.to_owned(),
        ]);
    }
    table.render(2)
}

fn throttles(cluster: &Cluster) -> String {
    let rates: usize = cluster.brokers.iter().map(|broker| broker.rates.len()).sum();
    let lists = |topic: &restow_planner::model::Topic| {
        usize::from(topic.throttled_leaders.is_some()) + usize::from(topic.throttled_followers.is_some())
    };
    let lists: usize = cluster.topics.iter().map(lists).sum();
    if rates + lists == 0 {
        return String::new();
    }
    let (rates, lists) = (units::of(rates as u64, "rate"), units::of(lists as u64, "topic list"));
    format!("\nReplication throttles are set: {rates} and {lists}.\n")
}
