//! Topics that are created, deleted and grown.

use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
};
use restow_planner::model::TopicId;

use super::api::{Asked, Served, brokers, text, told, uuid};
use crate::code::{Code, Refusal};
use crate::controller::{NewPartitions, NewTopic, Placement, Request, Response};

fn ask(asked: &mut Asked<'_>, request: Request) -> Vec<(String, Result<TopicId, Refusal>)> {
    match asked.world.ask(request) {
        Response::Topics(outcomes) => outcomes,
        _ => Vec::new(),
    }
}

fn new_topic(topic: &CreatableTopic) -> NewTopic {
    let placement = if topic.assignments.is_empty() {
        Placement::Spread { partitions: topic.num_partitions, replication_factor: topic.replication_factor }
    } else {
        let mut lists: Vec<_> = topic.assignments.iter().collect();
        lists.sort_by_key(|list| list.partition_index);
        Placement::Given(lists.into_iter().map(|list| brokers(&list.broker_ids)).collect())
    };
    let set = topic.configs.iter().filter_map(|c| Some((c.name.to_string(), c.value.as_ref()?.to_string())));
    NewTopic { name: topic.name.to_string(), placement, configs: set.collect() }
}

/// Partitions and replicas; what is left to the broker is 1.
fn size(placement: &Placement) -> (i32, i16) {
    match placement {
        Placement::Spread { partitions, replication_factor } => (partitions.abs(), replication_factor.abs()),
        Placement::Given(lists) => (lists.len() as i32, lists.first().map_or(0, Vec::len) as i16),
    }
}

impl Served for CreateTopicsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<CreateTopicsResponse> {
        let too_late = self.timeout_ms <= 0;
        if too_late && !asked.world.state.rules.late_is_done {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        let items: Vec<NewTopic> = self.topics.iter().map(new_topic).collect();
        let sizes: Vec<(i32, i16)> = items.iter().map(|item| size(&item.placement)).collect();
        let outcomes = ask(asked, Request::CreateTopics { items, validate_only: self.validate_only });
        if too_late {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        let version = asked.version;
        let results = outcomes.into_iter().zip(sizes).map(|((name, outcome), (count, factor))| {
            let id = outcome.as_ref().ok().copied();
            let (code, message) = told(outcome.map(drop));
            let mut result = CreatableTopicResult::default()
                .with_name(TopicName(text(name)))
                .with_error_code(code)
                .with_error_message(message);
            if version >= 5 && id.is_some() {
                result = result
                    .with_num_partitions(count)
                    .with_replication_factor(factor)
                    .with_configs(Some(Vec::new()));
            }
            match id {
                Some(id) if version >= 7 => result.with_topic_id(uuid(id)),
                _ => result,
            }
        });
        Some(CreateTopicsResponse::default().with_topics(results.collect()))
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> CreateTopicsResponse {
        let failed =
            |t: CreatableTopic| CreatableTopicResult::default().with_name(t.name).with_error_code(code);
        CreateTopicsResponse::default().with_topics(self.topics.into_iter().map(failed).collect())
    }
}

/// What is to be deleted: by name or by id, as the version has it.
fn named(request: &DeleteTopicsRequest, asked: &Asked<'_>) -> Vec<(Option<String>, TopicId)> {
    if asked.version < 6 {
        return request.topic_names.iter().map(|name| (Some(name.to_string()), TopicId::ZERO)).collect();
    }
    let each = request.topics.iter().map(|topic| {
        let id = TopicId(*topic.topic_id.as_bytes());
        let by_id = asked.world.state.topic_name(id).map(str::to_owned);
        (topic.name.as_ref().map(|name| name.to_string()).or(by_id), id)
    });
    each.collect()
}

impl Served for DeleteTopicsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<DeleteTopicsResponse> {
        let too_late = self.timeout_ms <= 0;
        if too_late && !asked.world.state.rules.late_is_done {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        let version = asked.version;
        let mut results = Vec::new();
        for (name, id) in named(&self, asked) {
            let outcome = match &name {
                None => Err(Refusal::bare(Code::UnknownTopicId)),
                Some(name) => ask(asked, Request::DeleteTopic { name: name.clone() }).remove(0).1,
            };
            let deleted = outcome.as_ref().copied().unwrap_or(id);
            let (code, message) = told(outcome.map(drop));
            let mut result = DeletableTopicResult::default()
                .with_name(name.map(|name| TopicName(text(name))))
                .with_error_code(code);
            if version >= 5 {
                result = result.with_error_message(message);
            }
            results.push(if version >= 6 { result.with_topic_id(uuid(deleted)) } else { result });
        }
        if too_late {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        Some(DeleteTopicsResponse::default().with_responses(results))
    }

    fn refuse(self, asked: &mut Asked<'_>, code: i16) -> DeleteTopicsResponse {
        let failed = named(&self, asked).into_iter().map(|(name, _)| {
            let name = TopicName(text(name.unwrap_or_default()));
            DeletableTopicResult::default().with_name(Some(name)).with_error_code(code)
        });
        DeleteTopicsResponse::default().with_responses(failed.collect())
    }
}

impl Served for CreatePartitionsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<CreatePartitionsResponse> {
        let too_late = self.timeout_ms <= 0;
        if too_late && !asked.world.state.rules.late_is_done {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        let each = self.topics.iter().map(|topic| {
            let lists = topic.assignments.as_ref();
            let replicas = lists.map(|lists| lists.iter().map(|list| brokers(&list.broker_ids)).collect());
            NewPartitions { topic: topic.name.to_string(), count: topic.count, replicas }
        });
        let items = each.collect();
        let outcomes = ask(asked, Request::CreatePartitions { items, validate_only: self.validate_only });
        if too_late {
            return Some(self.refuse(asked, Code::RequestTimedOut.code()));
        }
        let results = outcomes.into_iter().map(|(name, outcome)| {
            let (code, message) = told(outcome.map(drop));
            CreatePartitionsTopicResult::default()
                .with_name(TopicName(text(name)))
                .with_error_code(code)
                .with_error_message(message)
        });
        Some(CreatePartitionsResponse::default().with_results(results.collect()))
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> CreatePartitionsResponse {
        let failed = self
            .topics
            .into_iter()
            .map(|t| CreatePartitionsTopicResult::default().with_name(t.name).with_error_code(code));
        CreatePartitionsResponse::default().with_results(failed.collect())
    }
}
