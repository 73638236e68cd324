//! How even a migration's plan is: `cargo run --release -p restow-benches --example balance -- 50000 100 100`.

use std::collections::BTreeMap;

use restow_planner::generate::{self, Class};
use restow_planner::model::watch::Unwatched;
use restow_planner::plan::Intent;
use restow_planner::{check, place};

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let (partitions, from, to) = match numbers[..] {
        [partitions, from, to, ..] => (partitions, from, to),
        _ => (50_000, 100, 100),
    };
    let class = Class {
        factor: numbers.get(3).copied().unwrap_or(2),
        zones: numbers.get(4).copied().unwrap_or(2),
        ..Class::migrate(partitions, from, to)
    };
    let cluster = generate::cluster(&class, 1);
    let (from, to) = generate::sources_and_destinations(&class);
    let intent = Intent::Migrate { from, to, topics: vec![], exclude: vec![], preserve_leaders: false };
    let options = place::Options::default();
    #[allow(clippy::disallowed_methods)]
    let start = std::time::Instant::now();
    let placed = match place::plan(&cluster, &intent, &options, &mut Unwatched) {
        Ok(placed) => placed,
        Err(error) => return println!("{error}"),
    };
    println!(
        "{} moves of {} partitions in {:?}",
        placed.plan.moves.len(),
        placed.matched_partitions,
        start.elapsed()
    );
    for note in &placed.notes {
        println!("note: {note}");
    }
    let verdict = check::judge(&placed.plan, &cluster, check::At::Start);
    println!("check: {} findings", verdict.findings.len());
    for finding in verdict.findings.iter().take(5) {
        println!("  {finding}");
    }
    let mut zones: BTreeMap<&str, Vec<[u64; 4]>> = BTreeMap::new();
    let mut leader_bytes: BTreeMap<i32, u64> = BTreeMap::new();
    let mut topics: BTreeMap<(u32, i32), u32> = BTreeMap::new();
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    for m in placed.plan.moves.iter() {
        *leader_bytes.entry(m.to[0].0).or_default() += m.bytes.unwrap_or(0);
        *counts.entry(m.topic).or_default() += 1;
        for broker in m.to {
            *topics.entry((m.topic, broker.0)).or_default() += 1;
        }
    }
    for row in placed.plan.impact.iter().filter(|row| row.after > row.before) {
        let zone = placed.plan.zone(row.broker).unwrap_or("-");
        let bytes = leader_bytes.get(&row.broker.0).copied().unwrap_or(0);
        let figures = [row.after, row.replicas_after.into(), row.leaders_after.into(), bytes];
        zones.entry(zone).or_default().push(figures);
    }
    for (zone, rows) in &zones {
        for (at, what) in ["bytes", "replicas", "leaders", "leader bytes"].iter().enumerate() {
            let column = || rows.iter().map(|row| row[at]);
            let (sum, least, most) =
                (column().sum::<u64>(), column().min().unwrap_or(0), column().max().unwrap_or(0));
            let mean = sum as f64 / rows.len() as f64;
            println!("{zone} {what:>12}: least {least}, most {most}, most/mean {:.5}", most as f64 / mean);
        }
    }
    let brokers_per_zone = class.empty / class.zones.max(1);
    let worst = topics.iter().map(|((topic, _), n)| {
        i64::from(*n)
            - i64::from((counts[topic] * class.factor / class.zones.max(1)).div_ceil(brokers_per_zone))
    });
    println!("topic replicas on a broker above the even part: at most {}", worst.max().unwrap_or(0));
}
