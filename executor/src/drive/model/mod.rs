//! The model check: one partition, the real decisions, the simulator's real controller, and an adversary.
//!
//! Every interleaving of what can happen to a move is walked through, for every shape up to RF4 and up to
//! renaming, and in every state the promises are judged on Kafka's true state by code of its own (`promise`).
//! Nothing of the system is copied here: [`look`] calls `View::next` and `decide` on the `fold` of real records,
//! [`kafka`] calls the simulator's `apply`, and [`kind`] runs whole processes with `reads` besides.
//!
//! ```text
//! cargo test -p restow-executor --lib model            what CI checks, with counts
//! cargo test --release -p restow-executor --lib model -- --ignored     all shapes, all rules
//! ```
//!
//! # The adversary
//!
//! Any replica leaves or joins the ISR; any one broker stops, is fenced or not, and comes back; Kafka elects the
//! preferred leader by itself; our process is killed between any two steps and started with any goal; a request
//! is applied at any time until 65 s have passed, or never, or again and again; an answer is lost, or says
//! nothing; the broker that took a request hangs; metadata lags; somebody else reassigns or cancels.
//!
//! # What is left out, and why it only adds behaviours
//!
//! - **Time** is in classes: metadata is up to date or lags, the dwell has passed or not, a write is younger than
//!   65 s or not, each clock for itself. A class may pass at any moment, so every true timing is among them.
//! - **How often** an unanswered write is applied: any number of times instead of twice.
//! - **Back-off** (`held`, `refused`, canaries) only delays what one move does; here it is tried at once. The
//!   kind runs keep it.
//! - **Offsets**: a replica in the ISR is at the high watermark, any other behind it. One that has caught up and
//!   is not in the ISR yet is held here too, until it joins.
//! - **Epochs** are told apart only as the one that a look began with, and another.
//! - **Zones**: nothing in `drive` asks for one, so all zonings behave alike; each is judged.
//! - **Brokers of equal roles** are not merged: Kafka prefers earlier replicas as leaders, so no two are equal.
//!
//! [`Scope::CORE`] takes the steps of a request that no adversary can tell apart at once; that this loses
//! nothing is tested ([`the_core_meets_all_that_single_steps_meet`]). The other scopes add to it one family of
//! events each, or all together where a shape is small enough.
//!
//! # Not in this model
//!
//! Moves of other partitions (E8), throttles (E5), deleted topics and two executors: `tests/promises`. Two
//! brokers down at a time. Time that passes between the decision and the sending: `run` drops the request.

mod kafka;
mod kind;
mod look;
mod node;
mod promise;
mod shape;
mod world;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Mutex;

use stateright::{Checker, HasDiscoveries, Model};

use self::kafka::Kafka;
use self::promise::Broken;
use self::shape::{Shape, patterns, zonings};
use self::world::{PROMISES, Scope, World};
use super::switch::Guard;

/// The rules that differ in how a reassignment ends.
const RULES: [&str; 3] = ["3.7.2", "3.9.2", "4.3.1"];

/// What was explored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Found {
    states: usize,
    steps: usize,
    broken: Option<Broken>,
    path: Vec<String>,
    met: BTreeSet<Kafka>,
}

/// Explores everything, up to the first promise that does not hold.
fn explore(world: World) -> Found {
    let finish = HasDiscoveries::AnyFailures;
    let checker = world.checker().threads(1).finish_when(finish).spawn_bfs().join();
    let world = checker.model();
    let met = world.met.as_ref().map(|met| met.lock().unwrap().clone());
    let mut found = Found {
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        met: met.unwrap_or_default(),
        ..Found::default()
    };
    if let Some(path) = checker.discovery(PROMISES) {
        found.broken = world.broken(path.last_state());
        let last = format!("{:?}", path.last_state());
        found.path = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        found.path.push(last);
    }
    found
}

/// Explores a shape in which every promise has to hold; how many states there are.
#[track_caller]
fn holds(shape: &Shape, rules: &str, scope: Scope) -> usize {
    let found = explore(World::new(shape.clone(), rules, scope));
    let path = found.path.join("\n  ");
    assert_eq!(found.broken, None, "{shape:?} under {rules}, {scope:?}, after\n  {path}");
    found.states
}

/// Explores shapes and tells how many states there are, also where tests are silent.
#[track_caller]
fn all_hold(name: &str, shapes: &[Shape], rules: &str, scope: Scope) -> usize {
    let states = shapes.iter().map(|shape| holds(shape, rules, scope)).sum();
    let zoned: usize = shapes.iter().map(|shape| zonings(shape.brokers().len()).len()).sum();
    let count = shapes.len();
    writeln!(
        std::io::stderr(),
        "model: {name} under {rules}: {count} pairs of lists, {zoned} shapes, {states} states, 0 violations"
    )
    .unwrap();
    states
}

fn rf2() -> Shape {
    Shape::new(&[1, 2], &[3, 4])
}

#[test]
fn a_calm_sky() {
    assert_eq!(holds(&rf2(), "4.3.1", Scope { calm: true, ..Scope::CORE }), 21);
}

#[test]
fn rf2_over_two_zones() {
    let count = |rules, scope| all_hold("RF2 over two zones", &[rf2()], rules, scope);
    assert_eq!(RULES.map(|rules| count(rules, Scope::CORE)), [6_212, 7_896, 9_500]);
    count("4.3.1", Scope { gates: true, ..Scope::CORE });
    count("4.3.1", Scope { meddle: true, ..Scope::CORE });
}

/// Whatever Kafka can come to while each step is taken by itself, it comes to in the core, and no more.
#[test]
fn the_core_meets_all_that_single_steps_meet() {
    for shape in [Shape::new(&[1], &[2]), Shape::new(&[1, 2], &[2, 1]), Shape::new(&[1, 2], &[1])] {
        let met = |scope| {
            let mut world = World::new(shape.clone(), "3.9.2", scope);
            world.met = Some(Mutex::default());
            explore(world).met
        };
        assert_eq!(met(Scope::CORE), met(Scope { steps: true, ..Scope::CORE }), "{shape:?}");
    }
}

#[test]
fn small_shapes_with_all_that_can_happen() {
    let shapes = [Shape::new(&[1], &[1, 2]), Shape::new(&[1, 2], &[1])];
    all_hold("RF1 to 2 and back, everything at once", &shapes, "4.3.1", Scope::ALL);
    let small = [patterns(1, 1), patterns(1, 2), patterns(2, 1)].concat();
    for scope in [
        Scope { steps: true, ..Scope::CORE },
        Scope { lag: true, ..Scope::CORE },
        Scope { meddle: true, ..Scope::CORE },
        Scope { gates: true, ..Scope::CORE },
    ] {
        all_hold(&format!("RF1 and RF2, {scope:?}"), &small, "4.3.1", scope);
    }
}

/// A pipelined move meets what a staged one meets behind open gates, and no more.
#[test]
fn pipelined() {
    for shape in [patterns(1, 1), patterns(1, 2), patterns(2, 1), patterns(2, 2)].concat() {
        for scope in [Scope::CORE, Scope { meddle: true, ..Scope::CORE }] {
            let world = || World::new(shape.clone(), "4.3.1", scope);
            let (staged, pipelined) = (explore(world()), explore(world().pipelined()));
            assert_eq!(pipelined.broken, None, "{shape:?}, {scope:?}, after {:?}", pipelined.path);
            assert_eq!(
                (pipelined.states, pipelined.steps),
                (staged.states, staged.steps),
                "{shape:?}, {scope:?}"
            );
        }
    }
}

/// There a cancel leads back to the originals, whoever of them lives (KAFKA-14424). Where one original is live when
/// it is decided, and its broker dies before it lands, nobody leads afterwards, nor when the broker is back: the
/// one copy in the ISR was an added one. E4 allows it: one live copy, less the broker lost. KRaft refuses such a
/// cancel. All else holds.
#[test]
fn with_zookeeper_a_cancel_can_cost_the_leader() {
    let rules = "3.9.2-zk";
    let found = explore(World::new(Shape::new(&[1, 2], &[3]), rules, Scope::CORE));
    assert_eq!(found.broken, Some(Broken::NoWayBack), "{found:?}");
    for shape in [patterns(1, 1), patterns(1, 2), patterns(2, 1), patterns(2, 2)].concat() {
        let mut world = World::new(shape, rules, Scope::CORE);
        world.homes = false;
        let found = explore(world);
        assert_eq!(found.broken, None, "{found:?}");
    }
}

#[test]
fn every_shape_up_to_rf3() {
    for from in 1..=3 {
        for to in 1..=3 {
            let rules: &[&str] = if from + to <= 4 { &RULES } else { &["4.3.1"] };
            for rules in rules {
                all_hold(&format!("RF{from} to RF{to}"), &patterns(from, to), rules, Scope::CORE);
            }
        }
    }
    for rules in ["3.7.2", "3.9.2"] {
        all_hold("RF3, all new", &[Shape::new(&[1, 2, 3], &[4, 5, 6])], rules, Scope::CORE);
    }
}

#[test]
fn rf2_to_rf4_and_back_and_rf4() {
    for rules in RULES {
        all_hold("RF2 to RF4, kept", &[Shape::new(&[1, 2], &[1, 2, 3, 4])], rules, Scope::CORE);
        all_hold("RF4 to RF2, kept", &[Shape::new(&[1, 2, 3, 4], &[3, 4])], rules, Scope::CORE);
    }
    all_hold("RF4, all new", &[Shape::new(&[1, 2, 3, 4], &[5, 6, 7, 8])], "4.3.1", Scope::CORE);
}

#[test]
#[ignore = "half an hour; run it with --release"]
fn every_shape() {
    for rules in RULES {
        for (from, to) in (1..=4).flat_map(|from| (1..=4).map(move |to| (from, to))) {
            all_hold(&format!("RF{from} to RF{to}"), &patterns(from, to), rules, Scope::CORE);
        }
    }
    for rules in RULES {
        for scope in [Scope { gates: true, ..Scope::CORE }, Scope { meddle: true, ..Scope::CORE }] {
            all_hold(&format!("RF2, {scope:?}"), &patterns(2, 2), rules, scope);
        }
    }
}

#[test]
#[ignore = "hours, and gigabytes; run it with --release"]
fn small_shapes_with_everything_at_once() {
    let small = [patterns(1, 2), patterns(2, 1)].concat();
    for rules in RULES {
        all_hold("RF1 to 2 and back, everything at once", &small, rules, Scope::ALL);
    }
}

/// Where each guard is needed: without it, this promise breaks.
#[test]
fn each_guard_is_needed() {
    let core = Scope::CORE;
    let (gates, meddle) = (Scope { gates: true, ..core }, Scope { meddle: true, ..core });
    let (steps, lag) = (Scope { steps: true, ..core }, Scope { lag: true, ..core });
    let (one, shared) = (Shape::new(&[1], &[2]), Shape::new(&[1, 2], &[2, 3]));
    let needed = [
        (Guard::Fresh, &one, lag, Broken::OldView),
        (Guard::Seen, &shared, Scope { meddle: true, ..lag }, Broken::NotAgreed),
        (Guard::Agree, &one, lag, Broken::NotAgreed),
        (Guard::Lag, &one, lag, Broken::Over),
        (Guard::Caught, &one, lag, Broken::DeadLeader),
        (Guard::Open, &one, steps, Broken::Open),
        (Guard::Heard, &one, steps, Broken::Open),
        (Guard::Age, &one, steps, Broken::Open),
        (Guard::Alone, &rf2(), core, Broken::Over),
        (Guard::Foreign, &rf2(), meddle, Broken::TheirsCancelled),
        (Guard::Explained, &rf2(), meddle, Broken::TheirsCancelled),
        (Guard::Known, &rf2(), meddle, Broken::UnknownList),
        (Guard::Gate, &rf2(), gates, Broken::Gate),
        (Guard::Dwell, &rf2(), gates, Broken::Dwell),
        (Guard::Originals, &rf2(), core, Broken::SickCopy),
        (Guard::Destinations, &rf2(), core, Broken::SickCopy),
        (Guard::Whole, &rf2(), core, Broken::NotWhole),
        (Guard::First, &rf2(), core, Broken::DeadLeader),
        (Guard::Keepers, &rf2(), core, Broken::Copies),
        (Guard::Enough, &rf2(), core, Broken::Copies),
        (Guard::Answers, &rf2(), core, Broken::SickCopy),
    ];
    for (guard, shape, scope, broken) in needed {
        let found = explore(World::new(shape.clone(), "4.3.1", scope).without(guard));
        assert_eq!(found.broken, Some(broken), "without {guard:?}: {found:?}");
        writeln!(
            std::io::stderr(),
            "model: without {guard:?}: {broken:?} after {} steps",
            found.path.len() - 1
        )
        .unwrap();
    }
}
