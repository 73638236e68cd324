//! Properties of plans and files, over random clusters.

mod files;
mod intents;
mod plans;
mod worlds;
