//! Drives a restow plan on a live Kafka cluster.
//!
//! The executor is level-triggered: it observes, decides, journals, acts, and begins again. There is no resume
//! mode and no clean-up path: a run after a crash, a rollback and a sweep are the same loop with another goal.
//!
//! - [`drive`] decides, and is pure: a view of the cluster and the journal's memory in, requests and holds out;
//! - [`run`] is the shell around it: it looks, journals, sends, waits;
//! - [`journal`] is the memory of a run: only what the cluster cannot tell;
//! - [`events`] are what people and tests see.
//!
//! `examples/embed.rs` carries a plan out from a program of one's own.

pub mod drive;
pub mod events;
pub mod journal;
pub mod run;
