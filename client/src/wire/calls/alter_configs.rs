//! `IncrementalAlterConfigs`.

use std::collections::BTreeMap;

use bytes::BytesMut;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::{message, read_resource, resource, text};
use crate::code::Code;
use crate::view::Resource;
use crate::write::{ConfigChange, ConfigOp, ItemAnswer};

/// Changes of config keys.
#[derive(Debug)]
pub(crate) struct AlterConfigs<'a> {
    /// Each key of each resource once.
    pub items: &'a [ConfigChange],
    /// Whether the broker only says what it would do.
    pub validate_only: bool,
}

impl Call for AlterConfigs<'_> {
    /// One answer for each item, in their order. Kafka answers per resource.
    type Answer = Vec<ItemAnswer>;
    const API: Api = Api { name: "IncrementalAlterConfigs", key: 44, min: 1, max: 1 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        let mut resources = BTreeMap::<&Resource, Vec<AlterableConfig>>::new();
        for item in self.items {
            // AlterConfigOp.OpType. SET without a value would be INVALID_REQUEST, DELETE takes none.
            let (operation, value) = match &item.op {
                ConfigOp::Set(value) => (0, Some(value)),
                ConfigOp::Delete => (1, None),
                ConfigOp::Append(value) => (2, Some(value)),
                ConfigOp::Subtract(value) => (3, Some(value)),
            };
            let change = AlterableConfig::default()
                .with_name(text(&item.key))
                .with_config_operation(operation)
                .with_value(value.map(|value| text(value)));
            resources.entry(&item.resource).or_default().push(change);
        }
        let resources = resources.into_iter().map(|(of, changes)| {
            let (kind, name) = resource(of);
            AlterConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(name)
                .with_configs(changes)
        });
        IncrementalAlterConfigsRequest::default()
            .with_validate_only(self.validate_only)
            .with_resources(resources.collect())
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Vec<ItemAnswer>, Failure> {
        let answer = IncrementalAlterConfigsResponse::decode(from, version)?;
        let mut answers = BTreeMap::new();
        for one in answer.responses {
            let item = ItemAnswer { code: Code::of(one.error_code), message: message(one.error_message) };
            answers.insert(read_resource(one.resource_type, &one.resource_name)?, item);
        }
        let mut list = Vec::with_capacity(self.items.len());
        for item in self.items {
            let found = answers.get(&item.resource).cloned();
            list.push(found.ok_or_else(|| format!("nothing about {}", item.resource))?);
        }
        match answers.keys().find(|of| !self.items.iter().any(|item| item.resource == **of)) {
            Some(stranger) => Err(Failure::Malformed(format!("{stranger}, which was not asked"))),
            None => Ok(list),
        }
    }
}
