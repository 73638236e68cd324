//! What a journal tells of a run: who worked on it, what was asked for and when, and how far copies had come.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::Code;
use restow_client::read::Resource;
use restow_client::write::{ConfigChange, ConfigOp, Write};
use restow_executor::drive::FOLLOWER_LIST;
use restow_executor::journal::{Goal, Opened, Outcome, Record, Sent, fold};
use restow_planner::model::BrokerId;
use restow_planner::plan::{Plan, Step, moves};

use super::super::{list, units};

/// One process of a run.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its beginning.
    pub opened: Opened,
    /// What people decided while it worked, in words, in order.
    pub decided: Vec<String>,
}

/// What a request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Steps of the plan.
    Step(Step),
    /// Preferred leaders.
    Elect,
    /// Moves that are cancelled or put back.
    Back,
    /// Throttles, set or restored.
    Throttle,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Wall time in milliseconds since 1970.
    pub time: u64,
    /// What most of it asked for.
    pub kind: Kind,
    /// Items.
    pub items: u64,
    /// Items that were refused.
    pub refused: u64,
    /// Whether nobody knows what became of it.
    pub is_unknown: bool,
}

/// What a journal tells of its last run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Runs before the last, each by its beginning and how it ended.
    pub earlier: Vec<(Opened, Outcome)>,
    /// Processes in order.
    pub processes: Vec<Process>,
    /// What was expected before the run: bytes, and seconds of the copies.
    pub predicted: Option<(u64, Option<u64>)>,
    /// Requests in order.
    pub requests: Vec<Request>,
    /// Bytes of the copies that had been asked for, at wall times.
    pub asked: Vec<(u64, u64)>,
    /// Bytes of the copies that are known to have joined by then: their throttle went, or the next step was asked for.
    pub copied: Vec<(u64, u64)>,
    /// When the last throttled copy was known to have joined, where none is left.
    pub joined: Option<u64>,
    /// How it ended, and what of ours was left; `None` while it is unfinished.
    pub closed: Option<(Outcome, Vec<String>)>,
}

impl History {
    /// The last run of a journal of this plan.
    pub fn of(plan: &Plan, records: &[Record]) -> History {
        let mut eye = Eye::new(plan, fold(records).given_up);
        records.iter().for_each(|record| eye.see(record));
        eye.told
    }

    /// Where the run stands, in words.
    pub fn standing(&self) -> String {
        let Some(last) = self.processes.last() else { return "The journal holds no run.".into() };
        match &self.closed {
            Some((outcome, _)) => format!("This run has ended: {}.", ended(*outcome)),
            None => format!(
                "This run is not finished: the last process, {} on {}, {}.",
                last.opened.pid,
                last.opened.host,
                match last.opened.goal {
                    Goal::Forward => "carried the plan out",
                    Goal::Back => "took it back",
                    Goal::Quiesce => "brought it to rest",
                }
            ),
        }
    }

    /// Seconds from the first copy that was asked for to the last throttled one that is known to have joined. Copies
    /// that are too slight for a throttle do not count: the journal does not tell when they joined.
    pub fn took(&self) -> Option<u64> {
        let begun = self.asked.first()?.0;
        Some(self.joined?.saturating_sub(begun) / 1000)
    }

    /// The last time that is known of the run.
    pub fn last(&self) -> u64 {
        let opened = self.processes.iter().map(|process| process.opened.time);
        opened.chain(self.requests.iter().map(|request| request.time)).max().unwrap_or(0)
    }
}

/// How a run ended, in words.
pub fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done, nothing is left to do",
        Outcome::Gate(_) => "it waits at a gate",
        Outcome::Stopped => "stopped by a person",
        Outcome::Diverged => "the cluster diverged from the plan",
        Outcome::Left => "done, but something of ours is left",
        Outcome::Held => "held for longer than was allowed",
        Outcome::Refused => "refused before anything was asked",
        Outcome::PartlyBack => "taken back as far as that is free; a plan for the rest was written",
        Outcome::Aside => "done, but for partitions that were set aside or taken back",
    }
}

/// Reads a journal from its beginning to its end.
struct Eye<'a> {
    plan: &'a Plan,
    /// Brokers that the plan or the run gave up.
    given_up: BTreeSet<BrokerId>,
    /// The moves of each topic, from and up to.
    topics: BTreeMap<&'a str, (usize, usize)>,
    told: History,
    /// Requests without an answer, as positions in `told.requests`.
    open: BTreeMap<u64, usize>,
    /// Moves whose copies were asked for, with the brokers that are not known to have joined.
    begun: BTreeMap<u32, BTreeSet<BrokerId>>,
    /// Copies that were listed as throttled, and are not known to have joined.
    listed: BTreeSet<(u32, BrokerId)>,
    asked: u64,
    copied: u64,
}

impl<'a> Eye<'a> {
    fn new(plan: &'a Plan, given_up: BTreeSet<BrokerId>) -> Self {
        let mut topics: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (at, m) in plan.moves.iter().enumerate() {
            topics.entry(plan.topic_of(&m).name.as_str()).or_insert((at, at)).1 = at + 1;
        }
        Eye {
            plan,
            given_up: given_up.into_iter().chain(plan.given_up.iter().copied()).collect(),
            topics,
            told: History::default(),
            open: BTreeMap::new(),
            begun: BTreeMap::new(),
            listed: BTreeSet::new(),
            asked: 0,
            copied: 0,
        }
    }

    fn see(&mut self, record: &Record) {
        match record {
            Record::Opened(opened) => self.opened(opened),
            Record::Predicted { bytes, seconds } => self.told.predicted = Some((*bytes, *seconds)),
            Record::Asked { seq, time, write, moves, .. } => self.asked(*seq, *time, write, moves),
            Record::Answered { seq, sent } => self.answered(*seq, sent),
            Record::Closed { outcome, left } => self.told.closed = Some((*outcome, left.clone())),
            other => {
                let (words, process) = (decision(other), self.told.processes.last_mut());
                if let (Some(words), Some(process)) = (words, process) {
                    process.decided.push(words);
                }
            }
        }
    }

    /// What was closed before is an earlier run.
    fn opened(&mut self, opened: &Opened) {
        if let Some((outcome, _)) = self.told.closed.take() {
            let mut earlier = std::mem::take(&mut self.told.earlier);
            let first = self.told.processes.first().map(|process| process.opened.clone());
            earlier.extend(first.map(|first| (first, outcome)));
            self.told = History { earlier, ..History::default() };
            self.open.clear();
            self.begun.clear();
            self.listed.clear();
            (self.asked, self.copied) = (0, 0);
        }
        self.told.processes.push(Process { opened: opened.clone(), decided: Vec::new() });
    }

    fn is_forward(&self) -> bool {
        self.told.processes.last().is_some_and(|process| process.opened.goal == Goal::Forward)
    }

    fn asked(&mut self, seq: u64, time: u64, write: &Write, moves: &[u32]) {
        let (kind, items) = match write {
            Write::Reassign { items, .. } => {
                let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
                for ((_, list), at) in items.iter().zip(moves) {
                    *kinds.entry(self.reassigned(time, *at, list.as_deref())).or_default() += 1;
                }
                let most = kinds.iter().max_by_key(|(kind, count)| (**count, std::cmp::Reverse(**kind)));
                (most.map_or(Kind::Back, |(kind, _)| *kind), items.len())
            }
            Write::Elect { items } => (Kind::Elect, items.len()),
            Write::Configs { items, .. } => {
                items.iter().for_each(|change| self.throttled(time, change));
                (Kind::Throttle, items.len())
            }
        };
        self.open.insert(seq, self.told.requests.len());
        self.told.requests.push(Request { time, kind, items: items as u64, refused: 0, is_unknown: true });
    }

    /// What a new list of a move is, and what follows from it.
    fn reassigned(&mut self, time: u64, at: u32, list: Option<&[BrokerId]>) -> Kind {
        let is_of_plan = (at as usize) < self.plan.moves.len();
        let Some(list) = list.filter(|_| is_of_plan && self.is_forward()) else {
            self.begun.remove(&at);
            self.listed.retain(|(listed, _)| *listed != at);
            return Kind::Back;
        };
        let m = self.plan.moves.get(at as usize);
        let added = moves::added(m.from, m.to);
        if !self.begun.contains_key(&at) && !added.is_empty() && added.iter().all(|id| list.contains(id)) {
            self.asked = self.asked.saturating_add(m.bytes.unwrap_or(0).saturating_mul(added.len() as u64));
            note(&mut self.told.asked, time, self.asked);
            self.begun.insert(at, added.into_iter().collect());
            return Kind::Step(Step::Expand);
        }
        let kept: Vec<BrokerId> = m.from.iter().copied().filter(|id| !self.given_up.contains(id)).collect();
        let kind = if list == m.to {
            Kind::Step(if m.has(Step::Shrink) { Step::Shrink } else { Step::Swap })
        } else if list == moves::swapped(&kept, m.to) {
            Kind::Step(Step::Swap)
        } else if list == moves::expanded(&kept, m.to) {
            return Kind::Step(Step::Expand);
        } else {
            return Kind::Back;
        };
        // Whoever is swapped or shrunk has all copies.
        let all: Vec<BrokerId> = self.begun.get(&at).into_iter().flatten().copied().collect();
        all.into_iter().for_each(|id| self.joined(time, at, id));
        kind
    }

    /// Copies begin under a throttle entry and lose it when they have joined.
    fn throttled(&mut self, time: u64, change: &ConfigChange) {
        let Resource::Topic(topic) = &change.resource else { return };
        if change.key != FOLLOWER_LIST || !self.is_forward() {
            return;
        }
        let (entries, is_begin) = match &change.op {
            ConfigOp::Append(list) => (list, true),
            ConfigOp::Subtract(list) => (list, false),
            ConfigOp::Set(_) | ConfigOp::Delete => return,
        };
        for entry in entries.split(',') {
            let Some((at, id)) = self.copy_of(topic, entry.trim()) else { continue };
            if is_begin {
                self.listed.insert((at, id));
                self.told.joined = None;
            } else if self.listed.remove(&(at, id)) {
                self.joined(time, at, id);
                self.told.joined = self.listed.is_empty().then_some(time);
            }
        }
    }

    /// The copy that an entry `partition:broker` is about.
    fn copy_of(&self, topic: &str, entry: &str) -> Option<(u32, BrokerId)> {
        let (partition, broker) = entry.split_once(':')?;
        let (partition, broker): (i32, i32) = (partition.parse().ok()?, broker.parse().ok()?);
        let (mut from, mut to) = *self.topics.get(topic)?;
        while from < to {
            let middle = from + (to - from) / 2;
            match self.plan.moves.get(middle).partition.cmp(&partition) {
                std::cmp::Ordering::Equal => return Some((middle as u32, BrokerId(broker))),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    fn joined(&mut self, time: u64, at: u32, id: BrokerId) {
        let is_new = self.begun.get_mut(&at).is_some_and(|left| left.remove(&id));
        if is_new {
            self.copied = self.copied.saturating_add(self.plan.moves.get(at as usize).bytes.unwrap_or(0));
            note(&mut self.told.copied, time, self.copied);
        }
    }

    fn answered(&mut self, seq: u64, sent: &Sent) {
        let Some(request) = self.open.remove(&seq).and_then(|at| self.told.requests.get_mut(at)) else {
            return;
        };
        match sent {
            Sent::Unknown(_) => {}
            Sent::NotSent(_) => (request.is_unknown, request.refused) = (false, request.items),
            Sent::Items(items) => {
                // What was so already is no failure.
                let is_fine = |code: Code| {
                    matches!(code, Code::ELECTION_NOT_NEEDED | Code::NO_REASSIGNMENT_IN_PROGRESS)
                };
                let refused = items.iter().filter(|item| item.code.is_some_and(|code| !is_fine(code)));
                (request.is_unknown, request.refused) = (false, refused.count() as u64);
            }
        }
    }
}

/// Adds a point to a curve; of one time the last counts.
fn note(curve: &mut Vec<(u64, u64)>, time: u64, bytes: u64) {
    match curve.last_mut() {
        Some(last) if last.0 >= time => last.1 = bytes,
        _ => curve.push((time, bytes)),
    }
}

/// What a person decided, or somebody else did, in words.
fn decision(record: &Record) -> Option<String> {
    let rate = |rate: Option<u64>| rate.map_or_else(|| "none".into(), units::rate);
    Some(match record {
        Record::Approved { gate } => format!("approved {gate}"),
        Record::GaveUp { broker } => format!("gave up broker {broker}"),
        Record::SetAside { partitions, .. } => format!("set aside {}", list::commas(partitions)),
        Record::Adopted { partition, .. } => format!("claimed the move of {partition} that was in flight"),
        Record::Claimed { key, value } => format!("let {key}={value} be removed"),
        Record::Ignored { hold } => format!("overrode the hold {hold}"),
        Record::Accepted { key } => format!("accepted that brokers differ in {key}"),
        Record::Throttled { throttle } => format!("changed the throttle to {}", rate(*throttle)),
        Record::Foreign { key } => format!("somebody else changed {key}: theirs stays"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::tests::plan_of;
    use super::*;
    use restow_executor::journal::{FORMAT, Gate, ItemResult};
    use restow_planner::model::TopicPartition;

    fn ids(list: &[i32]) -> Vec<BrokerId> {
        list.iter().copied().map(BrokerId).collect()
    }

    fn opened(goal: Goal, time: u64) -> Record {
        Record::Opened(Opened {
            format: FORMAT,
            plan_hash: "h".into(),
            plan_path: "p".into(),
            cluster: "c".into(),
            goal,
            pace: String::new(),
            throttle: Some(1),
            host: "here".into(),
            pid: 7,
            principal: None,
            time,
        })
    }

    fn reassign(seq: u64, time: u64, at: u32, list: Option<&[i32]>) -> Record {
        let items = vec![(TopicPartition::new("orders", at as i32), list.map(ids))];
        let write = Write::Reassign { items, allow_rf_change: true };
        Record::Asked { seq, time, broker: BrokerId(1), write, moves: vec![at] }
    }

    fn throttle(seq: u64, time: u64, op: ConfigOp) -> Record {
        let resource = Resource::Topic("orders".into());
        let items = vec![ConfigChange { resource, key: FOLLOWER_LIST.into(), op }];
        let write = Write::Configs { broker: None, items };
        Record::Asked { seq, time, broker: BrokerId(1), write, moves: vec![] }
    }

    fn answered(seq: u64, code: Option<Code>) -> Record {
        Record::Answered { seq, sent: Sent::Items(vec![ItemResult { code, message: None }]) }
    }

    /// One move with two copies of 1 MB from its begin to its end.
    fn forward() -> Vec<Record> {
        vec![
            opened(Goal::Forward, 1000),
            Record::Predicted { bytes: 2_000_000, seconds: Some(10) },
            Record::Approved { gate: Gate::Swap },
            throttle(0, 2000, ConfigOp::Append("0:4,0:6".into())),
            reassign(1, 2000, 0, Some(&[1, 3, 4, 6])),
            answered(1, None),
            throttle(2, 7000, ConfigOp::Subtract("0:4".into())),
            throttle(3, 10_000, ConfigOp::Subtract("0:6".into())),
            reassign(4, 90_000, 0, Some(&[4, 6, 1, 3])),
            answered(4, Some(Code::NOT_CONTROLLER)),
            reassign(5, 95_000, 0, Some(&[4, 6])),
        ]
    }

    #[test]
    fn copies_are_followed_by_their_throttle_entries() {
        let plan = plan_of(&[(&[1, 3], &[4, 6])]);
        let told = History::of(&plan, &forward());
        assert_eq!(told.asked, [(2000, 2_000_000)]);
        assert_eq!(told.copied, [(7000, 1_000_000), (10_000, 2_000_000)]);
        assert_eq!((told.took(), told.predicted), (Some(8), Some((2_000_000, Some(10)))));
        let kinds: Vec<Kind> = told.requests.iter().map(|request| request.kind).collect();
        let steps = [Step::Expand, Step::Swap, Step::Shrink].map(Kind::Step);
        let throttle = Kind::Throttle;
        assert_eq!(kinds, [throttle, steps[0], throttle, throttle, steps[1], steps[2]]);
        let ends: Vec<_> = told.requests.iter().map(|r| (r.refused, r.is_unknown)).collect();
        assert_eq!((ends[1], ends[4], ends[5]), ((0, false), (1, false), (0, true)));
        assert_eq!(told.processes[0].decided, ["approved swap"]);
    }

    #[test]
    fn copies_without_a_throttle_have_joined_by_the_next_step() {
        let plan = plan_of(&[(&[1, 3], &[4, 6])]);
        let bare: Vec<Record> = forward()
            .into_iter()
            .filter(|record| !matches!(record, Record::Asked { write: Write::Configs { .. }, .. }))
            .collect();
        let told = History::of(&plan, &bare);
        assert_eq!((told.copied.clone(), told.took()), (vec![(90_000, 2_000_000)], None));
    }

    #[test]
    fn a_rollback_asks_for_the_way_back_only() {
        let plan = plan_of(&[(&[1, 3], &[4, 6])]);
        let mut records = forward();
        records.truncate(6);
        records.extend([opened(Goal::Back, 5000), reassign(2, 6000, 0, None)]);
        let told = History::of(&plan, &records);
        assert_eq!(told.requests[2].kind, Kind::Back);
        assert!(told.copied.is_empty() && told.took().is_none());
        assert!(told.standing().contains("not finished") && told.standing().contains("took it back"));
    }

    #[test]
    fn a_run_that_was_closed_is_an_earlier_one() {
        let plan = plan_of(&[(&[1, 3], &[4, 6])]);
        let mut records = forward();
        records.push(Record::Closed { outcome: Outcome::Done, left: vec![] });
        assert!(History::of(&plan, &records).standing().contains("has ended: done"));
        records.push(opened(Goal::Forward, 200_000));
        let told = History::of(&plan, &records);
        assert_eq!((told.earlier.len(), told.processes.len(), told.requests.len()), (1, 1, 0));
        assert_eq!((told.earlier[0].0.time, told.earlier[0].1), (1000, Outcome::Done));
    }

    #[test]
    fn what_a_journal_says_of_another_plan_is_no_reason_to_fall() {
        let plan = plan_of(&[]);
        let told = History::of(&plan, &forward());
        assert!(told.requests.iter().all(|r| matches!(r.kind, Kind::Back | Kind::Throttle)));
    }
}
