//! How far a run is: for people only, never for a guard.

use std::collections::VecDeque;

use restow_planner::forecast::seconds_left;
use restow_planner::plan::{Pacing, Plan, Step, moves};

use crate::drive::{Count, Moment, Standing, View};
use crate::events::Progress;

/// Measures the copy rate over the last while.
#[derive(Debug, Default)]
pub(super) struct Meter {
    seen: VecDeque<(Moment, u64)>,
    /// When copies were first looked at, and the bytes that were there.
    begun: Option<(Moment, u64)>,
    /// When they were last looked at.
    ended: Option<Moment>,
    /// Bytes over time as they are expected; empty where nothing is.
    expected: Vec<(u64, u64)>,
}

/// The rate is measured over this long: the quota window is 11 s, and shorter ones show its bursts.
const WINDOW: Moment = Moment::from_secs(30);

impl Meter {
    /// A meter that knows what is expected: bytes over milliseconds.
    pub fn expecting(expected: Vec<(u64, u64)>) -> Self {
        Meter { expected, ..Meter::default() }
    }

    /// The progress as the view shows it: of a stage, or of all steps where none is named.
    pub fn progress(
        &mut self,
        plan: &Plan,
        view: &View,
        step: Option<Step>,
        waits: Option<String>,
    ) -> Progress {
        let (all, done) = (&view.counts.all, &view.counts.done);
        let of = |count: &Count| step.map_or(count.moves, |step| count.steps[step as usize]);
        let mut progress = Progress {
            step,
            waits,
            moves: of(all),
            moves_done: of(done),
            bytes: all.bytes,
            bytes_done: done.bytes,
            ..Progress::default()
        };
        for at in &view.listed {
            let Some(o) = view.observed(*at) else { continue };
            let is_flying =
                matches!(o.standing, Standing::Expanding | Standing::Shrinking | Standing::Returning);
            progress.in_flight += u64::from(is_flying);
            if o.standing == Standing::Expanding {
                let m = plan.moves.get(*at as usize);
                progress.bytes_done += copied(view, *at, m.bytes.unwrap_or(0), &moves::added(m.from, m.to));
            }
        }
        // A pipelined run copies from its begin until all is there.
        let is_pipelined = plan.pacing == Pacing::Pipelined && done.steps[0] < all.steps[0];
        if step == Some(Step::Expand) || is_pipelined {
            self.measure(view.at, &mut progress);
        }
        progress
    }

    /// How long the copies took, in seconds, if this process saw their begin and their end.
    pub fn copying(&self, view: &View) -> Option<u64> {
        let (begun, bytes) = self.begun?;
        let is_whole = bytes == 0 && view.counts.done.steps[0] == view.counts.all.steps[0];
        is_whole.then(|| self.ended.unwrap_or(view.at).saturating_sub(begun).as_secs())
    }

    fn measure(&mut self, now: Moment, progress: &mut Progress) {
        let (begun, before) = *self.begun.get_or_insert((now, progress.bytes_done));
        self.ended = Some(now);
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
        let elapsed = now.saturating_sub(begun).as_millis() as u64;
        let expected = seconds_left(&self.expected, before, elapsed, progress.bytes_done);
        let at_rate = || progress.bytes.saturating_sub(progress.bytes_done).checked_div(rate);
        progress.seconds_left = expected.or_else(at_rate);
    }
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
