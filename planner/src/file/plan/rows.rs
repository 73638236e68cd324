//! One move a line.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::file::json::{Numbers, Seen, Spot, Text, Whole, partition_number};
use crate::model::replicas::{first_repeated, show};
use crate::model::{BrokerId, MAX_BYTES, MAX_REPLICAS};
use crate::plan::{Move, Moves, PlanTopic};

/// Writes a move without the end of its line.
pub(super) fn write_move(to: &mut Vec<u8>, topic: &str, m: &Move<'_>) -> io::Result<()> {
    to.extend_from_slice(b"{\"topic\":");
    serde_json::to_writer(&mut *to, topic)?;
    write!(to, ",\"partition\":{},\"from\":{},\"to\":{}", m.partition, show(m.from), show(m.to))?;
    match m.bytes {
        Some(bytes) => write!(to, ",\"bytes\":{bytes}")?,
        None => to.extend_from_slice(b",\"bytes\":null"),
    }
    match m.leader {
        Some(leader) => write!(to, ",\"leader\":{leader}}}"),
        None => to.write_all(b",\"leader\":null}"),
    }
}

/// Reads the list of moves into columns.
pub(super) struct MovesSeed<'a> {
    spot: &'a mut Spot,
    numbers: BTreeMap<&'a str, u32>,
    /// Bytes of all moves: their sums must fit.
    bytes: u64,
    last: (String, u32),
    moves: Moves,
}

impl<'a> MovesSeed<'a> {
    pub fn new<E: Error>(topics: &'a [PlanTopic], spot: &'a mut Spot) -> Result<Self, E> {
        let mut numbers = BTreeMap::new();
        for (at, topic) in topics.iter().enumerate() {
            if numbers.insert(topic.name.as_str(), at as u32).is_some() {
                return Err(Error::custom(format!("topic {:?} stands twice in \"topics\"", topic.name)));
            }
        }
        Ok(MovesSeed { spot, numbers, bytes: 0, last: Default::default(), moves: Moves::default() })
    }

    fn add<E: Error>(&mut self, row: &Row) -> Result<(), E> {
        // Moves of a topic stand together.
        if self.moves.is_empty() || self.last.0 != row.topic {
            let Some(number) = self.numbers.get(row.topic.as_str()) else {
                return Err(Error::custom("its topic is not in the list of topics"));
            };
            self.last = (row.topic.clone(), *number);
        }
        for (name, list) in [("from", &row.from), ("to", &row.to)] {
            if list.is_empty() || list.len() > MAX_REPLICAS {
                let found = list.len();
                return Err(Error::custom(format!(
                    "{found} brokers in {name:?}, where 1 to {MAX_REPLICAS} stand"
                )));
            }
            if let Some(twice) = first_repeated(list) {
                return Err(Error::custom(format!("broker {twice} stands twice in {name:?}")));
            }
        }
        self.bytes = self.bytes.saturating_add(row.bytes.unwrap_or(0));
        if self.bytes > MAX_BYTES {
            return Err(Error::custom(format!("with it all moves hold more than {MAX_BYTES} bytes")));
        }
        self.moves.push(Move {
            topic: self.last.1,
            partition: row.number,
            from: &row.from,
            to: &row.to,
            bytes: row.bytes,
            leader: row.leader,
        });
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for MovesSeed<'_> {
    type Value = Moves;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Moves, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for MovesSeed<'_> {
    type Value = Moves;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of moves")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Moves, A::Error> {
        let mut row = Row::default();
        while list.next_element_seed(RowSeed { row: &mut row, moves: &mut self })?.is_some() {}
        Ok(self.moves)
    }
}

#[derive(Debug, Default)]
struct Row {
    topic: String,
    number: i32,
    from: Vec<BrokerId>,
    to: Vec<BrokerId>,
    bytes: Option<u64>,
    leader: Option<BrokerId>,
}

/// Reads a line and adds it at once: an error that is raised later carries a later line.
struct RowSeed<'a, 'b> {
    row: &'a mut Row,
    moves: &'a mut MovesSeed<'b>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Topic,
    Partition,
    From,
    To,
    Bytes,
    Leader,
    #[serde(other)]
    Unknown,
}

const FIELDS: [&str; 6] = ["topic", "partition", "from", "to", "bytes", "leader"];

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a move as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (row, spot) = (self.row, &mut *self.moves.spot);
        let mut seen = Seen::default();
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
                    let number = partition_number(map.next_value::<Whole>()?)?;
                    spot.partition = Some(number);
                    row.number = number as i32;
                }
                Field::From => map.next_value_seed(Numbers(&mut row.from))?,
                Field::To => map.next_value_seed(Numbers(&mut row.to))?,
                Field::Bytes => row.bytes = map.next_value()?,
                Field::Leader => row.leader = map.next_value()?,
                Field::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (0..FIELDS.len()).find(|at| !seen.has(*at)) {
            Some(at) => Err(Error::custom(format!("member {:?} is missing", FIELDS[at]))),
            None => self.moves.add(row),
        }
    }
}
