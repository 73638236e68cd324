//! Kafka, as the simulator's controller has it: one partition and the lives of its brokers.

use std::collections::BTreeMap;

use restow_planner::model::replicas::minus;
use restow_planner::model::{BrokerId, TopicId, TopicPartition};
use restow_simulator::controller::{
    Broker, Life, Outcome, Partition, Request, Response, State, Topic, apply,
};
use restow_simulator::rules::Rules;

/// The topic's name.
pub const TOPIC: &str = "t";

/// The partition and what became of its brokers. Epochs are left out: only whether one grew matters, and
/// [`Controller::apply`] tells that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kafka {
    /// All replicas in order, those of a reassignment included.
    pub replicas: Vec<BrokerId>,
    /// Those that come.
    pub adding: Vec<BrokerId>,
    /// Those that go.
    pub removing: Vec<BrokerId>,
    /// The in-sync ones, by id.
    pub isr: Vec<BrokerId>,
    /// Eligible leaders (KIP-966).
    pub elr: Vec<BrokerId>,
    /// The leader.
    pub leader: Option<BrokerId>,
    /// The broker that does not run, if any: one at a time.
    pub down: Option<BrokerId>,
    /// Whether the controller knows of it.
    pub fenced: bool,
}

impl Kafka {
    /// A settled partition, all well.
    pub fn settled(list: &[BrokerId]) -> Self {
        let mut isr = list.to_vec();
        isr.sort_unstable();
        Kafka {
            replicas: list.to_vec(),
            adding: vec![],
            removing: vec![],
            isr,
            elr: vec![],
            leader: list.first().copied(),
            down: None,
            fenced: false,
        }
    }

    /// Whether a reassignment is in flight.
    pub fn in_flight(&self) -> bool {
        !self.adding.is_empty() || !self.removing.is_empty()
    }

    /// Whether the broker runs.
    pub fn is_up(&self, id: BrokerId) -> bool {
        self.down != Some(id)
    }

    /// The leader, if it runs.
    pub fn working_leader(&self) -> Option<BrokerId> {
        self.leader.filter(|id| self.is_up(*id))
    }

    /// True live copies: in the ISR, on a broker that runs.
    pub fn live(&self) -> Vec<BrokerId> {
        self.isr.iter().copied().filter(|id| self.is_up(*id)).collect()
    }

    /// Whether it is settled in this list, led by its first.
    pub fn stands_at(&self, list: &[BrokerId]) -> bool {
        self.replicas == list && !self.in_flight() && self.leader == list.first().copied()
    }
}

/// The real controller of the simulator, on a cluster with one partition.
#[derive(Debug)]
pub struct Controller {
    blank: State,
}

impl Controller {
    /// A cluster of this Kafka version with these brokers and one topic.
    pub fn new(version: &str, brokers: &[BrokerId], min_isr: u32) -> Self {
        let mut blank = State::new(Rules::of(version).unwrap());
        let broker = |id: &BrokerId| {
            let broker = Broker {
                rack: None,
                host: String::new(),
                port: 0,
                fenced: false,
                shutting_down: false,
                life: Life::Up,
                configs: BTreeMap::new(),
            };
            (*id, broker)
        };
        blank.brokers = brokers.iter().map(broker).collect();
        let configs = BTreeMap::from([("min.insync.replicas".to_owned(), min_isr.to_string())]);
        let topic =
            Topic { id: TopicId::ZERO, internal: false, configs, partitions: vec![Partition::default()] };
        blank.topics.insert(TOPIC.to_owned(), topic);
        Controller { blank }
    }

    /// Applies a request about the partition: what it answers, and whether the leader epoch grew.
    pub fn apply(&self, kafka: &mut Kafka, request: Request) -> (Outcome, bool) {
        let mut state = self.blank.clone();
        if let Some(broker) = kafka.down.and_then(|id| state.brokers.get_mut(&id)) {
            broker.fenced = kafka.fenced;
        }
        let partition = Partition {
            replicas: kafka.replicas.clone(),
            adding: kafka.adding.clone(),
            removing: kafka.removing.clone(),
            isr: kafka.isr.clone(),
            elr: kafka.elr.clone(),
            leader: kafka.leader,
            leader_epoch: 0,
            partition_epoch: 0,
        };
        state.topics.get_mut(TOPIC).unwrap().partitions[0] = partition;
        let outcome = match apply(&mut state, request) {
            Response::One(outcome) => outcome,
            Response::Partitions(mut items) => items.remove(0).1,
            other => unreachable!("{other:?}"),
        };
        let after = state.topics.get_mut(TOPIC).unwrap().partitions.remove(0);
        kafka.fenced = kafka.down.is_some_and(|id| state.brokers[&id].fenced);
        (kafka.replicas, kafka.adding, kafka.removing) = (after.replicas, after.adding, after.removing);
        (kafka.isr, kafka.elr, kafka.leader) = (after.isr, after.elr, after.leader);
        kafka.isr.sort_unstable();
        (outcome, after.leader_epoch > 0)
    }

    /// All is well again: the broker is back, and every replica catches up.
    pub fn heal(&self, kafka: &mut Kafka) {
        if let Some(broker) = kafka.down {
            self.apply(kafka, Request::Unfence { broker }).0.unwrap();
            kafka.down = None;
        }
        // Without a leader nobody joins: then the way home is not found.
        while let Some(broker) = minus(&kafka.replicas, &kafka.isr).first().copied()
            && self.apply(kafka, Request::Join { partition: partition(), broker }).0.is_ok()
        {}
    }
}

/// The partition's name.
pub fn partition() -> TopicPartition {
    TopicPartition::new(TOPIC, 0)
}
