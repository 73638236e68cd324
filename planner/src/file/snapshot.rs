//! The snapshot file: a cluster as it stood at one moment.
//!
//! ```text
//! {"format":"restow-cluster","version":1,
//! "cluster_id":"…","taken_at":"…",
//! "brokers":[
//! {"id":1,"rack":"az-a",…},
//! …],
//! "config_differences":[
//! …],
//! "topics":[
//! {"name":"a","id":"…",…,"partitions":1},
//! …],
//! "partitions":[
//! {"topic":"a","partition":0,"replicas":[1,3],"leader":1,"isr":[1,3],"sizes":[100,null],"dirs":[0,null]}
//! ]}
//! ```

mod partitions;
mod rows;
mod scan;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use self::partitions::{ListSeed, Partitions, Row, RowSeed};
use self::rows::{BrokerRow, DifferenceRow, TopicRow, topic_of};
use super::FileError;
use super::json::{Header, Spot, explain, items, objects_that, once, required};
use crate::model::{Broker, Cluster, Partition, UNKNOWN_DIR, UNKNOWN_SIZE};

/// The `format` member of a snapshot.
pub const FORMAT: &str = "restow-cluster";
/// The newest version that is read, and the one that is written.
pub const VERSION: u64 = 1;

/// The members of a partition's rates as they are written, in the order of [`Rate::ALL`](crate::model::Rate::ALL).
const RATES: [&str; 3] = [",\"write_rate\":", ",\"read_rate\":", ",\"request_rate\":"];

/// Writes a cluster. The same cluster gives the same bytes.
///
/// # Errors
/// What `to` answers.
pub fn write(cluster: &Cluster, to: &mut dyn Write) -> io::Result<()> {
    write!(to, "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"cluster_id\":")?;
    serde_json::to_writer(&mut *to, &cluster.id)?;
    to.write_all(b",\"taken_at\":")?;
    serde_json::to_writer(&mut *to, &cluster.taken_at)?;
    write_list(to, "brokers", cluster.brokers.iter().map(BrokerRow::from))?;
    write_list(to, "config_differences", cluster.config_differences.iter().map(DifferenceRow::from))?;
    write_list(to, "topics", cluster.topics.iter().map(TopicRow::from))?;
    to.write_all(b",\n\"partitions\":[")?;
    let mut lines: Vec<u8> = Vec::with_capacity(1 << 16);
    for topic in &cluster.topics {
        let name = serde_json::to_string(&topic.name)?;
        for partition in cluster.partitions_of(topic) {
            lines.extend_from_slice(if partition.index == 0 { b"\n" } else { b",\n" });
            write_partition(&mut lines, cluster, &name, &partition)?;
            if lines.len() > (1 << 16) - 1024 {
                to.write_all(&lines)?;
                lines.clear();
            }
        }
    }
    to.write_all(&lines)?;
    to.write_all(b"\n]}\n")
}

/// Writes `,"name":[` and one item a line.
pub(super) fn write_list<T: Serialize>(
    to: &mut dyn Write,
    name: &str,
    items: impl Iterator<Item = T>,
) -> io::Result<()> {
    write!(to, ",\n\"{name}\":[")?;
    for (at, item) in items.enumerate() {
        to.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *to, &item)?;
    }
    to.write_all(b"]")
}

fn write_partition(
    to: &mut Vec<u8>,
    cluster: &Cluster,
    name: &str,
    partition: &Partition<'_>,
) -> io::Result<()> {
    let id = |at: &u16| i64::from(cluster.brokers[*at as usize].id.0);
    write!(to, "{{\"topic\":{name},\"partition\":{},\"replicas\":", partition.number)?;
    write_numbers(to, partition.replicas.iter().map(|at| Some(id(at))))?;
    match partition.leader {
        Some(leader) => write!(to, ",\"leader\":{},\"isr\":", id(&leader))?,
        None => write!(to, ",\"leader\":null,\"isr\":")?,
    }
    let in_sync = partition.replicas.iter().enumerate().filter(|(at, _)| partition.in_sync(*at));
    write_numbers(to, in_sync.map(|(_, broker)| Some(id(broker))))?;
    to.extend_from_slice(b",\"sizes\":");
    write_numbers(to, partition.sizes.iter().map(|n| Some(*n as i64).filter(|_| *n != UNKNOWN_SIZE)))?;
    if partition.dirs.iter().any(|dir| *dir != UNKNOWN_DIR) {
        to.extend_from_slice(b",\"dirs\":");
        write_numbers(to, partition.dirs.iter().map(|n| Some(i64::from(*n)).filter(|_| *n != UNKNOWN_DIR)))?;
    }
    if let Some(moving) = cluster.in_flight.get(&partition.index) {
        to.extend_from_slice(b",\"adding\":");
        write_numbers(to, moving.adding.iter().map(|id| Some(i64::from(id.0))))?;
        to.extend_from_slice(b",\"removing\":");
        write_numbers(to, moving.removing.iter().map(|id| Some(i64::from(id.0))))?;
    }
    for (member, rate) in RATES.into_iter().zip(partition.rates()) {
        if let Some(rate) = rate {
            write!(to, "{member}{rate}")?;
        }
    }
    to.push(b'}');
    Ok(())
}

fn write_numbers(to: &mut Vec<u8>, numbers: impl Iterator<Item = Option<i64>>) -> io::Result<()> {
    to.push(b'[');
    for (at, number) in numbers.enumerate() {
        if at > 0 {
            to.push(b',');
        }
        match number {
            Some(number) => write!(to, "{number}")?,
            None => to.extend_from_slice(b"null"),
        }
    }
    to.push(b']');
    Ok(())
}

/// The line that opens the partitions, as it is written. From here on a line is a partition.
const OPENING: &[u8] = b"\"partitions\":[";

/// Reads a cluster; `file` is its name in errors.
///
/// The file is never in memory as a whole, unless another tool laid it out anew.
///
/// # Errors
/// The first thing that makes the file unusable, with its place.
pub fn read(from: impl Read, file: &str) -> Result<Cluster, FileError> {
    let (mut parts, mut spot) = (Parts::default(), Spot::default());
    let mut lines = Lines { from: BufReader::with_capacity(1 << 16, from), count: 0 };
    let mut head = Vec::new();
    let streams = loop {
        let start = head.len();
        if !lines.next(&mut head, file)? {
            break false;
        }
        if head[start..].trim_ascii_end() == OPENING {
            break true;
        }
    };
    if streams {
        head.extend_from_slice(b"]}");
    }
    let mut members = Header::new(FORMAT, VERSION);
    parts.take_members(&head, 0, &mut members, &mut spot, file)?;
    if streams {
        let mut rest = parts.take_lines(&mut lines, &mut spot, file)?;
        let before = lines.count - 1;
        while lines.next(&mut rest, file)? {}
        parts.take_members(&rest, before, &mut members, &mut spot, file)?;
    }
    parts.finish(&mut spot).map_err(|error| {
        let line = if spot.topic.is_empty() { 0 } else { lines.count };
        FileError { line, ..explain(&error, file, spot.to_string()) }
    })
}

/// Lines of a file, with their number.
struct Lines<R> {
    from: BufReader<R>,
    count: usize,
}

impl<R: Read> Lines<R> {
    /// Appends the next line, its end included; whether there is one.
    fn next(&mut self, line: &mut Vec<u8>, file: &str) -> Result<bool, FileError> {
        let read = self.from.read_until(b'\n', line);
        let read = read.map_err(|error| FileError::whole(file, format!("cannot be read: {error}")))?;
        self.count += usize::from(read > 0);
        Ok(read > 0)
    }
}

/// The members of the file as far as they were read.
#[derive(Default)]
struct Parts {
    id: Option<String>,
    taken_at: Option<String>,
    brokers: Option<Vec<BrokerRow>>,
    differences: Option<Vec<DifferenceRow>>,
    topics: Option<Vec<TopicRow>>,
    partitions: Option<Partitions>,
}

impl Parts {
    /// Reads members from a text that begins after `before` lines of the file.
    fn take_members(
        &mut self,
        text: &[u8],
        before: usize,
        header: &mut Header,
        spot: &mut Spot,
        file: &str,
    ) -> Result<(), FileError> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let read = json.deserialize_map(Document { parts: self, header, spot }).and_then(|()| json.end());
        read.map_err(|error| {
            let error = explain(&error, file, spot.to_string());
            FileError { line: if error.line > 0 { error.line + before } else { 0 }, ..error }
        })
    }

    /// Reads one partition a line up to the end of the list; gives what stands after it, as an object.
    fn take_lines<R: Read>(
        &mut self,
        lines: &mut Lines<R>,
        spot: &mut Spot,
        file: &str,
    ) -> Result<Vec<u8>, FileError> {
        let Some(partitions) = &mut self.partitions else { return Ok(Vec::new()) };
        let (mut row, mut line) = (Row::default(), Vec::with_capacity(1 << 10));
        // Whether another line has to come, and whether one may.
        let (mut must, mut may) = (false, true);
        loop {
            let wrong = |reason: &str, count: usize, spot: &Spot| FileError {
                file: file.into(),
                line: count,
                place: spot.to_string(),
                reason: reason.into(),
            };
            if !lines.next(&mut line, file)? {
                return Err(wrong("the file ends in the middle: it was cut", lines.count, spot));
            }
            let text = line.trim_ascii();
            if let Some(rest) = text.strip_prefix(b"]") {
                if must {
                    return Err(wrong("a partition has to follow the comma", lines.count, spot));
                }
                let rest = rest.trim_ascii_start();
                return Ok([b"{", rest.strip_prefix(b",").unwrap_or(rest), b"\n"].concat());
            }
            if !may && !text.is_empty() {
                return Err(wrong("a comma has to stand between partitions", lines.count, spot));
            }
            let item = text.strip_suffix(b",").unwrap_or(text);
            let read = if scan::line(item, &mut row) {
                partitions.add_scanned(&row, spot)
            } else {
                let mut json = serde_json::Deserializer::from_slice(item);
                let seed = RowSeed { row: &mut row, partitions, spot };
                seed.deserialize(&mut json).and_then(|()| json.end())
            };
            match read {
                Ok(()) => {
                    (must, may) = (text.ends_with(b","), text.ends_with(b","));
                    line.clear();
                }
                // A partition over several lines: take the next one with it.
                Err(error) if error.is_eof() => {}
                Err(error) => {
                    return Err(FileError { line: lines.count, ..explain(&error, file, spot.to_string()) });
                }
            }
        }
    }

    fn finish(self, spot: &mut Spot) -> serde_json::Result<Cluster> {
        spot.enter("");
        let build = required::<_, serde_json::Error>(self.partitions, "partitions")?.end(spot)?;
        let differences = self.differences.unwrap_or_default().into_iter().map(Into::into).collect();
        let mut cluster = build.finish(self.taken_at.unwrap_or_default(), differences);
        cluster.id = required(self.id, "cluster_id")?;
        Ok(cluster)
    }
}

/// Reads the members of an object into [`Parts`].
struct Document<'a> {
    parts: &'a mut Parts,
    header: &'a mut Header,
    spot: &'a mut Spot,
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {FORMAT} file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Document { parts, header, spot } = self;
        while let Some(member) = map.next_key::<String>()? {
            spot.enter(&member);
            if header.take(&member, &mut map)? {
                continue;
            }
            match member.as_str() {
                "cluster_id" => once(&mut parts.id, &member, map.next_value()?)?,
                "taken_at" => once(&mut parts.taken_at, &member, map.next_value()?)?,
                "brokers" => once(&mut parts.brokers, &member, objects_that(&mut map, spot, new_broker())?)?,
                "config_differences" => once(&mut parts.differences, &member, items(&mut map, spot)?)?,
                "topics" => once(&mut parts.topics, &member, objects_that(&mut map, spot, next_topic)?)?,
                "partitions" => {
                    let (Some(brokers), Some(topics)) = (parts.brokers.take(), parts.topics.take()) else {
                        let order = "\"brokers\" and \"topics\" have to stand before \"partitions\", once";
                        return Err(Error::custom(order));
                    };
                    let brokers = brokers.into_iter().map(Broker::from).collect();
                    let topics = topics.into_iter().map(topic_of).collect();
                    let partitions = parts.partitions.insert(Partitions::new(brokers, topics)?);
                    map.next_value_seed(ListSeed { partitions, spot })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Refuses a broker whose id stands before it.
fn new_broker() -> impl FnMut(&[BrokerRow], &BrokerRow) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    move |_, broker| match seen.insert(broker.id) {
        true => Ok(()),
        false => Err(format!("broker {} stands twice: each broker has one line", broker.id)),
    }
}

/// Refuses a topic whose name is not greater than the one before it.
fn next_topic(before: &[TopicRow], topic: &TopicRow) -> Result<(), String> {
    match before.last().map(|last| last.name.cmp(&topic.name)) {
        Some(Ordering::Equal) => Err(format!("topic {:?} stands twice: each topic has one line", topic.name)),
        Some(Ordering::Greater) => Err(format!(
            "topic {:?} stands twice, or after a topic of a greater name: topics stand by rising name",
            topic.name
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
