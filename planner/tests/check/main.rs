//! What `check` accepts and what it names.

mod across;
mod allowed;
mod assignment;
mod crowd;
mod intents;
mod leaders;
mod mutations;
mod pinned;
mod placed;
mod properties;
mod racks;
mod states;
mod world;
