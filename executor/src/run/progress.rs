//! How far a run is: for people only, never for a guard.

use std::collections::VecDeque;

use restow_planner::plan::{Plan, Step, moves};

use crate::drive::{Known, Moment, Reached, Standing, View};
use crate::events::Progress;

/// Measures the copy rate over the last while.
#[derive(Debug, Default)]
pub(super) struct Meter {
    seen: VecDeque<(Moment, u64)>,
}

/// The rate is measured over this long: the quota window is 11 s, and shorter ones show its bursts.
const WINDOW: Moment = Moment::from_secs(30);

impl Meter {
    /// The progress of a stage as the view shows it.
    pub fn progress(
        &mut self,
        plan: &Plan,
        view: &View,
        step: Option<Step>,
        waits: Option<String>,
    ) -> Progress {
        let mut progress = Progress { step, waits, ..Progress::default() };
        for (at, m) in plan.moves.iter().enumerate() {
            let copies = moves::added(m.from, m.to).len() as u64;
            let bytes = m.bytes.unwrap_or(0) * copies;
            progress.bytes += bytes;
            progress.moves += u64::from(step.is_none_or(|step| m.has(step)));
            let Known::At(o) = &view.moves[at] else { continue };
            let is_flying =
                matches!(o.standing, Standing::Expanding | Standing::Shrinking | Standing::Returning);
            progress.in_flight += u64::from(is_flying);
            progress.moves_done +=
                u64::from(has_taken(o.standing, step) && step.is_none_or(|step| m.has(step)));
            progress.bytes_done += match o.standing {
                Standing::Expanding => {
                    copied(view, at as u32, m.bytes.unwrap_or(0), &moves::added(m.from, m.to))
                }
                Standing::Settled(Reached::Start) if copies > 0 => 0,
                _ => bytes,
            };
        }
        if step == Some(Step::Expand) {
            self.measure(view.at, &mut progress);
        }
        progress
    }

    fn measure(&mut self, now: Moment, progress: &mut Progress) {
        self.seen.push_back((now, progress.bytes_done));
        while self.seen.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) {
            self.seen.pop_front();
        }
        let Some((since, bytes)) = self.seen.front() else { return };
        let passed = now.saturating_sub(*since).as_millis() as u64;
        if passed < 1000 {
            return;
        }
        let rate = progress.bytes_done.saturating_sub(*bytes) * 1000 / passed;
        progress.rate = Some(rate);
        progress.seconds_left = progress.bytes.saturating_sub(progress.bytes_done).checked_div(rate);
    }
}

fn has_taken(standing: Standing, step: Option<Step>) -> bool {
    let Standing::Settled(reached) = standing else {
        return standing == Standing::Shrinking && step != Some(Step::Shrink);
    };
    let needed = match step {
        Some(Step::Expand) => Reached::Expanded,
        Some(Step::Swap) => Reached::Swapped,
        Some(Step::Shrink) | None => Reached::Shrunk,
    };
    reached >= needed
}

/// Bytes that the added replicas of a move in flight have, in proportion to the leader's offsets.
fn copied(view: &View, at: u32, bytes: u64, added: &[restow_planner::model::BrokerId]) -> u64 {
    let Some(probe) = view.probes.get(&at) else { return 0 };
    let Some(high) = probe.high_watermark.and_then(|high| u64::try_from(high).ok()).filter(|high| *high > 0)
    else {
        return 0;
    };
    let part = |id| {
        let end = probe.log_end.get(id).and_then(|end| u64::try_from(*end).ok()).unwrap_or(0).min(high);
        (u128::from(bytes) * u128::from(end) / u128::from(high)) as u64
    };
    added.iter().map(part).sum()
}
