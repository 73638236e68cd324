//! The cluster and its APIs, as a broker tells them.

use kafka_protocol::messages::{ApiKey, DescribeClusterRequest};
use restow_simulator::rules::Api;

use crate::client::newest;
use crate::play::{Came, Player};
use crate::script::Step;

impl Player {
    pub async fn cluster(&self, step: &Step) -> Came {
        let version = step.options.version.unwrap_or_else(|| newest::<DescribeClusterRequest>(self.ranges()));
        let request = DescribeClusterRequest::default();
        let request = if version >= 2 { request.with_include_fenced_brokers(true) } else { request };
        let answer = self.send(step, &request).await?;
        let each = answer.brokers.iter().map(|broker| {
            let rack = broker.rack.as_ref().map_or("no rack", |rack| rack.as_str());
            let fenced = if broker.is_fenced { " fenced" } else { "" };
            format!("broker {} {rack}{fenced}", broker.broker_id.0)
        });
        let mut lines: Vec<String> = each.collect();
        lines.sort();
        Ok(lines)
    }

    /// The versions of the APIs that the simulator has, as far as the protocol crate knows them.
    pub fn advertised(&self) -> Vec<String> {
        let each = Api::ALL.into_iter().map(|api| {
            let range = self.ranges().api_keys.iter().find(|range| range.api_key == api.key());
            let ours = ApiKey::try_from(api.key()).expect("a known API").valid_versions();
            match range {
                Some(range) => format!("{api:?} {}-{}", range.min_version, range.max_version.min(ours.max)),
                None => format!("{api:?} absent"),
            }
        });
        each.collect()
    }
}
