//! Reassignments and elections.

use kafka_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ElectLeadersRequest,
    ElectLeadersResponse, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, TopicName,
};
use restow_planner::model::TopicPartition;

use super::api::{Asked, Served, brokers, by_topic, text, told, wires};
use crate::code::Code;
use crate::controller::{Outcome, Request, Response};

impl Served for AlterPartitionReassignmentsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<AlterPartitionReassignmentsResponse> {
        if self.timeout_ms <= 0 && asked.world.state.rules.alter_heeds_timeout {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        let mut items = Vec::new();
        for topic in &self.topics {
            for one in &topic.partitions {
                let at = TopicPartition::new(topic.name.as_str(), one.partition_index);
                items.push((at, one.replicas.as_deref().map(brokers)));
            }
        }
        let allow_rf_change = asked.version < 1 || self.allow_replication_factor_change;
        let Response::Partitions(outcomes) = asked.world.ask(Request::Alter { items, allow_rf_change })
        else {
            return None;
        };
        let each = asked.world.state.rules.alter_takes;
        asked.takes = each.saturating_mul(u32::try_from(outcomes.len()).unwrap_or(u32::MAX));
        let topics = by_topic(outcomes).into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(n, outcome)| {
                let (code, message) = told(outcome);
                ReassignablePartitionResponse::default()
                    .with_partition_index(n)
                    .with_error_code(code)
                    .with_error_message(message)
            });
            ReassignableTopicResponse::default()
                .with_name(TopicName(text(name)))
                .with_partitions(partitions.collect())
        });
        let response = AlterPartitionReassignmentsResponse::default().with_responses(topics.collect());
        Some(if asked.version >= 1 {
            response.with_allow_replication_factor_change(self.allow_replication_factor_change)
        } else {
            response
        })
    }

    /// What timed out is named; another broker than the controller names nothing.
    fn refuse(self, _: &mut Asked<'_>, code: i16) -> AlterPartitionReassignmentsResponse {
        let response = AlterPartitionReassignmentsResponse::default().with_error_code(code);
        if code != Code::RequestTimedOut.code() {
            return response;
        }
        let topics = self.topics.into_iter().map(|topic| {
            let failed = |p: &ReassignablePartition| {
                ReassignablePartitionResponse::default()
                    .with_partition_index(p.partition_index)
                    .with_error_code(code)
            };
            let partitions = topic.partitions.iter().map(failed).collect();
            ReassignableTopicResponse::default().with_name(topic.name).with_partitions(partitions)
        });
        response.with_responses(topics.collect())
    }
}

impl Served for ListPartitionReassignmentsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<ListPartitionReassignmentsResponse> {
        let only = self.topics.map(|topics| {
            let each = topics.into_iter().flat_map(|topic| {
                let name = topic.name;
                let at = move |n: i32| TopicPartition::new(name.as_str(), n);
                topic.partition_indexes.into_iter().map(at)
            });
            each.collect()
        });
        let Response::InFlight(list) = asked.world.ask(Request::List { only }) else { return None };
        let list = list.into_iter().map(|one| (one.partition.clone(), one)).collect();
        let topics = by_topic(list).into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(n, one)| {
                OngoingPartitionReassignment::default()
                    .with_partition_index(n)
                    .with_replicas(wires(&one.replicas))
                    .with_adding_replicas(wires(&one.adding))
                    .with_removing_replicas(wires(&one.removing))
            });
            OngoingTopicReassignment::default()
                .with_name(TopicName(text(name)))
                .with_partitions(partitions.collect())
        });
        Some(ListPartitionReassignmentsResponse::default().with_topics(topics.collect()))
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> ListPartitionReassignmentsResponse {
        ListPartitionReassignmentsResponse::default().with_error_code(code)
    }
}

impl Served for ElectLeadersRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<ElectLeadersResponse> {
        if self.timeout_ms <= 0 && asked.world.state.rules.forwards {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        let all = self.topic_partitions.is_none();
        let only = self.topic_partitions.as_ref().map(|topics| {
            let each = topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(|n| TopicPartition::new(topic.topic.as_str(), *n))
            });
            each.collect()
        });
        let unclean = asked.version >= 1 && self.election_type == 1;
        let Response::Partitions(outcomes) = asked.world.ask(Request::Elect { unclean, only }) else {
            return None;
        };
        let mut results: Vec<ReplicaElectionResult> = by_topic(outcomes).into_iter().map(elected).collect();
        if all && asked.world.state.rules.elections_name_all_topics {
            // An election of all names every topic, with no partition where nothing was needed.
            for name in asked.world.state.topics.keys() {
                if !results.iter().any(|result| result.topic.as_str() == name) {
                    results.push(elected((name.clone(), Vec::new())));
                }
            }
        }
        Some(ElectLeadersResponse::default().with_replica_election_results(results))
    }

    fn refuse(self, asked: &mut Asked<'_>, code: i16) -> ElectLeadersResponse {
        // What timed out is an error of the whole and of each partition; a broker that is not the controller says so of
        // each partition only.
        let timed_out = code == Code::RequestTimedOut.code();
        let top = if asked.version >= 1 && code != Code::NotController.code() { code } else { 0 };
        if asked.version >= 1 && top != 0 && !timed_out {
            return ElectLeadersResponse::default().with_error_code(code);
        }
        let results = self.topic_partitions.unwrap_or_default().into_iter().map(|topic| {
            let failed = |n: &i32| PartitionResult::default().with_partition_id(*n).with_error_code(code);
            ReplicaElectionResult::default()
                .with_partition_result(topic.partitions.iter().map(failed).collect())
                .with_topic(topic.topic)
        });
        ElectLeadersResponse::default().with_error_code(top).with_replica_election_results(results.collect())
    }
}

fn elected((name, partitions): (String, Vec<(i32, Outcome)>)) -> ReplicaElectionResult {
    let results = partitions.into_iter().map(|(n, outcome)| {
        let (code, message) = told(outcome);
        PartitionResult::default().with_partition_id(n).with_error_code(code).with_error_message(message)
    });
    ReplicaElectionResult::default()
        .with_topic(TopicName(text(name)))
        .with_partition_result(results.collect())
}
