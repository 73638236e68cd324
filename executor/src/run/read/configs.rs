//! What configs are set to.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use restow_client::read::{self, ConfigAnswer, ConfigSource, Resource};
use restow_client::{Client, Code};
use restow_planner::model::BrokerId;
use restow_planner::plan::Plan;
use tokio::time::{Instant, timeout_at};

use super::TOPICS;
use super::witness::{Witness, in_service, witness};
use crate::drive::{Answers, FOLLOWER_LIST, LEADER_LIST, MIN_ISR, Reads};
use crate::journal::ConfigKey;

/// Reads what is wanted; what is not sure is left out.
pub(super) async fn read(client: &Client, plan: &Plan, reads: &Reads, end: Instant, answers: &mut Answers) {
    let mut topics: BTreeSet<&Resource> = BTreeSet::new();
    let mut brokers: BTreeMap<BrokerId, BTreeSet<&str>> = BTreeMap::new();
    for key in &reads.configs {
        match &key.resource {
            Resource::Broker(id) if reads.skip.contains(id) => {}
            Resource::Broker(id) => {
                brokers.entry(*id).or_default().insert(&key.key);
            }
            other => {
                topics.insert(other);
            }
        }
    }
    let topics: Vec<Resource> = topics.into_iter().cloned().collect();
    let witness = witness(client, plan, reads, answers);
    for resources in topics.chunks(TOPICS) {
        topic_configs(client, witness, resources, end, answers).await;
    }
    if !brokers.is_empty() {
        broker_configs(client, witness, brokers, end, answers).await;
    }
}

/// Topic configs as two brokers show them alike.
async fn topic_configs(
    client: &Client,
    witness: Witness,
    resources: &[Resource],
    end: Instant,
    answers: &mut Answers,
) {
    let lists = [LEADER_LIST, FOLLOWER_LIST, MIN_ISR];
    let (mut ours, mut theirs) = (Answers::default(), Answers::default());
    let Ok(told) = read::configs(client, None, resources, Some(&lists)).await else { return };
    learn_configs(told, &lists, ConfigSource::Topic, &mut ours);
    if let Witness::Broker(witness) = witness
        && let Ok(Ok(told)) =
            timeout_at(end, read::configs(client, Some(witness), resources, Some(&lists))).await
    {
        learn_configs(told, &lists, ConfigSource::Topic, &mut theirs);
    }
    if witness != Witness::None {
        ours.configs.retain(|key, value| theirs.configs.get(key) == Some(value));
        ours.gone.retain(|resource| theirs.gone.contains(resource));
    }
    answers.configs.extend(ours.configs);
    answers.gone.extend(ours.gone);
}

/// Each broker's own configs, which it alone tells. One that is cut off from the controller tells old ones: what it
/// says counts while two brokers show it in service.
async fn broker_configs(
    client: &Client,
    witness: Witness,
    brokers: BTreeMap<BrokerId, BTreeSet<&str>>,
    end: Instant,
    answers: &mut Answers,
) {
    let Some(in_service) = in_service(client, witness, end).await else { return };
    answers.silent.extend(brokers.keys().filter(|id| !in_service.contains(id)));
    let silent = answers.silent.clone();
    let asks = brokers.into_iter().filter(|(id, _)| !silent.contains(id)).map(|(id, keys)| async move {
        let keys: Vec<&str> = keys.into_iter().collect();
        let resources = [Resource::Broker(id)];
        let told = timeout_at(end, read::configs(client, Some(id), &resources, Some(&keys))).await;
        (id, keys, told)
    });
    for (id, keys, told) in join_all(asks).await {
        match told {
            Ok(Ok(told)) => {
                answers.answered.insert(id);
                learn_configs(told, &keys, ConfigSource::DynamicBroker, answers);
            }
            _ => {
                answers.silent.insert(id);
            }
        }
    }
}

/// A value counts as set where the resource itself sets it, not where it inherits it.
fn learn_configs(
    told: Vec<(Resource, ConfigAnswer)>,
    keys: &[&str],
    own: ConfigSource,
    answers: &mut Answers,
) {
    for (resource, answer) in told {
        match answer {
            Ok(entries) => {
                for key in keys {
                    let entry = entries.iter().find(|e| e.name == *key && e.source == own);
                    let value = entry.map(|e| e.value.clone().unwrap_or_default());
                    let key = ConfigKey { resource: resource.clone(), key: (*key).to_owned() };
                    answers.configs.insert(key, value);
                }
            }
            Err(Code::UNKNOWN_TOPIC_OR_PARTITION) if matches!(resource, Resource::Topic(_)) => {
                answers.gone.insert(resource);
            }
            Err(_) => {}
        }
    }
}
