//! What source brokers still hold, by metadata and by their log directories.

use futures_util::future::join_all;
use restow_client::{Client, Error, read};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::Plan;

use crate::events::Remains;

/// What was not there when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Late {
    /// What each source broker still holds.
    pub remains: Vec<Remains>,
    /// Partitions of the plan's topics that the plan does not move and that have more replicas than the
    /// topic had: they were added while it was expanded.
    pub inflated: Vec<(TopicPartition, Vec<BrokerId>)>,
}

/// Looks at the source brokers of a plan.
///
/// # Errors
/// If metadata cannot be read.
pub async fn remains(client: &Client, plan: &Plan) -> Result<Late, Error> {
    let topics = read::topics(client, None).await?;
    let sources = plan.intent.sources();
    let on = |id: BrokerId| {
        let all = topics.iter().flat_map(|t| t.partitions.iter().map(move |p| (t, p)));
        all.filter(|(_, p)| p.replicas.contains(&id))
            .map(|(t, p)| TopicPartition::new(t.name.clone(), p.partition))
            .collect::<Vec<_>>()
    };
    let dirs = join_all(sources.iter().map(|id| read::log_dirs(client, *id, None))).await;
    let remains = sources
        .iter()
        .zip(dirs)
        .map(|(id, dirs)| Remains {
            broker: *id,
            partitions: on(*id),
            in_log_dirs: dirs.ok().map(|dirs| dirs.iter().map(|dir| dir.replicas.len() as u64).sum()),
        })
        .collect();
    Ok(Late { remains, inflated: inflated(plan, &topics) })
}

fn inflated(plan: &Plan, topics: &[restow_client::read::TopicView]) -> Vec<(TopicPartition, Vec<BrokerId>)> {
    let mut usual = vec![0; plan.topics.len()];
    let mut planned = std::collections::BTreeSet::new();
    for m in plan.moves.iter() {
        usual[m.topic as usize] = usual[m.topic as usize].max(m.from.len()).max(m.to.len());
        planned.insert((m.topic, m.partition));
    }
    let mut found = Vec::new();
    for topic in topics {
        let Ok(number) = plan.topics.binary_search_by(|t| t.name.cmp(&topic.name)) else { continue };
        for p in &topic.partitions {
            if p.replicas.len() > usual[number] && !planned.contains(&(number as u32, p.partition)) {
                found.push((TopicPartition::new(topic.name.clone(), p.partition), p.replicas.clone()));
            }
        }
    }
    found
}
