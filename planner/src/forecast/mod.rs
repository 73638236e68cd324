//! How long a plan takes, and what it takes meanwhile: a fluid model that drives [`schedule`](crate::schedule).
//!
//! Copies are streams that share each broker's throttle evenly (max–min fairness, which round-robin fetches come
//! close to); producers' writes take their part of it; one connection carries no more than its socket buffer over
//! the round trip. It shares no code with the simulator's replication: each tests the other.

mod bound;
mod fluid;
mod share;
#[cfg(test)]
mod tests;

pub use bound::{Bound, Side, bound};
pub use fluid::{Fluid, Pace, fluid};

use crate::model::{BrokerId, TopicPartition};
use crate::plan::{Plan, Step, moves};
use crate::schedule::Load;

/// A time in seconds, and between which ones it lies if the model is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// It hardly takes less.
    pub low: u64,
    /// What is expected.
    pub likely: u64,
    /// It hardly takes more; `None` where what is unknown may take for ever.
    pub high: Option<u64>,
}

/// Bytes on a broker over the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Peak {
    /// The broker.
    pub broker: BrokerId,
    /// At the start.
    pub before: u64,
    /// At most.
    pub peak: u64,
    /// At the end.
    pub after: u64,
    /// What it may hold at most; `None` where unknown.
    pub limit: Option<u64>,
}

/// Replication of producers' writes to the moved partitions, bytes/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Traffic {
    /// Between brokers.
    pub total: u64,
    /// Of it, between zones.
    pub across: u64,
}

/// What a run will take.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Forecast {
    /// The whole run without waiting at gates; `None` without a throttle, or if it never ends.
    pub total: Option<Span>,
    /// Each stage, in seconds, as expected.
    pub stages: Vec<(Step, u64)>,
    /// No run copies faster at this throttle: the bytes through its busiest port.
    pub bound: Option<Bound>,
    /// Bytes to copy, of known sizes.
    pub bytes: u64,
    /// Bytes that cross from one zone into another, of known sizes.
    pub bytes_across: u64,
    /// Bytes per broker.
    pub peaks: Vec<Peak>,
    /// Producers' bytes that are replicated before, while expanded, and after; `None` where no rate is known.
    pub traffic: Option<[Traffic; 3]>,
    /// Copies whose size is unknown: they are in no figure.
    pub unknown_sizes: u64,
    /// Moves whose write rate is unknown: counted as if nothing was written.
    pub unknown_rates: u64,
    /// Partitions that never finish in the model.
    pub stuck: Vec<TopicPartition>,
    /// Copied bytes over time, milliseconds from the start of the expansion: at most a few hundred points.
    #[serde(skip)]
    pub curve: Vec<(u64, u64)>,
}

/// The model was 1 to 5 % early against request-level copies of single runs (see `benches/README.md`); a real
/// cluster has other work too.
const EARLY_PERCENT: u64 = 8;
const LATE_PERCENT: u64 = 15;
/// Ingest that nobody measured may take half of what the throttle leaves.
const LATE_UNKNOWN_PERCENT: u64 = 60;

/// What a run of this plan will take at this pace.
pub fn forecast(plan: &Plan, load: &Load, pace: &Pace) -> Forecast {
    let has_throttle = pace.limits.throttle.is_some();
    let fluid = has_throttle.then(|| fluid(plan, load, pace));
    let unknown_rates = (0..plan.moves.len()).filter(|at| load.ingest(*at).is_none()).count() as u64;
    let unknown_sizes = (plan.moves.iter().filter(|m| m.bytes.is_none()))
        .map(|m| moves::added(m.from, m.to).len() as u64)
        .sum();
    let stuck = fluid.iter().flat_map(|f| &f.stuck);
    let stuck: Vec<TopicPartition> =
        stuck.map(|at| plan.partition_of(&plan.moves.get(*at as usize))).collect();
    let stages = stages(plan, fluid.as_ref(), pace);
    let likely = stages.iter().map(|(_, seconds)| seconds).sum::<u64>();
    let late = if unknown_rates > 0 { LATE_UNKNOWN_PERCENT } else { LATE_PERCENT };
    let span = Span {
        low: likely - likely * EARLY_PERCENT / 100,
        likely,
        high: (unknown_sizes == 0).then(|| likely + likely * late / 100 + pace.latency_ms.div_ceil(1000)),
    };
    let (bytes, bytes_across) = bytes(plan);
    Forecast {
        total: (has_throttle && stuck.is_empty()).then_some(span),
        stages,
        bound: pace.limits.throttle.and_then(|rate| bound(plan, load, rate)),
        bytes,
        bytes_across,
        peaks: peaks(plan, fluid.as_ref()),
        traffic: (unknown_rates < plan.moves.len() as u64).then(|| traffic(plan, load)),
        unknown_sizes,
        unknown_rates,
        stuck,
        curve: fluid.map(|f| f.curve).unwrap_or_default(),
    }
}

/// Seconds of each stage that the plan has. Swap and shrink copy nothing: they take as long as their requests.
fn stages(plan: &Plan, fluid: Option<&Fluid>, pace: &Pace) -> Vec<(Step, u64)> {
    let count = |step| plan.moves.iter().filter(|m| m.has(step)).count() as u64;
    let each = Step::ALL.map(|step| {
        let batches = count(step).div_ceil(pace.batch.max(1));
        let seconds = match step {
            Step::Expand => fluid.map_or(0, |f| f.milliseconds.div_ceil(1000)),
            Step::Swap => (batches * pace.latency_ms).div_ceil(1000),
            Step::Shrink => pace.dwell_s + (batches * pace.latency_ms / 2).div_ceil(1000),
        };
        (step, seconds)
    });
    each.into_iter().filter(|(step, _)| count(*step) > 0).collect()
}

fn bytes(plan: &Plan) -> (u64, u64) {
    let (mut all, mut across) = (0u64, 0u64);
    for m in plan.moves.iter() {
        let leader = plan.zone(m.leader.unwrap_or(m.from[0]));
        for id in moves::added(m.from, m.to) {
            let bytes = m.bytes.unwrap_or(0);
            all = all.saturating_add(bytes);
            across = across.saturating_add(if plan.zone(id) == leader { 0 } else { bytes });
        }
    }
    (all, across)
}

fn peaks(plan: &Plan, fluid: Option<&Fluid>) -> Vec<Peak> {
    let peak = |row: &crate::plan::BrokerImpact| {
        let limit = plan.brokers.iter().find(|b| b.id == row.broker).and_then(|b| b.limit_bytes);
        let seen = fluid.and_then(|f| f.peaks.get(&row.broker).copied());
        Peak {
            broker: row.broker,
            before: row.before,
            peak: seen.unwrap_or(row.peak).max(row.before).max(row.after),
            after: row.after,
            limit,
        }
    };
    plan.impact.iter().map(peak).collect()
}

fn traffic(plan: &Plan, load: &Load) -> [Traffic; 3] {
    let mut all = [Traffic::default(); 3];
    for (at, m) in plan.moves.iter().enumerate() {
        let rate = load.ingest(at).unwrap_or(0);
        let expanded = moves::expanded(m.from, m.to);
        let leader = m.leader.unwrap_or(m.from[0]);
        let states = [(m.from, leader), (&expanded[..], leader), (m.to, m.to[0])];
        for (traffic, (list, leader)) in all.iter_mut().zip(states) {
            let copies = list.len().saturating_sub(1) as u64;
            let across = list.iter().filter(|id| plan.zone(**id) != plan.zone(leader)).count() as u64;
            traffic.total = traffic.total.saturating_add(rate.saturating_mul(copies));
            traffic.across = traffic.across.saturating_add(rate.saturating_mul(across));
        }
    }
    all
}

/// Seconds left of the expansion: what the model expects from here on, stretched as it went from `begun` bytes to
/// `copied` in `elapsed_ms`. `None` where there is no model.
pub fn seconds_left(curve: &[(u64, u64)], begun: u64, elapsed_ms: u64, copied: u64) -> Option<u64> {
    let (end, now) = (curve.last()?.0, time_of(curve, copied)?);
    let expected = now.saturating_sub(time_of(curve, begun)?);
    let left = end.saturating_sub(now);
    // Early on the first burst and the first empty looks tell nothing about the rest.
    const SURE_MS: u64 = 30_000;
    let stretched = u128::from(left) * u128::from(elapsed_ms.max(1)) / u128::from(expected.max(1));
    let left = if expected < SURE_MS { u128::from(left) } else { stretched };
    u64::try_from(left.div_ceil(1000)).ok()
}

/// When the model had copied this many bytes, in milliseconds.
fn time_of(curve: &[(u64, u64)], copied: u64) -> Option<u64> {
    let next = curve.partition_point(|(_, bytes)| *bytes < copied);
    let (Some(after), Some(before)) = (curve.get(next), next.checked_sub(1).map(|at| curve[at])) else {
        return curve.get(next).or(curve.last()).map(|(time, _)| *time);
    };
    let (time, bytes) = (after.0 - before.0, (after.1 - before.1).max(1));
    let part = u128::from(time) * u128::from(copied - before.1) / u128::from(bytes);
    Some(before.0 + part as u64)
}
