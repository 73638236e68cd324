//! restow-planner

pub mod model;
