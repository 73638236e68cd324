//! Whether the moves are what the intent asks for: no more, no less.

use std::collections::BTreeSet;

use super::book::Book;
use super::safety::Zones;
use super::shape::Lists;
use super::{Promise, Verdict};
use crate::model::{BrokerId, Cluster, TopicPartition};
use crate::plan::{Intent, Pattern, Plan};

/// The intent, ready to be asked about moves.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    intent: &'a Intent,
    /// Topics that it is about, and those that it is not.
    patterns: Option<(Pattern, Pattern)>,
    preserve: bool,
    left_out: BTreeSet<TopicPartition>,
}

impl<'a> Asked<'a> {
    /// Reads the intent and says what is wrong with it alone.
    pub fn new(plan: &'a Plan, book: &Book<'_>, verdict: &mut Verdict) -> Self {
        let mut say = |broker, message: &str| verdict.add(Promise::Intent, None, broker, message.into());
        let left_out = plan.left_out.iter().map(|left| left.partition.clone()).collect();
        for id in &plan.given_up {
            if book.at(*id).is_none_or(|at| !book.entry(at).in_plan) {
                say(Some(*id), "is given up and not among the plan's brokers");
            }
        }
        let intent = &plan.intent;
        let preserve = matches!(intent, Intent::Migrate { preserve_leaders: true, .. });
        let Some((topics, exclude)) = intent.patterns() else {
            return Asked { intent, patterns: None, preserve, left_out };
        };
        for (list, what, is_needed) in named(intent) {
            if list.is_empty() && is_needed {
                say(None, &format!("the intent names no broker in {what}"));
            }
            for id in list.iter().filter(|id| book.at(**id).is_none_or(|at| !book.entry(at).in_plan)) {
                say(Some(*id), &format!("stands in {what} and not among the plan's brokers"));
            }
        }
        for id in intent.sources().iter().filter(|id| intent.destinations().contains(id)) {
            say(Some(*id), "stands among the brokers to leave and among those to go to");
        }
        let mut read = |patterns: &[String]| match Pattern::new(patterns) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                say(None, &error.to_string());
                None
            }
        };
        let patterns = read(topics).zip(read(exclude));
        Asked { intent, patterns, preserve, left_out }
    }

    /// Whether brokers are emptied.
    fn empties(&self) -> bool {
        matches!(self.intent, Intent::Migrate { .. } | Intent::Drain { .. })
    }

    /// Whether copies may be made on a broker.
    fn goes_to(&self, book: &Book<'_>, at: u32) -> bool {
        self.intent.destinations().is_empty() && !matches!(self.intent, Intent::Leaders { .. })
            || book.entry(at).destination
    }

    /// Whether the intent covers a topic; unreadable patterns cover nothing, and were reported.
    pub fn covers(&self, topic: &str) -> bool {
        let covered = |(topics, exclude): &(Pattern, Pattern)| {
            (topics.is_empty() || topics.matches(topic)) && !exclude.matches(topic)
        };
        self.patterns.as_ref().is_some_and(covered)
    }

    /// Whether topics outside the patterns are a finding.
    pub fn has_patterns(&self) -> bool {
        self.patterns.is_some()
    }

    /// Whether the plan leaves this partition out.
    pub fn leaves_out(&self, partition: &TopicPartition) -> bool {
        self.left_out.contains(partition)
    }

    /// Whether the plan leaves out anything at all.
    pub fn leaves_out_any(&self) -> bool {
        !self.left_out.is_empty()
    }

    /// Judges one move.
    pub fn judge(
        &self,
        book: &Book<'_>,
        zones: &mut Zones,
        lists: &Lists,
        mut say: impl FnMut(Promise, Option<BrokerId>, String),
    ) {
        if let Some(at) = lists.to.iter().find(|at| book.entry(**at).given_up) {
            say(Promise::Intent, Some(book.id(*at)), "the target holds a broker that was given up".into());
        }
        match self.intent {
            Intent::Migrate { .. } | Intent::Drain { .. } => {}
            Intent::Return { .. } | Intent::Follow { .. } => return,
            _ => return self.judge_change(book, zones, lists, say),
        }
        if !lists.from.iter().any(|at| book.entry(*at).source) {
            let shown = book.show(&lists.from);
            say(Promise::Intent, None, format!("nothing of {shown} is on a source broker, and it is moved"));
        }
        for at in &lists.to {
            if book.entry(*at).source {
                say(Promise::Intent, Some(book.id(*at)), "the target still holds a source broker".into());
            } else if lists.added.contains(at) && !self.goes_to(book, *at) {
                let message = "gets a copy and is not among the destinations".into();
                say(Promise::Intent, Some(book.id(*at)), message);
            }
        }
        for at in lists.removed.iter().filter(|at| !book.entry(**at).source) {
            let message = "loses its copy and is not among the sources".into();
            say(Promise::Intent, Some(book.id(*at)), message);
        }
        let (start, end) = (lists.from.len(), lists.to.len());
        if end < start {
            say(
                Promise::P4,
                None,
                format!("the replication factor falls from {start} to {end}, and nobody asked for it"),
            );
        } else if end > start {
            say(
                Promise::Intent,
                None,
                format!("the replication factor rises from {start} to {end}, and nobody asked for it"),
            );
        } else {
            self.judge_places(book, zones, lists, say);
        }
    }

    /// What intents that empty no broker may do to one partition.
    fn judge_change(
        &self,
        book: &Book<'_>,
        zones: &mut Zones,
        lists: &Lists,
        mut say: impl FnMut(Promise, Option<BrokerId>, String),
    ) {
        for at in lists.added.iter().filter(|at| !self.goes_to(book, **at)) {
            let message = "gets a copy, and the intent makes none there".into();
            say(Promise::Intent, Some(book.id(*at)), message);
        }
        let (start, end) = (lists.from.len(), lists.to.len());
        let wanted = match self.intent {
            Intent::SetFactor { factor, .. } => *factor as usize,
            _ => start,
        };
        if end != wanted {
            let message = format!("ends with {end} replicas, where {wanted} are asked for");
            say(if end < wanted { Promise::P4 } else { Promise::Intent }, None, message);
            return;
        }
        match self.intent {
            Intent::SetFactor { .. } if !lists.added.is_empty() && !lists.removed.is_empty() => {
                say(Promise::Intent, None, "replaces replicas, where only their number was to change".into());
            }
            Intent::Repair { .. } if !zones.misplaced(book, &lists.from).contains(&lists.added.len()) => {
                let (needs, makes) = (zones.misplaced(book, &lists.from), lists.added.len());
                say(Promise::Intent, None, format!("makes {makes} copies, where {} mend it", needs.end()));
            }
            Intent::Rebalance { .. } | Intent::Add { .. }
                if !self.intent.crosses_zones() && !zones.same(book, &lists.removed, &lists.added) =>
            {
                let (old, new) = (book.show_zones(&lists.removed), book.show_zones(&lists.added));
                let why = "each replica has to stay in its zone";
                say(Promise::P3, None, format!("{old} is replaced by {new}: {why}"));
            }
            Intent::Rebalance { .. } | Intent::Add { .. } if zones.crowds_racks(&lists.from, &lists.to) => {
                let (old, new) = (book.show_zones(&lists.from), book.show_zones(&lists.to));
                let why = "more replicas share a rack, and nothing forces them to";
                say(Promise::P3, None, format!("{new} takes the place of {old}: {why}"));
            }
            _ => {}
        }
    }

    /// Zones stay in their order, so that leadership stays in its zone.
    fn judge_places(
        &self,
        book: &Book<'_>,
        zones: &mut Zones,
        lists: &Lists,
        mut say: impl FnMut(Promise, Option<BrokerId>, String),
    ) {
        let pairs = || lists.from.iter().zip(&lists.to);
        if !zones.same(book, &lists.removed, &lists.added) {
            let (old, new) = (book.show_zones(&lists.removed), book.show_zones(&lists.added));
            say(
                Promise::P3,
                None,
                format!("{old} is replaced by {new}: each replica has to stay in its zone"),
            );
        } else if pairs().any(|(old, new)| book.zone(*old) != book.zone(*new)) {
            let (old, new) = (book.show_zones(&lists.from), book.show_zones(&lists.to));
            say(
                Promise::P3,
                None,
                format!("{new} does not keep the zone order of {old}: leaders would change zone"),
            );
        }
        let misplaced = pairs().find(|(old, new)| old != new && !book.entry(**old).source);
        if let Some((old, new)) = misplaced.filter(|_| self.preserve) {
            let (old, new) = (book.id(*old), book.id(*new));
            say(
                Promise::Intent,
                Some(old),
                format!(
                    "broker {new} stands in the place of broker {old}, which stays: --preserve-leaders asks for it"
                ),
            );
        }
    }

    /// After all moves: what is left out is left out, and nothing is forgotten.
    ///
    /// `named` holds, for each partition of the cluster, whether a move names it; `complete` is false where the
    /// cluster is not the one that was planned on, so that new partitions are no finding.
    pub fn judge_coverage(
        &self,
        plan: &Plan,
        book: &Book<'_>,
        cluster: &Cluster,
        named: &[bool],
        complete: bool,
        verdict: &mut Verdict,
    ) {
        let is_source = |broker: &u16| book.entry(book.of_cluster[*broker as usize]).source;
        for left in &plan.left_out {
            let Some(p) = cluster.find(&left.partition.topic, left.partition.partition) else {
                continue;
            };
            let mut holds: Vec<BrokerId> =
                p.replicas.iter().filter(|b| is_source(b)).map(|b| cluster.brokers[*b as usize].id).collect();
            let mut keeps = left.keeps.clone();
            holds.sort_unstable();
            keeps.sort_unstable();
            if complete && holds != keeps {
                let (keeps, holds) =
                    (crate::model::replicas::show(&keeps), crate::model::replicas::show(&holds));
                let message =
                    format!("left out as kept on {keeps}, and the source brokers that hold it are {holds}");
                verdict.add(Promise::Intent, Some(left.partition.clone()), None, message);
            }
        }
        if !complete {
            return;
        }
        if !self.empties() {
            self.judge_rest(book, cluster, named, verdict);
            return;
        }
        for topic in cluster.topics.iter().filter(|topic| self.covers(&topic.name)) {
            for p in cluster.partitions_of(topic).filter(|p| !named[p.index as usize]) {
                let Some(source) = p.replicas.iter().find(|broker| is_source(broker)) else { continue };
                let partition = TopicPartition::new(topic.name.clone(), p.number);
                if !self.leaves_out(&partition) {
                    let source = cluster.brokers[*source as usize].id;
                    let message = "a replica is on this source broker, and the plan neither moves it nor leaves \
                                   it out: plan again";
                    verdict.add(Promise::Intent, Some(partition), Some(source), message.into());
                }
            }
        }
        let unseen = (cluster.brokers.iter().enumerate())
            .filter(|(at, _)| is_source(&(*at as u16)))
            .flat_map(|(_, broker)| broker.unseen.iter().map(|unseen| (broker.id, unseen)));
        for (id, unseen) in unseen.filter(|(_, unseen)| self.covers(&unseen.topic)) {
            if !plan.left_out.iter().any(|left| left.partition.topic == unseen.topic) {
                let message = format!(
                    "holds {} replicas of topic {:?}, which the snapshot may not describe: the plan would leave \
                     them behind; grant DESCRIBE on it or exclude it",
                    unseen.replicas, unseen.topic
                );
                verdict.add(Promise::Ready, None, Some(id), message);
            }
        }
    }

    /// Partitions without a move: what was asked of each of them has to hold already.
    fn judge_rest(&self, book: &Book<'_>, cluster: &Cluster, named: &[bool], verdict: &mut Verdict) {
        let mut zones = Zones::new(book);
        for topic in cluster.topics.iter().filter(|topic| self.covers(&topic.name)) {
            zones.allow(book, &topic.zones);
            for p in cluster.partitions_of(topic).filter(|p| !named[p.index as usize]) {
                let list: Vec<u32> = p.replicas.iter().map(|b| book.of_cluster[*b as usize]).collect();
                let message = match self.intent {
                    Intent::SetFactor { factor, .. } if list.len() != *factor as usize => {
                        format!("has {} replicas, where {factor} are asked for", list.len())
                    }
                    Intent::Repair { .. } if *zones.misplaced(book, &list).start() > 0 => {
                        format!("{} is not repaired", book.show_zones(&list))
                    }
                    _ => continue,
                };
                let partition = TopicPartition::new(topic.name.clone(), p.number);
                if !self.leaves_out(&partition) {
                    let message =
                        format!("{message}, and the plan neither moves it nor leaves it out: plan again");
                    verdict.add(Promise::Intent, Some(partition), None, message);
                }
            }
        }
    }
}

/// The brokers that an intent names, by flag, and whether there must be some.
fn named(intent: &Intent) -> Vec<(&[BrokerId], &'static str, bool)> {
    match intent {
        Intent::Migrate { from, to, .. } => vec![(from, "--from", true), (to, "--to", true)],
        Intent::Drain { brokers, replace_with, .. } => {
            vec![(brokers, "--brokers", true), (replace_with.as_slice(), "--replace-with", false)]
        }
        Intent::Add { brokers, .. } => vec![(brokers, "--brokers", true)],
        Intent::Leaders { demote, .. } => vec![(demote, "--demote", false)],
        _ => vec![],
    }
}
