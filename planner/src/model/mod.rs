//! What a cluster is: identifiers, replica lists, the columns of a snapshot, zones.

mod build;
pub mod capacity;
mod cluster;
mod date;
mod ids;
mod merge;
mod node;
pub mod racks;
mod rates;
pub mod replicas;
mod topology;
pub mod watch;

pub use build::{BadCluster, ClusterBuilder, PartitionRow};
pub use cluster::{
    Broker, Cluster, ConfigDifference, ConfigSource, InFlight, LogDir, MAX_BYTES, MAX_REPLICAS, Partition,
    SetConfig, Sockets, Topic, UNKNOWN_DIR, UNKNOWN_SIZE, Unseen,
};
pub use date::{Day, Moment, NotAMoment};
pub use ids::{BrokerId, NotATopicId, TopicId, TopicPartition};
pub use merge::{Keep, Merge, OtherCluster};
pub use node::NodeType;
pub use racks::Racks;
pub use rates::{MAX_RATE, Rate, UNKNOWN_RATE};
pub use replicas::{NotAReplicaList, ReplicaList};
pub use topology::{NoTopology, Topology};
