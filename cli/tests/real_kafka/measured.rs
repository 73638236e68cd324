//! Figures on real brokers. They take long and the whole machine, so they run by hand:
//!
//! ```text
//! cargo test --release -p restow-cli --test real_kafka measured -- --ignored --nocapture --test-threads 1
//! ```

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use restow_testing::{Spec, available_or_skip, wait_until};

use crate::world::{NEW, OLD, World, files};

/// The byte bound of a throttled expansion against the time that it takes, 4 GB and more.
#[test]
#[ignore = "five minutes"]
fn measured_makespan() {
    let Some(()) = available_or_skip() else { return };
    const THROTTLE: f64 = 10e6;
    let world = World::start(Spec::two_az("4.3.1"));
    world.topic("bulk", 48, &[]);
    for _ in 0..4 {
        world.fill("bulk", 53_000, 10_000);
    }
    world.settle();
    let bytes = bytes_of(&world, &[1, 2, 3]);
    world.plan("plan", OLD, NEW, &[]).exits(0);
    let begin = Instant::now();
    world.apply("plan.json", &["--throttle", "10MB/s"]).exits(4).says("gate before swap");
    let took = begin.elapsed().as_secs_f64();
    let moved: u64 = bytes.values().sum();
    let busiest = bytes_of(&world, &[4, 5, 6]).into_values().max().unwrap();
    // A fresh quota lets one second's worth and one fetch response (10 MB) pass before it bites.
    let bound = (busiest as f64 - THROTTLE - 10e6) / THROTTLE;
    eprintln!(
        "moved {moved} bytes; busiest destination {busiest}; bound {bound:.1} s; took {took:.1} s; ratio {:.3}",
        took / bound
    );
    assert!(moved >= 4_000_000_000 && bound >= 180.0, "too little to measure");
    assert!(took / bound <= 1.10, "{}", took / bound);
}

/// Ten thousand tiny partitions: all stages by restow, beside the stock tool that sends all at once.
#[test]
#[ignore = "ten minutes"]
fn measured_tiny_partitions() {
    let Some(()) = available_or_skip() else { return };
    // As brokers come, but for the short times of the other tests: one log directory (with several, Kafka counts all its
    // logs for each that it makes), and followers that may be slow for 30 s on a machine that is busy with all of this.
    let spec = Spec::two_az("4.3.1").heap_mb(1_000).property("log.dirs", "{dir}/a");
    let world = World::start(spec.property("replica.lag.time.max.ms", "30000"));
    for topic in 0..20 {
        world.topic(&format!("tiny-{topic:02}"), 500, &[]);
    }
    // Brokers take a while to make twenty thousand replicas, and do not know of the later topics meanwhile.
    let made = || {
        // Each answer names all of them: brokers are asked seldom.
        std::thread::sleep(Duration::from_secs(5));
        let held = world.kafka.admin().log_dirs(&[1, 2, 3]).unwrap_or_default();
        held.iter().filter(|replica| replica.topic.starts_with("tiny")).count() == 20_000
    };
    assert!(wait_until(Duration::from_secs(400), made), "the topics are not made");
    world.settle();
    world.plan("plan", OLD, NEW, &[]).exits(0);
    world.restow(&["export", "plan.json", "--dir", "all", "--max-partitions-per-wave", "10000"]).exits(0);
    let all = world.dir.join("all");

    let begin = Instant::now();
    world.apply("plan.json", &["--throttle", "50MB/s", "--approve", "swap,shrink"]).exits(0);
    let ours = begin.elapsed();
    world.is_on(&[4, 5, 6], &[]);

    // And back by the stock tool: the twin of the shrink is the old assignment, in one step.
    let back = all.join("direct.json");
    let start = files(&all, "expand").into_iter().find(|file| file.to_string_lossy().contains("rollback"));
    std::fs::copy(start.expect("the expansion has a twin"), &back).unwrap();
    let begin = Instant::now();
    let file = back.display().to_string();
    let out = world.kafka.reassign(&["--reassignment-json-file", &file, "--execute"]);
    assert_eq!(out.status, Some(0), "{}{}", out.stdout, out.stderr);
    assert!(
        world.kafka.admin().wait_until_settled(Duration::from_secs(300)),
        "the stock tool's moves do not end"
    );
    let theirs = begin.elapsed();
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    eprintln!(
        "10,000 partitions: restow {ours:?} in three stages, the stock tool {theirs:?} in one; ratio {ratio:.2}"
    );
    assert!(ratio <= 3.0, "{ratio}");
}

/// Bytes on each broker, internal topics left out.
fn bytes_of(world: &World, brokers: &[i32]) -> BTreeMap<i32, u64> {
    let mut bytes = BTreeMap::new();
    for replica in world.kafka.admin().log_dirs(brokers).unwrap() {
        if !replica.topic.starts_with("__") {
            *bytes.entry(replica.broker).or_default() += replica.size as u64;
        }
    }
    bytes
}
