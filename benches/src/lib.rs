//! Benchmarks of restow over generated clusters; `README.md` holds the figures and how they were measured.
//!
//! Here is what several of them need.

use std::time::{Duration, Instant};

use restow_planner::plan::{Bands, Budget, Intent, Measure, Plan};

/// The measures of replicas.
pub const ALL: [Measure; 3] = [Measure::Replicas, Measure::Bytes, Measure::WriteRate];

/// A rebalance within so many hundredths of a percent.
pub fn even(measures: &[Measure], tolerance: u32) -> Intent {
    let bands = Bands::on(measures, tolerance);
    Intent::Rebalance { bands, budget: Budget::default(), topics: vec![], exclude: vec![] }
}

/// What something makes, and how long it takes.
#[allow(clippy::disallowed_methods)]
pub fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let made = run();
    (made, begin.elapsed())
}

/// By what a plan's bytes are above its bound, in percent.
pub fn gap(plan: &Plan) -> f64 {
    let certificate = &plan.certificate;
    (certificate.moved_bytes as f64 / certificate.bound_bytes.max(1) as f64 - 1.0) * 100.0
}

/// The most memory that this process had, in MiB, as Linux tells it; 0 elsewhere.
pub fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
