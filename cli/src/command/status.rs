//! `restow status`: where a plan stands; changes nothing and takes no lock.

use restow_executor::drive::Pace;
use restow_executor::journal::{Goal, Outcome};
use restow_executor::run;

use super::orders::pause_file;
use super::session::{self, run_error};
use crate::args::{Format, Status, journal_of};
use crate::connect;
use crate::error::{Error, Exit};
use crate::render::report;

/// Runs the verb: 0 if the goal is reached, 5 if the cluster diverged, else 4.
pub async fn run(args: &Status, format: Format) -> Result<Exit, Error> {
    let (plan, hash) = super::read_plan(&args.plan)?;
    let memory = session::memory(&hash, &journal_of(&args.plan, args.journal.as_deref()))?;
    let client = connect::client(&args.bootstrap).await?;
    session::belongs_to(&client, &plan)?;
    let mut goal = memory.last.as_ref().map_or(Goal::Forward, |opened| opened.goal);
    let look = async |goal| {
        run::look(&client, &plan, goal, &Pace::default(), &memory, session::wall()).await.map_err(run_error)
    };
    let mut found = look(goal).await?;
    if goal != Goal::Forward && memory.closed.is_some() && found.outcome != Outcome::Done {
        // The rollback or sweep ended, and since then somebody went on.
        goal = Goal::Forward;
        found = look(goal).await?;
    }
    let late = run::remains(&client, &plan).await.ok();
    let pause = pause_file(&args.plan);
    if format == Format::Text && pause.exists() {
        println!("paused by {}", pause.display());
    }
    report::status(&plan, &memory, goal, &found, late.as_ref(), format);
    Ok(match found.outcome {
        Outcome::Done if found.left.is_empty() => Exit::Done,
        _ if !found.diverged.is_empty() => Exit::Diverged,
        _ => Exit::Waiting,
    })
}
