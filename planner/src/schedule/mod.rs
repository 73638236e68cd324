//! Which moves go at once: one implementation for the executor, the forecast and the wave export.

mod window;

pub use window::{Ports, Window, WindowLimits, waves};
