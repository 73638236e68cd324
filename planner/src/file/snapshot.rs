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

mod rows;

use std::fmt;
use std::io::{self, BufReader, Read, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use self::rows::{BrokerRow, DifferenceRow, TopicRow, topic_of};
use super::FileError;
use super::json::{
    Header, Numbers, Seen, Spot, Text, Whole, items, once, partition_number, read_document, required,
};
use crate::model::{
    BadCluster, Broker, BrokerId, Cluster, ClusterBuilder, Partition, PartitionRow, Topic, UNKNOWN_DIR,
    UNKNOWN_SIZE,
};

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

/// Reads a cluster; `file` is its name in errors.
///
/// # Errors
/// The first thing that makes the file unusable, with its place.
pub fn read(from: impl Read, file: &str) -> Result<Cluster, FileError> {
    let from = BufReader::with_capacity(1 << 16, from);
    read_document(from, file, |json, spot| json.deserialize_map(Document(spot)))
}

struct Document<'a>(&'a mut Spot);

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Cluster;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {FORMAT} file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cluster, A::Error> {
        let spot = self.0;
        let mut header = Header::new(FORMAT, VERSION);
        let (mut id, mut taken_at, mut brokers) = (None, None, None);
        let (mut differences, mut topics, mut built) = (None, None, None);
        while let Some(member) = map.next_key::<String>()? {
            spot.enter(&member);
            if header.take(&member, &mut map)? {
                continue;
            }
            match member.as_str() {
                "cluster_id" => once(&mut id, &member, map.next_value::<String>()?)?,
                "taken_at" => once(&mut taken_at, &member, map.next_value::<String>()?)?,
                "brokers" => once(&mut brokers, &member, items::<_, BrokerRow>(&mut map, spot)?)?,
                "config_differences" => {
                    once(&mut differences, &member, items::<_, DifferenceRow>(&mut map, spot)?)?;
                }
                "topics" => once(&mut topics, &member, items::<_, TopicRow>(&mut map, spot)?)?,
                "partitions" => {
                    let (Some(brokers), Some(topics)) = (brokers.take(), topics.take()) else {
                        let order = "\"brokers\" and \"topics\" have to stand before \"partitions\", once";
                        return Err(Error::custom(order));
                    };
                    let brokers = brokers.into_iter().map(Broker::from).collect();
                    let build = ClusterBuilder::new(String::new(), brokers).map_err(Error::custom)?;
                    let topics = topics.into_iter().map(topic_of).collect();
                    let rows = Rows { build, topics, next: 0, spot };
                    once(&mut built, &member, map.next_value_seed(rows)?)?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        spot.enter("");
        let build = required(built, "partitions")?;
        let differences = differences.unwrap_or_default().into_iter().map(Into::into).collect();
        let mut cluster = build.finish(taken_at.unwrap_or_default(), differences);
        cluster.id = required(id, "cluster_id")?;
        Ok(cluster)
    }
}

/// Takes the partition lines, in the order of the topics.
struct Rows<'a> {
    build: ClusterBuilder,
    topics: Vec<(Topic, u32)>,
    /// How many topics have begun.
    next: usize,
    spot: &'a mut Spot,
}

impl Rows<'_> {
    /// Ends the topic that is open and begins the next one.
    fn begin_next<E: Error>(&mut self) -> Result<(), E> {
        if let Some(open) = self.next.checked_sub(1) {
            let (found, announced) = (self.build.partitions_so_far(), self.topics[open].1);
            if found != announced {
                self.spot.topic.clone_from(&self.topics[open].0.name);
                self.spot.partition = None;
                return Err(Error::custom(format!(
                    "{found} partitions, where the list of topics announces {announced}: lines are missing"
                )));
            }
        }
        if let Some((topic, _)) = self.topics.get(self.next) {
            self.build.topic(topic.clone()).map_err(Error::custom)?;
        }
        self.next += 1;
        Ok(())
    }

    /// Moves on to the topic of a line.
    fn enter<E: Error>(&mut self, name: &str) -> Result<(), E> {
        if self.next > 0 && self.topics.get(self.next - 1).is_some_and(|(topic, _)| topic.name == name) {
            return Ok(());
        }
        if self.topics.iter().skip(self.next).all(|(topic, _)| topic.name != name) {
            let known = self.topics.iter().any(|(topic, _)| topic.name == name);
            return Err(Error::custom(if known {
                "a partition line apart from those of its topic: they stand together, in the order of \"topics\""
            } else {
                "its topic is not in the list of topics"
            }));
        }
        while self.next == 0 || self.topics[self.next - 1].0.name != name {
            self.begin_next()?;
        }
        Ok(())
    }

    fn add<E: Error>(&mut self, row: &Row) -> Result<(), E> {
        self.enter(&row.topic)?;
        let (number, expected) = (row.number.unwrap_or(-1), i64::from(self.build.partitions_so_far()));
        if number != expected {
            let what = if number < expected { "stands twice or out of order" } else { "comes too early" };
            return Err(Error::custom(format!("{what}: the next line of its topic is partition {expected}")));
        }
        if expected >= i64::from(self.topics[self.next - 1].1) {
            let announced = self.topics[self.next - 1].1;
            return Err(Error::custom(format!("the list of topics announces {announced} partitions only")));
        }
        let row = PartitionRow {
            replicas: &row.replicas,
            leader: row.leader,
            isr: &row.isr,
            adding: &row.adding,
            removing: &row.removing,
            sizes: &row.sizes,
            dirs: &row.dirs,
        };
        self.build.partition(&row).map_err(|error| match error {
            BadCluster::Partition { reason, .. } => Error::custom(reason),
            other => Error::custom(other),
        })
    }
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ClusterBuilder;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ClusterBuilder;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of partitions")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<ClusterBuilder, A::Error> {
        let mut row = Row::default();
        while list.next_element_seed(RowSeed { row: &mut row, rows: &mut self })?.is_some() {}
        while self.next <= self.topics.len() {
            self.begin_next()?;
        }
        Ok(self.build)
    }
}

/// One partition line; the buffers are kept from line to line.
#[derive(Debug, Default)]
struct Row {
    topic: String,
    number: Option<i64>,
    replicas: Vec<BrokerId>,
    leader: Option<BrokerId>,
    isr: Vec<BrokerId>,
    adding: Vec<BrokerId>,
    removing: Vec<BrokerId>,
    sizes: Vec<u64>,
    dirs: Vec<u8>,
}

/// Reads a line and adds it at once: an error that is raised later carries a later line.
struct RowSeed<'a, 'b> {
    row: &'a mut Row,
    rows: &'a mut Rows<'b>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Topic,
    Partition,
    Replicas,
    Leader,
    Isr,
    Sizes,
    Dirs,
    Adding,
    Removing,
    #[serde(other)]
    Unknown,
}

const FIELDS: [&str; 9] =
    ["topic", "partition", "replicas", "leader", "isr", "sizes", "dirs", "adding", "removing"];
const REQUIRED: usize = 5;

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a partition as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (row, spot) = (self.row, &mut *self.rows.spot);
        let mut seen = Seen::default();
        row.sizes.clear();
        row.dirs.clear();
        row.adding.clear();
        row.removing.clear();
        spot.partition = None;
        while let Some(field) = map.next_key::<Field>()? {
            if !matches!(field, Field::Unknown) {
                seen.add(field as usize, FIELDS[field as usize])?;
            }
            match field {
                Field::Topic => {
                    map.next_value_seed(Text(&mut row.topic))?;
                    spot.topic.clone_from(&row.topic);
                }
                Field::Partition => {
                    row.number = Some(partition_number(map.next_value::<Whole>()?)?);
                    spot.partition = row.number;
                }
                Field::Replicas => map.next_value_seed(Numbers(&mut row.replicas))?,
                Field::Leader => row.leader = map.next_value()?,
                Field::Isr => map.next_value_seed(Numbers(&mut row.isr))?,
                Field::Sizes => map.next_value_seed(Numbers(&mut row.sizes))?,
                Field::Dirs => map.next_value_seed(Numbers(&mut row.dirs))?,
                Field::Adding => map.next_value_seed(Numbers(&mut row.adding))?,
                Field::Removing => map.next_value_seed(Numbers(&mut row.removing))?,
                Field::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (0..REQUIRED).find(|at| !seen.has(*at)) {
            Some(at) => Err(Error::custom(format!("member {:?} is missing", FIELDS[at]))),
            None => self.rows.add(row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConfigDifference, ConfigSource, TopicId};
    use crate::model::{LogDir, SetConfig, Unseen};

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
            unseen: vec![Unseen { topic: "secret".into(), replicas: 2 }],
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
        assert!(fault(&same).ends_with("broker 1 stands twice"));
        let listed = text.replacen("\"port\":9092", "\"port\":-1", 1);
        assert!(fault(&listed).contains("line 4, brokers[0]: invalid value: integer `-1`, expected u16"));
    }
}
