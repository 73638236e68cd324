//! What a principal has to be allowed, and what of that it is not.

use std::fmt;

use restow_planner::model::BrokerId;

use super::{Resource, ask, sendable};
use crate::wire::calls::alter_configs::AlterConfigs;
use crate::wire::calls::permissions::{OnCluster, OnTopics};
use crate::write::{ConfigChange, ConfigOp};
use crate::{Client, Code, Error};

/// Topics in one request: a broker judges each operation on each of them.
const TOPICS: usize = 1000;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Look: `snapshot`, `status`.
    Plan,
    /// Change: `apply`, `rollback`, `sweep`.
    Apply,
}

/// An operation of Kafka's ACLs (`AclOperation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Reassign partitions, elect leaders; implies `Describe`.
    Alter,
    /// See a resource at all.
    Describe,
    /// Read its configs.
    DescribeConfigs,
    /// Change its configs; implies `DescribeConfigs`.
    AlterConfigs,
}

impl Operation {
    /// Its bit in the authorised operations: `AclOperation.code()`.
    fn bit(self) -> i32 {
        1 << match self {
            Operation::Alter => 7,
            Operation::Describe => 8,
            Operation::DescribeConfigs => 10,
            Operation::AlterConfigs => 11,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What an operation is allowed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// The cluster.
    Cluster,
    /// Topics.
    Topics,
}

/// One permission: a line of ACLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// What has to be allowed.
    pub operation: Operation,
    /// On what.
    pub on: On,
}

impl Need {
    /// What [`kafka-acls --add`](https://kafka.apache.org/documentation/#security_authz_cli) has to be told beside the
    /// cluster and the principal; topics by this name, or `*` for all.
    pub fn flags(&self, topics: &str) -> String {
        match self.on {
            On::Cluster => format!("--operation {} --cluster", self.operation),
            On::Topics => format!("--operation {} --topic '{topics}'", self.operation),
        }
    }

    /// What it is for.
    pub fn reason(&self) -> &'static str {
        match (self.on, self.operation) {
            (On::Cluster, Operation::Alter) => {
                "reassign partitions, cancel, elect leaders; see what is in flight"
            }
            (On::Cluster, Operation::AlterConfigs) => "set throttle rates; read the brokers' configs",
            (On::Cluster, Operation::Describe) => "see reassignments in flight, log directories and sizes",
            (On::Cluster, Operation::DescribeConfigs) => "read the brokers' configs",
            (On::Topics, Operation::AlterConfigs) => "set throttle lists; read min.insync.replicas",
            (On::Topics, Operation::DescribeConfigs) => "read min.insync.replicas",
            (On::Topics, _) => "see topics, their replicas and how far copies are",
        }
    }
}

/// The fewest permissions that a purpose needs (`KafkaApis`, `ControllerApis`, `ConfigHelper`).
pub fn needs(purpose: Purpose) -> [Need; 4] {
    use {On::*, Operation::*};
    let need = |operation, on| Need { operation, on };
    match purpose {
        Purpose::Plan => [
            need(Describe, Cluster),
            need(DescribeConfigs, Cluster),
            need(Describe, Topics),
            need(DescribeConfigs, Topics),
        ],
        Purpose::Apply => [
            need(Alter, Cluster),
            need(AlterConfigs, Cluster),
            need(Describe, Topics),
            need(AlterConfigs, Topics),
        ],
    }
}

/// A permission that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub need: Need,
    /// A topic that it is missing on and how many there are like it; none on the cluster, and where no topic is seen.
    pub topic: Option<(String, usize)>,
    /// Who has to be allowed, as far as our login tells.
    pub principal: Option<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, reason) = (self.need.operation, self.need.reason());
        match &self.topic {
            None if self.need.on == On::Topics => {
                write!(f, "{operation} on topics is not allowed ({reason}): ")?;
            }
            None => write!(f, "{operation} on the cluster is not allowed ({reason}): ")?,
            Some((topic, 1)) => write!(f, "{operation} on topic {topic} is not allowed ({reason}): ")?,
            Some((topic, count)) => {
                write!(f, "{operation} on {count} topics, {topic} among them, is not allowed ({reason}): ")?;
            }
        }
        let topics = self.topic.as_ref().filter(|(_, count)| *count == 1).map_or("*", |(topic, _)| topic);
        let principal = self.principal.as_deref().unwrap_or("PRINCIPAL");
        write!(f, "kafka-acls.sh --add --allow-principal '{principal}' {}", self.need.flags(topics))
    }
}

/// What is missing for a purpose, on the cluster and on these topics, or on all that we may describe. Nothing is changed.
///
/// A cluster without an authorizer allows everything.
///
/// # Errors
/// If no broker answered.
pub async fn missing(
    client: &Client,
    purpose: Purpose,
    topics: Option<&[String]>,
) -> Result<Vec<Missing>, Error> {
    sendable(topics.unwrap_or_default().iter().map(String::as_str))?;
    let (on_cluster, _) = ask::any(client, &OnCluster).await?;
    let on_topics = on_topics(client, topics).await?;
    let principal = client.principal().map(str::to_owned);
    let lack = |need, topic| Missing { need, topic, principal: principal.clone() };
    let mut missing = Vec::new();
    for need in needs(purpose) {
        let lacks = |bits: i32| bits & need.operation.bit() == 0;
        match need.on {
            // Who may not describe the cluster is told nothing else about it.
            On::Cluster if on_cluster == 0 && need.operation == Operation::AlterConfigs => {
                if !may_alter_configs(client).await? {
                    missing.push(lack(need, None));
                }
            }
            On::Cluster if on_cluster == 0 && need.operation == Operation::DescribeConfigs => {
                if !may_describe_configs(client).await? {
                    missing.push(lack(need, None));
                }
            }
            On::Cluster if lacks(on_cluster) => missing.push(lack(need, None)),
            On::Cluster => {}
            On::Topics => {
                // A topic that we may not describe lacks that, whatever else it lacks.
                let is_hidden = |bits: i32| bits == 0 && need.operation != Operation::Describe;
                let is_blind = on_topics.is_empty() && need.operation == Operation::Describe;
                if is_blind && topics.is_none() && holds_replicas(client).await? {
                    missing.push(lack(need, None));
                }
                let mut lacking = on_topics.iter().filter(|(_, bits)| lacks(*bits) && !is_hidden(*bits));
                if let Some((topic, _)) = lacking.next() {
                    missing.push(lack(need, Some((topic.clone(), 1 + lacking.count()))));
                }
            }
        }
    }
    Ok(missing)
}

async fn on_topics(client: &Client, topics: Option<&[String]>) -> Result<Vec<(String, i32)>, Error> {
    let Some(names) = topics else { return Ok(ask::any(client, &OnTopics { names: None }).await?.0) };
    let mut told = Vec::new();
    for names in names.chunks(TOPICS) {
        told.extend(ask::any(client, &OnTopics { names: Some(names) }).await?.0);
    }
    Ok(told)
}

/// Whether a broker would take a change of its configs: it validates one and does nothing.
async fn may_alter_configs(client: &Client) -> Result<bool, Error> {
    let broker = any_broker(client)?;
    let key = "follower.replication.throttled.rate".to_owned();
    let change = ConfigChange { resource: Resource::Broker(broker), key, op: ConfigOp::Set("1".into()) };
    let call = AlterConfigs { items: &[change], validate_only: true };
    let answer = ask::at(client, broker, &call).await?;
    Ok(answer.iter().all(|item| item.code.is_none_or(|code| !code.is_authorisation())))
}

/// Whether some broker holds replicas: then there are topics, seen or not.
async fn holds_replicas(client: &Client) -> Result<bool, Error> {
    for broker in client.brokers() {
        match super::log_dirs(client, broker, None).await {
            Ok(dirs) if dirs.iter().any(|dir| !dir.replicas.is_empty()) => return Ok(true),
            Err(error) if !error.is_authorisation() => return Err(error),
            _ => {}
        }
    }
    Ok(false)
}

fn any_broker(client: &Client) -> Result<BrokerId, Error> {
    client.readers().first().copied().ok_or(Error::NoServer { tried: Vec::new() })
}

async fn may_describe_configs(client: &Client) -> Result<bool, Error> {
    let broker = any_broker(client)?;
    let answers =
        super::configs(client, Some(broker), &[Resource::Broker(broker)], Some(&["broker.id"])).await?;
    Ok(answers.iter().all(|(_, answer)| answer.as_ref().err() != Some(&Code::CLUSTER_AUTHORIZATION_FAILED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_names_the_line_that_grants_it() {
        let lack = |need, topic| Missing { need, topic, principal: None };
        let [alter, _, describe, _] = needs(Purpose::Apply);
        let text = lack(alter, None).to_string();
        assert!(
            text.ends_with("kafka-acls.sh --add --allow-principal 'PRINCIPAL' --operation Alter --cluster"),
            "{text}"
        );
        let text = lack(describe, Some(("a".into(), 1))).to_string();
        assert!(text.ends_with("--operation Describe --topic 'a'"), "{text}");
        let text = lack(describe, Some(("a".into(), 2))).to_string();
        assert!(text.ends_with("--operation Describe --topic '*'"), "{text}");
    }
}
