//! The cheapest brokers that a cluster needs: how many of which node type in each zone, and a plan to get there.
//!
//! ```text
//! need    what each zone has to carry, in normal operation and after each loss of another zone
//! mix     the integer program of a zone; the best mixes of types, and the best single types
//! cover   the program itself: a proved bound, and the cheapest whole numbers
//! settle  the real partitions placed on a mix by the planner; one more node where they do not divide as sums do
//! ways    the plans from today's brokers to a mix: keeping what can stay, or replacing all
//! bear    what every broker carries at the end, in each operation
//! ```
//!
//! Sums lie: partitions are not divisible, and a mix that is large enough as a sum may be too small for each way to
//! place them. So every mix that is offered was placed: the planner made the plan, [`check`](crate::check) accepted it, and every broker
//! stays within what may be used of it in every operation that is to be survived. Where that takes more nodes than the
//! program says, the answer tells which broker was too full.
//!
//! Units: bytes, bytes/s, hundredths of the currency a month. What is not known counts nothing and is told apart
//! ([`Unknown`]).

mod bear;
mod cover;
mod mix;
mod need;
mod settle;
#[cfg(test)]
mod tests;
mod ways;

use serde::Serialize;

pub use bear::{Operation, Peak};
pub use mix::{Binding, Fill, Part};
pub use need::{Loss, Need, Unknown, Without, ZoneNeed};
pub use settle::{More, Placing, Settled};
pub use ways::{NewBroker, Way};

use crate::model::watch::Watch;
use crate::model::{BadCluster, Cluster, NoTopology, NodeType, TopicPartition, Topology};
use crate::place::{Options, PlaceError};

/// What must be survived without a broker above what may be used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Survive {
    /// Nothing.
    None,
    /// The loss of any one broker: the others of its zone are enough for the traffic of the zone. Nothing is copied, so
    /// disks and replicas stay as they are.
    Broker,
    /// That, and the loss of any one zone: the others carry its leaders and their readers.
    Zone,
}

impl Survive {
    fn broker(self) -> bool {
        self >= Survive::Broker
    }

    fn zone(self) -> bool {
        self >= Survive::Zone
    }
}

/// What the brokers are to be enough for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What must be survived.
    pub survive: Survive,
    /// The part of disk, network and replica limit of every broker that stays free, in 1/10,000.
    pub headroom: u32,
    /// What sizes and rates are multiplied with at the horizon, in millionths: 1,400,000 is 40 % more.
    pub grown: u64,
    /// The peak over the mean of all rates, in 1/1,000.
    pub peak: u32,
    /// Whether all brokers are to be of one type.
    pub same_type: bool,
    /// How many mixes are wanted, at most.
    pub offers: usize,
    /// How to plan.
    pub options: Options,
}

impl Default for Wish {
    /// Zone loss survived, a quarter free, no growth, no peaks, three mixes.
    fn default() -> Self {
        Wish {
            survive: Survive::Zone,
            headroom: 2_500,
            grown: 1_000_000,
            peak: 1_000,
            same_type: false,
            offers: 3,
            options: Options::default(),
        }
    }
}

/// The most that load may be multiplied with, in millionths: a thousand.
const MOST_GROWN: u64 = 1_000_000_000;
/// The highest peak over the mean, in 1/1,000.
const MOST_PEAK: u32 = 1_000_000;

impl Wish {
    fn judge(&self) -> Result<(), SizeError> {
        let wish = |what, found: u64, accepted: String| Err(SizeError::Wish { what, found, accepted });
        if self.headroom >= 10_000 {
            return wish("headroom", self.headroom.into(), "0 to 9,999 of 10,000".into());
        }
        if !(1..=MOST_GROWN).contains(&self.grown) {
            return wish("growth", self.grown, format!("1 to {MOST_GROWN} millionths"));
        }
        if !(1_000..=MOST_PEAK).contains(&self.peak) {
            return wish("peak over mean", self.peak.into(), format!("1,000 to {MOST_PEAK} of 1,000"));
        }
        if self.offers == 0 {
            return wish("number of mixes", 0, "1 or more".into());
        }
        Ok(())
    }
}

/// The answer: what is needed, and the best mixes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sizing {
    /// What each zone has to carry.
    pub needs: Vec<ZoneNeed>,
    /// What a loss of a zone leaves offline, where it does.
    pub losses: Vec<Loss>,
    /// The best mixes, the cheapest that could be placed first.
    pub offers: Vec<Offer>,
    /// What is not known of the cluster.
    pub unknown: Unknown,
    /// What should be read.
    pub notes: Vec<String>,
}

impl Sizing {
    /// The cheapest mix that could be placed.
    pub fn best(&self) -> Option<(&Offer, &Settled)> {
        self.offers.iter().find_map(|offer| Some((offer, offer.settled()?)))
    }
}

/// One mix of node types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// How many of which type in which zone, by the integer program.
    pub mix: Vec<Part>,
    /// Brokers in all.
    pub brokers: u64,
    /// What they cost a month, in hundredths.
    pub price: u64,
    /// No brokers that are enough as sums cost less, even in fractions: the bound of the linear relaxation (in which no
    /// broker counts for more than is needed), proved in whole numbers, in hundredths.
    pub bound: u64,
    /// Whether no other whole numbers of these types cost less. Of a single type it is always so; of a mix, unless the
    /// search was cut short.
    pub proved: bool,
    /// What is nearest to its limit, as sums.
    pub binding: Option<Binding>,
    /// How full each zone is, by resource and operation, as sums.
    pub fills: Vec<Fill>,
    /// What became of the real partitions.
    pub placed: Placing,
}

impl Offer {
    /// How far the price is above the bound, in hundredths.
    pub fn gap(&self) -> u64 {
        self.price.saturating_sub(self.bound)
    }

    /// The placement, where there is one.
    pub fn settled(&self) -> Option<&Settled> {
        match &self.placed {
            Placing::Settled(settled) => Some(settled),
            _ => None,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// A number that makes no sense.
    #[error("{what}: found {found}; expected {accepted}")]
    Wish {
        /// Which.
        what: &'static str,
        /// What was found.
        found: u64,
        /// What would be accepted.
        accepted: String,
    },
    /// Some brokers have a zone and some have none.
    #[error(transparent)]
    NoTopology(#[from] NoTopology),
    /// A zone cannot be lost and survived where there is one.
    #[error("the loss of a zone: found {zones} zone; expected two or more (broker.rack, or --topology FILE)")]
    OneZone {
        /// How many there are.
        zones: usize,
    },
    /// There is nothing to size.
    #[error("found no replica on any broker: expected a cluster that holds something")]
    Empty,
    /// No node type can be used.
    #[error("found no node type that can be used{}; expected some with disk, network and price", show(.left_out))]
    NoTypes {
        /// Those that were left out, and why.
        left_out: Vec<String>,
    },
    /// A partition fits on no node type.
    #[error(
        "partition {partition}: found {bytes} bytes at the horizon; {most} may be used of the largest disk: expected \
         larger disks, or less headroom"
    )]
    TooLarge {
        /// The partition.
        partition: TopicPartition,
        /// Bytes of one replica.
        bytes: u64,
        /// What fits.
        most: u64,
    },
    /// More nodes than a cluster has.
    #[error("zone {zone}: found no mix of {most} nodes or fewer that is enough; expected larger node types")]
    TooMany {
        /// The zone.
        zone: String,
        /// Nodes at most.
        most: u64,
    },
    /// The options do not fit the cluster.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The cluster cannot be counted so large.
    #[error("at the horizon: {0}")]
    Grown(#[from] BadCluster),
}

fn show(left_out: &[String]) -> String {
    if left_out.is_empty() { String::new() } else { format!(" ({})", left_out.join("; ")) }
}

/// The cheapest mixes of these node types that carry what the cluster holds, each placed and checked. The same input
/// gives the same answer.
///
/// # Errors
/// [`SizeError`]: a wish that makes no sense, a cluster or node types that cannot be sized. That a mix cannot be placed
/// is no error, but part of the answer ([`Placing`]).
pub fn size(
    cluster: &Cluster,
    types: &[NodeType],
    wish: &Wish,
    watch: &mut dyn Watch,
) -> Result<Sizing, SizeError> {
    wish.judge()?;
    let topology = Topology::of(cluster)?;
    if wish.survive.zone() && topology.len() < 2 {
        return Err(SizeError::OneZone { zones: topology.len() });
    }
    if cluster.partitions().all(|(_, p)| p.replicas.is_empty()) {
        return Err(SizeError::Empty);
    }
    let (kinds, left_out) = mix::kinds(types, wish);
    let disks = kinds.iter().map(|kind| kind.usable.disk);
    let (Some(fits), Some(most)) = (disks.clone().min(), disks.max()) else {
        return Err(SizeError::NoTypes { left_out });
    };
    let grown = need::at_horizon(cluster, cluster.brokers.clone(), wish.grown)?;
    let needs = need::Needs::of(&grown, &topology, wish, fits, most)?;
    drop(grown);
    let unknown = Unknown::of(cluster);
    let mut notes = left_out;
    notes.extend(unknown.notes());

    let program = mix::Program { kinds: &kinds, zones: &needs.zones, survive: wish.survive };
    let (chosen, bound) = mix::best(&program, wish, watch)?;
    let site = ways::Site { cluster, topology: &topology, wish, program };
    let total = chosen.len() as u64;
    let mut offers = Vec::new();
    for (done, chosen) in chosen.into_iter().enumerate() {
        watch.phase("size", done as u64, total);
        let placed = settle::settle(&site, &chosen, watch)?;
        offers.push(site.program.offer(&chosen, bound, placed));
    }
    watch.phase("size", total, total);
    let rank = |offer: &Offer| {
        offer.settled().map_or((true, offer.price, offer.brokers), |s| (false, s.price, s.brokers))
    };
    offers.sort_by_key(rank);
    Ok(Sizing { needs: needs.zones, losses: needs.losses, offers, unknown, notes })
}
