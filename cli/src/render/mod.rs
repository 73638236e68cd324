//! Everything that a person sees.

pub mod asked;
pub mod audit;
pub mod bars;
pub mod doctor;
pub mod explain;
pub mod forecast;
pub mod json;
pub mod left_out;
pub mod list;
pub mod money;
pub mod page;
pub mod plan;
pub mod price;
pub mod progress;
pub mod refusals;
pub mod report;
pub mod runbook;
pub mod size;
pub mod snapshot;
pub mod table;
pub mod units;
pub mod watch;
pub mod whatif;
pub mod wrap;

use std::io::{self, Write};

use crate::error::Error;

/// Prints a whole result. A reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::internal(format!("cannot print: {error}")))
        }
        _ => Ok(()),
    }
}
