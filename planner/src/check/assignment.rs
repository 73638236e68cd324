//! The judgement of what other tools write: lists that are reached in one step.

use super::book::Book;
use super::config::Configs;
use super::safety::Zones;
use super::shape::{self, Lists};
use super::weight::Weights;
use super::{Promise, Verdict, live};
use crate::model::{BrokerId, Cluster, TopicPartition};

/// See [`super::judge_assignment`].
pub(super) fn judge(cluster: &Cluster, assignment: &[(TopicPartition, Vec<BrokerId>)]) -> Verdict {
    let mut verdict = Verdict::default();
    let book = Book::of_cluster(cluster);
    let mut seen = vec![false; cluster.partition_count()];
    let mut zones = Zones::new(&book);
    let mut lists = Lists::default();
    let mut weights = Weights::of_cluster(&book, cluster);
    let mut configs = Configs::new(cluster);
    for (partition, to) in assignment {
        verdict.partitions += 1;
        verdict.lists += 1;
        let before = verdict.findings.len();
        if let Err(wrong) = shape::replica_list(to) {
            let message = format!("{wrong}: {}", crate::model::replicas::show(to));
            verdict.add(Promise::P1, Some(partition.clone()), None, message);
        }
        lists.to.clear();
        for id in to {
            match book.at(*id) {
                Some(at) => lists.to.push(at),
                None => {
                    let message = "stands in the list and is no broker of this cluster".into();
                    verdict.add(Promise::Cluster, Some(partition.clone()), Some(*id), message);
                }
            }
        }
        let p = cluster.find(&partition.topic, partition.partition);
        match &p {
            None => {
                let message = match cluster.topic(&partition.topic) {
                    None => "the cluster has no such topic".into(),
                    Some(topic) => format!("the topic has {} partitions only", topic.partitions),
                };
                verdict.add(Promise::Cluster, Some(partition.clone()), None, message);
            }
            Some(p) if std::mem::replace(&mut seen[p.index as usize], true) => {
                verdict.add(Promise::P2, Some(partition.clone()), None, "the partition stands twice".into());
            }
            Some(_) => {}
        }
        let Some(p) = p.filter(|_| verdict.findings.len() == before) else { continue };
        let topic = cluster.topic_of(p.index);
        lists.from.clear();
        lists.from.extend(p.replicas.iter().map(|broker| book.of_cluster[*broker as usize]));
        lists.kept.clone_from(&lists.from);
        if lists.from == lists.to {
            continue;
        }
        lists.derive();

        zones.allow(&book, &topic.zones);
        let mut say = |promise, message| verdict.add(promise, Some(partition.clone()), None, message);
        judge_spread(&book, &mut zones, &lists, &mut say);
        let min_isr = topic.min_isr.map(|(min_isr, _)| min_isr);
        let floor = lists.from.len().min(min_isr.unwrap_or(0) as usize);
        if lists.to.len() < floor {
            let (has, shown) = (lists.to.len(), book.show(&lists.to));
            say(
                Promise::P4,
                format!("{shown} has {has} replicas, and min ISR with {floor} of them was met before"),
            );
        }
        // While copies are added, the broker counts old and new replicas together.
        if let Some(message) = live::blocks_writes(lists.from.len(), !lists.added.is_empty(), min_isr) {
            say(Promise::Ready, message);
        }
        if let Some(moving) = cluster.in_flight.get(&p.index) {
            say(Promise::Ready, live::in_flight_message(moving));
        }
        if p.leader.is_none() {
            say(Promise::Ready, "it is offline (no leader): bring one of its replicas back first".into());
        }
        weights.add(&book, &lists, p.copy_bytes(), Some(p));
        if let Ok(index) = cluster.topics.binary_search_by(|other| other.name.cmp(&topic.name)) {
            configs.add(index, p.number, &lists.from, &lists.removed, &lists.added);
        }
    }
    weights.judge_room(&book, crate::plan::Pacing::Staged, Some(cluster), &mut verdict);
    live::destinations(&configs, &book, cluster, &mut verdict);
    configs.judge(&book, cluster, &[], &mut verdict);
    verdict
}

/// No fewer zones than the list could keep, and replicas per zone even, or no less even than now.
fn judge_spread(book: &Book<'_>, zones: &mut Zones, lists: &Lists, say: &mut impl FnMut(Promise, String)) {
    if !zones.judged() {
        return;
    }
    let (start, end) = (zones.shape(book, &lists.from), zones.shape(book, &lists.to));
    let floor = start.zones.min(lists.to.len());
    let (from, to) = (book.show_zones(&lists.from), book.show_zones(&lists.to));
    if end.outside > start.outside {
        say(
            Promise::P3,
            format!("{to} has more replicas in zones that its topic must not be in than {from}"),
        );
    } else if end.zones < floor {
        let has = end.zones;
        say(Promise::P3, format!("{to} lies in {has} zones, where {from} could keep {floor}"));
    } else if end.uneven > 1 && end.uneven > start.uneven {
        say(
            Promise::P3,
            format!("{to} is less even than {from}: replicas per zone may differ by one at most"),
        );
    }
}
