//! What a cluster is: identifiers, replica lists, the columns of a snapshot, zones, loads.

mod ids;
pub mod replicas;

pub use ids::{BrokerId, NotATopicId, TopicId, TopicPartition};
pub use replicas::{NotAReplicaList, ReplicaList};
