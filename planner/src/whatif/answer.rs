//! What an answer says.

use serde::{Deserialize, Serialize};

use super::fail::{Case, Lost, Shift, Trouble};
use super::load::{BrokerLoad, Resource};
use crate::forecast::Span;
use crate::model::BrokerId;

/// The answer to one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The cluster as it is.
    pub before: State,
    /// The cluster after the edits, what was planned, and the loss: at the horizon, if there is one.
    pub after: State,
    /// What was lost, in order.
    pub lost: Vec<Lost>,
    /// Every case of the last loss, where it might be any: the worst first, which `after` shows.
    pub cases: Vec<Case>,
    /// Where leaders went in losses, most partitions first; at most [`MOST`].
    pub shifts: Vec<Shift>,
    /// What was planned, in order.
    pub costs: Vec<Cost>,
    /// What breaks first of each resource, soonest first: the layout of `after` as load grows.
    pub breaks: Vec<Break>,
    /// What nodes cost a month, in hundredths of the currency.
    pub price: Price,
    /// What is not known of the cluster.
    pub unknown: Unknown,
    /// What should be read.
    pub notes: Vec<String>,
}

/// The most rows that an answer has of what may be many.
pub const MOST: usize = 100;

/// A cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Days from the snapshot to it.
    pub day: u32,
    /// What each broker carries, by id.
    pub brokers: Vec<BrokerLoad>,
    /// Partitions.
    pub partitions: u32,
    /// Of them, without a leader.
    pub offline: u32,
    /// Of the others, with fewer in-sync replicas than min ISR.
    pub under_min_isr: u32,
    /// The topics of both, most partitions first; at most [`MOST`].
    pub troubles: Vec<Trouble>,
}

/// What was planned, and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// What it is for, in words.
    pub what: String,
    /// Partitions that change.
    pub partitions: u64,
    /// Replicas that are copied.
    pub copies: u64,
    /// Bytes that are copied, of the known sizes.
    pub bytes: u64,
    /// No plan that does this copies fewer (certified, promise P6).
    pub bound_bytes: u64,
    /// Copies whose size is unknown: in neither figure.
    pub unknown_sizes: u64,
    /// Of the bytes, those that go from one zone into another.
    pub bytes_across: u64,
    /// Preferred leaders that change.
    pub leader_changes: u64,
    /// Partitions that could not be planned.
    pub left_out: u64,
    /// How long it takes at the throttle; `None` without one.
    pub time: Option<Time>,
}

/// How long copies take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Time {
    /// So many seconds.
    Ends(Span),
    /// It never ends: producers write faster than the throttle lets copies follow.
    Never,
}

/// A limit that is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// Of what.
    pub resource: Resource,
    /// On which broker: of those that break on the same day the fullest.
    pub broker: BrokerId,
    /// Whole days from the snapshot; 0: it is above the limit already.
    pub day: u32,
    /// That day, as `2027-03-14`; `None` where the snapshot does not tell when it was taken.
    pub date: Option<String>,
    /// The days between which it lies, if growth stays within what the fit is sure of; none where growth was given.
    pub between: Option<(u32, Option<u32>)>,
    /// What may be used of it.
    pub limit: u64,
    /// Replicas on the broker of which it is unknown: with them it may be sooner.
    pub unknown: u32,
    /// Where growth and rates come from, in words.
    pub basis: String,
}

/// What nodes cost a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Price {
    /// Now, in hundredths.
    pub before: u64,
    /// After the edits, in hundredths. What is lost in a failure is still paid for.
    pub after: u64,
    /// Brokers now whose price is unknown: not in `before`.
    pub unknown_before: u32,
    /// The same after.
    pub unknown_after: u32,
}

/// What is not known of the cluster after the edits: it is in no figure, and is never taken for zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unknown {
    /// Replicas on brokers that serve whose bytes are unknown.
    pub sizes: u64,
    /// Partitions whose write rate is unknown.
    pub write_rates: u64,
    /// Partitions whose read rate is unknown.
    pub read_rates: u64,
    /// Partitions whose request rate is unknown.
    pub request_rates: u64,
    /// Partitions whose min ISR is unknown: they count as if they met it.
    pub min_isr: u64,
    /// Brokers whose disk size is unknown.
    pub disks: u32,
    /// Brokers whose network is unknown.
    pub networks: u32,
    /// Partitions in all.
    pub partitions: u64,
}

/// Answers as they are written to a file, and read from it by `restow report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// [`Answers::FORMAT`].
    pub format: String,
    /// [`Answers::VERSION`].
    pub version: u32,
    /// The cluster.
    pub cluster_id: String,
    /// When its snapshot was taken; empty where unknown.
    pub taken_at: String,
    /// The scenarios in their order.
    pub scenarios: Vec<Answered>,
}

/// A scenario and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Its name.
    pub name: String,
    /// Its edits as they were typed.
    pub edits: Vec<String>,
    /// The answer; `None` if there is none.
    pub answer: Option<Answer>,
    /// Why there is none.
    pub refused: Option<String>,
}

impl Answers {
    /// What the first member of the file says.
    pub const FORMAT: &str = "restow-whatif";
    /// The version of the format.
    pub const VERSION: u32 = 1;
}
