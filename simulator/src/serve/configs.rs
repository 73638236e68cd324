//! Configs, read and changed.

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use kafka_protocol::protocol::StrBytes;
use restow_planner::model::BrokerId;

use super::api::{Asked, Served, text, told};
use super::offsets::directory;
use crate::code::{Code, Refusal};
use crate::controller::schema::{self, BROKER_KEYS, Kind, TOPIC_KEYS};
use crate::controller::{
    ConfigChange, Configs, LONGEST_VALUE as LONGEST, Outcome, Request, Resource, Response, State,
    unexpected_broker,
};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Where a value comes from, by its number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
enum Source {
    Topic = 1,
    Broker = 2,
    AllBrokers = 3,
    Static = 4,
    Default = 5,
}

/// One place where a value is set, the strongest first.
struct Synonym {
    name: String,
    value: String,
    source: Source,
    /// What the value is multiplied with (hours into milliseconds).
    times: i64,
}

/// What one broker goes by.
struct Own<'a> {
    seen: &'a State,
    broker: BrokerId,
    statics: Configs,
}

impl Own<'_> {
    fn of<'a>(asked: &Asked<'_>, seen: &'a State) -> Own<'a> {
        let broker = asked.broker;
        let mut statics = asked.world.statics.get(&broker).cloned().unwrap_or_default();
        let mut put = |key: &str, value: String| {
            statics.entry(key.to_owned()).or_insert(value);
        };
        put("node.id", broker.to_string());
        if let Some(known) = seen.brokers.get(&broker) {
            let listener = format!("PLAINTEXT://{}:{}", known.host, known.port);
            put("advertised.listeners", listener.clone());
            put("listeners", listener);
            if let Some(rack) = &known.rack {
                put("broker.rack", rack.clone());
            }
        }
        let dirs = asked.world.logs.hardware.get(&broker).map_or(1, |h| h.dirs.len());
        let dirs: Vec<String> = (0..dirs).map(|n| directory(broker, n)).collect();
        put("log.dirs", dirs.join(","));
        Own { seen, broker, statics }
    }

    /// Where a broker config is set. One that is measured in another unit stands behind it.
    fn broker_synonyms(&self, key: &str) -> Vec<Synonym> {
        let mut names = vec![(key.to_owned(), 1)];
        if key == "log.retention.ms" {
            names.push(("log.retention.minutes".to_owned(), 60_000));
            names.push(("log.retention.hours".to_owned(), 3_600_000));
        }
        let dynamic = self.seen.brokers.get(&self.broker).map(|b| &b.configs);
        let mut found = Vec::new();
        for (name, times) in names {
            let mut add = |value: Option<String>, source| {
                let name = name.clone();
                found.extend(value.map(|value| Synonym { name, value, source, times }));
            };
            add(dynamic.and_then(|configs| configs.get(&name)).cloned(), Source::Broker);
            add(self.seen.cluster_configs.get(&name).cloned(), Source::AllBrokers);
            add(self.statics.get(&name).cloned(), Source::Static);
            add(schema::broker_key(&name).and_then(|k| k.default).map(str::to_owned), Source::Default);
        }
        found
    }

    fn topic_synonyms(&self, configs: &Configs, key: &schema::TopicKey) -> Vec<Synonym> {
        let set = configs.get(key.name).map(|value| Synonym {
            name: key.name.to_owned(),
            value: value.clone(),
            source: Source::Topic,
            times: 1,
        });
        set.into_iter().chain(key.broker_key.into_iter().flat_map(|k| self.broker_synonyms(k))).collect()
    }
}

struct Shape {
    version: i16,
    synonyms: bool,
}

impl Shape {
    fn config(&self, name: &str, found: Vec<Synonym>, default: &str, kind: Kind, read_only: bool) -> Config {
        let (value, source) = match found.first() {
            Some(first) if first.times == 1 => (Some(first.value.clone()), first.source),
            Some(first) => {
                let unit: i64 = first.value.parse().unwrap_or(0);
                (Some(unit.saturating_mul(first.times).to_string()), first.source)
            }
            None => (Some(default.to_owned()), Source::Default),
        };
        self.entry(name, value, source, found, kind, read_only)
    }

    /// A list is shown without the spaces that it was stored with.
    fn entry(
        &self,
        name: &str,
        value: Option<String>,
        source: Source,
        found: Vec<Synonym>,
        kind: Kind,
        read_only: bool,
    ) -> Config {
        let trimmed = |value: String| value.split(',').map(str::trim).collect::<Vec<_>>().join(",");
        let value = if kind == Kind::List { value.map(trimmed) } else { value };
        let mut config = DescribeConfigsResourceResult::default()
            .with_name(text(name))
            .with_value(value.map(text))
            .with_read_only(read_only)
            .with_config_source(source as i8);
        if self.synonyms {
            let synonym = |s: Synonym| {
                DescribeConfigsSynonym::default()
                    .with_name(text(s.name))
                    .with_value(Some(text(s.value)))
                    .with_source(s.source as i8)
            };
            config = config.with_synonyms(found.into_iter().map(synonym).collect());
        }
        if self.version >= 3 { config.with_config_type(kind as i8) } else { config }
    }
}

type Config = DescribeConfigsResourceResult;

impl Served for DescribeConfigsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<DescribeConfigsResponse> {
        let seen = asked.world.view(asked.broker, asked.clock);
        let own = Own::of(asked, &seen);
        let shape = Shape { version: asked.version, synonyms: self.include_synonyms };
        let unreadable = self.resources.iter().any(|resource| too_long(&seen, resource));
        let results = self.resources.iter().map(|resource| {
            let result = DescribeConfigsResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone());
            let found = if unreadable && resource.resource_type == TOPIC {
                Err(Refusal::bare(Code::UnknownServerError))
            } else {
                described(&own, &shape, resource)
            };
            match found {
                Ok(configs) => result.with_configs(configs).with_error_message(Some(StrBytes::default())),
                Err(refusal) => {
                    let (code, message) = told(Err(refusal));
                    result.with_error_code(code).with_error_message(message)
                }
            }
        });
        Some(DescribeConfigsResponse::default().with_results(results.collect()))
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> DescribeConfigsResponse {
        let failed = self.resources.into_iter().map(|resource| {
            DescribeConfigsResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
                .with_error_code(code)
        });
        DescribeConfigsResponse::default().with_results(failed.collect())
    }
}

/// Whether a value is asked for that no answer can hold: then no topic of the request is described.
fn too_long(seen: &State, resource: &DescribeConfigsResource) -> bool {
    let topic = seen.topics.get(resource.resource_name.as_str()).filter(|_| resource.resource_type == TOPIC);
    let keys = resource.configuration_keys.as_deref().filter(|keys| !keys.is_empty());
    let asked = |name: &str| keys.is_none_or(|keys| keys.iter().any(|key| key.as_str() == name));
    topic.is_some_and(|topic| topic.configs.iter().any(|(key, value)| value.len() > LONGEST && asked(key)))
}

fn described(
    own: &Own<'_>,
    shape: &Shape,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Config>, Refusal> {
    let keys = resource.configuration_keys.as_deref().filter(|keys| !keys.is_empty());
    let wanted = |name: &str| keys.is_none_or(|keys| keys.iter().any(|key| key.as_str() == name));
    let name = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC => {
            let Some(topic) = own.seen.topics.get(name) else {
                return Err(Refusal::bare(Code::UnknownTopicOrPartition));
            };
            let each = TOPIC_KEYS.iter().filter(|key| wanted(key.name)).map(|key| {
                let found = own.topic_synonyms(&topic.configs, key);
                shape.config(key.name, found, key.default, key.kind, false)
            });
            Ok(each.collect())
        }
        BROKER if name.is_empty() => {
            // The default of all brokers: only what is set.
            let each = own.seen.cluster_configs.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| {
                let (name, value, source) = (key.clone(), value.clone(), Source::AllBrokers);
                let found = vec![Synonym { name, value, source, times: 1 }];
                shape.config(key, found, "", kind_of(key), false)
            });
            Ok(each.collect())
        }
        BROKER if name.parse() == Ok(own.broker.0) => Ok(broker(own, shape, &wanted)),
        BROKER => Err(unexpected_broker(Some(own.broker), name)),
        other => Err(Refusal::new(Code::InvalidRequest, format!("Unsupported resource type: {other}"))),
    }
}

fn kind_of(key: &str) -> Kind {
    schema::broker_key(key).map(|k| k.kind).or_else(|| schema::throttle_kind(key)).unwrap_or(Kind::Text)
}

fn broker(own: &Own<'_>, shape: &Shape, wanted: &dyn Fn(&str) -> bool) -> Vec<Config> {
    let mut configs: Vec<Config> = Vec::new();
    for key in BROKER_KEYS.iter().filter(|key| wanted(key.name)) {
        let mut found = own.broker_synonyms(key.name);
        found.retain(|synonym| synonym.times == 1);
        let value = found.first().map(|synonym| synonym.value.clone());
        let source = found.first().map_or(Source::Default, |synonym| synonym.source);
        configs.push(shape.entry(key.name, value, source, found, key.kind, key.read_only));
    }
    // What is no config of the server shows only where it is set: the throttle rates.
    let dynamic = own.seen.brokers.get(&own.broker).map(|b| &b.configs);
    let set = dynamic.into_iter().flatten().chain(&own.seen.cluster_configs).chain(&own.statics);
    let mut others: Vec<&String> = set.map(|(key, _)| key).filter(|key| wanted(key)).collect();
    others.sort_unstable();
    others.dedup();
    for key in others.into_iter().filter(|key| schema::broker_key(key).is_none()) {
        configs.push(shape.config(key, own.broker_synonyms(key), "", kind_of(key), false));
    }
    configs
}

impl Served for IncrementalAlterConfigsRequest {
    fn answer(self, asked: &mut Asked<'_>) -> Option<IncrementalAlterConfigsResponse> {
        let longest = i16::MAX as usize;
        let fits =
            |config: &AlterableConfig| config.value.as_ref().is_none_or(|value| value.len() <= longest);
        if !self.resources.iter().all(|resource| resource.configs.iter().all(fits)) {
            return None;
        }
        let mut refused: Vec<(i8, StrBytes, Outcome)> = Vec::new();
        let mut items = Vec::new();
        let mut names = Vec::new();
        for resource in &self.resources {
            let (kind, name) = (resource.resource_type, resource.resource_name.clone());
            match target(asked.broker, resource).and_then(|target| Ok((target, changes(resource)?))) {
                Ok(item) => {
                    items.push(item);
                    names.push((kind, name));
                }
                Err(refusal) => refused.push((kind, name, Err(refusal))),
            }
        }
        let validate_only = self.validate_only;
        let response = match asked.read.take() {
            Some(read) => asked.world.change_configs_as_read(read, items, validate_only),
            None => asked.world.ask(Request::AlterConfigs { items, validate_only }),
        };
        let Response::Resources(outcomes) = response else { return None };
        let answered = names.into_iter().zip(outcomes).map(|((kind, name), (_, o))| (kind, name, o));
        let responses = answered.chain(refused).map(|(kind, name, outcome)| {
            let (code, message) = told(outcome);
            AlterConfigsResourceResponse::default()
                .with_resource_type(kind)
                .with_resource_name(name)
                .with_error_code(code)
                .with_error_message(message)
        });
        Some(IncrementalAlterConfigsResponse::default().with_responses(responses.collect()))
    }

    fn refuse(self, _: &mut Asked<'_>, code: i16) -> IncrementalAlterConfigsResponse {
        let failed = self.resources.into_iter().map(|resource| {
            AlterConfigsResourceResponse::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
                .with_error_code(code)
        });
        IncrementalAlterConfigsResponse::default().with_responses(failed.collect())
    }
}

/// A broker takes its own configs and the default of all brokers; those of other brokers it refuses.
fn target(own: BrokerId, resource: &AlterConfigsResource) -> Result<Resource, Refusal> {
    let name = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC => Ok(Resource::Topic(name.to_owned())),
        BROKER if name.is_empty() => Ok(Resource::AllBrokers),
        BROKER if name.parse() == Ok(own.0) => Ok(Resource::Broker(own)),
        BROKER => Err(unexpected_broker(Some(own), name)),
        other => Err(Refusal::new(Code::InvalidRequest, format!("Unexpected resource type {other}."))),
    }
}

fn changes(resource: &AlterConfigsResource) -> Result<Vec<ConfigChange>, Refusal> {
    let one = |config: &AlterableConfig| {
        let key = config.name.to_string();
        let value = config.value.as_ref().map(|value| value.to_string());
        Ok(match (config.config_operation, value) {
            (1, _) => ConfigChange::Delete(key),
            (0, Some(value)) => ConfigChange::Set(key, value),
            (2, Some(value)) => ConfigChange::Append(key, value),
            (3, Some(value)) => ConfigChange::Subtract(key, value),
            (0 | 2 | 3, None) => ConfigChange::Valueless(key),
            (other, _) => {
                return Err(Refusal::new(
                    Code::UnknownServerError,
                    format!("Unknown operation type {other}."),
                ));
            }
        })
    };
    resource.configs.iter().map(one).collect()
}
