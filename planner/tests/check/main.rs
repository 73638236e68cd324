//! What `check` accepts and what it names.

mod assignment;
mod mutations;
mod placed;
mod properties;
mod states;
mod world;
