//! The ranges that the protocol crate knows.

use kafka_protocol::messages as m;
use kafka_protocol::protocol::Message;

pub(super) trait Known {
    const RANGE: (i16, i16);
}

macro_rules! known {
    ($($api:ident $request:ident),*) => {$(
        pub(super) struct $api;
        impl Known for $api {
            const RANGE: (i16, i16) = (m::$request::VERSIONS.min, m::$request::VERSIONS.max);
        }
    )*};
}

known!(
    ApiVersions ApiVersionsRequest, Metadata MetadataRequest, DescribeCluster DescribeClusterRequest,
    ListOffsets ListOffsetsRequest, DescribeLogDirs DescribeLogDirsRequest,
    DescribeConfigs DescribeConfigsRequest, IncrementalAlterConfigs IncrementalAlterConfigsRequest,
    AlterPartitionReassignments AlterPartitionReassignmentsRequest,
    ListPartitionReassignments ListPartitionReassignmentsRequest, ElectLeaders ElectLeadersRequest,
    CreateTopics CreateTopicsRequest, CreatePartitions CreatePartitionsRequest,
    DeleteTopics DeleteTopicsRequest, DescribeQuorum DescribeQuorumRequest
);
