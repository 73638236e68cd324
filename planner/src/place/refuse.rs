//! What must not be moved now: all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::{Scope, is_watched};
use super::{Options, Refusal, RefusalKind};
use crate::model::replicas::show;
use crate::model::{Broker, BrokerId, ConfigDifference, Partition, Topic, Topology};
use crate::plan::{AcceptedDifference, Intent};

/// Everything that is refused.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// About brokers, and about hidden topics.
    general: Vec<Refusal>,
    /// About partitions, by index.
    partitions: BTreeMap<u32, Vec<Refusal>>,
    /// Destinations that get nothing, by broker index.
    pub unusable: BTreeSet<u16>,
    /// Differences that a person accepted.
    pub accepted: Vec<AcceptedDifference>,
}

impl Refused {
    pub fn is_empty(&self) -> bool {
        self.general.is_empty() && self.partitions.is_empty()
    }

    pub fn can_be_left_out(&self) -> bool {
        self.general.iter().all(|refusal| refusal.kind.can_be_left_out())
    }

    pub fn has(&self, partition: u32) -> bool {
        self.partitions.contains_key(&partition)
    }

    pub fn add(&mut self, partition: u32, refusal: Refusal) {
        self.partitions.entry(partition).or_default().push(refusal);
    }

    /// Takes the refusals of partitions out, where an intent can do without them.
    pub fn take_partitions(&mut self) -> BTreeMap<u32, Vec<Refusal>> {
        std::mem::take(&mut self.partitions)
    }

    /// Forgets refusals of partitions that are not among these, rising ones.
    pub fn keep_partitions(&mut self, partitions: &[u32]) {
        self.partitions.retain(|index, _| partitions.binary_search(index).is_ok());
    }

    /// Partitions that are refused, with the reasons.
    pub fn partitions(&self) -> impl Iterator<Item = (u32, &[Refusal])> {
        self.partitions.iter().map(|(index, list)| (*index, list.as_slice()))
    }

    /// All of it: brokers first, then partitions in their order.
    pub fn list(self) -> Vec<Refusal> {
        self.general.into_iter().chain(self.partitions.into_values().flatten()).collect()
    }
}

/// The `--exclude` flag for one topic.
pub(super) fn exclude(topic: &str) -> String {
    // Of what a topic's name may hold, only the dot means something in a pattern.
    let escaped = regex::escape(topic).replace("\\-", "-");
    format!("--exclude '{escaped}'")
}

/// Looks at brokers, configs and every partition.
pub(super) fn all(scope: &Scope<'_>, topology: &Topology, options: &Options) -> Refused {
    let mut refused = Refused::default();
    if scope.names_destinations {
        for broker in scope.destinations() {
            judge_destination(broker, scope, &mut refused);
        }
        judge_listeners(scope, &mut refused);
    }
    if !scope.intent.sources().is_empty() {
        judge_hidden(scope, &mut refused);
    }
    let rooms = rooms(scope, topology, &refused);
    let mut last = usize::MAX;
    let (mut differences, mut usual) = (Vec::new(), Usual::default());
    for (at, topic, p) in scope.partitions() {
        if at != last {
            last = at;
            usual = Usual::of(scope, topology, topic);
            differences = judge_configs(scope, topic, options, &mut refused.accepted);
        }
        for refusal in &differences {
            let partition = Some(scope.cluster.name_of(p.index));
            refused.add(p.index, Refusal { partition, ..refusal.clone() });
        }
        judge_partition(scope, topology, topic, &p, &usual, &rooms, &mut refused);
        if !options.hold_min_isr {
            judge_min_isr(scope, topic, &p, &mut refused);
        }
    }
    refused
}

fn judge_destination(broker: &Broker, scope: &Scope<'_>, refused: &mut Refused) {
    let id = broker.id;
    let mut say = |kind, reason: String, action: &str| {
        refused.unusable.extend(scope.cluster.broker_index(id));
        let way_past = format!("{action}, or plan without broker {id} in --to");
        refused.general.push(Refusal { kind, partition: None, broker: Some(id), reason, way_past });
    };
    if broker.fenced == Some(true) {
        let reason = format!("destination {id} is fenced by the controller");
        say(RefusalKind::DestinationFenced, reason, "start it");
    }
    if !broker.answered {
        let reason = format!("destination {id} did not answer when the snapshot was taken");
        say(RefusalKind::DestinationSilent, reason, "start it and take a new snapshot");
    }
    for dir in broker.log_dirs.iter().filter(|dir| dir.offline) {
        let reason = format!("log directory {} of destination {id} is offline", dir.path);
        say(RefusalKind::DestinationDirOffline, reason, "repair it");
    }
}

fn judge_listeners(scope: &Scope<'_>, refused: &mut Refused) {
    let mut needed: BTreeMap<&str, BrokerId> = BTreeMap::new();
    for broker in scope.sources() {
        for name in broker.listeners.iter().flatten() {
            needed.entry(name).or_insert(broker.id);
        }
    }
    for broker in scope.destinations() {
        let Some(has) = &broker.listeners else { continue };
        for (name, source) in needed.iter().filter(|(name, _)| !has.iter().any(|own| own == *name)) {
            let id = broker.id;
            refused.general.push(Refusal {
                kind: RefusalKind::MissingListener,
                partition: None,
                broker: Some(id),
                reason: format!(
                    "source {source} advertises listener {name} and destination {id} does not: its clients would \
                     lose their partitions"
                ),
                way_past: format!("advertise {name} on broker {id}, or plan without it in --to"),
            });
        }
    }
}

fn judge_hidden(scope: &Scope<'_>, refused: &mut Refused) {
    for broker in scope.sources() {
        for hidden in broker.unseen.iter().filter(|hidden| scope.covers(&hidden.topic)) {
            let (id, topic) = (broker.id, &hidden.topic);
            refused.general.push(Refusal {
                kind: RefusalKind::UnseenTopic,
                partition: None,
                broker: Some(id),
                reason: format!(
                    "source {id} holds {} replicas of topic {topic}, which we may not describe: they would stay \
                     behind",
                    hidden.replicas
                ),
                way_past: format!("grant DESCRIBE on it, or {}", exclude(topic)),
            });
        }
    }
}

/// Differences of one topic's configs between sources and destinations; those that a person accepts are kept
/// with the plan.
fn judge_configs(
    scope: &Scope<'_>,
    topic: &Topic,
    options: &Options,
    accepted: &mut Vec<AcceptedDifference>,
) -> Vec<Refusal> {
    let all = &scope.cluster.config_differences;
    let start = all.partition_point(|difference| difference.topic < topic.name);
    let of_topic = all[start..].iter().take_while(|difference| difference.topic == topic.name);
    let mut refusals = Vec::new();
    for difference in of_topic.filter(|difference| is_watched(&difference.key)) {
        let Some((held, found)) = clash(scope, difference) else { continue };
        let key = &difference.key;
        if options.accept_differences.contains(key) {
            accepted.push(AcceptedDifference {
                key: key.clone(),
                topic: topic.name.clone(),
                values: difference.values.clone(),
            });
            continue;
        }
        refusals.push(Refusal {
            kind: RefusalKind::ConfigDifference,
            partition: None,
            broker: found.1.first().copied(),
            reason: format!(
                "{key} of topic {} is {:?} on sources {} and {:?} on destinations {}: its copies would be kept by \
                 another rule",
                topic.name,
                held.0,
                show(&held.1),
                found.0,
                show(&found.1)
            ),
            way_past: format!("set {key} on the topic, or --accept-config-diff {key}"),
        });
    }
    refusals
}

type Applied<'a> = (&'a str, Vec<BrokerId>);

/// A value on sources and another one on destinations.
fn clash<'a>(scope: &Scope<'_>, difference: &'a ConfigDifference) -> Option<(Applied<'a>, Applied<'a>)> {
    let among = |marks: &[bool]| -> Vec<Applied<'a>> {
        let is_in = |id: &BrokerId| scope.cluster.broker_index(*id).is_some_and(|at| marks[at as usize]);
        (difference.values.iter())
            .map(|(value, brokers)| {
                (value.as_str(), brokers.iter().copied().filter(is_in).collect::<Vec<_>>())
            })
            .filter(|(_, brokers)| !brokers.is_empty())
            .collect()
    };
    let (sources, destinations) = (among(&scope.is_source), among(&scope.is_destination));
    let pairs = destinations.iter().flat_map(|found| sources.iter().map(move |held| (held, found)));
    pairs.filter(|(held, found)| held.0 != found.0).map(|(held, found)| (held.clone(), found.clone())).next()
}

/// Usable destinations of each zone.
fn rooms(scope: &Scope<'_>, topology: &Topology, refused: &Refused) -> Vec<Vec<u16>> {
    let mut rooms = vec![Vec::new(); topology.len()];
    for at in (0..scope.cluster.brokers.len() as u16).filter(|at| scope.is_destination[*at as usize]) {
        if !refused.unusable.contains(&at) {
            rooms[topology.zone(at) as usize].push(at);
        }
    }
    rooms
}

fn judge_partition(
    scope: &Scope<'_>,
    topology: &Topology,
    topic: &Topic,
    p: &Partition<'_>,
    usual: &Usual,
    rooms: &[Vec<u16>],
    refused: &mut Refused,
) {
    let cluster = scope.cluster;
    let mut say = |kind, reason: String, action: &str| {
        refused.add(p.index, refusal(scope, topic, p, kind, reason, action));
    };
    if p.leader.is_none() {
        say(RefusalKind::Offline, "it is offline: it has no leader".into(), "bring a replica of it back");
    }
    let is_lost = |at: &u16| scope.given_up.contains(&cluster.brokers[*at as usize].id);
    if p.leader.is_some() && p.replicas.iter().all(is_lost) {
        let reason = "all its replicas are on brokers that are out of service: no copy is left to copy from";
        say(RefusalKind::Offline, reason.into(), "bring one of them back");
    }
    if let Some(moving) = cluster.in_flight.get(&p.index) {
        let (adding, removing) = (show(&moving.adding), show(&moving.removing));
        let reason = format!("it is already moving: adding {adding}, removing {removing}");
        say(RefusalKind::AlreadyMoving, reason, "wait for its end and take a new snapshot");
    }
    let is_migration = matches!(scope.intent, Intent::Migrate { .. });
    let is_expanded = is_migration && usual.is_expanded(scope, p);
    if is_expanded && !cluster.in_flight.contains_key(&p.index) {
        let (list, factor) = (show(&cluster.ids(p.replicas)), usual.factor);
        let reason = format!(
            "{list} spans sources and destinations, where its topic's replication factor is {factor}: it looks \
             expanded by another plan"
        );
        say(RefusalKind::ExpandedElsewhere, reason, "finish or roll back that plan first");
    }
    // An expanded list holds the destinations that it would need.
    if !is_expanded && !scope.intent.sources().is_empty() {
        judge_rooms(scope, topology, p, rooms, say);
    }
}

pub(super) fn refusal(
    scope: &Scope<'_>,
    topic: &Topic,
    p: &Partition<'_>,
    kind: RefusalKind,
    reason: String,
    action: &str,
) -> Refusal {
    let way_past = match action {
        "" => exclude(&topic.name),
        action => format!("{action}, or {}", exclude(&topic.name)),
    };
    Refusal { kind, partition: Some(scope.cluster.name_of(p.index)), broker: None, reason, way_past }
}

/// A longer list would raise the effective min ISR, which Kafka caps at the length of the list.
fn judge_min_isr(scope: &Scope<'_>, topic: &Topic, p: &Partition<'_>, refused: &mut Refused) {
    let factor = p.replicas.len();
    let Some((min_isr, _)) = topic.min_isr.filter(|(min_isr, _)| *min_isr as usize > factor) else { return };
    let reason = format!(
        "min.insync.replicas is {min_isr} and it has {factor} replicas: expanding would block acks=all writes \
         until a copy joins"
    );
    let action = "set min.insync.replicas on the topic, raise its factor, or plan with --hold-min-isr";
    refused.add(p.index, refusal(scope, topic, p, RefusalKind::MinIsrAboveFactor, reason, action));
}

/// Whether each zone has destinations for the replicas that leave brokers there.
fn judge_rooms(
    scope: &Scope<'_>,
    topology: &Topology,
    p: &Partition<'_>,
    rooms: &[Vec<u16>],
    mut say: impl FnMut(RefusalKind, String, &str),
) {
    for (at, broker) in p.replicas.iter().enumerate().filter(|(_, b)| scope.is_source[**b as usize]) {
        let zone = topology.zone(*broker);
        let same_zone = |b: &&u16| scope.is_source[**b as usize] && topology.zone(**b) == zone;
        if p.replicas[..at].iter().any(|earlier| same_zone(&earlier)) {
            continue;
        }
        let needed = p.replicas.iter().filter(same_zone).count();
        let room = &rooms[zone as usize];
        let usable = room.iter().filter(|to| !p.replicas.contains(to)).count();
        if usable >= needed {
            continue;
        }
        let id = scope.cluster.brokers[*broker as usize].id;
        let (kind, reason) = if room.is_empty() {
            let reason =
                format!("no usable destination in zone {}, where broker {id} is", topology.name(zone));
            (RefusalKind::ZoneWithoutDestination, reason)
        } else {
            let reason = format!(
                "{needed} replicas leave brokers of zone {}, and {usable} of its usable destinations hold none of it",
                topology.name(zone)
            );
            (RefusalKind::TooFewDestinations, reason)
        };
        let action = match scope.intent {
            Intent::Migrate { .. } => "add brokers of that zone to --to",
            _ => "add brokers to that zone first",
        };
        say(kind, reason, action);
    }
}

/// What is usual for a topic: a partition with more looks expanded.
#[derive(Debug, Default)]
struct Usual {
    /// The smallest replication factor of its partitions, or half of it where all look expanded.
    factor: usize,
    all_expanded: bool,
}

impl Usual {
    /// A heuristic, from lists alone. A partition looks expanded if it has more replicas than another one of its
    /// topic; or, in zones and from four replicas on, if each list of the topic is one half on sources and one
    /// half on destinations, in the same zones: `O ++ K` or `K ++ O`.
    fn of(scope: &Scope<'_>, topology: &Topology, topic: &Topic) -> Usual {
        let factor = scope.cluster.partitions_of(topic).map(|p| p.replicas.len()).min().unwrap_or(0);
        let is_doubled = |p: Partition<'_>| {
            let (first, second) = p.replicas.split_at(p.replicas.len() / 2);
            let all = |half: &[u16], marks: &[bool]| half.iter().all(|b| marks[*b as usize]);
            let zones = |half: &[u16]| {
                let mut zones: Vec<u16> = half.iter().map(|b| topology.zone(*b)).collect();
                zones.sort_unstable();
                zones
            };
            let (source, destination) = (&scope.is_source, &scope.is_destination);
            let sides = all(first, source) && all(second, destination)
                || all(first, destination) && all(second, source);
            p.replicas.len() >= 4 && sides && zones(first) == zones(second)
        };
        let all_expanded = topology.is_zoned() && scope.cluster.partitions_of(topic).all(is_doubled);
        Usual { factor: if all_expanded { factor / 2 } else { factor }, all_expanded }
    }

    fn is_expanded(&self, scope: &Scope<'_>, p: &Partition<'_>) -> bool {
        let on_destination = || p.replicas.iter().any(|b| scope.is_destination[*b as usize]);
        self.all_expanded || p.replicas.len() > self.factor && on_destination()
    }
}
