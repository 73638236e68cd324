//! A run as it goes: a bar on a terminal, plain lines when piped, one JSON object a line for programs.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use restow_executor::events::{Event, Progress, Watch};
use restow_planner::plan::Step;

use super::units;
use crate::args::Format;

/// Shows the events of a run.
#[derive(Debug)]
pub struct Screen {
    format: Format,
    bar: Option<ProgressBar>,
    at: Option<Duration>,
    last_line: String,
    last_percent: Option<(Option<Step>, u64)>,
}

impl Screen {
    /// A screen for standard error; a bar if that is a terminal.
    pub fn new(format: Format) -> Self {
        let is_terminal = std::io::stderr().is_terminal() && format == Format::Text;
        let bar = is_terminal.then(|| {
            let style = ProgressStyle::with_template("{prefix:>7} {bar:30} {msg}");
            let bar = ProgressBar::new(1000);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Screen { format, bar, at: None, last_line: String::new(), last_percent: None }
    }

    /// The cluster's time, before what happens then.
    pub fn time(&mut self, at: Duration) {
        self.at = Some(at);
    }

    fn line(&self, text: &str) {
        let time = self.at.map(|at| format!("[{}] ", units::time(Duration::from_secs(at.as_secs()))));
        let text = &format!("{}{text}", time.unwrap_or_default());
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let text = words(progress);
        if let Some(bar) = &self.bar {
            bar.set_prefix(progress.step.map_or_else(String::new, |step| step.to_string()));
            bar.set_position(per_mille(progress));
            bar.set_message(text);
            return;
        }
        // When piped, a line for every tenth, and for every change of what is waited for.
        let tenth = (progress.step, per_mille(progress) / 100);
        let waits = progress.waits.clone().unwrap_or_default();
        if self.last_percent != Some(tenth) || waits != self.last_line {
            self.last_percent = Some(tenth);
            self.last_line = waits;
            eprintln!("{} {text}", progress.step.map_or_else(|| "run".into(), |step| step.to_string()));
        }
    }
}

fn per_mille(progress: &Progress) -> u64 {
    let (done, all) = match progress.step {
        Some(Step::Expand) if progress.bytes > 0 => (progress.bytes_done, progress.bytes),
        _ => (progress.moves_done, progress.moves),
    };
    (done * 1000).checked_div(all).unwrap_or(1000).min(1000)
}

fn words(progress: &Progress) -> String {
    let mut text = format!("{} of {} partitions", progress.moves_done, progress.moves);
    // Without a stage it is a pipelined run, which copies for as long as it goes.
    if progress.step == Some(Step::Expand) || (progress.step.is_none() && progress.bytes > 0) {
        text += &format!(", {} of {}", units::bytes(progress.bytes_done), units::bytes(progress.bytes));
    }
    if progress.in_flight > 0 {
        text += &format!(", {} in flight", progress.in_flight);
    }
    if let Some(rate) = progress.rate.filter(|rate| *rate > 0) {
        text += &format!(", {}/s", units::bytes(rate));
    }
    if let Some(left) = progress.seconds_left {
        text += &format!(", {} left", units::time(Duration::from_secs(left)));
    }
    if let Some(waits) = &progress.waits {
        text += &format!("; waiting: {waits}");
    }
    text
}

impl Watch for Screen {
    fn event(&mut self, event: &Event) {
        if self.format == Format::Json {
            match serde_json::to_string(event) {
                Ok(line) => println!("{line}"),
                Err(error) => eprintln!("an event cannot be written: {error}"),
            }
            return;
        }
        match event {
            Event::Progress(progress) => self.progress(progress),
            Event::Opened { continued, journal } => {
                let how = if *continued { "journal, continued:" } else { "journal:" };
                self.line(&format!("{how} {journal}"));
            }
            Event::Stage { step } => self.line(&format!("stage {step}")),
            Event::Sent { what, ok: false } => self.line(&format!("failed: {what}")),
            Event::Sent { .. } => {}
            Event::Held(hold) => self.line(&format!("holding: {hold}")),
            Event::Cleared(hold) => self.line(&format!("cleared: {}: {}", hold.scope, hold.reason)),
            Event::Note { text } => self.line(&format!("note: {text}")),
            Event::Gate { gate } => self.line(&format!("the gate before {gate} is closed")),
            Event::Ended { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
