//! An independent verdict on a plan: whoever checks did not choose.
//!
//! Nothing here is shared with the planner but the model and the plain data of a plan. The lists of section 3,
//! the bytes per broker and the certificate are derived again, by other code, from the snapshot and the intent.
//!
//! - [`judge`] takes a plan and a cluster, [`judge_plan_alone`] a plan without one;
//! - [`judge_assignment`] takes what other tools write: one list per partition, reached in one step;
//! - [`judge_steps`] takes the lists that somebody else derived for one move, a file of an export for instance.
//!
//! Every verdict holds all findings. A problem of a whole topic is one finding, on the first partition of it that
//! moves; a problem of a broker is one finding that names the broker.

mod asked;
mod assignment;
mod book;
mod certificate;
mod config;
mod crowd;
mod even;
mod leaders;
mod live;
mod moves;
mod racks;
mod safety;
mod shape;
mod weight;

use std::fmt;

use crate::model::{BrokerId, Cluster, TopicPartition};
use crate::plan::{Plan, Step};

/// What a finding is about: a promise of the design, or a condition that a plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// A replica list is ordered, distinct, non-empty.
    P1,
    /// Every step follows section 3, each partition moves once, and moves stand in their order.
    P2,
    /// Zone rules hold in every list of every step.
    P3,
    /// The replication factor never falls too low.
    P4,
    /// Bytes stay within limits, and the plan's figures for each broker are right.
    P5,
    /// The certificate is right.
    P6,
    /// Every prefix of the plan can be rolled back to the exact start, order included.
    P7,
    /// The moves are what the intent asks for: no more, no less.
    Intent,
    /// Plan and cluster do not belong together.
    Cluster,
    /// A config or listener difference that nobody accepted.
    Config,
    /// A broker or partition is in a state that refuses the move.
    Ready,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Promise::P1 => "P1",
            Promise::P2 => "P2",
            Promise::P3 => "P3",
            Promise::P4 => "P4",
            Promise::P5 => "P5",
            Promise::P6 => "P6",
            Promise::P7 => "P7",
            Promise::Intent => "intent",
            Promise::Cluster => "cluster",
            Promise::Config => "config",
            Promise::Ready => "ready",
        })
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is broken.
    pub promise: Promise,
    /// Where; for a whole topic its first partition that moves.
    pub partition: Option<TopicPartition>,
    /// The broker concerned.
    pub broker: Option<BrokerId>,
    /// What was found and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.promise)?;
        if let Some(partition) = &self.partition {
            write!(f, " {partition}")?;
        }
        if let Some(broker) = self.broker {
            write!(f, " broker {broker}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What the judge says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// How many partitions were judged.
    pub partitions: usize,
    /// How many replica lists were judged, those of the start included.
    pub lists: usize,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn accepted(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(
        &mut self,
        promise: Promise,
        partition: Option<TopicPartition>,
        broker: Option<BrokerId>,
        message: String,
    ) {
        self.findings.push(Finding { promise, partition, broker, message });
    }
}

/// Which moment of a plan's life the cluster shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The snapshot that the plan was made from. Every moved partition stands at `from`, nothing of it is in
    /// flight, and every byte figure of the plan (sizes, impact, certificate) equals the recount.
    Start,
    /// A later moment: before the run with newer sizes, or a run under way. Each partition stands in a known
    /// state of section 3; sizes may have grown, so that figures are judged against each other, and limits
    /// against the sizes of now. Partitions that appeared since are no finding.
    ///
    /// Brokers and topics come and go while a run is under way: [`Promise::Ready`] and [`Promise::Cluster`]
    /// findings that carry a partition or a broker are then matter for holds, and for refusal only before it.
    Anywhere,
}

/// The verdict on a plan for this cluster.
///
/// If the cluster is another one than the plan names, that is said and the plan is judged alone.
pub fn judge(plan: &Plan, cluster: &Cluster, at: At) -> Verdict {
    if plan.cluster_id != cluster.id {
        let mut verdict = judge_plan_alone(plan);
        let message = format!(
            "the plan is for cluster {:?} and this is cluster {:?}: plan again for this cluster",
            plan.cluster_id, cluster.id
        );
        verdict
            .findings
            .insert(0, Finding { promise: Promise::Cluster, partition: None, broker: None, message });
        return verdict;
    }
    moves::Judge::new(plan, Some((cluster, at))).run()
}

/// The verdict on a plan without its cluster: P1 to P4, P7, the intent, and that its figures agree with each other.
pub fn judge_plan_alone(plan: &Plan) -> Verdict {
    moves::Judge::new(plan, None).run()
}

/// The verdict on an assignment that another tool made: each partition goes in one step from its list in the
/// cluster to the list given here.
pub fn judge_assignment(cluster: &Cluster, lists: &[(TopicPartition, Vec<BrokerId>)]) -> Verdict {
    assignment::judge(cluster, lists)
}

/// A lower bound on the changes of preferred leaders after which every broker leads as many partitions as its
/// bounds allow (fewest, most; by broker index), from any prices of a leader at each broker. Brokers that may not
/// lead keep no partition that has another replica which may.
///
/// Where it equals the changes of some choice of leaders, no choice has fewer.
pub fn fewest_leader_changes(
    cluster: &Cluster,
    may_lead: &[bool],
    bounds: &[(u32, u32)],
    potentials: &[i64],
) -> i128 {
    let lists = cluster.partitions().map(|(_, p)| (p.replicas, true));
    leaders::fewest(lists, may_lead, potentials, bounds)
}

/// The verdict on lists that somebody derived for the move `from -> to`: each step with the list after it.
///
/// Judged by what the steps must be (originals a prefix, one set in a swap, the target a prefix before the
/// shrink), not by comparing with a second derivation.
pub fn judge_steps(
    partition: &TopicPartition,
    from: &[BrokerId],
    to: &[BrokerId],
    steps: &[(Step, Vec<BrokerId>)],
) -> Verdict {
    let mut verdict = Verdict { partitions: 1, lists: steps.len() + 1, ..Verdict::default() };
    for list in [from, to].into_iter().chain(steps.iter().map(|(_, list)| list.as_slice())) {
        if let Err(wrong) = shape::replica_list(list) {
            let message = format!("{wrong}: {}", crate::model::replicas::show(list));
            verdict.add(Promise::P1, Some(partition.clone()), None, message);
        }
    }
    if verdict.accepted() {
        let lists = steps.iter().map(|(step, list)| (*step, list.as_slice()));
        for (promise, message) in shape::chain(from, to, lists) {
            verdict.add(promise, Some(partition.clone()), None, message);
        }
    }
    verdict
}
