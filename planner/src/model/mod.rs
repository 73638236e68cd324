//! What a cluster is: identifiers, replica lists, the columns of a snapshot, zones.

mod build;
mod cluster;
mod ids;
pub mod replicas;
mod topology;
pub mod watch;

pub use build::{BadCluster, ClusterBuilder, PartitionRow};
pub use cluster::{
    Broker, Cluster, ConfigDifference, ConfigSource, InFlight, LogDir, MAX_BYTES, MAX_REPLICAS, Partition,
    SetConfig, Sockets, Topic, UNKNOWN_DIR, UNKNOWN_RATE, UNKNOWN_SIZE, Unseen,
};
pub use ids::{BrokerId, NotATopicId, TopicId, TopicPartition};
pub use replicas::{NotAReplicaList, ReplicaList};
pub use topology::{NoTopology, Topology};
