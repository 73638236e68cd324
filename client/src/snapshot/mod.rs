//! A whole cluster, as it stands now, in the planner's columns.
//!
//! Nothing is guessed: what a broker does not tell stays unknown and is named in a [`Warning`].

mod assemble;
mod rates;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use restow_planner::model::{BrokerId, Cluster, TopicPartition};
use tokio::time::sleep;

use crate::read::{self, BrokerView, LogDirView, PartitionView, Reassignment, TopicView};
use crate::{Client, Code, Error};

pub use rates::sample;

/// How often metadata and the reassignment list are read until they agree.
const ROUNDS: u32 = 3;
/// Between two of those. KRaft brokers lag by up to 220 ms (measured).
const SETTLE: Duration = Duration::from_millis(300);

/// How a snapshot is taken.
#[derive(Debug, Clone)]
pub struct SnapshotOptions {
    /// The time that the snapshot will carry (RFC 3339): clocks are read elsewhere.
    pub taken_at: String,
    /// How many brokers are asked at once.
    pub parallel: usize,
    /// How long to watch logs grow, to know what producers write; none leaves write rates unknown.
    pub sample: Option<Duration>,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        SnapshotOptions { taken_at: String::new(), parallel: 16, sample: None }
    }
}

/// A cluster, and what is missing in it.
#[derive(Debug)]
pub struct Snapshot {
    /// The cluster.
    pub cluster: Cluster,
    /// What could not be learned, ordered by what it is about.
    pub warnings: Vec<Warning>,
}

/// How far a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub step: Step,
    /// Brokers that are done with it.
    pub done: usize,
    /// Brokers in all.
    pub total: usize,
}

/// A part of taking a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Brokers, topics, in-flight reassignments: asked of one broker.
    Metadata,
    /// Log directories with the sizes of all replicas, and the brokers' own settings.
    LogDirs,
    /// Topic configs, and where brokers differ in them.
    Configs,
    /// How fast logs grow.
    Rates,
}

/// Something that a snapshot does not know.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Warning {
    /// A broker did not answer: its sizes, directories and settings are unknown.
    #[error("broker {broker} did not answer, its sizes are unknown: {error}")]
    Silent {
        /// The broker.
        broker: BrokerId,
        /// The last attempt.
        error: Error,
    },
    /// A broker answers, but does not tell one thing.
    #[error("broker {broker} does not tell its {what}: {error}")]
    Withheld {
        /// The broker.
        broker: BrokerId,
        /// What it does not tell.
        what: &'static str,
        /// Its answer.
        error: Error,
    },
    /// Replica lists name a broker that the cluster does not list: dead, or removed.
    #[error(
        "broker {broker} holds replicas but is not listed by the cluster, everything else about it is unknown"
    )]
    Unlisted {
        /// The broker.
        broker: BrokerId,
    },
    /// We may not list reassignments: in-flight ones look like settled ones.
    #[error("in-flight reassignments are unknown: {error}")]
    InFlightUnknown {
        /// The answer.
        error: Error,
    },
    /// Metadata and the reassignment list kept telling different replica lists.
    #[error("{partition} is changing: metadata and the reassignment list disagree")]
    Unsettled {
        /// The partition.
        partition: TopicPartition,
    },
    /// A topic is not in the snapshot.
    #[error("topic {topic} is left out: {reason}")]
    LeftOut {
        /// Its name.
        topic: String,
        /// Why.
        reason: String,
    },
    /// Configs of some topics are not told: their min.insync.replicas and throttles are unknown.
    #[error("topic configs are unknown ({count} in all): {first}: {code}")]
    ConfigsUnknown {
        /// How many topics.
        count: usize,
        /// One of them.
        first: String,
        /// Kafka's reason for that one.
        code: Code,
    },
    /// No broker told topic configs.
    #[error("topic configs are unknown: {error}")]
    NoConfigs {
        /// The last attempt.
        error: Error,
    },
    /// Some write rates could not be measured.
    #[error("the write rates of {count} partitions are unknown, among them {first}")]
    RatesUnknown {
        /// How many.
        count: usize,
        /// One of them.
        first: TopicPartition,
    },
    /// Log directories hold topics that metadata does not show: we may not describe them.
    #[error("broker {broker} holds topics that metadata does not show ({count} in all): {first}")]
    Unseen {
        /// The broker.
        broker: BrokerId,
        /// How many topics.
        count: usize,
        /// One of them.
        first: String,
    },
}

/// What the brokers told, before it is put together.
#[derive(Debug, Default)]
struct Told {
    brokers: BTreeMap<BrokerId, BrokerView>,
    topics: Vec<TopicView>,
    moving: BTreeMap<TopicPartition, Reassignment>,
    dirs: BTreeMap<BrokerId, Vec<LogDirView>>,
    settings: settings::Settings,
    warnings: Vec<Warning>,
}

/// Reads the whole cluster.
///
/// A broker that does not answer costs its deadline once and is reported; so is everything that we may not
/// read, except the topics that Metadata hides: those show as [`Warning::Unseen`] if a log directory holds
/// them, which takes DESCRIBE on the cluster.
///
/// # Errors
/// If brokers, topics or in-flight reassignments could not be read at all, or contradict each other.
pub async fn take(
    client: &Client,
    options: &SnapshotOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, Error> {
    let mut told = Told::default();
    progress(Progress { step: Step::Metadata, done: 0, total: 1 });
    for broker in read::cluster(client).await?.brokers {
        told.brokers.insert(broker.id, broker);
    }
    partitions(client, &mut told).await?;
    progress(Progress { step: Step::Metadata, done: 1, total: 1 });

    let total = told.brokers.len();
    let ids: Vec<BrokerId> = told.brokers.keys().copied().collect();
    let ask = |id: BrokerId| async move {
        let dirs = read::log_dirs(client, id, None).await;
        // A broker that does not answer is not asked twice: each time costs a deadline.
        let own = match &dirs {
            Err(error) if !matches!(error, Error::Refused { .. } | Error::Unsupported { .. }) => None,
            _ => Some(settings::of_broker(client, id).await),
        };
        (id, dirs, own)
    };
    let mut answers = stream::iter(ids).map(ask).buffered(options.parallel.max(1));
    let mut answered = Vec::new();
    while let Some((broker, dirs, own)) = answers.next().await {
        progress(Progress { step: Step::LogDirs, done: answered.len() + 1, total });
        match (dirs, own) {
            (Err(error), None) => told.warnings.push(Warning::Silent { broker, error }),
            (dirs, own) => {
                answered.push(broker);
                match dirs {
                    Ok(dirs) => drop(told.dirs.insert(broker, dirs)),
                    Err(error) => {
                        told.warnings.push(Warning::Withheld { broker, what: "log directories", error });
                    }
                }
                match own {
                    Some(Ok(own)) => drop(told.settings.brokers.insert(broker, own)),
                    Some(Err(error)) => {
                        told.warnings.push(Warning::Withheld { broker, what: "settings", error });
                    }
                    None => {}
                }
            }
        }
    }
    drop(answers);
    settings::of_topics(client, &answered, &mut told, options.parallel.max(1), progress).await;
    let mut snapshot = assemble::assemble(client.cluster_id(), told, &answered, options)?;
    if let Some(time) = options.sample {
        let parallel = options.parallel.max(1);
        let warnings = rates::sample(client, &mut snapshot.cluster, time, parallel, progress).await;
        snapshot.warnings.extend(warnings);
    }
    Ok(snapshot)
}

/// Topics, then reassignments, until they tell the same.
async fn partitions(client: &Client, told: &mut Told) -> Result<(), Error> {
    for round in 1..=ROUNDS {
        told.topics = read::topics(client, None).await?;
        let list = match read::reassignments(client).await {
            Ok(list) => list,
            Err(error) if error.is_authorisation() => {
                told.warnings.push(Warning::InFlightUnknown { error });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let key = |one: &Reassignment| TopicPartition::new(&*one.topic, one.partition);
        told.moving = list.into_iter().map(|one| (key(&one), one)).collect();
        let unsettled = unsettled(&told.topics, &told.moving);
        if unsettled.is_empty() {
            return Ok(());
        }
        if round == ROUNDS {
            let each = unsettled.into_iter().map(|partition| Warning::Unsettled { partition });
            told.warnings.extend(each);
            return Ok(());
        }
        sleep(SETTLE).await;
    }
    Ok(())
}

fn unsettled(topics: &[TopicView], moving: &BTreeMap<TopicPartition, Reassignment>) -> Vec<TopicPartition> {
    let differs = |(key, one): &(&TopicPartition, &Reassignment)| {
        // A partition that metadata does not show may be one that we may not describe.
        find(topics, key).is_some_and(|p| {
            let set = |list: &[BrokerId]| list.iter().copied().collect::<BTreeSet<_>>();
            set(&p.replicas) != set(&one.replicas)
        })
    };
    moving.iter().filter(differs).map(|(key, _)| key.clone()).collect()
}

/// A partition among topics and partitions that are in order.
fn find<'a>(topics: &'a [TopicView], key: &TopicPartition) -> Option<&'a PartitionView> {
    let topic = topics.binary_search_by(|t| t.name.cmp(&key.topic)).ok().map(|at| &topics[at])?;
    let at = topic.partitions.binary_search_by_key(&key.partition, |p| p.partition).ok()?;
    Some(&topic.partitions[at])
}
