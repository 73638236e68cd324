//! restow-planner

pub mod check;
pub mod file;
pub mod generate;
pub mod model;
pub mod place;
pub mod plan;
pub mod rule;
pub mod schedule;
