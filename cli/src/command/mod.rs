//! The verbs, one file each.

use crate::args::{Cli, Command};
use crate::error::{Error, Exit};

/// Runs what was typed.
pub fn run(cli: &Cli) -> Result<Exit, Error> {
    match &cli.command {
        Command::Demo(_) => Ok(Exit::Done),
        _ => Err(Error::internal("not built yet")),
    }
}
