//! What is asked.

use serde::{Deserialize, Serialize};

use crate::model::BrokerId;

/// What a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verb", deny_unknown_fields)]
pub enum Intent {
    /// Every replica on a `from` broker goes to a `to` broker of the same zone.
    Migrate {
        /// Brokers to leave.
        from: Vec<BrokerId>,
        /// Brokers to go to.
        to: Vec<BrokerId>,
        /// Only topics whose whole name matches one of these patterns; all if empty.
        topics: Vec<String>,
        /// No topics whose whole name matches one of these patterns.
        exclude: Vec<String>,
        /// Each new replica takes the place of the one that it replaces, and leaders are not balanced.
        preserve_leaders: bool,
    },
    /// Back to where partitions stood before a plan was shrunk: written by `restow rollback`.
    Return {
        /// Hash of the plan that is taken back.
        plan: String,
    },
}

impl Intent {
    /// Brokers that the intent empties.
    pub fn sources(&self) -> &[BrokerId] {
        match self {
            Intent::Migrate { from, .. } => from,
            Intent::Return { .. } => &[],
        }
    }
}

/// Whether a stage of all moves ends before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pacing {
    /// Expand all, then swap all, then shrink all, with a gate before swap and before shrink.
    Staged,
    /// Each move goes through its steps on its own.
    Pipelined,
}
