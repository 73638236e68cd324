//! A forecast in words and tables.

use std::fmt::Write;
use std::time::Duration;

use restow_planner::forecast::{Forecast, Peak, Side, Traffic};
use restow_planner::plan::{Pacing, Plan};
use restow_planner::schedule::Doom;
use serde_json::{Value, json};

use super::table::Table;
use super::{price, units};
use crate::error::Exit;

/// Everything that is told.
#[derive(Debug)]
pub struct Page<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What the model says.
    pub told: &'a Forecast,
    /// Why it can never finish.
    pub dooms: &'a [Doom],
    /// Bytes/s per broker and direction.
    pub throttle: Option<u64>,
    /// Millionths of a currency unit for 10^9 bytes between zones.
    pub price: Option<u64>,
}

/// Brokers in the table of disks.
const ROWS: usize = 20;

impl Page<'_> {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for doom in self.dooms {
            let _ = writeln!(text, "Can never finish: {doom}.");
        }
        text += &self.time();
        text += &self.bytes();
        text += &self.disks();
        text
    }

    /// For programs.
    pub fn json(&self, exit: Exit) -> Value {
        json!({
            "outcome": exit.name(),
            "exit": exit.code(),
            "throttle": self.throttle,
            "doomed": self.dooms.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "forecast": self.told,
            "price_micros": self.price.map(|each| price::micros(self.told.bytes_across, each)),
        })
    }

    fn time(&self) -> String {
        let told = self.told;
        let mut text = String::new();
        let Some(rate) = self.throttle else {
            return "Time: unknown, since without a throttle copies take what they can get.\n".into();
        };
        let is_staged = self.plan.pacing == Pacing::Staged;
        match told.total {
            Some(span) => {
                let high = span.high.map_or_else(|| "unknown".into(), seconds);
                let _ = writeln!(
                    text,
                    "Time at {}: {} (between {} and {high}){}.",
                    units::rate(rate),
                    seconds(span.likely),
                    seconds(span.low),
                    if is_staged { ", waiting at gates not counted" } else { "" }
                );
            }
            None => {
                let (count, first) = (told.stuck.len() as u64, told.stuck.first());
                let first = first.map(|p| format!(", among them {p}")).unwrap_or_default();
                let never = units::of(count, "partition");
                let _ = writeln!(
                    text,
                    "Time at {}: it never ends: {never} never catch up{first}.",
                    units::rate(rate)
                );
            }
        }
        // In a pipelined run swaps and shrinks go beside the copies: here is what is left of them after the last one.
        let mut table = Table::new(&[if is_staged { "stage" } else { "step" }, ">time"]);
        for (step, time) in &told.stages {
            table.row([step.to_string(), seconds(*time)]);
        }
        if !table.is_empty() {
            text += &table.render(2);
        }
        if let Some(bound) = told.bound {
            let side = match bound.side {
                Side::Out => "sends",
                Side::In => "fetches",
            };
            let _ = writeln!(
                text,
                "No order of copies takes less than {}: that is what broker {} {side}.",
                seconds(bound.milliseconds.div_ceil(1000)),
                bound.broker
            );
        }
        for (count, what, then) in [
            (
                told.unknown_rates,
                "partition",
                "Nobody measured what is written to {}: counted as nothing (restow snapshot --sample 60s)",
            ),
            (told.unknown_sizes, "copy", "The size of {} is unknown: in no figure"),
        ] {
            if count > 0 {
                let _ = writeln!(text, "{}.", then.replace("{}", &units::of(count, what)));
            }
        }
        text
    }

    fn bytes(&self) -> String {
        let told = self.told;
        let mut text = format!("Copies {}", units::bytes(told.bytes));
        if self.plan.brokers.iter().any(|b| b.zone.is_some()) {
            let _ = write!(text, ", {} of it from one zone into another", units::bytes(told.bytes_across));
            if let Some(each) = self.price {
                let all = units::decimal(price::micros(told.bytes_across, each), 1_000_000, 2);
                let each = units::decimal(u128::from(each), 1_000_000, 4);
                let _ = write!(text, ", which costs {all} (at {each} per GB)");
            }
        }
        text += ".\n";
        if let Some([before, expanded, after]) = told.traffic {
            let one =
                |t: Traffic| format!("{} ({} across zones)", units::rate(t.total), units::rate(t.across));
            let _ = writeln!(
                text,
                "Replication of what producers write to these partitions: {} before, {} while expanded, {} after.",
                one(before),
                one(expanded),
                one(after)
            );
        }
        text
    }

    fn disks(&self) -> String {
        let mut table = Table::new(&["broker", ">before", ">peak", ">after", ">limit", ">full at peak"]);
        let mut peaks: Vec<&Peak> = self.told.peaks.iter().filter(|p| p.peak > 0).collect();
        // The fullest first, those without a limit last.
        let full = |p: &Peak| p.limit.map(|limit| u128::from(p.peak) * 1000 / u128::from(limit.max(1)));
        peaks.sort_by_key(|p| std::cmp::Reverse(full(p)));
        for peak in peaks.iter().take(ROWS) {
            table.row([
                peak.broker.to_string(),
                units::bytes(peak.before),
                units::bytes(peak.peak),
                units::bytes(peak.after),
                peak.limit.map(units::bytes).unwrap_or_default(),
                full(peak).map(|part| format!("{} %", part.div_ceil(10))).unwrap_or_default(),
            ]);
        }
        let rest = peaks.len().saturating_sub(ROWS);
        let rest =
            if rest > 0 { format!("  and {rest} brokers that are less full\n") } else { String::new() };
        format!("Bytes on brokers:\n{}{rest}", table.render(2))
    }
}

fn seconds(seconds: u64) -> String {
    units::time(Duration::from_secs(seconds))
}
