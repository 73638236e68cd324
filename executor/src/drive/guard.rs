//! The guards: what must be true, on a fresh view, for an action (design section 3; promises E2, E3, E4).

use restow_planner::model::replicas::{minus, show};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::{Move, Plan, moves};

use super::course::{lost, originals};
use super::seen::Observed;
use super::switch::Guard;
use super::view::View;
use super::{Cause, Hold, Scope};

/// Replicas whose broker answered for the partition in this tick with the view's leader epoch, that are in
/// the view's ISR, and whose log end offset is at or past the leader's high watermark read before it.
///
/// The ISR alone proves nothing: a dead broker stays in it until it is fenced.
pub fn live_copies(view: &View, at: u32, observed: &Observed) -> Vec<BrokerId> {
    let Some(probe) = view.probes.get(&at) else { return vec![] };
    let Some(high) = probe.high_watermark else { return vec![] };
    let reaches = |id: &&BrokerId| match probe.log_end.get(id) {
        Some(end) => *end >= high || !Guard::Caught.stands(),
        None => !Guard::Answers.stands(),
    };
    observed.isr.iter().filter(reaches).copied().collect()
}

/// One move with all that its guards look at.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub plan: &'a Plan,
    pub view: &'a View,
    pub at: u32,
    pub m: Move<'a>,
    pub observed: &'a Observed,
    /// The originals, but for given-up brokers that it has dropped.
    pub from: Vec<BrokerId>,
    /// Those of them that are given up and out of service: nothing is expected of them.
    pub lost: Vec<BrokerId>,
    pub live: Vec<BrokerId>,
}

impl<'a> Case<'a> {
    /// The case of a move that is observed.
    pub fn of(plan: &'a Plan, view: &'a View, at: u32) -> Option<Self> {
        let observed = view.observed(at)?;
        let live = live_copies(view, at, observed);
        let m = plan.moves.get(at as usize);
        let (from, lost) = (originals(&m, observed), lost(&m, observed, view));
        Some(Case { plan, view, at, m, observed, from, lost, live })
    }

    pub fn partition(&self) -> TopicPartition {
        self.plan.partition_of(&self.m)
    }

    /// The originals that serve: `O minus N`.
    pub fn kept(&self) -> Vec<BrokerId> {
        minus(&self.from, &self.lost)
    }

    /// The one that leads when the move is back.
    pub fn first(&self) -> BrokerId {
        self.kept().first().copied().unwrap_or(self.m.from[0])
    }

    fn hold(&self, reason: String, clears: &str) -> Hold {
        Hold { cause: Cause::Guard, scope: Scope::Partition(self.partition()), reason, clears: clears.into() }
    }

    /// Only a partition that was observed and probed in this very tick is acted on (promise E2).
    pub fn is_fresh(&self) -> bool {
        (self.observed.at == self.view.at || !Guard::Seen.stands()) && self.view.probes.contains_key(&self.at)
    }

    /// These replicas are live copies; names the ones that are not, and why.
    fn all_live(&self, list: &[BrokerId]) -> Result<(), Hold> {
        let dead = minus(list, &self.live);
        if dead.is_empty() {
            return Ok(());
        }
        let why: Vec<String> = dead.iter().map(|id| self.why_not_live(*id)).collect();
        Err(self.hold(why.join("; "), "they are live copies again"))
    }

    fn why_not_live(&self, id: BrokerId) -> String {
        let seen = self.view.brokers.get(&id).copied().unwrap_or_default();
        let probe = self.view.probes.get(&self.at);
        if !self.view.answered.contains(&id) {
            let fenced = if seen.fenced { " and is fenced" } else { "" };
            format!("broker {id} does not answer{fenced}")
        } else if !self.observed.isr.contains(&id) {
            format!("the replica on broker {id} is not in the ISR")
        } else if probe.is_some_and(|p| p.high_watermark.is_none()) {
            "the leader did not tell its high watermark".into()
        } else if probe.is_some_and(|p| !p.log_end.contains_key(&id)) {
            format!("broker {id} does not answer for this partition and leader epoch")
        } else {
            format!("the replica on broker {id} is behind the high watermark")
        }
    }

    /// Expand: every replica of `O` is a live copy and every added broker answers.
    pub fn expand(&self) -> Result<(), Hold> {
        if Guard::Originals.stands() {
            self.all_live(&self.kept())?;
        }
        let silent = minus(
            &moves::added(self.m.from, self.m.to),
            &self.view.answered.iter().copied().collect::<Vec<_>>(),
        );
        match silent.first().filter(|_| Guard::Destinations.stands()) {
            None => Ok(()),
            Some(id) => Err(Hold {
                cause: Cause::Guard,
                scope: Scope::Broker(*id),
                reason: format!("destination broker {id} does not answer"),
                clears: "it answers".into(),
            }),
        }
    }

    /// Giving up a broker over an expand in flight, the one override that there is: all new copies are live, and
    /// what is left without the broker is enough.
    pub fn give_up(&self) -> Result<(), Hold> {
        self.all_live(&moves::added(self.m.from, self.m.to))?;
        self.leaves_enough(&moves::expanded(&self.kept(), self.m.to))
    }

    /// Swap, and every election, towards `list`: all of it is in the ISR and its first is a live copy.
    pub fn lead(&self, list: &[BrokerId]) -> Result<(), Hold> {
        let out = minus(list, &self.observed.isr);
        if !out.is_empty() && Guard::Whole.stands() {
            return Err(self.hold(format!("{} not in the ISR", show(&out)), "they are in the ISR"));
        }
        if Guard::First.stands() { self.all_live(&list[..1]) } else { Ok(()) }
    }

    /// Shrink: every replica of `K` is a live copy, which is more than E4 asks. That `K[0]` leads is how the
    /// agenda knows that it is time; gate and dwell are judged apart.
    pub fn shrink(&self) -> Result<(), Hold> {
        if Guard::Keepers.stands() { self.all_live(self.m.to) } else { Ok(()) }
    }

    /// The leader is this replica.
    pub fn leads(&self, id: BrokerId) -> Result<(), Hold> {
        if self.observed.leader == Some(id) {
            return Ok(());
        }
        let leader = self.observed.leader.map_or("nobody".into(), |id| format!("broker {id}"));
        Err(self.hold(format!("{leader} leads, not broker {id}"), "it is elected"))
    }

    /// Cancel, or dropping the added replicas: what is left in `O` is enough.
    pub fn drop_added(&self) -> Result<(), Hold> {
        self.leaves_enough(self.m.from)
    }

    /// E4: among the replicas that answered in this tick, `after` keeps at least min(in sync before, RF at the end). One
    /// that is in the ISR and silent may be a live copy: it is not dropped before it answers or is out of the ISR,
    /// unless all that stay are live.
    ///
    /// The rest of E4 follows. What is kept is then all of `after` or all that is live: so it stands in as many
    /// zones as that. And min ISR, which Kafka caps at the length of a list, is kept where it was met.
    fn leaves_enough(&self, after: &[BrokerId]) -> Result<(), Hold> {
        let kept: Vec<BrokerId> = after.iter().copied().filter(|id| self.live.contains(id)).collect();
        // Also where the ISR is empty the last copy is somewhere (KIP-966).
        let (before, left) = (self.observed.isr.len().max(1), kept.len());
        let end = after.len();
        if Guard::Enough.stands() && left < before.min(end) {
            let reason = format!(
                "only {left} live copies would be left of {before} in the ISR: {} of {}",
                show(&kept),
                show(after)
            );
            return Err(self.hold(reason, "all of them are live copies"));
        }
        Ok(())
    }
}
