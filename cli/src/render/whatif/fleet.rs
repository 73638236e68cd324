//! One question to many clusters: a row for each.

use std::fmt::Write;

use restow_planner::whatif::{Answer, Resource};
use serde_json::{Value, json};

use super::cells::full;
use super::csv::field;
use crate::error::Exit;
use crate::render::money::money;
use crate::render::table::Table;
use crate::render::units;

/// A cluster and what came of it.
#[derive(Debug)]
pub struct FleetRow {
    /// The cluster's id.
    pub cluster: String,
    /// The answer, or why there is none.
    pub result: Result<Answer, String>,
}

/// Many clusters under one scenario.
#[derive(Debug)]
pub struct Fleet<'a> {
    /// What was asked.
    pub scenario: &'a str,
    /// The clusters.
    pub rows: &'a [FleetRow],
    /// Millionths of a currency unit for 10^9 bytes between zones.
    pub price: Option<u64>,
}

impl Fleet<'_> {
    /// For people: those in trouble first.
    pub fn text(&self) -> String {
        let mut text =
            format!("{} under: {}\n\n", units::of(self.rows.len() as u64, "cluster"), self.scenario);
        let mut rows: Vec<&FleetRow> = self.rows.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(weight(row)));
        let headings = [
            "cluster",
            ">brokers",
            ">offline",
            ">under ISR",
            ">disk",
            ">in",
            ">out",
            "first to break",
            ">a month",
        ];
        let mut table = Table::new(&headings);
        for row in rows {
            table.row(cells(row));
        }
        text += &table.render(0);
        text.push('\n');
        text += &self.sums();
        text
    }

    fn sums(&self) -> String {
        let answers = || self.rows.iter().filter_map(|row| row.result.as_ref().ok());
        let count = |is: &dyn Fn(&Answer) -> bool| answers().filter(|answer| is(answer)).count() as u64;
        let all = self.rows.len() as u64;
        let is_over = |answer: &Answer| {
            answer
                .after
                .brokers
                .iter()
                .any(|broker| Resource::ALL.iter().any(|one| broker.of(*one).is_over()))
        };
        let fails =
            |answer: &Answer| answer.after.offline > 0 || answer.after.under_min_isr > 0 || is_over(answer);
        let holds = count(&|answer| !fails(answer) && is_known(answer));
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{} of {} hold, by what is known of all of it.",
            units::count(holds),
            units::of(all, "cluster")
        );
        for (number, what) in [
            (count(&|answer| answer.after.offline > 0), "would have partitions offline"),
            (count(&|answer| answer.after.under_min_isr > 0), "would have partitions under their min ISR"),
            (count(&is_over), "would have a broker over a limit"),
            (
                count(&|answer| !fails(answer) && !is_known(answer)),
                "would hold as far as is known: disks, networks, sizes or rates of some are not (whatif of one tells)",
            ),
            (self.rows.iter().filter(|row| row.result.is_err()).count() as u64, "have no answer"),
        ] {
            if number > 0 {
                let _ = writeln!(text, "{} {what}.", units::of(number, "cluster"));
            }
        }
        let price = |of: fn(&Answer) -> u64| answers().map(of).fold(0u64, u64::saturating_add);
        let (before, after) = (price(|answer| answer.price.before), price(|answer| answer.price.after));
        if after > 0 {
            let free: u64 = answers().map(|answer| u64::from(answer.price.unknown_after)).sum();
            let but =
                if free > 0 { format!(", {} not counted", units::of(free, "broker")) } else { String::new() };
            let _ = writeln!(text, "Nodes cost {} → {} a month{but}.", money(before), money(after));
        }
        let copied = answers().flat_map(|answer| &answer.costs);
        let (bytes, across) = copied.fold((0u64, 0u64), |(bytes, across), cost| {
            (bytes.saturating_add(cost.bytes), across.saturating_add(cost.bytes_across))
        });
        if bytes > 0 {
            let _ = write!(
                text,
                "It copies {}, {} of it between zones",
                units::bytes(bytes),
                units::bytes(across)
            );
            if let Some(price) = self.price {
                let all = u128::from(across) * u128::from(price) / 1_000_000_000;
                let _ = write!(text, ", which costs {}", units::decimal(all, 1_000_000, 2));
            }
            text.push_str(".\n");
        }
        for row in self.rows.iter().filter(|row| row.result.is_err()) {
            if let Err(why) = &row.result {
                let _ = writeln!(text, "{}: {why}", row.cluster);
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self, exit: Exit) -> Value {
        let row = |row: &FleetRow| match &row.result {
            Ok(answer) => json!({ "cluster_id": row.cluster, "answer": answer }),
            Err(refused) => json!({ "cluster_id": row.cluster, "refused": refused }),
        };
        json!({
            "outcome": exit.name(),
            "exit": exit.code(),
            "scenario": self.scenario,
            "clusters": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }

    /// For spreadsheets.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "cluster,brokers,partitions,offline,under_min_isr,disk_percent,network_in_percent,network_out_percent,\
             first_to_break,price_before,price_after,refused\n",
        );
        for row in self.rows {
            let id = field(&row.cluster);
            let _ = match &row.result {
                Err(why) => writeln!(text, "{id},,,,,,,,,,,{}", field(why)),
                Ok(answer) => writeln!(
                    text,
                    "{id},{},{},{},{},{},{},{},{},{},{},",
                    answer.before.brokers.len(),
                    answer.after.partitions,
                    answer.after.offline,
                    answer.after.under_min_isr,
                    plain(answer, Resource::Disk),
                    plain(answer, Resource::NetworkIn),
                    plain(answer, Resource::NetworkOut),
                    field(&breaks(answer)),
                    answer.price.before,
                    answer.price.after,
                ),
            };
        }
        text
    }
}

/// Whether disks, networks, sizes and rates are known of all that serves. Read and request rates seldom are.
fn is_known(answer: &Answer) -> bool {
    let unknown = answer.unknown;
    unknown.disks == 0
        && unknown.networks == 0
        && unknown.sizes == 0
        && unknown.write_rates == 0
        && unknown.min_isr == 0
}

fn weight(row: &FleetRow) -> (bool, u32, u32, Option<u64>) {
    match &row.result {
        Err(_) => (true, 0, 0, None),
        Ok(answer) => {
            let tightest = super::tightest(answer).map(|(.., part)| part);
            (false, answer.after.offline, answer.after.under_min_isr, tightest)
        }
    }
}

/// How full, as a number alone.
fn plain(answer: &Answer, resource: Resource) -> String {
    full(&answer.after, resource).replace(" %", "")
}

fn breaks(answer: &Answer) -> String {
    match answer.breaks.first() {
        None => String::new(),
        Some(first) if first.day == 0 => format!("{} now", first.resource.name()),
        Some(first) => {
            let when = first.date.clone().unwrap_or_else(|| format!("day {}", first.day));
            format!("{} {when}", first.resource.name())
        }
    }
}

fn cells(row: &FleetRow) -> Vec<String> {
    let Ok(answer) = &row.result else {
        return vec![row.cluster.clone(), "no answer".into()];
    };
    let part = |resource| full(&answer.after, resource);
    let some = |count: u32| if count > 0 { units::count(count.into()) } else { "-".into() };
    let price = if answer.price.after > 0 { money(answer.price.after) } else { String::new() };
    vec![
        row.cluster.clone(),
        units::count(answer.before.brokers.len() as u64),
        some(answer.after.offline),
        some(answer.after.under_min_isr),
        part(Resource::Disk),
        part(Resource::NetworkIn),
        part(Resource::NetworkOut),
        breaks(answer),
        price,
    ]
}
