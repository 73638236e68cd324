//! Sizings as text, JSON and CSV.

mod fleet;

use std::fmt::Write;
use std::path::Path;

use restow_planner::model::Cluster;
use restow_planner::whatif::size::{Binding, Offer, Operation, Part, Peak, Placing, Settled, Sizing, Way};
use serde_json::{Value, json};

use super::list;
use super::money::money;
use super::table::Table;
use super::units;
use super::whatif::{amount, percent};
use super::wrap::wrap;
use crate::error::Exit;

pub use fleet::{Fleet, FleetRow};

/// Everything that is told of one cluster.
#[derive(Debug)]
pub struct Page<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// Its sizing.
    pub sizing: &'a Sizing,
    /// Where the plan was written.
    pub written: Option<&'a Path>,
}

impl Page<'_> {
    /// For people.
    pub fn text(&self) -> String {
        let sizing = self.sizing;
        let mut text = super::snapshot::head(self.cluster) + "\n";
        let (today, unknown) = price(self.cluster);
        if today > 0 {
            let but = if unknown > 0 {
                format!(", {} not counted", units::of(unknown, "broker"))
            } else {
                String::new()
            };
            let _ = writeln!(text, "Its nodes cost {} a month{but}", money(today));
        }
        text += "\nWhat each zone has to carry at the horizon\n";
        text += &needs(sizing);
        for loss in &sizing.losses {
            let line = format!(
                "{} lost: {} offline: no other zone has a copy",
                loss.lost,
                units::of(loss.offline.into(), "partition")
            );
            text += &wrap(&line, 2);
        }
        for (at, offer) in sizing.offers.iter().enumerate() {
            let _ = write!(text, "\n{}. {}\n{}", at + 1, headline(offer), told(offer));
        }
        if sizing.best().is_none() {
            text += "\nNone of them could be placed.\n";
        }
        if !sizing.notes.is_empty() {
            text += "\nNotes\n";
            sizing.notes.iter().for_each(|note| text += &wrap(note, 2));
        }
        text += &self.next();
        text
    }

    fn next(&self) -> String {
        let Some((_, settled)) = self.sizing.best() else { return String::new() };
        let Some(file) = self.written else {
            return match settled.plan {
                Some(_) => "\nNext: the same with -o plan.json writes the plan to the first of them\n".into(),
                None => "\nToday's brokers are the cheapest: nothing has to move\n".into(),
            };
        };
        let file = file.display();
        let start = match settled.new.as_slice() {
            [] => String::new(),
            new => format!(
                "Start brokers {}, then take a snapshot\n",
                list::ranges(&new.iter().map(|broker| broker.id.0).collect::<Vec<_>>())
            ),
        };
        format!("\nWritten {file}\n{start}Next: restow check {file} --cluster SNAPSHOT\n")
    }

    /// For programs.
    pub fn json(&self, exit: Exit) -> Value {
        json!({
            "outcome": exit.name(),
            "exit": exit.code(),
            "cluster_id": self.cluster.id,
            "plan": self.written.map(|file| file.display().to_string()),
            "sizing": self.sizing,
        })
    }

    /// For spreadsheets: a line for each offer, zone and node type.
    pub fn csv(&self) -> String {
        let mut text = String::from("offer,zone,node_type,count,offer_price,offer_bound,placed\n");
        for (at, offer) in self.sizing.offers.iter().enumerate() {
            let settled = offer.settled();
            let (mix, price) =
                settled.map_or((&offer.mix, offer.price), |settled| (&settled.mix, settled.price));
            for part in mix {
                let [zone, node] = [&part.zone, &part.node_type].map(|name| super::whatif::field(name));
                let _ = writeln!(
                    text,
                    "{},{zone},{node},{},{price},{},{}",
                    at + 1,
                    part.count,
                    offer.bound,
                    settled.is_some()
                );
            }
        }
        text
    }
}

/// What today's nodes cost a month, in hundredths, and how many have no price.
fn price(cluster: &Cluster) -> (u64, u64) {
    let each =
        || cluster.brokers.iter().map(|broker| broker.node.as_ref().and_then(|node| node.price_per_month));
    (each().flatten().fold(0, u64::saturating_add), each().filter(Option::is_none).count() as u64)
}

fn needs(sizing: &Sizing) -> String {
    let mut table = Table::new(&["zone", "when", ">disk", ">in", ">out", ">replicas"]);
    for zone in &sizing.needs {
        let normal = std::iter::once((String::new(), &zone.normal));
        let without = zone.without.iter().map(|without| (format!("{} lost", without.zone), &without.need));
        for (when, need) in normal.chain(without) {
            table.row([
                zone.zone.clone(),
                when,
                units::bytes(need.disk),
                format!("{}/s", units::bytes(need.network_in)),
                format!("{}/s", units::bytes(need.network_out)),
                units::count(need.replicas),
            ]);
        }
    }
    table.render(2)
}

/// `4 x r6g.large in each zone`, or zone by zone.
fn mix(parts: &[Part]) -> String {
    let mut zones: Vec<(&str, Vec<String>)> = Vec::new();
    for part in parts {
        let one = format!("{} x {}", part.count, part.node_type);
        match zones.last_mut().filter(|(zone, _)| *zone == part.zone) {
            Some((_, all)) => all.push(one),
            None => zones.push((&part.zone, vec![one])),
        }
    }
    match zones.as_slice() {
        [] => "nothing".into(),
        [(_, only)] => list::and(only),
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => {
            format!("{} in each of {} zones", list::and(first), zones.len())
        }
        all => list::commas(all.iter().map(|(zone, own)| format!("{zone}: {}", list::and(own)))),
    }
}

fn headline(offer: &Offer) -> String {
    match offer.settled() {
        Some(settled) => format!("{} a month: {}", money(settled.price), mix(&settled.mix)),
        None => format!("{} a month, not placed: {}", money(offer.price), mix(&offer.mix)),
    }
}

fn told(offer: &Offer) -> String {
    let gap = units::decimal(u128::from(offer.gap()) * 100, u128::from(offer.bound.max(1)), 2);
    let proved = if offer.proved {
        "no other whole numbers of these types cost less"
    } else {
        "the search was cut short"
    };
    let mut text = wrap(
        &format!(
            "as sums: {}, {} a month; even in fractions no less than {}: {gap} % above it; {proved}",
            units::of(offer.brokers, "broker"),
            money(offer.price),
            money(offer.bound)
        ),
        3,
    );
    if let Some(binding) = &offer.binding {
        text += &wrap(&format!("binding: {}", bound_by(binding)), 3);
    }
    text += &match &offer.placed {
        Placing::Settled(settled) => placed(settled),
        Placing::Refused { refusals } => {
            let first = refusals.first().map_or_else(String::new, |refusal| {
                let partition =
                    refusal.partition.as_ref().map_or_else(String::new, |name| format!("{name}: "));
                format!("{partition}{}; {}", refusal.reason, refusal.way_past)
            });
            wrap(
                &format!(
                    "the planner refuses {}, the first {first}",
                    units::of(refusals.len() as u64, "move")
                ),
                3,
            )
        }
        Placing::Full { peaks } => {
            let first = peaks.first().map_or_else(String::new, full);
            wrap(&format!("whatever was added, some broker was too full: {first}"), 3)
        }
        Placing::Unsound { findings } => wrap(
            &format!("check does not accept the plan, a defect of restow: {}", list::commas(findings)),
            3,
        ),
        Placing::TooMany { brokers } => {
            wrap(&format!("{} are more than a cluster has", units::of(*brokers, "broker")), 3)
        }
    };
    text
}

fn bound_by(binding: &Binding) -> String {
    match binding {
        Binding::Resource(fill) => format!(
            "{} of zone {}{}: {} of {} that may be used, {} % stay free",
            fill.resource.name(),
            fill.zone,
            when(&fill.operation),
            amount(fill.resource, fill.needed),
            amount(fill.resource, fill.usable),
            percent(fill.free())
        ),
        Binding::Copies { zone, copies } => {
            format!(
                "a partition has {} in zone {zone}, each on a broker of its own",
                units::of((*copies).into(), "replica")
            )
        }
    }
}

fn when(operation: &Operation) -> String {
    match operation {
        Operation::Normal => String::new(),
        Operation::WithoutLargest => " without its largest broker".into(),
        Operation::Without(lost) => format!(" without {lost}"),
    }
}

fn full(peak: &Peak) -> String {
    format!(
        "{} of broker {}{}: {} of {} that may be used",
        peak.resource.name(),
        peak.broker,
        when(&peak.operation),
        amount(peak.resource, peak.used),
        amount(peak.resource, peak.usable)
    )
}

fn placed(settled: &Settled) -> String {
    let mut text = String::new();
    for more in &settled.more {
        let line = format!(
            "the real partitions need {} in zone {} in place of {}: {}",
            units::of(more.after, "broker"),
            more.peak.zone,
            more.before,
            full(&more.peak)
        );
        text += &wrap(&line, 3);
    }
    let way = match settled.way {
        Way::Stay => "today's brokers are this mix".into(),
        Way::Add => format!("{} beside today's", units::of(settled.new.len() as u64, "new broker")),
        Way::Drain => format!(
            "{}, {} leave, the others stay",
            units::of(settled.new.len() as u64, "new broker"),
            settled.leaving.len()
        ),
        Way::Migrate => {
            format!("{} take over from all of today's", units::of(settled.new.len() as u64, "new broker"))
        }
    };
    let moved = match settled.partitions {
        0 => String::new(),
        count => format!("; {} move, {} copied", units::of(count, "partition"), units::bytes(settled.bytes)),
    };
    text += &wrap(&format!("placed and checked: {way}{moved}"), 3);
    for peak in &settled.fullest {
        text += &wrap(&format!("fullest {}", full(peak)), 5);
    }
    text
}
