//! One partition a line, in the order of the topics.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::file::json::{Numbers, Seen, Spot, Text, Whole, partition_number};
use crate::model::{BadCluster, Broker, BrokerId, ClusterBuilder, PartitionRow, Rate, Topic};

/// The partitions on their way into a cluster.
pub(super) struct Partitions {
    build: ClusterBuilder,
    topics: Vec<(Topic, u32)>,
    /// How many topics have begun.
    next: usize,
}

impl Partitions {
    /// None yet; each topic comes with the number of partitions that it announces.
    pub fn new<E: Error>(brokers: Vec<Broker>, topics: Vec<(Topic, u32)>) -> Result<Self, E> {
        let build = ClusterBuilder::new(String::new(), brokers).map_err(Error::custom)?;
        Ok(Partitions { build, topics, next: 0 })
    }

    /// All of them, if there are as many as the topics announce.
    pub fn end<E: Error>(mut self, spot: &mut Spot) -> Result<ClusterBuilder, E> {
        while self.next <= self.topics.len() {
            self.begin_next(spot)?;
        }
        Ok(self.build)
    }

    /// Ends the topic that is open and begins the next one.
    fn begin_next<E: Error>(&mut self, spot: &mut Spot) -> Result<(), E> {
        if let Some(open) = self.next.checked_sub(1) {
            let (found, announced) = (self.build.partitions_so_far(), self.topics[open].1);
            if found != announced {
                spot.topic.clone_from(&self.topics[open].0.name);
                spot.partition = None;
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
    fn enter<E: Error>(&mut self, name: &str, spot: &mut Spot) -> Result<(), E> {
        let is_open =
            self.next > 0 && self.topics.get(self.next - 1).is_some_and(|(topic, _)| topic.name == name);
        if is_open {
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
            self.begin_next(spot)?;
        }
        Ok(())
    }

    /// Adds a line that was not read through a [`RowSeed`].
    pub fn add_scanned<E: Error>(&mut self, row: &Row, spot: &mut Spot) -> Result<(), E> {
        spot.topic.clone_from(&row.topic);
        spot.partition = row.number;
        self.add(row, spot)
    }

    fn add<E: Error>(&mut self, row: &Row, spot: &mut Spot) -> Result<(), E> {
        self.enter(&row.topic, spot)?;
        let (number, expected) = (row.number.unwrap_or(-1), i64::from(self.build.partitions_so_far()));
        if number != expected {
            let what = if number < expected { "stands twice or out of order" } else { "comes too early" };
            return Err(Error::custom(format!("{what}: the next line of its topic is partition {expected}")));
        }
        if expected >= i64::from(self.topics[self.next - 1].1) {
            let announced = self.topics[self.next - 1].1;
            return Err(Error::custom(format!("the list of topics announces {announced} partitions only")));
        }
        let [write_rate, read_rate, request_rate] = row.rates;
        let row = PartitionRow {
            replicas: &row.replicas,
            leader: row.leader,
            isr: &row.isr,
            adding: &row.adding,
            removing: &row.removing,
            sizes: &row.sizes,
            dirs: &row.dirs,
            write_rate,
            read_rate,
            request_rate,
        };
        self.build.partition(&row).map_err(|error| match error {
            BadCluster::Partition { reason, .. } => Error::custom(reason),
            other => Error::custom(other),
        })
    }
}

/// Reads the list where it is not one partition a line.
pub(super) struct ListSeed<'a> {
    pub partitions: &'a mut Partitions,
    pub spot: &'a mut Spot,
}

impl<'de> DeserializeSeed<'de> for ListSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of partitions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut row = Row::default();
        loop {
            let seed = RowSeed { row: &mut row, partitions: self.partitions, spot: self.spot };
            if list.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
        }
    }
}

/// One partition line; the buffers are kept from line to line.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub topic: String,
    pub number: Option<i64>,
    pub replicas: Vec<BrokerId>,
    pub leader: Option<BrokerId>,
    pub isr: Vec<BrokerId>,
    pub adding: Vec<BrokerId>,
    pub removing: Vec<BrokerId>,
    pub sizes: Vec<u64>,
    pub dirs: Vec<u8>,
    /// In the order of [`Rate::ALL`].
    pub rates: [Option<u64>; 3],
}

/// Reads a line and adds it at once: an error that is raised later carries a later line.
pub(super) struct RowSeed<'a> {
    pub row: &'a mut Row,
    pub partitions: &'a mut Partitions,
    pub spot: &'a mut Spot,
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
    WriteRate,
    ReadRate,
    RequestRate,
    #[serde(other)]
    Unknown,
}

const FIELDS: [&str; 12] = [
    "topic",
    "partition",
    "replicas",
    "leader",
    "isr",
    "sizes",
    "dirs",
    "adding",
    "removing",
    "write_rate",
    "read_rate",
    "request_rate",
];
const REQUIRED: usize = 5;

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a partition as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (row, spot) = (self.row, self.spot);
        let mut seen = Seen::default();
        row.sizes.clear();
        row.dirs.clear();
        row.adding.clear();
        row.removing.clear();
        row.rates = [None; 3];
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
                Field::WriteRate => row.rates[Rate::Write as usize] = map.next_value()?,
                Field::ReadRate => row.rates[Rate::Read as usize] = map.next_value()?,
                Field::RequestRate => row.rates[Rate::Requests as usize] = map.next_value()?,
                Field::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (0..REQUIRED).find(|at| !seen.has(*at)) {
            Some(at) => Err(Error::custom(format!("member {:?} is missing", FIELDS[at]))),
            None => self.partitions.add(row, spot),
        }
    }
}
