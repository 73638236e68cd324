//! Config differences lose data: a destination that cleans sooner than the broker it takes over from.

use std::ops::Range;

use super::book::Book;
use super::{Promise, Verdict};
use crate::model::{BrokerId, Cluster, ConfigDifference, TopicPartition};
use crate::plan::AcceptedDifference;

const PREFIXES: [&str; 4] = ["retention.", "local.retention.", "segment.", "message.timestamp."];
const KEYS: [&str; 6] = [
    "cleanup.policy",
    "min.insync.replicas",
    "max.message.bytes",
    "compression.type",
    "unclean.leader.election.enable",
    "remote.storage.enable",
];

fn is_watched(key: &str) -> bool {
    KEYS.contains(&key) || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// A set of brokers of the book.
#[derive(Debug, Default)]
struct Brokers(Vec<u64>);

impl Brokers {
    fn add(&mut self, at: u32) {
        let word = at as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (at % 64);
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let bits = |(word, bits): (usize, &u64)| {
            let bits = *bits;
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word as u32 * 64 + bit)
        };
        self.0.iter().enumerate().flat_map(bits)
    }
}

/// Between which brokers a topic moves.
#[derive(Debug)]
struct Reach {
    differences: Range<usize>,
    first: i32,
    holders: Brokers,
    destinations: Brokers,
}

/// Collects, for every topic with differences, which brokers take over from which.
#[derive(Debug)]
pub(super) struct Configs {
    topics: Vec<Option<Reach>>,
    holders: Brokers,
    destinations: Brokers,
}

impl Configs {
    /// Nothing moved yet.
    pub fn new(cluster: &Cluster) -> Self {
        let mut at = 0;
        let all = &cluster.config_differences;
        let topics = (cluster.topics.iter())
            .map(|topic| {
                at += all[at..].partition_point(|difference| difference.topic < topic.name);
                let len = all[at..].partition_point(|difference| difference.topic == topic.name);
                let differences = at..at + len;
                differences.clone().any(|at| is_watched(&all[at].key)).then(|| Reach {
                    differences,
                    first: -1,
                    holders: Brokers::default(),
                    destinations: Brokers::default(),
                })
            })
            .collect();
        Configs { topics, holders: Brokers::default(), destinations: Brokers::default() }
    }

    /// Counts a move of a partition: `added` takes over from `removed`, or where nothing is removed from `from`.
    pub fn add(&mut self, topic: usize, partition: i32, from: &[u32], removed: &[u32], added: &[u32]) {
        let holders = if removed.is_empty() { from } else { removed };
        if added.is_empty() {
            return;
        }
        holders.iter().for_each(|at| self.holders.add(*at));
        added.iter().for_each(|at| self.destinations.add(*at));
        if let Some(reach) = &mut self.topics[topic] {
            if reach.first < 0 {
                reach.first = partition;
            }
            holders.iter().for_each(|at| reach.holders.add(*at));
            added.iter().for_each(|at| reach.destinations.add(*at));
        }
    }

    /// Brokers that get copies.
    pub fn destinations(&self) -> impl Iterator<Item = u32> + '_ {
        self.destinations.iter()
    }

    /// Says which differences nobody accepted.
    pub fn judge(
        &self,
        book: &Book<'_>,
        cluster: &Cluster,
        accepted: &[AcceptedDifference],
        verdict: &mut Verdict,
    ) {
        for (topic, reach) in cluster.topics.iter().zip(&self.topics) {
            let Some(reach) = reach.as_ref().filter(|reach| reach.first >= 0) else { continue };
            for difference in &cluster.config_differences[reach.differences.clone()] {
                if !is_watched(&difference.key) {
                    continue;
                }
                let Some(clash) = clash(book, reach, difference) else { continue };
                let as_accepted = accepted.iter().any(|a| {
                    a.key == difference.key
                        && a.topic == topic.name
                        && same_values(book, reach, a, difference)
                });
                if as_accepted {
                    continue;
                }
                let key = &difference.key;
                let message = format!(
                    "{key} is {:?} on broker {} and {:?} on broker {}, so its copies would be kept by another rule: \
                     set it on the topic, or accept it with --accept-config-diff {key}",
                    clash.held, clash.holder, clash.found, clash.destination
                );
                let partition = TopicPartition::new(topic.name.clone(), reach.first);
                verdict.add(Promise::Config, Some(partition), Some(clash.destination), message);
            }
        }
        self.judge_listeners(book, cluster, verdict);
    }

    fn judge_listeners(&self, book: &Book<'_>, cluster: &Cluster, verdict: &mut Verdict) {
        let listeners = |at: u32| {
            let broker = &cluster.brokers[book.entry(at).at_cluster? as usize];
            broker.listeners.as_ref()
        };
        let mut needed: Vec<(&str, BrokerId)> = (self.holders.iter())
            .flat_map(|at| listeners(at).into_iter().flatten().map(move |name| (name.as_str(), book.id(at))))
            .collect();
        needed.sort_unstable();
        needed.dedup_by_key(|(name, _)| *name);
        for at in self.destinations.iter() {
            let Some(has) = listeners(at) else { continue };
            for (name, source) in needed.iter().filter(|(name, _)| !has.iter().any(|own| own == name)) {
                let message = format!(
                    "broker {source} advertises listener {name:?} and this broker does not: clients of that listener \
                     would lose their partitions"
                );
                verdict.add(Promise::Config, None, Some(book.id(at)), message);
            }
        }
    }
}

struct Clash<'a> {
    holder: BrokerId,
    held: &'a str,
    destination: BrokerId,
    found: &'a str,
}

/// The value that each broker of the book applies, where it is known.
fn applied<'a>(book: &Book<'_>, values: &'a [(String, Vec<BrokerId>)]) -> Vec<Option<&'a str>> {
    let mut of = vec![None; book.entries.len()];
    for (value, brokers) in values {
        for at in brokers.iter().filter_map(|id| book.at(*id)) {
            of[at as usize] = Some(value.as_str());
        }
    }
    of
}

/// The first destination that applies another value than a holder.
fn clash<'a>(book: &Book<'_>, reach: &Reach, difference: &'a ConfigDifference) -> Option<Clash<'a>> {
    let of = applied(book, &difference.values);
    let mut holders: Vec<(&str, u32)> =
        reach.holders.iter().filter_map(|at| of[at as usize].map(|value| (value, at))).collect();
    holders.sort_unstable();
    holders.dedup_by_key(|(value, _)| *value);
    reach.destinations.iter().find_map(|at| {
        let found = of[at as usize]?;
        let (held, holder) = holders.iter().find(|(held, _)| *held != found)?;
        Some(Clash { holder: book.id(*holder), held, destination: book.id(at), found })
    })
}

/// Whether what was accepted is what is there now, on the brokers concerned.
fn same_values(book: &Book<'_>, reach: &Reach, a: &AcceptedDifference, now: &ConfigDifference) -> bool {
    let (then, now) = (applied(book, &a.values), applied(book, &now.values));
    reach.holders.iter().chain(reach.destinations.iter()).all(|at| then[at as usize] == now[at as usize])
}
