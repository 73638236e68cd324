//! `restow pause`, `restow resume`, `restow throttle`: files beside the plan, which a running apply looks at.

use std::io;

use super::orders::{pause_file, throttle_file};
use super::session;
use crate::args::{Pause, Resume, Rethrottle};
use crate::error::{Error, Exit};
use crate::files;
use crate::render::units;

/// Runs `restow pause`.
pub fn pause(args: &Pause) -> Result<Exit, Error> {
    super::read_plan(&args.plan)?;
    let path = pause_file(&args.plan);
    let reason = args.reason.clone().unwrap_or_default();
    files::write(&path, |to| writeln!(to, "{reason}"))?;
    println!("paused by {}: nothing new begins, what is in flight goes on", path.display());
    println!("to go on:\n  restow resume {}", args.plan.display());
    Ok(Exit::Done)
}

/// Runs `restow resume`.
pub fn resume(args: &Resume) -> Result<Exit, Error> {
    super::read_plan(&args.plan)?;
    let path = pause_file(&args.plan);
    match std::fs::remove_file(&path) {
        Ok(()) => println!("{} is gone: a running apply goes on", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => println!("it was not paused"),
        Err(error) => return Err(Error::file(&path, "remove", &error)),
    }
    Ok(Exit::Done)
}

/// Runs `restow throttle`.
pub fn throttle(args: &Rethrottle) -> Result<Exit, Error> {
    let (plan, _) = super::read_plan(&args.plan)?;
    if session::lock(&session::state(&plan.cluster_id)?).is_ok() {
        return Err(Error::refused(
            "no restow works on this cluster on this host: there is no run to change",
        )
        .hint("give --throttle to restow apply"));
    }
    let path = throttle_file(&args.plan);
    let rate = args.throttle.rate();
    let text = rate.map_or_else(|| "none".into(), |rate| format!("{rate}B/s"));
    files::write(&path, |to| writeln!(to, "{text}"))?;
    match rate {
        Some(rate) => println!("the running apply takes {} from its next tick on", units::rate(rate)),
        None => println!("the running apply takes its throttles off in its next tick"),
    }
    Ok(Exit::Done)
}
