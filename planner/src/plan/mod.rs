//! A plan is a value: what is asked, what moves where, what it costs, and the certificate of its price.

pub mod back;
pub(crate) mod impact;
mod intent;
pub mod moves;
mod pattern;

pub use impact::{BrokerImpact, Impact, PairBytes, Spread};
pub use intent::{Bands, Budget, Intent, LeaderMode, Measure, Pacing};
pub use moves::{Move, Moves, Step};
pub use pattern::{BadPattern, Pattern};

use serde::{Deserialize, Serialize};

use crate::model::{BrokerId, TopicId, TopicPartition};
use crate::rule::Rule;

/// A broker as a plan knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanBroker {
    /// Its id.
    pub id: BrokerId,
    /// Its `broker.rack` when the plan was made; `None` where it had none.
    pub rack: Option<String>,
    /// Its zone; `None` where the cluster has no zones (zone rules are then off).
    pub zone: Option<String>,
    /// Bytes that it may hold at most; `None` where unknown.
    pub limit_bytes: Option<u64>,
    /// Whether nothing may come to it and nothing may leave it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

/// A topic with partitions that move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanTopic {
    /// Its name.
    pub name: String,
    /// Its id when the plan was made: a topic of another id is another topic.
    pub id: TopicId,
    /// Whether Kafka flags it as internal.
    pub internal: bool,
    /// Effective `min.insync.replicas` when the plan was made; `None` where unknown.
    pub min_isr: Option<u32>,
    /// `min.insync.replicas` that the run sets on the topic while copies are added to it, because the effective
    /// value is above the replication factor and would grow with the list; `None` leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_min_isr: Option<u32>,
    /// Zones that its replicas may be in; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
}

/// A partition that the intent covers and the plan leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The partition.
    pub partition: TopicPartition,
    /// Source brokers that keep a replica of it.
    pub keeps: Vec<BrokerId>,
    /// Why.
    pub reason: String,
}

/// A config difference that a person accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedDifference {
    /// The config key.
    pub key: String,
    /// The topic.
    pub topic: String,
    /// Each value with the brokers that apply it.
    pub values: Vec<(String, Vec<BrokerId>)>,
}

/// Why no plan could have moved fewer bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Lower bound in bytes, of the known sizes: what any plan has to copy that does what was asked, or as much of it
    /// as this one does.
    pub bound_bytes: u64,
    /// Bytes that the plan copies, of the known sizes.
    pub moved_bytes: u64,
    /// Replicas that have to be copied and whose size is unknown; they count in neither figure.
    pub unknown_sizes: u64,
    /// Prices with which weak duality gives the bound, where no closed form gives a better one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    /// Of plans that even out leaders and nothing else: how few of them could change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaders: Option<LeaderProof>,
}

/// Why fewer changes of preferred leaders cannot even them out as far as a plan does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct LeaderProof {
    /// Preferred leaders that change.
    pub changes: u64,
    /// The fewest that can.
    pub bound: u64,
    /// The price of leading a partition on a broker, in changes; brokers that are not named have none.
    pub prices: Vec<(BrokerId, i64)>,
}

/// What a unit of a measure is worth on a broker, in 1/1,048,576 bytes: positive where it is dear to have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The broker.
    pub broker: BrokerId,
    /// The measure: replicas, bytes or write rate.
    pub measure: Measure,
    /// The price.
    pub price: i64,
}

impl Price {
    /// Prices are in this part of a byte.
    pub const SCALE: i64 = 1 << 20;
}

/// A plan; immutable. It holds no time, host, throttle or order: those are the run's pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The cluster that it is for.
    pub cluster_id: String,
    /// What was asked.
    pub intent: Intent,
    /// Whether a stage ends before the next begins.
    pub pacing: Pacing,
    /// Seed of its random choices.
    pub seed: u64,
    /// Every broker of the cluster, ordered by id.
    pub brokers: Vec<PlanBroker>,
    /// Rules that it keeps.
    pub rules: Vec<Rule>,
    /// Partitions whose start already breaks the zone rule: for them it is `NoWorse`.
    pub no_worse: Vec<TopicPartition>,
    /// Config differences that a person accepted.
    pub accepted_differences: Vec<AcceptedDifference>,
    /// Brokers that a person gave up.
    pub given_up: Vec<BrokerId>,
    /// What it leaves out.
    pub left_out: Vec<LeftOut>,
    /// Topics with moves, ordered by name.
    pub topics: Vec<PlanTopic>,
    /// The moves: internal topics last, then by topic name and partition.
    pub moves: Moves,
    /// Bytes per broker before, at the peak, and after.
    pub impact: Vec<BrokerImpact>,
    /// The certificate of its price.
    pub certificate: Certificate,
}

impl Plan {
    /// A plan that does nothing.
    pub fn empty(cluster_id: &str) -> Self {
        Plan {
            cluster_id: cluster_id.to_owned(),
            intent: Intent::Return { plan: String::new() },
            pacing: Pacing::Staged,
            seed: 0,
            brokers: vec![],
            rules: vec![],
            no_worse: vec![],
            accepted_differences: vec![],
            given_up: vec![],
            left_out: vec![],
            topics: vec![],
            moves: Moves::default(),
            impact: vec![],
            certificate: Certificate::default(),
        }
    }

    /// The topic of a move.
    pub fn topic_of(&self, m: &Move<'_>) -> &PlanTopic {
        &self.topics[m.topic as usize]
    }

    /// The originals of a move that its steps keep: `O minus N`, where `N` are the brokers that were given up.
    pub fn kept(&self, m: &Move<'_>) -> Vec<BrokerId> {
        moves::kept(m.from, &self.given_up)
    }

    /// The name of the partition that a move moves.
    pub fn partition_of(&self, m: &Move<'_>) -> TopicPartition {
        TopicPartition::new(self.topic_of(m).name.clone(), m.partition)
    }

    /// The position of the move of a partition.
    pub fn position_of(&self, partition: &TopicPartition) -> Option<usize> {
        let topic = self.topics.iter().position(|topic| topic.name == partition.topic)? as u32;
        self.moves.iter().position(|m| m.topic == topic && m.partition == partition.partition)
    }

    /// A broker of the plan.
    pub fn broker(&self, id: BrokerId) -> Option<&PlanBroker> {
        let at = self.brokers.binary_search_by_key(&id, |b| b.id).ok()?;
        self.brokers.get(at)
    }

    /// A broker's zone; `None` where the cluster has no zones or the broker is not in the plan.
    pub fn zone(&self, broker: BrokerId) -> Option<&str> {
        self.broker(broker)?.zone.as_deref()
    }

    /// Number of different zones of a list; brokers without a zone count as one zone together.
    pub fn count_zones(&self, list: &[BrokerId]) -> usize {
        let mut zones: Vec<Option<&str>> = list.iter().map(|broker| self.zone(*broker)).collect();
        zones.sort_unstable();
        zones.dedup();
        zones.len()
    }

    /// Whether any move has a step of this kind.
    pub fn has(&self, step: Step) -> bool {
        self.moves.iter().any(|m| m.has(step))
    }
}
