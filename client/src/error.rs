//! What can go wrong between us and a cluster: what it was, and where.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use restow_planner::model::{BadCluster, BrokerId};

use crate::code::Code;
use crate::sasl::SaslError;

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The broker, where we know which one it is; a bootstrap server may be any.
    pub id: Option<BrokerId>,
    /// `host:port`.
    pub address: String,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "broker {id} ({})", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Why a cluster could not be asked, or what it answered instead.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No connection came about.
    #[error("cannot connect to {address}: {source}")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// The operating system's reason.
        source: Arc<io::Error>,
    },
    /// The peer accepted the connection, but did not talk as a Kafka broker does.
    #[error(
        "{address} answered, but not as a Kafka broker: {reason} (is this the right port, or does it want TLS or \
         SASL?)"
    )]
    NotKafka {
        /// `host:port`.
        address: String,
        /// What it did.
        reason: String,
    },
    /// None of several bootstrap servers could be used.
    #[error("no bootstrap server could be used: {}", each(tried))]
    NoServer {
        /// One error for each server, in the order given.
        tried: Vec<Error>,
    },
    /// The cluster has no cluster id (Kafka before 0.10.1, or something that imitates Kafka).
    #[error("{broker} tells no cluster id")]
    NoClusterId {
        /// The broker that was asked.
        broker: Peer,
    },
    /// A broker belongs to another cluster than the one we connected to first.
    #[error("{broker} belongs to cluster {found:?}, not to {expected:?}")]
    OtherCluster {
        /// The broker that was asked.
        broker: Peer,
        /// The cluster that we are a client of.
        expected: String,
        /// The cluster that the broker names.
        found: String,
    },
    /// No answer within the deadline. The connection is given up.
    #[error("{broker} did not answer {api} within {} ms", after.as_millis())]
    TimedOut {
        /// The broker that was asked.
        broker: Peer,
        /// The API, by Kafka's name.
        api: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// The broker does not offer an API that we need, in a version that we speak.
    #[error(
        "{broker} does not offer {api} in versions {min} to {max}{}",
        if *api == "Metadata" { " (is it a controller listener?)" } else { "" }
    )]
    Unsupported {
        /// The API, by Kafka's name.
        api: &'static str,
        /// The lowest version that we speak.
        min: i16,
        /// The highest version that we speak.
        max: i16,
        /// The broker that was asked.
        broker: Peer,
    },
    /// The connection broke, or an answer made no sense.
    #[error("{broker}: {reason}")]
    Broken {
        /// The broker that was asked.
        broker: Peer,
        /// What happened.
        reason: String,
    },
    /// The broker understood and said no.
    #[error("{broker} refused {api}: {code}{}", said(message.as_deref()))]
    Refused {
        /// The API, by Kafka's name.
        api: &'static str,
        /// The broker that was asked.
        broker: Peer,
        /// Kafka's error code.
        code: Code,
        /// The broker's own words.
        message: Option<String>,
    },
    /// The broker does not offer the SASL mechanism.
    #[error(
        "{broker} does not offer SASL mechanism {mechanism}, but {}",
        if offered.is_empty() { "none".to_owned() } else { shown(offered.join(", ").as_bytes()) }
    )]
    Mechanism {
        /// The broker.
        broker: Peer,
        /// What we wanted.
        mechanism: &'static str,
        /// What it has.
        offered: Vec<String>,
    },
    /// The login failed.
    #[error("{broker}: {source}")]
    Login {
        /// The broker.
        broker: Peer,
        /// Why.
        source: SaslError,
    },
    /// Metadata lists no such broker.
    #[error("broker {id} is not among the live brokers of the cluster")]
    UnknownBroker {
        /// The broker.
        id: BrokerId,
    },
    /// Answers of one cluster that contradict each other.
    #[error("the answers of the cluster do not fit together: {source}")]
    Impossible {
        /// The contradiction.
        source: BadCluster,
    },
    /// A request that a broker would refuse, misread or answer by closing the connection. It was not sent.
    #[error("not sent: {reason}")]
    Unsendable {
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Whether a missing permission or a failed login is the reason.
    pub fn is_authorisation(&self) -> bool {
        match self {
            Error::Refused { code, .. } => code.is_authorisation(),
            Error::Login { .. } | Error::Mechanism { .. } => true,
            Error::NoServer { tried } => tried.iter().any(Error::is_authorisation),
            _ => false,
        }
    }

    /// The address that it is about, where it is about one.
    fn address(&self) -> Option<&str> {
        match self {
            Error::Unreachable { address, .. } | Error::NotKafka { address, .. } => Some(address),
            Error::NoClusterId { broker }
            | Error::OtherCluster { broker, .. }
            | Error::TimedOut { broker, .. }
            | Error::Unsupported { broker, .. }
            | Error::Broken { broker, .. }
            | Error::Refused { broker, .. }
            | Error::Mechanism { broker, .. }
            | Error::Login { broker, .. } => Some(&broker.address),
            Error::NoServer { .. }
            | Error::UnknownBroker { .. }
            | Error::Impossible { .. }
            | Error::Unsendable { .. } => None,
        }
    }

    /// Whether the same request could fare better on another try.
    pub(crate) fn is_retriable(&self) -> bool {
        match self {
            Error::Refused { code, .. } => code.is_retriable(),
            Error::Unreachable { .. }
            | Error::NotKafka { .. }
            | Error::TimedOut { .. }
            | Error::Broken { .. }
            | Error::OtherCluster { .. } => true,
            Error::NoServer { .. }
            | Error::Login { .. }
            | Error::Mechanism { .. }
            | Error::NoClusterId { .. }
            | Error::Unsupported { .. }
            | Error::UnknownBroker { .. }
            | Error::Impossible { .. }
            | Error::Unsendable { .. } => false,
        }
    }
}

/// What was wrong with each; with those that failed alike named together.
fn each(tried: &[Error]) -> String {
    let mut groups: Vec<(String, String, Vec<&str>)> = Vec::new();
    for error in tried {
        let (text, address) = (error.to_string(), error.address().unwrap_or_default());
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let kind = match host {
            "" => text.clone(),
            host => text.replace(address, "").replace(&format!("with {host} "), ""),
        };
        match groups.iter_mut().find(|(of, ..)| *of == kind) {
            Some((.., others)) => others.push(address),
            None => groups.push((kind, text, Vec::new())),
        }
    }
    let show = |(_, text, others): &(String, String, Vec<&str>)| match &others[..] {
        [] => text.clone(),
        others => format!("{text}; the same with {}", others.join(", ")),
    };
    if groups.is_empty() {
        "none was given".into()
    } else {
        groups.iter().map(show).collect::<Vec<_>>().join("; ")
    }
}

fn said(message: Option<&str>) -> String {
    message.map(|text| format!(": {}", shown(text.as_bytes()))).unwrap_or_default()
}

/// Text of a peer, for people: cut to 200 characters, what does not print is escaped.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    // No character has more than 4 bytes.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MOST + 1)]);
    let mut shown = String::new();
    for character in text.chars().take(MOST) {
        match character {
            '"' | '\'' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_fail_alike_are_named_together() {
        let refused =
            |address: &str| Error::NotKafka { address: address.into(), reason: "it said no".into() };
        let gone = || Error::Unreachable {
            address: "c:3".into(),
            source: Arc::new(io::Error::other("nobody is there")),
        };
        let tried = vec![refused("a.b:1"), refused("a:2"), gone()];
        let text = Error::NoServer { tried }.to_string();
        assert_eq!(text.matches("it said no").count(), 1, "{text}");
        assert!(text.contains("the same with a:2; cannot connect to c:3: nobody is there"), "{text}");
    }
}
