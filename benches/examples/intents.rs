//! What the intents cost, and how near their certificates are: `cargo run --release -p restow-benches --example intents
//! -- [WHAT…]`, each WHAT one of `M`, `L`, `XL`, `hot`, `drain`, `counts`, `migrate`, `factor`, or a directory of
//! snapshots (`restow generate --class FLEET -o DIR`). All but XL and the directory if there is none.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use restow_benches::{ALL, even, gap, peak_mib, timed};
use restow_planner::generate::{self, Class, Shape};
use restow_planner::model::watch::Unwatched;
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::plan::{Intent, Measure, moves};
use restow_planner::{check, file, place};

fn main() {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.is_empty() {
        wanted = ["M", "L", "hot", "drain", "counts", "migrate", "factor"].map(str::to_owned).to_vec();
    }
    for what in wanted {
        let three = |class: Class| Class { factor: 3, zones: 3, ..class };
        match what.as_str() {
            "M" => measure("rebalance M", &generate::cluster(&Class::M, 1), &even(&ALL, 500)),
            "L" => measure("rebalance L", &generate::cluster(&Class::L, 1), &even(&ALL, 500)),
            "XL" => measure("rebalance XL", &generate::cluster(&Class::XL, 1), &even(&ALL, 500)),
            "hot" => {
                let class = Class { shape: Shape::HotSpots, ..Class::M.full() };
                measure(
                    "rebalance M, rates alone are skewed",
                    &generate::cluster(&class, 1),
                    &even(&ALL, 500),
                );
            }
            "drain" => {
                let cluster = generate::cluster(&three(Class::migrate(9_900, 100, 0)), 1);
                let brokers = vec![BrokerId(7)];
                let drain = Intent::Drain { brokers, replace_with: None, topics: vec![], exclude: vec![] };
                measure("drain one of 100 brokers, 9,900 partitions RF3", &cluster, &drain);
            }
            "counts" => {
                let class = Class { factor: 3, zones: 0, ..Class::migrate(3_300, 90, 10) }.grown();
                let cluster = generate::cluster(&class, 1);
                measure("replicas alone, 9,900 on 100 brokers", &cluster, &even(&[Measure::Replicas], 0));
            }
            "migrate" => {
                let class = three(Class::migrate(100_000, 500, 500));
                let (from, to) = generate::sources_and_destinations(&class);
                let (topics, exclude) = (vec![], vec![]);
                let migrate = Intent::Migrate { from, to, topics, exclude, preserve_leaders: false };
                measure(
                    "migrate 500 to 500 brokers, 100,000 partitions RF3",
                    &generate::cluster(&class, 1),
                    &migrate,
                );
            }
            "factor" => {
                let cluster = generate::cluster(&Class::migrate(600, 12, 0), 1);
                let factor = Intent::SetFactor { factor: 4, topics: vec![], exclude: vec![] };
                measure("RF2 to RF4 over two zones, 600 partitions, 12 brokers", &cluster, &factor);
            }
            dir => fleet(dir),
        }
    }
}

fn measure(name: &str, cluster: &Cluster, intent: &Intent) {
    let (placed, took) = timed(|| place::plan(cluster, intent, &place::Options::default(), &mut Unwatched));
    let placed = match placed {
        Ok(placed) => placed,
        Err(error) => return println!("{name}: {error}"),
    };
    let (verdict, checked) = timed(|| check::judge(&placed.plan, cluster, check::At::Start));
    let certificate = &placed.plan.certificate;
    let copies: usize = placed.plan.moves.iter().map(|m| moves::added(m.from, m.to).len()).sum();
    println!(
        "{name}: {took:?}, check {checked:?}; {} partitions, {copies} copies, {} bytes, bound {}, gap {:.3} %; {} findings, {} MiB at most",
        placed.plan.moves.len(),
        certificate.moved_bytes,
        certificate.bound_bytes,
        gap(&placed.plan),
        verdict.findings.len(),
        peak_mib()
    );
    placed.notes.iter().for_each(|note| println!("  {note}"));
}

/// What rebalances of a fleet move together.
#[derive(Default)]
struct Sums {
    moved: u128,
    bound: u128,
    unmet: usize,
}

/// Reads and rebalances every snapshot of a directory, one on each core.
fn fleet(dir: &str) {
    let mut files: Vec<_> =
        fs::read_dir(dir).expect("a directory").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let (next, sums) = (AtomicUsize::new(0), Mutex::new(Sums::default()));
    let work = || {
        while let Some(path) = files.get(next.fetch_add(1, Relaxed)) {
            match rebalance(path) {
                Ok(placed) => {
                    let mut sums = sums.lock().expect("no panic");
                    sums.moved += u128::from(placed.plan.certificate.moved_bytes);
                    sums.bound += u128::from(placed.plan.certificate.bound_bytes);
                    let is_unmet = |note: &String| note.contains("outside of its band");
                    sums.unmet += usize::from(placed.notes.iter().any(is_unmet));
                }
                Err(error) => println!("{}: {error}", path.display()),
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let ((), took) = timed(|| thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work)))));
    let Sums { moved, bound, unmet } = sums.into_inner().expect("no panic");
    let gap = moved as f64 / bound.max(1) as f64 - 1.0;
    println!(
        "{} clusters read and rebalanced in {took:?}: {moved} bytes, bound {bound}, gap {:.3} %; {unmet} with a band unmet",
        files.len(),
        gap * 100.0
    );
}

fn rebalance(path: &Path) -> Result<place::Placed, place::PlaceError> {
    let cluster = file::snapshot::read(File::open(path).expect("a file"), "fleet").expect("a snapshot");
    let intent = even(&[Measure::Replicas, Measure::Bytes], 500);
    place::plan(&cluster, &intent, &place::Options::default(), &mut Unwatched)
}
