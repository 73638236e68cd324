//! The byte bound of an expansion: no schedule is faster.

use std::collections::BTreeMap;

use crate::model::BrokerId;
use crate::plan::{Plan, moves};
use crate::schedule::Load;

/// A direction of a broker's replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What it sends as a leader.
    Out,
    /// What it fetches as a follower.
    In,
}

/// How long the copies take at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Bound {
    /// Milliseconds.
    pub milliseconds: u64,
    /// The broker whose port is the busiest, or the follower of the slowest single copy.
    pub broker: BrokerId,
    /// In this direction.
    pub side: Side,
}

/// The largest of: known bytes through one port over the throttle (bytes/s), bytes from one leader to one follower
/// over their connection, and one copy over the throttle. `None` if nothing is copied.
pub fn bound(plan: &Plan, load: &Load, throttle: u64) -> Option<Bound> {
    let time = |bytes: u128, rate: u64| bytes * 1000 / u128::from(rate.max(1));
    let mut ports: BTreeMap<(BrokerId, Side), u128> = BTreeMap::new();
    let mut pairs: BTreeMap<(BrokerId, BrokerId), u128> = BTreeMap::new();
    let mut single = None;
    for m in plan.moves.iter() {
        let leader = m.leader.unwrap_or(m.from[0]);
        let bytes = u128::from(m.bytes.unwrap_or(0));
        for id in moves::added(m.from, m.to) {
            *ports.entry((leader, Side::Out)).or_default() += bytes;
            *ports.entry((id, Side::In)).or_default() += bytes;
            single = single.max(Some((time(bytes, throttle), id, Side::In)));
            if load.has_rtt() {
                *pairs.entry((leader, id)).or_default() += bytes;
            }
        }
    }
    let ports = ports.iter().map(|((id, side), bytes)| (time(*bytes, throttle), *id, *side));
    let pairs = pairs.iter().filter_map(|((leader, id), bytes)| {
        Some((time(*bytes, load.ceiling(plan, *leader, *id)?), *id, Side::In))
    });
    let (time, broker, side) = single.into_iter().chain(pairs).chain(ports).max_by_key(|one| one.0)?;
    Some(Bound { milliseconds: u64::try_from(time).unwrap_or(u64::MAX), broker, side })
}
