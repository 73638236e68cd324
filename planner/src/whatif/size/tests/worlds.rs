//! Small clusters for sizing.

use crate::model::{Broker, BrokerId, Cluster, ClusterBuilder, NodeType, PartitionRow, Topic, UNKNOWN_SIZE};

/// A node type with as many replicas as there are.
pub fn node(name: &str, disk: u64, network: u64, price: u64) -> NodeType {
    NodeType {
        name: name.into(),
        disk_bytes: Some(disk),
        network_bytes_per_second: Some(network),
        replicas: None,
        price_per_month: Some(price),
    }
}

/// One partition: where it is, its bytes, what is written and read.
#[derive(Debug, Clone)]
pub struct Row {
    pub replicas: Vec<i32>,
    pub bytes: Option<u64>,
    pub write: Option<u64>,
    pub read: Option<u64>,
}

pub fn row(replicas: &[i32], bytes: u64, write: u64, read: u64) -> Row {
    Row { replicas: replicas.to_vec(), bytes: Some(bytes), write: Some(write), read: Some(read) }
}

/// Brokers with their zones (none if empty) and types, and one topic.
pub fn cluster(brokers: &[(i32, &str, Option<&NodeType>)], rows: &[Row]) -> Cluster {
    let broker = |(id, zone, node): &(i32, &str, Option<&NodeType>)| Broker {
        rack: (!zone.is_empty()).then(|| (*zone).into()),
        zone: (!zone.is_empty()).then(|| (*zone).into()),
        node: node.cloned(),
        ..Broker::bare(BrokerId(*id))
    };
    let mut build = ClusterBuilder::new("small", brokers.iter().map(broker).collect()).unwrap();
    build.topic(Topic { name: "t".into(), ..Topic::default() }).unwrap();
    for row in rows {
        let replicas: Vec<BrokerId> = row.replicas.iter().copied().map(BrokerId).collect();
        build
            .partition(&PartitionRow {
                replicas: &replicas,
                leader: replicas.first().copied(),
                isr: &replicas,
                sizes: &vec![row.bytes.unwrap_or(UNKNOWN_SIZE); replicas.len()],
                write_rate: row.write,
                read_rate: row.read,
                ..PartitionRow::default()
            })
            .unwrap();
    }
    build.finish(String::new(), vec![])
}
