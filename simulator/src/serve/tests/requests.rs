//! Requests, as a client makes them.

use super::*;

pub(super) fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

pub(super) fn versions() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name("t".into())
        .with_client_software_version("1".into())
}

pub(super) fn metadata(topics: Option<&[&str]>) -> MetadataRequest {
    let one = |t: &&str| metadata_request::MetadataRequestTopic::default().with_name(Some(name(t)));
    let topics = topics.map(|topics| topics.iter().map(one).collect());
    MetadataRequest::default().with_topics(topics)
}

pub(super) fn alter(
    topic: &str,
    partition: i32,
    target: Option<&[i32]>,
) -> AlterPartitionReassignmentsRequest {
    let target = target.map(|list| list.iter().copied().map(BrokerId).collect());
    let one = ReassignablePartition::default().with_partition_index(partition).with_replicas(target);
    let topic = ReassignableTopic::default().with_name(name(topic)).with_partitions(vec![one]);
    AlterPartitionReassignmentsRequest::default().with_timeout_ms(30_000).with_topics(vec![topic])
}

pub(super) fn offsets(topic: &str, partition: i32, replica: i32, epoch: i32) -> ListOffsetsRequest {
    let one = ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_current_leader_epoch(epoch)
        .with_timestamp(-1);
    let topic = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![one]);
    ListOffsetsRequest::default().with_replica_id(BrokerId(replica)).with_topics(vec![topic])
}

pub(super) fn configs(resources: &[(i8, &str)], keys: Option<&[&'static str]>) -> DescribeConfigsRequest {
    let one = |(kind, name): &(i8, &str)| {
        DescribeConfigsResource::default()
            .with_resource_type(*kind)
            .with_resource_name(StrBytes::from_string((*name).to_owned()))
            .with_configuration_keys(
                keys.map(|keys| keys.iter().map(|k| StrBytes::from_static_str(k)).collect()),
            )
    };
    DescribeConfigsRequest::default()
        .with_include_synonyms(true)
        .with_resources(resources.iter().map(one).collect())
}

pub(super) fn change(
    kind: i8,
    resource: &str,
    key: &str,
    op: i8,
    value: Option<&str>,
) -> IncrementalAlterConfigsRequest {
    let own = |text: &str| StrBytes::from_string(text.to_owned());
    let config =
        AlterableConfig::default().with_name(own(key)).with_config_operation(op).with_value(value.map(own));
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(own(resource))
        .with_configs(vec![config]);
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}
