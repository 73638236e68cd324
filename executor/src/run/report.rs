//! Where a run stands: at its end, and for `restow status`.

use restow_client::Client;
use restow_planner::model::TopicPartition;
use restow_planner::plan::{Pacing, Plan, Step};
use tokio::time::Instant;

use super::progress::Meter;
use super::{RunError, belongs, read};
use crate::drive::{Agenda, Hold, Known, Next, Now, Pace, View, decide, reads};
use crate::events::Progress;
use crate::journal::{Goal, Memory, Outcome};

/// How it ended.
#[derive(Debug, Clone)]
pub struct Report {
    /// How.
    pub outcome: Outcome,
    /// Configs of ours that are still set, in words.
    pub left: Vec<String>,
    /// What holds.
    pub holds: Vec<Hold>,
    /// Moves of ours that are still in flight.
    pub flying: Vec<TopicPartition>,
    /// Partitions whose list is none of ours.
    pub diverged: Vec<TopicPartition>,
    /// Partitions that a person set aside.
    pub aside: Vec<TopicPartition>,
    /// Partitions that were taken back because their destination was given up: they need a new plan.
    pub undone: Vec<TopicPartition>,
    /// Partitions that cannot go back, because they have dropped a broker that was given up.
    pub short: Vec<TopicPartition>,
    /// Partitions of topics that were deleted.
    pub gone: Vec<TopicPartition>,
    /// Partitions of topics that were deleted and created again.
    pub recreated: Vec<TopicPartition>,
    /// Moves whose old copies are dropped, as positions in the plan (goal `Back`).
    pub shrunk: Vec<u32>,
    /// The earliest step that is left; none when nothing is left to do.
    pub stage: Option<Step>,
    /// How far it is.
    pub progress: Progress,
    /// How long the copies took, where this process saw all of them.
    pub score: Option<Score>,
}

/// A prediction and what came of it, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Score {
    /// What was expected of the copies before the run; `None` if nothing was.
    pub predicted: Option<u64>,
    /// How long they took.
    pub took: u64,
}

/// Looks once and decides, without acting: for `restow status`.
///
/// # Errors
/// If the cluster cannot be reached.
pub async fn look(
    client: &Client,
    plan: &Plan,
    goal: Goal,
    pace: &Pace,
    memory: &Memory,
    wall: u64,
) -> Result<Report, RunError> {
    belongs(client, plan)?;
    let start = Instant::now();
    let mut view = View::new(plan);
    let mut last = None;
    // The first look is wide, the second at what the first found to be next.
    for _ in 0..2 {
        let now = Now { moment: start.elapsed(), wall };
        let wanted = reads(plan, goal, pace, memory, &view, now);
        let answers = read::look(client, plan, &wanted).await?;
        view.next(plan, memory, answers, now);
        last = Some(decide(plan, goal, pace, memory, &view, Now { moment: start.elapsed(), wall }));
    }
    let agenda = Agenda::of(plan, goal, pace, memory, &view, view.at);
    let (holds, next) = last.map_or((vec![], Next::Again), |d| (d.holds, d.next));
    let outcome = match (next, agenda.gate) {
        (Next::Stop(outcome), _) => outcome,
        (_, Some(gate)) => Outcome::Gate(gate),
        _ if !agenda.diverged.is_empty() => Outcome::Diverged,
        _ => Outcome::Stopped,
    };
    let left = memory.priors.keys().map(ToString::to_string).collect();
    let step = agenda.stage.filter(|_| plan.pacing == Pacing::Staged);
    let progress = Meter::default().progress(plan, &view, step, None);
    Ok(report(plan, &view, &agenda, outcome, left, holds, progress))
}

/// The report of an agenda.
pub(super) fn report(
    plan: &Plan,
    view: &View,
    agenda: &Agenda,
    outcome: Outcome,
    left: Vec<String>,
    holds: Vec<Hold>,
    progress: Progress,
) -> Report {
    let named =
        |moves: &[u32]| moves.iter().map(|at| plan.partition_of(&plan.moves.get(*at as usize))).collect();
    let known = |what: &Known| {
        let moves = (0..view.moves.len() as u32).filter(|at| view.moves[*at as usize] == *what);
        named(&moves.collect::<Vec<_>>())
    };
    Report {
        outcome,
        left,
        holds,
        flying: named(&agenda.flying),
        diverged: named(&agenda.diverged),
        aside: named(&agenda.aside),
        undone: named(&agenda.undone),
        short: named(&agenda.short),
        gone: known(&Known::Gone),
        recreated: known(&Known::Recreated),
        shrunk: agenda.shrunk.clone(),
        stage: agenda.stage,
        progress,
        score: None,
    }
}
