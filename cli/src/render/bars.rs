//! What brokers hold before and after, as bars.

use std::collections::BTreeMap;

use restow_planner::plan::{BrokerImpact, Plan};

use super::table::Table;
use super::units;

/// Brokers that are drawn one by one; of more, the zones.
const BROKERS: usize = 60;
/// Cells of a full bar.
const WIDTH: u64 = 18;

/// Bytes per zone, and per broker where they are not too many, before and after. Nothing if the plan moves no data.
pub fn of(plan: &Plan) -> String {
    if plan.certificate.moved_bytes == 0 {
        return String::new();
    }
    let mut zones: BTreeMap<&str, Vec<&BrokerImpact>> = BTreeMap::new();
    for row in &plan.impact {
        zones.entry(plan.zone(row.broker).unwrap_or("-")).or_default().push(row);
    }
    let sums =
        |rows: &[&BrokerImpact], of: fn(&BrokerImpact) -> u64| rows.iter().map(|row| of(row)).sum::<u64>();
    let mut table = Table::new(&["zone", ">before", "", ">after", ""]);
    let most = zones.values().map(|rows| sums(rows, |row| row.before.max(row.after))).max().unwrap_or(0);
    for (zone, rows) in &zones {
        let (before, after) = (sums(rows, |row| row.before), sums(rows, |row| row.after));
        table.row(cells((*zone).to_owned(), before, after, most));
    }
    let mut text = table.render(2);
    text.push('\n');
    if plan.impact.len() > BROKERS {
        let mut table = Table::new(&["zone", "", ">least", ">mean", ">most"]);
        for (zone, rows) in &zones {
            for (when, of) in
                [("before", (|row| row.before) as fn(&BrokerImpact) -> u64), ("after", |row| row.after)]
            {
                let each = || rows.iter().map(|row| of(row));
                table.row([
                    (*zone).to_owned(),
                    when.to_owned(),
                    units::bytes(each().min().unwrap_or(0)),
                    units::bytes(each().sum::<u64>() / rows.len().max(1) as u64),
                    units::bytes(each().max().unwrap_or(0)),
                ]);
            }
        }
        text.push_str(&table.render(2));
        return text;
    }
    let mut table = Table::new(&["broker", ">before", "", ">after", ""]);
    let most = plan.impact.iter().map(|row| row.before.max(row.after)).max().unwrap_or(0);
    for (zone, rows) in &zones {
        for row in rows {
            table.row(cells(format!("{} {zone}", row.broker), row.before, row.after, most));
        }
    }
    text.push_str(&table.render(2));
    text
}

fn cells(name: String, before: u64, after: u64, most: u64) -> [String; 5] {
    [name, units::bytes(before), bar(before, most), units::bytes(after), bar(after, most)]
}

/// A bar in eighths of a cell, so that it reads in black and white too.
pub fn bar(amount: u64, most: u64) -> String {
    let eighths = (u128::from(amount) * u128::from(WIDTH) * 8).div_ceil(u128::from(most.max(1))) as usize;
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(0, 10), "");
        assert_eq!(bar(10, 10).chars().count() as u64, WIDTH);
        assert_eq!(bar(5, 10), "█".repeat(9));
        assert_eq!(bar(1, 1_000_000), "▏", "something is never nothing");
    }
}
