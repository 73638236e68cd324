//! `restow show`: a plan that a person understands.

use crate::args::{Format, Show};
use crate::error::{Error, Exit};
use crate::render::{self, json};

/// Prints the plan.
pub fn run(args: &Show, format: Format) -> Result<Exit, Error> {
    let (plan, hash) = super::read_plan(&args.plan)?;
    match format {
        Format::Text => render::print(&render::plan::show(&plan, &hash, args.moves))?,
        Format::Json => render::print(&json::line(&json::plan(&plan, &hash, args.moves)))?,
    }
    Ok(Exit::Done)
}
