//! `DescribeConfigs`.

use std::collections::BTreeMap;

use bytes::BytesMut;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use restow_planner::model::ConfigSource;

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::{read_resource, resource, text};
use crate::code::Code;
use crate::view::{ConfigAnswer, ConfigEntry, Resource};

/// Effective configs with all levels that set them.
#[derive(Debug)]
pub(crate) struct DescribeConfigs<'a> {
    /// Each resource once.
    pub resources: &'a [Resource],
    /// None: all keys.
    pub keys: Option<&'a [&'a str]>,
    /// Whether to tell every level that sets a key.
    pub synonyms: bool,
}

impl Call for DescribeConfigs<'_> {
    /// One answer for each resource, in their order.
    type Answer = Vec<ConfigAnswer>;
    const API: Api = Api { name: "DescribeConfigs", key: 32, min: 4, max: 4 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        let keys = self.keys.map(|keys| keys.iter().map(|key| text(key)).collect::<Vec<_>>());
        let resources = self.resources.iter().map(|of| {
            let (kind, name) = resource(of);
            DescribeConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(name)
                .with_configuration_keys(keys.clone())
        });
        DescribeConfigsRequest::default()
            .with_resources(resources.collect())
            .with_include_synonyms(self.synonyms)
            .with_include_documentation(false)
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Vec<ConfigAnswer>, Failure> {
        let answer = DescribeConfigsResponse::decode(from, version)?;
        let mut answers = BTreeMap::new();
        for one in answer.results {
            let of = read_resource(one.resource_type, &one.resource_name)?;
            let configs = match Code::of(one.error_code) {
                Some(code) => Err(code),
                None => Ok(one.configs.into_iter().map(entry).collect()),
            };
            if answers.insert(of, configs).is_some() {
                return Err(Failure::Malformed(format!("resource {:?} stands twice", one.resource_name)));
            }
        }
        let mut list = Vec::with_capacity(self.resources.len());
        for of in self.resources {
            list.push(answers.remove(of).ok_or_else(|| format!("nothing about {of}"))?);
        }
        match answers.keys().next() {
            Some(stranger) => Err(Failure::Malformed(format!("{stranger}, which was not asked"))),
            None => Ok(list),
        }
    }
}

fn entry(from: DescribeConfigsResourceResult) -> ConfigEntry {
    let owned = |value: Option<StrBytes>| value.map(|value| value.as_str().to_owned());
    ConfigEntry {
        name: from.name.as_str().to_owned(),
        value: owned(from.value),
        source: source(from.config_source),
        sensitive: from.is_sensitive,
        synonyms: from
            .synonyms
            .into_iter()
            .map(|s| (s.name.as_str().to_owned(), owned(s.value), source(s.source)))
            .collect(),
    }
}

fn source(code: i8) -> ConfigSource {
    match code {
        1 => ConfigSource::Topic,
        2 => ConfigSource::DynamicBroker,
        3 => ConfigSource::DynamicDefault,
        4 => ConfigSource::Static,
        5 => ConfigSource::Default,
        _ => ConfigSource::Unknown,
    }
}
