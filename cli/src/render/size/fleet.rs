//! Many clusters sized: a row for each.

use std::collections::BTreeMap;
use std::fmt::Write;

use restow_planner::model::{Cluster, Rate};
use restow_planner::whatif::size::{Part, Sizing};
use serde_json::{Value, json};

use super::{headline, price};
use crate::error::Exit;
use crate::render::list;
use crate::render::money::money;
use crate::render::table::Table;
use crate::render::units;
use crate::render::whatif::field;

/// A cluster and its sizing.
#[derive(Debug)]
pub struct FleetRow {
    cluster: String,
    brokers: u64,
    /// What its nodes cost a month, in hundredths; `None` where that of some is unknown.
    price: Option<u64>,
    /// Whether networks could not be sized, for want of rates.
    is_blind: bool,
    result: Result<Sizing, String>,
}

impl FleetRow {
    /// The row of a cluster.
    pub fn of(cluster: &Cluster, result: Result<Sizing, String>) -> Self {
        let (sum, unknown) = price(cluster);
        let is_blind = cluster.known_rates(Rate::Write) < cluster.partition_count();
        let (id, brokers) = (cluster.id.clone(), cluster.brokers.len() as u64);
        FleetRow { cluster: id, brokers, price: (unknown == 0).then_some(sum), is_blind, result }
    }

    /// Whether some mix was placed.
    pub fn is_placed(&self) -> bool {
        self.result.as_ref().is_ok_and(|sizing| sizing.best().is_some())
    }

    /// Price, brokers and mix of the best.
    fn best(&self) -> Option<(u64, u64, String)> {
        let (_, settled) = self.result.as_ref().ok()?.best()?;
        Some((settled.price, settled.brokers, totals(&settled.mix)))
    }

    fn why_not(&self) -> String {
        match &self.result {
            Err(why) => why.clone(),
            Ok(sizing) => sizing.offers.first().map(headline).unwrap_or_default(),
        }
    }
}

/// A price in hundredths; empty where it is unknown.
fn cents(price: Option<u64>) -> String {
    price.map(|price| price.to_string()).unwrap_or_default()
}

/// A price that may be unknown.
fn today(price: Option<u64>) -> String {
    price.map_or_else(|| "?".into(), money)
}

/// How many of each type in all zones together.
fn totals(mix: &[Part]) -> String {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    mix.iter().for_each(|part| *sums.entry(&part.node_type).or_default() += part.count);
    list::commas(sums.iter().map(|(node, count)| format!("{count} x {node}")))
}

/// Many clusters.
#[derive(Debug)]
pub struct Fleet<'a> {
    /// The clusters.
    pub rows: &'a [FleetRow],
}

impl Fleet<'_> {
    /// For people: where most is saved first.
    pub fn text(&self) -> String {
        let mut rows: Vec<&FleetRow> = self.rows.iter().collect();
        let saved = |row: &FleetRow| Some(i128::from(row.price?) - i128::from(row.best()?.0));
        rows.sort_by_key(|row| std::cmp::Reverse(saved(row)));
        let mut table = Table::new(&["cluster", ">brokers", ">a month", "cheapest mix that holds it"]);
        for row in rows {
            let cells = match row.best() {
                Some((price, brokers, mix)) => [
                    format!("{}→{brokers}", row.brokers),
                    format!("{}→{}", today(row.price), money(price)),
                    mix,
                ],
                None => [row.brokers.to_string(), today(row.price), format!("none: {}", row.why_not())],
            };
            table.row(std::iter::once(row.cluster.clone()).chain(cells));
        }
        let mut text = table.render(0);
        let placed = self.rows.iter().filter(|row| row.is_placed()).count();
        let priced = || self.rows.iter().filter_map(|row| Some((row.price?, row.best()?.0)));
        let (before, after) =
            priced().fold((0u64, 0u64), |(a, b), (x, y)| (a.saturating_add(x), b.saturating_add(y)));
        let all = units::of(self.rows.len() as u64, "cluster");
        let _ = writeln!(text, "\n{placed} of {all} placed and checked.");
        let _ = writeln!(
            text,
            "Nodes of the {} whose price is known cost {} → {} a month.",
            units::of(priced().count() as u64, "cluster"),
            money(before),
            money(after)
        );
        let blind = self.rows.iter().filter(|row| row.is_blind).count() as u64;
        if blind > 0 {
            let _ = writeln!(
                text,
                "{} lack write rates: networks are not sized there.",
                units::of(blind, "cluster")
            );
        }
        text
    }

    /// For programs.
    pub fn json(&self, exit: Exit) -> Value {
        let row = |row: &FleetRow| match &row.result {
            Ok(sizing) => {
                json!({ "cluster_id": row.cluster, "brokers": row.brokers, "price": row.price, "sizing": sizing })
            }
            Err(why) => {
                json!({ "cluster_id": row.cluster, "brokers": row.brokers, "price": row.price, "refused": why })
            }
        };
        let clusters: Vec<Value> = self.rows.iter().map(row).collect();
        json!({ "outcome": exit.name(), "exit": exit.code(), "clusters": clusters })
    }

    /// For spreadsheets.
    pub fn csv(&self) -> String {
        let mut text =
            String::from("cluster,brokers_before,brokers_after,price_before,price_after,mix,refused\n");
        for row in self.rows {
            let id = field(&row.cluster);
            let _ = match row.best() {
                Some((price, brokers, mix)) => {
                    writeln!(
                        text,
                        "{id},{},{brokers},{},{price},{},",
                        row.brokers,
                        cents(row.price),
                        field(&mix)
                    )
                }
                None => {
                    writeln!(text, "{id},{},,{},,,{}", row.brokers, cents(row.price), field(&row.why_not()))
                }
            };
        }
        text
    }
}
