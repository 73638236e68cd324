//! Edits on a cluster, one after the other.

use super::edit::{Edit, Then};
use super::fail::{self, Case, Lost, Shift};
use super::grow::Grown;
use super::growth::Fits;
use super::layout;
use super::load::{Terms, loads};
use super::plans::{self, Planner};
use super::rebuild::{Others, rebuild};
use super::{Scenario, Setting, WhatifError, grow};
use crate::model::watch::Watch;
use crate::model::{BrokerId, Cluster, NodeType, Topic};
use crate::plan::{Intent, Pattern};

/// A cluster under edits.
#[derive(Debug)]
pub(super) struct World<'a> {
    /// As it stands now. Brokers that go are in it until they are emptied.
    pub cluster: Cluster,
    /// How loads are counted.
    pub terms: Terms,
    /// How far ahead growth goes, in days.
    pub horizon: Option<u32>,
    /// By topic index, how it grows.
    pub growth: Vec<Grown>,
    /// What was lost, in order.
    pub lost: Vec<Lost>,
    /// Where leaders went in losses.
    pub shifts: Vec<Shift>,
    /// Every case of the last loss, where it may be any: the worst first.
    pub cases: Vec<Case>,
    /// What was planned.
    pub plans: Planner,
    /// What should be read.
    pub notes: Vec<String>,
    types: &'a [NodeType],
    pub(super) fits: Option<&'a Fits>,
    /// Brokers that go and still hold replicas.
    leaving: Vec<BrokerId>,
    /// Brokers that went and left their replicas behind.
    pub gone: Vec<BrokerId>,
    /// The largest id that any broker had.
    pub last_id: i32,
    others: Others,
    /// Whether zones were changed and replicas do not follow yet.
    is_rezoned: bool,
}

impl<'a> World<'a> {
    /// The cluster before any edit.
    pub fn new(cluster: &Cluster, scenario: &Scenario, setting: &'a Setting<'a>) -> Self {
        let mut terms = Terms::default();
        let mut horizon = None;
        for typed in &scenario.edits {
            match typed.edit {
                Edit::Peak(peak) => terms.peak = peak,
                Edit::Headroom(headroom) => terms.headroom = headroom,
                Edit::Horizon(days) => horizon = Some(days),
                _ => {}
            }
        }
        World {
            cluster: cluster.clone(),
            terms,
            horizon,
            growth: vec![Grown::NOT; cluster.topics.len()],
            lost: Vec::new(),
            shifts: Vec::new(),
            cases: Vec::new(),
            plans: Planner::new(setting.throttle),
            notes: Vec::new(),
            types: setting.types,
            fits: setting.fits,
            leaving: Vec::new(),
            gone: Vec::new(),
            last_id: cluster.brokers.iter().map(|broker| broker.id.0).max().unwrap_or(0),
            others: Others::of(cluster),
            is_rezoned: false,
        }
    }

    /// Applies an edit. Before one that needs brokers at their places, what has to follow from the edits before it is
    /// planned.
    ///
    /// # Errors
    /// What was found and what would be accepted; or that nothing can be placed so.
    pub fn step(&mut self, edit: &Edit, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        let is_before_others = matches!(
            edit,
            Edit::LoseBroker(_)
                | Edit::LoseZone(_)
                | Edit::LoseAnyBroker
                | Edit::LoseAnyZone
                | Edit::SetFactor { .. }
                | Edit::Partitions { .. }
                | Edit::Zones(_)
        );
        if is_before_others {
            self.settle(watch)?;
        }
        self.apply(edit, watch)
    }

    fn apply(&mut self, edit: &Edit, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        match edit {
            Edit::Add { count, zone, node } => layout::add(self, *count, zone.as_deref(), node.as_deref()),
            Edit::Remove(brokers) => self.remove(brokers),
            Edit::Retype { from, to } => layout::retype(self, from, to),
            Edit::SetFactor { topics, factor } => {
                self.matching(topics)?;
                let (topics, exclude) = (vec![topics.clone()], vec![]);
                self.plan(&Intent::SetFactor { factor: *factor, topics, exclude }, watch)
            }
            Edit::Partitions { topics, count } => layout::partitions(self, topics, *count),
            Edit::Zones(count) => {
                layout::zones(self, *count)?;
                self.is_rezoned = true;
                Ok(())
            }
            Edit::Grow { topics, by } => grow::grow(self, topics.as_deref(), *by),
            Edit::Retention { topics, seconds } => grow::retain(self, topics, *seconds),
            Edit::LoseBroker(id) => self.lose(&Lost::Broker(*id)),
            Edit::LoseZone(zone) => self.lose(&Lost::Zone(zone.clone())),
            Edit::LoseAnyBroker => self.lose_any(false),
            Edit::LoseAnyZone => self.lose_any(true),
            Edit::Then(then) => self.then(*then, watch),
            Edit::Horizon(_) | Edit::Peak(_) | Edit::Headroom(_) => Ok(()),
        }
    }

    /// What has to follow where nobody said what: brokers that go are emptied, new zones are used. What is dead stays dead.
    pub fn settle(&mut self, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        self.empty_leaving(watch)?;
        self.use_zones(watch)
    }

    /// Takes a cluster that was made anew for its own.
    pub fn take(&mut self, mut cluster: Cluster) {
        self.others.settle(&mut cluster);
        self.cluster = cluster;
    }

    /// Which topics a pattern matches, by index.
    pub fn matching(&self, pattern: &str) -> Result<Vec<bool>, WhatifError> {
        let compiled = Pattern::new(std::slice::from_ref(&pattern.to_owned())).map_err(|error| {
            WhatifError::edit(error.to_string(), "a regular expression for whole topic names")
        })?;
        let found: Vec<bool> =
            self.cluster.topics.iter().map(|topic| compiled.matches(&topic.name)).collect();
        if found.iter().any(|is| *is) {
            return Ok(found);
        }
        let names: Vec<&str> = self.cluster.topics.iter().take(5).map(|topic| topic.name.as_str()).collect();
        let accepted = format!("a pattern of whole names; the first topics are {}", names.join(", "));
        Err(WhatifError::edit(format!("{pattern:?} matches no topic"), accepted))
    }

    /// A node type by name.
    pub fn node_type(&self, name: &str) -> Result<NodeType, WhatifError> {
        let own = self.cluster.brokers.iter().filter_map(|broker| broker.node.as_ref());
        let mut found = self.types.iter().chain(own.clone()).filter(|node| node.name == name);
        if let Some(first) = found.next() {
            return match found.find(|other| *other != first) {
                None => Ok(first.clone()),
                Some(_) => Err(WhatifError::edit(
                    format!("node type {name:?} is told twice, and not alike"),
                    "one definition in --node-types and --topology",
                )),
            };
        }
        let mut names: Vec<&str> = self.types.iter().chain(own).map(|node| node.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let known =
            if names.is_empty() { "none is: give --node-types FILE".into() } else { names.join(", ") };
        Err(WhatifError::edit(format!("node type {name:?} is not known"), format!("one of {known}")))
    }

    /// Index of a broker.
    fn broker(&self, id: BrokerId) -> Result<u16, WhatifError> {
        let there = self.cluster.broker_index(id).filter(|_| !self.gone.contains(&id));
        there.ok_or_else(|| {
            let ids: Vec<BrokerId> = self.cluster.brokers.iter().map(|broker| broker.id).collect();
            let accepted = format!("one of {}", crate::model::replicas::show(&ids));
            WhatifError::edit(format!("broker {id} is not in the cluster"), accepted)
        })
    }

    fn remove(&mut self, brokers: &[BrokerId]) -> Result<(), WhatifError> {
        for id in brokers {
            self.broker(*id)?;
        }
        self.leaving.extend_from_slice(brokers);
        self.leaving.sort_unstable();
        self.leaving.dedup();
        if self.leaving.len() == self.cluster.brokers.len() {
            return Err(WhatifError::edit("no broker would be left".into(), "some that stay"));
        }
        Ok(())
    }

    /// The brokers of what is lost, by index.
    fn brokers_of(&self, lost: &Lost) -> Result<Vec<u16>, WhatifError> {
        let zone = match lost {
            Lost::Broker(id) => return self.broker(*id).map(|at| vec![at]),
            Lost::Zone(zone) => zone,
        };
        let brokers = &self.cluster.brokers;
        let of: Vec<u16> = (0..brokers.len() as u16)
            .filter(|at| brokers[usize::from(*at)].zone.as_ref() == Some(zone))
            .collect();
        if !of.is_empty() {
            return Ok(of);
        }
        let mut zones: Vec<&str> = brokers.iter().filter_map(|broker| broker.zone.as_deref()).collect();
        zones.sort_unstable();
        zones.dedup();
        let accepted = if zones.is_empty() {
            "a cluster with zones".into()
        } else {
            format!("one of {}", zones.join(", "))
        };
        Err(WhatifError::edit(format!("zone {zone:?} is not in the cluster"), accepted))
    }

    /// Takes brokers out of service.
    fn lose(&mut self, lost: &Lost) -> Result<(), WhatifError> {
        let brokers = self.brokers_of(lost)?;
        self.shifts.extend(fail::lose(&mut self.cluster, &brokers));
        self.lost.push(lost.clone());
        self.cases.clear();
        Ok(())
    }

    /// Of all losses of one broker, or one zone, the worst.
    fn lose_any(&mut self, each_zone: bool) -> Result<(), WhatifError> {
        if each_zone && self.cluster.brokers.iter().any(|broker| broker.zone.is_none()) {
            return Err(WhatifError::edit(
                "not every broker has a zone".into(),
                "a cluster with zones: --zone, --topology",
            ));
        }
        let loads = loads(&self.cluster, self.terms);
        let cases = fail::cases(&self.cluster, each_zone, &loads, self.terms);
        if let Some(worst) = cases.first() {
            self.lose(&worst.lost)?;
        }
        self.cases = cases;
        Ok(())
    }

    /// Plans: first what lies on brokers that go, then what lay on dead ones, then evenness.
    fn then(&mut self, then: Then, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        if then == Then::None {
            let gone = std::mem::take(&mut self.leaving);
            let at: Vec<u16> = gone.iter().filter_map(|id| self.cluster.broker_index(*id)).collect();
            self.shifts.extend(fail::lose(&mut self.cluster, &at));
            self.gone.extend(gone);
            self.is_rezoned = false;
            return Ok(());
        }
        self.empty_leaving(watch)?;
        self.replace_dead(watch)?;
        self.use_zones(watch)?;
        if then == Then::Rebalance {
            self.rebalance(false, watch)?;
        }
        Ok(())
    }

    fn empty_leaving(&mut self, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        if self.leaving.is_empty() {
            return Ok(());
        }
        let (brokers, none) = (self.leaving.clone(), Vec::new);
        self.plan(&Intent::Drain { brokers, replace_with: None, topics: none(), exclude: none() }, watch)?;
        self.let_go()
    }

    /// Makes the replicas of dead brokers again, each in its zone.
    fn replace_dead(&mut self, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        let held = crate::model::capacity::held_replicas(&self.cluster);
        let all = self.cluster.brokers.iter().zip(held);
        let dead = all.filter(|(broker, held)| *held > 0 && !broker.serves()).map(|(broker, _)| broker.id);
        let (brokers, none): (Vec<BrokerId>, _) = (dead.collect(), Vec::new);
        if brokers.is_empty() {
            return Ok(());
        }
        self.plan(&Intent::Drain { brokers, replace_with: None, topics: none(), exclude: none() }, watch)
    }

    fn use_zones(&mut self, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        if std::mem::take(&mut self.is_rezoned) {
            self.plan(&Intent::Repair { topics: Vec::new(), exclude: Vec::new() }, watch)?;
            self.rebalance(true, watch)?;
        }
        Ok(())
    }

    fn rebalance(&mut self, across_zones: bool, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        let bands = plans::bands(&self.cluster, across_zones);
        let budget = crate::plan::Budget::default();
        self.plan(&Intent::Rebalance { bands, budget, topics: Vec::new(), exclude: Vec::new() }, watch)
    }

    fn plan(&mut self, intent: &Intent, watch: &mut dyn Watch) -> Result<(), WhatifError> {
        let made = self.plans.carry_out(&self.cluster, intent, &mut self.notes, watch)?;
        self.take(made);
        Ok(())
    }

    /// Takes the emptied brokers out of the cluster.
    fn let_go(&mut self) -> Result<(), WhatifError> {
        let leaving = std::mem::take(&mut self.leaving);
        plans::must_be_empty(&self.cluster, &leaving, &self.plans)?;
        let stays = |broker: &&crate::model::Broker| !leaving.contains(&broker.id);
        let brokers = self.cluster.brokers.iter().filter(stays).cloned().collect();
        let cluster = &self.cluster;
        let count = |topic: &Topic| topic.partitions;
        let fill = |topic: &Topic, number, row: &mut super::rebuild::Row| {
            row.copy(cluster, cluster.partition_in(topic, number));
        };
        let made = rebuild(cluster, brokers, count, fill)?;
        self.take(made);
        Ok(())
    }
}
