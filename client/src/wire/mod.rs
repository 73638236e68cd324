//! Kafka's frames: the only room that names `kafka_protocol`.
//!
//! Its defaults are traps (a missing replica list means *cancel*), so every field that matters is set
//! by hand in [`calls`]. Only flexible versions are spoken: the others carry array lengths of four bytes,
//! which the codec allocates unseen.

pub(crate) mod calls;
pub(crate) mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod hello;
pub(crate) mod login;
pub(crate) mod messenger;
pub(crate) mod pool;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod versions;

use bytes::BytesMut;

use crate::code::Code;
use frame::Body;

/// An API and the versions of it that we speak, all of them flexible.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    pub name: &'static str,
    pub key: i16,
    pub min: i16,
    pub max: i16,
}

impl Api {
    /// Header versions of the request and of its answer. Flexible ones have 2 and 1. The answer of `ApiVersions` keeps 0,
    /// so that it can be read before the broker's versions are known; `SaslHandshake` never became flexible.
    fn headers(self) -> (i16, i16) {
        match self.key {
            17 => (1, 0),
            18 => (2, 0),
            _ => (2, 1),
        }
    }
}

/// One request and how to read its answer.
///
/// `decode` gets the request too: an answer is checked against what was asked.
pub(crate) trait Call {
    /// What the answer says.
    type Answer;
    /// Which API it is.
    const API: Api;
    /// Writes the request body.
    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed>;
    /// Reads the answer's body, after its header.
    fn decode(&self, from: &mut Body, version: i16) -> Result<Self::Answer, Failure>;
    /// The cluster that the broker says it belongs to, if the answer tells.
    fn cluster_id(_answer: &Self::Answer) -> Option<&str> {
        None
    }
}

/// Bytes, or an answer, that make no sense: a lower-case fragment that says why.
#[derive(Debug)]
pub(crate) struct Malformed(pub String);

impl<E: std::fmt::Display> From<E> for Malformed {
    fn from(error: E) -> Self {
        Malformed(error.to_string())
    }
}

/// Why an answer has no content.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It makes no sense.
    Malformed(String),
    /// It is an error as a whole.
    Refused(Code, Option<String>),
}

impl<E: std::fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Malformed(error.to_string())
    }
}

impl Failure {
    /// `Err` if a top-level error code is not 0.
    fn check(code: i16, message: Option<&str>) -> Result<(), Failure> {
        match Code::of(code) {
            // Brokers send `Some("")` with successes and None with failures: neither says anything.
            Some(code) => Err(Failure::Refused(code, message.filter(|m| !m.is_empty()).map(str::to_owned))),
            None => Ok(()),
        }
    }
}
