//! Which replica of each list leads. No data moves: a list changes its order, and an election follows.
//!
//! ```text
//! flow    the fewest changes within bounds on the number of leaders: exact, with a proof
//! offers  what each broker could hand to each other one
//! pairs   which brokers share a partition
//! weigh   two more modes, over bytes out: few changes to get within X ‰, and the best balance
//! even    all of them over a cluster's brokers in service, by their weights
//! ```

mod even;
mod flow;
mod offers;
mod pairs;
mod weigh;

use super::layout::Layout;
use crate::model::watch::Watch;
use flow::Flow;
use offers::Offers;

pub use even::{EvenLeaders, even_leaders};
pub(super) use even::{Wanted, even, sent};

/// What a leader balance is asked for.
#[derive(Clone, Copy)]
pub(super) struct Leadership<'a> {
    /// By broker index: fewest and most partitions that it leads (inclusive).
    pub bounds: &'a [(u32, u32)],
    /// Whether the list of a partition may change its order; where not, its first stays (a leader that stays
    /// counts).
    pub may_change: &'a dyn Fn(u32) -> bool,
    /// By broker index: whether it may become a leader (false for demoted, dead ones); one that is false leads
    /// nothing at the end where its partition has another replica that may.
    pub may_lead: &'a [bool],
}

/// The fewest changes, with their proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    /// Partitions whose preferred leader changes.
    pub changes: u64,
    /// By broker index: the price of leading a partition there, in changes; positive where brokers are full,
    /// negative where they have the fewest allowed. With them `check` computes a lower bound: this very number.
    pub potentials: Vec<i64>,
}

/// Which bounds cannot be met. With each widened by what stands here, they can.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Unmet {
    /// Broker index, and how many partitions it has to lead above its most.
    pub above: Vec<(u16, u32)>,
    /// Broker index, and how many it lacks of its fewest.
    pub below: Vec<(u16, u32)>,
    /// Whether the watch stopped the search: then nothing is known but how far it got.
    pub stopped: bool,
}

/// Fewest changes of preferred leaders such that every broker's count is within bounds. Exact. The same input
/// gives the same lists.
///
/// The lists of brokers in `layout` are indexes below `bounds.len()`, which is `may_lead.len()`.
///
/// # Errors
/// [`Unmet`] if no choice of leaders meets the bounds, or the watch said stop; the lists are then as before.
pub(super) fn fewest_changes(
    layout: &mut Layout,
    asked: &Leadership<'_>,
    watch: &dyn Watch,
) -> Result<Changes, Unmet> {
    let (leaders, potentials) = fewest(layout, asked, watch)?;
    Ok(Changes { changes: write(layout, &leaders), potentials })
}

/// The leaders and the prices.
fn fewest(layout: &Layout, asked: &Leadership<'_>, watch: &dyn Watch) -> Result<(Vec<u16>, Vec<i64>), Unmet> {
    let crossed = |at: usize| asked.bounds[at].0.checked_sub(asked.bounds[at].1).filter(|more| *more > 0);
    let below: Vec<_> =
        (0..asked.bounds.len()).filter_map(|at| crossed(at).map(|more| (at as u16, more))).collect();
    if !below.is_empty() {
        return Err(Unmet { below, ..Unmet::default() });
    }
    let leaders = leads_at_start(layout, asked);
    if is_within(&leaders, asked.bounds) {
        return Ok((leaders, vec![0; asked.bounds.len()]));
    }
    Flow::new(Offers::new(layout, asked, leaders), asked).run(watch)
}

fn is_within(leaders: &[u16], bounds: &[(u32, u32)]) -> bool {
    let mut counts = vec![0u32; bounds.len()];
    leaders.iter().for_each(|leader| counts[*leader as usize] += 1);
    counts.iter().zip(bounds).all(|(count, (least, most))| (least..=most).contains(&count))
}

/// The leader of each partition that costs least: its first, or, where that one may not lead, the next that may.
fn leads_at_start(layout: &Layout, asked: &Leadership<'_>) -> Vec<u16> {
    let leader = |index: u32| {
        let list = layout.list(index);
        if asked.may_lead[list[0] as usize] || !(asked.may_change)(index) {
            return list[0];
        }
        list.iter().copied().find(|broker| asked.may_lead[*broker as usize]).unwrap_or(list[0])
    };
    (0..layout.len() as u32).map(leader).collect()
}

/// Puts each leader first; how many were not.
fn write(layout: &mut Layout, leaders: &[u16]) -> u64 {
    let mut changes = 0;
    for (index, leader) in (0..).zip(leaders) {
        let at = layout.list(index).iter().position(|broker| broker == leader).unwrap_or(0);
        if at > 0 {
            layout.lead(index, at);
            changes += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests;
