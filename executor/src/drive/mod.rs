//! What to do next: pure, synchronous, total. `decide` is the one place where anything is decided.
//!
//! A tick: [`reads`] says what to look at, the shell looks, [`View::next`] learns it, [`decide`] answers with
//! journal records, ordered requests, holds, and when to come back.

mod admit;
mod agenda;
mod back;
mod count;
mod course;
mod decide;
mod forward;
mod guard;
mod health;
mod hold;
#[cfg(test)]
mod model;
mod open;
mod reads;
mod room;
mod seen;
mod stages;
mod stall;
mod standing;
mod switch;
mod throttle;
mod view;
mod wrote;

pub use agenda::{Agenda, Ready};
pub use count::{Count, Counts};
pub use course::Course;
pub use decide::{Decision, Next, Request, decide};
pub use guard::live_copies;
pub use health::{Dir, Health, Tally};
pub use hold::{Cause, Hold, Ignore, Scope, Stay, partition};
pub use reads::{Reads, reads};
pub use room::{NoRoom, Room};
pub use seen::{Answers, BrokerSeen, Far, Known, Observed, Probe};
pub use stages::Stages;
pub use stall::Copies;
pub use standing::{Reached, Seen, Standing, is_start, reached, standing};
pub use throttle::{FOLLOWER_LIST, FOLLOWER_RATE, LEADER_LIST, LEADER_RATE, MIN_ISR};
pub use view::View;
pub use wrote::Wrote;

use std::collections::BTreeSet;
use std::time::Duration;

use restow_planner::model::BrokerId;
use restow_planner::schedule::{Cap, Limits, Order};

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
    /// Moves in flight per broker: those that come in and those that it leads are counted apart, short ones in
    /// proportion to their bytes.
    pub per_broker: usize,
    /// Which of the moves that fit goes first.
    pub order: Order,
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
    /// Whether a person claims in-flight moves that equal a step of this plan and that the journal does not explain.
    pub adopt: bool,
    /// Holds that a person overrides for this process.
    pub ignore: BTreeSet<Ignore>,
    /// Wall time in milliseconds since 1970 at which nothing may be in flight any more; none is never.
    pub until: Option<u64>,
    /// Nothing is done but to take back the moves that go to this broker.
    pub only: Option<BrokerId>,
}

impl Pace {
    /// What may be in flight at once.
    pub fn limits(&self) -> Limits {
        let cluster = Cap { moves: usize::MAX, bytes: self.bytes_in_flight };
        Limits { cluster, ..Limits::per_broker(self.per_broker, self.throttle) }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            throttle: None,
            per_broker: 5,
            order: Order::Fifo,
            bytes_in_flight: 1 << 40,
            poll: Duration::from_secs(2),
            dwell: Duration::from_secs(30),
            cancels: false,
            hold_timeout: None,
            adopt: false,
            ignore: BTreeSet::new(),
            until: None,
            only: None,
        }
    }
}

/// What a person asks of a running process, read anew in every tick.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orders {
    /// Why the run is paused, in words: the file that does it.
    pub paused: Option<String>,
    /// What `--hold-file` and `--hold-command` say, in words; empty holds nothing.
    pub external: Vec<String>,
    /// The throttle in place of the one that the process began with; inner none is no throttle.
    pub throttle: Option<Option<u64>>,
}
