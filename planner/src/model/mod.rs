//! What a cluster is: identifiers, replica lists, the columns of a snapshot, zones.

mod cluster;
mod ids;
pub mod replicas;
mod topology;
pub mod watch;

pub use cluster::{
    BadCluster, Broker, Cluster, ClusterBuilder, ConfigDifference, ConfigSource, InFlight, LogDir, MAX_BYTES,
    MAX_REPLICAS, Partition, PartitionRow, SetConfig, Topic, UNKNOWN_DIR, UNKNOWN_SIZE, Unseen,
};
pub use ids::{BrokerId, NotATopicId, TopicId, TopicPartition};
pub use replicas::{NotAReplicaList, ReplicaList};
pub use topology::{NoTopology, Topology};
