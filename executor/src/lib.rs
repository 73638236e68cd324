//! Drives a restow plan on a live Kafka cluster.

pub mod drive;
pub mod events;
pub mod journal;
pub mod run;
