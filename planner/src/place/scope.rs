//! What an intent means on a cluster: brokers, topics, partitions. Flags that do not fit end here.

use super::{Options, PlaceError};
use crate::model::{Broker, BrokerId, Cluster, Partition, Topic};
use crate::plan::{Intent, Pattern};

/// Config keys whose difference between two brokers changes what is kept of a partition, or what is accepted
/// into it.
const WATCHED: [&str; 10] = [
    "retention.*",
    "local.retention.*",
    "segment.*",
    "message.timestamp.*",
    "cleanup.policy",
    "min.insync.replicas",
    "max.message.bytes",
    "compression.type",
    "unclean.leader.election.enable",
    "remote.storage.enable",
];

/// Whether a difference of this key matters.
pub(super) fn is_watched(key: &str) -> bool {
    WATCHED.iter().any(|watched| match watched.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == *watched,
    })
}

/// A migration on a cluster.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub cluster: &'a Cluster,
    pub intent: &'a Intent,
    /// By broker index: whether it is to be left.
    pub is_source: Vec<bool>,
    /// By broker index: whether it is gone to.
    pub is_destination: Vec<bool>,
    /// By topic index: whether the patterns cover it.
    pub covered: Vec<bool>,
    pub preserve_leaders: bool,
    patterns: (Pattern, Pattern),
}

impl<'a> Scope<'a> {
    pub fn of(cluster: &'a Cluster, intent: &'a Intent, options: &Options) -> Result<Self, PlaceError> {
        let Intent::Migrate { from, to, topics, exclude, preserve_leaders } = intent else {
            let found = "the way back is made from its plan, not placed";
            return Err(PlaceError::usage("intent", found, "a migration"));
        };
        let is_source = marks(cluster, "--from", from)?;
        let is_destination = marks(cluster, "--to", to)?;
        let both: Vec<BrokerId> = from.iter().filter(|id| to.contains(id)).copied().collect();
        if let Some(broker) = both.first() {
            let found = format!("broker {broker} stands in --from and in --to");
            return Err(PlaceError::usage("--from, --to", found, "a broker stands in one of them"));
        }
        if let Some(key) = options.accept_differences.iter().find(|key| !is_watched(key)) {
            return Err(PlaceError::usage(
                "--accept-config-diff",
                format!("{key:?} is no key that is compared"),
                format!("a key of {}", WATCHED.join(", ")),
            ));
        }
        let included = patterns(cluster, "--topics", topics)?;
        let excluded = patterns(cluster, "--exclude", exclude)?;
        let mut scope = Scope {
            cluster,
            intent,
            is_source,
            is_destination,
            covered: Vec::new(),
            preserve_leaders: *preserve_leaders,
            patterns: (included, excluded),
        };
        scope.covered = cluster.topics.iter().map(|topic| scope.covers(&topic.name)).collect();
        Ok(scope)
    }

    /// Whether the patterns cover a topic of this name.
    pub fn covers(&self, topic: &str) -> bool {
        let (included, excluded) = &self.patterns;
        (included.is_empty() || included.matches(topic)) && !excluded.matches(topic)
    }

    /// The partitions with a replica on a source, of the topics that are covered.
    pub fn partitions(&self) -> impl Iterator<Item = (usize, &'a Topic, Partition<'a>)> + '_ {
        let cluster = self.cluster;
        (cluster.topics.iter().enumerate())
            .filter(|(at, _)| self.covered[*at])
            .flat_map(move |(at, topic)| cluster.partitions_of(topic).map(move |p| (at, topic, p)))
            .filter(|(_, _, p)| p.replicas.iter().any(|broker| self.is_source[*broker as usize]))
    }

    pub fn sources(&self) -> impl Iterator<Item = &'a Broker> + '_ {
        self.cluster.brokers.iter().zip(&self.is_source).filter(|(_, is)| **is).map(|(broker, _)| broker)
    }

    pub fn destinations(&self) -> impl Iterator<Item = &'a Broker> + '_ {
        self.cluster.brokers.iter().zip(&self.is_destination).filter(|(_, is)| **is).map(|(broker, _)| broker)
    }
}

/// The brokers of a cluster, as a message names them.
pub(super) fn known_brokers(cluster: &Cluster) -> String {
    let ids: Vec<String> = cluster.brokers.iter().take(50).map(|b| b.id.to_string()).collect();
    let more = cluster.brokers.len() - ids.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the brokers are: {}{rest}", ids.join(", "))
}

fn marks(cluster: &Cluster, flag: &str, ids: &[BrokerId]) -> Result<Vec<bool>, PlaceError> {
    if ids.is_empty() {
        return Err(PlaceError::usage(flag, "names no broker", known_brokers(cluster)));
    }
    let mut marks = vec![false; cluster.brokers.len()];
    for id in ids {
        let Some(at) = cluster.broker_index(*id) else {
            let found = format!("broker {id} is not in the snapshot");
            return Err(PlaceError::usage(flag, found, known_brokers(cluster)));
        };
        if std::mem::replace(&mut marks[at as usize], true) {
            let found = format!("broker {id} stands twice");
            return Err(PlaceError::usage(flag, found, "each broker once"));
        }
    }
    Ok(marks)
}

/// Patterns, each of which matches a topic of the cluster or one that it hides.
fn patterns(cluster: &Cluster, flag: &str, texts: &[String]) -> Result<Pattern, PlaceError> {
    let bad = |error: crate::plan::BadPattern| {
        let reason = error.reason.trim().lines().last().unwrap_or_default().to_owned();
        let found = format!("{:?} is not a regular expression: {reason}", error.pattern);
        PlaceError::usage(flag, found, "a regular expression for whole topic names")
    };
    for text in texts {
        let pattern = Pattern::new(std::slice::from_ref(text)).map_err(bad)?;
        let hidden = || cluster.brokers.iter().flat_map(|b| &b.unseen).any(|u| pattern.matches(&u.topic));
        if !cluster.topics.iter().any(|topic| pattern.matches(&topic.name)) && !hidden() {
            return Err(PlaceError::usage(
                flag,
                format!("{text:?} matches none of {} topics", cluster.topics.len()),
                format!("a regular expression for whole names; perhaps {:?}", format!(".*{text}.*")),
            ));
        }
    }
    Pattern::new(texts).map_err(bad)
}
