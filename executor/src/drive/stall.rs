//! Copies in flight that make no progress, and why.

use std::collections::BTreeMap;

use restow_planner::model::BrokerId;
use restow_planner::model::replicas::{minus, show};
use restow_planner::plan::{Plan, moves};

use super::course::originals;
use super::hold::{Cause, Hold, Scope};
use super::seen::Observed;
use super::view::View;
use super::{Moment, Pace};

/// A copy that did not move for this long is looked at. The quota window is 11 s: after a burst, a throttled
/// copy stands still for about as long, so shorter times would cry wolf.
const STILL: Moment = Moment::from_secs(30);

/// Where copies in flight stood when they last moved.
#[derive(Debug, Clone, Default)]
pub struct Copies(BTreeMap<u32, (Ends, Moment)>);

/// Log ends of the replicas that have not joined, where they are told.
type Ends = Vec<(BrokerId, Option<i64>)>;

impl Copies {
    /// Learns where the copies of these moves stand now: the log ends of the replicas that have not joined.
    pub(super) fn learn<'a>(
        &mut self,
        flying: impl Iterator<Item = (u32, Vec<BrokerId>, &'a BTreeMap<BrokerId, i64>)>,
        now: Moment,
    ) {
        let mut before = std::mem::take(&mut self.0);
        for (at, absent, ends) in flying {
            let stands: Ends = absent.into_iter().map(|id| (id, ends.get(&id).copied())).collect();
            let since =
                before.remove(&at).filter(|(then, _)| *then == stands).map_or(now, |(_, since)| since);
            self.0.insert(at, (stands, since));
        }
    }

    /// Whether a move has stood still for long.
    pub(super) fn is_still(&self, at: u32, now: Moment) -> bool {
        self.0.get(&at).is_some_and(|(_, since)| now.saturating_sub(*since) >= STILL)
    }
}

/// Why a move in flight does not end, if it has stood still for long.
pub(super) fn stall(plan: &Plan, pace: &Pace, view: &View, at: u32) -> Option<Hold> {
    let o = view.observed(at)?;
    if !view.copies.is_still(at, view.at) {
        return None;
    }
    let m = plan.moves.get(at as usize);
    let absent: Vec<BrokerId> = minus(&moves::added(m.from, m.to), &o.isr);
    let (reason, clears) = if absent.is_empty() {
        let kept = minus(&originals(&m, o), &o.isr);
        let reason = format!(
            "all new copies are in the ISR and it does not end: {} of the originals are out of it, which Kafka 3.8 \
             to 4.1 wait for",
            show(&kept)
        );
        let first =
            kept.first().map_or_else(String::new, |id| format!(", or --give-up {id} if it never will"));
        (reason, format!("they are in the ISR again{first}"))
    } else {
        let why: Vec<String> = absent.iter().map(|id| missing(view, pace, o, at, *id)).collect();
        (why.join("; "), "they join the ISR".into())
    };
    Some(Hold { cause: Cause::Stalled, scope: Scope::Partition(plan.partition_of(&m)), reason, clears })
}

/// Why a new copy has not joined.
fn missing(view: &View, pace: &Pace, o: &Observed, at: u32, id: BrokerId) -> String {
    let seen = view.brokers.get(&id).copied().unwrap_or_default();
    let failed = view.health.as_ref().and_then(|health| health.dirs.get(&id)?.iter().find(|dir| dir.offline));
    let probe = view.probes.get(&at);
    let (end, high) = (probe.and_then(|p| p.log_end.get(&id)), probe.and_then(|p| p.high_watermark));
    let copy = format!("the copy on broker {id} is not in the ISR");
    if seen.fenced {
        return format!("{copy}: the broker is fenced, or not in the cluster");
    }
    if !view.answered.contains(&id) {
        return format!("{copy}: the broker does not answer");
    }
    if let Some(dir) = failed {
        return format!("{copy}: its log directory {} failed", dir.path);
    }
    if o.leader.is_none() {
        return format!("{copy}: the partition has no leader to copy from");
    }
    match (end, high, pace.throttle) {
        (Some(end), Some(high), _) if *end >= high => {
            format!("{copy}: it has caught up, and the leader has not let it in")
        }
        (Some(end), Some(high), Some(rate)) => format!(
            "{copy} and stands at offset {end} of {high}: starved by the throttle of {rate} bytes/s, which in-sync \
             traffic counts against too (`restow throttle` raises it)"
        ),
        (Some(end), Some(high), None) => {
            format!(
                "{copy} and stands at offset {end} of {high}, without a throttle of ours: see the broker's log"
            )
        }
        _ => format!("{copy}: the broker does not tell where it stands; a failed log directory does that"),
    }
}
