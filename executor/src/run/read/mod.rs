//! One look at the cluster, in the order that the guards rely on: metadata, then the reassignment list, then
//! each leader's high watermark, then each replica's own log end.

mod configs;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use restow_client::read::{self, OffsetQuery, Replica, Resource, TopicView};
use restow_client::{Client, Error};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_planner::plan::{Pacing, Plan};
use tokio::time::{Instant, timeout, timeout_at};

use crate::drive::{Answers, Dir, Far, Probe, Reads};

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
        witness::compare(client, plan, reads, &names, &mut answers).await;
    }
    answers.reassignments = read::reassignments(client).await?;
    if let Some(far) = answers.far.as_mut().filter(|_| plan.pacing == Pacing::Pipelined) {
        // After that list: what is not in it any more is whole on the disks.
        far.dirs = dirs(client, plan, reads).await;
    }
    // One broker that neither answers nor refuses must not make the view of all others too old to act on.
    let end = Instant::now() + PATIENCE;
    probe(client, plan, reads, end, &mut answers).await;
    configs::read(client, plan, reads, end, &mut answers).await;
    ping(client, reads, end, &mut answers).await;
    Ok(answers)
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
    let dirs = match plan.pacing {
        Pacing::Staged => dirs(client, plan, reads).await,
        Pacing::Pipelined => BTreeMap::new(),
    };
    Ok(Far { cluster, topics, min_isr, dirs })
}

/// Log directories of the brokers that get copies; one that does not answer is left out. In a staged run without what
/// is in them; in a pipelined one with our copies under way, and where replicas are counted with all.
async fn dirs(client: &Client, plan: &Plan, reads: &Reads) -> BTreeMap<BrokerId, Vec<Dir>> {
    let mut copies: BTreeMap<TopicPartition, u32> = BTreeMap::new();
    if plan.pacing == Pacing::Pipelined {
        let name = |at: &u32| (plan.partition_of(&plan.moves.get(*at as usize)), *at);
        copies.extend(reads.probe.iter().map(name));
    }
    let copies = &copies;
    let ask = |id: BrokerId| async move {
        let gets = |at: &u32| plan.moves.get(*at as usize).to.contains(&id);
        let of: Vec<TopicPartition> =
            copies.iter().filter(|(_, at)| gets(at)).map(|(partition, _)| partition.clone()).collect();
        let of = (!reads.counted.contains(&id)).then_some(&of[..]);
        (id, timeout(PATIENCE, read::log_dirs_of(client, id, of)).await)
    };
    let dir = |dir: read::LogDirView, is_counted: bool| Dir {
        path: dir.path,
        offline: dir.error.is_some(),
        space: dir.total.zip(dir.usable),
        replicas: is_counted.then_some(dir.replicas.len() as u32),
        copies: sizes_of(copies, &dir.replicas),
    };
    let told = join_all(reads.disks.iter().copied().map(ask)).await.into_iter();
    let told = told.filter_map(|(id, told)| {
        let is_counted = reads.counted.contains(&id);
        Some((id, told.ok()?.ok()?.into_iter().map(|one| dir(one, is_counted)).collect()))
    });
    told.collect()
}

/// Bytes of the moves among the replicas of a log directory; the future copies of moves between directories are none.
fn sizes_of<C: FromIterator<(u32, u64)>>(
    moves: &BTreeMap<TopicPartition, u32>,
    replicas: &[read::LogReplica],
) -> C {
    let size = |held: &read::LogReplica| {
        let partition = TopicPartition::new(&*held.topic, held.partition);
        Some((*moves.get(&partition).filter(|_| !held.future)?, held.size))
    };
    replicas.iter().filter_map(size).collect()
}

/// What is asked of one broker about one partition.
struct Question {
    at: u32,
    query: OffsetQuery,
}

async fn probe(client: &Client, plan: &Plan, reads: &Reads, end: Instant, answers: &mut Answers) {
    let mut leaders: BTreeMap<BrokerId, Vec<Question>> = BTreeMap::new();
    let mut replicas: BTreeMap<BrokerId, Vec<Question>> = BTreeMap::new();
    let mut held: BTreeMap<BrokerId, BTreeMap<TopicPartition, u32>> = BTreeMap::new();
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
            if reads.sizes.contains(at) {
                held.entry(leader).or_default().insert(plan.partition_of(&m), *at);
            }
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
    for (at, bytes) in sizes(client, held, end).await {
        answers.probes.entry(at).or_default().bytes = Some(bytes);
    }
}

/// Bytes that leaders hold of partitions; of one that does not tell, nothing is known.
async fn sizes(
    client: &Client,
    held: BTreeMap<BrokerId, BTreeMap<TopicPartition, u32>>,
    end: Instant,
) -> Vec<(u32, u64)> {
    let asks = held.into_iter().map(|(leader, partitions)| async move {
        let of: Vec<TopicPartition> = partitions.keys().cloned().collect();
        let told = timeout_at(end, read::log_dirs_of(client, leader, Some(&of))).await;
        let dirs = told.into_iter().flatten().flatten();
        dirs.flat_map(|dir| sizes_of::<Vec<_>>(&partitions, &dir.replicas)).collect::<Vec<_>>()
    });
    join_all(asks).await.concat()
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
