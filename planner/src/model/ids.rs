//! Names of things: brokers, topics, partitions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Kafka broker's `node.id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BrokerId(pub i32);

impl fmt::Display for BrokerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BrokerId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().map(BrokerId)
    }
}

/// A topic's id (KIP-516). A topic that is deleted and created again under the same name has another one.
///
/// Written as Kafka writes it: 22 characters of URL-safe base64 (`org.apache.kafka.common.Uuid`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TopicId(pub [u8; 16]);

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl TopicId {
    /// The all-zero id, which brokers older than 2.8 answer for every topic.
    pub const ZERO: TopicId = TopicId([0; 16]);
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(22);
        for chunk in self.0.chunks(3) {
            let mut word = [0u8; 4];
            word[1..=chunk.len()].copy_from_slice(chunk);
            let bits = u32::from_be_bytes(word) << 8 >> 8;
            for n in 0..=chunk.len() {
                text.push(BASE64[(bits >> (18 - 6 * n) & 63) as usize] as char);
            }
        }
        f.write_str(&text)
    }
}

/// A text that is not a topic id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a topic id (22 characters of URL-safe base64)")]
pub struct NotATopicId {
    /// What was found.
    pub found: String,
}

impl FromStr for TopicId {
    type Err = NotATopicId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotATopicId { found: text.to_owned() };
        if text.len() != 22 {
            return Err(wrong());
        }
        let mut bits: u128 = 0;
        for (at, c) in text.bytes().enumerate() {
            let digit = BASE64.iter().position(|b| *b == c).ok_or_else(wrong)? as u128;
            // The last character carries two bits only.
            bits = if at < 21 { bits << 6 | digit } else { bits << 2 | digit >> 4 };
        }
        Ok(TopicId(bits.to_be_bytes()))
    }
}

impl Serialize for TopicId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TopicId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One partition of a named topic, written `topic-partition` as Kafka does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_reads_as_it_writes() {
        let id = TopicId([0x7f, 0x12, 0, 255, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xfe]);
        let text = id.to_string();
        assert_eq!(text.len(), 22);
        assert_eq!(text.parse::<TopicId>().unwrap(), id);
        assert_eq!(TopicId::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert!("short".parse::<TopicId>().is_err());
    }

    #[test]
    fn a_topic_id_is_written_as_kafka_writes_it() {
        // Uuid.toString of Kafka for METADATA_TOPIC_ID, Uuid(0L, 1L).
        let mut one = TopicId::ZERO;
        one.0[15] = 1;
        assert_eq!(one.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
    }
}
