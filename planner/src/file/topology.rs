//! The topology file (TOML): what a person knows about brokers and Kafka does not tell.
//!
//! ```toml
//! [zones.az-a]
//! racks = ["rack-1", "rack-2"]
//!
//! [zones.az-b]
//! brokers = [3, 6]
//!
//! [node_types."r6g.large"]
//! disk_bytes = 500_000_000_000
//! price_per_month = 92.40
//!
//! [nodes]
//! "r6g.large" = [1, 2, 3]
//!
//! [rtt]
//! "az-a:az-b" = "1ms"
//!
//! [topics]
//! "payments\\..*" = ["az-a"]
//! ```
//!
//! `docs/topology.md` explains every member.

mod apply;

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;
use toml::Spanned;

use super::FileError;
use super::document::{self, Reader};
use super::node_types::NodeTable;
use crate::model::{BrokerId, NodeType};
use crate::plan::Pattern;

/// A round-trip time between two zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rtt {
    /// One zone.
    pub a: String,
    /// The other.
    pub b: String,
    /// There and back, in microseconds.
    pub micros: u64,
    /// Line of the file, from 1.
    pub line: usize,
}

/// What a topology file says. It fits a cluster or not: [`TopologyFile::apply_to`] tells.
#[derive(Debug, Clone)]
pub struct TopologyFile {
    file: String,
    /// The zone of each rack and of each broker that it names, with the line.
    racks: BTreeMap<String, (String, usize)>,
    brokers: BTreeMap<BrokerId, (String, usize)>,
    nodes: BTreeMap<BrokerId, (NodeType, usize)>,
    rtt: Vec<Rtt>,
    topics: Vec<TopicZones>,
}

/// Where the topics whose whole names match a regular expression may be.
#[derive(Debug, Clone)]
struct TopicZones {
    /// The expression as it stands.
    text: String,
    pattern: Pattern,
    zones: Vec<String>,
    line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    zones: BTreeMap<Spanned<String>, ZoneTable>,
    #[serde(default)]
    node_types: BTreeMap<Spanned<String>, NodeTable>,
    #[serde(default)]
    nodes: BTreeMap<Spanned<String>, Vec<Spanned<i64>>>,
    #[serde(default)]
    rtt: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    topics: BTreeMap<Spanned<String>, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneTable {
    #[serde(default)]
    racks: Vec<Spanned<String>>,
    #[serde(default)]
    brokers: Vec<Spanned<i64>>,
}

/// Reads a topology file; `file` is its name in errors.
///
/// # Errors
/// The first thing that makes the file unusable, with its line: no TOML, an unknown member, a number that is not
/// above zero, a rack or a broker in two zones, a node type that is not defined, a pair of zones that is none, topics
/// without a zone.
pub fn read(from: impl Read, file: &str) -> Result<TopologyFile, FileError> {
    let text = document::text(from, file)?;
    let reader = Reader { file, text: &text };
    let document: Document = reader.parse()?;
    let (racks, brokers) = reader.zones(&document.zones)?;
    let types = reader.types(&document.node_types)?;
    let nodes = reader.nodes(&document.nodes, &types)?;
    let rtt = reader.rtt(&document.rtt)?;
    let topics = reader.topics(&document.topics)?;
    Ok(TopologyFile { file: file.into(), racks, brokers, nodes, rtt, topics })
}

type Seats = (BTreeMap<String, (String, usize)>, BTreeMap<BrokerId, (String, usize)>);

impl Reader<'_> {
    fn broker(&self, found: &Spanned<i64>, place: &str) -> Result<BrokerId, FileError> {
        let id = i32::try_from(*found.get_ref()).ok().filter(|id| *id >= 0);
        id.map(BrokerId).ok_or_else(|| {
            let reason = format!("{} is not a broker id: expected 0 or more", found.get_ref());
            self.error(self.line_of(found), place, reason)
        })
    }

    fn zones(&self, zones: &BTreeMap<Spanned<String>, ZoneTable>) -> Result<Seats, FileError> {
        let (mut racks, mut brokers) = Seats::default();
        for (name, zone) in zones {
            let place = format!("zones.{}", name.get_ref());
            if name.get_ref().is_empty() {
                return Err(self.error(self.line_of(name), "zones", "a zone has an empty name"));
            }
            if zone.racks.is_empty() && zone.brokers.is_empty() {
                let reason = "names neither racks nor brokers: expected racks = [\"…\"] or brokers = [1, 2]";
                return Err(self.error(self.line_of(name), place, reason));
            }
            for rack in &zone.racks {
                let what = format!("rack {:?}", rack.get_ref());
                let seat = (name.get_ref().clone(), self.line_of(rack));
                self.seat(&mut racks, rack.get_ref().clone(), seat, &place, &what)?;
            }
            for broker in &zone.brokers {
                let id = self.broker(broker, &place)?;
                let seat = (name.get_ref().clone(), self.line_of(broker));
                self.seat(&mut brokers, id, seat, &place, &format!("broker {id}"))?;
            }
        }
        Ok((racks, brokers))
    }

    fn seat<K: Ord>(
        &self,
        seats: &mut BTreeMap<K, (String, usize)>,
        key: K,
        seat: (String, usize),
        place: &str,
        what: &str,
    ) -> Result<(), FileError> {
        let line = seat.1;
        match seats.insert(key, seat) {
            None => Ok(()),
            Some((zone, other)) => {
                let reason = format!("{what} is in zone {zone} too (line {other}): expected one zone for it");
                Err(self.error(line, place, reason))
            }
        }
    }

    fn nodes(
        &self,
        lists: &BTreeMap<Spanned<String>, Vec<Spanned<i64>>>,
        types: &BTreeMap<&str, NodeType>,
    ) -> Result<BTreeMap<BrokerId, (NodeType, usize)>, FileError> {
        let mut nodes = BTreeMap::<BrokerId, (NodeType, usize)>::new();
        for (name, brokers) in lists {
            let Some(node) = types.get(name.get_ref().as_str()) else {
                let known = types.keys().copied().collect::<Vec<_>>().join(", ");
                let known = if known.is_empty() { "none is".into() } else { format!("these are: {known}") };
                let reason = format!("node type {:?} is not defined in node_types; {known}", name.get_ref());
                return Err(self.error(self.line_of(name), "nodes", reason));
            };
            let place = format!("nodes.{}", name.get_ref());
            for broker in brokers {
                let (id, line) = (self.broker(broker, &place)?, self.line_of(broker));
                if let Some((other, at)) = nodes.insert(id, (node.clone(), line)) {
                    let reason = format!(
                        "broker {id} is of type {} too (line {at}): expected one type for it",
                        other.name
                    );
                    return Err(self.error(line, place, reason));
                }
            }
        }
        Ok(nodes)
    }

    fn rtt(&self, pairs: &BTreeMap<Spanned<String>, Spanned<String>>) -> Result<Vec<Rtt>, FileError> {
        let mut list = Vec::<Rtt>::new();
        for (zones, time) in pairs {
            let line = self.line_of(zones);
            let names = zones.get_ref().split_once(':').map(|(a, b)| (a.trim(), b.trim()));
            let Some((a, b)) = names.filter(|(a, b)| !a.is_empty() && !b.is_empty() && a != b) else {
                let reason = format!("{:?} is not a pair of zones: expected \"az-a:az-b\"", zones.get_ref());
                return Err(self.error(line, "rtt", reason));
            };
            let Some(micros) = micros(time.get_ref()) else {
                let accepted = "expected a time above zero like \"500us\", \"60ms\" or \"1s\"";
                let reason = format!("{:?} is not a round-trip time: {accepted}", time.get_ref());
                return Err(self.error(self.line_of(time), format!("rtt.{}", zones.get_ref()), reason));
            };
            let same = list.iter().find(|rtt| (&*rtt.a, &*rtt.b) == (b, a) || (&*rtt.a, &*rtt.b) == (a, b));
            if let Some(other) = same {
                let reason = format!("the pair stands on line {} too: it counts both ways", other.line);
                return Err(self.error(line, format!("rtt.{}", zones.get_ref()), reason));
            }
            list.push(Rtt { a: a.into(), b: b.into(), micros, line });
        }
        Ok(list)
    }

    fn topics(&self, lists: &BTreeMap<Spanned<String>, Vec<String>>) -> Result<Vec<TopicZones>, FileError> {
        let one = |(pattern, zones): (&Spanned<String>, &Vec<String>)| {
            let (line, text) = (self.line_of(pattern), pattern.get_ref().clone());
            if zones.is_empty() {
                let reason = "names no zone: expected some, like [\"az-a\"]";
                return Err(self.error(line, format!("topics.{text}"), reason));
            }
            let pattern = Pattern::new(std::slice::from_ref(&text))
                .map_err(|error| self.error(line, "topics", error.to_string()))?;
            Ok(TopicZones { text, pattern, zones: zones.clone(), line })
        };
        lists.iter().map(one).collect()
    }
}

/// `500us`, `60ms`, `1s` in microseconds; none below one.
fn micros(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let factor = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|micros| *micros > 0)
}

#[cfg(test)]
mod tests;
