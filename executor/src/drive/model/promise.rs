//! The promises, judged on the simulator's true state by code that shares nothing with the guards.

use restow_planner::model::BrokerId;
use restow_planner::model::replicas::{is_subset, minus, same_set};
use restow_planner::plan::moves;

use super::kafka::Kafka;
use super::node::{Eyes, Foreign, Node, Req, Want};
use super::shape::{Shape, count_zones};

/// A promise that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Broken {
    /// E2: something was asked on a view older than 2 s.
    OldView,
    /// E2: something was asked while metadata and the reassignment list disagreed.
    NotAgreed,
    /// E3: submitted over a move in flight.
    Over,
    /// E3: cancelled what somebody else started.
    TheirsCancelled,
    /// E3: acted on a list that is none of the plan's.
    UnknownList,
    /// E4: fewer live copies would be left than min(live before, RF at the end).
    Copies,
    /// E4: the last live copies would go.
    LastCopy,
    /// E4: the live copies left would stand in fewer zones.
    Zones,
    /// E4: a live copy that was to stay is none any more.
    CopyLost,
    /// E6: asked while a write may still be applied, or reported an end.
    Open,
    /// P4: fewer replicas than at the start and at the end.
    Replicas,
    /// A list that neither we nor Kafka make of this move.
    Stray,
    /// A copy was asked for where not every original is live or a new broker does not run, or by a rollback.
    SickCopy,
    /// A leader was changed towards lists that are not all in the ISR.
    NotWhole,
    /// A leader was changed towards a broker that does not run.
    DeadLeader,
    /// A stage was entered that was not approved.
    Gate,
    /// Shrunk without a dwell since the election, or under another leader.
    Dwell,
    /// P7: a rollback under a kind sky does not end at the start.
    NoWayBack,
    /// A run forward under a kind sky does not reach the target.
    NoWayForward,
}

/// What a decision is judged by.
#[derive(Debug)]
pub struct Judge<'a> {
    pub shape: &'a Shape,
    pub lists: &'a [Vec<BrokerId>],
    /// Every zoning of the brokers.
    pub zonings: &'a [Vec<u8>],
    pub node: &'a Node,
    pub eyes: Eyes,
    /// Whether time that nobody can measure in this model is judged.
    pub clocks: bool,
}

impl Judge<'_> {
    /// What our process saw of the partition in metadata.
    fn shown(&self) -> &Kafka {
        match (self.eyes, &self.node.stale) {
            (Eyes::Lagging | Eyes::Behind, Some(stale)) => &stale.kafka,
            _ => &self.node.kafka,
        }
    }

    /// Live copies as the probe can prove them: in the ISR that was shown, and truly live now.
    fn proven(&self) -> Vec<BrokerId> {
        let is_old = self.node.stale.as_ref().is_some_and(|stale| stale.is_old_epoch);
        let lags = matches!(self.eyes, Eyes::Lagging | Eyes::Behind);
        let shown = self.shown();
        if lags && is_old || shown.leader.is_none() || shown.leader != self.node.kafka.working_leader() {
            return vec![];
        }
        let live = self.node.kafka.live();
        shown.isr.iter().copied().filter(|id| live.contains(id)).collect()
    }

    /// Whether asking for this, now, breaks a promise.
    pub fn asking(&self, req: Req) -> Option<Broken> {
        let (node, kafka) = (self.node, &self.node.kafka);
        let is_current = self.shown().replicas == kafka.replicas;
        if node.wire.is_some() {
            return Some(Broken::Open);
        }
        if self.eyes == Eyes::Slow {
            return Some(Broken::OldView);
        }
        let lags = self.eyes == Eyes::Lagging;
        if lags && kafka.in_flight() && !same_set(&self.shown().replicas, &kafka.replicas) {
            return Some(Broken::NotAgreed);
        }
        if node.foreign == Foreign::Flying && req == Req::Cancel {
            return Some(Broken::TheirsCancelled);
        }
        if kafka.in_flight() && req != Req::Cancel {
            return Some(Broken::Over);
        }
        if is_current && !knows(self.shape, kafka) {
            return Some(Broken::UnknownList);
        }
        let now = if is_current { kafka } else { self.shown() };
        let after = match req {
            Req::List(at) => self.lists[at as usize].clone(),
            Req::Cancel => minus(&kafka.replicas, &kafka.adding),
            Req::Elect => now.replicas.clone(),
        };
        if !is_subset(&after, &now.replicas) {
            return self.copying(&after);
        }
        if !is_subset(&now.replicas, &after) {
            return self.dropping(&after).or_else(|| self.shrinking(&after));
        }
        // To cancel a removal costs nothing.
        if req == Req::Cancel { None } else { self.leading() }
    }

    fn copying(&self, after: &[BrokerId]) -> Option<Broken> {
        let kafka = &self.node.kafka;
        let sound = is_subset(&self.shape.from, &kafka.live()) && after.iter().all(|id| kafka.is_up(*id));
        (!sound || self.node.want != Want::Forward).then_some(Broken::SickCopy)
    }

    /// E4.
    fn dropping(&self, after: &[BrokerId]) -> Option<Broken> {
        let (proven, live) = (self.proven(), self.node.kafka.live());
        let kept: Vec<BrokerId> = after.iter().copied().filter(|id| live.contains(id)).collect();
        if kept.is_empty() && !live.is_empty() {
            return Some(Broken::LastCopy);
        }
        if kept.len() < proven.len().min(after.len()) {
            return Some(Broken::Copies);
        }
        let is_fewer = |zones: &Vec<u8>| {
            count_zones(zones, &kept) < count_zones(zones, &proven).min(count_zones(zones, after))
        };
        self.zonings.iter().any(is_fewer).then_some(Broken::Zones)
    }

    fn shrinking(&self, after: &[BrokerId]) -> Option<Broken> {
        if after != self.shape.to || self.node.want != Want::Forward {
            return None;
        }
        if self.node.approvals < 2 {
            return Some(Broken::Gate);
        }
        if !is_subset(&self.shape.to, &self.proven()) {
            return Some(Broken::Copies);
        }
        let early = self.clocks && !self.node.dwelt;
        let led = self.shown().leader == self.shape.to.first().copied();
        (early || !led).then_some(Broken::Dwell)
    }

    /// A change of order, or an election: where nothing comes and nothing goes.
    fn leading(&self) -> Option<Broken> {
        let (side, gate) = match self.node.want {
            Want::Forward => (&self.shape.to, 1),
            _ => (&self.shape.from, 0),
        };
        if self.node.approvals < gate {
            return Some(Broken::Gate);
        }
        if !is_subset(side, &self.shown().isr) {
            return Some(Broken::NotWhole);
        }
        (!self.proven().contains(&side[0])).then_some(Broken::DeadLeader)
    }
}

/// Whether a change that was no failure cost a live copy among those that stay.
pub fn costs_a_copy(before: &Kafka, after: &Kafka) -> bool {
    let live = after.live();
    before.live().iter().any(|id| after.replicas.contains(id) && !live.contains(id))
}

/// Whether the partition is in a list of this move.
pub fn knows(shape: &Shape, kafka: &Kafka) -> bool {
    let (from, to) = (&shape.from, &shape.to);
    let expanded = moves::expanded(from, to);
    let is_swapped = kafka.replicas.starts_with(to) && same_set(&kafka.replicas, &expanded);
    if !kafka.in_flight() {
        return is_swapped || [from, to, &expanded].contains(&&kafka.replicas);
    }
    let (added, removed) = (minus(to, from), minus(from, to));
    let expands = kafka.replicas == expanded && same_set(&kafka.adding, &added) && kafka.removing.is_empty();
    let shrinks = is_swapped && kafka.adding.is_empty() && same_set(&kafka.removing, &removed);
    let returns = kafka.replicas.starts_with(from)
        && same_set(&kafka.replicas, &expanded)
        && kafka.adding.is_empty()
        && same_set(&kafka.removing, &added);
    expands || shrinks || returns
}

/// What must hold in every state, whatever led to it.
pub fn standing_promises(shape: &Shape, node: &Node) -> Option<Broken> {
    if node.foreign != Foreign::No {
        return None;
    }
    let least = shape.from.len().min(shape.to.len());
    if minus(&node.kafka.replicas, &node.kafka.adding).len() < least {
        return Some(Broken::Replicas);
    }
    (!knows(shape, &node.kafka)).then_some(Broken::Stray)
}
