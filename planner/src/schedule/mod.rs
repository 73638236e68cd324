//! Which moves go at once: one implementation for the executor, the forecast and the wave export.
//!
//! A [`Window`] holds what is in flight and says whether one more fits: by count, bytes, **rate** and disk, per
//! broker and direction, per zone and in the cluster. [`Waiting`] holds what is to come, by the brokers that it
//! needs; [`Waiting::admit`] costs by what has room, not by what waits. [`doomed`] tells before the start what
//! can never finish.

mod disk;
mod doomed;
mod links;
mod load;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;
mod waves;
mod window;

pub use disk::Disks;
pub use doomed::{Doom, doomed};
pub use load::Load;
pub use waiting::{Order, Waiting};
pub use waves::waves;
pub use window::{Cap, Limits, Ports, Window, slot_bytes};
