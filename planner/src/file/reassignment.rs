//! The JSON of Kafka's own tools.
//!
//! `kafka-reassign-partitions` reads and prints
//! `{"version":1,"partitions":[{"topic":"a","partition":0,"replicas":[1,2],"log_dirs":["any","any"]}]}`
//! (`ReassignPartitionsCommand.parsePartitionAssignments`; `version` may be absent), `kafka-leader-election`
//! reads `{"partitions":[{"topic":"a","partition":0}]}`.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufReader, Read, Write};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::FileError;
use super::json::{Numbers, Seen, Spot, Text, Whole, once, partition_number, read_document, required};
use crate::model::{BrokerId, ReplicaList, TopicPartition};

/// The version of the stock format.
pub const VERSION: u64 = 1;

/// A partition and the replicas that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The partition.
    pub partition: TopicPartition,
    /// Its replicas, in order.
    pub replicas: ReplicaList,
}

/// Writes a file for `kafka-reassign-partitions --reassignment-json-file`, one partition a line.
///
/// # Errors
/// What `to` answers.
pub fn write(list: &[Assignment], to: &mut dyn Write) -> io::Result<()> {
    write!(to, "{{\"version\":{VERSION},\"partitions\":[")?;
    for (at, item) in list.iter().enumerate() {
        to.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        write_partition(&item.partition, to)?;
        write!(to, ",\"replicas\":{}}}", item.replicas)?;
    }
    to.write_all(b"\n]}\n")
}

/// Writes a file for `kafka-leader-election --path-to-json-file`, one partition a line.
///
/// # Errors
/// What `to` answers.
pub fn write_election(list: &[TopicPartition], to: &mut dyn Write) -> io::Result<()> {
    to.write_all(b"{\"partitions\":[")?;
    for (at, partition) in list.iter().enumerate() {
        to.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        write_partition(partition, to)?;
        to.write_all(b"}")?;
    }
    to.write_all(b"\n]}\n")
}

fn write_partition(partition: &TopicPartition, to: &mut dyn Write) -> io::Result<()> {
    to.write_all(b"{\"topic\":")?;
    serde_json::to_writer(&mut *to, &partition.topic)?;
    write!(to, ",\"partition\":{}", partition.partition)
}

/// Reads a reassignment file, the stock tool's own output with `log_dirs` included. Log directories are
/// accepted and not kept: restow lets Kafka choose them.
///
/// # Errors
/// The first thing that makes the file unusable, with its place: what the stock tool refuses too (a partition
/// twice, a broker twice in a list, another version, as many `log_dirs` as replicas), and negative numbers.
pub fn read(from: impl Read, file: &str) -> Result<Vec<Assignment>, FileError> {
    let from = BufReader::with_capacity(1 << 16, from);
    read_document(from, file, |json, spot| json.deserialize_map(Document(spot)))
}

struct Document<'a>(&'a mut Spot);

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Vec<Assignment>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reassignment file of kafka-reassign-partitions")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let spot = self.0;
        let mut list = None;
        while let Some(member) = map.next_key::<String>()? {
            spot.enter(&member);
            match member.as_str() {
                "version" => {
                    let found = map.next_value::<Whole>()?.0;
                    if found != i128::from(VERSION) {
                        let wrong = format!("version {found}, where only {VERSION} is known");
                        return Err(Error::custom(wrong));
                    }
                }
                "partitions" => once(&mut list, &member, map.next_value_seed(Rows(spot))?)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        spot.enter("");
        required(list, "partitions")
    }
}

struct Rows<'a>(&'a mut Spot);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = Vec<Assignment>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Vec<Assignment>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of partitions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut all, mut known) = (Vec::new(), BTreeSet::new());
        while let Some(item) = list.next_element_seed(Row(self.0, &mut known))? {
            all.push(item);
        }
        Ok(all)
    }
}

/// Reads one line; it knows the partitions of those before it.
struct Row<'a>(&'a mut Spot, &'a mut BTreeSet<TopicPartition>);

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Topic,
    Partition,
    Replicas,
    LogDirs,
    #[serde(other)]
    Unknown,
}

const FIELDS: [&str; 4] = ["topic", "partition", "replicas", "log_dirs"];
const REQUIRED: usize = 3;

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Assignment;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Assignment, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Assignment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a partition as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Assignment, A::Error> {
        let spot = self.0;
        let mut seen = Seen::default();
        let (mut replicas, mut dirs) = (Vec::<BrokerId>::new(), None);
        spot.topic.clear();
        spot.partition = None;
        while let Some(field) = map.next_key::<Field>()? {
            if !matches!(field, Field::Unknown) {
                seen.add(field as usize, FIELDS[field as usize])?;
            }
            match field {
                Field::Topic => map.next_value_seed(Text(&mut spot.topic))?,
                Field::Partition => {
                    spot.partition = Some(partition_number(map.next_value::<Whole>()?)?);
                }
                Field::Replicas => map.next_value_seed(Numbers(&mut replicas))?,
                Field::LogDirs => dirs = Some(map.next_value::<Vec<String>>()?),
                Field::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if let Some(at) = (0..REQUIRED).find(|at| !seen.has(*at)) {
            return Err(Error::custom(format!("member {:?} is missing", FIELDS[at])));
        }
        if let Some(dirs) = dirs.filter(|dirs| dirs.len() != replicas.len()) {
            let wrong = format!("{} log_dirs for {} replicas", dirs.len(), replicas.len());
            return Err(Error::custom(wrong));
        }
        let number = spot.partition.and_then(|n| i32::try_from(n).ok()).unwrap_or_default();
        let partition = TopicPartition::new(spot.topic.clone(), number);
        if !self.1.insert(partition.clone()) {
            return Err(Error::custom("stands twice in the file"));
        }
        Ok(Assignment { partition, replicas: ReplicaList::new(replicas).map_err(Error::custom)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(topic: &str, partition: i32, replicas: &[i32]) -> Assignment {
        Assignment {
            partition: TopicPartition::new(topic, partition),
            replicas: ReplicaList::new(replicas.iter().copied().map(BrokerId).collect()).unwrap(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let list = [assignment("a.b", 0, &[1, 2]), assignment("a.b", 7, &[3])];
        let mut bytes = Vec::new();
        write(&list, &mut bytes).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            "{\"version\":1,\"partitions\":[\n{\"topic\":\"a.b\",\"partition\":0,\"replicas\":[1,2]},\n\
             {\"topic\":\"a.b\",\"partition\":7,\"replicas\":[3]}\n]}\n"
        );
        assert_eq!(read(bytes.as_slice(), "f").unwrap(), list);
        let mut bytes = Vec::new();
        write_election(&[list[0].partition.clone()], &mut bytes).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            "{\"partitions\":[\n{\"topic\":\"a.b\",\"partition\":0}\n]}\n"
        );
    }

    #[test]
    fn the_stock_tools_output_is_read() {
        let text = r#"{"version":1,"partitions":[{"topic":"foo","partition":1,"replicas":[2,3],"log_dirs":["any","any"]}]}"#;
        assert_eq!(read(text.as_bytes(), "f").unwrap(), [assignment("foo", 1, &[2, 3])]);
    }

    #[test]
    fn each_fault_has_one_clear_message() {
        let fault = |text: &str| read(text.as_bytes(), "f.json").unwrap_err().to_string();
        let one = |row: &str| fault(&format!("{{\"version\":1,\"partitions\":[\n{row}\n]}}"));
        assert_eq!(fault(""), "f.json: is empty");
        assert_eq!(fault("{}"), "f.json, line 1: member \"partitions\" is missing");
        assert_eq!(fault("{\"version\":2}"), "f.json, line 1, version: version 2, where only 1 is known");
        assert_eq!(
            one(r#"{"topic":"a","partition":0,"replicas":[1,1]}"#),
            "f.json, line 2, partition a-0: broker 1 stands twice in the replica list"
        );
        assert_eq!(
            one(r#"{"topic":"a","partition":0,"replicas":[]}"#),
            "f.json, line 2, partition a-0: the replica list is empty"
        );
        assert_eq!(
            one(r#"{"topic":"a","partition":-1,"replicas":[1]}"#),
            "f.json, line 2, topic a: partition number -1, where 0 or more is expected"
        );
        assert_eq!(
            one(r#"{"topic":"a","partition":0,"replicas":[1],"log_dirs":[]}"#),
            "f.json, line 2, partition a-0: 0 log_dirs for 1 replicas"
        );
        assert_eq!(
            one(r#"{"topic":"a","partition":0,"replicas":[1,-2]}"#),
            "f.json, line 2, partition a-0: -2 in a list of broker ids"
        );
        let twice = r#"{"topic":"a","partition":0,"replicas":[1]}"#;
        assert_eq!(
            one(&format!("{twice},\n{twice}")),
            "f.json, line 3, partition a-0: stands twice in the file"
        );
        assert_eq!(
            one(r#"{"topic":"a","partition":0}"#),
            "f.json, line 2, partition a-0: member \"replicas\" is missing"
        );
    }
}
