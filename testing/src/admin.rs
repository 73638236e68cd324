//! The tests' own view of a cluster, and their own hand on it: Kafka's Java admin client behind typed methods.

use crate::process::wait_until;
use crate::shell::Shell;
use crate::verify::{Acked, Found};
use crate::view::{
    AdminError, Cluster, ConfigChange, Failed, LogDirReplica, Offsets, Partition, Reassignment, Topic,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

type Answer<T> = Result<T, AdminError>;

/// The admin client of one cluster. One request at a time; reads may come from any broker and be a moment old.
#[derive(Debug)]
pub struct Admin {
    shell: Shell,
    directory: PathBuf,
    reads: AtomicU64,
}

impl Admin {
    pub(crate) fn new(shell: Shell, directory: &Path) -> Admin {
        Admin { shell, directory: directory.to_path_buf(), reads: AtomicU64::new(0) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.shell.pid()
    }

    pub(crate) fn format(&self, cluster: &str, configs: &[PathBuf], extra: &[String]) {
        let request = json!({"do": "format", "cluster": cluster, "configs": configs, "extra": extra});
        self.shell.ask(&request).unwrap_or_else(|error| panic!("the nodes cannot be formatted: {error}"));
    }

    pub(crate) fn connect(&self, bootstrap: &str) {
        let request = json!({"do": "connect", "bootstrap": bootstrap});
        self.shell.ask(&request).unwrap_or_else(|error| panic!("no admin client: {error}"));
    }

    /// The cluster's id and live brokers.
    ///
    /// # Errors
    /// As answered.
    pub fn cluster(&self) -> Answer<Cluster> {
        let answer = self.shell.ask(&json!({"do": "cluster"}))?;
        let brokers =
            list(&answer["brokers"], |item| (number(&item["id"]), item["rack"].as_str().map(str::to_owned)));
        Ok(Cluster { id: text(&answer["id"]), brokers: brokers.into_iter().collect() })
    }

    /// Creates a topic with one replica list for each partition, and waits until all have a leader.
    ///
    /// # Errors
    /// As answered.
    pub fn create_topic(&self, topic: &str, assignment: &[Vec<i32>], configs: &[(&str, &str)]) -> Answer<()> {
        let configs: BTreeMap<_, _> = configs.iter().copied().collect();
        let request =
            json!({"do": "createTopic", "topic": topic, "assignment": assignment, "configs": configs});
        self.shell.ask(&request)?;
        let led = || {
            self.topic(topic).is_ok_and(|topic| {
                topic.partitions.len() == assignment.len()
                    && topic.partitions.iter().all(|p| p.leader.is_some())
            })
        };
        assert!(
            wait_until(Duration::from_secs(20), led),
            "{topic} was created but has no leaders after 20 s"
        );
        Ok(())
    }

    /// Deletes topics.
    ///
    /// # Errors
    /// As answered.
    pub fn delete_topics(&self, topics: &[&str]) -> Answer<()> {
        self.shell.ask(&json!({"do": "deleteTopics", "topics": topics})).map(drop)
    }

    /// Grows a topic to `total` partitions, with given replica lists for the new ones or Kafka's own choice.
    ///
    /// # Errors
    /// As answered.
    pub fn create_partitions(&self, topic: &str, total: usize, added: Option<&[Vec<i32>]>) -> Answer<()> {
        let request = json!({"do": "createPartitions", "topic": topic, "total": total, "assignment": added});
        self.shell.ask(&request).map(drop)
    }

    /// All topics, internal ones too.
    ///
    /// # Errors
    /// As answered.
    pub fn topics(&self) -> Answer<BTreeMap<String, Topic>> {
        let answer = self.shell.ask(&json!({"do": "describe"}))?;
        Ok(map(&answer, topic))
    }

    /// One topic. Right after a change a broker may still show what was: use [`wait_until`].
    ///
    /// # Errors
    /// As answered; `UNKNOWN_TOPIC_OR_PARTITION` when there is none.
    pub fn topic(&self, name: &str) -> Answer<Topic> {
        Ok(topic(&self.shell.ask(&json!({"do": "describe", "topics": [name]}))?[name]))
    }

    /// The dynamic configuration of all topics (those without any have an empty map).
    ///
    /// # Errors
    /// As answered.
    pub fn topic_configs(&self) -> Answer<BTreeMap<String, BTreeMap<String, String>>> {
        let answer = self.shell.ask(&json!({"do": "configs", "kind": "topic"}))?;
        Ok(map(&answer, |entries| map(entries, text)))
    }

    /// The dynamic configuration of brokers, without what they have from the cluster-wide default.
    ///
    /// # Errors
    /// As answered; a broker that is down does not answer (`REQUEST_TIMED_OUT` after 30 s).
    pub fn broker_configs(&self, brokers: &[i32]) -> Answer<BTreeMap<i32, BTreeMap<String, String>>> {
        let names: Vec<String> = brokers.iter().map(ToString::to_string).collect();
        let answer = self.shell.ask(&json!({"do": "configs", "kind": "broker", "names": names}))?;
        let read = map(&answer, |entries| map(entries, text));
        Ok(read.into_iter().map(|(id, entries)| (id.parse().unwrap_or(-1), entries)).collect())
    }

    /// The cluster-wide dynamic default of brokers.
    ///
    /// # Errors
    /// As answered.
    pub fn default_broker_config(&self) -> Answer<BTreeMap<String, String>> {
        let answer = self.shell.ask(&json!({"do": "configs", "kind": "broker", "names": [""]}))?;
        Ok(map(&answer[""], text))
    }

    /// Changes a topic's configuration.
    ///
    /// # Errors
    /// As answered.
    pub fn alter_topic_config(&self, topic: &str, changes: &[ConfigChange]) -> Answer<()> {
        self.alter_config("topic", topic, changes)
    }

    /// Changes a broker's dynamic configuration, or with `None` the cluster-wide default.
    ///
    /// # Errors
    /// As answered.
    pub fn alter_broker_config(&self, broker: Option<i32>, changes: &[ConfigChange]) -> Answer<()> {
        self.alter_config("broker", &broker.map_or(String::new(), |id| id.to_string()), changes)
    }

    fn alter_config(&self, kind: &str, name: &str, changes: &[ConfigChange]) -> Answer<()> {
        let changes: Vec<Value> = changes.iter().map(ConfigChange::json).collect();
        let request = json!({"do": "alterConfigs", "kind": kind, "name": name, "changes": changes});
        self.shell.ask(&request).map(drop)
    }

    /// Submits reassignments; what comes back is what was refused.
    ///
    /// # Errors
    /// As answered for the request as a whole.
    pub fn reassign(&self, moves: &[(&str, i32, Vec<i32>)]) -> Answer<Vec<Failed>> {
        let items = moves.iter().map(|(t, p, to)| json!({"topic": t, "partition": p, "replicas": to}));
        let items: Vec<Value> = items.collect();
        Ok(list(&self.shell.ask(&json!({"do": "reassign", "partitions": items}))?, failed))
    }

    /// Cancels reassignments; what comes back is what was refused.
    ///
    /// # Errors
    /// As answered for the request as a whole.
    pub fn cancel(&self, partitions: &[(&str, i32)]) -> Answer<Vec<Failed>> {
        let items: Vec<Value> = partitions.iter().map(|(t, p)| json!({"topic": t, "partition": p})).collect();
        Ok(list(&self.shell.ask(&json!({"do": "reassign", "partitions": items}))?, failed))
    }

    /// All reassignments in flight.
    ///
    /// # Errors
    /// As answered.
    pub fn reassignments(&self) -> Answer<BTreeMap<(String, i32), Reassignment>> {
        let answer = self.shell.ask(&json!({"do": "reassignments"}))?;
        let item = |item: &Value| {
            let (replicas, adding, removing) =
                (ids(&item["replicas"]), ids(&item["adding"]), ids(&item["removing"]));
            (key(item), Reassignment { replicas, adding, removing })
        };
        Ok(list(&answer, item).into_iter().collect())
    }

    /// Waits until no reassignment is in flight; false if some still are after `limit`. The controller says so: the
    /// metadata that brokers show follows a moment later.
    #[must_use]
    pub fn wait_until_settled(&self, limit: Duration) -> bool {
        wait_until(limit, || self.reassignments().is_ok_and(|list| list.is_empty()))
    }

    /// Elects preferred leaders, of all partitions with `None`; what comes back is what was refused
    /// (`ELECTION_NOT_NEEDED` too).
    ///
    /// # Errors
    /// As answered for the request as a whole.
    pub fn elect(&self, partitions: Option<&[(&str, i32)]>) -> Answer<Vec<Failed>> {
        let items: Option<Vec<Value>> =
            partitions.map(|all| all.iter().map(|(t, p)| json!({"topic": t, "partition": p})).collect());
        Ok(list(&self.shell.ask(&json!({"do": "elect", "partitions": items}))?, failed))
    }

    /// First offsets and high watermarks, of all topics with `None`.
    ///
    /// # Errors
    /// As answered.
    pub fn offsets(&self, topics: Option<&[&str]>) -> Answer<BTreeMap<(String, i32), Offsets>> {
        let answer = self.shell.ask(&json!({"do": "offsets", "topics": topics}))?;
        let read = |item: &Value| {
            (key(item), Offsets { earliest: long(&item["earliest"]), latest: long(&item["latest"]) })
        };
        Ok(list(&answer, read).into_iter().collect())
    }

    /// The committed offsets of a consumer group.
    ///
    /// # Errors
    /// As answered.
    pub fn group_offsets(&self, group: &str) -> Answer<BTreeMap<(String, i32), i64>> {
        let answer = self.shell.ask(&json!({"do": "groupOffsets", "group": group}))?;
        Ok(list(&answer, |item| (key(item), long(&item["offset"]))).into_iter().collect())
    }

    /// Every replica in the log directories of these brokers.
    ///
    /// # Errors
    /// As answered.
    pub fn log_dirs(&self, brokers: &[i32]) -> Answer<Vec<LogDirReplica>> {
        let answer = self.shell.ask(&json!({"do": "logDirs", "brokers": brokers}))?;
        Ok(list(&answer, |item| LogDirReplica {
            broker: number(&item["broker"]),
            dir: text(&item["dir"]),
            topic: text(&item["topic"]),
            partition: number(&item["partition"]),
            size: long(&item["size"]),
            lag: long(&item["lag"]),
            future: item["future"] == true,
        }))
    }

    /// Moves a replica to another directory of its broker.
    ///
    /// # Errors
    /// As answered.
    pub fn alter_log_dir(&self, broker: i32, topic: &str, partition: i32, dir: &str) -> Answer<()> {
        let request = json!({"do": "alterLogDirs", "broker": broker, "topic": topic, "partition": partition, "dir": dir});
        self.shell.ask(&request).map(drop)
    }

    /// Writes records evenly over a topic's partitions (idempotent, acks=all) and waits for every acknowledgement.
    /// The values do not compress. The shell is writer 0.
    ///
    /// # Errors
    /// The first record that failed.
    pub fn produce(&self, topic: &str, records: u64, bytes: u32) -> Answer<Acked> {
        let request = json!({"do": "produce", "topic": topic, "records": records, "bytes": bytes});
        let mut acked = Acked::default();
        for (partition, runs) in map(&self.shell.ask(&request)?, Clone::clone) {
            let partition = partition.parse().expect("the shell names partitions by number");
            for run in runs.as_array().into_iter().flatten() {
                acked.add(topic, partition, 0, long(&run[0]), long(&run[1]), long(&run[2]));
            }
        }
        Ok(acked)
    }

    /// Reads a whole topic, from first offsets to the high watermarks of this moment.
    ///
    /// # Errors
    /// As answered.
    pub fn read(&self, topic: &str) -> Answer<Vec<Found>> {
        let file = self.directory.join(format!("read-{}", self.reads.fetch_add(1, Ordering::Relaxed)));
        self.shell.ask(&json!({"do": "read", "topic": topic, "file": file}))?;
        let lines = std::fs::read_to_string(&file).expect("the shell wrote the records to a file");
        let _ = std::fs::remove_file(&file);
        Ok(lines.lines().map(found).collect())
    }
}

fn found(line: &str) -> Found {
    let mut words = line.split(' ').map(|word| word.parse::<i64>().expect("records are written as numbers"));
    let mut next = || words.next().expect("records are written as four numbers");
    let partition = i32::try_from(next()).expect("partition numbers are small");
    Found { partition, offset: next(), writer: next(), sequence: next() }
}

fn topic(value: &Value) -> Topic {
    let partition = |item: &Value| Partition {
        replicas: ids(&item["replicas"]),
        isr: ids(&item["isr"]),
        leader: Some(number(&item["leader"])).filter(|&id| id >= 0),
    };
    Topic { id: text(&value["id"]), partitions: list(&value["partitions"], partition) }
}

fn failed(item: &Value) -> Failed {
    let (topic, partition) = key(item);
    Failed {
        topic,
        partition,
        error: AdminError { code: text(&item["error"]), message: text(&item["message"]) },
    }
}

fn key(item: &Value) -> (String, i32) {
    (text(&item["topic"]), number(&item["partition"]))
}

fn list<T>(value: &Value, each: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(each).collect()
}

fn map<T>(value: &Value, each: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    value.as_object().into_iter().flatten().map(|(name, item)| (name.clone(), each(item))).collect()
}

fn ids(value: &Value) -> Vec<i32> {
    list(value, number)
}

fn long(value: &Value) -> i64 {
    value.as_i64().unwrap_or(-1)
}

fn number(value: &Value) -> i32 {
    i32::try_from(long(value)).unwrap_or(-1)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
