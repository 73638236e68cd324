//! Questions to a cluster. Each is bounded in time and is put again where that can help: to another broker
//! where any can answer, on a fresh connection otherwise. Errors *inside* an answer are the caller's.

pub(crate) mod ask;
pub mod permissions;
pub mod probe;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicPartition};
use tokio::time::{Instant, timeout};

pub use restow_planner::model::ConfigSource;

use crate::error::Peer;
pub use crate::view::{
    BrokerView, ClusterView, ConfigAnswer, ConfigEntry, LogDirView, LogReplica, OffsetQuery, PartitionView,
    QuorumView, Reassignment, Replica, Resource, TopicView,
};
use crate::wire::Call;
use crate::wire::calls::configs::DescribeConfigs;
use crate::wire::calls::log_dirs::DescribeLogDirs;
use crate::wire::calls::metadata::{DescribeCluster, Metadata};
use crate::wire::calls::offsets::{End, ListOffsets};
use crate::wire::calls::reassignments::ListReassignments;
use crate::wire::pool::{Line, Place};
use crate::wire::versions::ApiVersions;
use crate::{Client, Code, Error};

/// How long [`ping`] waits.
const PING: Duration = Duration::from_millis(2500);
/// Resources in one `DescribeConfigs`: a request of this size takes a broker some tens of milliseconds.
const RESOURCES: usize = 1000;

/// The brokers, from Kafka 4.0 on with the fenced ones (`DescribeCluster`).
///
/// # Errors
/// If no broker answered, or one of another cluster did.
pub async fn cluster(client: &Client) -> Result<ClusterView, Error> {
    ask::any(client, &DescribeCluster).await.map(|(answer, _)| answer)
}

/// These topics, or all, ordered by name (`Metadata`). The client's addresses are refreshed by it.
///
/// A topic that does not exist is there with an error. Of *all* topics, those that we may not describe are
/// missing without a word.
///
/// # Errors
/// If no broker answered, or one of another cluster did.
pub async fn topics(client: &Client, names: Option<&[String]>) -> Result<Vec<TopicView>, Error> {
    sendable(names.unwrap_or_default().iter().map(String::as_str))?;
    ask::metadata(client, names).await.map(|(answer, _)| answer.topics)
}

/// These topics as one broker shows them: what to compare [`topics`] with. A broker that is cut off from the
/// controller goes on telling what it last heard.
///
/// # Errors
/// If the broker did not answer, or is one of another cluster.
pub async fn topics_at(client: &Client, broker: BrokerId, names: &[String]) -> Result<Vec<TopicView>, Error> {
    sendable(names.iter().map(String::as_str))?;
    ask::at(client, broker, &Metadata { names: Some(names) }).await.map(|answer| answer.topics)
}

/// The brokers in service as one broker shows them (`Metadata` names no fenced ones).
///
/// # Errors
/// If the broker did not answer, or is one of another cluster.
pub async fn brokers_at(client: &Client, broker: BrokerId) -> Result<BTreeSet<BrokerId>, Error> {
    let answer = ask::at(client, broker, &Metadata { names: Some(&[]) }).await?;
    Ok(answer.brokers.into_iter().map(|(id, ..)| id).collect())
}

/// Every in-flight reassignment of the cluster, ordered by topic and partition
/// (`ListPartitionReassignments`).
///
/// # Errors
/// If the controller, or a broker that forwards to it, did not answer or refused.
pub async fn reassignments(client: &Client) -> Result<Vec<Reassignment>, Error> {
    let timeout_ms = millis(client.shared.options.request_timeout);
    ask::at_controller(client, &ListReassignments { timeout_ms }).await
}

/// Where logs end on `broker`, one answer for each query, in their order (`ListOffsets`, timestamp -1).
///
/// # Errors
/// If the broker did not answer. What it says about one partition is inside the list.
pub async fn end_offsets(
    client: &Client,
    broker: BrokerId,
    as_replica: Replica,
    of: &[OffsetQuery],
) -> Result<Vec<Result<i64, Code>>, Error> {
    offsets(client, broker, as_replica, of, End::Latest).await
}

/// Where logs begin on `broker`, one answer for each query, in their order (`ListOffsets`, timestamp -2).
///
/// # Errors
/// If the broker did not answer. What it says about one partition is inside the list.
pub async fn earliest_offsets(
    client: &Client,
    broker: BrokerId,
    as_replica: Replica,
    of: &[OffsetQuery],
) -> Result<Vec<Result<i64, Code>>, Error> {
    offsets(client, broker, as_replica, of, End::Earliest).await
}

async fn offsets(
    client: &Client,
    broker: BrokerId,
    as_replica: Replica,
    of: &[OffsetQuery],
    end: End,
) -> Result<Vec<Result<i64, Code>>, Error> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    sendable(of.iter().map(|q| q.topic.as_str()))?;
    let timeout_ms = millis(client.shared.options.request_timeout);
    ask::at(client, broker, &ListOffsets { end, as_replica, of, timeout_ms }).await
}

/// Effective configs (`DescribeConfigs`), one answer for each resource, in their order.
///
/// `at` is the broker to ask. A topic's values are those that this broker would apply: where a topic sets
/// nothing, each broker answers with its own defaults. Without `at`, what is about broker N goes to broker N
/// and the rest to any broker. `keys` limits the answer; without it all keys are told.
///
/// Where a broker fails on a request as a whole (ZooKeeper mode, one topic with an overlong list), the
/// resources are asked in smaller groups, so that the error ends with the one that causes it.
///
/// # Errors
/// If a broker did not answer. What it says about one resource is inside the list.
pub async fn configs(
    client: &Client,
    at: Option<BrokerId>,
    resources: &[Resource],
    keys: Option<&[&str]>,
) -> Result<Vec<(Resource, ConfigAnswer)>, Error> {
    effective(client, at, resources, keys, true).await
}

/// As [`configs`]; without synonyms the answer is a fraction of the size.
pub(crate) async fn effective(
    client: &Client,
    at: Option<BrokerId>,
    resources: &[Resource],
    keys: Option<&[&str]>,
    synonyms: bool,
) -> Result<Vec<(Resource, ConfigAnswer)>, Error> {
    if keys.is_some_and(<[_]>::is_empty) {
        // Brokers disagree on whether no key is none or all.
        return Err(Error::Unsendable { reason: "no config key is asked for".to_owned() });
    }
    let names = resources.iter().filter_map(|of| match of {
        Resource::Topic(name) => Some(name.as_str()),
        _ => None,
    });
    sendable(names.chain(keys.unwrap_or_default().iter().copied()))?;
    let mut places = BTreeMap::<Option<BrokerId>, Vec<Resource>>::new();
    for of in resources {
        let place = match (at, of) {
            (None, Resource::Broker(id)) => Some(*id),
            (at, _) => at,
        };
        places.entry(place).or_default().push(of.clone());
    }
    let mut answers = BTreeMap::new();
    for (place, mut list) in places {
        list.sort_unstable();
        list.dedup();
        // A stack of groups; what fails as a whole goes back in halves.
        let mut groups: Vec<Vec<Resource>> = list.chunks(RESOURCES).rev().map(<[_]>::to_vec).collect();
        while let Some(mut group) = groups.pop() {
            let call = DescribeConfigs { resources: &group, keys, synonyms };
            let told = match place {
                Some(broker) => ask::at(client, broker, &call).await?,
                None => ask::any(client, &call).await?.0,
            };
            if group.len() > 1 && told.iter().all(|one| *one == Err(Code::UNKNOWN_SERVER_ERROR)) {
                groups.push(group.split_off(group.len() / 2));
                groups.push(group);
                continue;
            }
            answers.extend(group.into_iter().zip(told));
        }
    }
    let answer = |of: &Resource| answers.get(of).map(|told| (of.clone(), told.clone()));
    Ok(resources.iter().filter_map(answer).collect())
}

/// The log directories of a broker, ordered by path (`DescribeLogDirs`): with the replicas of these topics,
/// or with all.
///
/// # Errors
/// If the broker did not answer, or refused.
pub async fn log_dirs(
    client: &Client,
    broker: BrokerId,
    of: Option<&[String]>,
) -> Result<Vec<LogDirView>, Error> {
    let Some(names) = of else { return log_dirs_of(client, broker, None).await };
    // The request wants partition numbers: a topic without any is answered with nothing.
    let topics = topics(client, Some(names)).await?;
    let of = topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|p| TopicPartition::new(&*topic.name, p.partition)));
    log_dirs_of(client, broker, Some(&of.collect::<Vec<_>>())).await
}

/// As [`log_dirs`], for partitions.
///
/// # Errors
/// If the broker did not answer, or refused.
pub async fn log_dirs_of(
    client: &Client,
    broker: BrokerId,
    of: Option<&[TopicPartition]>,
) -> Result<Vec<LogDirView>, Error> {
    sendable(of.unwrap_or_default().iter().map(|tp| tp.topic.as_str()))?;
    ask::at(client, broker, &DescribeLogDirs { of }).await
}

/// Whether a broker answers at all, within 2.5 s and on a connection of its own.
///
/// # Errors
/// If it did not.
pub async fn ping(client: &Client, broker: BrokerId) -> Result<(), Error> {
    let end = Instant::now() + PING;
    let open = async |within| {
        let opened = timeout(within, ask::open(client, Place::Broker(broker), Line::Probe, within)).await;
        opened.unwrap_or_else(|_| {
            let address = client.book().address(broker).unwrap_or_default().to_owned();
            let broker = Peer { id: Some(broker), address };
            Err(Error::TimedOut { broker, api: ApiVersions::API.name, after: PING })
        })
    };
    let (mut messenger, mut fresh) = open(PING).await?;
    loop {
        if fresh {
            // It has just answered ApiVersions.
            return Ok(());
        }
        match messenger.call(&ApiVersions, end.saturating_duration_since(Instant::now())).await {
            Ok(_) => return Ok(()),
            Err(lost) if matches!(lost.error, Error::TimedOut { .. }) => return Err(lost.error),
            // The broker may have closed the idle connection while we looked the other way.
            Err(_) => {
                let left = end.saturating_duration_since(Instant::now());
                (messenger, fresh) = open(left).await?;
            }
        }
    }
}

/// A deadline as Kafka takes it.
pub(crate) fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

/// `Err` for a text that a broker would answer by closing the connection: flexible versions encode more than
/// 32,767 bytes, and brokers do not read them.
pub(crate) fn sendable<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
    match texts.into_iter().find(|text| text.len() > i16::MAX as usize) {
        Some(text) => {
            let head: String = text.chars().take(40).collect();
            let reason = format!("{} bytes, where Kafka reads 32767: {head:?}…", text.len());
            Err(Error::Unsendable { reason })
        }
        None => Ok(()),
    }
}
