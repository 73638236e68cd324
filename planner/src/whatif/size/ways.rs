//! From today's brokers to those of a mix: which stay, which are new, and the plan.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bear::{Borne, Peak, bear};
use super::mix::Program;
use super::need::{at_horizon, brokers_of};
use super::{SizeError, Wish};
use crate::check::{self, At};
use crate::model::capacity::held_bytes;
use crate::model::watch::Watch;
use crate::model::{Broker, BrokerId, Cluster, LogDir, Rate, TopicPartition, Topology};
use crate::place::{self, Options, PlaceError, Placed, Refusal};
use crate::plan::{Bands, Budget, Intent, Measure, Plan};
use crate::whatif::load::{self, Resource, Terms};
use crate::whatif::rebuild::carried_out;

/// How a plan gets to a mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Today's brokers are the mix.
    Stay,
    /// All stay, and new ones get their share.
    Add,
    /// Some leave, and what they hold goes to new ones and to those that stay.
    Drain,
    /// All leave, and new ones take over.
    Migrate,
}

/// A broker that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewBroker {
    /// Its id: one after the largest of today.
    pub id: BrokerId,
    /// Its zone; `None` where brokers have none.
    pub zone: Option<String>,
    /// Its `broker.rack`: the racks of a zone in turn.
    pub rack: Option<String>,
    /// The name of its node type.
    pub node_type: String,
}

/// What mixes are placed for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub cluster: &'a Cluster,
    pub topology: &'a Topology,
    pub wish: &'a Wish,
    pub program: Program<'a>,
}

/// The brokers of today and of a mix together.
#[derive(Debug)]
pub(super) struct Crew {
    /// Today's cluster with the new brokers, all empty.
    pub cluster: Cluster,
    pub new: Vec<NewBroker>,
    pub leaving: Vec<BrokerId>,
    pub way: Way,
}

/// A way that leads there.
#[derive(Debug)]
pub(super) struct Gone {
    /// `None` where nothing has to change.
    pub plan: Option<Plan>,
    /// Today's cluster with the new brokers, for which the plan is.
    pub crew: Crew,
    /// Whether what the intent alone gives had to be evened out.
    pub evened: bool,
    pub borne: Borne,
}

/// Why a way leads nowhere.
#[derive(Debug)]
pub(super) enum Stuck {
    /// The planner refuses it.
    Refused(Vec<Refusal>),
    /// These brokers would be too full.
    Full(Vec<Peak>),
    /// Check does not accept the plan.
    Unsound(Vec<String>),
    /// So many brokers cannot be counted.
    TooMany(u64),
}

/// How far from their fair share new brokers may be, in 1/10,000.
const FAIR: u32 = 500;
/// How far brokers may be from it at least where all are evened out.
const EVEN: u32 = 50;
/// Disks are taken for so many times as large while something is placed that is evened out afterwards.
const LOOSE: u64 = 1_000;

impl Site<'_> {
    /// The brokers of a mix beside today's. Those of a type of the mix stay if `keep` says so, the fullest first: that
    /// moves the least.
    pub fn crew(&self, counts: &[Vec<u64>], keep: bool) -> Result<Crew, Stuck> {
        let mut cluster = self.cluster.clone();
        let held = held_bytes(&cluster);
        let (mut stays, mut new) = (vec![false; held.len()], Vec::new());
        let sum: u64 = counts.iter().flatten().sum::<u64>().saturating_add(held.len() as u64);
        let mut next = cluster.brokers.last().map_or(0, |broker| i64::from(broker.id.0)) + 1;
        if sum >= u64::from(u16::MAX) || next + sum as i64 > i64::from(i32::MAX) {
            return Err(Stuck::TooMany(sum));
        }
        for (zone, counts) in counts.iter().enumerate() {
            let here = brokers_of(self.topology, held.len(), zone as u16);
            let mut racks: Vec<Option<String>> =
                here.iter().map(|at| cluster.brokers[usize::from(*at)].rack.clone()).collect();
            racks.sort_unstable();
            racks.dedup();
            let mut rack = racks.into_iter().cycle();
            for (kind, count) in self.program.kinds.iter().zip(counts).filter(|(_, count)| **count > 0) {
                let is_such = |at: &usize| is_of(&cluster.brokers[*at], &kind.node.name);
                let mut kept: Vec<usize> = here.iter().map(|at| usize::from(*at)).filter(is_such).collect();
                kept.sort_by_key(|at| (std::cmp::Reverse(held[*at]), *at));
                kept.truncate(if keep { usize::try_from(*count).unwrap_or(usize::MAX) } else { 0 });
                for at in &kept {
                    stays[*at] = true;
                    cluster.brokers[*at].node = Some(kind.node.clone());
                }
                for _ in kept.len() as u64..*count {
                    let zone = self.topology.is_zoned().then(|| self.topology.name(zone as u16).to_owned());
                    let rack = rack.next().flatten();
                    let id = BrokerId(next as i32);
                    new.push(NewBroker { id, zone, rack, node_type: kind.node.name.clone() });
                    next += 1;
                }
            }
        }
        let leaving: Vec<BrokerId> =
            cluster.brokers.iter().zip(&stays).filter(|(_, stays)| !**stays).map(|(b, _)| b.id).collect();
        let way = match (stays.contains(&true), leaving.is_empty(), new.is_empty()) {
            (false, ..) => Way::Migrate,
            (_, true, true) => Way::Stay,
            (_, true, false) => Way::Add,
            (_, false, _) => Way::Drain,
        };
        cluster.brokers.extend(new.iter().map(|new| self.broker(new)));
        Ok(Crew { cluster, new, leaving, way })
    }

    fn broker(&self, new: &NewBroker) -> Broker {
        let kind = self.program.kinds.iter().find(|kind| kind.node.name == new.node_type);
        let disk = kind.map(|kind| kind.limit.disk);
        Broker {
            rack: new.rack.clone(),
            zone: new.zone.clone(),
            log_dirs: vec![LogDir {
                path: "/var/lib/kafka".into(),
                total_bytes: disk,
                usable_bytes: disk,
                offline: false,
            }],
            node: kind.map(|kind| kind.node.clone()),
            ..Broker::bare(new.id)
        }
    }

    /// Goes this way, and looks what every broker carries at the end. With `even`, what is placed is evened out further.
    ///
    /// # Errors
    /// [`SizeError`] if the options of the wish do not fit the cluster, else why the way leads nowhere.
    pub fn go(
        &self,
        crew: Crew,
        even: bool,
        watch: &mut dyn Watch,
    ) -> Result<Result<Gone, Stuck>, SizeError> {
        let placed =
            if even { self.evened(&crew, watch)? } else { self.placed(&crew, &crew.cluster, watch)? };
        let plan = match placed {
            Ok(placed) => placed.map(|placed| placed.plan),
            Err(stuck) => return Ok(Err(stuck)),
        };
        if let Some(plan) = &plan {
            let findings = check::judge(plan, &crew.cluster, At::Start).findings;
            if !findings.is_empty() {
                return Ok(Err(Stuck::Unsound(findings.iter().map(ToString::to_string).collect())));
            }
        }
        let end = match &plan {
            Some(plan) => carried_out(&crew.cluster, plan)?,
            None => crew.cluster.clone(),
        };
        let end = at_horizon(&end, remaining(&end, &crew.leaving), self.wish.grown)?;
        let borne = bear(&end, &Topology::of(&end)?, self.wish);
        if !borne.over.is_empty() {
            return Ok(Err(Stuck::Full(borne.over)));
        }
        Ok(Ok(Gone { plan, crew, evened: even, borne }))
    }

    /// What the way's intent gives.
    fn placed(&self, crew: &Crew, cluster: &Cluster, watch: &mut dyn Watch) -> Result<Answer, SizeError> {
        let (topics, exclude) = (vec![], vec![]);
        let new: Vec<BrokerId> = crew.new.iter().map(|new| new.id).collect();
        let intent = match crew.way {
            Way::Stay => return Ok(Ok(None)),
            Way::Add => Intent::Add { brokers: new, bands: bands(cluster, FAIR), topics, exclude },
            Way::Drain => {
                Intent::Drain { brokers: crew.leaving.clone(), replace_with: None, topics, exclude }
            }
            Way::Migrate => {
                let from = crew.leaving.clone();
                Intent::Migrate { from, to: new, topics, exclude, preserve_leaders: false }
            }
        };
        answer(place::plan(cluster, &intent, &self.wish.options, watch))
    }

    /// The same, and then as even as may be: as one plan that takes each partition to where both together put it.
    fn evened(&self, crew: &Crew, watch: &mut dyn Watch) -> Result<Answer, SizeError> {
        let loose = loosened(&crew.cluster);
        let first = match self.placed(crew, &loose, watch)? {
            Ok(Some(placed)) => carried_out(&loose, &placed.plan)?,
            Ok(None) => loose,
            Err(stuck) => return Ok(Err(stuck)),
        };
        let is_there = |broker: &Broker| crew.cluster.broker(broker.id).cloned();
        let brokers: Vec<Broker> = remaining(&first, &crew.leaving).iter().filter_map(is_there).collect();
        let pinned: Vec<BrokerId> =
            brokers.iter().map(|b| b.id).filter(|id| crew.leaving.binary_search(id).is_ok()).collect();
        let mut first = at_horizon(&first, brokers.clone(), self.wish.grown)?;
        let tolerance = tolerance(&first, self.wish);
        let largest = first.partitions().filter_map(|(_, p)| p.copy_bytes()).max().unwrap_or(0);
        first.brokers.iter_mut().for_each(|broker| self.limit(broker, largest));
        let (topics, exclude) = (vec![], vec![]);
        let intent =
            Intent::Rebalance { bands: bands(&first, tolerance), budget: Budget::default(), topics, exclude };
        let seed = self.wish.options.seed;
        let options = Options { pinned, hold_min_isr: true, rough: true, seed, ..Options::default() };
        let mut last = match answer(place::plan(&first, &intent, &options, watch))? {
            Ok(Some(placed)) => carried_out(&first, &placed.plan)?,
            // What does not fit stays as it was, and is too full.
            Ok(None) | Err(_) => first,
        };
        for (broker, real) in last.brokers.iter_mut().zip(brokers) {
            (broker.log_dirs, broker.node) = (real.log_dirs, real.node);
        }
        let over = bear(&last, &Topology::of(&last)?, self.wish).over;
        if !over.is_empty() {
            return Ok(Err(Stuck::Full(over)));
        }
        let partition = |topic: &str, number| TopicPartition::new(topic, number);
        let lists: Vec<(TopicPartition, Vec<BrokerId>)> =
            last.partitions().map(|(t, p)| (partition(&t.name, p.number), last.ids(p.replicas))).collect();
        answer(place::follow(&crew.cluster, &lists, &self.wish.options))
    }

    /// Lets a broker have only what may be used of its type. The planner keeps room for one more replica on every disk
    /// while it moves them: that may be in the headroom.
    fn limit(&self, broker: &mut Broker, largest: u64) {
        let name = broker.node.as_ref().map(|node| &node.name);
        let Some(kind) = self.program.kinds.iter().find(|kind| Some(&kind.node.name) == name) else { return };
        let disk = Some(kind.usable.disk.saturating_add(largest).min(kind.limit.disk));
        let dir = LogDir { path: String::new(), total_bytes: disk, usable_bytes: disk, offline: false };
        broker.log_dirs = vec![dir];
        if let Some(node) = &mut broker.node {
            node.network_bytes_per_second = Some(kind.usable.network);
            node.replicas = kind.usable.replicas.and_then(|replicas| u32::try_from(replicas).ok());
        }
    }
}

/// What the planner says: a plan, nothing to do, or why there is none.
type Answer = Result<Option<Placed>, Stuck>;

fn answer(placed: Result<Placed, PlaceError>) -> Result<Answer, SizeError> {
    match placed {
        Ok(placed) => Ok(Ok(Some(placed))),
        Err(PlaceError::Refused { refusals }) => Ok(Err(Stuck::Refused(refusals))),
        Err(error @ PlaceError::Usage { .. }) => Err(SizeError::Place(error)),
    }
}

/// Whether a broker is of this type and can stay.
fn is_of(broker: &Broker, name: &str) -> bool {
    let is_well = broker.serves() && broker.log_dirs.iter().all(|dir| !dir.offline);
    is_well && broker.node.as_ref().is_some_and(|node| node.name == name)
}

/// The brokers of a cluster without those that leave and hold nothing any more.
fn remaining(cluster: &Cluster, leaving: &[BrokerId]) -> Vec<Broker> {
    let mut holds = vec![false; cluster.brokers.len()];
    cluster.partitions().flat_map(|(_, p)| p.replicas).for_each(|at| holds[usize::from(*at)] = true);
    let stays = |(broker, holds): &(&Broker, bool)| *holds || leaving.binary_search(&broker.id).is_err();
    cluster.brokers.iter().zip(holds).filter(stays).map(|(broker, _)| broker.clone()).collect()
}

/// The same cluster with room for everything, disks in proportion to each other.
fn loosened(cluster: &Cluster) -> Cluster {
    let mut loose = cluster.clone();
    for broker in &mut loose.brokers {
        for bytes in broker.log_dirs.iter_mut().flat_map(|dir| [&mut dir.total_bytes, &mut dir.usable_bytes])
        {
            *bytes = bytes.map(|bytes| bytes.saturating_mul(LOOSE));
        }
        if let Some(node) = &mut broker.node {
            node.replicas = None;
        }
    }
    loose
}

/// How far from their fair share brokers of a cluster may be without one that is too full, in 1/10,000 and with a fifth to
/// spare: the less, the fuller their zones are.
fn tolerance(cluster: &Cluster, wish: &Wish) -> u32 {
    let terms = Terms { peak: wish.peak, headroom: wish.headroom };
    let mut sums: BTreeMap<(Option<String>, Resource), (u128, u128)> = BTreeMap::new();
    for load in load::loads(cluster, terms) {
        for resource in [Resource::Disk, Resource::NetworkIn, Resource::Replicas] {
            let of = load.of(resource);
            let Some(usable) = of.limit else { continue };
            let sum = sums.entry((load.zone.clone(), resource)).or_default();
            *sum = (sum.0 + u128::from(of.known), sum.1 + u128::from(usable));
        }
    }
    let slack = |(known, usable): &(u128, u128)| usable.saturating_sub(*known) * 8_000 / (*known).max(1);
    let least = sums.values().map(slack).min().unwrap_or(0);
    u32::try_from(least).unwrap_or(FAIR).clamp(EVEN, FAIR)
}

/// What is evened out: all that is known of replicas.
fn bands(cluster: &Cluster, tolerance: u32) -> Bands {
    let rates = (cluster.known_rates(Rate::Write) > 0).then_some(Measure::WriteRate);
    let measures: Vec<Measure> = [Measure::Replicas, Measure::Bytes].into_iter().chain(rates).collect();
    Bands::on(&measures, tolerance)
}
