//! One file per group of APIs: how each question is put, and how its answer becomes plain types.
//!
//! Every answer is checked for what a broker cannot say (ids that are negative, replicas that repeat, names
//! that nobody asked for): about a fifth of damaged bodies decode without an error.

pub(crate) mod alter_configs;
pub(crate) mod configs;
pub(crate) mod elections;
pub(crate) mod log_dirs;
pub(crate) mod login;
pub(crate) mod metadata;
pub(crate) mod offsets;
pub(crate) mod permissions;
pub(crate) mod quorum;
pub(crate) mod reassignments;

use kafka_protocol::messages::{BrokerId as WireBroker, TopicName};
use kafka_protocol::protocol::StrBytes;
use restow_planner::model::{BrokerId, replicas::first_repeated};

use super::Failure;
use crate::view::Resource;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

fn wire_brokers(list: &[BrokerId]) -> Vec<WireBroker> {
    list.iter().map(|id| WireBroker(id.0)).collect()
}

/// Brokers of an answer: not negative, and each once.
fn brokers(list: &[WireBroker], what: &str) -> Result<Vec<BrokerId>, Failure> {
    let list: Vec<BrokerId> = list.iter().map(|id| BrokerId(id.0)).collect();
    if let Some(id) = list.iter().find(|id| id.0 < 0) {
        return Err(Failure::Malformed(format!("{what}: broker {id}")));
    }
    match first_repeated(&list) {
        Some(id) => Err(Failure::Malformed(format!("{what}: broker {id} stands twice"))),
        None => Ok(list),
    }
}

/// A partition number of an answer.
fn number(partition: i32, topic: &str) -> Result<i32, Failure> {
    if partition < 0 {
        return Err(Failure::Malformed(format!("partition {partition} of topic {topic:?}")));
    }
    Ok(partition)
}

fn port(port: i32) -> Result<u16, Failure> {
    u16::try_from(port).ok().filter(|p| *p > 0).ok_or_else(|| Failure::Malformed(format!("port {port}")))
}

/// `(resource type, resource name)` of `ConfigResource.Type`.
fn resource(of: &Resource) -> (i8, StrBytes) {
    match of {
        Resource::Topic(name) => (2, text(name)),
        Resource::Broker(id) => (4, text(&id.to_string())),
        Resource::ClusterDefault => (4, StrBytes::new()),
    }
}

fn read_resource(kind: i8, name: &str) -> Result<Resource, Failure> {
    match (kind, name) {
        (2, name) => Ok(Resource::Topic(name.to_owned())),
        (4, "") => Ok(Resource::ClusterDefault),
        (4, id) => Ok(Resource::Broker(id.parse()?)),
        _ => Err(Failure::Malformed(format!("resource {name:?} of type {kind}"))),
    }
}

/// A message that says something.
fn message(from: Option<StrBytes>) -> Option<String> {
    from.filter(|text| !text.is_empty()).map(|text| text.as_str().to_owned())
}

/// Groups consecutive or scattered items by topic, in order of topic names.
fn by_topic<'a, T>(items: impl Iterator<Item = (&'a str, T)>) -> std::collections::BTreeMap<&'a str, Vec<T>> {
    let mut topics = std::collections::BTreeMap::<&str, Vec<T>>::new();
    for (topic, item) in items {
        topics.entry(topic).or_default().push(item);
    }
    topics
}
