//! `restow rollback`: takes back what is not shrunk; never copies.

use restow_client::{Client, snapshot};
use restow_executor::drive::{Orders, Pace};
use restow_executor::journal::{Goal, Outcome};
use restow_executor::run::{self, Task};
use restow_planner::file;
use restow_planner::model::BrokerId;
use restow_planner::plan::back::plan_back;
use restow_planner::plan::{Pacing, Plan};

use super::apply::{exit, pace, work};
use super::session::{self, Session, run_error};
use crate::args::{Format, Rollback, Throttle, journal_of};
use crate::error::{Error, Exit};
use crate::render::{report, units};
use crate::{connect, files};

/// Runs the verb.
pub async fn run(args: &Rollback, format: Format) -> Result<Exit, Error> {
    let (plan, hash) = super::read_plan(&args.plan)?;
    let client = connect::client(&args.bootstrap).await?;
    session::belongs_to(&client, &plan)?;
    run::permitted(&client, &plan).await.map_err(run_error)?;
    let mut session =
        session::open(&plan, &hash, &journal_of(&args.plan, args.journal.as_deref()), &args.audit)?;
    if let Some(broker) = args.broker {
        return without(&client, &plan, &hash, broker, &mut session, args, format).await;
    }
    let mut pace = pace(&args.pace, args.throttle.and_then(Throttle::rate));
    pace.adopt = args.adopt;
    let before = run::look(&client, &plan, Goal::Back, &pace, &session.memory, session::wall())
        .await
        .map_err(run_error)?;
    if before.outcome != Outcome::Done || session.memory.has_left() {
        if format == Format::Text {
            eprintln!(
                "rollback of {}: {} stand elsewhere than at the start, {} of them shrunk already; nothing is copied, \
                 approvals end",
                args.plan.display(),
                units::of(before.progress.moves, "partition"),
                before.shrunk.len()
            );
        }
        if !session::confirm(args.yes, "Take it back?")? {
            eprintln!("nothing was changed");
            return Ok(Exit::Waiting);
        }
    }
    let task = Task::new(Goal::Back, &hash, &args.plan.display().to_string(), pace);
    let found = work(&client, &plan, &task, &mut session, &Orders::default, format).await?;
    let back = match found.shrunk.is_empty() {
        true => None,
        false => Some(write_back(&client, &plan, &hash, &found.shrunk, args).await?),
    };
    let again =
        back.unwrap_or_else(|| format!("restow rollback {} {}", args.plan.display(), args.bootstrap.flags()));
    let late = run::remains(&client, &plan).await.ok();
    report::print(&plan, &found, late.as_ref(), &again, format);
    report::leaders_elsewhere(&plan, format);
    Ok(exit(&found))
}

/// Takes back what goes to a broker that will not come back; the rest stays where it is. The journal remembers it,
/// so that `apply` goes on without them.
async fn without(
    client: &Client,
    plan: &Plan,
    hash: &str,
    broker: BrokerId,
    session: &mut Session,
    args: &Rollback,
    format: Format,
) -> Result<Exit, Error> {
    let concerned = plan.moves.iter().filter(|m| m.to.contains(&broker)).count() as u64;
    if concerned == 0 {
        return Err(Error::usage(format!("--broker {broker}: no partition of the plan goes to it")));
    }
    if format == Format::Text {
        eprintln!(
            "rollback of {} that go to broker {broker}; the rest of {} stays where it is",
            units::of(concerned, "partition"),
            args.plan.display()
        );
    }
    if !session::confirm(args.yes, "Take them back?")? {
        eprintln!("nothing was changed");
        return Ok(Exit::Waiting);
    }
    let throttle = args.throttle.map_or(session.memory.throttle, Throttle::rate);
    let pace = Pace { only: Some(broker), ..pace(&args.pace, throttle) };
    // The run goes forward; only what cannot end is taken back.
    let forward = Task::new(Goal::Forward, hash, &args.plan.display().to_string(), pace);
    let task = Task { give_up: vec![broker], ..forward };
    let found = work(client, plan, &task, session, &Orders::default, format).await?;
    let again =
        format!("restow rollback {} --broker {broker} {}", args.plan.display(), args.bootstrap.flags());
    report::print(plan, &found, None, &again, format);
    Ok(exit(&found))
}

/// Writes the plan that copies back what is shrunk, and gives the command that runs it.
async fn write_back(
    client: &Client,
    plan: &Plan,
    hash: &str,
    shrunk: &[u32],
    args: &Rollback,
) -> Result<String, Error> {
    let taken = snapshot::take(client, &snapshot::SnapshotOptions::default(), &mut |_| {}).await?;
    let moves: Vec<usize> = shrunk.iter().map(|at| *at as usize).collect();
    let back = plan_back(plan, hash, &moves, &taken.cluster);
    let mut path = args.plan.clone().into_os_string();
    path.push(".back");
    let path = std::path::PathBuf::from(path);
    files::write(&path, |to| file::plan::write(&back, to))?;
    let approve = if back.pacing == Pacing::Pipelined { " --approve shrink" } else { "" };
    Ok(format!("restow apply {} {} --throttle RATE{approve}", path.display(), args.bootstrap.flags()))
}
