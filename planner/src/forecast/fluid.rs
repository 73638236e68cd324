//! The expansion as streams over time, from completion to completion.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::bound;
use super::share::{Stream, share};
use crate::model::BrokerId;
use crate::plan::{Pacing, Plan, Step, moves};
use crate::schedule::{Disks, Limits, Load, Order, Ports, Waiting, Window};

/// How a run goes, as far as it matters to its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// What may be in flight.
    pub limits: Limits,
    /// What goes first.
    pub order: Order,
    /// Thousandths of the throttle that copies really get: a quota that is exceeded idles for a while.
    pub efficiency: u64,
    /// Milliseconds from the end of a copy until the next is on its way: joining, looking, asking.
    pub latency_ms: u64,
    /// Partitions in one request at most.
    pub batch: u64,
    /// Seconds that a swapped partition stands before its old copies are dropped.
    pub dwell_s: u64,
    /// The disks at the start, where room has to be kept at run time (pipelined plans).
    pub disks: Option<Disks>,
}

impl Pace {
    /// A pace of these limits, with what was measured for the rest.
    pub fn new(limits: Limits) -> Self {
        Pace {
            limits,
            order: Order::Fifo,
            efficiency: 970,
            latency_ms: 1000,
            batch: 200,
            dwell_s: 30,
            disks: None,
        }
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fluid {
    /// When the last copy joined, in milliseconds.
    pub milliseconds: u64,
    /// Moves that never finish.
    pub stuck: Vec<u32>,
    /// Most bytes on each broker that gets copies, those of deleted replicas included.
    pub peaks: BTreeMap<BrokerId, u64>,
    /// Bytes of the plan that were copied, over time in milliseconds; what producers add meanwhile is not in it.
    pub curve: Vec<(u64, u64)>,
}

/// Milliseconds until the directory of a dropped replica is gone (`file.delete.delay.ms`, and the request).
const DELETE_MS: f64 = 62_000.0;
/// Points of the curve.
const POINTS: usize = 256;
/// Completions that lie closer than this part of the bound are taken together.
const GRAIN: f64 = 1.0 / 20_000.0;

/// A copy on its way.
struct Copy {
    at: u32,
    stream: Stream,
    /// Bytes that it lacks.
    left: f64,
    /// Bytes/s that producers add.
    ingest: f64,
}

/// Bytes per millisecond of a leader's quota that in-sync followers take.
fn counted(ports: &Ports) -> f64 {
    ports.ingest.unwrap_or(0) as f64 / 1000.0 * ports.in_sync as f64
}

struct Run<'a> {
    plan: &'a Plan,
    load: &'a Load,
    pace: &'a Pace,
    ids: Vec<BrokerId>,
    waiting: Waiting,
    window: Window,
    copies: Vec<Copy>,
    /// Moves in flight, with the copies that have not joined.
    flights: BTreeMap<u32, Ports>,
    /// Bytes per millisecond of each leader's quota that in-sync followers of listed partitions take.
    counted: Vec<f64>,
    /// Directories that will be gone: when (ms), broker, bytes.
    going: BinaryHeap<Reverse<(u64, usize, u64)>>,
    held: Vec<i128>,
    peaks: BTreeMap<BrokerId, u64>,
    now: f64,
    /// When the last copy joined.
    joined: f64,
    copied: f64,
    /// When the window is looked at next; none if nothing has changed since the last look.
    look: Option<f64>,
    curve: Vec<(u64, u64)>,
}

/// Runs the expansion of a plan (of a pipelined one all of it) at a throttle; without one nothing is told.
pub fn fluid(plan: &Plan, load: &Load, pace: &Pace) -> Fluid {
    let mut run = Run::new(plan, load, pace);
    let throttle = pace.limits.throttle.unwrap_or(u64::MAX);
    let grain = bound(plan, load, throttle).map_or(0.0, |b| b.milliseconds as f64 * GRAIN);
    let rate = throttle as f64 * pace.efficiency as f64 / 1_000_000.0;
    let mut rates = Vec::new();
    while run.admit() {
        run.share(rate, &mut rates);
        let Some(next) = run.next_event(&rates, grain) else { break };
        run.advance(next, &rates);
    }
    run.finish()
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, load: &'a Load, pace: &'a Pace) -> Self {
        let ids: Vec<BrokerId> = plan.brokers.iter().map(|b| b.id).collect();
        let mut window = Window::new(plan, pace.limits);
        window.disks.clone_from(&pace.disks);
        let mut waiting = Waiting::new(pace.order);
        for (at, m) in plan.moves.iter().enumerate().filter(|(_, m)| m.has(Step::Expand)) {
            waiting.insert(at as u32, &Ports::of(&m, m.leader.unwrap_or(m.from[0]), load.ingest(at)));
        }
        let mut held = vec![0; ids.len()];
        for row in &plan.impact {
            if let Ok(at) = ids.binary_search(&row.broker) {
                held[at] = i128::from(row.before);
            }
        }
        Run {
            plan,
            load,
            pace,
            counted: vec![0.0; ids.len()],
            ids,
            waiting,
            window,
            copies: Vec::new(),
            flights: BTreeMap::new(),
            going: BinaryHeap::new(),
            held,
            peaks: BTreeMap::new(),
            now: 0.0,
            joined: 0.0,
            copied: 0.0,
            look: Some(0.0),
            curve: vec![(0, 0)],
        }
    }

    fn index(&self, id: BrokerId) -> usize {
        self.ids.binary_search(&id).unwrap_or(0)
    }

    fn ports(&self, at: u32) -> Ports {
        let m = self.plan.moves.get(at as usize);
        Ports::of(&m, m.leader.unwrap_or(m.from[0]), self.load.ingest(at as usize))
    }

    /// Looks at the window if it is time; whether there is anything left to do.
    fn admit(&mut self) -> bool {
        if self.look.is_some_and(|at| at <= self.now) {
            let (plan, load) = (self.plan, self.load);
            let ports = |at: u32| {
                let m = plan.moves.get(at as usize);
                Some(Ports::of(&m, m.leader.unwrap_or(m.from[0]), load.ingest(at as usize)))
            };
            let most = self.pace.batch.max(1) as usize;
            let admitted = self.waiting.admit(&mut self.window, most, ports);
            // A full request: there may be more that fits.
            self.look = (admitted.len() == most).then_some(self.now + self.pace.latency_ms as f64);
            admitted.into_iter().for_each(|at| self.start(at));
        }
        !self.copies.is_empty() || !self.waiting.is_empty() || !self.going.is_empty()
    }

    fn start(&mut self, at: u32) {
        let ports = self.ports(at);
        self.waiting.remove(at, &ports);
        let from = self.index(ports.leader);
        let ingest = ports.ingest.unwrap_or(0) as f64 / 1000.0;
        self.counted[from] += counted(&ports);
        for id in &ports.incoming {
            let to = self.index(*id);
            let ceiling = self
                .load
                .ceiling(self.plan, ports.leader, *id)
                .map_or(f64::INFINITY, |rate| rate as f64 / 1000.0);
            let (stream, left) = (Stream { from, to, ceiling }, ports.bytes.unwrap_or(0) as f64);
            self.copies.push(Copy { at, stream, left, ingest });
            self.held[to] += i128::from(ports.bytes.unwrap_or(0));
            let peak = self.peaks.entry(*id).or_default();
            *peak = (*peak).max(u64::try_from(self.held[to]).unwrap_or(0));
        }
        self.flights.insert(at, ports);
    }

    /// Rates in bytes per millisecond, as `rate` is.
    fn share(&self, rate: f64, rates: &mut Vec<f64>) {
        let mut streams: Vec<Stream> = self.copies.iter().map(|copy| copy.stream).collect();
        if self.load.has_rtt() {
            // All copies from one leader to one follower share the connections between them.
            let mut pairs: BTreeMap<(usize, usize), f64> = BTreeMap::new();
            streams.iter().for_each(|s| *pairs.entry((s.from, s.to)).or_default() += 1.0);
            streams.iter_mut().for_each(|s| s.ceiling /= pairs[&(s.from, s.to)]);
        }
        let out: Vec<f64> = self.counted.iter().map(|counted| (rate - counted).max(0.0)).collect();
        share(&streams, &out, &vec![rate; self.ids.len()], rates);
    }

    /// When something changes next; none if nothing ever does.
    fn next_event(&self, rates: &[f64], grain: f64) -> Option<f64> {
        let ends = self.copies.iter().zip(rates).filter_map(|(copy, rate)| {
            let net = rate - copy.ingest;
            if copy.left <= 0.0 {
                return Some(self.now);
            }
            (net > 0.0).then(|| self.now + (copy.left / net).max(grain))
        });
        let look = self.look.filter(|_| !self.waiting.is_empty());
        let gone = self.going.peek().map(|Reverse((at, ..))| *at as f64);
        ends.chain(look).chain(gone).min_by(f64::total_cmp)
    }

    fn advance(&mut self, to: f64, rates: &[f64]) {
        let span = (to - self.now).max(0.0);
        self.now = to;
        for (copy, rate) in self.copies.iter_mut().zip(rates) {
            copy.left += (copy.ingest - rate) * span;
            self.copied += (rate - copy.ingest) * span;
        }
        self.curve.push((self.now as u64, self.copied.max(0.0) as u64));
        let joined = self.copies.iter().filter(|copy| copy.left < 1.0);
        let joined: Vec<(u32, usize)> = joined.map(|copy| (copy.at, copy.stream.to)).collect();
        self.copies.retain(|copy| copy.left >= 1.0);
        joined.into_iter().for_each(|(at, to)| self.join(at, to));
        while let Some(Reverse((at, broker, bytes))) = self.going.peek().copied() {
            if at as f64 > self.now {
                break;
            }
            self.going.pop();
            self.held[broker] -= i128::from(bytes);
            if let Some(disks) = &mut self.window.disks {
                disks.release(self.ids[broker], None, bytes);
            }
            self.look = Some(self.look.unwrap_or(self.now).min(self.now));
        }
    }

    /// A copy is in sync: its places are free. The last of its move ends it.
    fn join(&mut self, at: u32, to: usize) {
        self.joined = self.now;
        let Some(mut ports) = self.flights.remove(&at) else { return };
        let leader = self.index(ports.leader);
        self.window.release(&ports);
        self.counted[leader] -= counted(&ports);
        ports.join(self.ids[to]);
        let look = self.now + self.pace.latency_ms as f64;
        self.look = Some(self.look.map_or(look, |at| at.min(look)));
        if !ports.incoming.is_empty() {
            self.window.occupy(&ports);
            self.counted[leader] += counted(&ports);
            self.flights.insert(at, ports);
        } else if self.plan.pacing == Pacing::Pipelined {
            let m = self.plan.moves.get(at as usize);
            let gone = (look + self.pace.dwell_s as f64 * 1000.0 + DELETE_MS) as u64;
            for id in moves::removed(m.from, m.to) {
                self.going.push(Reverse((gone, self.index(id), ports.bytes.unwrap_or(0))));
            }
        }
    }

    fn finish(mut self) -> Fluid {
        let mut stuck: Vec<u32> = self.flights.keys().copied().collect();
        if !self.waiting.is_empty() {
            let done = |at: &u32| self.waiting.holds(*at, &self.ports(*at));
            stuck.extend((0..self.plan.moves.len() as u32).filter(done));
        }
        let every = self.curve.len().div_ceil(POINTS).max(1);
        let last = self.curve.last().copied();
        let mut curve: Vec<(u64, u64)> = self.curve.drain(..).step_by(every).collect();
        curve.extend(last.filter(|last| curve.last() != Some(last)));
        Fluid { milliseconds: self.joined as u64, stuck, peaks: self.peaks, curve }
    }
}
