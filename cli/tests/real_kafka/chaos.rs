//! Deaths at seeded moments: of brokers and the controller under a live load (chaos), and of our own process.
//!
//! `cargo test` runs one chaos seed a version. More, and the twenty kills, by hand:
//!
//! ```text
//! RESTOW_CHAOS_SEEDS=1-10 cargo test --release -p restow-cli --test real_kafka chaos -- --nocapture --test-threads 1
//! cargo test -p restow-cli --test real_kafka twenty_kills -- --ignored --nocapture --test-threads 1
//! ```

use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use restow_testing::{CONTROLLER, Spec, available_or_skip, verify_log, wait_until};

use crate::world::{NEW, OLD, World};

#[test]
fn chaos_on_4_3_1() {
    chaos_seeds("4.3.1");
}

#[test]
fn chaos_on_3_9_2() {
    chaos_seeds("3.9.2");
}

/// The seeds of `RESTOW_CHAOS_SEEDS` (`7` or `1-10`); seed 1 without it.
fn chaos_seeds(version: &str) {
    let Some(()) = available_or_skip() else { return };
    let wanted = std::env::var("RESTOW_CHAOS_SEEDS").unwrap_or_else(|_| "1".into());
    let (first, last) = wanted.split_once('-').unwrap_or((&wanted, &wanted));
    let number =
        |text: &str| text.parse::<u64>().expect("RESTOW_CHAOS_SEEDS is a number, or two with a dash");
    for seed in number(first)..=number(last) {
        chaos(version, seed);
    }
}

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

fn migration(version: &str) -> World {
    // A stalled test machine must not shrink ISRs; a dead broker still leaves them when it is fenced.
    let world = World::start(Spec::two_az(version).property("replica.lag.time.max.ms", "15000"));
    world.topic("orders.v1", 40, &[]);
    world.topic("payments-safe", 4, &[("min.insync.replicas", "2")]);
    world.topic("events.by-default", 4, &[("min.insync.replicas", "1")]);
    world.topic("__consumer_offsets", 3, &[("cleanup.policy", "compact"), ("min.insync.replicas", "1")]);
    world.fill("orders.v1", 30_000, 1_000);
    world.settle();
    world
}

/// Producers and consumers run while one node after the other is killed and comes back. Every third seed gives up
/// in the middle and goes back.
fn chaos(version: &str, seed: u64) {
    eprintln!("== chaos on {version}, seed {seed}");
    let mut dice = Dice(seed);
    let world = migration(version);
    let start = world.state();
    world.plan("plan", OLD, NEW, &[]).exits(0);
    let load = world.load();
    let mut deaths = Deaths { world: &world, dice: Dice(dice.below(u64::MAX)), count: 0 };
    let goes_back = seed.is_multiple_of(3);
    let mut child = world.start_apply("plan.json", &["--throttle", "1MB/s", "--approve", "swap,shrink"]);
    // Before anything is asked a dead broker is a refusal.
    let asked = || !world.kafka.admin().reassignments().unwrap().is_empty();
    assert!(wait_until(Duration::from_secs(60), asked), "nothing is in flight");
    if goes_back {
        let until = Instant::now() + dice.millis(2_000, 25_000);
        deaths.until(|| Instant::now() > until || has_ended(&mut child));
        world.crash(child);
        child = world.background("rollback", &["plan.json", "--yes", "--poll-interval", "500ms"]);
    }
    deaths.until(|| has_ended(&mut child));
    // 7: a broker was dead when its throttle was to be taken back; 4: some old copies were dropped already.
    let out = world.wait(child);
    assert!([0, 7].contains(&out.code) || (goes_back && out.code == 4), "code {}\n{}", out.code, out.text);
    let count = deaths.count;
    let report = load.stop();
    if goes_back {
        if out.code == 4 {
            world.apply("plan.json.back", &["--approve", "swap,shrink"]).exits(0);
        } else {
            world.rollback("plan.json").exits(0);
        }
        world.is_as(&start);
    } else {
        world.apply("plan.json", &["--approve", "swap,shrink"]).exits(0);
        // A partition that was done when its leader died is led by another since: that is Kafka's to mend.
        world.settle();
        world.is_on(&[4, 5, 6], &[]);
        world.configs_are_as(&start);
    }
    assert_eq!(report.failed, 0, "{:?}", report.errors);
    let check = verify_log(world.kafka.admin(), &report.acked).unwrap();
    assert!(check.is_clean() && check.acked > 500, "{check:?}");
    let end = if goes_back { "at the start" } else { "in the target" };
    let (acked, pause) = (check.acked, report.longest_pause);
    eprintln!(
        "== chaos on {version}, seed {seed}: {count} deaths, {acked} records, longest pause {pause:?}, ends {end}"
    );
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

/// Kills one node after the other, and lets each come back.
struct Deaths<'a> {
    world: &'a World,
    dice: Dice,
    count: u32,
}

impl Deaths<'_> {
    /// Until this is so, which is asked between two deaths.
    fn until(&mut self, mut ended: impl FnMut() -> bool) {
        const NODES: [i32; 7] = [1, 2, 3, 4, 5, 6, CONTROLLER];
        while !ended() {
            let node = NODES[self.dice.below(NODES.len() as u64) as usize];
            let dead_for = self.dice.millis(500, 9_000);
            eprintln!("   node {node} dies for {dead_for:?}");
            self.world.kafka.kill(node);
            sleep(dead_for);
            self.world.kafka.start_broker(node);
            self.count += 1;
            let healthy = || self.world.is_healthy();
            assert!(wait_until(Duration::from_secs(120), healthy), "the cluster does not recover");
            sleep(self.dice.millis(0, 3_000));
        }
    }
}

/// One migration whose process is killed twenty times: seventeen times while it copies, then while leaders move
/// and old copies go.
#[test]
#[ignore = "ten minutes: by hand, as the top of this file says"]
fn twenty_kills_on_4_3_1() {
    let Some(()) = available_or_skip() else { return };
    let seed = std::env::var("RESTOW_SEED").map_or(1, |seed| seed.parse().expect("RESTOW_SEED is a number"));
    let mut dice = Dice(seed);
    let world = migration("4.3.1");
    // A fresh quota lets ten megabytes pass from each broker to each: the copies have to be many times that.
    world.fill("orders.v1", 200_000, 1_000);
    world.settle();
    let start = world.state();
    world.plan("plan", OLD, NEW, &[]).exits(0);
    for kill in 1..=20 {
        let copies = kill <= 17;
        let throttle = if copies { "500kB/s" } else { "50MB/s" };
        let mut child = world.start_apply("plan.json", &["--throttle", throttle, "--approve", "swap,shrink"]);
        // A kill while a write is unanswered costs the next process 65 s (E6): some of them wait longer than that.
        let longest = if copies && kill % 4 == 0 { 90_000 } else { 6_000 };
        let begin = Instant::now();
        let ended = wait_until(dice.millis(200, longest), || has_ended(&mut child));
        if ended && !copies {
            eprintln!("   it ended before kill {kill}");
            world.wait(child).exits(0);
            break;
        }
        assert!(!ended, "it ended before kill {kill}: {}", world.wait(child).text);
        world.crash(child);
        eprintln!("   kill {kill} after {:?}: {}", begin.elapsed(), world.last_said());
    }
    world.apply("plan.json", &["--approve", "swap,shrink"]).exits(0);
    world.is_on(&[4, 5, 6], &[]);
    world.configs_are_as(&start);
}
