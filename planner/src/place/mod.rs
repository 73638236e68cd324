//! From what is asked to a plan: which broker gets which replica, and which replica leads.
//!
//! ```text
//! scope      which brokers, topics and partitions the intent means; wrong flags end here
//! refuse     what must not be moved now, per partition and per broker: all of it, never the first only
//!
//! migrate, drain:      construct  a destination in the same zone for every replica that leaves
//!                      scales     which broker is next: topics are spread first, then counts are even, then bytes
//!                      balance    swaps of equals until bytes are even too; counts and topics stay as they are
//! add, rebalance:      even       bands around fair shares, for as few bytes as they allow, and a bound on them
//! set-rf, repair:      factor     replicas added and dropped one by one; seats: the best broker for one more
//! leaders, rebalance:  lead       preferred leaders; leaders: an exact flow, and two searches over what they send
//! follow:              follow     somebody else's lists
//!
//! shares     fair shares and the bands around them
//! layout     all replica lists; changes: those of the partitions that change
//! room       limits: what does not fit is moved elsewhere or refused
//! explain    notes, what stays behind, and the plan
//! ```
//!
//! In a migration or a drain each replica's replacement stands in its position and its zone. So the zones of a list,
//! their order, and the zone that leads never change, and every list of every step lies in the zones of its start.

mod balance;
mod changes;
mod construct;
mod even;
mod explain;
mod factor;
mod follow;
mod layout;
mod lead;
mod leaders;
mod refuse;
mod room;
mod scales;
mod scope;
mod seats;
mod shares;
mod zones;

use serde::Serialize;

pub use follow::Assignment;
pub use leaders::{EvenLeaders, even_leaders};
pub use zones::map_zones;

use crate::model::watch::Watch;
use crate::model::{BrokerId, Cluster, NoTopology, TopicPartition, Topology};
use crate::plan::{Intent, LeaderProof, Pacing, Plan, Price};

/// How to plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Config keys whose differences between sources and destinations a person accepts
    /// (`--accept-config-diff`).
    pub accept_differences: Vec<String>,
    /// Plan the rest and list what is refused (`--leave-out-refused`).
    pub leave_out_refused: bool,
    /// Move partitions whose `min.insync.replicas` is above their replication factor, under a topic override of
    /// that factor while copies are added (`--hold-min-isr`). They are refused otherwise.
    pub hold_min_isr: bool,
    /// Brokers that nothing comes to and nothing leaves (`--pin-brokers`). Who leads there may change.
    pub pinned: Vec<BrokerId>,
    /// Whether stages wait for each other; by the intent if `None`.
    pub pacing: Option<Pacing>,
    /// Seed of random choices; it is written into the plan. A migration makes none.
    pub seed: u64,
    /// Even out without a search for the fewest bytes: where all is copied in any case.
    pub rough: bool,
}

/// A plan with what a person should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The plan.
    pub plan: Plan,
    /// Topics that the patterns match.
    pub matched_topics: usize,
    /// Partitions of those topics that have a replica on a source broker.
    pub matched_partitions: usize,
    /// What was refused and left out; empty unless [`Options::leave_out_refused`].
    pub refusals: Vec<Refusal>,
    /// Source brokers that still hold replicas after the plan, and how many: left out, not asked for, or of
    /// topics that cannot be seen.
    pub not_empty: Vec<(BrokerId, u32)>,
    /// What is no refusal and should be read.
    pub notes: Vec<String>,
}

/// Why something must not be moved now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// What kind of reason.
    pub kind: RefusalKind,
    /// The partition, if it is about one.
    pub partition: Option<TopicPartition>,
    /// The broker, if it is about one.
    pub broker: Option<BrokerId>,
    /// What was found.
    pub reason: String,
    /// The flag or the action that gets past it.
    pub way_past: String,
}

/// The kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// Other brokers have a zone and this one has none.
    NoZone,
    /// The controller fenced a destination.
    DestinationFenced,
    /// A destination did not answer.
    DestinationSilent,
    /// A log directory of a destination is offline.
    DestinationDirOffline,
    /// A destination lacks a listener that sources advertise.
    MissingListener,
    /// A source holds a topic that we may not describe.
    UnseenTopic,
    /// A destination applies another value of a config key than a source.
    ConfigDifference,
    /// The partition has no leader.
    Offline,
    /// The partition is already being reassigned.
    AlreadyMoving,
    /// The partition looks expanded by another plan.
    ExpandedElsewhere,
    /// Its min ISR is above its replication factor.
    MinIsrAboveFactor,
    /// No usable destination in the zone of a replica.
    ZoneWithoutDestination,
    /// Fewer usable destinations in a zone than replicas that go there.
    TooFewDestinations,
    /// A destination would hold more than fits at its peak.
    Overflow,
    /// A replica would have to leave a pinned broker.
    Pinned,
}

impl RefusalKind {
    /// Whether the rest can be planned without what is refused.
    pub fn can_be_left_out(self) -> bool {
        !matches!(self, RefusalKind::NoZone | RefusalKind::MissingListener)
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// A flag does not fit the cluster (exit 2).
    #[error("{flag}: {found}; {accepted}")]
    Usage {
        /// The flag.
        flag: String,
        /// What was found.
        found: String,
        /// What would be accepted.
        accepted: String,
    },
    /// Something must not be moved now (exit 3).
    #[error("refused for {} reasons, the first: {}", .refusals.len(), .refusals.first().map_or("", |r| &r.reason))]
    Refused {
        /// All of it.
        refusals: Vec<Refusal>,
    },
}

impl PlaceError {
    fn usage(flag: &str, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        PlaceError::Usage { flag: flag.into(), found: found.into(), accepted: accepted.into() }
    }
}

/// The plan for an intent. The same input gives the same plan.
///
/// # Errors
/// [`PlaceError::Usage`] if the intent does not fit the cluster, [`PlaceError::Refused`] with everything that
/// must not be moved now.
pub fn plan(
    cluster: &Cluster,
    intent: &Intent,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Placed, PlaceError> {
    let scope = scope::Scope::of(cluster, intent, options)?;
    let topology = Topology::of(cluster).map_err(|error| lack_zones(&error))?;
    let mut refused = refuse::all(&scope, &topology, options);
    let made = match intent {
        Intent::Rebalance { .. } | Intent::Add { .. } => {
            even::plan(&scope, &topology, options.rough, &mut refused, watch)?
        }
        Intent::SetFactor { factor, .. } => factor::set(&scope, &topology, *factor, &mut refused, watch),
        Intent::Leaders { mode, demote, .. } => lead::plan(&scope, *mode, demote, &mut refused, watch)?,
        Intent::Repair { .. } => factor::repair(&scope, &topology, &mut refused, watch),
        _ => replace(&scope, &topology, &mut refused, watch),
    };
    finish(&scope, &topology, made, refused, options)
}

/// The plan that takes an assignment of somebody else in steps. The lists are taken as they are: what is wrong with them
/// is for [`crate::check`] to say.
///
/// # Errors
/// As [`plan`]: an assignment that does not fit the cluster, and partitions that must not be moved now.
pub fn follow(cluster: &Cluster, assignment: &Assignment, options: &Options) -> Result<Placed, PlaceError> {
    let named = assignment.len() as u64;
    let made = follow::plan(cluster, assignment)?;
    let intent = Intent::Follow { named, standing: named - made.changes.len() as u64 };
    let scope = scope::Scope::of(cluster, &intent, options)?;
    let topology = Topology::of(cluster).map_err(|error| lack_zones(&error))?;
    let mut refused = refuse::all(&scope, &topology, options);
    refused.keep_partitions(&made.changes.partitions);
    finish(&scope, &topology, made, refused, options)
}

fn finish(
    scope: &scope::Scope<'_>,
    topology: &Topology,
    made: Made,
    refused: refuse::Refused,
    options: &Options,
) -> Result<Placed, PlaceError> {
    if !refused.is_empty() && (!options.leave_out_refused || !refused.can_be_left_out()) {
        return Err(PlaceError::Refused { refusals: refused.list() });
    }
    let placed = explain::placed(scope, topology, made, refused, options);
    let overfull = room::overfull(scope.cluster, &placed.plan);
    if overfull.is_empty() { Ok(placed) } else { Err(PlaceError::Refused { refusals: overfull }) }
}

/// What an intent comes to.
#[derive(Debug, Default)]
struct Made {
    changes: changes::Changes,
    /// Bytes that have to be copied in any case; all that are copied if `None`.
    bound_bytes: Option<u64>,
    prices: Vec<Price>,
    leaders: Option<LeaderProof>,
    notes: Vec<String>,
}

/// Every replica on a source is replaced in its place and its zone.
fn replace(
    scope: &scope::Scope<'_>,
    topology: &Topology,
    refused: &mut refuse::Refused,
    watch: &mut dyn Watch,
) -> Made {
    let mut target = construct::Target::new(scope, topology, refused);
    let steps = target.zones() as u64;
    for zone in 0..target.zones() {
        watch.phase("place", zone as u64, steps);
        target.place(zone, watch);
    }
    room::fit(&mut target, refused);
    room::keep_counts(&target, refused);
    watch.phase("place", steps, steps);
    Made { changes: target.changes, ..Made::default() }
}

fn lack_zones(error: &NoTopology) -> PlaceError {
    let NoTopology::SomeLack { without, total } = error;
    let refusal = |broker: &BrokerId| Refusal {
        kind: RefusalKind::NoZone,
        partition: None,
        broker: Some(*broker),
        reason: format!(
            "broker {broker} has no broker.rack, as {} of {total} brokers: spreading over zones would be a guess",
            without.len()
        ),
        way_past: format!("--zone {broker}=ZONE, or --map-zone OLD=NEW where only names differ"),
    };
    PlaceError::Refused { refusals: without.iter().map(refusal).collect() }
}

#[cfg(test)]
mod tests;
