//! What is asked.

use serde::{Deserialize, Serialize};

use crate::model::BrokerId;
use crate::rule::Policy;

/// What a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verb", deny_unknown_fields)]
pub enum Intent {
    /// Every replica on a `from` broker goes to a `to` broker of the same zone.
    Migrate {
        /// Brokers to leave.
        from: Vec<BrokerId>,
        /// Brokers to go to.
        to: Vec<BrokerId>,
        /// Only topics whose whole name matches one of these patterns; all if empty.
        topics: Vec<String>,
        /// No topics whose whole name matches one of these patterns.
        exclude: Vec<String>,
        /// Each new replica takes the place of the one that it replaces, and leaders are not balanced.
        preserve_leaders: bool,
    },
    /// Every replica on these brokers goes to others of its zone, and nothing else moves.
    Drain {
        /// Brokers to empty; those that are out of service are given up.
        brokers: Vec<BrokerId>,
        /// The one that gets all of it; any broker in service if `None`.
        replace_with: Option<BrokerId>,
        /// As for a migration.
        topics: Vec<String>,
        /// As for a migration.
        exclude: Vec<String>,
    },
    /// New brokers get their fair share, from those that have the most. Nothing goes to any other broker.
    Add {
        /// The new brokers.
        brokers: Vec<BrokerId>,
        /// What is shared out, and how evenly.
        bands: Bands,
        /// As for a migration.
        topics: Vec<String>,
        /// As for a migration.
        exclude: Vec<String>,
    },
    /// Every broker in service comes within the bands around its fair share.
    Rebalance {
        /// What is evened out, and how evenly.
        bands: Bands,
        /// How much may be done for it.
        budget: Budget,
        /// As for a migration.
        topics: Vec<String>,
        /// As for a migration.
        exclude: Vec<String>,
    },
    /// Every partition gets this many replicas.
    SetFactor {
        /// The replication factor.
        factor: u32,
        /// As for a migration.
        topics: Vec<String>,
        /// As for a migration.
        exclude: Vec<String>,
    },
    /// Replicas of a partition are spread over zones, and those on dead brokers are made again.
    Repair {
        /// As for a migration.
        topics: Vec<String>,
        /// As for a migration.
        exclude: Vec<String>,
    },
    /// Preferred leaders change; no data moves.
    Leaders {
        /// What is sought.
        mode: LeaderMode,
        /// Brokers that are to lead nothing that another replica can lead.
        demote: Vec<BrokerId>,
        /// As for a migration.
        topics: Vec<String>,
        /// As for a migration.
        exclude: Vec<String>,
    },
    /// An assignment that somebody else made, in steps.
    Follow {
        /// Partitions that it names.
        named: u64,
        /// Of them, those that stand there already.
        standing: u64,
    },
    /// Back to where partitions stood before a plan was shrunk: written by `restow rollback`.
    Return {
        /// Hash of the plan that is taken back.
        plan: String,
    },
}

impl Intent {
    /// Brokers that the intent empties.
    pub fn sources(&self) -> &[BrokerId] {
        match self {
            Intent::Migrate { from, .. } => from,
            Intent::Drain { brokers, .. } => brokers,
            _ => &[],
        }
    }

    /// Brokers that the intent goes to; none where it names none.
    pub fn destinations(&self) -> &[BrokerId] {
        match self {
            Intent::Migrate { to, .. } => to,
            Intent::Drain { replace_with, .. } => replace_with.as_slice(),
            Intent::Add { brokers, .. } => brokers,
            _ => &[],
        }
    }

    /// The patterns of topics that it is about and of those that it is not, where it has any.
    pub fn patterns(&self) -> Option<(&[String], &[String])> {
        match self {
            Intent::Migrate { topics, exclude, .. }
            | Intent::Drain { topics, exclude, .. }
            | Intent::Add { topics, exclude, .. }
            | Intent::Rebalance { topics, exclude, .. }
            | Intent::SetFactor { topics, exclude, .. }
            | Intent::Repair { topics, exclude }
            | Intent::Leaders { topics, exclude, .. } => Some((topics, exclude)),
            Intent::Follow { .. } | Intent::Return { .. } => None,
        }
    }

    /// How strictly replicas are spread over the racks of a zone: one that need not move never crowds a rack; one that
    /// must, where its zone has no other place.
    pub fn rack_policy(&self) -> Policy {
        match self {
            Intent::Rebalance { .. } | Intent::Add { .. } => Policy::NoWorse,
            _ => Policy::Prefer,
        }
    }

    /// Whether replicas may leave their zones for the sake of evenness.
    pub fn crosses_zones(&self) -> bool {
        matches!(self, Intent::Rebalance { bands, .. } | Intent::Add { bands, .. } if bands.across_zones)
    }

    /// Whether no topic must be crowded.
    pub fn spreads_topics(&self) -> bool {
        matches!(self, Intent::Rebalance { bands, .. } | Intent::Add { bands, .. } if bands.spread_topics)
    }
}

/// Something that brokers have more or less of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Replicas.
    Replicas,
    /// Bytes of replicas, each counted as a new copy of it would be.
    Bytes,
    /// Bytes/s that producers write, on every replica.
    WriteRate,
    /// Partitions whose preferred leader it is.
    Leaders,
    /// Bytes/s that consumers read from the leader.
    ReadRate,
}

/// What is evened out, and how evenly.
///
/// The fair share of a broker is the sum over the brokers in service of its zone (leaders and reads, and where replicas
/// may leave their zones all: of the cluster) in proportion to capacity. Its band goes from that share less the tolerance to that share plus it, and always holds
/// the whole numbers on both sides of the share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// What is evened out, in order.
    pub measures: Vec<Measure>,
    /// How far from the fair share, in 1/10,000 of it.
    pub tolerance: u32,
    /// Whether topics must not be crowded: the rule [`TopicSpread`](crate::rule::What::TopicSpread).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spread_topics: bool,
    /// Whether replicas may leave their zones: a share is then one of the whole cluster.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub across_zones: bool,
}

impl Bands {
    /// Bands on these measures, and no other rule.
    pub fn on(measures: &[Measure], tolerance: u32) -> Self {
        Bands { measures: measures.to_vec(), tolerance, spread_topics: false, across_zones: false }
    }
}

/// How much may be done; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Bytes to copy.
    pub bytes: Option<u64>,
    /// Replicas to copy.
    pub moves: Option<u64>,
    /// Preferred leaders that change.
    pub leader_changes: Option<u64>,
    /// Replicas to copy to, and from, one broker.
    pub moves_per_broker: Option<u64>,
}

impl Budget {
    /// Whether it limits what is copied.
    pub fn limits_copies(&self) -> bool {
        self.bytes.is_some() || self.moves.is_some() || self.moves_per_broker.is_some()
    }
}

/// What a change of leaders seeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaderMode {
    /// Even counts with the fewest changes.
    Minimal,
    /// Few changes until no broker sends more than this above its fair share, in 1/1,000.
    Within(u32),
    /// The most even, whatever changes.
    Best,
    /// Only what is demoted changes.
    Keep,
}

/// Whether a stage of all moves ends before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pacing {
    /// Expand all, then swap all, then shrink all, with a gate before swap and before shrink.
    Staged,
    /// Each move goes through its steps on its own.
    Pipelined,
}
