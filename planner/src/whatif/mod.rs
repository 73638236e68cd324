//! Questions about a cluster that is not there yet: edits of a snapshot, placed and checked, and what they come to.
//!
//! ```text
//! edit      what is asked: one grammar for flags and for scenario files
//! world     edits on a cluster, one after the other: layout, grow, and plans that follow from them
//! plans     each made by the planner, judged by check, carried out on the cluster at hand
//! rebuild   a cluster made anew
//! fail      what a loss does; every loss at once, for the worst
//! load      what each broker carries
//! growth    growth over time in integers; first: what breaks first
//! size      the cheapest nodes that hold a cluster
//! ```
//!
//! Nothing here is divided where it could be placed: after every edit that moves data the real partitions stand on
//! real brokers, in lists that passed [`check`](crate::check). What is unknown is counted apart and is never zero.

mod answer;
mod breaks;
mod edit;
mod fail;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod grow;
pub mod growth;
mod layout;
mod load;
mod plans;
mod rebuild;
pub mod size;
#[cfg(test)]
mod tests;
mod world;

pub use answer::{Answer, Answered, Answers, Break, Cost, MOST, Price, State, Time, Unknown};
pub use edit::{Edit, KINDS, Kind, Then, edit};
pub use fail::{Case, Lost, Shift, Trouble};
pub use grow::By;
pub use load::{Amount, BrokerLoad, Resource, Terms, Use, loads};

use std::cmp::Reverse;

use crate::file::FileError;
use crate::file::scenarios::{EditRow, ScenarioRow};
use crate::model::watch::Watch;
use crate::model::{BadCluster, BrokerId, Cluster, NodeType, Partition, UNKNOWN_SIZE};
use crate::place::{PlaceError, Refusal};
use growth::Fits;
use world::World;

/// An edit as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// What it means.
    pub edit: Edit,
    /// How it was typed: `--lose-zone az-b`.
    pub text: String,
    /// Line of the scenario file, from 1; 0 for a flag.
    pub line: usize,
}

/// Edits in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The edits.
    pub edits: Vec<Typed>,
}

/// What holds for every scenario.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting<'a> {
    /// Node types beside those of the cluster's brokers.
    pub types: &'a [NodeType],
    /// Growth that was fitted to several snapshots.
    pub fits: Option<&'a Fits>,
    /// Bytes/s per broker and direction at which copies are made: with it, plans tell their time.
    pub throttle: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhatifError {
    /// An edit does not fit the cluster.
    #[error("{found}; expected {accepted}")]
    Edit {
        /// What was found.
        found: String,
        /// What would be accepted.
        accepted: String,
    },
    /// Nothing can be placed so.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Nothing that was asked can be placed.
    #[error("{what}: all of {partitions} partitions are refused{}", first(.refusals))]
    Nothing {
        /// What was asked.
        what: String,
        /// Partitions.
        partitions: u64,
        /// Why, one by one.
        refusals: Vec<Refusal>,
    },
    /// Brokers that go cannot be emptied.
    #[error("brokers {brokers} cannot be emptied: {partitions} partitions have no other place{}", first(.refusals))]
    Stay {
        /// The brokers.
        brokers: String,
        /// Partitions that stay.
        partitions: u64,
        /// Why, one by one.
        refusals: Vec<Refusal>,
    },
    /// A plan did not pass check: a defect.
    #[error("the plan for {what} does not pass check: {finding}")]
    Check {
        /// What it was for.
        what: String,
        /// What check found.
        finding: String,
    },
    /// The cluster is more than can be counted.
    #[error("the cluster cannot be so: {0}")]
    Cluster(#[from] BadCluster),
}

fn first(refusals: &[Refusal]) -> String {
    refusals.first().map_or_else(String::new, |refusal| format!(", the first since {}", refusal.reason))
}

impl WhatifError {
    fn edit(found: String, accepted: impl Into<String>) -> Self {
        WhatifError::Edit { found, accepted: accepted.into() }
    }
}

impl Scenario {
    /// A scenario of a file.
    ///
    /// # Errors
    /// The first key that is no edit, or value that is none, with its line.
    pub fn of_row(row: &ScenarioRow, file: &str) -> Result<Scenario, FileError> {
        let typed = |own: &EditRow| {
            let place = format!("{}.{}", row.name, own.key);
            let edit = edit(&own.key, &own.value).map_err(|reason| FileError {
                file: file.into(),
                line: own.line,
                place,
                reason,
            })?;
            Ok(Typed { edit, text: format!("{} {}", own.key, own.value).trim_end().into(), line: own.line })
        };
        let edits = row.edits.iter().map(typed).collect::<Result<_, _>>()?;
        Ok(Scenario { name: row.name.clone(), edits })
    }
}

/// The answer to a scenario. The same input gives the same answer.
///
/// # Errors
/// The edit that does not fit (by its position), or what cannot be placed after it.
pub fn answer(
    cluster: &Cluster,
    scenario: &Scenario,
    setting: &Setting<'_>,
    watch: &mut dyn Watch,
) -> Result<Answer, (usize, WhatifError)> {
    let mut world = World::new(cluster, scenario, setting);
    for (at, typed) in scenario.edits.iter().enumerate() {
        world.step(&typed.edit, watch).map_err(|error| (at, error))?;
    }
    // What is left to do follows from these.
    let asks = |typed: &Typed| matches!(typed.edit, Edit::Remove(_) | Edit::Zones(_));
    let last = scenario.edits.iter().rposition(asks).unwrap_or(0);
    world.settle(watch).map_err(|error| (last, error))?;
    let before = state(cluster, world.terms, 0, &[]);
    let after = state(&world.cluster, world.terms, world.horizon.unwrap_or(0), &world.gone);
    let breaks = breaks::of(&world, &after);
    let waiting = waiting(&world.cluster);
    if waiting > 0 && !world.plans.costs.is_empty() {
        world.notes.push(format!(
            "{waiting} partitions are not led by their preferred leader: an election, which brokers hold by themselves \
             (auto.leader.rebalance.enable), moves their load there"
        ));
    }
    let mut shifts = world.shifts;
    shifts.sort_by_key(|shift| (Reverse(shift.partitions), shift.from, shift.to));
    shifts.truncate(MOST);
    Ok(Answer {
        price: price(cluster, &world.cluster, &world.gone),
        unknown: unknown(&world.cluster, &after),
        before,
        after,
        lost: world.lost,
        cases: world.cases,
        shifts,
        costs: world.plans.costs,
        breaks,
        notes: world.notes,
    })
}

/// Partitions that another replica leads though their preferred leader is in sync and serves.
fn waiting(cluster: &Cluster) -> usize {
    let is_ready = |p: &Partition<'_>| p.in_sync(0) && cluster.brokers[usize::from(p.replicas[0])].serves();
    let led = cluster.partitions().filter(|(_, p)| p.leader.is_some_and(|leader| leader != p.replicas[0]));
    led.filter(|(_, p)| is_ready(p)).count()
}

/// A state of a cluster, without the brokers that went.
fn state(cluster: &Cluster, terms: Terms, day: u32, gone: &[BrokerId]) -> State {
    let mut brokers = loads(cluster, terms);
    brokers.retain(|broker| !gone.contains(&broker.broker));
    let mut troubles = fail::troubles(cluster);
    let sum = |of: fn(&Trouble) -> u32| troubles.iter().map(of).sum();
    let (offline, under_min_isr) = (sum(|t| t.offline), sum(|t| t.under_min_isr));
    troubles.sort_by(|a, b| {
        let weight = |t: &Trouble| (t.offline, t.under_min_isr);
        weight(b).cmp(&weight(a)).then_with(|| a.topic.cmp(&b.topic))
    });
    troubles.truncate(MOST);
    State { day, brokers, partitions: cluster.partition_count() as u32, offline, under_min_isr, troubles }
}

fn price(before: &Cluster, after: &Cluster, gone: &[BrokerId]) -> Price {
    let of = |cluster: &Cluster, gone: &[BrokerId]| {
        let stay = || cluster.brokers.iter().filter(|broker| !gone.contains(&broker.id));
        let each = || stay().map(|broker| broker.node.as_ref().and_then(|node| node.price_per_month));
        let sum = each().flatten().fold(0u64, u64::saturating_add);
        (sum, each().filter(Option::is_none).count() as u32)
    };
    let ((before, unknown_before), (after, unknown_after)) = (of(before, &[]), of(after, gone));
    Price { before, after, unknown_before, unknown_after }
}

fn unknown(cluster: &Cluster, after: &State) -> Unknown {
    let mut unknown = Unknown { partitions: cluster.partition_count() as u64, ..Unknown::default() };
    let serves = |at: &&u16| cluster.brokers[usize::from(**at)].serves();
    for (topic, p) in cluster.partitions() {
        unknown.min_isr += u64::from(topic.min_isr.is_none());
        let sizes = p.replicas.iter().zip(p.sizes).filter(|(at, _)| serves(at));
        unknown.sizes += sizes.filter(|(_, size)| **size == UNKNOWN_SIZE).count() as u64;
        unknown.write_rates += u64::from(p.write_rate.is_none());
        unknown.read_rates += u64::from(p.read_rate.is_none());
        unknown.request_rates += u64::from(p.request_rate.is_none());
    }
    let serving = || after.brokers.iter().filter(|broker| broker.serves);
    unknown.disks = serving().filter(|broker| broker.disk.limit.is_none()).count() as u32;
    unknown.networks = serving().filter(|broker| broker.network_out.limit.is_none()).count() as u32;
    unknown
}
