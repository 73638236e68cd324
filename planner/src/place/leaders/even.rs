//! Leaders evened out: by count, by what they send, or only off some brokers.

use super::weigh::{self, Loads};
use super::{Leadership, Unmet, fewest_changes};
use crate::model::capacity::{self, Resource};
use crate::model::watch::Watch;
use crate::model::{BrokerId, Cluster, Partition, Rate};
use crate::place::layout::Layout;
use crate::place::shares;
use crate::plan::LeaderMode;

/// Leaders evened out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvenLeaders {
    /// Partitions whose preferred leader changes.
    pub changes: u64,
    /// The preferred leader of each partition at the end, as broker index, by partition index.
    pub leaders: Vec<u16>,
    /// By broker index: whether it may become a leader.
    pub may_lead: Vec<bool>,
    /// By broker index: fewest and most leaders that were asked for.
    pub bounds: Vec<(u32, u32)>,
    /// By broker index, where changes are the fewest: prices that prove it (`check::fewest_leader_changes`).
    pub potentials: Vec<i64>,
    /// Brokers that cannot hold as few, or as many, as their even part; their bounds are wider.
    pub widened: Vec<BrokerId>,
    /// The largest load of a broker's leaders over its weight, in millionths above the mean; `None` where changes are
    /// the fewest.
    pub above_ppm: Option<u64>,
}

/// What is asked of [`even`].
pub(in crate::place) struct Wanted<'a> {
    pub mode: LeaderMode,
    /// Whether counts have to be even, whatever the mode; with the fewest changes they do.
    pub counts: bool,
    /// How far counts may be from the fair share, in 1/10,000 of it.
    pub tolerance: u32,
    /// By broker index: whether it is to lead nothing that another can.
    pub demoted: &'a [bool],
    /// Whether the order of a list may change.
    pub may_change: &'a dyn Fn(u32) -> bool,
    /// By partition index: what its leader sends.
    pub out: &'a [u64],
}

/// Evens out the preferred leaders of a cluster as it stands; `None` if the watch said stop. A partition of unknown write
/// rate counts as much as a mean one.
pub fn even_leaders(cluster: &Cluster, mode: LeaderMode, watch: &dyn Watch) -> Option<EvenLeaders> {
    let out = if mode == LeaderMode::Minimal { Vec::new() } else { sent(cluster) };
    let demoted = vec![false; cluster.brokers.len()];
    let wanted =
        Wanted { mode, counts: false, tolerance: 0, demoted: &demoted, may_change: &|_| true, out: &out };
    even(cluster, &mut Layout::of(cluster), &wanted, watch)
}

/// Evens out the preferred leaders of these lists over the brokers that hold replicas, answer and are not fenced; `None` if
/// the watch said stop.
pub(in crate::place) fn even(
    cluster: &Cluster,
    layout: &mut Layout,
    wanted: &Wanted<'_>,
    watch: &dyn Watch,
) -> Option<EvenLeaders> {
    let serves = |at: usize| cluster.brokers[at].serves();
    let may_lead: Vec<bool> =
        (0..cluster.brokers.len()).map(|at| serves(at) && !wanted.demoted[at]).collect();
    let mut takes_part = vec![false; may_lead.len()];
    for index in 0..layout.len() as u32 {
        layout.list(index).iter().for_each(|at| takes_part[*at as usize] = may_lead[*at as usize]);
    }
    let weights = weights(cluster, &takes_part);
    let bounds = if wanted.mode == LeaderMode::Minimal || wanted.counts {
        even_bounds(layout.len() as u128, &weights, &may_lead, wanted.tolerance)
    } else {
        vec![(0, u32::MAX); may_lead.len()]
    };
    let mut even = EvenLeaders {
        changes: 0,
        leaders: Vec::new(),
        may_lead,
        bounds,
        potentials: Vec::new(),
        widened: Vec::new(),
        above_ppm: None,
    };
    let loads = Loads { out: wanted.out, weights: &weights };
    loop {
        let asked =
            Leadership { bounds: &even.bounds, may_change: wanted.may_change, may_lead: &even.may_lead };
        let done = match wanted.mode {
            LeaderMode::Minimal | LeaderMode::Keep => fewest_changes(layout, &asked, watch).map(|found| {
                even.potentials = found.potentials;
                (found.changes, None)
            }),
            LeaderMode::Within(permille) => weigh::within(layout, &asked, &loads, permille, watch)
                .map(|found| (found.changes, Some(found.above_ppm))),
            LeaderMode::Best => {
                weigh::best(layout, &asked, &loads, watch).map(|found| (found.changes, Some(found.above_ppm)))
            }
        };
        match done {
            Ok((changes, above_ppm)) => {
                even.changes = changes;
                even.above_ppm = above_ppm;
                even.leaders = (0..layout.len() as u32).map(|index| layout.list(index)[0]).collect();
                return Some(even);
            }
            Err(unmet) if unmet.stopped => return None,
            Err(unmet) => widen(cluster, &mut even, &unmet),
        }
    }
}

/// Weights of the brokers that take part; 0 for the others.
fn weights(cluster: &Cluster, takes_part: &[bool]) -> Vec<u32> {
    let brokers: Vec<u16> = (0..takes_part.len() as u16).filter(|at| takes_part[*at as usize]).collect();
    let mut weights = vec![0; takes_part.len()];
    for (at, weight) in brokers.iter().zip(capacity::weights(cluster, &brokers, Resource::Network)) {
        weights[*at as usize] = weight as u32;
    }
    weights
}

/// Bounds with which the unmet ones are met.
fn widen(cluster: &Cluster, even: &mut EvenLeaders, unmet: &Unmet) {
    for (broker, more) in &unmet.above {
        even.bounds[*broker as usize].1 += more;
    }
    for (broker, fewer) in &unmet.below {
        even.bounds[*broker as usize].0 -= fewer;
    }
    let missed = unmet.above.iter().chain(&unmet.below);
    even.widened.extend(missed.map(|(broker, _)| cluster.brokers[*broker as usize].id));
    even.widened.sort_unstable();
    even.widened.dedup();
}

/// The fair share of each that takes part, rounded both ways. None for those that may lead and hold nothing; those that
/// may not keep what nobody else can lead.
fn even_bounds(partitions: u128, weights: &[u32], may_lead: &[bool], tolerance: u32) -> Vec<(u32, u32)> {
    let wide: Vec<u64> = weights.iter().map(|weight| u64::from(*weight)).collect();
    let shares = shares::of_total(partitions, &wide, tolerance);
    let bound = |((low, high, _), may_lead): ((u64, u64, u64), &bool)| {
        if *may_lead { (low as u32, high as u32) } else { (0, u32::MAX) }
    };
    shares.into_iter().zip(may_lead).map(bound).collect()
}

/// What leaders send: read rates where some are known, else write rates; the mean where one is unknown.
pub(in crate::place) fn sent(cluster: &Cluster) -> Vec<u64> {
    let reads = cluster.known_rates(Rate::Read) > 0;
    let rate = move |p: Partition<'_>| if reads { p.read_rate } else { p.write_rate };
    let known = || cluster.partitions().filter_map(|(_, p)| rate(p));
    let sum: u128 = known().map(u128::from).sum();
    let mean = sum.checked_div(known().count() as u128).map_or(1, |mean| mean as u64);
    cluster.partitions().map(|(_, p)| rate(p).unwrap_or(mean)).collect()
}
