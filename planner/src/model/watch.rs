//! How long work shows its progress and learns that it should stop, without a clock or a terminal here.

use std::fmt::Debug;

/// Sees the phases of long work. Every method has a default that does nothing.
pub trait Watch: Debug {
    /// A phase begins (or goes on): `done` of `total` units.
    fn phase(&mut self, _name: &'static str, _done: u64, _total: u64) {}

    /// Whether the work should stop early with what it has.
    fn stop(&self) -> bool {
        false
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}
