//! Somebody else's assignment, as a plan.

use super::{Made, PlaceError};
use crate::model::replicas::first_repeated;
use crate::model::{BrokerId, Cluster, TopicPartition};

/// One list for each partition that is named.
pub type Assignment = [(TopicPartition, Vec<BrokerId>)];

/// The changes that the assignment asks for; partitions that stand there already are none.
pub(super) fn plan(cluster: &Cluster, assignment: &Assignment) -> Result<Made, PlaceError> {
    let mut rows: Vec<(u32, Vec<u16>)> = Vec::new();
    for (partition, list) in assignment {
        let wrong = |found: String, accepted: &str| {
            PlaceError::usage("--reassignment-json-file", format!("partition {partition}: {found}"), accepted)
        };
        let Some(p) = cluster.find(&partition.topic, partition.partition) else {
            return Err(wrong(
                "it is not in the snapshot".into(),
                "partitions of the cluster; take a new snapshot",
            ));
        };
        if let Some(broker) = first_repeated(list) {
            return Err(wrong(format!("broker {broker} stands twice"), "each broker once"));
        }
        if list.is_empty() {
            return Err(wrong("its list is empty".into(), "at least one broker"));
        }
        let mut seats = Vec::with_capacity(list.len());
        for id in list {
            match cluster.broker_index(*id) {
                Some(at) => seats.push(at),
                None => {
                    let found = format!("broker {id} is not in the snapshot");
                    return Err(wrong(found, &super::scope::known_brokers(cluster)));
                }
            }
        }
        rows.push((p.index, seats));
    }
    rows.sort();
    if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let found = format!("partition {} stands twice", cluster.name_of(pair[0].0));
        return Err(PlaceError::usage("--reassignment-json-file", found, "each partition once"));
    }
    let mut made = Made::default();
    for (index, list) in rows.iter().filter(|(index, list)| cluster.partition(*index).replicas != list) {
        made.changes.push(*index, list);
    }
    Ok(made)
}
