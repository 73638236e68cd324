//! What one broker shows is held against what another one shows (promise E2).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use restow_client::Client;
use restow_client::read::{self, TopicView};
use restow_planner::model::BrokerId;
use restow_planner::plan::Plan;
use tokio::time::{Instant, timeout, timeout_at};

use super::PATIENCE;
use crate::drive::{Answers, Reads};

/// Whom to compare with the broker that is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Witness {
    Broker(BrokerId),
    /// There are others, and none of them replies.
    Silent,
    /// The cluster has one broker.
    None,
}

/// A broker that is cut off from the controller answers as ever, with what it last heard. A zone is cut off as a
/// whole: where it can, the witness stands in another rack.
pub(super) fn witness(client: &Client, plan: &Plan, reads: &Reads, answers: &Answers) -> Witness {
    let readers = client.readers();
    let Some((reader, others)) = readers.split_first() else { return Witness::None };
    let rack = |id: &BrokerId| plan.broker(*id).and_then(|b| b.rack.as_ref());
    let near = rack(reader);
    let is_silent = |id: &BrokerId| reads.silent.contains(id) || answers.silent.contains(id);
    let first = others.iter().filter(|id| !is_silent(id)).min_by_key(|id| rack(id) == near);
    match first {
        Some(id) => Witness::Broker(*id),
        None if others.is_empty() => Witness::None,
        None => Witness::Silent,
    }
}

/// Asks a witness for the same topics. Where the two do not agree, or the witness is silent, nothing is known.
pub(super) async fn compare(
    client: &Client,
    plan: &Plan,
    reads: &Reads,
    names: &[String],
    answers: &mut Answers,
) {
    let witness = match witness(client, plan, reads, answers) {
        Witness::Broker(id) => id,
        Witness::Silent => {
            answers.doubtful = differences(&answers.topics, &[]);
            return;
        }
        Witness::None => return,
    };
    match timeout(PATIENCE, read::topics_at(client, witness, names)).await {
        Ok(Ok(told)) => {
            answers.doubtful = differences(&answers.topics, &told);
            if !answers.doubtful.is_empty() {
                // One of the two is behind, it may be for long: the next look compares with a third.
                client.read_from(witness);
            }
        }
        _ => {
            answers.silent.insert(witness);
            answers.doubtful = differences(&answers.topics, &[]);
        }
    }
}

/// Partitions that two brokers do not show alike.
fn differences(ours: &[TopicView], theirs: &[TopicView]) -> BTreeMap<String, BTreeSet<i32>> {
    let mut found = BTreeMap::new();
    for topic in ours {
        let other = theirs.binary_search_by(|other| other.name.cmp(&topic.name)).ok().map(|at| &theirs[at]);
        let is_same = other.is_some_and(|other| (other.id, other.error) == (topic.id, topic.error));
        let (a, b) = (shown(topic), other.map(shown).unwrap_or_default());
        let differs = |number: &i32| !is_same || a.get(number) != b.get(number);
        let partitions: BTreeSet<i32> = a.keys().chain(b.keys()).copied().filter(differs).collect();
        if !partitions.is_empty() {
            found.insert(topic.name.clone(), partitions);
        }
    }
    found
}

/// What guards rely on, by partition: leader, epoch, replicas, ISR.
type Shown<'a> = BTreeMap<i32, (Option<BrokerId>, i32, &'a [BrokerId], BTreeSet<BrokerId>)>;

fn shown(topic: &TopicView) -> Shown<'_> {
    let all = topic.partitions.iter();
    all.map(|p| {
        let isr = p.isr.iter().copied().collect();
        (p.partition, (p.leader, p.leader_epoch, &p.replicas[..], isr))
    })
    .collect()
}

/// Brokers that the one that is read from and its witness both show in service; `None` where one did not tell.
pub(super) async fn in_service(
    client: &Client,
    witness: Witness,
    end: Instant,
) -> Option<BTreeSet<BrokerId>> {
    let witness = match witness {
        Witness::Broker(id) => Some(id),
        Witness::Silent => return None,
        Witness::None => None,
    };
    let asked = client.readers().into_iter().take(1).chain(witness);
    let told = join_all(asked.map(|id| timeout_at(end, read::brokers_at(client, id)))).await;
    let sets: Option<Vec<_>> = told.into_iter().map(|told| told.ok()?.ok()).collect();
    sets?.into_iter().reduce(|a, b| a.intersection(&b).copied().collect())
}

#[cfg(test)]
mod tests {
    use restow_client::Code;
    use restow_client::read::PartitionView;
    use restow_planner::model::TopicId;

    use super::*;

    fn topic(isr: [&[i32]; 2], error: Option<Code>) -> TopicView {
        let ids = |list: &[i32]| list.iter().map(|id| BrokerId(*id)).collect::<Vec<_>>();
        let partition = |n: usize| PartitionView {
            partition: n as i32,
            leader: Some(BrokerId(1)),
            leader_epoch: 0,
            replicas: ids(&[1, 2, 3]),
            isr: ids(isr[n]),
            offline: vec![],
            error: None,
        };
        let partitions = vec![partition(0), partition(1)];
        TopicView { name: "t".into(), id: TopicId([1; 16]), internal: false, error, partitions }
    }

    #[test]
    fn e2_what_two_brokers_show_differently_is_doubtful() {
        let ours = [topic([&[1, 2], &[1, 2, 3]], None)];
        let doubtful = |theirs: &[TopicView]| differences(&ours, theirs);
        assert!(doubtful(&[topic([&[2, 1], &[3, 2, 1]], None)]).is_empty(), "an ISR has no order");
        let one = doubtful(&[topic([&[1, 2, 3], &[1, 2, 3]], None)]);
        assert_eq!(one["t"], BTreeSet::from([0]));
        let gone = topic([&[1, 2], &[1, 2, 3]], Some(Code::UNKNOWN_TOPIC_OR_PARTITION));
        for all in [vec![gone], vec![]] {
            assert_eq!(doubtful(&all)["t"], BTreeSet::from([0, 1]));
        }
    }
}
