//! What the readers share: where they stand, lists that are filled in place, and errors in a person's words.

use std::fmt;
use std::io::Read;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::FileError;
use crate::model::{BrokerId, UNKNOWN_DIR, UNKNOWN_SIZE};

/// Where a reader stands. Kept as numbers: a place is put into words only when there is an error.
#[derive(Debug, Default)]
pub(super) struct Spot {
    pub member: String,
    pub item: Option<usize>,
    pub topic: String,
    pub partition: Option<i64>,
}

impl Spot {
    pub fn enter(&mut self, member: &str) {
        member.clone_into(&mut self.member);
        self.item = None;
        self.topic.clear();
        self.partition = None;
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.topic.as_str(), self.partition, self.item) {
            ("", _, Some(item)) => write!(f, "{}[{item}]", self.member),
            ("", _, None) => f.write_str(&self.member),
            (topic, Some(partition), _) => write!(f, "partition {topic}-{partition}"),
            (topic, None, _) => write!(f, "topic {topic}"),
        }
    }
}

/// Reads one JSON document with a seed that takes the [`Spot`], and nothing after it.
pub(super) fn read_document<R: Read, T>(
    from: R,
    file: &str,
    read: impl FnOnce(
        &mut serde_json::Deserializer<serde_json::de::IoRead<R>>,
        &mut Spot,
    ) -> serde_json::Result<T>,
) -> Result<T, FileError> {
    let mut spot = Spot::default();
    let mut json = serde_json::Deserializer::from_reader(from);
    let value = read(&mut json, &mut spot).map_err(|error| explain(&error, file, spot.to_string()))?;
    json.end().map_err(|error| explain(&error, file, "after the end".into()))?;
    Ok(value)
}

/// A JSON error in a person's words, without the position that [`FileError`] names anyway.
pub(super) fn explain(error: &serde_json::Error, file: &str, place: String) -> FileError {
    let text = error.to_string();
    let bare = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]);
    let empty = error.line() <= 1 && error.column() == 0;
    let reason = match error.classify() {
        Category::Io => return FileError::whole(file, format!("cannot be read: {text}")),
        Category::Eof if empty => return FileError::whole(file, "is empty"),
        Category::Eof => "the file ends in the middle: it was cut".into(),
        Category::Syntax => format!("is not JSON: {bare}"),
        Category::Data => bare.to_owned(),
    };
    FileError { file: file.into(), line: error.line(), place, reason }
}

/// The first two members of our formats, `format` and `version`, and what to do with another's.
#[derive(Debug)]
pub(super) struct Header {
    format: &'static str,
    newest: u64,
    seen: u8,
}

impl Header {
    pub fn new(format: &'static str, newest: u64) -> Self {
        Header { format, newest, seen: 0 }
    }

    /// Takes `member` if it belongs to the header; false if it is another one and the header is complete.
    pub fn take<'de, A: MapAccess<'de>>(&mut self, member: &str, map: &mut A) -> Result<bool, A::Error> {
        match (self.seen, member) {
            (0, "format") => {
                let found: String = map.next_value()?;
                if found != self.format {
                    return Err(Error::custom(format!("a {found} file, where {} is expected", self.format)));
                }
            }
            (1, "version") => {
                let found: u64 = map.next_value()?;
                if found == 0 || found > self.newest {
                    return Err(Error::custom(format!(
                        "version {found} of {}, where this restow reads 1 to {}: use a newer restow",
                        self.format, self.newest
                    )));
                }
            }
            (2, _) => return Ok(false),
            _ => {
                return Err(Error::custom(format!(
                    "not a {} file: its first members are \"format\":\"{}\" and \"version\"",
                    self.format, self.format
                )));
            }
        }
        self.seen += 1;
        Ok(true)
    }
}

/// Refuses a member that stands twice.
pub(super) fn once<T, E: Error>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::custom(format!("member {name:?} stands twice"))),
    }
}

/// The value of a member that has to be there.
pub(super) fn required<T, E: Error>(slot: Option<T>, name: &str) -> Result<T, E> {
    slot.ok_or_else(|| Error::custom(format!("member {name:?} is missing")))
}

/// The members that one line has shown, as bits: none may stand twice.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen(u32);

impl Seen {
    pub fn add<E: Error>(&mut self, at: usize, name: &str) -> Result<(), E> {
        if self.has(at) {
            return Err(Error::custom(format!("member {name:?} stands twice")));
        }
        self.0 |= 1 << at;
        Ok(())
    }

    pub fn has(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }
}

/// Reads the next value as a list of `T`, with the place of each item in the spot.
pub(super) fn items<'de, A: MapAccess<'de>, T: DeserializeOwned>(
    map: &mut A,
    spot: &mut Spot,
) -> Result<Vec<T>, A::Error> {
    struct Items<'a, T>(&'a mut Spot, Vec<T>);
    impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Items<'_, T> {
        type Value = Vec<T>;
        fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<T>, D::Error> {
            from.deserialize_seq(self)
        }
    }
    impl<'de, T: DeserializeOwned> Visitor<'de> for Items<'_, T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Vec<T>, A::Error> {
            self.0.item = Some(0);
            while let Some(item) = list.next_element()? {
                self.1.push(item);
                self.0.item = Some(self.1.len());
            }
            self.0.item = None;
            Ok(self.1)
        }
    }
    map.next_value_seed(Items(spot, Vec::new()))
}

/// As [`items`] for objects; each is judged beside those before it, while the reader still stands on its line.
pub(super) fn objects_that<'de, A: MapAccess<'de>, T: DeserializeOwned>(
    map: &mut A,
    spot: &mut Spot,
    judge: impl FnMut(&[T], &T) -> Result<(), String>,
) -> Result<Vec<T>, A::Error> {
    map.next_value_seed(Objects(spot, Vec::new(), judge))
}

struct Objects<'a, T, J>(&'a mut Spot, Vec<T>, J);

impl<'de, T: DeserializeOwned, J: FnMut(&[T], &T) -> Result<(), String>> DeserializeSeed<'de>
    for Objects<'_, T, J>
{
    type Value = Vec<T>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<T>, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned, J: FnMut(&[T], &T) -> Result<(), String>> Visitor<'de> for Objects<'_, T, J> {
    type Value = Vec<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Vec<T>, A::Error> {
        self.0.item = Some(0);
        while let Some(item) = list.next_element_seed(Object(&self.1, &mut self.2))? {
            self.1.push(item);
            self.0.item = Some(self.1.len());
        }
        self.0.item = None;
        Ok(self.1)
    }
}

struct Object<'a, T, J>(&'a [T], &'a mut J);

impl<'de, T: DeserializeOwned, J: FnMut(&[T], &T) -> Result<(), String>> DeserializeSeed<'de>
    for Object<'_, T, J>
{
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned, J: FnMut(&[T], &T) -> Result<(), String>> Visitor<'de> for Object<'_, T, J> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let item = T::deserialize(MapAccessDeserializer::new(map))?;
        (self.1)(self.0, &item).map_err(A::Error::custom)?;
        Ok(item)
    }
}

/// Reads a text into a buffer that is kept from line to line.
pub(super) struct Text<'a>(pub &'a mut String);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        text.clone_into(self.0);
        Ok(())
    }
}

/// An item of a list that is filled in place.
pub(super) trait Number: Sized {
    const EXPECTED: &'static str;
    fn from_json(value: Option<i128>) -> Option<Self>;
}

impl Number for BrokerId {
    const EXPECTED: &'static str = "broker ids";

    fn from_json(value: Option<i128>) -> Option<Self> {
        value.and_then(|id| i32::try_from(id).ok()).filter(|id| *id >= 0).map(BrokerId)
    }
}

/// A replica's bytes.
impl Number for u64 {
    const EXPECTED: &'static str = "sizes in bytes, 0 or more, and null where unknown";

    fn from_json(value: Option<i128>) -> Option<Self> {
        match value {
            None => Some(UNKNOWN_SIZE),
            Some(bytes) => i64::try_from(bytes).ok().and_then(|bytes| u64::try_from(bytes).ok()),
        }
    }
}

/// A replica's log directory.
impl Number for u8 {
    const EXPECTED: &'static str = "positions in the broker's log_dirs, and null where unknown";

    fn from_json(value: Option<i128>) -> Option<Self> {
        match value {
            None => Some(UNKNOWN_DIR),
            Some(at) => u8::try_from(at).ok().filter(|at| *at != UNKNOWN_DIR),
        }
    }
}

/// Reads a list of numbers into a buffer that is kept from line to line.
pub(super) struct Numbers<'a, T>(pub &'a mut Vec<T>);

impl<'de, T: Number> DeserializeSeed<'de> for Numbers<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, T: Number> Visitor<'de> for Numbers<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", T::EXPECTED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.clear();
        while let Some(found) = list.next_element::<Option<Whole>>()? {
            let found = found.map(|whole| whole.0);
            self.0.push(T::from_json(found).ok_or_else(|| {
                let found = found.map_or_else(|| "null".to_owned(), |value| value.to_string());
                Error::custom(format!("{found} in a list of {}", T::EXPECTED))
            })?);
        }
        Ok(())
    }
}

/// A whole number of any sign: range errors are ours to explain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole(pub i128);

impl<'de> serde::Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnyWhole;
        impl Visitor<'_> for AnyWhole {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Whole, E> {
                Ok(Whole(value.into()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Whole, E> {
                Ok(Whole(value.into()))
            }
        }
        from.deserialize_i64(AnyWhole)
    }
}

/// Reads a partition's number.
pub(super) fn partition_number<E: Error>(found: Whole) -> Result<i64, E> {
    match i32::try_from(found.0) {
        Ok(number) if number >= 0 => Ok(number.into()),
        _ => Err(Error::custom(format!("partition number {}, where 0 or more is expected", found.0))),
    }
}
