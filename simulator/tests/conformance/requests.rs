//! The requests about topics, partitions and leaders, and how their answers are written down.

use std::time::Duration;

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use tokio::time::{Instant, sleep};

use crate::client::{Silence, code, frame, newest, text, topic_name};
use crate::play::{Came, Moving, Player, number, shown};
use crate::script::{Step, list};

/// What requests carry where the scenario does not say.
const TIMEOUT_MS: i32 = 30_000;

/// What stands for one partition or topic in an answer: sorted by it, then written.
type Told = (String, i32, String);

fn wire(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn plain(ids: &[BrokerId]) -> Vec<i32> {
    ids.iter().map(|id| id.0).collect()
}

impl Player {
    pub async fn request(&mut self, step: &Step) -> Came {
        let words: Vec<&str> = step.args.iter().map(String::as_str).collect();
        match (step.verb.as_str(), &words[..]) {
            ("topic", [name, rest @ ..]) => self.make_topic(step, name, rest).await,
            ("create", [name, rest @ ..]) => self.create(step, name, rest).await,
            ("delete", names) => self.delete(step, names).await,
            ("grow", [name, count, lists @ ..]) => self.grow(step, name, number(count), lists).await,
            ("alter", items) => self.alter(step, items).await,
            ("repeat", [at, target, times]) => self.repeat(step, at, target, number(times)).await,
            ("cancel", [at]) => self.alter(step, &[at, "cancel"]).await,
            ("list", wanted) => self.list(step, wanted).await,
            ("elect", wanted) => self.elect(step, wanted).await,
            ("id", [name]) => self.id(name).await,
            ("raw", [key, version]) => self.raw(step, number(key), number(version)).await,
            _ => self.other_request(step).await,
        }
    }

    /// One line of an answer about a partition (-1: about a topic).
    fn told(&self, step: &Step, topic: &str, n: i32, error: i16, message: Option<&StrBytes>) -> Told {
        let own = self.own_name(topic).unwrap_or(topic);
        let name = if n < 0 { own.to_owned() } else { format!("{own}-{n}") };
        let mut line = format!("{name} {}", code(error));
        if let Some(message) = message.filter(|message| step.options.says && !message.is_empty()) {
            line += &format!(": {message}");
        }
        (own.to_owned(), n, line)
    }

    async fn alter(&self, step: &Step, items: &[&str]) -> Came {
        let mut topics: Vec<ReassignableTopic> = Vec::new();
        for item in items.chunks(2) {
            let [at, target] = item else { panic!("{}: {item:?}", step.text) };
            let (topic, n) = self.at(at);
            let target = if *target == "cancel" { None } else { Some(wire(&list(target).expect("a list"))) };
            let one = ReassignablePartition::default().with_partition_index(n).with_replicas(target);
            match topics.iter_mut().find(|t| t.name.as_str() == topic) {
                Some(known) => known.partitions.push(one),
                None => topics.push(
                    ReassignableTopic::default().with_name(topic_name(&topic)).with_partitions(vec![one]),
                ),
            }
        }
        let mut request = AlterPartitionReassignmentsRequest::default()
            .with_timeout_ms(step.options.timeout_ms.unwrap_or(TIMEOUT_MS))
            .with_topics(topics);
        if step.options.same_rf {
            request = request.with_allow_replication_factor_change(false);
        }
        let answer = self.send(step, &request).await?;
        let each = answer.responses.iter().flat_map(|topic| {
            topic.partitions.iter().map(|p| {
                self.told(step, &topic.name, p.partition_index, p.error_code, p.error_message.as_ref())
            })
        });
        Ok(lines(answer.error_code, each.collect()))
    }

    /// The same partition so many times in one request; how often each code came.
    async fn repeat(&self, step: &Step, at: &str, target: &str, times: i32) -> Came {
        let (topic, n) = self.at(at);
        let target = Some(wire(&list(target).expect("a list")));
        let one = ReassignablePartition::default().with_partition_index(n).with_replicas(target);
        let topic = ReassignableTopic::default()
            .with_name(topic_name(&topic))
            .with_partitions(vec![one; usize::try_from(times).expect("a count")]);
        let request = AlterPartitionReassignmentsRequest::default()
            .with_timeout_ms(TIMEOUT_MS)
            .with_topics(vec![topic]);
        let answer = self.send(step, &request).await?;
        let mut counts = std::collections::BTreeMap::new();
        for one in answer.responses.iter().flat_map(|topic| &topic.partitions) {
            *counts.entry(code(one.error_code)).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|(code, count)| format!("{count} {code}")).collect())
    }

    /// What is in flight in this scenario's topics, as the controller tells it.
    pub async fn in_flight(&self) -> Result<Moving, Silence> {
        let request =
            ListPartitionReassignmentsRequest::default().with_timeout_ms(TIMEOUT_MS).with_topics(None);
        let serving = self.stage.serving();
        let named = self.controller().await;
        let broker = if serving.contains(&named) { named } else { serving[0] };
        let within = Duration::from_secs(5);
        let answer = self.ask_broker(broker, &request, 0, within).await?;
        if answer.error_code != 0 {
            return Err(Silence::NoAnswer);
        }
        let mut moving = Moving::new();
        for topic in &answer.topics {
            let Some(own) = self.own_name(&topic.name) else { continue };
            for p in &topic.partitions {
                let lists = (plain(&p.adding_replicas), plain(&p.removing_replicas));
                moving.insert((own.to_owned(), p.partition_index), lists);
            }
        }
        Ok(moving)
    }

    async fn list(&self, step: &Step, wanted: &[&str]) -> Came {
        let mut topics: Vec<ListPartitionReassignmentsTopics> = Vec::new();
        for at in wanted.iter().filter(|word| **word != "nothing") {
            let (topic, n) = self.at(at);
            match topics.iter_mut().find(|t| t.name.as_str() == topic) {
                Some(known) => known.partition_indexes.push(n),
                None => topics.push(
                    ListPartitionReassignmentsTopics::default()
                        .with_name(topic_name(&topic))
                        .with_partition_indexes(vec![n]),
                ),
            }
        }
        let request = ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(step.options.timeout_ms.unwrap_or(TIMEOUT_MS))
            .with_topics((!wanted.is_empty()).then_some(topics));
        let answer = self.send(step, &request).await?;
        let mut told = Vec::new();
        for topic in &answer.topics {
            let Some(own) = self.own_name(&topic.name) else { continue };
            for p in &topic.partitions {
                let all = [&p.replicas, &p.adding_replicas, &p.removing_replicas].map(|l| shown(&plain(l)));
                let [replicas, adding, removing] = all;
                let n = p.partition_index;
                let line = format!("{own}-{n} {replicas} adding {adding} removing {removing}");
                told.push((own.to_owned(), n, line));
            }
        }
        Ok(or_nothing(lines(answer.error_code, told)))
    }

    async fn elect(&self, step: &Step, wanted: &[&str]) -> Came {
        let mut topics: Vec<TopicPartitions> = Vec::new();
        for at in wanted.iter().filter(|word| !["all", "nothing"].contains(word)) {
            let (topic, n) = self.at(at);
            match topics.iter_mut().find(|t| t.topic.as_str() == topic) {
                Some(known) => known.partitions.push(n),
                None => topics
                    .push(TopicPartitions::default().with_topic(topic_name(&topic)).with_partitions(vec![n])),
            }
        }
        let request = ElectLeadersRequest::default()
            .with_election_type(i8::from(step.options.unclean))
            .with_timeout_ms(step.options.timeout_ms.unwrap_or(TIMEOUT_MS))
            .with_topic_partitions((wanted != ["all"]).then_some(topics));
        let answer = self.send(step, &request).await?;
        let mut told = Vec::new();
        for topic in &answer.replica_election_results {
            let Some(own) = self.own_name(&topic.topic) else { continue };
            if topic.partition_result.is_empty() {
                told.push((own.to_owned(), -1, format!("{own}: no partition")));
            }
            for p in &topic.partition_result {
                told.push(self.told(
                    step,
                    &topic.topic,
                    p.partition_id,
                    p.error_code,
                    p.error_message.as_ref(),
                ));
            }
        }
        Ok(or_nothing(lines(answer.error_code, told)))
    }

    /// Creates a topic and waits until every broker knows its leaders; says only what went wrong.
    async fn make_topic(&self, step: &Step, name: &str, rest: &[&str]) -> Came {
        let end = Instant::now() + self.stage.patience().limit;
        let mut came = self.create(step, name, rest).await?;
        // With ZooKeeper a topic that was deleted may hold its name for a while after it is gone.
        while came[0].contains("ALREADY_EXISTS") && Instant::now() < end {
            sleep(Duration::from_millis(100)).await;
            came = self.create(step, name, rest).await?;
        }
        if !came[0].contains(" NONE") {
            return Ok(came);
        }
        loop {
            let mut led = true;
            for broker in self.stage.serving() {
                let seen = self.metadata(broker, name).await?;
                let topic = seen.topics.first();
                led &= topic
                    .is_some_and(|t| t.error_code == 0 && t.partitions.iter().all(|p| p.leader_id.0 >= 0));
            }
            if led {
                return Ok(Vec::new());
            }
            assert!(Instant::now() < end, "{}: {name} has no leaders", step.text);
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn create(&self, step: &Step, name: &str, rest: &[&str]) -> Came {
        let mut topic = CreatableTopic::default()
            .with_name(topic_name(&self.real_name(name)))
            .with_num_partitions(-1)
            .with_replication_factor(-1);
        for word in rest {
            if let Some((key, value)) = word.split_once('=') {
                let config =
                    CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)));
                topic.configs.push(config);
            } else if let Some(ids) = list(word) {
                let n = i32::try_from(topic.assignments.len()).expect("few");
                let one =
                    CreatableReplicaAssignment::default().with_partition_index(n).with_broker_ids(wire(&ids));
                topic.assignments.push(one);
            } else {
                let (count, factor) = word.split_once('x').expect("PARTITIONSxREPLICAS");
                topic.num_partitions = number(count);
                topic.replication_factor = i16::try_from(number(factor)).expect("a small number");
            }
        }
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(step.options.timeout_ms.unwrap_or(TIMEOUT_MS))
            .with_validate_only(step.options.validate);
        let answer = self.send(step, &request).await?;
        let each = answer.topics.iter().map(|topic| {
            let (own, n, line) =
                self.told(step, &topic.name, -1, topic.error_code, topic.error_message.as_ref());
            let size = format!("{line} ({} × {})", topic.num_partitions, topic.replication_factor);
            (own, n, if topic.error_code == 0 { size } else { line })
        });
        Ok(lines(0, each.collect()))
    }

    async fn delete(&self, step: &Step, names: &[&str]) -> Came {
        let version = step.options.version.unwrap_or_else(|| newest::<DeleteTopicsRequest>(self.ranges()));
        let request =
            DeleteTopicsRequest::default().with_timeout_ms(step.options.timeout_ms.unwrap_or(TIMEOUT_MS));
        let real = names.iter().map(|name| topic_name(&self.real_name(name)));
        let request = if version >= 6 {
            request.with_topics(real.map(|n| DeleteTopicState::default().with_name(Some(n))).collect())
        } else {
            request.with_topic_names(real.collect())
        };
        let answer = self.send(step, &request).await?;
        let each = answer.responses.iter().map(|topic| {
            let name = topic.name.as_ref().map_or("?", |name| name.as_str());
            self.told(step, name, -1, topic.error_code, topic.error_message.as_ref())
        });
        Ok(lines(0, each.collect()))
    }

    async fn grow(&self, step: &Step, name: &str, count: i32, lists: &[&str]) -> Came {
        let one = |word: &&str| {
            let ids = list(word).expect("a list");
            CreatePartitionsAssignment::default().with_broker_ids(wire(&ids))
        };
        let topic = CreatePartitionsTopic::default()
            .with_name(topic_name(&self.real_name(name)))
            .with_count(count)
            .with_assignments((!lists.is_empty()).then(|| lists.iter().map(one).collect()));
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(step.options.timeout_ms.unwrap_or(TIMEOUT_MS))
            .with_validate_only(step.options.validate);
        let answer = self.send(step, &request).await?;
        let each = answer
            .results
            .iter()
            .map(|topic| self.told(step, &topic.name, -1, topic.error_code, topic.error_message.as_ref()));
        Ok(lines(0, each.collect()))
    }

    /// The topic's id, by the order in which the scenario met it.
    async fn id(&mut self, name: &str) -> Came {
        let seen = self.metadata(self.stage.serving()[0], name).await?;
        let id = seen.topics.first().map_or([0; 16], |topic| *topic.topic_id.as_bytes());
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
        let at = self.ids.iter().position(|known| *known == id).unwrap_or_default();
        Ok(vec![format!("{name} has id #{}", at + 1)])
    }

    /// An API by number, with nothing that any broker could read.
    async fn raw(&self, step: &Step, key: i32, version: i32) -> Came {
        let mut stream = self.stage.connect(1).await.map_err(|_| Silence::Refused)?;
        let mut bytes = BytesMut::new();
        bytes.put_i16(i16::try_from(key).expect("an API key"));
        bytes.put_i16(i16::try_from(version).expect("a version"));
        bytes.put_i32(7);
        bytes.put_i16(-1);
        let within = step.options.gives_up.unwrap_or(Duration::from_secs(10));
        match tokio::time::timeout(within, frame(&mut stream, &bytes)).await {
            Err(_) => Err(Silence::NoAnswer),
            Ok(Err(_)) => Err(Silence::Closed),
            Ok(Ok(_)) => Ok(vec!["an answer".to_owned()]),
        }
    }
}

/// The error of the whole, if any, and then each item in order.
pub fn lines(top: i16, mut told: Vec<Told>) -> Vec<String> {
    told.sort();
    let top = (top != 0).then(|| format!("as a whole {}", code(top)));
    top.into_iter().chain(told.into_iter().map(|(_, _, line)| line)).collect()
}

pub fn or_nothing(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() { vec!["nothing".to_owned()] } else { lines }
}
