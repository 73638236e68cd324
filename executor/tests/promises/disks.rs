//! P5 at run time: full disks, and copies that wait for room.

use std::time::Duration;

use restow_client::snapshot;
use restow_executor::drive::Cause;
use restow_executor::journal::{Gate, Goal, Outcome};
use restow_planner::model::{BrokerId, Cluster};
use restow_planner::plan::{BrokerImpact, Move, Moves, Pacing, Plan, PlanTopic};
use restow_planner::schedule::{Disks, Load, doomed};
use restow_simulator::{BrokerSetup, TopicSetup};

use super::lab::{Lab, plan_of};
use super::seeds::{Dice, number};

const SHRINK: [Gate; 1] = [Gate::Shrink];
const MB: u64 = 1_000_000;
const BROKERS: usize = 5;
const PARTITIONS: usize = 340;

/// Lists, and bytes of each partition.
struct Layout {
    from: Vec<Vec<i32>>,
    to: Vec<Vec<i32>>,
    bytes: Vec<u64>,
    /// Size of the log directory of each broker.
    sizes: Vec<u64>,
}

/// A cluster that begins, and ends, with its fullest disks at 97 %: single replicas, two in five of which move.
fn tight(seed: u64) -> Layout {
    let mut dice = Dice::new(seed);
    let bytes: Vec<u64> = (0..PARTITIONS).map(|_| dice.range(MB, 2 * MB)).collect();
    let mut order: Vec<usize> = (0..PARTITIONS).collect();
    let lay = |dice: &mut Dice, order: &mut [usize], held: &mut [u64], place: &mut [usize]| {
        dice.shuffle(order);
        for at in order.iter() {
            let least = (0..BROKERS).min_by_key(|broker| held[*broker]).unwrap();
            held[least] += bytes[*at];
            place[*at] = least;
        }
    };
    let (mut before, mut from) = (vec![0; BROKERS], vec![0; PARTITIONS]);
    lay(&mut dice, &mut order, &mut before, &mut from);
    let (mut after, mut to) = (before.clone(), from.clone());
    let moved = &mut order[..PARTITIONS * 2 / 5];
    for at in moved.iter() {
        after[to[*at]] -= bytes[*at];
    }
    lay(&mut dice, moved, &mut after, &mut to);
    let sizes = before.iter().zip(&after).map(|(a, b)| a.max(b) * 100 / 97).collect();
    let lists = |place: &[usize]| place.iter().map(|broker| vec![*broker as i32 + 1]).collect();
    Layout { from: lists(&from), to: lists(&to), bytes, sizes }
}

/// The same with a second replica each, in another zone and on disks with room, that stays.
fn with_followers(mut layout: Layout) -> Layout {
    for (at, (from, to)) in layout.from.iter_mut().zip(&mut layout.to).enumerate() {
        let follower = (BROKERS + 1 + at % 2) as i32;
        from.push(follower);
        to.push(follower);
    }
    layout.sizes.extend([100_000 * MB; 2]);
    layout
}

async fn lab(version: &str, layout: &Layout, halves: bool) -> (Lab, Cluster) {
    let broker = |(at, size): (usize, &u64)| {
        let zone = if at < BROKERS { "az-a" } else { "az-b" };
        let dirs = if halves { vec![size / 2, size - size / 2] } else { vec![*size] };
        BrokerSetup { dirs, ..BrokerSetup::new(at as i32 + 1, zone) }
    };
    let brokers = layout.sizes.iter().enumerate().map(broker).collect();
    let mut topic = TopicSetup::new("t", layout.from.clone(), 0);
    topic.bytes.clone_from(&layout.bytes);
    let mut lab = Lab::with(brokers, version, vec![topic]).await;
    let taken =
        snapshot::take(&lab.client, &snapshot::SnapshotOptions::default(), &mut |_| {}).await.unwrap();
    lab.plan = plan(&taken.cluster, &layout.to);
    lab.plan.pacing = Pacing::Pipelined;
    // A deadlock ends the run.
    lab.pace.hold_timeout = Some(Duration::from_secs(600));
    (lab, taken.cluster)
}

fn plan(cluster: &Cluster, to: &[Vec<i32>]) -> Plan {
    let (mut plan, mut moves) = (plan_of(cluster), Moves::default());
    let topic = &cluster.topics[0];
    for (p, to) in cluster.partitions_of(topic).zip(to) {
        let (from, to): (_, Vec<BrokerId>) =
            (cluster.ids(p.replicas), to.iter().copied().map(BrokerId).collect());
        if from != to {
            let (partition, bytes) = (p.number, p.copy_bytes());
            moves.push(Move { topic: 0, partition, from: &from, to: &to, bytes, leader: None });
        }
    }
    let (name, internal) = (topic.name.clone(), false);
    plan.topics.push(PlanTopic {
        name,
        id: topic.id,
        internal,
        min_isr: None,
        hold_min_isr: None,
        zones: vec![],
    });
    plan.impact = impact(cluster, &moves);
    plan.moves = moves;
    plan
}

/// Bytes before and after, counted here.
fn impact(cluster: &Cluster, moves: &Moves) -> Vec<BrokerImpact> {
    let row = |broker: &restow_planner::model::Broker| {
        let id = broker.id;
        let held = |(_, p): (_, restow_planner::model::Partition<'_>)| {
            let is_there = cluster.ids(p.replicas).contains(&id);
            if is_there { p.copy_bytes().unwrap_or(0) } else { 0 }
        };
        let before: u64 = cluster.partitions().map(held).sum();
        let sum = |gets: &dyn Fn(&Move<'_>) -> bool| -> u64 {
            moves.iter().filter(gets).map(|m| m.bytes.unwrap_or(0)).sum()
        };
        let comes = sum(&|m| m.to.contains(&id) && !m.from.contains(&id));
        let goes = sum(&|m| m.from.contains(&id) && !m.to.contains(&id));
        BrokerImpact {
            broker: id,
            before,
            peak: before + comes,
            after: before + comes - goes,
            replicas_before: 0,
            replicas_after: 0,
            leaders_before: 0,
            leaders_after: 0,
            unknown: 0,
        }
    };
    cluster.brokers.iter().map(row).collect()
}

/// Runs a tight plan; none if it is refused before the start.
async fn play(seed: u64, version: &str, layout: &Layout, halves: bool, throttle: u64) -> Option<f64> {
    let (mut lab, cluster) = lab(version, layout, halves).await;
    lab.pace.throttle = Some(throttle);
    if !doomed(&lab.plan, &Load::default(), None, Some(Disks::of(&cluster))).is_empty() {
        return None;
    }
    let too_much = lab.plan.impact.iter().zip(&layout.sizes).filter(|(row, size)| row.peak > **size).count();
    assert!(too_much >= BROKERS - 1, "seed {seed}: all at once would fit");
    let configs = lab.configs();
    let (report, seen) = lab.run(Goal::Forward, &SHRINK).await;
    assert_eq!(report.outcome, Outcome::Done, "seed {seed} {version}: {report:?} {:?}", seen.0.last());
    lab.is_at_target();
    assert_eq!(lab.configs(), configs);
    let mut fullest: f64 = 0.0;
    for (at, size) in layout.sizes.iter().enumerate() {
        let sizes = if halves { vec![size / 2, size - size / 2] } else { vec![*size] };
        for (peak, size) in lab.sim.disk_peak(at as i32 + 1).into_iter().zip(sizes) {
            assert!(peak <= size, "seed {seed}: a disk of broker {} held {peak} of {size} bytes", at + 1);
            fullest = fullest.max(peak as f64 / size as f64);
        }
    }
    Some(fullest)
}

fn tell(name: &str, played: &[Option<f64>]) {
    let run: Vec<f64> = played.iter().flatten().copied().collect();
    let fullest = run.iter().copied().fold(0.0, f64::max) * 100.0;
    println!(
        "{name}: {} runs, {} refused before, fullest {fullest:.1} %",
        run.len(),
        played.len() - run.len()
    );
}

/// More with `RESTOW_SEEDS=60`.
#[tokio::test(start_paused = true)]
async fn p5_disks_at_97_percent_are_never_overfilled_and_never_deadlock() {
    let mut played = Vec::new();
    let seeds = number("RESTOW_SEEDS").unwrap_or(6);
    for seed in 1..=seeds {
        // Copies that are whole before the next look, and copies that disks are read in the middle of.
        let throttle = if seed % 3 == 0 { MB / 20 } else { 20 * MB };
        let layout = if seed % 2 == 0 { tight(seed) } else { with_followers(tight(seed)) };
        let version = if seed % 5 < 3 { "4.3.1" } else { "3.7.2" };
        played.push(play(seed, version, &layout, false, throttle).await);
    }
    tell("97 %", &played);
    assert!(played.iter().flatten().count() as u64 * 2 > seeds);
}

/// Two log directories on each broker, at 90 %: Kafka fills the one with fewer replicas, however full it is.
#[tokio::test(start_paused = true)]
async fn p5_of_two_directories_none_is_overfilled() {
    let mut played = Vec::new();
    for seed in 101..=100 + number("RESTOW_SEEDS").unwrap_or(3) {
        let mut layout = tight(seed);
        layout.sizes.iter_mut().for_each(|size| *size = *size * 97 / 90);
        let throttle = if seed % 2 == 0 { MB / 20 } else { 20 * MB };
        played.push(play(seed, "4.3.1", &layout, true, throttle).await);
    }
    tell("two directories", &played);
    assert!(played.iter().flatten().count() >= 1);
}

/// A copy that fits nowhere is refused by name before anything is asked; after that it is held, and told.
#[tokio::test(start_paused = true)]
async fn p5_a_copy_that_never_fits_is_refused_by_name() {
    let mut layout = tight(21);
    let big = layout.from.iter().zip(&layout.to).position(|(from, to)| from != to).unwrap();
    let to = layout.to[big][0];
    // Only this one moves, to a disk without room.
    for at in (0..PARTITIONS).filter(|at| *at != big) {
        layout.to[at].clone_from(&layout.from[at]);
    }
    let held: u64 = (0..PARTITIONS).filter(|at| layout.from[*at] == [to]).map(|at| layout.bytes[at]).sum();
    layout.sizes[to as usize - 1] = held + MB / 2;
    let (lab, _) = lab("4.3.1", &layout, false).await;
    assert_eq!(lab.plan.moves.len(), 1);
    let lists = lab.lists();
    let (report, _) = lab.run(Goal::Forward, &SHRINK).await;
    assert_eq!(report.outcome, Outcome::Refused, "{report:?}");
    let hold = report.holds.iter().find(|hold| hold.cause == Cause::Disk).expect("a disk holds");
    assert!(hold.to_string().contains(&format!("broker {to}: t-{big} needs")), "{hold}");
    assert_eq!(lab.lists(), lists);
    assert!(!lab.memory().asked_anything);
}
