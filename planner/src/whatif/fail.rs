//! What a loss does: who leads then, what is offline, what is under its min ISR, and who carries the load.
//!
//! A partition whose leader is lost is led by the first replica of its list that is in sync and lives
//! (`PartitionChangeBuilder` and `PartitionStateMachine` of Kafka alike, unclean elections off); without one it is
//! offline. Nothing is copied: what survives holds the bytes that it held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::load::{BrokerLoad, Counting, Resource, Terms, Use};
use crate::model::{BrokerId, Cluster, Partition, Topic};

/// What can be lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lost {
    /// One broker.
    Broker(BrokerId),
    /// All brokers of a zone.
    Zone(String),
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Lost::Broker(id) => write!(f, "broker {id}"),
            Lost::Zone(zone) => write!(f, "zone {zone}"),
        }
    }
}

/// Partitions of a topic that do not work as they should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: u32,
    /// Of them, without a leader.
    pub offline: u32,
    /// Of the others, with fewer in-sync replicas than min ISR: producers with `acks=all` are refused.
    pub under_min_isr: u32,
}

/// Leaders that go from one broker to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Who led; `None`: nobody did.
    pub from: Option<BrokerId>,
    /// Who leads; `None`: nobody does.
    pub to: Option<BrokerId>,
    /// Partitions.
    pub partitions: u32,
}

/// What one loss would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What is lost.
    pub lost: Lost,
    /// Partitions that have no leader then.
    pub offline: u32,
    /// Partitions with a leader and fewer in-sync replicas than min ISR.
    pub under_min_isr: u32,
    /// The broker whose network out is the fullest then: `None` where no limit is known.
    pub fullest: Option<(BrokerId, u64)>,
}

/// Partitions that have no leader, or too few in-sync replicas, by topic.
pub fn troubles(cluster: &Cluster) -> Vec<Trouble> {
    let of_topic = |topic: &Topic| {
        let (mut offline, mut under) = (0, 0);
        for p in cluster.partitions_of(topic) {
            let [is_offline, is_under] = standing(topic, &p, p.leader, p.isr.count_ones());
            (offline, under) = (offline + u32::from(is_offline), under + u32::from(is_under));
        }
        let (topic, partitions) = (topic.name.clone(), topic.partitions);
        Trouble { topic, partitions, offline, under_min_isr: under }
    };
    cluster.topics.iter().map(of_topic).filter(|t| t.offline + t.under_min_isr > 0).collect()
}

/// Whether so many in-sync replicas are too few. A list that is shorter than min ISR needs all of its replicas
/// (`Partition.effectiveMinIsr` of Kafka).
fn is_under(topic: &Topic, p: &Partition<'_>, in_sync: u32) -> bool {
    topic.min_isr.is_some_and(|(min, _)| in_sync < min.min(p.replicas.len() as u32))
}

/// Whether a partition is offline, and whether it is led and under its min ISR.
fn standing(topic: &Topic, p: &Partition<'_>, leader: Option<u16>, in_sync: u32) -> [bool; 2] {
    [leader.is_none(), leader.is_some() && is_under(topic, p, in_sync)]
}

/// The first replica of the list that is in sync and on a broker that `lives`.
fn successor(p: &Partition<'_>, lives: impl Fn(u16) -> bool) -> Option<u16> {
    let mut replicas = p.replicas.iter().enumerate();
    replicas.find(|(at, broker)| p.in_sync(*at) && lives(**broker)).map(|(_, broker)| *broker)
}

/// Takes brokers (by index) out of service, and tells where leaders go. They keep their place in every list.
pub fn lose(cluster: &mut Cluster, lost: &[u16]) -> Vec<Shift> {
    for at in lost {
        let broker = &mut cluster.brokers[usize::from(*at)];
        (broker.answered, broker.fenced) = (false, Some(true));
    }
    let counting = Counting::of(cluster, Terms::default());
    let lives = |broker: u16| counting.serves(broker);
    let mut sums: BTreeMap<(Option<u16>, Option<u16>), u32> = BTreeMap::new();
    for index in 0..cluster.partition_count() as u32 {
        let p = cluster.partition(index);
        if p.replicas.iter().all(|broker| lives(*broker)) {
            continue;
        }
        let leader = p.leader.filter(|leader| lives(*leader)).or_else(|| successor(&p, lives));
        let in_sync = (0..p.replicas.len()).filter(|at| p.in_sync(*at) && lives(p.replicas[*at]));
        let isr = in_sync.fold(0, |mask, at| mask | 1u32 << at);
        if p.leader != leader {
            *sums.entry((p.leader, leader)).or_default() += 1;
        }
        cluster.set_standing(index, leader, isr);
    }
    let id = |at: Option<u16>| at.map(|at| cluster.brokers[usize::from(at)].id);
    sums.into_iter()
        .map(|((from, to), partitions)| Shift { from: id(from), to: id(to), partitions })
        .collect()
}

/// Every loss of one broker that serves, or of one zone, the worst first: most partitions offline, then most under their
/// min ISR, then the fullest broker. `loads` are those of this cluster on these terms.
pub fn cases(cluster: &Cluster, each_zone: bool, loads: &[BrokerLoad], terms: Terms) -> Vec<Case> {
    let counting = Counting::of(cluster, terms);
    let (groups, of) = groups(cluster, each_zone, &counting);
    let mut tally = Tally::new(groups.len(), cluster);
    let mut touched: Vec<u16> = Vec::new();
    for (topic, p) in cluster.partitions() {
        touched.clear();
        touched.extend(p.replicas.iter().filter(|at| counting.serves(**at)).map(|at| of[usize::from(*at)]));
        let live = touched.len();
        touched.sort_unstable();
        touched.dedup();
        for group in &touched {
            let lives = |broker: u16| counting.serves(broker) && of[usize::from(broker)] != *group;
            let leader = p.leader.filter(|leader| lives(*leader)).or_else(|| successor(&p, lives));
            let in_sync = (0..p.replicas.len()).filter(|at| p.in_sync(*at) && lives(p.replicas[*at])).count();
            let before = standing(topic, &p, p.leader, p.isr.count_ones());
            let after = standing(topic, &p, leader, in_sync as u32);
            let case = &mut tally.cases[usize::from(*group)];
            *case = [0, 1].map(|at| case[at] + i64::from(after[at]) - i64::from(before[at]));
            let left = p.replicas.iter().filter(|broker| lives(**broker)).count();
            let sends = |followers: usize| counting.sent(&p, followers).known;
            if let Some(old) = p.leader.filter(|old| lives(*old)) {
                tally.add(*group, old, -i128::from(sends(live.saturating_sub(1))));
            }
            if let Some(new) = leader {
                tally.add(*group, new, i128::from(sends(left.saturating_sub(1))));
            }
        }
    }
    let mut cases: Vec<Case> = (groups.into_iter().enumerate())
        .map(|(at, lost)| {
            let [offline, under_min_isr] = tally.cases[at].map(|count| u32::try_from(count).unwrap_or(0));
            let survives = |broker: usize| counting.serves(broker as u16) && usize::from(of[broker]) != at;
            Case { lost, offline, under_min_isr, fullest: tally.fullest(at, loads, survives) }
        })
        .collect();
    let weight = |case: &Case| (case.offline, case.under_min_isr, case.fullest.map(|(_, part)| part));
    cases.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.lost.cmp(&b.lost)));
    cases
}

/// What can be lost, and by broker index which of it a broker belongs to.
fn groups(cluster: &Cluster, each_zone: bool, counting: &Counting) -> (Vec<Lost>, Vec<u16>) {
    let name = |at: usize| {
        let broker = &cluster.brokers[at];
        match (each_zone, &broker.zone) {
            (true, Some(zone)) => Lost::Zone(zone.clone()),
            _ => Lost::Broker(broker.id),
        }
    };
    let mut groups: Vec<Lost> =
        (0..cluster.brokers.len()).filter(|at| counting.serves(*at as u16)).map(name).collect();
    groups.sort();
    groups.dedup();
    let none = groups.len();
    let of = (0..cluster.brokers.len()).map(|at| groups.binary_search(&name(at)).unwrap_or(none) as u16);
    let of = of.collect();
    (groups, of)
}

/// Sums over all partitions, for each case.
struct Tally {
    brokers: usize,
    /// Offline, and under min ISR: those of the cluster, and what the case adds.
    cases: Vec<[i64; 2]>,
    /// By case and broker: by how much its network out changes.
    out: Vec<i128>,
}

impl Tally {
    fn new(cases: usize, cluster: &Cluster) -> Self {
        let each = cluster.partitions().map(|(topic, p)| standing(topic, &p, p.leader, p.isr.count_ones()));
        let now = each.fold([0; 2], |sum, one| [0, 1].map(|at| sum[at] + i64::from(one[at])));
        let brokers = cluster.brokers.len();
        Tally { brokers, cases: vec![now; cases], out: vec![0; cases * brokers] }
    }

    fn add(&mut self, case: u16, broker: u16, change: i128) {
        self.out[usize::from(case) * self.brokers + usize::from(broker)] += change;
    }

    /// The survivor whose network out is the fullest, and how full, in 1/10,000.
    fn fullest(
        &self,
        case: usize,
        loads: &[BrokerLoad],
        survives: impl Fn(usize) -> bool,
    ) -> Option<(BrokerId, u64)> {
        let part = |at: usize| {
            let used = loads[at].of(Resource::NetworkOut);
            if used.known == 0 && used.unknown > 0 {
                return None;
            }
            let sum = i128::from(used.known) + self.out[case * self.brokers + at];
            let known = u64::try_from(sum.max(0)).unwrap_or(u64::MAX);
            Some((Use { known, ..*used }.part()?, std::cmp::Reverse(loads[at].broker)))
        };
        let fullest = (0..loads.len()).filter(|at| survives(*at)).filter_map(part).max();
        fullest.map(|(part, broker)| (broker.0, part))
    }
}
