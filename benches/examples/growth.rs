//! How time and memory grow with the cluster: `cargo run --release -p restow-benches --example growth`, a table and a
//! plot of rebalances from M to XL. Each size runs in a process of its own, for its memory.

use std::process::Command;

use restow_benches::{ALL, even, gap, peak_mib, timed};
use restow_planner::generate::{self, Class};
use restow_planner::model::watch::Unwatched;
use restow_planner::{check, place};

/// Brokers and partitions, RF3 over three zones, a fifth of the brokers new and empty.
const SIZES: [(u32, u32); 7] = [
    (30, 10_000),
    (45, 30_000),
    (60, 60_000),
    (99, 200_000),
    (300, 600_000),
    (600, 1_200_000),
    (999, 2_000_000),
];
/// Rows of the plot for a factor of ten.
const DECADE: f64 = 5.0;

/// What one size took.
struct Row {
    brokers: u32,
    partitions: u32,
    plan: f64,
    mib: f64,
}

fn main() {
    let sizes: Vec<u32> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    if let [brokers, partitions] = sizes[..] {
        return one(brokers, partitions);
    }
    println!("| brokers | partitions | plan | µs a partition | check | MiB | KiB a partition | gap |");
    println!("|---|---|---|---|---|---|---|---|");
    let rows: Vec<Row> = SIZES.iter().map(|(brokers, partitions)| measure(*brokers, *partitions)).collect();
    for (name, unit, of) in
        [("plan", "s", (|row| row.plan) as fn(&Row) -> f64), ("memory", "MiB", |row| row.mib)]
    {
        println!();
        plot(&rows, name, unit, of);
    }
}

/// Runs one size in a process of its own.
fn measure(brokers: u32, partitions: u32) -> Row {
    let this = std::env::current_exe().expect("a path");
    let told = Command::new(this)
        .args([brokers.to_string(), partitions.to_string()])
        .output()
        .expect("the same program runs again");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let told: Vec<f64> = told.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    let [plan, check, mib, gap] = told[..] else { panic!("{brokers} brokers: it failed") };
    let each = |amount: f64, scale: f64| amount * scale / f64::from(partitions);
    println!(
        "| {brokers} | {partitions} | {plan:.2} s | {:.1} | {check:.3} s | {mib} | {:.2} | {gap:.3} % |",
        each(plan, 1e6),
        each(mib, 1024.0)
    );
    Row { brokers, partitions, plan, mib }
}

/// Prints seconds to plan and to check, the most memory in MiB, and the gap in percent.
fn one(brokers: u32, partitions: u32) {
    let empty = brokers / 5;
    let class = Class { brokers: brokers - empty, empty, partitions, ..Class::M };
    let cluster = generate::cluster(&class, 1);
    let (placed, plan) = timed(|| {
        place::plan(&cluster, &even(&ALL, 500), &place::Options::default(), &mut Unwatched).expect("a plan")
    });
    let (verdict, checked) = timed(|| check::judge(&placed.plan, &cluster, check::At::Start));
    assert!(verdict.findings.is_empty(), "a plan that does not hold");
    println!("{} {} {} {}", plan.as_secs_f64(), checked.as_secs_f64(), peak_mib(), gap(&placed.plan));
}

/// Both axes grow by factors; `/` is how what is linear would grow, from the last size back.
fn plot(rows: &[Row], name: &str, unit: &str, of: fn(&Row) -> f64) {
    let last = rows.last().expect("sizes");
    let (far, top) = (f64::from(last.partitions), of(last));
    let column = |row: &Row| (f64::from(row.partitions).log10() * DECADE * 4.0).round() as i64;
    let line = |amount: f64| (amount.log10() * DECADE).round() as i64;
    let linear = |at: i64| line(top * 10f64.powf(at as f64 / (DECADE * 4.0)) / far);
    let lines: Vec<i64> = rows.iter().map(|row| line(of(row))).collect();
    let (low, high) = (lines.iter().min().copied().unwrap_or(0), lines.iter().max().copied().unwrap_or(0));
    let (left, right) = (column(&rows[0]), column(last));
    println!("{name}, {unit}");
    for at in (low..=high).rev() {
        let cell = |x: i64| {
            let is_point = rows.iter().zip(&lines).any(|(row, line)| column(row) == x && *line == at);
            if is_point {
                '●'
            } else if linear(x) == at {
                '/'
            } else {
                ' '
            }
        };
        let text: String = (left..=right).map(cell).collect();
        println!("{:>9.3} |{text}", 10f64.powf(at as f64 / DECADE));
    }
    let between = "-".repeat((right - left + 1) as usize);
    println!(
        "{:>9} +{between}\n{:>11}{} to {} partitions, {} to {} brokers",
        "", "", rows[0].partitions, last.partitions, rows[0].brokers, last.brokers
    );
}
