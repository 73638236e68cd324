//! Whether a broker may be given up.

use restow_client::{Client, read};
use restow_planner::model::{BrokerId, TopicPartition};

use super::RunError;

/// Why a broker may not be given up: somebody still counts on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InService {
    /// It is registered and not fenced.
    #[error("broker {0} is in service: it is not fenced. Stop it first, or do not give it up")]
    Serves(BrokerId),
    /// It answers.
    #[error("broker {0} answers, though the cluster counts it as gone: stop it first")]
    Answers(BrokerId),
    /// A partition counts its copy.
    #[error("broker {broker} is still in the ISR of {partition}: wait until the controller has fenced it")]
    InSync {
        /// The broker.
        broker: BrokerId,
        /// The partition, or one of them.
        partition: TopicPartition,
    },
}

/// Whether a broker is fenced, does not answer, and is in no ISR but as the last one: only such a one may be
/// given up.
///
/// # Errors
/// If the cluster cannot be read.
pub async fn is_gone(client: &Client, broker: BrokerId) -> Result<Result<(), InService>, RunError> {
    let cluster = read::cluster(client).await?;
    // Before Kafka 4.0 a fenced broker is not listed at all.
    if cluster.brokers.iter().any(|b| b.id == broker && b.fenced != Some(true)) {
        return Ok(Err(InService::Serves(broker)));
    }
    if read::ping(client, broker).await.is_ok() {
        return Ok(Err(InService::Answers(broker)));
    }
    for topic in read::topics(client, None).await? {
        // The last member of an ISR stays in it when its broker is fenced: that partition is offline.
        let counts = |isr: &[BrokerId]| isr.len() > 1 && isr.contains(&broker);
        if let Some(p) = topic.partitions.iter().find(|p| counts(&p.isr)) {
            let partition = TopicPartition::new(topic.name, p.partition);
            return Ok(Err(InService::InSync { broker, partition }));
        }
    }
    Ok(Ok(()))
}
