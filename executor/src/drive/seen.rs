//! What a look at the cluster gives.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::read::{ClusterView, PartitionView, Reassignment, Resource, TopicView};
use restow_planner::model::BrokerId;

use super::Moment;
use super::health::Dir;
use super::standing::Standing;
use crate::journal::ConfigKey;

/// What one tick read.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Topics that were asked for by name.
    pub topics: Vec<TopicView>,
    /// Their partitions that another broker shows differently, by topic: one of the two tells old news.
    pub doubtful: BTreeMap<String, BTreeSet<i32>>,
    /// Every in-flight reassignment of the cluster.
    pub reassignments: Vec<Reassignment>,
    /// The far view, when it was due.
    pub far: Option<Far>,
    /// Probes of moves.
    pub probes: BTreeMap<u32, Probe>,
    /// Brokers that replied to any request of this tick.
    pub answered: BTreeSet<BrokerId>,
    /// Brokers that were asked and did not reply.
    pub silent: BTreeSet<BrokerId>,
    /// Configs that were read: set to a value on the resource itself, or not.
    pub configs: BTreeMap<ConfigKey, Option<String>>,
    /// Resources that do not exist (any more).
    pub gone: BTreeSet<Resource>,
}

/// The whole cluster.
#[derive(Debug, Clone)]
pub struct Far {
    /// Its brokers.
    pub cluster: ClusterView,
    /// All its topics.
    pub topics: Vec<TopicView>,
    /// Effective `min.insync.replicas` by topic name.
    pub min_isr: BTreeMap<String, u32>,
    /// Log directories of brokers that get copies.
    pub dirs: BTreeMap<BrokerId, Vec<Dir>>,
}

/// Log end offsets of one partition's replicas, each asked of its own broker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    /// The leader's high watermark, read before the others.
    pub high_watermark: Option<i64>,
    /// Each replica's own log end offset, where its broker answered for this partition and epoch.
    pub log_end: BTreeMap<BrokerId, i64>,
    /// Bytes that the leader holds, where they were asked for and told.
    pub bytes: Option<u64>,
}

/// A partition as last observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When.
    pub at: Moment,
    /// Its replica list.
    pub replicas: Vec<BrokerId>,
    /// Its in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Its leader.
    pub leader: Option<BrokerId>,
    /// The leader epoch.
    pub epoch: i32,
    /// Where its move stands.
    pub standing: Standing,
    /// Originals that it has dropped, because a person gave them up.
    pub dropped: Vec<BrokerId>,
    /// Since when, without a break, the leader is `K[0]` and all of `K` is in the ISR.
    pub steady: Option<Moment>,
}

impl Observed {
    /// Whether nothing has changed, nothing is in flight, and the list is one of ours.
    pub(super) fn is_still(&self, p: &PartitionView) -> bool {
        matches!(self.standing, Standing::Settled(_))
            && (self.leader, self.epoch) == (p.leader, p.leader_epoch)
            && self.replicas == p.replicas
            && self.isr == p.isr
    }

    /// It was looked at again and is as it was; `to` is the list at the end of its move.
    pub(super) fn stay(&mut self, to: &[BrokerId], at: Moment) {
        let is_steady = self.leader == Some(to[0]) && to.iter().all(|id| self.isr.contains(id));
        (self.at, self.steady) = (at, is_steady.then(|| self.steady.unwrap_or(at)));
    }
}

/// What is known of a move's partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing yet.
    Unseen,
    /// Its topic or partition is gone.
    Gone,
    /// Its topic was deleted and created again.
    Recreated,
    /// As observed.
    At(Box<Observed>),
}

/// A broker as this process saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BrokerSeen {
    /// When it last replied.
    pub answered: Option<Moment>,
    /// Since when it has not replied to what it was asked.
    pub silent: Option<Moment>,
    /// Whether the cluster says that it is fenced or does not list it.
    pub fenced: bool,
}
