//! Puts what the brokers told into the planner's columns.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::{
    Broker, BrokerId, ClusterBuilder, LogDir, PartitionRow, Topic, TopicPartition, UNKNOWN_DIR, UNKNOWN_SIZE,
    Unseen,
};

use super::{Snapshot, SnapshotOptions, Told, Warning};
use crate::Error;
use crate::read::{LogDirView, LogReplica, TopicView};

/// KRaft's own log. A broker that is also a controller has it, and no metadata shows it.
const METADATA_LOG: &str = "__cluster_metadata";

pub(super) fn assemble(
    cluster_id: &str,
    mut told: Told,
    answered: &[BrokerId],
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    let impossible = |source| Error::Impossible { source };
    leave_out(&mut told);
    let mut shelves: BTreeMap<BrokerId, Shelf<'_>> =
        told.dirs.iter().map(|(id, d)| (*id, Shelf::of(d))).collect();
    let (brokers, warnings) = brokers(&told, answered);
    let mut build = ClusterBuilder::new(cluster_id, brokers).map_err(impossible)?;
    for view in &told.topics {
        let settings = told.settings.topics.remove(&view.name).unwrap_or_default();
        build
            .topic(Topic {
                name: view.name.clone(),
                id: view.id,
                internal: view.internal,
                min_isr: settings.min_isr,
                remote_storage: settings.remote_storage,
                throttled_leaders: settings.throttled_leaders,
                throttled_followers: settings.throttled_followers,
                ..Topic::default()
            })
            .map_err(impossible)?;
        for p in &view.partitions {
            let (sizes, dirs): (Vec<u64>, Vec<u8>) = p
                .replicas
                .iter()
                .map(|id| shelves.get_mut(id).and_then(|shelf| shelf.find(&view.name, p.partition)))
                .map(|found| found.unwrap_or((UNKNOWN_SIZE, UNKNOWN_DIR)))
                .unzip();
            let moving = told.moving.get(&TopicPartition::new(&*view.name, p.partition));
            let row = PartitionRow {
                replicas: &p.replicas,
                leader: p.leader,
                isr: &p.isr,
                adding: moving.map_or(&[], |one| &one.adding),
                removing: moving.map_or(&[], |one| &one.removing),
                sizes: &sizes,
                dirs: &dirs,
                write_rate: None,
                read_rate: None,
                request_rate: None,
            };
            build.partition(&row).map_err(impossible)?;
        }
    }
    let cluster = build.finish(options.taken_at.clone(), std::mem::take(&mut told.settings.differences));
    told.warnings.extend(warnings);
    Ok(Snapshot { cluster, warnings: told.warnings })
}

/// Drops topics that metadata does not tell whole, with a warning for each.
fn leave_out(told: &mut Told) {
    let reason = |topic: &TopicView| {
        let gap = topic.partitions.iter().zip(0..).find(|(p, n)| p.partition != *n);
        let none = topic.partitions.iter().find(|p| p.replicas.is_empty());
        match (topic.error, gap, none) {
            (Some(code), ..) => Some(code.to_string()),
            (_, Some((_, missing)), _) => Some(format!("partition {missing} is missing")),
            (.., Some(p)) => Some(format!("partition {} has no replicas", p.partition)),
            _ => None,
        }
    };
    let warnings = &mut told.warnings;
    told.topics.retain(|topic| {
        let reason = reason(topic);
        warnings.extend(
            reason
                .iter()
                .map(|reason| Warning::LeftOut { topic: topic.name.clone(), reason: reason.clone() }),
        );
        reason.is_none()
    });
}

/// All brokers that the cluster lists or replica lists name.
fn brokers(told: &Told, answered: &[BrokerId]) -> (Vec<Broker>, Vec<Warning>) {
    let partitions = told.topics.iter().flat_map(|topic| &topic.partitions);
    let mut ids: BTreeSet<BrokerId> = partitions.flat_map(|p| p.replicas.iter().copied()).collect();
    ids.extend(told.brokers.keys());
    let names: BTreeSet<&str> = told.topics.iter().map(|topic| topic.name.as_str()).collect();
    let mut warnings = Vec::new();
    let mut list = Vec::with_capacity(ids.len());
    for id in ids {
        let view = told.brokers.get(&id);
        let own = told.settings.brokers.get(&id);
        let dirs = told.dirs.get(&id).map(Vec::as_slice).unwrap_or_default();
        let unseen = unseen(dirs, &names);
        if view.is_none() {
            warnings.push(Warning::Unlisted { broker: id });
        }
        if let Some(first) = unseen.first() {
            warnings.push(Warning::Unseen { broker: id, count: unseen.len(), first: first.topic.clone() });
        }
        list.push(Broker {
            id,
            rack: view.and_then(|v| v.rack.clone()),
            zone: view.and_then(|v| v.rack.clone()),
            host: view.map(|v| v.host.clone()).unwrap_or_default(),
            port: view.map(|v| v.port).unwrap_or_default(),
            fenced: view.and_then(|v| v.fenced),
            answered: answered.contains(&id),
            listeners: own.and_then(|own| own.listeners.clone()),
            log_dirs: dirs.iter().map(log_dir).collect(),
            rates: own.map(|own| own.rates.clone()).unwrap_or_default(),
            sockets: own.and_then(|own| own.sockets),
            unseen,
            node: None,
        });
    }
    (list, warnings)
}

fn log_dir(from: &LogDirView) -> LogDir {
    LogDir {
        path: from.path.clone(),
        total_bytes: from.total,
        usable_bytes: from.usable,
        offline: from.error.is_some(),
    }
}

fn unseen(dirs: &[LogDirView], names: &BTreeSet<&str>) -> Vec<Unseen> {
    let mut counts = BTreeMap::<&str, u32>::new();
    for replica in dirs.iter().flat_map(|dir| &dir.replicas) {
        let topic = &*replica.topic;
        if !replica.future && topic != METADATA_LOG && !names.contains(topic) {
            *counts.entry(topic).or_default() += 1;
        }
    }
    counts.into_iter().map(|(topic, replicas)| Unseen { topic: topic.to_owned(), replicas }).collect()
}

/// The replicas of one broker, ordered as partitions are asked for.
struct Shelf<'a> {
    replicas: Vec<(&'a LogReplica, u8)>,
    next: usize,
}

impl<'a> Shelf<'a> {
    fn of(dirs: &'a [LogDirView]) -> Self {
        let mut replicas = Vec::new();
        for (at, dir) in dirs.iter().enumerate() {
            let at = u8::try_from(at).unwrap_or(UNKNOWN_DIR);
            replicas.extend(dir.replicas.iter().filter(|r| !r.future).map(|r| (r, at)));
        }
        replicas.sort_unstable();
        Shelf { replicas, next: 0 }
    }

    /// Size and directory of a replica. Asked for in order of topic and partition.
    fn find(&mut self, topic: &str, partition: i32) -> Option<(u64, u8)> {
        let key = |at: usize| self.replicas.get(at).map(|(r, _)| (&*r.topic, r.partition));
        let mut at = self.next;
        while key(at).is_some_and(|key| key < (topic, partition)) {
            at += 1;
        }
        let found = key(at) == Some((topic, partition));
        self.next = at;
        found.then(|| (self.replicas[at].0.size, self.replicas[at].1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use restow_planner::model::{ConfigSource, TopicId};

    use super::*;
    use crate::Code;
    use crate::read::{BrokerView, PartitionView, Reassignment};

    fn dir(path: &str, replicas: &[(&str, i32, u64, bool)]) -> LogDirView {
        let replica = |(topic, partition, size, future): &(&str, i32, u64, bool)| LogReplica {
            topic: Arc::from(*topic),
            partition: *partition,
            size: *size,
            future: *future,
        };
        LogDirView {
            path: path.into(),
            error: None,
            total: Some(100),
            usable: None,
            cordoned: None,
            replicas: replicas.iter().map(replica).collect(),
        }
    }

    fn view(name: &str, lists: &[&[i32]]) -> TopicView {
        let partition = |(list, n): (&&[i32], i32)| PartitionView {
            partition: n,
            leader: Some(BrokerId(list[0])),
            leader_epoch: 0,
            replicas: list.iter().map(|id| BrokerId(*id)).collect(),
            isr: vec![BrokerId(list[0])],
            offline: vec![],
            error: None,
        };
        let partitions = lists.iter().zip(0..).map(partition).collect();
        TopicView { name: name.into(), id: TopicId::ZERO, internal: false, error: None, partitions }
    }

    fn broker(id: i32) -> (BrokerId, BrokerView) {
        let id = BrokerId(id);
        (id, BrokerView { id, host: "h".into(), port: 9, rack: Some("a".into()), fenced: Some(false) })
    }

    #[test]
    fn what_is_told_lands_in_its_column_and_the_rest_stays_unknown() {
        let mut told = Told {
            brokers: [broker(1), broker(2)].into(),
            topics: vec![view("a", &[&[1, 2], &[2, 9]]), view("b", &[&[1]])],
            ..Told::default()
        };
        let mut gap = view("c", &[&[1], &[1]]);
        gap.partitions.remove(0);
        let gone = TopicView { error: Some(Code::UNKNOWN_TOPIC_OR_PARTITION), ..view("d", &[]) };
        told.topics.extend([gap, gone]);
        let one = [("b", 0, 7, false), ("a", 0, 5, true), ("secret", 0, 1, false), ("secret", 1, 1, false)];
        let two = [("__cluster_metadata", 0, 3, false), ("a", 0, 6, false)];
        told.dirs.insert(BrokerId(1), vec![dir("/a", &one), dir("/b", &two)]);
        let moving = Reassignment {
            topic: "a".into(),
            partition: 1,
            replicas: vec![BrokerId(2), BrokerId(9)],
            adding: vec![BrokerId(9)],
            removing: vec![],
        };
        told.moving.insert(TopicPartition::new("a", 1), moving);
        let options = SnapshotOptions { taken_at: "now".into(), ..SnapshotOptions::default() };
        let Snapshot { cluster, warnings } = assemble("c", told, &[BrokerId(1)], &options).unwrap();
        let a0 = cluster.find("a", 0).unwrap();
        assert_eq!((a0.sizes, a0.dirs), (&[6, UNKNOWN_SIZE][..], &[1, UNKNOWN_DIR][..]));
        assert_eq!(cluster.find("b", 0).unwrap().sizes, [7]);
        assert_eq!(cluster.in_flight[&1].adding, [BrokerId(9)]);
        let answered: Vec<_> = cluster.brokers.iter().map(|b| (b.id.0, b.answered, b.fenced)).collect();
        assert_eq!(answered, [(1, true, Some(false)), (2, false, Some(false)), (9, false, None)]);
        assert_eq!(cluster.brokers[0].unseen, [Unseen { topic: "secret".into(), replicas: 2 }]);
        assert_eq!(cluster.taken_at, "now");
        assert!(
            cluster.topics.iter().all(|t| t.min_isr.is_none_or(|(_, from)| from == ConfigSource::Default))
        );
        let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "topic c is left out: partition 0 is missing",
                "topic d is left out: UNKNOWN_TOPIC_OR_PARTITION(3)",
                "broker 1 holds topics that metadata does not show (1 in all): secret",
                "broker 9 holds replicas but is not listed by the cluster, everything else about it is unknown",
            ]
        );
    }
}
