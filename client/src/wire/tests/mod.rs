//! The client against peers that follow a script, on a paused clock.

mod decoding;
mod peer;
mod reading;
mod wire;
mod writing;
