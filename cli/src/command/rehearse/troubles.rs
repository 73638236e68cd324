//! Makes the faults of a rehearsal happen when they are due.

use std::cell::Cell;
use std::time::Duration;

use restow_simulator::Simulator;
use tokio::time::{Instant, sleep};

use super::Show;
use crate::args::Format;
use crate::args::fault::{Fault, Trouble, When};
use crate::render::units;

/// How closely faults keep their time.
const STEP: Duration = Duration::from_millis(200);

/// Something that a fault did.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    /// When, of the cluster's time.
    pub at: Duration,
    /// What, in words.
    pub what: String,
}

/// Watches time and progress, for ever.
pub(super) async fn troubles(
    sim: &Simulator,
    faults: &[Fault],
    percent: &Cell<u64>,
    happened: &mut Vec<Happened>,
    show: Show,
) {
    let began = Instant::now();
    let mut waiting: Vec<&Fault> = faults.iter().collect();
    let mut lasting: Vec<(Duration, &Fault)> = Vec::new();
    let mut tell = |at: Duration, what: String| {
        if show.is_shown && show.format == Format::Text {
            eprintln!("[{}] fault: {what}", units::time(Duration::from_secs(at.as_secs())));
        }
        happened.push(Happened { at, what });
    };
    loop {
        let now = began.elapsed();
        let is_due = |fault: &mut &Fault| match fault.when {
            When::Percent(least) => percent.get() >= least,
            When::Time(time) => now >= time,
        };
        for fault in waiting.extract_if(.., is_due) {
            begin(sim, fault.what);
            tell(now, fault.text.clone());
            lasting.extend(fault.lasts.map(|time| (now + time, fault)));
        }
        for (_, fault) in lasting.extract_if(.., |(end, _)| *end <= now) {
            end(sim, fault.what);
            tell(now, format!("{} is over", fault.text));
        }
        sleep(STEP).await;
    }
}

fn begin(sim: &Simulator, what: Trouble) {
    match what {
        Trouble::Kill(id) => sim.kill(id),
        Trouble::Restart(id) => sim.restart(id),
        Trouble::Stop(id) => sim.stop(id),
        Trouble::Pause(id) => sim.pause(id),
        Trouble::Slow(id, rate) => sim.slow(id, rate),
        Trouble::Cut(id) => sim.cut_off(id),
        Trouble::Controller => sim.lose_controller(),
    }
}

fn end(sim: &Simulator, what: Trouble) {
    match what {
        Trouble::Kill(id) | Trouble::Stop(id) => sim.restart(id),
        Trouble::Restart(id) => sim.kill(id),
        Trouble::Pause(id) => sim.resume(id),
        Trouble::Slow(id, _) => sim.slow(id, u64::MAX),
        Trouble::Cut(id) => sim.reconnect(id),
        Trouble::Controller => sim.restore_controller(),
    }
}
