//! What people and tests see of a run; never read back.

use restow_client::write::Write;
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::Step;
use serde::Serialize;

use crate::drive::Hold;
use crate::journal::{Gate, Outcome, Sent};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A process began or continued a run.
    Opened {
        /// Whether an earlier process worked on it.
        continued: bool,
        /// The journal.
        journal: String,
    },
    /// A stage of a staged run begins or goes on.
    Stage {
        /// Its kind.
        step: Step,
    },
    /// How far it is.
    Progress(Progress),
    /// Requests were sent.
    Sent {
        /// What was asked, in words.
        what: String,
        /// Whether all of it succeeded.
        ok: bool,
    },
    /// A new reason not to act.
    Held(Hold),
    /// A reason is gone.
    Cleared(Hold),
    /// Something that nobody has to do anything about.
    Note {
        /// In words.
        text: String,
    },
    /// A gate is reached and not approved.
    Gate {
        /// Which.
        gate: Gate,
    },
    /// The process ends its work.
    Ended {
        /// How.
        outcome: Outcome,
    },
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Progress {
    /// The stage; none in a pipelined run, whose moves are at different steps.
    pub step: Option<Step>,
    /// Moves that have taken this step, or all of theirs where none is named.
    pub moves_done: u64,
    /// Moves of the plan that have such a step, or any.
    pub moves: u64,
    /// Known bytes copied so far.
    pub bytes_done: u64,
    /// Known bytes to copy in all.
    pub bytes: u64,
    /// Moves in flight.
    pub in_flight: u64,
    /// Bytes/s over the last while; none where unknown.
    pub rate: Option<u64>,
    /// Seconds left at that rate; none where unknown.
    pub seconds_left: Option<u64>,
    /// What is waited for.
    pub waits: Option<String>,
}

/// What a source broker still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remains {
    /// The broker.
    pub broker: BrokerId,
    /// Partitions with a replica on it, by metadata.
    pub partitions: Vec<TopicPartition>,
    /// Replicas in its log directories; none where it did not answer.
    pub in_log_dirs: Option<u64>,
}

/// A request that changes the cluster, with its answer: what an audit keeps.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Wrote<'a> {
    /// Wall time in milliseconds since 1970, just before it was sent.
    pub time: u64,
    /// Who we are to the cluster, as far as the login tells.
    pub principal: Option<&'a str>,
    /// The cluster's id.
    pub cluster: &'a str,
    /// Hash of the plan.
    pub plan: &'a str,
    /// The broker that it was sent to.
    pub broker: BrokerId,
    /// What was asked, with each partition or config key that it names.
    pub request: &'a Write,
    /// What came back.
    pub answer: &'a Sent,
}

/// Sees a run.
pub trait Watch {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// A request was answered, or its answer was given up. It stands in the journal since before it was sent.
    fn wrote(&mut self, _: &Wrote<'_>) {}
}

/// Sees nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn event(&mut self, _: &Event) {}
}
