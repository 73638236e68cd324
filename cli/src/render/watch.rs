//! Progress of work that touches nothing: a line on the terminal while it lasts, nothing anywhere else.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use restow_client::snapshot::{Progress, Step};
use restow_planner::model::watch::Watch;

/// Phases with how far each is.
#[derive(Debug)]
pub struct Phases(ProgressBar, Option<Instant>);

impl Phases {
    /// A line that appears with the first phase. It is hidden where stderr is no terminal.
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}/{len}") {
            bar.set_style(style);
        }
        Phases(bar, None)
    }

    /// The same for work that is to end with what it has after this long.
    pub fn within(limit: Option<Duration>) -> Self {
        // Work without a runtime: nothing here is simulated.
        #[allow(clippy::disallowed_methods)]
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut phases = Phases::new();
        phases.1 = end;
        phases
    }

    /// A phase of a snapshot.
    pub fn snapshot(&mut self, progress: &Progress) {
        let name = match progress.step {
            Step::Metadata => "reading brokers and topics",
            Step::LogDirs => "reading sizes, brokers",
            Step::Configs => "reading topic configs, brokers",
            Step::Rates => "watching logs grow, leaders",
        };
        self.phase(name, progress.done as u64, progress.total as u64);
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Watch for Phases {
    fn phase(&mut self, name: &'static str, done: u64, total: u64) {
        self.0.enable_steady_tick(Duration::from_millis(200));
        self.0.set_message(name);
        self.0.set_length(total);
        self.0.set_position(done);
    }

    #[allow(clippy::disallowed_methods)]
    fn stop(&self) -> bool {
        self.1.is_some_and(|end| Instant::now() >= end)
    }
}

impl Drop for Phases {
    fn drop(&mut self) {
        self.end();
    }
}
