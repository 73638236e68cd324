//! What `check` accepts and what it names.

mod allowed;
mod assignment;
mod crowd;
mod intents;
mod leaders;
mod mutations;
mod pinned;
mod placed;
mod properties;
mod states;
mod world;
