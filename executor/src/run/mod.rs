//! The shell around `decide`: looks, journals, sends, waits.

mod act;
mod give_up;
mod preflight;
mod progress;
mod read;
mod remains;
mod report;
mod work;

pub use give_up::{InService, is_gone};
pub use preflight::{Preflight, permitted, permitted_on, preflight, strangers};
pub use remains::{Late, remains};
pub use report::{Report, Score, look};
pub use work::{Outlook, Task, work};

use restow_client::Client;
use restow_client::read::permissions::Missing;
use restow_planner::plan::{Pacing, Plan, Step};
use tokio::sync::watch::Receiver;

use crate::drive::Orders;
use crate::events::Watch;
use crate::journal::{Gate, JournalError, Memory};

/// Whether a person wants the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// No.
    #[default]
    No,
    /// Ask for nothing new, restore what can be restored, then end.
    Quiesce,
    /// At once.
    Now,
}

/// What a run has of the world beside the cluster.
pub struct Env<'a> {
    /// Wall time in milliseconds since 1970.
    pub wall: &'a dyn Fn() -> u64,
    /// Whether to stop.
    pub stop: Receiver<Stop>,
    /// What a person asks meanwhile: read in every tick, so it answers at once.
    pub orders: &'a dyn Fn() -> Orders,
    /// Who sees it.
    pub watch: &'a mut dyn Watch,
    /// The host's name, for the journal.
    pub host: String,
    /// The process id, for the journal.
    pub pid: u32,
}

impl std::fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("host", &self.host).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal cannot be written: nothing more is sent.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The cluster cannot be reached, or refuses us.
    #[error(transparent)]
    Client(#[from] restow_client::Error),
    /// Permissions are missing; nothing was changed.
    #[error("not allowed, and nothing was changed:\n  {}", missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    NotAllowed {
        /// Which.
        missing: Vec<Missing>,
    },
    /// The plan is for another cluster.
    #[error("the plan is for cluster {plan}, and this is cluster {found}: nothing was changed")]
    WrongCluster {
        /// The plan's.
        plan: String,
        /// The one that answered.
        found: String,
    },
    /// A pipelined plan has no gate, and nobody approved the point of no return.
    #[error(
        "this plan is pipelined: old copies are dropped while others are still copied, without a gate and without a \
         cheap way back; nothing was changed: say --approve shrink if that is meant"
    )]
    NotApproved,
}

/// Refuses a plan for another cluster (promise E2).
pub(crate) fn belongs(client: &Client, plan: &Plan) -> Result<(), RunError> {
    if client.cluster_id() != plan.cluster_id {
        let found = client.cluster_id().to_owned();
        return Err(RunError::WrongCluster { plan: plan.cluster_id.clone(), found });
    }
    Ok(())
}

/// Whether a forward run may begin or go on: a pipelined one that drops copies needs the approval of its shrinks, now
/// or in this run's journal.
pub fn may_begin(plan: &Plan, approve: &[Gate], memory: &Memory) -> bool {
    let is_journalled = memory.closed.is_none() && memory.approvals.contains(&Gate::Shrink);
    plan.pacing == Pacing::Staged
        || !plan.has(Step::Shrink)
        || approve.contains(&Gate::Shrink)
        || is_journalled
}
