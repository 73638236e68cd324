//! What a run meets beside its plan: what producers write, and what the links between brokers carry.

use std::collections::BTreeMap;

use crate::model::{BrokerId, Cluster, Sockets, UNKNOWN_RATE};
use crate::plan::Plan;

/// Rates and links. What is not known limits nothing, and is never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load {
    /// Bytes/s written to the partition of each move, or [`UNKNOWN_RATE`]; shorter than the plan: unknown.
    ingest: Vec<u64>,
    sockets: BTreeMap<BrokerId, Sockets>,
    /// Round-trip time in microseconds between two zones, in both directions.
    rtt: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Load {
    /// What a snapshot knows of a plan's partitions and brokers.
    pub fn of(plan: &Plan, cluster: &Cluster) -> Self {
        let rate = |m: crate::plan::Move<'_>| {
            let p = cluster.find(&plan.topic_of(&m).name, m.partition);
            p.and_then(|p| p.write_rate).unwrap_or(UNKNOWN_RATE)
        };
        Load {
            ingest: plan.moves.iter().map(rate).collect(),
            sockets: cluster.brokers.iter().filter_map(|b| Some((b.id, b.sockets?))).collect(),
            rtt: BTreeMap::new(),
        }
    }

    /// Says what is written to the partition of a move, in bytes/s; `None` is unknown.
    pub fn set_ingest(&mut self, at: usize, rate: Option<u64>) {
        if at >= self.ingest.len() {
            self.ingest.resize(at + 1, UNKNOWN_RATE);
        }
        self.ingest[at] = rate.unwrap_or(UNKNOWN_RATE);
    }

    /// Says what the fetchers of a broker are configured to.
    pub fn set_sockets(&mut self, broker: BrokerId, sockets: Sockets) {
        self.sockets.insert(broker, sockets);
    }

    /// Says how long a round trip between two zones takes, in microseconds.
    pub fn set_rtt(&mut self, a: &str, b: &str, micros: u64) {
        for (from, to) in [(a, b), (b, a)] {
            self.rtt.entry(from.into()).or_default().insert(to.into(), micros);
        }
    }

    /// Whether any round-trip time is known.
    pub fn has_rtt(&self) -> bool {
        !self.rtt.is_empty()
    }

    /// Bytes/s that producers write to the partition of a move.
    pub fn ingest(&self, at: usize) -> Option<u64> {
        self.ingest.get(at).copied().filter(|rate| *rate != UNKNOWN_RATE)
    }

    /// Bytes/s that one follower can fetch from one leader: its fetcher threads times socket buffer over round
    /// trip. `None` where the link or the buffer is unknown.
    pub fn ceiling(&self, plan: &Plan, leader: BrokerId, follower: BrokerId) -> Option<u64> {
        let ends = (plan.zone(leader)?, plan.zone(follower)?);
        let micros = self.rtt.get(ends.0)?.get(ends.1).filter(|micros| **micros > 0)?;
        let sockets = self.sockets.get(&follower)?;
        // A buffer of -1 is the operating system's own, which grows as it has to.
        let buffer = u128::try_from(sockets.receive_buffer).ok()?;
        let bytes = buffer * u128::from(sockets.fetchers) * 1_000_000 / u128::from(*micros);
        Some(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}
