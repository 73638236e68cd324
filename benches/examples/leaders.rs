//! What evening out leaders takes: `cargo run --release -p restow-benches --example leaders -- XL`, or M, L, and
//! `full` after it for a cluster without empty brokers.

use restow_planner::check::fewest_leader_changes;
use restow_planner::generate::{self, Class};
use restow_planner::model::watch::Unwatched;
use restow_planner::place::even_leaders;
use restow_planner::plan::LeaderMode;

/// Seconds of a core that this process used so far: what else runs beside it does not count.
fn used() -> Option<f64> {
    let line = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(line.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|given| given == word);
    let class = if has("XL") {
        Class::XL
    } else if has("L") {
        Class::L
    } else {
        Class::M
    };
    let class = if has("full") { class.full() } else { class };
    let cluster = generate::cluster(&class, 1);
    let modes = [LeaderMode::Minimal, LeaderMode::Within(50), LeaderMode::Within(10), LeaderMode::Best];
    for mode in modes {
        #[allow(clippy::disallowed_methods)]
        let start = std::time::Instant::now();
        let before = used();
        let Some(even) = even_leaders(&cluster, mode, &Unwatched) else { return };
        let (took, used) =
            (start.elapsed(), used().zip(before).map_or(0.0, |(after, before)| after - before));
        let mut counts = vec![0u32; cluster.brokers.len()];
        even.leaders.iter().for_each(|leader| counts[*leader as usize] += 1);
        let most = counts.iter().max().copied().unwrap_or(0);
        let holders = if class.empty > 0 { class.brokers } else { class.brokers + class.empty };
        let mean = f64::from(class.partitions) / f64::from(holders);
        print!(
            "{mode:?}: {} changes in {took:?}, {used:.3} s of a core; most leaders over mean {:.4}",
            even.changes,
            f64::from(most) / mean
        );
        match even.above_ppm {
            Some(ppm) => println!("; largest write rate over mean {:.6}", 1.0 + ppm as f64 / 1e6),
            None => {
                let bound = fewest_leader_changes(&cluster, &even.may_lead, &even.bounds, &even.potentials);
                println!("; at least {bound} are proven; {} brokers with wider bounds", even.widened.len());
            }
        }
    }
}
