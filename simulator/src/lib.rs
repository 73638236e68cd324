//! A Kafka cluster in memory that answers Kafka frames.

pub mod code;
pub mod controller;
pub mod rules;
mod seed;
