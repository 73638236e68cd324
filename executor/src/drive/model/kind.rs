//! Under a kind sky every state leads home: from each a rollback ends at the exact start, and a run forward in
//! the target. The processes are whole here, with the real `reads`, one view from look to look, and a journal.

use std::sync::PoisonError;
use std::time::Duration;

use restow_client::write::Write;
use restow_planner::model::replicas::is_subset;
use restow_simulator::controller::Request;

use super::kafka::{Kafka, partition};
use super::look::{DOOR, Sight, WALL, answered, answers, goal, opened, pace};
use super::node::{Foreign, Node, Open, Want};
use super::promise::Broken;
use super::world::World;
use crate::drive::{Decision, Next, Now, View, decide, reads};
use crate::journal::{Gate, Memory, Outcome, Record};

/// What a kind end depends on: the partition healed, the lists asked for, the write that is open.
pub type Key = (Kafka, u8, Option<Open>);

/// Looks until a run must have ended.
const LOOKS: u64 = 60;
/// Seconds between two looks.
const PAUSE: u64 = 7;

impl World {
    /// Heals everything, then goes both ways.
    pub fn ends_well(&self, node: &Node) -> Option<Broken> {
        if node.foreign != Foreign::No || self.removed.is_some() || !self.homes {
            return None;
        }
        let mut kafka = node.kafka.clone();
        self.controller.heal(&mut kafka);
        let key = (kafka, node.asked, node.open);
        if let Some(known) = self.ends.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let back = self.home(&key, Want::Back).then_some(Broken::NoWayBack);
        let broken = back.or_else(|| self.home(&key, Want::Forward).then_some(Broken::NoWayForward));
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(key, broken);
        broken
    }

    /// Whether a process that wants this does not get there.
    fn home(&self, (kafka, asked, open): &Key, want: Want) -> bool {
        let mut kafka = kafka.clone();
        let is_unshrunk = is_subset(&self.shape.from, &kafka.replicas);
        let mut memory = Memory::clone(&self.memory(want, 0, *asked, *open));
        memory.learn(&opened(want));
        if want == Want::Forward {
            for gate in [Gate::Swap, Gate::Shrink] {
                memory.learn(&Record::Approved { gate });
            }
        }
        let Some(outcome) = self.run(&mut kafka, &mut memory, want) else { return true };
        match want {
            Want::Forward => outcome != Outcome::Done || kafka.replicas != self.shape.to || kafka.in_flight(),
            _ if is_unshrunk => outcome != Outcome::Done || !kafka.stands_at(&self.shape.from),
            _ => !matches!(outcome, Outcome::Done | Outcome::PartlyBack),
        }
    }

    fn run(&self, kafka: &mut Kafka, memory: &mut Memory, want: Want) -> Option<Outcome> {
        let (goal, pace) = (goal(want), pace(want));
        let mut view = View::new(&self.plan);
        for look in 0..LOOKS {
            let seconds = look * PAUSE;
            let now = Now { moment: Duration::from_secs(seconds), wall: WALL + seconds * 1_000 };
            let wanted = reads(&self.plan, goal, &pace, memory, &view, now);
            let is_told = wanted.far || !wanted.topics.is_empty();
            let sight = Sight { metadata: is_told.then_some(&*kafka), ..Sight::clear(kafka) };
            view.next(&self.plan, memory, answers(&wanted, sight), now);
            let decision = decide(&self.plan, goal, &pace, memory, &view, now);
            self.act(kafka, memory, &mut view, &decision, now);
            if let Next::Stop(outcome) = decision.next {
                return Some(outcome);
            }
            self.controller.heal(kafka);
        }
        None
    }

    fn act(&self, kafka: &mut Kafka, memory: &mut Memory, view: &mut View, decision: &Decision, now: Now) {
        decision.records.iter().for_each(|record| memory.learn(record));
        if !decision.canaries.is_empty() {
            view.canaries = decision.canaries.iter().map(|at| (*at, 0)).collect();
        }
        for request in &decision.requests {
            let (seq, time, write) = (memory.next, now.wall, request.write.clone());
            memory.learn(&Record::Asked { seq, time, broker: DOOR, write, moves: request.moves.clone() });
            let sent = match &request.write {
                Write::Reassign { items, .. } => {
                    Request::Alter { items: items.clone(), allow_rf_change: true }
                }
                _ => Request::Elect { unclean: false, only: Some(vec![partition()]) },
            };
            let (outcome, _) = self.controller.apply(kafka, sent);
            memory.learn(&answered(seq, outcome.err().map(|refusal| refusal.code.code())));
            view.submitted.insert(0, now.moment);
        }
    }
}
