//! One look at the cluster, in the order that the guards rely on: metadata, then the reassignment list, then
//! each leader's high watermark, then each replica's own log end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use restow_client::read::{self, ConfigSource, OffsetQuery, Replica, Resource, TopicView};
use restow_client::{Client, Code, Error};
use restow_planner::model::BrokerId;
use restow_planner::plan::Plan;
use tokio::time::{Instant, timeout, timeout_at};

use crate::drive::{Answers, Dir, Far, Probe, Reads};
use crate::journal::ConfigKey;

/// How long a look waits for single brokers, all questions to them together; the view is fresh for 2 s.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Topics in one DescribeConfigs request.
const TOPICS: usize = 500;

/// Looks.
///
/// # Errors
/// If metadata or the reassignment list cannot be read; a silent broker is no error but a finding.
pub(super) async fn look(client: &Client, plan: &Plan, reads: &Reads) -> Result<Answers, Error> {
    let mut answers = Answers::default();
    if reads.far {
        answers.far = Some(far(client, plan, reads).await?);
    }
    if !reads.topics.is_empty() {
        let names: Vec<String> = reads.topics.iter().cloned().collect();
        answers.topics = read::topics(client, Some(&names)).await?;
        if let Some(witness) = witness(client, reads, &answers) {
            compare(client, witness, &names, &mut answers).await;
        }
    }
    answers.reassignments = read::reassignments(client).await?;
    // One broker that neither answers nor refuses must not make the view of all others too old to act on.
    let end = Instant::now() + PATIENCE;
    probe(client, plan, reads, end, &mut answers).await;
    configs(client, reads, end, &mut answers).await;
    ping(client, reads, end, &mut answers).await;
    Ok(answers)
}

/// Another broker than the one that is read from. A broker that is cut off from the controller answers as ever, with
/// what it last heard.
fn witness(client: &Client, reads: &Reads, answers: &Answers) -> Option<BrokerId> {
    let is_silent = |id: &BrokerId| reads.silent.contains(id) || answers.silent.contains(id);
    client.readers().into_iter().skip(1).find(|id| !is_silent(id))
}

/// Asks a witness for the same topics. Where the two do not agree, or the witness is silent, nothing is known.
async fn compare(client: &Client, witness: BrokerId, names: &[String], answers: &mut Answers) {
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

async fn far(client: &Client, plan: &Plan, reads: &Reads) -> Result<Far, Error> {
    let cluster = read::cluster(client).await?;
    let topics = read::topics(client, None).await?;
    let shown: BTreeSet<&str> = topics.iter().map(|t| t.name.as_str()).collect();
    let names: Vec<&str> =
        plan.topics.iter().map(|t| t.name.as_str()).filter(|n| shown.contains(n)).collect();
    let mut min_isr = BTreeMap::new();
    for names in names.chunks(TOPICS) {
        let resources: Vec<Resource> = names.iter().map(|name| Resource::Topic((*name).to_owned())).collect();
        for (resource, answer) in
            read::configs(client, None, &resources, Some(&["min.insync.replicas"])).await?
        {
            let value = answer.ok().and_then(|entries| entries.first().and_then(|e| e.value.clone()));
            if let (Resource::Topic(name), Some(value)) = (resource, value.and_then(|v| v.parse().ok())) {
                min_isr.insert(name, value);
            }
        }
    }
    Ok(Far { cluster, topics, min_isr, dirs: dirs(client, &reads.disks).await })
}

/// Log directories without what is in them; a broker that does not answer is left out.
async fn dirs(client: &Client, brokers: &BTreeSet<BrokerId>) -> BTreeMap<BrokerId, Vec<Dir>> {
    let asks = brokers
        .iter()
        .map(|id| async move { (*id, timeout(PATIENCE, read::log_dirs_of(client, *id, Some(&[]))).await) });
    let dir = |dir: read::LogDirView| Dir {
        path: dir.path,
        offline: dir.error.is_some(),
        space: dir.total.zip(dir.usable),
    };
    let told = join_all(asks).await.into_iter();
    told.filter_map(|(id, told)| Some((id, told.ok()?.ok()?.into_iter().map(dir).collect()))).collect()
}

/// What is asked of one broker about one partition.
struct Question {
    at: u32,
    query: OffsetQuery,
}

async fn probe(client: &Client, plan: &Plan, reads: &Reads, end: Instant, answers: &mut Answers) {
    let mut leaders: BTreeMap<BrokerId, Vec<Question>> = BTreeMap::new();
    let mut replicas: BTreeMap<BrokerId, Vec<Question>> = BTreeMap::new();
    for at in &reads.probe {
        let m = plan.moves.get(*at as usize);
        let name = &plan.topic_of(&m).name;
        let Some(p) = find(&answers.topics, name, m.partition) else { continue };
        let question = |leader_epoch| Question {
            at: *at,
            query: OffsetQuery { topic: name.clone(), partition: m.partition, leader_epoch },
        };
        answers.probes.insert(*at, Probe::default());
        if let Some(leader) = p.leader.filter(|id| !reads.skip.contains(id)) {
            leaders.entry(leader).or_default().push(question(p.leader_epoch));
        }
        for id in p.replicas.iter().filter(|id| !reads.skip.contains(id)) {
            replicas.entry(*id).or_default().push(question(p.leader_epoch));
        }
    }
    for (_, at, offset) in ask(client, Replica::Leader, leaders, end, answers).await {
        answers.probes.entry(at).or_default().high_watermark = Some(offset);
    }
    for (broker, at, offset) in ask(client, Replica::Local, replicas, end, answers).await {
        answers.probes.entry(at).or_default().log_end.insert(broker, offset);
    }
}

fn find<'a>(
    topics: &'a [TopicView],
    name: &str,
    partition: i32,
) -> Option<&'a restow_client::read::PartitionView> {
    let topic = &topics[topics.binary_search_by(|t| t.name.as_str().cmp(name)).ok()?];
    topic.partitions.binary_search_by_key(&partition, |p| p.partition).ok().map(|at| &topic.partitions[at])
}

/// Asks all brokers at once; answers come as broker, move, offset.
async fn ask(
    client: &Client,
    replica: Replica,
    questions: BTreeMap<BrokerId, Vec<Question>>,
    end: Instant,
    answers: &mut Answers,
) -> Vec<(BrokerId, u32, i64)> {
    let silent = answers.silent.clone();
    let questions = questions.into_iter().filter(|(broker, _)| !silent.contains(broker));
    let asks = questions.map(|(broker, questions)| async move {
        let (moves, queries): (Vec<u32>, Vec<OffsetQuery>) =
            questions.into_iter().map(|q| (q.at, q.query)).unzip();
        (broker, moves, timeout_at(end, read::end_offsets(client, broker, replica, &queries)).await)
    });
    let mut told = Vec::new();
    for (broker, moves, offsets) in join_all(asks).await {
        match offsets {
            Ok(Ok(offsets)) => {
                answers.answered.insert(broker);
                let offsets = moves.into_iter().zip(offsets);
                told.extend(
                    offsets.filter_map(|(at, offset)| offset.ok().map(|offset| (broker, at, offset))),
                );
            }
            _ => {
                answers.silent.insert(broker);
            }
        }
    }
    told
}

async fn configs(client: &Client, reads: &Reads, end: Instant, answers: &mut Answers) {
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
    let lists = [crate::drive::LEADER_LIST, crate::drive::FOLLOWER_LIST, crate::drive::MIN_ISR];
    let topics: Vec<Resource> = topics.into_iter().cloned().collect();
    for resources in topics.chunks(TOPICS) {
        let (mut ours, mut theirs) = (Answers::default(), Answers::default());
        let Ok(told) = read::configs(client, None, resources, Some(&lists)).await else { continue };
        learn_configs(told, &lists, ConfigSource::Topic, &mut ours);
        if let Some(witness) = witness(client, reads, answers) {
            if let Ok(Ok(told)) =
                timeout_at(end, read::configs(client, Some(witness), resources, Some(&lists))).await
            {
                learn_configs(told, &lists, ConfigSource::Topic, &mut theirs);
            }
            ours.configs.retain(|key, value| theirs.configs.get(key) == Some(value));
        }
        answers.configs.extend(ours.configs);
        answers.gone.extend(ours.gone);
    }
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
    told: Vec<(Resource, restow_client::read::ConfigAnswer)>,
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

async fn ping(client: &Client, reads: &Reads, end: Instant, answers: &mut Answers) {
    let known = |id: &&BrokerId| !answers.answered.contains(id) && !answers.silent.contains(id);
    let asks = reads.ping.iter().filter(known);
    let asks = asks.map(|id| async move { (*id, timeout_at(end, read::ping(client, *id)).await) });
    for (id, answer) in join_all(asks).await {
        match answer {
            Ok(Ok(())) => answers.answered.insert(id),
            _ => answers.silent.insert(id),
        };
    }
}

#[cfg(test)]
mod tests {
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
