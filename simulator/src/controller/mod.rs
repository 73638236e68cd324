//! The controller as a function: a request changes a state and gives a response.
//!
//! No time, no wire types, no randomness: a model checker can walk over [`State`]s with [`apply`].

mod brokers;
#[cfg(test)]
mod cases;
mod change;
mod configs;
mod reassign;
pub mod schema;
mod state;
mod topics;

use restow_planner::model::{BrokerId, TopicId, TopicPartition};

pub(crate) use self::configs::LONGEST as LONGEST_VALUE;
pub use self::configs::{Change as ConfigChange, unexpected_broker};
pub use self::state::{Broker, Configs, Life, Partition, State, Topic};
use crate::code::Refusal;

/// What one item of a request came to.
pub type Outcome = Result<(), Refusal>;

/// What a controller can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Request {
    /// Start, change or cancel reassignments.
    Alter {
        /// Each partition with its target; `None` cancels.
        items: Vec<(TopicPartition, Option<Vec<BrokerId>>)>,
        /// Whether a target of another length is taken (KIP-860).
        allow_rf_change: bool,
    },
    /// What is in flight.
    List {
        /// Only these partitions; `None` is all.
        only: Option<Vec<TopicPartition>>,
    },
    /// Elect leaders.
    Elect {
        /// Whether replicas out of sync may be elected.
        unclean: bool,
        /// These partitions; `None` is every one of the cluster.
        only: Option<Vec<TopicPartition>>,
    },
    /// Change configs. Each resource is all or nothing.
    AlterConfigs {
        /// Each resource with its changes.
        items: Vec<(Resource, Vec<ConfigChange>)>,
        /// Check only.
        validate_only: bool,
    },
    /// Create topics.
    CreateTopics {
        /// The topics.
        items: Vec<NewTopic>,
        /// Check only.
        validate_only: bool,
    },
    /// Delete a topic.
    DeleteTopic {
        /// Its name.
        name: String,
    },
    /// Add partitions to topics.
    CreatePartitions {
        /// What to add.
        items: Vec<NewPartitions>,
        /// Check only.
        validate_only: bool,
    },
    /// A leader reports that a replica caught up.
    Join {
        /// The partition.
        partition: TopicPartition,
        /// The replica.
        broker: BrokerId,
    },
    /// A leader reports that a replica fell behind.
    Leave {
        /// The partition.
        partition: TopicPartition,
        /// The replica.
        broker: BrokerId,
    },
    /// A log directory of a broker failed: its replicas leave their ISRs.
    LogDirFailed {
        /// The broker.
        broker: BrokerId,
        /// What is in the directory.
        partitions: Vec<TopicPartition>,
    },
    /// A broker registers; it starts fenced.
    Register {
        /// Its id.
        broker: BrokerId,
        /// Its rack.
        rack: Option<String>,
        /// The host that it advertises.
        host: String,
        /// The port that it advertises.
        port: i32,
    },
    /// A broker's session ended.
    Fence {
        /// The broker.
        broker: BrokerId,
    },
    /// A broker is back.
    Unfence {
        /// The broker.
        broker: BrokerId,
    },
    /// A broker wants to stop in an orderly way.
    Shutdown {
        /// The broker.
        broker: BrokerId,
    },
    /// A broker shall be forgotten. Whether it holds replicas is not asked.
    Unregister {
        /// The broker.
        broker: BrokerId,
    },
}

/// A thing that has configs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A topic.
    Topic(String),
    /// A broker.
    Broker(BrokerId),
    /// The default of all brokers.
    AllBrokers,
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Where its replicas go.
    pub placement: Placement,
    /// Its configs.
    pub configs: Configs,
}

/// Partitions to add to a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewPartitions {
    /// The topic.
    pub topic: String,
    /// How many partitions it shall have in all.
    pub count: i32,
    /// Where the new ones go; `None` leaves it to the controller.
    pub replicas: Option<Vec<Vec<BrokerId>>>,
}

/// Where the replicas of a new topic go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Placement {
    /// The controller chooses.
    Spread {
        /// How many partitions; -1 is the default.
        partitions: i32,
        /// How many replicas each; -1 is the default.
        replication_factor: i16,
    },
    /// One list for each partition.
    Given(Vec<Vec<BrokerId>>),
}

/// A reassignment that is in flight.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InFlight {
    /// The partition.
    pub partition: TopicPartition,
    /// All replicas, in order.
    pub replicas: Vec<BrokerId>,
    /// Those that come.
    pub adding: Vec<BrokerId>,
    /// Those that go.
    pub removing: Vec<BrokerId>,
}

/// What a controller answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Response {
    /// One outcome for each partition that was asked for (for an election of all: each that was needed).
    Partitions(Vec<(TopicPartition, Outcome)>),
    /// What is in flight.
    InFlight(Vec<InFlight>),
    /// One outcome for each resource.
    Resources(Vec<(Resource, Outcome)>),
    /// One outcome for each topic; on creation with its id.
    Topics(Vec<(String, Result<TopicId, Refusal>)>),
    /// The outcome of a request about one thing.
    One(Outcome),
}

/// Answers a request, and changes the state accordingly.
pub fn apply(state: &mut State, request: Request) -> Response {
    match request {
        Request::Alter { items, allow_rf_change } => {
            Response::Partitions(reassign::alter(state, items, allow_rf_change))
        }
        Request::List { only } => Response::InFlight(reassign::list(state, only)),
        Request::Elect { unclean, only } => Response::Partitions(reassign::elect(state, unclean, only)),
        Request::AlterConfigs { items, validate_only } => {
            Response::Resources(configs::alter(state, items, validate_only))
        }
        Request::CreateTopics { items, validate_only } => {
            Response::Topics(topics::create(state, items, validate_only))
        }
        Request::DeleteTopic { name } => {
            let outcome = topics::delete(state, &name);
            Response::Topics(vec![(name, outcome)])
        }
        Request::CreatePartitions { items, validate_only } => {
            Response::Topics(topics::add_partitions(state, items, validate_only))
        }
        Request::Join { partition, broker } => Response::One(brokers::join(state, &partition, broker)),
        Request::Leave { partition, broker } => Response::One(brokers::leave(state, &partition, broker)),
        Request::Register { broker, rack, host, port } => {
            brokers::register(state, broker, rack, host, port);
            Response::One(Ok(()))
        }
        Request::LogDirFailed { broker, partitions } => {
            Response::One(brokers::log_dir_failed(state, broker, &partitions))
        }
        Request::Fence { broker } => Response::One(brokers::fence(state, broker)),
        Request::Unfence { broker } => Response::One(brokers::unfence(state, broker)),
        Request::Shutdown { broker } => Response::One(brokers::shut_down(state, broker)),
        Request::Unregister { broker } => Response::One(brokers::unregister(state, broker)),
    }
}
