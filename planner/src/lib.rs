//! restow-planner

pub mod model;
pub mod plan;
pub mod rule;
