//! One look and what the real code decides on it.

use std::collections::{BTreeMap, BTreeSet};

use restow_client::Code;
use restow_client::read::{PartitionView, Reassignment, TopicView};
use restow_client::write::Write;
use restow_planner::model::replicas::minus;
use restow_planner::model::{BrokerId, TopicId};
use restow_planner::plan::{Move, Moves, Plan, PlanBroker, PlanTopic};

use super::kafka::{Kafka, TOPIC, partition};
use super::node::{Age, Open, Req, Steady, Want};
use super::shape::Shape;
use crate::drive::switch::{Guard, without};
use crate::drive::{
    Answers, Decision, Known, Moment, Next, Now, Observed, Pace, Probe, Reads, Seen, View, decide, standing,
};
use crate::journal::{FORMAT, Gate, Goal, ItemResult, Memory, Opened, Outcome, Record, Sent, fold};

/// The broker that takes our writes; it holds no replica, so that what it does is told apart.
pub const DOOR: BrokerId = BrokerId(99);
/// Process time and wall time of every look: only differences matter.
pub const MOMENT: Moment = Moment::from_secs(1_000);
/// In milliseconds.
pub const WALL: u64 = 1_700_000_000_000;

/// The move as a plan.
pub fn plan(shape: &Shape, min_isr: u32) -> Plan {
    let mut moves = Moves::default();
    moves.push(Move {
        topic: 0,
        partition: 0,
        from: &shape.from,
        to: &shape.to,
        bytes: Some(1),
        leader: None,
    });
    let broker =
        |id: &BrokerId| PlanBroker { id: *id, rack: None, zone: None, limit_bytes: None, pinned: false };
    Plan {
        brokers: shape.brokers().iter().map(broker).collect(),
        topics: vec![PlanTopic {
            name: TOPIC.into(),
            id: TopicId::ZERO,
            internal: false,
            min_isr: Some(min_isr),
            hold_min_isr: None,
            zones: vec![],
        }],
        moves,
        ..Plan::empty("c")
    }
}

/// The goal of a process.
pub fn goal(want: Want) -> Goal {
    match want {
        Want::Forward => Goal::Forward,
        Want::Back => Goal::Back,
        Want::Sweep => Goal::Quiesce,
    }
}

/// The pace of a process: no throttle, so that every request is about the partition.
pub fn pace(want: Want) -> Pace {
    Pace { cancels: want == Want::Sweep, ..Pace::default() }
}

/// What a process does first.
pub fn opened(want: Want) -> Record {
    Record::Opened(Opened {
        format: FORMAT,
        plan_hash: String::new(),
        plan_path: String::new(),
        cluster: String::new(),
        goal: goal(want),
        pace: String::new(),
        throttle: None,
        host: String::new(),
        pid: 1,
        principal: None,
        time: WALL,
    })
}

/// The write of a request.
pub fn write(req: Req, lists: &[Vec<BrokerId>]) -> Write {
    let reassign = |list| Write::Reassign { items: vec![(partition(), list)], allow_rf_change: true };
    match req {
        Req::List(at) => reassign(Some(lists[at as usize].clone())),
        Req::Cancel => reassign(None),
        Req::Elect => Write::Elect { items: vec![partition()] },
    }
}

/// What was answered to a write of one item.
pub fn answered(seq: u64, code: Option<i16>) -> Record {
    Record::Answered { seq, sent: Sent::Items(vec![ItemResult { code: code.map(Code), message: None }]) }
}

/// The memory of a process that wants this, after these lists were asked for, with this write open: the real
/// fold of the records that a journal holds then.
pub fn memory(want: Want, approvals: u8, asked: u8, open: Option<&Open>, lists: &[Vec<BrokerId>]) -> Memory {
    let mut records = vec![opened(Want::Forward)];
    let ask =
        |seq, time, req| Record::Asked { seq, time, broker: DOOR, write: write(req, lists), moves: vec![0] };
    for at in (0..lists.len() as u8).filter(|at| asked & 1 << at != 0) {
        records.extend([ask(u64::from(at), WALL - 900_000, Req::List(at)), answered(u64::from(at), None)]);
    }
    if want != Want::Forward {
        records.push(opened(want));
    }
    let gates = [Gate::Swap, Gate::Shrink].into_iter().take(approvals.into());
    records.extend(gates.map(|gate| Record::Approved { gate }));
    if let Some(open) = open {
        let long_ago = |age: Age| if age == Age::Old { WALL - 100_000 } else { WALL - 1_000 };
        records.push(ask(9, long_ago(open.age), open.req));
        if open.answered {
            records.push(answered(9, Some(Code::REQUEST_TIMED_OUT.0)));
        }
        records.extend(open.heard.map(|age| Record::Heard { seq: 9, time: long_ago(age) }));
    }
    fold(&records)
}

/// What a look at the cluster shows.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// What metadata shows; none where it does not tell of the partition.
    pub metadata: Option<&'a Kafka>,
    /// Whether the leader epoch has grown since.
    pub is_old_epoch: bool,
    /// What the reassignment list shows.
    pub listed: &'a Kafka,
    /// What is.
    pub kafka: &'a Kafka,
    /// Whether the door answers.
    pub door: bool,
}

impl<'a> Sight<'a> {
    /// All as it is.
    pub fn clear(kafka: &'a Kafka) -> Self {
        Sight { metadata: Some(kafka), is_old_epoch: false, listed: kafka, kafka, door: true }
    }
}

/// What the reads come to. Offsets come from those that run, now, and only to the epoch that is.
pub fn answers(reads: &Reads, sight: Sight<'_>) -> Answers {
    let Sight { metadata, is_old_epoch, listed, kafka, door } = sight;
    let mut answers = Answers::default();
    answers.reassignments.extend(listed.in_flight().then(|| Reassignment {
        topic: TOPIC.into(),
        partition: 0,
        replicas: listed.replicas.clone(),
        adding: listed.adding.clone(),
        removing: listed.removing.clone(),
    }));
    let answers_ping = |id: &BrokerId| if *id == DOOR { door } else { kafka.is_up(*id) };
    (answers.answered, answers.silent) = reads.ping.iter().partition(|id| answers_ping(id));
    let Some(shows) = metadata else { return answers };
    answers.topics.push(TopicView {
        name: TOPIC.into(),
        id: TopicId::ZERO,
        internal: false,
        error: None,
        partitions: vec![PartitionView {
            partition: 0,
            leader: shows.leader,
            leader_epoch: 0,
            replicas: shows.replicas.clone(),
            isr: shows.isr.clone(),
            offline: vec![],
            error: None,
        }],
    });
    if !reads.probe.contains(&0) {
        return answers;
    }
    let mut probe = Probe::default();
    if !is_old_epoch {
        let leads = shows.leader.is_some() && shows.leader == kafka.working_leader();
        probe.high_watermark = leads.then_some(10);
        // A replica out of sync is behind: where it is not, nothing would be lost by taking it for one.
        let end = |id: &BrokerId| if kafka.isr.contains(id) { 10 } else { 5 };
        let there = |id: &&BrokerId| kafka.is_up(**id) && kafka.replicas.contains(id);
        probe.log_end = shows.replicas.iter().filter(there).map(|id| (*id, end(id))).collect();
    }
    answers.probes = BTreeMap::from([(0, probe)]);
    answers
}

/// What a process knows when it looks.
#[derive(Debug)]
pub struct Look<'a> {
    pub want: Want,
    pub memory: &'a Memory,
    pub steady: Steady,
    /// Whether a request of this process was answered less than half a second ago.
    pub recent: bool,
    /// What the look before this one saw.
    pub earlier: &'a Kafka,
    pub sight: Sight<'a>,
    /// Whether the reads took longer than a view may be old.
    pub slow: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub ask: Option<Req>,
    pub steady: Steady,
    pub heard: bool,
    pub settled: bool,
    pub stops: bool,
}

impl Look<'_> {
    /// Looks, learns and decides, with the real code, less one guard.
    pub fn decide(&self, plan: &Plan, lists: &[Vec<BrokerId>], removed: Option<Guard>) -> Verdict {
        let mut view = View::new(plan);
        let m = plan.moves.get(0);
        let known = self.earlier;
        let seen = Seen { replicas: &known.replicas, adding: &known.adding, removing: &known.removing };
        let since = match self.steady {
            Steady::No => None,
            Steady::Young => Some(MOMENT - Moment::from_secs(1)),
            Steady::Old => Some(MOMENT - Moment::from_secs(100)),
        };
        view.moves[0] = Known::At(Box::new(Observed {
            at: MOMENT - Moment::from_secs(1),
            replicas: known.replicas.clone(),
            isr: known.isr.clone(),
            leader: known.leader,
            epoch: 0,
            standing: standing(&m, &seen),
            dropped: vec![],
            steady: since,
        }));
        view.unseen = 0;
        if self.recent {
            view.submitted.insert(0, MOMENT);
        }
        let ping = plan.brokers.iter().map(|b| b.id).chain([DOOR]).collect();
        let reads = Reads { probe: BTreeSet::from([0]), ping, ..Reads::default() };
        let answers = answers(&reads, self.sight);
        let pace = pace(self.want);
        let decision = without(removed, || {
            let now = Now { moment: MOMENT, wall: WALL };
            view.next(plan, self.memory, answers, now);
            let took = if self.slow { 3 } else { 0 };
            let now = Now { moment: MOMENT + Moment::from_secs(took), wall: WALL + took * 1_000 };
            decide(plan, goal(self.want), &pace, self.memory, &view, now)
        });
        let since = view.observed(0).and_then(|o| o.steady);
        let steady = match since.map(|since| view.at - since >= pace.dwell) {
            None => Steady::No,
            Some(false) => Steady::Young,
            Some(true) => Steady::Old,
        };
        Verdict {
            ask: ask(&decision, lists),
            steady,
            heard: decision.records.iter().any(|r| matches!(r, Record::Heard { .. })),
            settled: decision.records.iter().any(|r| matches!(r, Record::Settled { .. })),
            stops: matches!(decision.next, Next::Stop(outcome) if outcome != Outcome::Stopped),
        }
    }
}

/// The one request of a decision about one move.
pub fn ask(decision: &Decision, lists: &[Vec<BrokerId>]) -> Option<Req> {
    assert!(decision.requests.len() <= 1, "more than one request for one move: {:?}", decision.requests);
    Some(match &decision.requests.first()?.write {
        Write::Reassign { items, .. } => match &items[0].1 {
            None => Req::Cancel,
            Some(list) => Req::List(number(list, lists)),
        },
        Write::Elect { .. } => Req::Elect,
        Write::Configs { .. } => unreachable!("no throttle was given"),
    })
}

/// The number of a list that we ask for.
pub fn number(list: &[BrokerId], lists: &[Vec<BrokerId>]) -> u8 {
    let at = lists.iter().position(|known| known == list);
    at.unwrap_or_else(|| panic!("{list:?} is no list of this move: {:?}", minus(list, &[]))) as u8
}
