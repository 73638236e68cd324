//! Properties of plans and files, over random clusters.

mod files;
mod plans;
mod worlds;
