//! restow on real Kafka brokers, judged by Kafka's own Java client and stock tools.
//!
//! Without Java or Maven these tests say loudly that they were skipped; with `RESTOW_REAL_KAFKA=require` they fail.

#![allow(clippy::disallowed_methods, reason = "real brokers take real time")]

mod world;

mod chaos;
mod foreign;
mod hurt;
mod intents;
mod measured;
mod rollback;
mod secured;
mod stock;
mod story;
mod whatif;
