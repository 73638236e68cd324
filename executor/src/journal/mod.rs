//! The journal: the memory of a run.
//!
//! It holds only what the cluster cannot tell us: values before ours, what we asked for and whether it was
//! answered, approvals. Progress is always recomputed from observation.

mod fold;
mod index;
mod records;
mod store;

#[cfg(test)]
pub(crate) use fold::is_settling;
pub use fold::{Memory, OpenWrite, fold};
pub use index::{Lock, State};
pub use records::{
    Baseline, ConfigKey, FORMAT, Gate, Goal, Opened, Outcome, PriorValue, Record, Result as ItemResult, Sent,
};
pub use store::{Backing, FileBacking, Journal, JournalError, MemoryBacking};
