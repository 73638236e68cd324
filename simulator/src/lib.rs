//! A Kafka cluster in memory that answers Kafka frames.
//!
//! [`Simulator`] is the handle: it starts a cluster from a [`Setup`], hands out connections that speak the
//! Kafka protocol, shows what is really true, and lets tests act as broken brokers and as other people.
//! Time is tokio's: under a paused clock one seed gives one trace.
//!
//! - [`controller`]: what a controller does, as a function over a value;
//! - [`rules`]: what differs between versions of Kafka;
//! - `replicate`: bytes over time under throttles;
//! - [`faults`]: what goes wrong with single requests;
//! - [`trace`]: what happened, and who asked for it;
//! - `serve`: frames in, frames out.

mod acts;
pub mod code;
pub mod controller;
mod face;
pub mod faults;
mod load;
mod replicate;
pub mod rules;
mod seed;
mod serve;
mod setup;
pub mod trace;
mod world;

pub use face::Simulator;
pub use replicate::{DELETE_DELAY, RECORD_BYTES};
pub use setup::{BrokerSetup, Setup, TopicSetup};
