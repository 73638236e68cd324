//! Changes to a cluster. Each is one request, sent once and never again: what was written and not answered
//! may still happen, a minute later (promise E6), and only the caller can wait for that.

#[cfg(test)]
mod zookeeper;

use std::collections::BTreeSet;
use std::fmt::Display;

use restow_planner::model::{BrokerId, TopicPartition, replicas::first_repeated};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::read::{ask, millis, sendable};
pub use crate::view::Resource;
use crate::wire::Call;
use crate::wire::calls::alter_configs::AlterConfigs;
use crate::wire::calls::elections::Elect;
use crate::wire::calls::reassignments::AlterReassignments;
use crate::wire::pool::{Line, Place};
use crate::{Client, Code, Error};

/// One request that changes the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Write {
    /// New replica lists (`AlterPartitionReassignments`).
    Reassign {
        /// Each partition once. `None` cancels the reassignment that is in flight.
        items: Vec<(TopicPartition, Option<Vec<BrokerId>>)>,
        /// If false, Kafka 4.1 and later refuse a list of another length; older ones take it all the same.
        allow_rf_change: bool,
    },
    /// Preferred leader elections (`ElectLeaders`); never unclean ones.
    Elect {
        /// Each partition once.
        items: Vec<TopicPartition>,
    },
    /// Config changes (`IncrementalAlterConfigs`).
    Configs {
        /// The broker to send it to: broker N takes the configs of [`Resource::Broker`] N, and no other does.
        /// `None`: one that takes all but those.
        broker: Option<BrokerId>,
        /// Each key of each resource once. A key that is refused voids the other keys of its resource, and
        /// nothing of other resources.
        items: Vec<ConfigChange>,
    },
}

/// A change of one config key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// Whose config.
    pub resource: Resource,
    /// The key.
    pub key: String,
    /// What happens to it.
    pub op: ConfigOp,
}

/// What happens to a config key (`AlterConfigOp.OpType`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigOp {
    /// The value becomes this.
    Set(String),
    /// The key is set no more.
    Delete,
    /// These entries are added to the list.
    Append(String),
    /// These entries are taken from the list. A list without entries stays set, as `""`.
    Subtract(String),
}

/// What became of a [`Write`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// The broker answered: one item for each that was asked, in their order.
    Items(Vec<ItemAnswer>),
    /// No byte of it was written: nothing changed.
    NotSent(Error),
    /// It may have been written, and there is no answer that could be understood: it may have happened, may
    /// still happen, or never.
    Open(Error),
}

/// What the broker said about one item. An error of the request as a whole is given to every item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemAnswer {
    /// Kafka's error code; `None` is success.
    pub code: Option<Code>,
    /// The broker's own words.
    pub message: Option<String>,
}

/// Sends one request, once.
///
/// A request that brokers would misread is not sent: an empty one, one that names something twice, one with
/// a text of more than 32,767 bytes.
pub async fn send(client: &Client, write: &Write) -> Answer {
    match route(client, write).await {
        Ok(broker) => send_to(client, broker, write).await,
        Err(error) => Answer::NotSent(error),
    }
}

/// The broker that [`send`] would use now: the named one, else in ZooKeeper mode the controller, in KRaft
/// mode one that forwards.
///
/// # Errors
/// If Metadata had to be asked for and nobody answered.
pub async fn route(client: &Client, write: &Write) -> Result<BrokerId, Error> {
    match write {
        Write::Configs { broker: Some(broker), .. } => Ok(*broker),
        _ => ask::controller(client).await,
    }
}

/// As [`send`], to this broker: so that its id can be written down first.
pub async fn send_to(client: &Client, broker: BrokerId, write: &Write) -> Answer {
    if let Err(error) = check(write) {
        return Answer::NotSent(error);
    }
    let timeout_ms = millis(client.shared.options.write_timeout);
    match write {
        Write::Reassign { items, allow_rf_change } => {
            let call = AlterReassignments { items, allow_rf_change: *allow_rf_change, timeout_ms };
            once(client, broker, &call).await
        }
        Write::Elect { items } => once(client, broker, &Elect { items, timeout_ms }).await,
        Write::Configs { items, .. } => {
            once(client, broker, &AlterConfigs { items, validate_only: false }).await
        }
    }
}

async fn once<C: Call<Answer = Vec<ItemAnswer>>>(client: &Client, broker: BrokerId, call: &C) -> Answer {
    let options = &client.shared.options;
    // A login may wait for a token for longer than the view lives that the write was decided on.
    let within = options.connect_timeout;
    let opened = timeout(within, ask::open(client, Place::Broker(broker), Line::Forwarded, within)).await;
    let late = |_| {
        let reason = format!("no connection to broker {broker} within {} ms", within.as_millis());
        Err(Error::Unsendable { reason })
    };
    let opened = opened.unwrap_or_else(late);
    let messenger = match opened {
        Ok((messenger, _)) => messenger,
        Err(error) => {
            ask::misrouted(client, broker, &error);
            return Answer::NotSent(error);
        }
    };
    match messenger.call(call, options.write_timeout).await {
        Ok(items) => {
            if items.iter().any(|item| item.code == Some(Code::NOT_CONTROLLER)) {
                client.book().avoid_controller(broker);
            }
            Answer::Items(items)
        }
        Err(lost) => {
            // The next write goes elsewhere; this one stays as it is.
            ask::misrouted(client, broker, &lost.error);
            if lost.sent { Answer::Open(lost.error) } else { Answer::NotSent(lost.error) }
        }
    }
}

/// `Err` for what brokers would misread.
fn check(write: &Write) -> Result<(), Error> {
    let wrong = |reason: String| Err(Error::Unsendable { reason });
    match write {
        Write::Reassign { items, .. } => {
            once_each(items.iter().map(|(tp, _)| tp))?;
            sendable(items.iter().map(|(tp, _)| tp.topic.as_str()))?;
            for (partition, list) in items {
                let Some(list) = list else { continue };
                if list.is_empty() {
                    return wrong(format!("the replica list of {partition} is empty"));
                }
                if let Some(twice) = first_repeated(list) {
                    return wrong(format!("broker {twice} stands twice in the replica list of {partition}"));
                }
            }
            Ok(())
        }
        Write::Elect { items } => {
            // An empty list would do nothing; a missing one would be the whole cluster.
            once_each(items.iter())?;
            sendable(items.iter().map(|tp| tp.topic.as_str()))
        }
        Write::Configs { broker, items } => {
            once_each(items.iter().map(|item| format!("{} of {}", item.key, item.resource)))?;
            for item in items {
                let (resource, value) = match (&item.resource, &item.op) {
                    (of, ConfigOp::Set(value) | ConfigOp::Append(value) | ConfigOp::Subtract(value)) => {
                        (of, value.as_str())
                    }
                    (of, ConfigOp::Delete) => (of, ""),
                };
                let name = match resource {
                    Resource::Topic(name) => name,
                    Resource::Broker(id) if Some(*id) != *broker => {
                        return wrong(format!("configs of broker {id} go to that broker only"));
                    }
                    _ => "",
                };
                sendable([name, &item.key, value])?;
            }
            Ok(())
        }
    }
}

/// `Err` if there is nothing, or something twice: brokers disagree on which of the two wins.
fn once_each<T: Ord + Display>(items: impl Iterator<Item = T>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for item in items {
        let reason = format!("{item} stands twice");
        if !seen.insert(item) {
            return Err(Error::Unsendable { reason });
        }
    }
    if seen.is_empty() {
        return Err(Error::Unsendable { reason: "there is nothing in it".to_owned() });
    }
    Ok(())
}
