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
    if let Some(rate) = partition.write_rate {
        write!(to, ",\"write_rate\":{rate}")?;
    }
    if let Some(rate) = partition.read_rate {
        write!(to, ",\"read_rate\":{rate}")?;
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
mod tests {
    use super::*;
    use crate::model::{
        BrokerId, ClusterBuilder, ConfigDifference, ConfigSource, LogDir, NodeType, PartitionRow, SetConfig,
        Sockets, Topic, TopicId, Unseen,
    };

    fn broker(id: i32) -> Broker {
        Broker {
            id: BrokerId(id),
            rack: Some("az-a".into()),
            zone: Some("zone \"a\"".into()),
            host: "kafka-1.example".into(),
            port: 9092,
            fenced: Some(false),
            answered: true,
            listeners: Some(vec!["PLAINTEXT".into()]),
            log_dirs: vec![LogDir {
                path: "/data".into(),
                total_bytes: Some(1000),
                usable_bytes: None,
                offline: false,
            }],
            rates: vec![SetConfig {
                key: "follower.replication.throttled.rate".into(),
                value: "7".into(),
                source: ConfigSource::DynamicBroker,
            }],
            sockets: Some(Sockets { receive_buffer: -1, fetchers: 2 }),
            unseen: vec![Unseen { topic: "secret".into(), replicas: 2 }],
            node: (id == 1).then(|| NodeType {
                name: "r6g.large".into(),
                disk_bytes: Some(500),
                network_bytes_per_second: None,
                replicas: Some(9),
                price_per_month: Some(9_240),
            }),
        }
    }

    fn cluster() -> Cluster {
        let mut build = ClusterBuilder::new("cluster-1", vec![broker(1), broker(2), broker(3)]).unwrap();
        let topic = Topic {
            name: "a.b".into(),
            id: TopicId([7; 16]),
            min_isr: Some((2, ConfigSource::DynamicDefault)),
            throttled_leaders: Some("*".into()),
            ..Topic::default()
        };
        build.topic(topic).unwrap();
        let (one, two, three) = (BrokerId(1), BrokerId(2), BrokerId(3));
        let row = PartitionRow {
            replicas: &[two, one],
            leader: Some(one),
            isr: &[one],
            sizes: &[5, UNKNOWN_SIZE],
            dirs: &[0, UNKNOWN_DIR],
            write_rate: Some(3),
            read_rate: Some(8),
            ..PartitionRow::default()
        };
        build.partition(&row).unwrap();
        build.partition(&PartitionRow { replicas: &[three], ..PartitionRow::default() }).unwrap();
        build.topic(Topic { name: "empty".into(), ..Topic::default() }).unwrap();
        build.topic(Topic { name: "z".into(), internal: true, ..Topic::default() }).unwrap();
        build.partition(&PartitionRow { adding: &[two], removing: &[one], ..row }).unwrap();
        let difference = ConfigDifference {
            topic: "a.b".into(),
            key: "retention.ms".into(),
            values: vec![("1".into(), vec![one]), ("2".into(), vec![two, three])],
        };
        build.finish("2026-01-02T03:04:05Z".into(), vec![difference])
    }

    fn written(cluster: &Cluster) -> String {
        let mut bytes = Vec::new();
        write(cluster, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn fault(text: &str) -> String {
        read(text.as_bytes(), "cluster.json").unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let empty = ClusterBuilder::new("none", vec![]).unwrap().finish(String::new(), vec![]);
        for cluster in [cluster(), empty] {
            let text = written(&cluster);
            assert_eq!(read(text.as_bytes(), "f").unwrap(), cluster, "{text}");
            assert_eq!(written(&read(text.as_bytes(), "f").unwrap()), text);
        }
    }

    #[test]
    fn members_that_this_version_does_not_know_are_skipped() {
        let text = written(&cluster());
        let more = text
            .replace("\"partition\":", "\"rack_aware\":{\"x\":[1,null]},\"partition\":")
            .replace("\"cluster_id\"", "\"by\":[{}],\"cluster_id\"")
            .replace("\"internal\"", "\"owner\":null,\"internal\"");
        assert_eq!(read(more.as_bytes(), "f").unwrap(), cluster());
    }

    #[test]
    fn another_format_or_a_newer_version_is_refused() {
        let text = written(&cluster());
        assert_eq!(
            fault(&text.replace("\"version\":1", "\"version\":2")),
            "cluster.json, line 1, version: version 2 of restow-cluster, where this restow reads 1 to 1: \
             use a newer restow"
        );
        assert_eq!(
            fault(&text.replace("restow-cluster", "restow-plan")),
            "cluster.json, line 1, format: a restow-plan file, where restow-cluster is expected"
        );
        let other =
            "not a restow-cluster file: its first members are \"format\":\"restow-cluster\" and \"version\"";
        assert_eq!(fault("{\"partitions\":[]}"), format!("cluster.json, line 1, partitions: {other}"));
        assert_eq!(fault(""), "cluster.json: is empty");
        assert!(fault("hello").starts_with("cluster.json, line 1: is not JSON: "));
        assert!(fault("[]").contains("expected a restow-cluster file"));
    }

    #[test]
    fn a_cut_file_is_refused_wherever_it_is_cut() {
        let text = written(&cluster());
        for end in 1..text.trim_end().len() {
            let message = fault(&text[..end]);
            assert!(message.ends_with("the file ends in the middle: it was cut"), "{end}: {message}");
        }
        let lines: Vec<&str> = text.lines().collect();
        let without = |at: usize| {
            let kept = lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line);
            fault(&kept.collect::<Vec<_>>().join("\n"))
        };
        let first =
            lines.iter().position(|line| line.starts_with("{\"topic\":\"a.b\",\"partition\":0")).unwrap();
        let line = first + 1;
        assert_eq!(
            without(first),
            format!(
                "cluster.json, line {line}, partition a.b-1: comes too early: the next line of its topic is partition 0"
            )
        );
        assert!(
            without(first + 1).ends_with(
                "topic a.b: 1 partitions, where the list of topics announces 2: lines are missing"
            )
        );
    }

    #[test]
    fn a_bad_partition_line_is_named() {
        let text = written(&cluster());
        let line = 1 + text.lines().position(|line| line.contains("\"partition\":0")).unwrap();
        let first = |found: &str, instead: &str| {
            assert!(text.contains(found), "{found}");
            let message = fault(&text.replacen(found, instead, 1));
            let place = format!("cluster.json, line {line}, partition a.b-0: ");
            message.strip_prefix(&place).map(str::to_owned).ok_or(message)
        };
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            first("\"sizes\":[5,null]", "\"sizes\":[-5,null]"),
            ok("-5 in a list of sizes in bytes, 0 or more, and null where unknown")
        );
        assert!(first("\"sizes\":[5,null]", "\"sizes\":[18446744073709551615,1]").is_ok());
        assert!(first("\"sizes\":[5,null]", "\"sizes\":[9223372036854775807,1]").is_ok());
        assert_eq!(first("\"sizes\":[5,null]", "\"sizes\":[5]"), ok("1 sizes for 2 replicas"));
        assert_eq!(first("\"dirs\":[0,null]", "\"dirs\":[1,null]"), ok("log dir 1 of broker 2, which has 1"));
        assert_eq!(first("\"replicas\":[2,1]", "\"replicas\":[2,9,1]"), ok("2 sizes for 3 replicas"));
        assert_eq!(
            first("\"replicas\":[2,1]", "\"replicas\":[1,9]"),
            ok("broker 9 is not among the cluster's brokers")
        );
        assert_eq!(
            first("\"replicas\":[2,1]", "\"replicas\":[1,1]"),
            ok("broker 1 stands twice in the replica list")
        );
        assert_eq!(first(",\"isr\":[1]", ""), ok("member \"isr\" is missing"));
        assert_eq!(first(",\"isr\":[1]", ",\"isr\":[1],\"isr\":[1]"), ok("member \"isr\" stands twice"));
        assert!(first("\"leader\":1", "\"leader\":\"one\"").unwrap().contains("expected i32"));
    }

    #[test]
    fn lines_stand_once_and_in_the_order_of_the_topics() {
        let text = written(&cluster());
        let twice =
            text.replacen("{\"topic\":\"a.b\",\"partition\":1", "{\"topic\":\"a.b\",\"partition\":0", 1);
        assert!(fault(&twice).ends_with(
            "partition a.b-0: stands twice or out of order: the next line of its topic is partition 1"
        ));
        let apart = text.replacen("{\"topic\":\"z\"", "{\"topic\":\"a.b\"", 1);
        assert!(fault(&apart).contains("partition a.b-0: stands twice or out of order"));
        let unknown = text.replacen("{\"topic\":\"z\"", "{\"topic\":\"y\"", 1);
        assert!(fault(&unknown).ends_with("partition y-0: its topic is not in the list of topics"));
        let more = text.replacen("\"partitions\":2}", "\"partitions\":1}", 1);
        assert!(fault(&more).ends_with("partition a.b-1: the list of topics announces 1 partitions only"));
        let same = text.replacen("{\"id\":2,", "{\"id\":1,", 1);
        assert_eq!(
            fault(&same),
            "cluster.json, line 5, brokers[1]: broker 1 stands twice: each broker has one line"
        );
        let line = 1 + text.lines().position(|line| line.starts_with("{\"name\":\"empty\"")).unwrap();
        let same = text.replacen("{\"name\":\"empty\"", "{\"name\":\"a.b\"", 1);
        let message = "topic \"a.b\" stands twice: each topic has one line";
        assert_eq!(fault(&same), format!("cluster.json, line {line}, topics[1]: {message}"));
        let order = text.replacen("{\"name\":\"empty\"", "{\"name\":\"a\"", 1);
        assert!(fault(&order).contains("topics[1]: topic \"a\" stands twice, or after"));
        let node = text.replacen("\"disk_bytes\":500", "\"disk_bytes\":0", 1);
        assert!(
            fault(&node).contains("line 4, brokers[0]: invalid value: integer `0`, expected a nonzero u64")
        );
        let listed = text.replacen("\"port\":9092", "\"port\":-1", 1);
        assert!(fault(&listed).contains("line 4, brokers[0]: invalid value: integer `-1`, expected u16"));
    }
    #[test]
    fn a_file_that_another_tool_laid_out_anew_is_read_too() {
        let text = written(&cluster());
        let one_line = text.replace('\n', "");
        assert_eq!(read(one_line.as_bytes(), "f").unwrap(), cluster());
        let spread = text.replace(',', ",\n  ").replace('[', "[\n ");
        assert_eq!(read(spread.as_bytes(), "f").unwrap(), cluster());
        let short = one_line.replacen("\"partitions\":1}", "\"partitions\":3}", 1);
        assert_eq!(
            fault(&short),
            "cluster.json, line 1, topic z: 1 partitions, where the list of topics announces 3: lines are missing"
        );
    }

    #[test]
    fn members_may_stand_after_the_partitions() {
        let text = written(&cluster()).replace("\n]}", "\n],\n\"more\":[1,\n2],\"taken_by\":\"me\"}");
        assert_eq!(read(text.as_bytes(), "f").unwrap(), cluster());
        let twice = text.replace("\"more\":[1,\n2]", "\n\"cluster_id\":\"b\"");
        let line = 1 + twice.lines().position(|line| line.contains("\"b\"")).unwrap();
        assert_eq!(
            fault(&twice),
            format!("cluster.json, line {line}, cluster_id: member \"cluster_id\" stands twice")
        );
    }

    #[test]
    fn lines_are_joined_by_commas() {
        let text = written(&cluster());
        assert!(
            fault(&text.replacen("},\n{\"topic\"", "}\n{\"topic\"", 1))
                .ends_with("a comma has to stand between partitions")
        );
        assert!(fault(&text.replacen("}\n]}", "},\n]}", 1)).ends_with("a partition has to follow the comma"));
        let broken = text.replacen("\"replicas\":[2,1]", "\"replicas\":[2,\n1]", 1);
        assert_eq!(read(broken.as_bytes(), "f").unwrap(), cluster());
        assert!(fault(&text.replacen("]}\n", "]} x\n", 1)).contains("is not JSON"), "something after a line");
        assert!(fault(&format!("{text}x")).contains("is not JSON: trailing characters"));
    }
}
