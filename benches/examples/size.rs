//! What sizing costs, and how near its answers are: `cargo run --release -p restow-benches --example size -- [SEED]`.
//! All 154 clusters of a fleet, with its 21 node types, on each core the next: every zone may be lost, a quarter stays
//! free.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use restow_benches::{peak_mib, timed};
use restow_planner::check::{self, At};
use restow_planner::generate;
use restow_planner::model::Cluster;
use restow_planner::model::watch::Unwatched;
use restow_planner::whatif::size::{Placing, Sizing, Wish, size};

/// What is told of all together.
#[derive(Default)]
struct Sums {
    offers: usize,
    /// Offers by what became of them.
    outcomes: BTreeMap<&'static str, usize>,
    unproved: usize,
    rejected: usize,
    raised: usize,
    evened: usize,
    /// Of the best: price by the program, bound, and price that the real partitions need, in hundredths.
    price: u128,
    bound: u128,
    settled: u128,
    slowest: (f64, String),
}

fn main() {
    let seed = std::env::args().nth(1).map_or(1, |seed| seed.parse().expect("a seed"));
    let (clusters, took) = timed(|| generate::fleet(seed).collect::<Vec<Cluster>>());
    println!("{} clusters generated in {took:?}", clusters.len());
    let types = generate::node_types();
    let (next, sums) = (AtomicUsize::new(0), Mutex::new(Sums::default()));
    let work = || {
        while let Some(cluster) = clusters.get(next.fetch_add(1, Relaxed)) {
            let (sizing, took) = timed(|| size(cluster, &types, &Wish::default(), &mut Unwatched));
            match sizing {
                Ok(sizing) => sums.lock().expect("no panic").add(cluster, &sizing, took.as_secs_f64()),
                Err(error) => println!("{}: {error}", cluster.id),
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let ((), took) = timed(|| thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work)))));
    let sums = sums.into_inner().expect("no panic");
    let over = |price: u128, bound: u128| (price as f64 / bound.max(1) as f64 - 1.0) * 100.0;
    println!("{} clusters sized in {took:?} on {cores} cores, {} MiB at most", clusters.len(), peak_mib());
    println!("{} mixes: {:?}, {} that check rejects", sums.offers, sums.outcomes, sums.rejected);
    println!("{} not proved the cheapest; {} evened out, {} raised", sums.unproved, sums.evened, sums.raised);
    println!(
        "the best of each: {:.3} % above the bound as sums, {:.3} % with the real partitions",
        over(sums.price, sums.bound),
        over(sums.settled, sums.bound)
    );
    println!("the slowest: {} in {:.2} s", sums.slowest.1, sums.slowest.0);
}

impl Sums {
    fn add(&mut self, cluster: &Cluster, sizing: &Sizing, seconds: f64) {
        if seconds > self.slowest.0 {
            self.slowest = (seconds, format!("{}, {} partitions", cluster.id, cluster.partition_count()));
        }
        for offer in &sizing.offers {
            self.offers += 1;
            self.unproved += usize::from(!offer.proved);
            let outcome = match &offer.placed {
                Placing::Settled(settled) => {
                    self.evened += usize::from(settled.evened);
                    self.raised += usize::from(!settled.more.is_empty());
                    let judge = |plan| check::judge(plan, &settled.cluster, At::Start).accepted();
                    self.rejected += usize::from(!settled.plan.as_ref().is_none_or(judge));
                    "settled"
                }
                Placing::Refused { .. } => "refused",
                Placing::Full { .. } => "full",
                Placing::Unsound { .. } => "unsound",
                Placing::TooMany { .. } => "too many",
            };
            *self.outcomes.entry(outcome).or_default() += 1;
        }
        match sizing.best() {
            Some((offer, settled)) => {
                self.price += u128::from(offer.price);
                self.bound += u128::from(offer.bound);
                self.settled += u128::from(settled.price);
            }
            None => {
                println!("{}: nothing is placed: {:?}", cluster.id, sizing.offers.first().map(|o| &o.placed));
            }
        }
    }
}
