//! restow-planner

pub mod check;
pub mod file;
pub mod model;
pub mod plan;
pub mod rule;
pub mod schedule;
