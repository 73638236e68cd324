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

/// An intent on a cluster.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub cluster: &'a Cluster,
    pub intent: &'a Intent,
    /// By broker index: whether replicas may leave it. Of a migration and a drain, the brokers to empty.
    pub is_source: Vec<bool>,
    /// By broker index: whether copies may be made on it.
    pub is_destination: Vec<bool>,
    /// By broker index: whether nothing may come to it and nothing may leave it.
    pub is_pinned: Vec<bool>,
    /// Whether a person named the destinations: what makes one unusable is then a refusal.
    pub names_destinations: bool,
    /// By topic index: whether the patterns cover it.
    pub covered: Vec<bool>,
    pub preserve_leaders: bool,
    /// Brokers that are emptied and will not come back.
    pub given_up: Vec<BrokerId>,
    /// Brokers that get no copies, and why, where nobody named the destinations.
    pub passed_over: Vec<(BrokerId, &'static str)>,
    patterns: (Pattern, Pattern),
}

impl<'a> Scope<'a> {
    pub fn of(cluster: &'a Cluster, intent: &'a Intent, options: &Options) -> Result<Self, PlaceError> {
        if matches!(intent, Intent::Return { .. }) {
            let found = "the way back is made from its plan, not placed";
            return Err(PlaceError::usage("intent", found, "an intent that says what is sought"));
        }
        let (topics, exclude) = intent.patterns().unwrap_or_default();
        let mut ends = Ends::of(cluster, intent)?;
        let is_pinned = ends.pin(cluster, intent, &options.pinned)?;
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
            is_source: ends.is_source,
            is_destination: ends.is_destination,
            is_pinned,
            names_destinations: ends.named,
            covered: Vec::new(),
            preserve_leaders: matches!(intent, Intent::Migrate { preserve_leaders: true, .. }),
            given_up: Vec::new(),
            passed_over: Vec::new(),
            patterns: (included, excluded),
        };
        scope.covered = cluster.topics.iter().map(|topic| scope.covers(&topic.name)).collect();
        let is_out = |id: &BrokerId| cluster.broker(*id).is_some_and(|broker| !is_in_service(broker));
        scope.given_up = match intent {
            Intent::Drain { brokers, .. } => brokers.iter().copied().filter(is_out).collect(),
            Intent::Repair { .. } => cluster.brokers.iter().map(|broker| broker.id).filter(is_out).collect(),
            _ => Vec::new(),
        };
        if !scope.names_destinations {
            scope.pass_over_unfit();
        }
        Ok(scope)
    }

    /// Whether the patterns cover a topic of this name.
    pub fn covers(&self, topic: &str) -> bool {
        let (included, excluded) = &self.patterns;
        (included.is_empty() || included.matches(topic)) && !excluded.matches(topic)
    }

    /// Takes those out of the destinations that cannot take over from any source.
    fn pass_over_unfit(&mut self) {
        let mut needed: Vec<&str> = Vec::new();
        for broker in self.sources().filter(|broker| is_in_service(broker)) {
            needed.extend(broker.listeners.iter().flatten().map(String::as_str));
        }
        needed.sort_unstable();
        needed.dedup();
        let lacks = |broker: &Broker| {
            let has = |own: &Vec<String>| needed.iter().all(|name| own.iter().any(|own| own == name));
            !broker.listeners.as_ref().is_none_or(has)
        };
        for at in 0..self.is_destination.len() {
            let broker = &self.cluster.brokers[at];
            let why = match broker {
                _ if !self.is_destination[at] => continue,
                broker if !is_in_service(broker) => "it is out of service",
                broker if lacks(broker) => "it lacks a listener that others advertise",
                _ => continue,
            };
            self.is_destination[at] = false;
            self.passed_over.push((broker.id, why));
        }
    }

    /// The partitions with a replica on a source, of the topics that are covered.
    pub fn partitions(&self) -> impl Iterator<Item = (usize, &'a Topic, Partition<'a>)> + '_ {
        let cluster = self.cluster;
        (cluster.topics.iter().enumerate())
            .filter(|(at, _)| self.covered[*at])
            .flat_map(move |(at, topic)| cluster.partitions_of(topic).map(move |p| (at, topic, p)))
            .filter(|(_, _, p)| p.replicas.iter().any(|broker| self.is_source[*broker as usize]))
    }

    /// The brokers that the intent empties.
    pub fn emptied(&self) -> impl Iterator<Item = &'a Broker> + '_ {
        self.sources().filter(|_| !self.intent.sources().is_empty())
    }

    pub fn sources(&self) -> impl Iterator<Item = &'a Broker> + '_ {
        self.cluster.brokers.iter().zip(&self.is_source).filter(|(_, is)| **is).map(|(broker, _)| broker)
    }

    pub fn destinations(&self) -> impl Iterator<Item = &'a Broker> + '_ {
        self.cluster.brokers.iter().zip(&self.is_destination).filter(|(_, is)| **is).map(|(broker, _)| broker)
    }
}

/// Whether copies can be made on a broker.
pub(super) fn is_in_service(broker: &Broker) -> bool {
    broker.serves() && broker.log_dirs.iter().all(|dir| !dir.offline)
}

/// Which brokers an intent takes from and gives to.
struct Ends {
    is_source: Vec<bool>,
    is_destination: Vec<bool>,
    /// Whether the destinations were named.
    named: bool,
}

impl Ends {
    fn of(cluster: &Cluster, intent: &Intent) -> Result<Self, PlaceError> {
        let all = || vec![true; cluster.brokers.len()];
        let ends = match intent {
            Intent::Migrate { from, to, .. } => Ends {
                is_source: marks(cluster, "--from", from)?,
                is_destination: marks(cluster, "--to", to)?,
                named: true,
            },
            Intent::Drain { brokers, replace_with: Some(other), .. } => Ends {
                is_source: marks(cluster, "--brokers", brokers)?,
                is_destination: marks(cluster, "--replace-with", &[*other])?,
                named: true,
            },
            Intent::Drain { brokers, .. } => {
                let is_source = marks(cluster, "--brokers", brokers)?;
                let is_destination = is_source.iter().map(|is_source| !is_source).collect();
                return Ok(Ends { is_source, is_destination, named: false });
            }
            Intent::Add { brokers, .. } => {
                let is_destination = marks(cluster, "--brokers", brokers)?;
                return Ok(Ends { is_source: all(), is_destination, named: true });
            }
            Intent::Leaders { demote, .. } => {
                marks_or_none(cluster, "--demote", demote)?;
                return Ok(Ends { is_source: all(), is_destination: all(), named: false });
            }
            _ => return Ok(Ends { is_source: all(), is_destination: all(), named: false }),
        };
        let both = (0..cluster.brokers.len()).find(|at| ends.is_source[*at] && ends.is_destination[*at]);
        match both {
            Some(at) => {
                let flags = if matches!(intent, Intent::Migrate { .. }) {
                    ["--from", "--to"]
                } else {
                    ["--brokers", "--replace-with"]
                };
                let found =
                    format!("broker {} stands in {} and in {}", cluster.brokers[at].id, flags[0], flags[1]);
                Err(PlaceError::usage(&flags.join(", "), found, "a broker stands in one of them"))
            }
            None => Ok(ends),
        }
    }

    /// Marks the brokers that are pinned: nothing comes to them, and the intent must not be about them.
    fn pin(
        &mut self,
        cluster: &Cluster,
        intent: &Intent,
        pinned: &[BrokerId],
    ) -> Result<Vec<bool>, PlaceError> {
        let is_pinned = marks_or_none(cluster, "--pin-brokers", pinned)?;
        let named = intent.sources().iter().chain(intent.destinations()).find(|id| pinned.contains(id));
        if let Some(id) = named {
            let found = format!("broker {id} is one that is to be emptied or filled");
            return Err(PlaceError::usage("--pin-brokers", found, "brokers that nothing comes to or leaves"));
        }
        for (is_destination, is_pinned) in self.is_destination.iter_mut().zip(&is_pinned) {
            *is_destination &= !is_pinned;
        }
        Ok(is_pinned)
    }
}

fn marks_or_none(cluster: &Cluster, flag: &str, ids: &[BrokerId]) -> Result<Vec<bool>, PlaceError> {
    if ids.is_empty() { Ok(vec![false; cluster.brokers.len()]) } else { marks(cluster, flag, ids) }
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
