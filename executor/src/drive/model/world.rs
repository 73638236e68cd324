//! The transitions: what the adversary, the wire and our process can do in a state.

mod choices;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use restow_client::Code;
use restow_planner::model::BrokerId;
use restow_planner::model::replicas::minus;
use restow_planner::plan::{Pacing, Plan, moves};
use restow_simulator::controller::Request;
use stateright::{Model, Property};

use super::kafka::{Controller, Kafka, partition};
use super::look::{self, Look, Sight, Verdict};
use super::node::{Action, Age, Eyes, Foreign, Node, Open, Req, Stage, Stale, Steady, Want, Wire};
use super::promise::{Broken, Judge, costs_a_copy, standing_promises};
use super::shape::{Shape, zonings};
use crate::drive::switch::Guard;
use crate::journal::{Memory, is_settling};

/// The one property: [`World::broken`] says which.
pub const PROMISES: &str = "every promise holds";

/// What is explored beyond the core: the partition, its brokers, our goal, and one write at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// Nobody and nothing fails: only for a first look.
    pub calm: bool,
    /// Every step of a request by itself, the journal's memory, both clocks of E6, brokers that hang, sweeps.
    pub steps: bool,
    /// Metadata that lags, looks that take too long.
    pub lag: bool,
    /// Somebody else reassigns or cancels.
    pub meddle: bool,
    /// Gates and the dwell.
    pub gates: bool,
}

impl Scope {
    /// All that a partition and its brokers can do; of a request only what others can tell apart.
    pub const CORE: Scope = Scope { calm: false, steps: false, lag: false, meddle: false, gates: false };
    /// Everything at once.
    pub const ALL: Scope = Scope { steps: true, lag: true, meddle: true, gates: true, ..Scope::CORE };
}

/// Everything about a shape that does not change.
#[derive(Debug)]
pub struct World {
    pub shape: Shape,
    pub plan: Plan,
    pub lists: Vec<Vec<BrokerId>>,
    pub controller: Controller,
    pub scope: Scope,
    /// The guard that is taken away.
    pub removed: Option<Guard>,
    zonings: Vec<Vec<u8>>,
    memories: Mutex<BTreeMap<MemoryKey, Arc<Memory>>>,
    /// Whether every state has to lead home.
    pub homes: bool,
    /// Every Kafka that was met, where somebody asks for it.
    pub met: Option<Mutex<BTreeSet<Kafka>>>,
    pub ends: Mutex<BTreeMap<super::kind::Key, Option<Broken>>>,
}

type MemoryKey = (Want, u8, u8, Option<Open>);

impl World {
    /// A shape under a version's rules.
    pub fn new(shape: Shape, version: &str, scope: Scope) -> Self {
        let min_isr = 2.min(shape.from.len().min(shape.to.len())) as u32;
        let plan = look::plan(&shape, min_isr);
        let (from, to) = (&shape.from, &shape.to);
        let mut lists: Vec<Vec<BrokerId>> = Vec::new();
        for list in [moves::expanded(from, to), moves::swapped(from, to), to.clone(), from.clone()] {
            if !lists.contains(&list) {
                lists.push(list);
            }
        }
        let zonings = zonings(shape.brokers().len());
        let controller = Controller::new(version, &shape.brokers(), min_isr);
        let (memories, ends) = Default::default();
        World {
            shape,
            plan,
            lists,
            zonings,
            controller,
            scope,
            removed: None,
            homes: true,
            met: None,
            memories,
            ends,
        }
    }

    /// The same as a pipelined plan.
    pub fn pipelined(mut self) -> Self {
        self.plan.pacing = Pacing::Pipelined;
        self
    }

    /// The same with one guard taken away.
    pub fn without(mut self, guard: Guard) -> Self {
        self.removed = Some(guard);
        self
    }

    pub fn memory(&self, want: Want, approvals: u8, asked: u8, open: Option<Open>) -> Arc<Memory> {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (want, approvals, asked, open);
        let make = || look::memory(want, approvals, asked, open.as_ref(), &self.lists).into();
        Arc::clone(memories.entry(key).or_insert_with(make))
    }

    fn start(&self) -> Node {
        Node {
            kafka: Kafka::settled(&self.shape.from),
            want: Want::Forward,
            approvals: if self.scope.gates { 0 } else { 2 },
            // Where nobody meddles, all that is in flight was asked for by us.
            asked: if self.remembers() { 0 } else { u8::MAX },
            steady: Steady::No,
            recent: false,
            doing: None,
            open: None,
            wire: None,
            stale: None,
            foreign: Foreign::No,
            dwelt: false,
            broken: None,
        }
    }

    /// The promise that does not hold in a state, or was broken on the way to it.
    pub fn broken(&self, node: &Node) -> Option<Broken> {
        if let Some(met) = &self.met {
            met.lock().unwrap_or_else(PoisonError::into_inner).insert(node.kafka.clone());
        }
        let standing = || standing_promises(&self.shape, node);
        node.broken.or_else(standing).or_else(|| self.ends_well(node))
    }

    /// Whether the journal tells more than that a write is open.
    fn remembers(&self) -> bool {
        self.scope.steps || self.scope.meddle
    }

    /// Changes Kafka, and what follows from it for all that refers to it.
    fn kafka(&self, node: &mut Node, request: Request) -> restow_simulator::controller::Outcome {
        let (outcome, epoch_grew) = self.controller.apply(&mut node.kafka, request);
        if let Some(stale) = &mut node.stale {
            stale.is_old_epoch |= epoch_grew;
        }
        if node.foreign == Foreign::Flying && !node.kafka.in_flight() {
            node.foreign = Foreign::Done;
        }
        outcome
    }

    /// A change by Kafka itself; none if nothing changes.
    fn by_itself(&self, node: &mut Node, request: Request) -> Option<()> {
        let before = node.kafka.clone();
        let joins = matches!(request, Request::Join { .. });
        let _refused = self.kafka(node, request);
        if joins && costs_a_copy(&before, &node.kafka) {
            node.broken = Some(Broken::CopyLost);
        }
        (node.kafka != before).then_some(())
    }

    fn look(&self, node: &mut Node, eyes: Eyes) -> Option<()> {
        let before = node.clone();
        let memory = self.memory(node.want, node.approvals, node.asked, node.open);
        let mut sight = Sight::clear(&before.kafka);
        sight.door = before.wire.is_none_or(|wire| !wire.hangs);
        let mut earlier = &before.kafka;
        if let (Eyes::Lagging | Eyes::Behind, Some(stale)) = (eyes, &before.stale) {
            (sight.metadata, sight.is_old_epoch, earlier) =
                (Some(&stale.kafka), stale.is_old_epoch, &stale.kafka);
            if eyes == Eyes::Behind {
                sight.listed = &stale.kafka;
            }
        }
        let look = Look {
            want: node.want,
            memory: &memory,
            steady: node.steady,
            recent: node.recent,
            earlier,
            sight,
            slow: eyes == Eyes::Slow,
        };
        let verdict = look.decide(&self.plan, &self.lists, self.removed);
        node.steady = if node.want == Want::Forward { verdict.steady } else { Steady::No };
        self.learn(node, &verdict);
        if let Some(req) = verdict.ask {
            let clocks = self.scope.gates;
            let (shape, lists, zonings) = (&self.shape, &self.lists[..], &self.zonings[..]);
            node.broken = Judge { shape, lists, zonings, node: &before, eyes, clocks }.asking(req);
            node.doing = Some((req, Stage::Decided));
            if !self.scope.steps {
                self.journal(node);
                self.send(node);
            }
        }
        if verdict.stops && before.wire.is_some() {
            node.broken = Some(Broken::Open);
        }
        (*node != before).then_some(())
    }

    fn learn(&self, node: &mut Node, verdict: &Verdict) {
        if verdict.settled {
            node.open = None;
        } else if let Some(open) = node.open.as_mut().filter(|_| verdict.heard) {
            open.heard = open.heard.or(Some(Age::Young));
        }
    }

    fn land(&self, node: &mut Node) -> Option<()> {
        let wire = node.wire?;
        let before = node.kafka.clone();
        let request = match wire.req {
            Req::Elect => Request::Elect { unclean: false, only: Some(vec![partition()]) },
            Req::Cancel => Request::Alter { items: vec![(partition(), None)], allow_rf_change: true },
            Req::List(at) => {
                let list = self.lists[at as usize].clone();
                Request::Alter { items: vec![(partition(), Some(list))], allow_rf_change: true }
            }
        };
        let outcome = self.kafka(node, request);
        if node.foreign == Foreign::Flying && matches!(wire.req, Req::List(_)) {
            // We were as quick as they: what flies now was asked for by us.
            node.foreign = Foreign::Done;
        }
        if costs_a_copy(&before, &node.kafka) {
            node.broken = Some(Broken::CopyLost);
        }
        // What lands after its time was given up is not waited for: its leader has stood or has not.
        node.dwelt &= wire.req != Req::Elect || node.doing.is_none();
        let is_new = self.scope.steps && matches!(node.doing, Some((_, Stage::Sent)));
        if is_new {
            let code = outcome.err().map(|refusal| refusal.code.code());
            node.doing = Some((wire.req, Stage::Applied(code)));
        }
        (is_new || node.kafka != before).then_some(())
    }

    fn journal(&self, node: &mut Node) {
        let Some((req, stage)) = &mut node.doing else { return };
        *stage = Stage::Asked;
        if let Req::List(at) = req {
            node.asked |= 1 << *at;
        }
    }

    fn send(&self, node: &mut Node) {
        let Some((req, stage)) = &mut node.doing else { return };
        *stage = Stage::Sent;
        node.wire = Some(Wire { req: *req, hangs: false });
    }

    /// The journal keeps what was asked and not answered.
    fn leave_open(&self, node: &mut Node, answered: bool, hangs: bool) {
        if let Some(wire) = &mut node.wire {
            wire.hangs |= hangs;
        }
        if let Some((req, stage)) = node.doing.take()
            && stage != Stage::Decided
        {
            node.open = Some(Open { req, age: Age::Young, answered, heard: None });
            // Nothing is done while it is open, however old the metadata is.
            node.stale = None;
        }
    }

    /// The real rule tells whether an answer settles the write.
    fn answer(&self, node: &mut Node) {
        let code = match node.doing {
            Some((_, Stage::Applied(code))) => code,
            _ => None,
        };
        if code.is_some_and(|code| !is_settling(Code(code))) {
            return self.leave_open(node, true, false);
        }
        (node.doing, node.wire) = (None, None);
        node.recent = code.is_none() && self.scope.lag;
    }

    fn minute(&self, node: &mut Node) {
        if !self.scope.steps {
            node.doing = None;
        }
        if node.wire.is_some_and(|wire| !wire.hangs) {
            node.wire = None;
        }
        (node.recent, node.stale) = (false, None);
        if let Some(open) = &mut node.open {
            (open.age, open.heard) = (Age::Old, open.heard.map(|_| Age::Old));
        }
    }

    fn restart(&self, node: &mut Node, want: Want, hangs: bool) {
        self.leave_open(node, false, hangs);
        node.want = want;
        (node.steady, node.recent, node.dwelt) = (Steady::No, false, false);
        if want == Want::Back {
            node.approvals = 0;
        } else if !self.scope.gates {
            node.approvals = 2;
        }
    }
}
