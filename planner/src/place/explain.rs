//! The plan, and what a person should know about it.

use super::changes::Changes;
use super::refuse::Refused;
use super::scope::Scope;
use super::{Made, Options, Placed, room};
use crate::model::replicas::show;
use crate::model::{BrokerId, Cluster, Partition, Racks, Topic, TopicPartition, Topology, capacity};
use crate::plan::{
    BrokerImpact, Certificate, Intent, LeftOut, Move, Moves, Pacing, Plan, PlanBroker, PlanTopic, impact,
    moves,
};
use crate::rule::Rule;

/// Bytes as a person reads them, exact value included.
pub(super) fn bytes_text(bytes: u64) -> String {
    for (unit, size) in [("TB", 1_000_000_000_000u64), ("GB", 1_000_000_000), ("MB", 1_000_000)] {
        if bytes >= size {
            let tenths = u128::from(bytes) * 10 / u128::from(size);
            return format!("{}.{} {unit} ({bytes} bytes)", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

/// Moves on their way into a plan.
#[derive(Default)]
struct Draft {
    topics: Vec<PlanTopic>,
    moves: Moves,
    /// Partition index of each move.
    indexes: Vec<u32>,
    no_worse: Vec<TopicPartition>,
    certificate: Certificate,
    /// Partitions with a replica that is not in sync.
    lagging: usize,
    /// By broker index: replicas that leave.
    leaving: Vec<u32>,
}

/// Everything that [`super::plan`] answers.
pub(super) fn placed(
    scope: &Scope<'_>,
    topology: &Topology,
    made: Made,
    refused: Refused,
    options: &Options,
) -> Placed {
    let cluster = scope.cluster;
    let mut draft = draft(scope, topology, &made.changes, &refused);
    draft.certificate.bound_bytes = made.bound_bytes.unwrap_or(draft.certificate.moved_bytes);
    draft.certificate.prices = made.prices;
    draft.certificate.leaders = made.leaders;
    let impact = {
        let moved = draft.indexes.iter().enumerate().map(|(at, index)| (*index, draft.moves.get(at)));
        impact::tally(cluster, moved)
    };
    let limits = room::limits(cluster, &capacity::held_bytes(cluster));
    let brokers = cluster.brokers.iter().zip(&limits).zip(&scope.is_pinned);
    let brokers: Vec<PlanBroker> = brokers
        .map(|((broker, limit), pinned)| PlanBroker {
            id: broker.id,
            rack: broker.rack.clone(),
            zone: broker.zone.clone(),
            limit_bytes: *limit,
            pinned: *pinned,
        })
        .collect();
    let not_empty = not_empty(scope, &draft);
    let racks = Racks::of(cluster, topology);
    let matched_partitions = scope.partitions().count();
    let mut notes = notes(scope, topology, &draft, matched_partitions);
    notes.extend(near_limit(scope, &impact, &limits));
    notes.extend(crowded_racks(scope, &racks, &draft));
    notes.extend(made.notes);
    let plan = Plan {
        cluster_id: cluster.id.clone(),
        intent: scope.intent.clone(),
        pacing: options.pacing.unwrap_or(usual_pacing(scope.intent)),
        seed: options.seed,
        brokers,
        rules: Rule::of_plan(
            topology.is_zoned(),
            racks.are_finer().then_some(scope.intent.rack_policy()),
            scope.intent.spreads_topics(),
        ),
        no_worse: draft.no_worse,
        accepted_differences: refused.accepted.clone(),
        given_up: scope.given_up.clone(),
        left_out: left_out(scope, &refused),
        topics: draft.topics,
        moves: draft.moves,
        impact,
        certificate: draft.certificate,
    };
    Placed {
        plan,
        matched_topics: scope.covered.iter().filter(|covered| **covered).count(),
        matched_partitions,
        refusals: refused.list(),
        not_empty,
        notes,
    }
}

/// A migration is staged, so that a person can look before clients see anything; the rest goes partition by partition.
fn usual_pacing(intent: &Intent) -> Pacing {
    if matches!(intent, Intent::Migrate { .. }) { Pacing::Staged } else { Pacing::Pipelined }
}

fn draft(scope: &Scope<'_>, topology: &Topology, changes: &Changes, refused: &Refused) -> Draft {
    let cluster = scope.cluster;
    let mut draft = Draft { leaving: vec![0; cluster.brokers.len()], ..Draft::default() };
    let rows = || (0..changes.len() as u32).map(|row| (row, changes.partitions[row as usize]));
    let rows = || rows().filter(|(_, index)| !refused.has(*index));
    let mut last = None;
    for (_, index) in rows() {
        let topic = cluster.topic_of(index);
        if last != Some(topic.first) {
            last = Some(topic.first);
            draft.topics.push(plan_topic(topic));
        }
    }
    for internal in [false, true] {
        let mut number = 0;
        for (row, index) in rows() {
            let topic = cluster.topic_of(index);
            if topic.internal != internal {
                continue;
            }
            while draft.topics[number].name != topic.name {
                number += 1;
            }
            let list = changes.list(row);
            draft.add(scope, topology, number as u32, topic, &cluster.partition(index), list);
        }
    }
    // They were met in the order of moves.
    draft.no_worse.sort_unstable();
    draft
}

fn plan_topic(topic: &Topic) -> PlanTopic {
    PlanTopic {
        name: topic.name.clone(),
        id: topic.id,
        internal: topic.internal,
        min_isr: topic.min_isr.map(|(min_isr, _)| min_isr),
        hold_min_isr: None,
        zones: topic.zones.clone(),
    }
}

impl Draft {
    fn add(
        &mut self,
        scope: &Scope<'_>,
        topology: &Topology,
        number: u32,
        topic: &Topic,
        p: &Partition<'_>,
        list: &[u16],
    ) {
        let cluster = scope.cluster;
        let factor = p.replicas.len() as u32;
        let planned = &mut self.topics[number as usize];
        let (from, to) = (cluster.ids(p.replicas), cluster.ids(list));
        let copies = moves::added(&from, &to).len() as u64;
        if copies > 0 && planned.min_isr.is_some_and(|min_isr| min_isr > factor) {
            planned.hold_min_isr = Some(planned.hold_min_isr.map_or(factor, |held| held.min(factor)));
        }
        let bytes = p.copy_bytes();
        for broker in p.replicas.iter().filter(|broker| !list.contains(broker)) {
            self.leaving[*broker as usize] += 1;
        }
        match bytes {
            Some(bytes) => self.certificate.moved_bytes += bytes * copies,
            None => self.certificate.unknown_sizes += copies,
        }
        if topology.is_uneven(topic, p.replicas) {
            self.no_worse.push(TopicPartition::new(topic.name.clone(), p.number));
        }
        self.lagging += usize::from((0..p.replicas.len()).any(|at| !p.in_sync(at)));
        let leader = p.leader.filter(|leader| p.replicas.first() != Some(leader));
        self.indexes.push(p.index);
        self.moves.push(Move {
            topic: number,
            partition: p.number,
            from: &from,
            to: &to,
            bytes,
            leader: leader.map(|leader| cluster.brokers[leader as usize].id),
        });
    }
}

fn left_out(scope: &Scope<'_>, refused: &Refused) -> Vec<LeftOut> {
    let cluster = scope.cluster;
    let mut left: Vec<LeftOut> = refused
        .partitions()
        .map(|(index, refusals)| LeftOut {
            partition: cluster.name_of(index),
            keeps: (cluster.partition(index).replicas.iter())
                .map(|broker| cluster.brokers[*broker as usize].id)
                .filter(|id| scope.intent.sources().contains(id))
                .collect(),
            reason: refusals.iter().map(|refusal| refusal.reason.as_str()).collect::<Vec<_>>().join("; "),
        })
        .collect();
    let mut hidden: Vec<(&str, BrokerId)> = scope
        .emptied()
        .flat_map(|broker| broker.unseen.iter().map(|unseen| (unseen.topic.as_str(), broker.id)))
        .filter(|(topic, _)| scope.covers(topic))
        .collect();
    hidden.sort_unstable();
    for group in hidden.chunk_by(|a, b| a.0 == b.0) {
        left.push(LeftOut {
            partition: TopicPartition::new(group[0].0, UNSEEN),
            keeps: group.iter().map(|(_, broker)| *broker).collect(),
            reason: "a topic that we may not describe".into(),
        });
    }
    left
}

/// The partition number of a topic that is left out because it cannot be seen.
const UNSEEN: i32 = -1;

fn not_empty(scope: &Scope<'_>, draft: &Draft) -> Vec<(BrokerId, u32)> {
    if scope.intent.sources().is_empty() {
        return Vec::new();
    }
    let held = capacity::held_replicas(scope.cluster);
    (scope.cluster.brokers.iter().enumerate())
        .filter(|(at, _)| scope.is_source[*at])
        .map(|(at, broker)| {
            let hidden: u32 = broker.unseen.iter().map(|unseen| unseen.replicas).sum();
            (broker.id, (held[at] - draft.leaving[at]).saturating_add(hidden))
        })
        .filter(|(_, left)| *left > 0)
        .collect()
}

/// How many partitions end with more replicas in one rack than they might.
fn crowded_racks(scope: &Scope<'_>, racks: &Racks, draft: &Draft) -> Option<String> {
    let index = |id: &BrokerId| scope.cluster.broker_index(*id);
    let crowded = |list: &[BrokerId]| racks.crowded(&list.iter().filter_map(index).collect::<Vec<_>>());
    let is_worse = |m: &Move<'_>| racks.are_finer() && crowded(m.to) > crowded(m.from);
    let count = draft.moves.iter().filter(is_worse).count();
    (count > 0).then(|| {
        format!(
            "{count} partitions end with more replicas in one rack than they began with, where their zone has other racks: \
             no broker there could take one"
        )
    })
}

fn notes(scope: &Scope<'_>, topology: &Topology, draft: &Draft, matched: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if !topology.is_zoned() {
        notes.push(
            "no broker has a broker.rack: zone rules are OFF, and replicas may end in one failure domain"
                .into(),
        );
    }
    if matched == 0 && !scope.intent.sources().is_empty() {
        notes.push("nothing to move: no partition of the topics has a replica on a source broker".into());
    }
    if draft.moves.is_empty() && matched > 0 {
        notes.push("nothing to do: the cluster stands as asked".into());
    }
    for (id, why) in &scope.passed_over {
        notes.push(format!("broker {id} gets no copies: {why}"));
    }
    if !scope.given_up.is_empty() {
        notes.push(format!(
            "brokers {} are out of service and given up: their replicas are made from the other copies, and the brokers \
             must not come back before the plan has ended",
            show(&scope.given_up)
        ));
    }
    if draft.certificate.unknown_sizes > 0 {
        notes.push(format!(
            "{} copies have an unknown size: the bytes told are a lower bound, and limits may be exceeded unseen",
            draft.certificate.unknown_sizes
        ));
    }
    let tiered =
        draft.topics.iter().filter(|t| scope.cluster.topic(&t.name).is_some_and(|t| t.remote_storage));
    let tiered = tiered.count();
    if tiered > 0 {
        notes.push(format!(
            "{tiered} topics keep segments in remote storage: their bytes are those on the brokers' disks, which is what a \
             new replica copies"
        ));
    }
    if !draft.no_worse.is_empty() {
        notes.push(format!(
            "{} partitions break the zone rule at the start and keep their zones: {}",
            draft.no_worse.len(),
            first_names(&draft.no_worse)
        ));
    }
    if draft.lagging > 0 {
        notes.push(format!(
            "{} partitions have a replica that is not in sync: each waits until it is",
            draft.lagging
        ));
    }
    let silent: Vec<BrokerId> =
        (scope.emptied()).filter(|b| !b.serves() && !scope.given_up.contains(&b.id)).map(|b| b.id).collect();
    if !silent.is_empty() {
        notes.push(format!(
            "source brokers {} are fenced or did not answer: their partitions wait until they are back",
            show(&silent)
        ));
    }
    let moves_data = !matches!(scope.intent, Intent::Leaders { .. });
    let unknown: Vec<BrokerId> = (scope.destinations())
        .filter(|b| moves_data && capacity::volumes(b).is_none())
        .map(|b| b.id)
        .collect();
    if !unknown.is_empty() {
        notes.push(format!(
            "the capacity of destinations {} is unknown: no limit is kept there",
            show(&unknown)
        ));
    }
    let unheard: Vec<BrokerId> =
        scope.sources().chain(scope.destinations()).filter(|b| b.listeners.is_none()).map(|b| b.id).collect();
    if !unheard.is_empty() {
        notes.push(format!("the listeners of brokers {} are unknown and were not compared", show(&unheard)));
    }
    notes
}

fn first_names(partitions: &[TopicPartition]) -> String {
    let names: Vec<String> = partitions.iter().take(5).map(ToString::to_string).collect();
    let more = if partitions.len() > names.len() { ", …" } else { "" };
    names.join(", ") + more
}

/// Destinations that get close to their limits.
fn near_limit(scope: &Scope<'_>, impact: &[BrokerImpact], limits: &[Option<u64>]) -> Vec<String> {
    let cluster: &Cluster = scope.cluster;
    (cluster.brokers.iter().enumerate())
        .filter(|(at, _)| scope.is_destination[*at])
        .filter_map(|(at, broker)| {
            let (peak, limit) = (impact[at].peak, limits[at]?);
            let close = impact[at].peak > impact[at].before && u128::from(peak) * 10 > u128::from(limit) * 9;
            close.then(|| {
                format!(
                    "destination {} gets close to its limit: {} at the peak, and {} fit",
                    broker.id,
                    bytes_text(peak),
                    bytes_text(limit)
                )
            })
        })
        .collect()
}
