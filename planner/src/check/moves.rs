//! The judgement of a plan: one pass over its moves, then what follows from their sums.

use std::collections::BTreeSet;
use std::ops::Range;

use super::asked::Asked;
use super::book::Book;
use super::certificate::{self, Sums};
use super::config::Configs;
use super::even::Evenness;
use super::safety::{self, Spread, Zones};
use super::shape::{self, Lists};
use super::weight::Weights;
use super::{At, Promise, Verdict, crowd, leaders, live};
use crate::model::{Cluster, TopicPartition};
use crate::plan::{Intent, Move, Plan};
use crate::rule::{Policy, Rule, What, When};

/// What is known of a topic of the plan.
#[derive(Debug, Clone, Default)]
struct Seat {
    /// Its position in the cluster, if it is the same topic there.
    index: Option<usize>,
    /// The partition indexes of that name in the cluster.
    span: Range<u32>,
    min_isr: Option<u32>,
    /// What the run sets in its place while copies are added.
    held_min_isr: Option<u32>,
    /// What is wrong with it as a whole, until it is said on its first move.
    wrong: Vec<(Promise, String)>,
    has_no_worse: bool,
}

/// A plan on trial.
pub(super) struct Judge<'a> {
    plan: &'a Plan,
    live: Option<(&'a Cluster, At)>,
    book: Book<'a>,
    verdict: Verdict,
    /// Whether every move could be weighed, so that sums can be compared.
    whole: bool,
}

impl<'a> Judge<'a> {
    pub fn new(plan: &'a Plan, live: Option<(&'a Cluster, At)>) -> Self {
        let book = Book::of_plan(plan, live.map(|(cluster, _)| cluster));
        Judge { plan, live, book, verdict: Verdict::default(), whole: true }
    }

    /// Judges everything.
    pub fn run(mut self) -> Verdict {
        let plan = self.plan;
        let mut zones = Zones::new(&self.book);
        self.judge_head(&zones);
        let asked = Asked::new(plan, &self.book, &mut self.verdict);
        let twice = shape::order(plan, &mut self.verdict);
        self.whole &= twice.is_empty();
        let no_worse: BTreeSet<&TopicPartition> = plan.no_worse.iter().collect();
        let mut seats = self.seats(&asked);

        let cluster = self.live.map(|(cluster, _)| cluster);
        let at_start = self.live.is_some_and(|(_, at)| at == At::Start);
        let mut configs = cluster.map(Configs::new);
        let mut weights = match cluster {
            Some(cluster) => Weights::of_cluster(&self.book, cluster),
            None => Weights::of_plan(&self.book, plan),
        };
        let mut claimed = (!at_start && cluster.is_some()).then(|| Weights::of_plan(&self.book, plan));
        let mut sums = Sums::default();
        let mut even = cluster.filter(|_| at_start).and_then(|cluster| Evenness::of(plan, cluster));
        let mut named = vec![false; cluster.map_or(0, Cluster::partition_count)];
        let mut no_worse_seen = 0;
        let mut lists = Lists::default();

        for (at, m) in plan.moves.iter().enumerate() {
            self.verdict.partitions += 1;
            let Some(seat) = seats.get_mut(m.topic as usize).filter(|_| m.partition >= 0) else {
                let message = format!("topic number {}, partition {}: there is none", m.topic, m.partition);
                self.verdict.add(Promise::P2, Some(shape::name(plan, at)), None, message);
                self.whole = false;
                continue;
            };
            if let Some(named) =
                seat.span.clone().nth(m.partition as usize).and_then(|p| named.get_mut(p as usize))
            {
                *named = true;
            }
            for (promise, message) in std::mem::take(&mut seat.wrong) {
                self.verdict.add(promise, Some(shape::name(plan, at)), None, message);
            }
            if !self.read(at, &m, &mut lists) || twice.contains(&at) {
                self.whole = false;
                continue;
            }
            lists.derive();
            zones.allow(&self.book, &plan.topics[m.topic as usize].zones);
            let policy = self.policy(seat, &no_worse, at);
            no_worse_seen += usize::from(policy != Spread::Hard);
            self.judge_lists(at, &lists, policy, seat, &mut zones);
            self.judge_asked(at, &asked, &lists, &mut zones);

            let p = self.judge_live(at, &m, seat, &lists);
            let bytes = if at_start { p.and_then(|p| p.copy_bytes()) } else { m.bytes };
            let now = p.map_or(m.bytes, |p| p.copy_bytes());
            weights.add(&self.book, &lists, now, p);
            if let Some(claimed) = &mut claimed {
                claimed.add(&self.book, &lists, m.bytes, None);
            }
            if let (Some(even), Some(p)) = (&mut even, &p) {
                even.add(&self.book, &lists, p);
            }
            let forced = certificate::forced(&plan.intent, &self.book, &mut zones, &lists);
            sums.add(bytes, forced, lists.added.len());
            if let (Some(configs), Some(topic)) = (&mut configs, seat.index) {
                configs.add(topic, m.partition, &lists.from, &lists.removed, &lists.added);
            }
        }

        self.judge_no_worse(no_worse_seen, &no_worse, &asked);
        self.judge_left_out(&asked);
        weights.judge_room(&self.book, plan.pacing, cluster, &mut self.verdict);
        if self.whole {
            let figures = claimed.as_ref().unwrap_or(&weights);
            figures.judge_figures(&self.book, plan, at_start, &mut self.verdict);
            sums.judge(plan, &mut self.verdict);
            even.iter().for_each(|even| even.judge(plan, &self.book, &mut self.verdict));
            if let Some(cluster) = cluster.filter(|_| at_start) {
                leaders::judge(plan, cluster, &asked, &mut self.verdict);
                crowd::judge(plan, cluster, &mut self.verdict);
            }
            let as_asked = |f: &super::Finding| !matches!(f.promise, Promise::Intent | Promise::P4);
            if self.verdict.findings.iter().all(as_asked) {
                certificate::judge_bound(plan, &mut self.verdict);
            }
        }
        if let (Some((cluster, at)), Some(configs)) = (self.live, &configs) {
            live::brokers(plan, &self.book, configs, (cluster, at), &mut self.verdict);
            live::destinations(configs, &self.book, cluster, &mut self.verdict);
            configs.judge(&self.book, cluster, &plan.accepted_differences, &mut self.verdict);
            asked.judge_coverage(plan, &self.book, cluster, &named, at == At::Start, &mut self.verdict);
        }
        self.verdict
    }

    /// Brokers, zones and rules of the plan.
    fn judge_head(&mut self, zones: &Zones) {
        for id in std::mem::take(&mut self.book.twice) {
            let message = "stands twice among the plan's brokers".into();
            self.verdict.add(Promise::P2, None, Some(id), message);
        }
        if !self.plan.brokers.is_sorted_by_key(|broker| broker.id) {
            let message = "the plan's brokers are not ordered by id".into();
            self.verdict.add(Promise::P2, None, None, message);
        }
        let zoned = self.book.zones > 0;
        for entry in
            self.book.entries.iter().filter(|entry| zoned && entry.in_plan && entry.zone_name.is_none())
        {
            let message = "has no zone while others have: give it one with --zone".into();
            self.verdict.add(Promise::P3, None, Some(entry.id), message);
        }
        let needed = [
            (What::Capacity, When::Always, Promise::P5, true),
            (What::ZoneSpread, When::After, Promise::P3, zoned),
            (What::ZoneSpread, When::Always, Promise::P3, zoned),
        ];
        let needed = needed.map(|(what, when, promise, needed)| (what, when, Policy::Hard, promise, needed));
        let (spreads, racked) = (self.plan.intent.spreads_topics(), zones.stand_above_racks());
        let policy = self.plan.intent.rack_policy();
        let others = [
            (What::TopicSpread, When::After, Policy::NoWorse, Promise::Intent, spreads),
            (What::RackSpread, When::After, policy, Promise::P3, racked),
        ];
        for (what, when, policy, promise, needed) in needed.into_iter().chain(others) {
            if needed && !self.plan.rules.contains(&Rule { what, when, policy }) {
                let message =
                    format!("the plan does not hold the rule {what:?} ({when:?}) as {policy:?}: plan again");
                self.verdict.add(promise, None, None, message);
            }
        }
    }

    /// The plan's topics in the cluster.
    fn seats(&self, asked: &Asked<'_>) -> Vec<Seat> {
        let with_no_worse: BTreeSet<&str> = self.plan.no_worse.iter().map(|p| p.topic.as_str()).collect();
        let seat = |(at, topic): (usize, &crate::plan::PlanTopic)| {
            let mut seat = Seat {
                min_isr: topic.min_isr,
                held_min_isr: topic.hold_min_isr,
                has_no_worse: with_no_worse.contains(topic.name.as_str()),
                ..Seat::default()
            };
            if asked.has_patterns() && !asked.covers(&topic.name) {
                let message = "the topic is moved, and the intent does not cover it (topics, exclude)".into();
                seat.wrong.push((Promise::Intent, message));
            }
            if let Some((cluster, _)) = self.live {
                seat.span = cluster.topic(&topic.name).map_or(0..0, |t| t.first..t.first + t.partitions);
                match live::topic(self.plan, cluster, at) {
                    Ok(index) => {
                        let known = &cluster.topics[index].zones;
                        if !known.is_empty() && *known != topic.zones {
                            let (known, zones) = (known.join(", "), topic.zones.join(", "));
                            let message =
                                format!("the topic may be in zones [{known}], and in [{zones}] by the plan");
                            seat.wrong.push((Promise::P3, message));
                        }
                        let real = cluster.topics[index].min_isr.map(|(min_isr, _)| min_isr);
                        (seat.index, seat.min_isr) = (Some(index), real.or(topic.min_isr));
                    }
                    Err(message) => seat.wrong.push((Promise::Cluster, message)),
                }
            }
            seat
        };
        self.plan.topics.iter().enumerate().map(seat).collect()
    }

    /// Reads the lists of a move (P1) into `lists`.
    fn read(&mut self, at: usize, m: &Move<'_>, lists: &mut Lists) -> bool {
        let mut fine = true;
        for (list, into) in [(m.from, &mut lists.from), (m.to, &mut lists.to)] {
            into.clear();
            if let Err(wrong) = shape::replica_list(list) {
                let message = format!("{wrong}: {}", crate::model::replicas::show(list));
                self.verdict.add(Promise::P1, Some(shape::name(self.plan, at)), None, message);
                fine = false;
                continue;
            }
            for id in list {
                match self.book.at(*id).filter(|at| self.book.entry(*at).in_plan) {
                    Some(broker) => into.push(broker),
                    None => {
                        let message = "stands in a list and not among the plan's brokers".into();
                        self.verdict.add(
                            Promise::Cluster,
                            Some(shape::name(self.plan, at)),
                            Some(*id),
                            message,
                        );
                        fine = false;
                    }
                }
            }
        }
        let stranger = m.leader.filter(|leader| !m.from.contains(leader));
        if let Some(leader) = stranger.filter(|_| fine) {
            let message = "is named as the leader at the start and is no replica there".into();
            self.verdict.add(Promise::P2, Some(shape::name(self.plan, at)), Some(leader), message);
        }
        lists.kept.clear();
        lists.kept.extend(lists.from.iter().filter(|at| !self.book.entry(**at).given_up));
        fine
    }

    fn policy(&self, seat: &Seat, no_worse: &BTreeSet<&TopicPartition>, at: usize) -> Spread {
        if !seat.has_no_worse || !no_worse.contains(&shape::name(self.plan, at)) {
            return Spread::Hard;
        }
        match self.plan.intent {
            Intent::Return { .. } | Intent::Follow { .. } => Spread::Back,
            _ => Spread::NoWorse,
        }
    }

    /// P2, P3, P4 and P7 on every list of every step.
    fn judge_lists(&mut self, at: usize, lists: &Lists, policy: Spread, seat: &Seat, zones: &mut Zones) {
        let (plan, verdict) = (self.plan, &mut self.verdict);
        verdict.lists += 1 + lists.steps().count();
        let mut say = |promise, message| verdict.add(promise, Some(shape::name(plan, at)), None, message);
        for (promise, message) in shape::chain(&lists.kept, &lists.to, lists.steps()) {
            say(promise, message);
        }
        safety::spread(&self.book, zones, lists, policy, &mut say);
        safety::factor(&self.book, lists, seat.min_isr, &mut say);
        let grows = lists.expanded.len() > lists.from.len();
        if let Some(message) =
            live::blocks_writes(lists.from.len(), grows, seat.held_min_isr.or(seat.min_isr))
        {
            say(Promise::Ready, message);
        }
    }

    fn judge_asked(&mut self, at: usize, asked: &Asked<'_>, lists: &Lists, zones: &mut Zones) {
        let (plan, verdict) = (self.plan, &mut self.verdict);
        for id in lists.added.iter().chain(&lists.removed).filter(|id| self.book.entry(**id).pinned) {
            let message = "is pinned, and a replica comes to it or leaves it".into();
            verdict.add(Promise::Intent, Some(shape::name(plan, at)), Some(self.book.id(*id)), message);
        }
        asked.judge(&self.book, zones, lists, |promise, broker, message| {
            verdict.add(promise, Some(shape::name(plan, at)), broker, message);
        });
        if asked.leaves_out_any() && asked.leaves_out(&shape::name(plan, at)) {
            let message = "the plan moves it and leaves it out".into();
            verdict.add(Promise::Intent, Some(shape::name(plan, at)), None, message);
        }
    }

    /// Where the partition stands in the cluster; gives it if it is there and can be weighed.
    fn judge_live(
        &mut self,
        at: usize,
        m: &Move<'_>,
        seat: &Seat,
        lists: &Lists,
    ) -> Option<crate::model::Partition<'a>> {
        let (cluster, moment) = self.live?;
        let (plan, verdict) = (self.plan, &mut self.verdict);
        let mut say = |promise, message| verdict.add(promise, Some(shape::name(plan, at)), None, message);
        let Some(topic) = seat.index.map(|index| &cluster.topics[index]) else {
            self.whole = false;
            return None;
        };
        if m.partition as u32 >= topic.partitions {
            let count = topic.partitions;
            say(Promise::Cluster, format!("the topic has {count} partitions only: plan again"));
            self.whole = false;
            return None;
        }
        let p = cluster.partition(topic.first + m.partition as u32);
        live::standing(&self.book, cluster, &p, lists, moment, &mut say);
        if moment == At::Start {
            if p.copy_bytes() != m.bytes {
                let show = |bytes: Option<u64>| bytes.map_or("unknown".into(), |bytes| bytes.to_string());
                let (planned, real) = (show(m.bytes), show(p.copy_bytes()));
                say(Promise::P6, format!("a copy has {real} bytes and the plan says {planned}: plan again"));
            }
            let same_set = p.replicas.len() == lists.from.len()
                && p.replicas.iter().all(|b| lists.from.contains(&self.book.of_cluster[*b as usize]));
            self.whole &= same_set;
        }
        Some(p)
    }

    fn judge_no_worse(&mut self, seen: usize, no_worse: &BTreeSet<&TopicPartition>, asked: &Asked<'_>) {
        let back = matches!(self.plan.intent, Intent::Return { .. });
        if back || seen == no_worse.len() {
            return;
        }
        let moved: BTreeSet<TopicPartition> =
            (0..self.plan.moves.len()).map(|at| shape::name(self.plan, at)).collect();
        for partition in no_worse.iter().filter(|p| !moved.contains(**p) && !asked.leaves_out(p)) {
            let message = "stands among the partitions that break the zone rule and is not moved".into();
            self.verdict.add(Promise::P3, Some((*partition).clone()), None, message);
        }
    }

    fn judge_left_out(&mut self, asked: &Asked<'_>) {
        for left in &self.plan.left_out {
            let mut say = |broker, message: &str| {
                let partition = Some(left.partition.clone());
                self.verdict.add(Promise::Intent, partition, broker, message.into());
            };
            let strangers = left.keeps.iter().filter(|id| !self.plan.intent.sources().contains(id));
            for id in strangers {
                say(Some(*id), "is said to keep a replica of what is left out and is no source broker");
            }
            if asked.has_patterns() && !asked.covers(&left.partition.topic) {
                say(None, "is left out, and the intent does not cover it anyway");
            }
        }
    }
}
