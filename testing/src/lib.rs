//! Starts, kills and ends **real Kafka brokers** for tests.
//!
//! Nothing here knows the other crates of the workspace: what a test learns about a cluster through [`Admin`] comes
//! from Kafka's own Java client, and what [`Kafka::reassign`] and its like do is done by the stock tools. So a test can
//! hold our client and executor against a witness that shares no code with them.
//!
//! ```no_run
//! use restow_testing::{Kafka, Spec, available_or_skip};
//! # fn test() {
//! let Some(()) = available_or_skip() else { return };
//! let kafka = Kafka::start(Spec::two_az("4.3.1"));
//! kafka.admin().create_topic("orders", &[vec![1, 3], vec![2, 3]], &[]).unwrap();
//! kafka.kill(3);
//! kafka.start_broker(3);
//! # }
//! ```
//!
//! * The jars come through Maven once, into `<workspace>/target/kafka/VERSION` (`testdata/kafka/VERSION/pom.xml`).
//! * One cluster runs at a time on a machine: a lock file is held for the life of a [`Kafka`].
//! * [`Spec::secured`] adds listeners with TLS and SASL; [`Kafka::client_properties`] is what an operator would have for
//!   one, [`Kafka::through`] runs the stock tools with it.
//! * What was started is ended: by `Drop`, and if the test process is killed, by a watchdog (see `watchdog.rs`).
//! * A harness that cannot do its work panics with the reason: its callers are tests.

// This crate drives real processes in real time; no simulated clock can stand in for it.
#![allow(clippy::disallowed_methods)]

mod admin;
mod install;
mod java;
mod kafka;
mod layout;
mod load;
mod node;
mod process;
mod secured;
mod shell;
mod spec;
mod stock;
mod tool;
mod verify;
mod view;
mod watchdog;

pub use admin::Admin;
pub use install::{available, available_or_skip, workspace_root};
pub use java::Java;
pub use kafka::{CONTROLLER, Kafka};
pub use load::{Consumed, Load, LoadReport, LoadSpec};
pub use process::wait_until;
pub use secured::{
    Authority, Certificates, Flaw, Identity, Kind, Leaf, Store, StoreFormat, Through, USER, Validity,
};
pub use spec::{BrokerSpec, Spec};
pub use tool::ToolOutput;
pub use verify::{Acked, Found, LogCheck, verify_log};
pub use view::{
    AdminError, Cluster, ConfigChange, Failed, LogDirReplica, Offsets, Partition, Reassignment, Topic,
};
