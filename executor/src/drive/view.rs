//! What this process saw, and since when.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::read::{PartitionView, Reassignment, Resource, TopicView};
use restow_planner::model::BrokerId;
use restow_planner::model::replicas::{minus, same_set};
use restow_planner::plan::{Pacing, Plan, moves};
use restow_planner::schedule::Load;

use super::count::Counts;
use super::course::on_its_way;
use super::health::Health;
use super::room::Room;
use super::seen::{Answers, BrokerSeen, Known, Observed, Probe};
use super::stages::Stages;
use super::stall::Copies;
use super::standing::{Seen, Standing, standing_without};
use super::switch::Guard;
use super::{LAG, Moment, Now, Orders, Pace, Stay, Wrote};
use crate::journal::{ConfigKey, Goal, Memory};

/// What this process saw.
#[derive(Debug, Clone)]
pub struct View {
    /// When the last tick began to read.
    pub at: Moment,
    /// When the far view was last read.
    pub far_at: Option<Moment>,
    /// Each move's partition.
    pub moves: Vec<Known>,
    /// How many of them nobody has seen yet.
    pub unseen: usize,
    /// How much is done; follows from `moves`.
    pub counts: Counts,
    /// The moves by what they wait for; follows from `moves`.
    pub(super) stages: Stages,
    /// What producers write and links carry, where it is known.
    pub load: Load,
    /// Probes of this tick.
    pub probes: BTreeMap<u32, Probe>,
    /// Bytes of moves as they were when their copies were about to begin, where that was asked for. Only what was read
    /// then counts: the plan may be old.
    pub sizes: BTreeMap<u32, u64>,
    /// Brokers that replied in this tick.
    pub answered: BTreeSet<BrokerId>,
    /// Brokers ever asked.
    pub brokers: BTreeMap<BrokerId, BrokerSeen>,
    /// Configs of this tick.
    pub configs: BTreeMap<ConfigKey, Option<String>>,
    /// Resources whose configs were asked for in this tick and that do not exist.
    pub gone: BTreeSet<Resource>,
    /// Configs that this process saw as it had set them: only what was seen can be missed.
    pub stood: BTreeSet<ConfigKey>,
    /// In-flight reassignments of this tick that are not steps of the plan.
    pub foreign: Vec<Reassignment>,
    /// Effective `min.insync.replicas` by topic.
    pub min_isr: BTreeMap<String, u32>,
    /// Moves that the last reassignment list names.
    pub listed: BTreeSet<u32>,
    /// When this process last submitted a move, so that a lagging read is not taken for a failure.
    pub submitted: BTreeMap<u32, Moment>,
    /// What this process last wrote to a config.
    pub wrote: BTreeMap<ConfigKey, Wrote>,
    /// What Kafka last said against a move, and when.
    pub refused: BTreeMap<u32, (Moment, String)>,
    /// Moves whose guard held, until when not to try again, and why.
    pub held: BTreeMap<u32, (Moment, Stay)>,
    /// Canaries of the swap: the moves that went first, and in how many successive views they stood.
    pub canaries: BTreeMap<u32, u32>,
    /// Whether the canaries stood.
    pub canaries_stood: bool,
    /// Number of ticks seen.
    pub ticks: u64,
    /// Brokers that a person gave up, in the plan or in the run.
    pub given_up: Vec<BrokerId>,
    /// What the last far view showed beside our moves.
    pub health: Option<Health>,
    /// Where copies in flight stood when they last moved.
    pub copies: Copies,
    /// What a person asks of this process.
    pub orders: Orders,
    /// Brokers that get copies by the plan.
    pub destinations: BTreeSet<BrokerId>,
    /// How many looks in a row were too slow to be acted on.
    pub slow: u32,
    /// What changed on disks since they were read (pipelined runs).
    pub room: Room,
    /// Bytes/s of all copies together, measured by this process; none where unknown.
    pub rate: Option<u64>,
    lookup: BTreeMap<String, BTreeMap<i32, u32>>,
}

impl View {
    /// A view of nothing.
    pub fn new(plan: &Plan) -> Self {
        let mut lookup: BTreeMap<String, BTreeMap<i32, u32>> = BTreeMap::new();
        for (at, m) in plan.moves.iter().enumerate() {
            lookup.entry(plan.topic_of(&m).name.clone()).or_default().insert(m.partition, at as u32);
        }
        View {
            at: Moment::ZERO,
            far_at: None,
            moves: vec![Known::Unseen; plan.moves.len()],
            unseen: plan.moves.len(),
            counts: Counts::new(plan),
            stages: Stages::default(),
            load: Load::default(),
            probes: BTreeMap::new(),
            sizes: BTreeMap::new(),
            answered: BTreeSet::new(),
            brokers: BTreeMap::new(),
            configs: BTreeMap::new(),
            gone: BTreeSet::new(),
            stood: BTreeSet::new(),
            foreign: vec![],
            min_isr: BTreeMap::new(),
            listed: BTreeSet::new(),
            submitted: BTreeMap::new(),
            wrote: BTreeMap::new(),
            refused: BTreeMap::new(),
            held: BTreeMap::new(),
            canaries: BTreeMap::new(),
            canaries_stood: false,
            ticks: 0,
            given_up: plan.given_up.clone(),
            health: None,
            copies: Copies::default(),
            orders: Orders::default(),
            destinations: plan.moves.iter().flat_map(|m| moves::added(m.from, m.to)).collect(),
            slow: 0,
            room: Room::default(),
            rate: None,
            lookup,
        }
    }

    /// Learns what a tick read; `now` is when it began to read.
    pub fn next(&mut self, plan: &Plan, memory: &Memory, mut answers: Answers, now: Now) {
        self.at = now.moment;
        self.ticks += 1;
        self.given_up = plan.given_up.iter().chain(&memory.given_up).copied().collect();
        self.learn_brokers(&answers, now);
        self.probes = std::mem::take(&mut answers.probes);
        self.sizes.retain(|at, _| self.probes.contains_key(at));
        self.sizes.extend(self.probes.iter().filter_map(|(at, probe)| Some((*at, probe.bytes?))));
        self.configs = std::mem::take(&mut answers.configs);
        self.gone = std::mem::take(&mut answers.gone);
        for (key, wrote) in &mut self.wrote {
            if let Some(value) = self.configs.get(key) {
                wrote.read(value.as_deref());
            }
        }
        let stands = |(key, value): (&ConfigKey, &Option<String>)| {
            let value = value.as_deref()?;
            let is_ours = memory.rates.get(key).is_some_and(|set| set.contains(value))
                || memory.entries.get(key).is_some_and(|ours| ours.iter().any(|entry| value.contains(entry)));
            is_ours.then(|| key.clone())
        };
        self.stood.extend(self.configs.iter().filter_map(stands));
        if let Some(far) = &answers.far {
            self.far_at = Some(now.moment);
            self.min_isr.clone_from(&far.min_isr);
            self.learn_topics(plan, memory, &far.topics, &answers, true);
            let ours = |topic: &str, partition| self.move_of(topic, partition).is_some();
            self.health = Some(Health::of(plan, far, &answers.reassignments, ours));
        }
        self.learn_topics(plan, memory, &answers.topics, &answers, false);
        let listed = answers.reassignments.iter().filter_map(|r| self.move_of(&r.topic, r.partition));
        self.listed = listed.collect();
        self.foreign = answers.reassignments.into_iter().filter(|r| !self.is_ours(r, memory)).collect();
        self.count_canaries(plan);
        self.follow_copies(plan);
        self.keep_room(plan, memory, answers.far.is_some());
        // What was looked at since, and can no longer lag, is as it was seen.
        let (at, moves) = (self.at, &self.moves);
        self.submitted.retain(|index, when| {
            let seen = matches!(&moves[*index as usize], Known::At(o) if o.at > *when);
            !seen || at.saturating_sub(*when) < LAG
        });
    }

    /// Keeps moves ready for this goal: what is decided is the same without it, only that every move is looked at.
    pub fn adopt(&mut self, plan: &Plan, goal: Goal, pace: &Pace, memory: &Memory) {
        if !self.stages.are_of(goal, pace, memory, self) {
            self.stages = Stages::of(plan, goal, pace, memory, self);
        }
    }

    /// Whether a broker was given up and is out of service.
    pub fn is_lost(&self, id: BrokerId) -> bool {
        self.given_up.contains(&id) && self.brokers.get(&id).is_some_and(|seen| seen.fenced)
    }

    /// The move of a partition.
    pub fn move_of(&self, topic: &str, partition: i32) -> Option<u32> {
        self.lookup.get(topic)?.get(&partition).copied()
    }

    /// What is observed of a move's partition.
    pub fn observed(&self, at: u32) -> Option<&Observed> {
        match &self.moves[at as usize] {
            Known::At(observed) => Some(observed),
            _ => None,
        }
    }

    /// Whether a move's partition was looked at in this tick, or is none.
    pub fn is_current(&self, at: u32) -> bool {
        match &self.moves[at as usize] {
            Known::At(observed) => observed.at == self.at,
            Known::Unseen => false,
            _ => true,
        }
    }

    /// Moves that may be in flight without having been seen so: listed, or submitted since they were looked at.
    pub fn suspects(&self) -> impl Iterator<Item = u32> {
        let is_new = |(at, when): &(&u32, &Moment)| self.observed(**at).is_none_or(|o| o.at <= **when);
        let submitted = self.submitted.iter().filter(is_new).map(|(at, _)| *at);
        self.listed.iter().copied().chain(submitted)
    }

    /// Whether the journal explains what is in flight for a move: we asked for that list.
    pub fn explained(plan: &Plan, memory: &Memory, at: u32, o: &Observed) -> bool {
        let list = on_its_way(&plan.moves.get(at as usize), o);
        let is_asked = |list| memory.asked.get(&at).is_some_and(|asked| asked.contains(&list));
        list.is_some_and(|list| !Guard::Explained.stands() || is_asked(list))
    }

    fn is_ours(&self, r: &Reassignment, memory: &Memory) -> bool {
        let Some(at) = self.move_of(&r.topic, r.partition) else { return false };
        // Whether it is exactly ours is judged by its standing; here only whether to keep away from its brokers.
        self.observed(at).is_some_and(|o| {
            matches!(o.standing, Standing::Expanding | Standing::Shrinking | Standing::Returning)
        }) && memory.asked.contains_key(&at)
    }

    fn learn_brokers(&mut self, answers: &Answers, now: Now) {
        self.answered.clone_from(&answers.answered);
        for id in &answers.answered {
            let seen = self.brokers.entry(*id).or_default();
            (seen.answered, seen.silent) = (Some(now.moment), None);
        }
        for id in answers.silent.difference(&answers.answered) {
            let seen = self.brokers.entry(*id).or_default();
            seen.silent = seen.silent.or(Some(now.moment));
        }
        if let Some(far) = &answers.far {
            let alive =
                |id: &BrokerId| far.cluster.brokers.iter().any(|b| b.id == *id && b.fenced != Some(true));
            for broker in &far.cluster.brokers {
                self.brokers.entry(broker.id).or_default();
            }
            for (id, seen) in &mut self.brokers {
                seen.fenced = !alive(id);
            }
        }
    }

    fn learn_topics(
        &mut self,
        plan: &Plan,
        memory: &Memory,
        topics: &[TopicView],
        answers: &Answers,
        all: bool,
    ) {
        let flying: BTreeMap<(&str, i32), &Reassignment> =
            answers.reassignments.iter().map(|r| ((r.topic.as_str(), r.partition), r)).collect();
        let mut known: Vec<(u32, Known)> = Vec::new();
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for topic in topics {
            let Some(moves) = self.lookup.get(&topic.name) else { continue };
            named.insert(&topic.name);
            let doubtful = answers.doubtful.get(&topic.name);
            let moves =
                moves.iter().filter(|(partition, _)| doubtful.is_none_or(|d| !d.contains(*partition)));
            if topic.error == Some(restow_client::Code::UNKNOWN_TOPIC_OR_PARTITION) {
                known.extend(moves.map(|(_, at)| (*at, Known::Gone)));
                continue;
            }
            if topic.error.is_some() {
                continue;
            }
            for (partition, at) in moves {
                if plan.topics[plan.moves.get(*at as usize).topic as usize].id != topic.id {
                    known.push((*at, Known::Recreated));
                    continue;
                }
                let position = topic.partitions.binary_search_by_key(partition, |p| p.partition);
                let Ok(position) = position else {
                    known.push((*at, Known::Gone));
                    continue;
                };
                let seen = flying.get(&(topic.name.as_str(), *partition)).copied();
                let p = &topic.partitions[position];
                match &mut self.moves[*at as usize] {
                    // What was given up changes what a list means.
                    Known::At(o) if self.given_up.is_empty() && seen.is_none() && o.is_still(p) => {
                        o.stay(plan.moves.get(*at as usize).to, self.at);
                    }
                    _ => known.extend(self.observe(plan, *at, p, seen).map(|k| (*at, k))),
                }
            }
        }
        if all {
            let missing = self.lookup.iter().filter(|(name, _)| !named.contains(name.as_str()));
            known.extend(missing.flat_map(|(_, moves)| moves.values().map(|at| (*at, Known::Gone))));
        }
        let mut stages = std::mem::take(&mut self.stages);
        for (at, now) in known {
            stages.leave(plan, &self.moves[at as usize], at);
            let is_unseen = |known: &Known| usize::from(*known == Known::Unseen);
            let before = std::mem::replace(&mut self.moves[at as usize], now);
            self.unseen -= is_unseen(&before);
            self.unseen += is_unseen(&self.moves[at as usize]);
            self.counts.change(plan, at, &before, &self.moves[at as usize]);
            if plan.pacing == Pacing::Pipelined {
                self.room.change(at, &before, &self.moves[at as usize]);
            }
            stages.enter(plan, memory, self, at);
        }
        self.stages = stages;
    }

    /// `None` where metadata and the reassignment list disagree: that partition waits for the next look.
    fn observe(
        &self,
        plan: &Plan,
        at: u32,
        p: &PartitionView,
        flying: Option<&Reassignment>,
    ) -> Option<Known> {
        let differs = flying.is_some_and(|r| !same_set(&r.replicas, &p.replicas));
        if p.replicas.is_empty() || (differs && Guard::Agree.stands()) {
            return None;
        }
        let m = plan.moves.get(at as usize);
        let (adding, removing) = flying.map_or((&[][..], &[][..]), |r| (&r.adding, &r.removing));
        let replicas = flying.map_or(&p.replicas, |r| &r.replicas);
        let (standing, dropped) = standing_without(&m, &Seen { replicas, adding, removing }, &self.given_up);
        let is_steady = p.leader == Some(m.to[0]) && m.to.iter().all(|id| p.isr.contains(id));
        // Another epoch: it may have been led by another meanwhile.
        let before = self.observed(at).filter(|o| o.epoch == p.leader_epoch).and_then(|o| o.steady);
        Some(Known::At(Box::new(Observed {
            at: self.at,
            replicas: replicas.clone(),
            isr: p.isr.clone(),
            leader: p.leader,
            epoch: p.leader_epoch,
            standing,
            dropped,
            steady: is_steady.then(|| before.unwrap_or(self.at)),
        })))
    }

    fn follow_copies(&mut self, plan: &Plan) {
        let (known, probes, nothing) = (&self.moves, &self.probes, BTreeMap::new());
        let flying = self.listed.iter().filter_map(|at| {
            let Known::At(o) = &known[*at as usize] else { return None };
            let m = plan.moves.get(*at as usize);
            let absent = minus(&moves::added(m.from, m.to), &o.isr);
            Some((*at, absent, probes.get(at).map_or(&nothing, |probe| &probe.log_end)))
        });
        self.copies.learn(flying, self.at);
    }

    /// The first swapped partitions count as sound when leader and ISR stand in two successive views.
    fn count_canaries(&mut self, plan: &Plan) {
        let (at, moves) = (self.at, &self.moves);
        for (index, stood) in &mut self.canaries {
            match &moves[*index as usize] {
                Known::At(o) if o.at == at => {
                    let to = plan.moves.get(*index as usize).to;
                    let stands = o.leader == Some(to[0]) && to.iter().all(|id| o.isr.contains(id));
                    *stood = if stands { *stood + 1 } else { 0 };
                }
                Known::At(_) | Known::Unseen => {}
                Known::Gone | Known::Recreated => *stood = 2,
            }
        }
        if !self.canaries.is_empty() && self.canaries.values().all(|stood| *stood >= 2) {
            self.canaries_stood = true;
        }
    }
}
