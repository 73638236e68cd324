//! The client against peers that follow a script, on a paused clock.

mod decoding;
mod login;
mod peer;
mod reading;
pub(crate) mod seeds;
mod wire;
mod writing;
