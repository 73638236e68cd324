//! A cluster made anew with other brokers, lists or loads. What-ifs look at whole brokers: the log directories of each
//! become one.

use std::collections::BTreeMap;

use crate::model::capacity::{held_bytes, volumes};
use crate::model::{
    BadCluster, Broker, BrokerId, Cluster, ClusterBuilder, InFlight, LogDir, MAX_REPLICAS, Partition,
    PartitionRow, Topic, UNKNOWN_DIR, UNKNOWN_SIZE,
};
use crate::plan::Plan;

/// One partition on its way; its buffers are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Its replica list.
    pub replicas: Vec<BrokerId>,
    /// Bytes of each replica, or [`UNKNOWN_SIZE`].
    pub sizes: Vec<u64>,
    /// Its leader.
    pub leader: Option<BrokerId>,
    /// Its in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Bytes/s written.
    pub write_rate: Option<u64>,
    /// Bytes/s read.
    pub read_rate: Option<u64>,
    /// Requests/s.
    pub request_rate: Option<u64>,
    /// What is being added and removed.
    pub moving: InFlight,
}

impl Row {
    /// The partition as it is.
    pub fn copy(&mut self, cluster: &Cluster, p: Partition<'_>) {
        let id = |at: &u16| cluster.brokers[usize::from(*at)].id;
        self.replicas.clear();
        self.replicas.extend(p.replicas.iter().map(id));
        self.sizes.clear();
        self.sizes.extend_from_slice(p.sizes);
        self.leader = p.leader.as_ref().map(id);
        self.isr.clear();
        let in_sync = (0..p.replicas.len()).filter(|at| p.in_sync(*at));
        self.isr.extend(in_sync.map(|at| id(&p.replicas[at])));
        (self.write_rate, self.read_rate, self.request_rate) = (p.write_rate, p.read_rate, p.request_rate);
        self.moving = cluster.in_flight.get(&p.index).cloned().unwrap_or_default();
    }

    /// Changes every known size and rate.
    pub fn scale(&mut self, bytes: impl Fn(u64) -> u64, rate: impl Fn(u64) -> u64) {
        for size in self.sizes.iter_mut().filter(|size| **size != UNKNOWN_SIZE) {
            *size = bytes(*size);
        }
        for known in [&mut self.write_rate, &mut self.read_rate, &mut self.request_rate].into_iter().flatten()
        {
            *known = rate(*known);
        }
    }
}

/// The cluster with these brokers, so many partitions of each topic, and each partition as `fill` makes it from its topic
/// and number.
pub(super) fn rebuild(
    cluster: &Cluster,
    mut brokers: Vec<Broker>,
    count: impl Fn(&Topic) -> u32,
    mut fill: impl FnMut(&Topic, u32, &mut Row),
) -> Result<Cluster, BadCluster> {
    brokers.iter_mut().for_each(merge_dirs);
    let mut build = ClusterBuilder::new(cluster.id.clone(), brokers.clone())?;
    let (mut row, mut dirs) = (Row::default(), Vec::with_capacity(MAX_REPLICAS));
    for topic in &cluster.topics {
        build.topic(topic.clone())?;
        for number in 0..count(topic) {
            fill(topic, number, &mut row);
            dirs.clear();
            let has_dir = |id: &BrokerId| {
                let at = brokers.binary_search_by_key(id, |broker| broker.id);
                at.is_ok_and(|at| !brokers[at].log_dirs.is_empty())
            };
            dirs.extend(row.replicas.iter().map(|id| if has_dir(id) { 0 } else { UNKNOWN_DIR }));
            build.partition(&PartitionRow {
                replicas: &row.replicas,
                leader: row.leader,
                isr: &row.isr,
                sizes: &row.sizes,
                dirs: &dirs,
                write_rate: row.write_rate,
                read_rate: row.read_rate,
                request_rate: row.request_rate,
                adding: &row.moving.adding,
                removing: &row.moving.removing,
            })?;
        }
    }
    Ok(build.finish(cluster.taken_at.clone(), cluster.config_differences.clone()))
}

/// What other software keeps on the disk of each broker, in bytes: it stays there whatever replicas come and go.
#[derive(Debug, Clone, Default)]
pub(super) struct Others(BTreeMap<BrokerId, u64>);

impl Others {
    /// As the snapshot shows it.
    pub fn of(cluster: &Cluster) -> Self {
        let each = cluster.brokers.iter().zip(held_bytes(cluster)).filter_map(|(broker, held)| {
            let volumes = volumes(broker)?;
            Some((broker.id, volumes.total.saturating_sub(volumes.usable).saturating_sub(held)))
        });
        Others(each.collect())
    }

    /// Says what is free on each disk: what neither replicas nor others take.
    pub fn settle(&self, cluster: &mut Cluster) {
        let held = held_bytes(cluster);
        for (broker, held) in cluster.brokers.iter_mut().zip(held) {
            let others = self.0.get(&broker.id).copied().unwrap_or(0);
            for dir in &mut broker.log_dirs {
                dir.usable_bytes =
                    dir.total_bytes.map(|total| total.saturating_sub(held).saturating_sub(others));
            }
        }
    }
}

/// One directory in place of all; none where the size of some volume is unknown.
fn merge_dirs(broker: &mut Broker) {
    let Some(volumes) = volumes(broker) else {
        broker.log_dirs.clear();
        return;
    };
    let offline = broker.log_dirs.iter().any(|dir| dir.offline);
    let (total, usable) = (Some(volumes.total), Some(volumes.usable));
    broker.log_dirs = vec![LogDir { path: String::new(), total_bytes: total, usable_bytes: usable, offline }];
}

/// The cluster after a plan was carried out: its moves stand at their end, each led by its preferred leader and in sync.
pub(super) fn carried_out(cluster: &Cluster, plan: &Plan) -> Result<Cluster, BadCluster> {
    const NONE: u32 = u32::MAX;
    let mut moves = vec![NONE; cluster.partition_count()];
    let firsts: Vec<Option<u32>> =
        plan.topics.iter().map(|topic| cluster.topic(&topic.name).map(|topic| topic.first)).collect();
    for (at, m) in plan.moves.iter().enumerate() {
        if let Some(first) = firsts[m.topic as usize] {
            moves[(first + m.partition as u32) as usize] = at as u32;
        }
    }
    rebuild(
        cluster,
        cluster.brokers.clone(),
        |topic| topic.partitions,
        |topic, number, row| {
            let index = topic.first + number;
            let p = cluster.partition_in(topic, number);
            row.copy(cluster, p);
            let at = moves[index as usize];
            if at == NONE {
                return;
            }
            let m = plan.moves.get(at as usize);
            let size = |id: &BrokerId| {
                let held = row.replicas.iter().position(|old| old == id).map(|at| row.sizes[at]);
                held.unwrap_or(m.bytes.unwrap_or(UNKNOWN_SIZE))
            };
            let sizes = m.to.iter().map(size).collect();
            row.sizes = sizes;
            row.replicas.clear();
            row.replicas.extend_from_slice(m.to);
            let serves = |id: &&BrokerId| cluster.broker(**id).is_some_and(Broker::serves);
            row.isr.clear();
            row.isr.extend(row.replicas.iter().filter(serves));
            row.leader = row.isr.first().copied();
        },
    )
}
