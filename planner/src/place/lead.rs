//! Preferred leaders: of a plan that only changes them, and after replicas were evened out.

use super::changes::Changes;
use super::layout::Layout;
use super::leaders::{self, EvenLeaders, Wanted};
use super::refuse::Refused;
use super::scope::Scope;
use super::{Made, PlaceError};
use crate::model::watch::Watch;
use crate::model::{BrokerId, Cluster, Rate};
use crate::plan::{Bands, Budget, LeaderMode, LeaderProof, Measure};

/// A plan that changes leaders only.
pub(super) fn plan(
    scope: &Scope<'_>,
    mode: LeaderMode,
    demote: &[BrokerId],
    refused: &mut Refused,
    watch: &mut dyn Watch,
) -> Result<Made, PlaceError> {
    let cluster = scope.cluster;
    if mode == LeaderMode::Keep && demote.is_empty() {
        let accepted = "--minimal, --within PERCENT, --best, or --demote with brokers";
        return Err(PlaceError::usage("leaders", "nothing is asked", accepted));
    }
    let mut made = Made::default();
    // No data moves: configs and min ISR do not matter.
    refused.take_partitions();
    let mut may_change = vec![false; cluster.partition_count()];
    let mut unsteady = 0;
    for (_, _, p) in scope.partitions() {
        let is_whole = p.leader.is_some() && (0..p.replicas.len()).all(|at| p.in_sync(at));
        let is_steady = is_whole && !cluster.in_flight.contains_key(&p.index);
        unsteady += usize::from(!is_steady);
        may_change[p.index as usize] = is_steady;
    }
    if unsteady > 0 {
        made.notes.push(format!(
            "{unsteady} partitions are in flight or have a replica that is not in sync, and keep their leaders"
        ));
    }
    let weighs = matches!(mode, LeaderMode::Within(_) | LeaderMode::Best);
    let out = if weighs { leaders::sent(cluster) } else { Vec::new() };
    if weighs {
        made.notes.extend(tell_rates(cluster)?);
    }
    watch.phase("leaders", 0, 1);
    let mut demoted = vec![false; cluster.brokers.len()];
    demote.iter().filter_map(|id| cluster.broker_index(*id)).for_each(|at| demoted[at as usize] = true);
    let mut layout = Layout::of(cluster);
    let wanted = Wanted {
        mode,
        counts: false,
        tolerance: 0,
        demoted: &demoted,
        may_change: &|index| may_change[index as usize],
        out: &out,
    };
    let Some(even) = leaders::even(cluster, &mut layout, &wanted, watch) else { return Ok(made) };
    tell(&even, &mut made.notes);
    if mode == LeaderMode::Minimal {
        made.leaders = Some(proof(scope, &even));
    }
    made.changes = Changes::between(cluster, &layout);
    Ok(made)
}

/// Which rates stand for what leaders send.
fn tell_rates(cluster: &Cluster) -> Result<Option<String>, PlaceError> {
    let (reads, writes) = (cluster.known_rates(Rate::Read), cluster.known_rates(Rate::Write));
    if reads + writes == 0 {
        let accepted = "a snapshot that was taken with --sample, or --rates FILE; unknown is never zero";
        return Err(PlaceError::usage("--within, --best", "the snapshot knows no rate", accepted));
    }
    let (known, what) = if reads > 0 { (reads, "read") } else { (writes, "write") };
    let unknown = cluster.partition_count() - known;
    let mut note = format!("{what} rates stand for what leaders send");
    if unknown > 0 {
        note += &format!("; {unknown} partitions have an unknown one and count as a mean one");
    }
    Ok(Some(note))
}

/// Evens out the leaders of lists in which replicas moved.
pub(super) fn even_out(
    scope: &Scope<'_>,
    mut layout: Layout,
    bands: &Bands,
    budget: &Budget,
    pinned: &[bool],
    mut made: Made,
    watch: &mut dyn Watch,
) -> Made {
    let cluster = scope.cluster;
    watch.phase("leaders", 0, 1);
    let before = budget.leader_changes.map(|most| (most, layout.clone()));
    let demoted = vec![false; cluster.brokers.len()];
    let may_change = |index: u32| !pinned[index as usize];
    let weighs = bands.measures.contains(&Measure::ReadRate);
    let out = if weighs { leaders::sent(cluster) } else { Vec::new() };
    let wanted = Wanted {
        mode: if weighs { LeaderMode::Within(bands.tolerance / 10) } else { LeaderMode::Minimal },
        counts: bands.measures.contains(&Measure::Leaders),
        tolerance: bands.tolerance,
        demoted: &demoted,
        may_change: &may_change,
        out: &out,
    };
    if let Some(even) = leaders::even(cluster, &mut layout, &wanted, watch) {
        tell(&even, &mut made.notes);
        // The flow tells the fewest that meet the bands; with fewer they cannot be met.
        if let Some((most, before)) = before.filter(|(most, _)| even.changes > *most) {
            layout = before;
            made.notes.push(format!(
                "leaders stay: {} of them would have to change to be within the bands, and {most} may",
                even.changes
            ));
        }
    }
    made.changes = Changes::between(cluster, &layout);
    made
}

fn tell(even: &EvenLeaders, notes: &mut Vec<String>) {
    if let Some(ppm) = even.above_ppm {
        notes.push(format!(
            "the broker whose leaders send most is {}.{:02} % above the mean",
            ppm / 10_000,
            ppm / 100 % 100
        ));
    }
    if !even.widened.is_empty() {
        notes.push(format!(
            "brokers {} cannot lead their fair share, whatever changes: too few, or too many, of the replicas are there",
            crate::model::replicas::show(&even.widened)
        ));
    }
}

fn proof(scope: &Scope<'_>, even: &EvenLeaders) -> LeaderProof {
    let named = scope.cluster.brokers.iter().zip(&even.potentials).filter(|(_, price)| **price != 0);
    LeaderProof {
        changes: even.changes,
        bound: even.changes,
        prices: named.map(|(broker, price)| (broker.id, *price)).collect(),
    }
}
