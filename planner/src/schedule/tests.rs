//! Admission, and plans that can never finish.

use super::*;
use crate::model::{BrokerId, Sockets};
use crate::plan::{BrokerImpact, Move, Moves, Pacing, Plan, PlanBroker, PlanTopic, moves};

const MB: u64 = 1_000_000;

/// A move of a test: lists and bytes of one copy.
pub(crate) type Row = (Vec<i32>, Vec<i32>, Option<u64>);

pub(crate) fn ids(list: &[i32]) -> Vec<BrokerId> {
    list.iter().copied().map(BrokerId).collect()
}

/// A plan over brokers 0 to `brokers`; zones by turns are `a` and `b`.
pub(crate) fn plan(brokers: i32, rows: &[Row], pacing: Pacing) -> Plan {
    let mut list = Moves::default();
    let mut impact: Vec<BrokerImpact> = (0..brokers)
        .map(|id| BrokerImpact {
            broker: BrokerId(id),
            before: 0,
            peak: 0,
            after: 0,
            replicas_before: 0,
            replicas_after: 0,
            leaders_before: 0,
            leaders_after: 0,
            unknown: 0,
        })
        .collect();
    for (at, (from, to, bytes)) in rows.iter().enumerate() {
        let (from, to) = (ids(from), ids(to));
        list.push(Move { topic: 0, partition: at as i32, from: &from, to: &to, bytes: *bytes, leader: None });
        from.iter().for_each(|id| impact[id.0 as usize].before += bytes.unwrap_or(0));
        to.iter().for_each(|id| impact[id.0 as usize].after += bytes.unwrap_or(0));
        moves::added(&from, &to).iter().for_each(|id| impact[id.0 as usize].peak += bytes.unwrap_or(0));
    }
    impact.iter_mut().for_each(|row| row.peak += row.before);
    let zone = |id: i32| Some(if id % 2 == 0 { "a".into() } else { "b".into() });
    let id = Default::default();
    Plan {
        pacing,
        brokers: (0..brokers)
            .map(|id| PlanBroker {
                id: BrokerId(id),
                rack: None,
                zone: zone(id),
                limit_bytes: None,
                pinned: false,
            })
            .collect(),
        topics: vec![PlanTopic {
            name: "t".into(),
            id,
            internal: false,
            min_isr: None,
            hold_min_isr: None,
            zones: vec![],
        }],
        moves: list,
        impact,
        ..Plan::empty("c")
    }
}

fn staged(brokers: i32, rows: &[Row]) -> Plan {
    plan(brokers, rows, Pacing::Staged)
}

fn ports(plan: &Plan, load: &Load, at: u32) -> Ports {
    let m = plan.moves.get(at as usize);
    Ports::of(&m, m.from[0], load.ingest(at as usize))
}

/// What an empty window takes of a plan at once.
fn admitted(plan: &Plan, load: &Load, limits: Limits, order: Order) -> Vec<u32> {
    let (mut window, mut waiting) = (Window::new(plan, limits), Waiting::new(order));
    (0..plan.moves.len() as u32).for_each(|at| waiting.insert(at, &ports(plan, load, at)));
    waiting.admit(&mut window, usize::MAX, |at| Some(ports(plan, load, at)))
}

#[test]
fn coming_in_and_leading_are_counted_apart() {
    let row = |at: i32| (vec![at % 2], vec![1 - at % 2], Some(10_000 * MB));
    let plan = staged(2, &(0..20).map(row).collect::<Vec<_>>());
    let limits = Limits::per_broker(2, Some(50 * MB));
    let got = admitted(&plan, &Load::default(), limits, Order::Fifo);
    assert_eq!(got, [0, 1, 2, 3], "each leads two and receives two");
}

#[test]
fn a_count_is_passed_where_a_broker_with_enough_to_do_would_idle() {
    // 2 takes five from 0 first; 1 has by far the most to send, and all of it goes to 2 as well.
    let big = Some(10_000 * MB);
    let mut rows: Vec<Row> = (0..5).map(|_| (vec![0], vec![2], big)).collect();
    rows.extend((0..40).map(|at| (vec![1], vec![if at < 10 { 2 } else { 3 }], big)));
    let limits = Limits::per_broker(5, Some(50 * MB));
    let got = admitted(&staged(4, &rows), &Load::default(), limits, Order::Fifo);
    let to_two = got.iter().filter(|at| **at < 15).count();
    assert!(to_two > 5 && got.contains(&5), "{got:?}");
    // Five brokers idle because one leader has five times as much to do: its count holds.
    let even: Vec<Row> = (0..40).map(|at| (vec![0], vec![1 + at % 5], big)).collect();
    assert_eq!(admitted(&staged(6, &even), &Load::default(), limits, Order::Fifo).len(), 5);
}

#[test]
fn tiny_moves_do_not_queue_behind_a_count_for_big_ones() {
    let rows: Vec<Row> = (0..2000).map(|at| (vec![at % 2], vec![2 + at % 2], Some(1000))).collect();
    let limits = |per_broker| Limits::per_broker(per_broker, Some(50 * MB));
    let all = |rows: &[Row]| admitted(&staged(4, rows), &Load::default(), limits(5), Order::Fifo).len();
    assert_eq!(all(&rows), 2000);
    let unknown: Vec<Row> = rows.iter().map(|row| (row.0.clone(), row.1.clone(), None)).collect();
    assert_eq!(all(&unknown), 10, "unknown is never small");
    let mut mixed = rows;
    mixed.extend((0..20).map(|_| (vec![0], vec![2], Some(10_000 * MB))));
    let plan = staged(4, &mixed);
    let first = admitted(&plan, &Load::default(), limits(8), Order::Fifo);
    assert!(first.iter().filter(|at| **at >= 2000).count() >= 3, "big ones go beside tiny ones");
}

#[test]
fn a_window_that_is_half_empty_finds_what_fits_behind_what_does_not() {
    // A hot leader fills the front of the plan.
    let big = Some(10_000 * MB);
    let mut rows: Vec<Row> = (0..1000).map(|at| (vec![0], vec![3 + at % 5], big)).collect();
    rows.push((vec![1], vec![3], big));
    rows.push((vec![2], vec![4], big));
    let limits = Limits::per_broker(5, Some(50 * MB));
    let got = admitted(&staged(8, &rows), &Load::default(), limits, Order::Fifo);
    assert_eq!(got, [0, 1, 2, 3, 4, 1000, 1001]);
}

#[test]
fn bytes_zones_and_fan_out_have_caps() {
    let rows: Vec<Row> = (0..8).map(|at| (vec![at % 4], vec![4, 5], Some(100))).collect();
    let count = |limits: Limits| admitted(&staged(6, &rows), &Load::default(), limits, Order::Fifo).len();
    let none = Limits::per_broker(100, None);
    assert_eq!(count(none), 8);
    assert_eq!(count(Limits { cluster: Cap { moves: 100, bytes: 500 }, ..none }), 2);
    assert_eq!(count(Limits { cluster: Cap { moves: 100, bytes: 1 }, ..none }), 1, "one is let through");
    assert_eq!(count(Limits { zone: Cap { moves: 100, bytes: 300 }, ..none }), 3);
    assert_eq!(count(Limits { broker: Cap { moves: 100, bytes: 450 }, ..none }), 4);
    assert_eq!(count(Limits { fan_out: 2, ..none }), 4, "one for each of four leaders");
}

#[test]
fn brokers_that_must_not_take_part_do_not() {
    let rows = [(vec![0], vec![2], Some(1)), (vec![1], vec![3], Some(1)), (vec![1], vec![2], Some(1))];
    let plan = staged(4, &rows);
    let load = Load::default();
    let mut waiting = Waiting::new(Order::Fifo);
    (0..3).for_each(|at| waiting.insert(at, &ports(&plan, &load, at)));
    let mut window = Window::new(&plan, Limits::per_broker(5, None));
    window.keep_out([BrokerId(2)]);
    assert_eq!(waiting.admit(&mut window, 10, |at| Some(ports(&plan, &load, at))), [1]);
}

#[test]
fn orders() {
    let row = |from: i32, to: i32, mb: u64| (vec![from], vec![to], Some(mb * MB));
    // Leader 1 has by far the most to send.
    let plan = staged(4, &[row(0, 2, 900), row(0, 3, 600), row(1, 2, 800), row(1, 3, 5000), row(1, 2, 700)]);
    let first = |order| {
        let limits = Limits { cluster: Cap { moves: 1, bytes: u64::MAX }, ..Limits::per_broker(5, Some(MB)) };
        admitted(&plan, &Load::default(), limits, order)
    };
    assert_eq!(first(Order::Fifo), [0]);
    assert_eq!(first(Order::SmallestFirst), [1]);
    assert_eq!(first(Order::CriticalPortFirst), [3], "the largest of the busiest leader");
}

#[test]
fn what_is_removed_waits_no_more() {
    let plan = staged(2, &[(vec![0], vec![1], Some(1)), (vec![0], vec![1], Some(2))]);
    let load = Load::default();
    let mut waiting = Waiting::new(Order::SmallestFirst);
    (0..2).for_each(|at| waiting.insert(at, &ports(&plan, &load, at)));
    waiting.remove(0, &ports(&plan, &load, 0));
    waiting.remove(0, &ports(&plan, &load, 0));
    assert_eq!(waiting.len(), 1);
    let mut window = Window::new(&plan, Limits::per_broker(5, None));
    assert_eq!(waiting.admit(&mut window, 10, |at| Some(ports(&plan, &load, at))), [1]);
    waiting.remove(1, &ports(&plan, &load, 1));
    assert!(waiting.is_empty());
}

/// Ten moves from 0 and 1 to 2 and 3; each is written to at `rate`.
fn busy(rate: u64) -> (Plan, Load) {
    let rows: Vec<Row> = (0..10).map(|_| (vec![0, 1], vec![2, 3], Some(100 * MB))).collect();
    let plan = staged(4, &rows);
    let mut load = Load::default();
    (0..10).for_each(|at| load.set_ingest(at, Some(rate)));
    (plan, load)
}

#[test]
fn a_copy_is_admitted_only_where_ingest_leaves_it_a_share() {
    // Each takes 3 MB/s of its leader's quota: one follower in sync and two copies. Half of 20 MB/s holds three.
    let (plan, load) = busy(MB);
    let count = |rate| admitted(&plan, &load, Limits::per_broker(100, Some(rate)), Order::Fifo).len();
    assert_eq!(count(20 * MB), 3);
    assert_eq!(count(200 * MB), 10);
    assert_eq!(count(4 * MB), 1, "one that takes more than half goes alone");
    let (plan, mut load) = busy(MB);
    (0..10).for_each(|at| load.set_ingest(at, None));
    let limits = Limits::per_broker(100, Some(4 * MB));
    assert_eq!(admitted(&plan, &load, limits, Order::Fifo).len(), 10, "unknown rates hold nothing back");
}

#[test]
fn a_throttle_below_what_is_counted_is_refused_with_the_smallest_that_can_finish() {
    let (plan, load) = busy(MB);
    let found = doomed(&plan, &load, Some(3 * MB), None);
    let [Doom::Throttle { broker, counted, smallest, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((*broker, *counted), (BrokerId(0), 3 * MB));
    assert!(doomed(&plan, &load, Some(*smallest), None).is_empty(), "the throttle that is named can finish");
    assert!(doomed(&plan, &load, Some(20 * MB), None).is_empty());
    assert!(doomed(&plan, &load, None, None).is_empty());
    assert!(doomed(&plan, &Load::default(), Some(1), None).is_empty(), "unknown rates doom nothing");
    assert!(
        found[0]
            .to_string()
            .contains("t-0 can never catch up: while it is copied, its leader 0 counts 3000000")
    );
}

#[test]
fn a_link_that_cannot_carry_what_is_written_is_refused() {
    // Leader 0 is in zone a, follower 3 in zone b. 64 KiB over 60 ms are 1.09 MB/s; ten partitions bring 10 MB/s.
    let (plan, mut load) = busy(MB);
    let sockets = Sockets { receive_buffer: 65_536, fetchers: 1 };
    load.set_sockets(BrokerId(3), sockets);
    assert!(doomed(&plan, &load, Some(100 * MB), None).is_empty(), "no round-trip time is known");
    load.set_rtt("b", "a", 60_000);
    let found = doomed(&plan, &load, Some(100 * MB), None);
    let [Doom::Socket { leader, follower, ceiling, ingest }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((leader.0, follower.0, *ceiling, *ingest), (0, 3, 1_092_266, 10 * MB));
    load.set_sockets(BrokerId(3), Sockets { receive_buffer: 16 << 20, ..sockets });
    assert!(doomed(&plan, &load, Some(100 * MB), None).is_empty());
    load.set_sockets(BrokerId(3), Sockets { receive_buffer: -1, ..sockets });
    assert!(doomed(&plan, &load, Some(100 * MB), None).is_empty(), "the operating system's own buffer");
}
