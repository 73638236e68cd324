//! What to do next: pure, synchronous, total. `decide` is the one place where anything is decided.
//!
//! A tick: [`reads`] says what to look at, the shell looks, [`View::next`] learns it, [`decide`] answers with
//! journal records, ordered requests, holds, and when to come back.

mod agenda;
mod back;
mod decide;
mod forward;
mod guard;
mod open;
mod standing;
mod throttle;
mod view;

pub use agenda::{Agenda, Reads, reads};
pub use decide::{Decision, Next, Request, decide};
pub use guard::live_copies;
pub use standing::{Reached, Seen, Standing, is_start, reached, standing};
pub use throttle::{FOLLOWER_LIST, FOLLOWER_RATE, LEADER_LIST, LEADER_RATE};
pub use view::{Answers, BrokerSeen, Far, Known, Observed, Probe, View};

use std::fmt;
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicPartition};
use serde::Serialize;

/// A moment, as time since this process began.
pub type Moment = Duration;

/// Now, on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Time since this process began.
    pub moment: Moment,
    /// Wall time in milliseconds since 1970.
    pub wall: u64,
}

/// A view older than this is not acted on.
pub const FRESH: Duration = Duration::from_secs(2);
/// How long after it was journalled the effect of an unanswered write may still arrive (promise E6): brokers
/// keep forwarding for about 60 s.
pub const OPEN: Duration = Duration::from_secs(65);
/// How long a read may not show a write that was answered (measured: 220 ms at most).
pub const LAG: Duration = Duration::from_secs(2);

/// The run's pace: everything that is not the plan's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Replication throttle per broker and per direction in bytes/s; none is no throttle.
    pub throttle: Option<u64>,
    /// Moves in flight per broker: those that come in and those that it leads are counted apart.
    pub per_broker: usize,
    /// Bytes in flight in the cluster at most, unless a single move is larger.
    pub bytes_in_flight: u64,
    /// Time between two looks when nothing happens.
    pub poll: Duration,
    /// How long a swapped partition must stand before it is shrunk.
    pub dwell: Duration,
    /// Whether a process that only stops may cancel our moves in flight (`restow sweep`).
    pub cancels: bool,
    /// How long to wait while everything is held; none is for ever.
    pub hold_timeout: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            throttle: None,
            per_broker: 5,
            bytes_in_flight: 1 << 40,
            poll: Duration::from_secs(2),
            dwell: Duration::from_secs(30),
            cancels: false,
            hold_timeout: None,
        }
    }
}

/// What a hold holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everything.
    Cluster,
    /// What concerns this broker.
    Broker(BrokerId),
    /// This partition.
    Partition(TopicPartition),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Cluster => f.write_str("cluster"),
            Scope::Broker(id) => write!(f, "broker {id}"),
            Scope::Partition(partition) => partition.fmt(f),
        }
    }
}

/// A reason not to act now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hold {
    /// What it holds.
    pub scope: Scope,
    /// Why.
    pub reason: String,
    /// What clears it.
    pub clears: String,
}

/// Why a move is not acted on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stay {
    /// Something is wrong.
    Hold(Hold),
    /// Nothing is wrong; it takes time.
    Wait(String),
}

impl From<Hold> for Stay {
    fn from(hold: Hold) -> Self {
        Stay::Hold(hold)
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (clears when {})", self.scope, self.reason, self.clears)
    }
}
