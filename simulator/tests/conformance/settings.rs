//! The requests about configs, offsets, log directories and brokers; records that are written.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::*;
use tokio::time::{Instant, sleep};

use crate::client::{Silence, code, newest, text, topic_name};
use crate::play::{Came, Player, number};
use crate::requests::or_nothing;
use crate::script::{At, Step, key, value};
use crate::stage::BROKERS;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// A config of brokers that changes nothing here; by default it is the highest number.
const MARK: &str = "max.connections.per.ip";
const SOON: Duration = Duration::from_secs(30);
const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";

/// A resource as a scenario writes it, and the words about it.
struct Of<'a> {
    kind: i8,
    /// What it is called in the scenario.
    shown: String,
    /// What Kafka calls it.
    real: String,
    words: &'a [&'a str],
}

/// Brokers hold what is throttled down to a byte a second, for the whole life of the cluster.
/// With ZooKeeper the controller is made one of those that no scenario kills: 1, 2 or 3.
pub async fn prepare(player: &Player) {
    while player.stage.has_zookeeper() && player.controller().await > 3 {
        let broker = player.controller().await;
        player.stage.stop(broker);
        player.stage.start(broker);
        recovered(player).await;
    }
    for (broker, _) in BROKERS {
        let rate = AlterableConfig::default().with_name(text(FOLLOWER_RATE)).with_value(Some(text("1")));
        let resource = AlterConfigsResource::default()
            .with_resource_type(BROKER)
            .with_resource_name(text(&broker.to_string()))
            .with_configs(vec![rate]);
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let answer = player.ask_broker(broker, &request, 1, SOON).await.expect("an answer");
        assert_eq!(answer.responses[0].error_code, 0, "{:?}", answer.responses[0].error_message);
    }
}

/// Waits until all brokers are back, seen by each, and one is the controller.
pub async fn recovered(player: &Player) {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let mut all = true;
        for (broker, _) in BROKERS {
            let seen = player.metadata(broker, "none").await;
            all &= seen.is_ok_and(|seen| seen.brokers.len() == BROKERS.len() && seen.controller_id.0 >= 0);
        }
        if all && player.in_flight().await.is_ok() {
            return;
        }
        assert!(Instant::now() < end, "the cluster did not recover");
        sleep(Duration::from_millis(200)).await;
    }
}

/// The last mark that was set on a broker.
static MARKS: AtomicI32 = AtomicI32::new(2_000_000_000);

impl Player {
    /// Waits until these brokers have heard of all that was written before: of a config that is written now. With
    /// KRaft all changes come in one order; with ZooKeeper those of configs do.
    pub async fn caught_up(&self, brokers: &[i32]) -> Result<(), Silence> {
        let mark = MARKS.fetch_add(1, Ordering::Relaxed);
        let end = Instant::now() + self.stage.patience().limit;
        for broker in brokers {
            let resource = AlterConfigsResource::default()
                .with_resource_type(BROKER)
                .with_resource_name(text(&broker.to_string()))
                .with_configs(vec![changed(&["set", &format!("{MARK}={mark}")])]);
            let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
            self.ask_broker(*broker, &request, 1, SOON).await?;
        }
        for broker in brokers {
            let resource = DescribeConfigsResource::default()
                .with_resource_type(BROKER)
                .with_resource_name(text(&broker.to_string()))
                .with_configuration_keys(Some(vec![text(MARK)]));
            let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
            let marked = |answer: DescribeConfigsResponse| {
                let value = answer.results.first()?.configs.first()?.value.as_ref()?.parse::<i32>().ok()?;
                // Other scenarios set later ones.
                (mark..i32::MAX).contains(&value).then_some(())
            };
            while self.ask_broker(*broker, &request, 1, SOON).await.map(marked)?.is_none() {
                assert!(Instant::now() < end, "broker {broker} does not hear of changes");
                sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    pub async fn other_request(&mut self, step: &Step) -> Came {
        let words: Vec<&str> = step.args.iter().map(String::as_str).collect();
        match (step.verb.as_str(), &words[..]) {
            ("slow", [topic]) => self.throttle(step, topic, &["set", "follower-list=*"]).await,
            ("fast", [topic]) => self.throttle(step, topic, &["delete", "follower-list"]).await,
            ("change", words) => self.change(step, words).await,
            ("configs", words) => self.configs(step, words).await,
            ("race", [count, topic]) => self.race(number(count), topic).await,
            ("offsets", [at, what, more @ ..]) => self.offsets(step, at, what, more).await,
            ("await-offset", [id, at]) => self.await_offset(number(id), at, true).await,
            ("await-no-offset", [id, at]) => self.await_offset(number(id), at, false).await,
            ("await-dirs", [id, at, how]) => self.await_dirs(step, number(id), at, *how == "there").await,
            ("dirs", topics) => self.dirs(step, topics).await,
            ("cluster", []) => self.cluster(step).await,
            ("ranges", []) => Ok(self.advertised()),
            _ => panic!("no such step: {}", step.text),
        }
    }

    fn of<'a>(&self, words: &'a [&'a str]) -> Vec<Of<'a>> {
        let one = |words: &'a [&'a str]| match words {
            ["topic", name, rest @ ..] => {
                Of { kind: TOPIC, shown: format!("topic {name}"), real: self.real_name(name), words: rest }
            }
            ["brokers", rest @ ..] => {
                Of { kind: BROKER, shown: "brokers".to_owned(), real: String::new(), words: rest }
            }
            ["broker", id, rest @ ..] => {
                Of { kind: BROKER, shown: format!("broker {id}"), real: (*id).to_owned(), words: rest }
            }
            ["kind", kind, name, rest @ ..] => {
                let kind = i8::try_from(number(kind)).expect("a small number");
                Of { kind, shown: format!("kind {kind} {name}"), real: (*name).to_owned(), words: rest }
            }
            other => panic!("no resource: {other:?}"),
        };
        words.split(|word| *word == "|").map(one).collect()
    }

    /// Broker N takes the configs of broker N.
    fn sent_to(step: &Step, of: &[Of<'_>]) -> Step {
        let mut step = step.clone();
        if step.at == At::Controller
            && let Some(id) = of.iter().find(|of| of.kind == BROKER).and_then(|of| of.real.parse().ok())
        {
            step.at = At::Broker(id);
        }
        step
    }

    async fn change(&self, step: &Step, words: &[&str]) -> Came {
        let of = self.of(words);
        let resources = of.iter().map(|of| {
            AlterConfigsResource::default()
                .with_resource_type(of.kind)
                .with_resource_name(text(&of.real))
                .with_configs(of.words.chunks(2).map(changed).collect())
        });
        let request = IncrementalAlterConfigsRequest::default()
            .with_resources(resources.collect())
            .with_validate_only(step.options.validate);
        let answer = self.send(&Player::sent_to(step, &of), &request).await?;
        let mut lines = Vec::new();
        for found in &answer.responses {
            let same =
                |of: &&Of<'_>| of.kind == found.resource_type && of.real == found.resource_name.as_str();
            let name =
                of.iter().find(same).map_or_else(|| found.resource_name.to_string(), |of| of.shown.clone());
            let mut line = format!("{name} {}", code(found.error_code));
            if let Some(message) = found.error_message.as_ref().filter(|m| step.options.says && !m.is_empty())
            {
                line += &format!(": {message}");
            }
            lines.push(line);
        }
        lines.sort();
        Ok(or_nothing(lines))
    }

    /// What the brokers that are asked say, when they agree and nothing changes.
    async fn configs(&self, step: &Step, words: &[&str]) -> Came {
        let of = self.of(words);
        let own: Option<i32> = of.iter().find(|of| of.kind == BROKER).and_then(|of| of.real.parse().ok());
        let brokers = match (step.at, own) {
            (At::Broker(id), _) => vec![id],
            (_, Some(id)) => vec![id],
            _ => self.stage.serving(),
        };
        self.caught_up(&brokers).await?;
        let patience = self.stage.patience();
        let end = Instant::now() + patience.limit;
        let (mut last, mut since) = (Vec::new(), Instant::now());
        loop {
            let mut agreed = Vec::new();
            let mut agree = true;
            for broker in &brokers {
                let seen = self.described(step, *broker, &of).await?;
                agree &= agreed.is_empty() || agreed == seen;
                agreed = seen;
            }
            if !agree || agreed != last {
                (last, since) = (agreed, Instant::now());
            } else if since.elapsed() >= patience.steady {
                return Ok(last);
            }
            if Instant::now() > end {
                return Ok(vec!["the brokers do not agree".to_owned()]);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn described(&self, step: &Step, broker: i32, of: &[Of<'_>]) -> Result<Vec<String>, Silence> {
        let resources = of.iter().map(|of| {
            DescribeConfigsResource::default()
                .with_resource_type(of.kind)
                .with_resource_name(text(&of.real))
                .with_configuration_keys(Some(of.words.iter().map(|short| text(key(short))).collect()))
        });
        let request = DescribeConfigsRequest::default().with_resources(resources.collect());
        let version = step.options.version.unwrap_or_else(|| newest::<DescribeConfigsRequest>(self.ranges()));
        let answer = self.ask_broker(broker, &request, version, SOON).await?;
        let mut lines = Vec::new();
        for of in of {
            let same = |r: &&describe_configs_response::DescribeConfigsResult| {
                r.resource_type == of.kind && r.resource_name.as_str() == of.real
            };
            let Some(found) = answer.results.iter().find(same) else {
                lines.push(format!("{}: no answer", of.shown));
                continue;
            };
            if found.error_code != 0 {
                lines.push(format!("{} {}", of.shown, code(found.error_code)));
                continue;
            }
            for short in of.words {
                let config = found.configs.iter().find(|config| config.name.as_str() == key(short));
                let told = config.map_or("not there".to_owned(), |config| {
                    let source = ["?", "topic", "broker", "all brokers", "static", "default"];
                    let source = source.get(config.config_source as usize).unwrap_or(&"?");
                    format!("= {} ({source})", short_value(config.value.as_ref().map(|v| v.as_str())))
                });
                lines.push(format!("{} {short} {told}", of.shown));
            }
        }
        Ok(lines)
    }

    /// Changes what is throttled of a topic, and lets the brokers hear of it.
    async fn throttle(&self, step: &Step, topic: &str, words: &[&str]) -> Came {
        let came = self.change(step, &[&["topic", topic], words].concat()).await?;
        self.caught_up(&self.stage.serving()).await?;
        Ok(if came == [format!("topic {topic} NONE")] { Vec::new() } else { came })
    }

    /// So many appends at once, of one entry each, through all brokers.
    async fn race(&self, count: i32, topic: &str) -> Came {
        let serving = self.stage.serving();
        let one = |n: i32| {
            let config = changed(&["append", &format!("leader-list={n}:1")]);
            let resource = AlterConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(text(&self.real_name(topic)))
                .with_configs(vec![config]);
            let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
            let broker = serving[n as usize % serving.len()];
            async move { self.ask_broker(broker, &request, 1, SOON).await.map(|a| a.responses[0].error_code) }
        };
        let codes = join_all((0..count).map(one)).await;
        let good = codes.iter().filter(|code| **code == Ok(0)).count();
        let step = crate::script::Script::parse("race", &format!("configs topic {topic} leader-list"))
            .steps
            .remove(0);
        let seen = self.configs(&step, &["topic", topic, "leader-list"]).await?.join("");
        let kept = (0..count).filter(|n| {
            let entry = format!("{n}:1");
            seen.split([' ', ',']).any(|found| found == entry)
        });
        let kept = if kept.count() == count as usize { "all are kept" } else { "some are lost" };
        Ok(vec![format!("{good} of {count} NONE, {kept}")])
    }

    async fn offsets(&self, step: &Step, at: &str, what: &str, more: &[&str]) -> Came {
        let (topic, n) = self.at(at);
        let (own, _) = crate::script::partition(at);
        let seen = self.metadata(self.stage.serving()[0], own).await?;
        let now = seen.topics.iter().flat_map(|t| &t.partitions).find(|p| p.partition_index == n);
        let now = now.map_or(0, |p| p.leader_epoch);
        let timestamp = match what {
            "latest" => -1,
            "earliest" => -2,
            "max-timestamp" => -3,
            "earliest-local" => -4,
            "latest-tiered" => -5,
            other => panic!("{other}"),
        };
        let (mut replica, mut epoch) = (-1, -1);
        for word in more {
            match *word {
                "epoch=now" => epoch = now,
                "epoch=old" => epoch = now - 1,
                "epoch=next" => epoch = now + 1,
                other => replica = number(other.strip_prefix("replica=").expect("replica=")),
            }
        }
        let one = ListOffsetsPartition::default()
            .with_partition_index(n)
            .with_current_leader_epoch(epoch)
            .with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default().with_name(topic_name(&topic)).with_partitions(vec![one]);
        let request =
            ListOffsetsRequest::default().with_replica_id(BrokerId(replica)).with_topics(vec![topic]);
        let answer = self.send(step, &request).await?;
        let found = &answer.topics[0].partitions[0];
        let told =
            if found.error_code == 0 { format!("offset {}", found.offset) } else { code(found.error_code) };
        Ok(vec![format!("{at} {told}")])
    }

    /// Waits until a broker tells a log end offset of its own replica, or has none.
    async fn await_offset(&self, broker: i32, at: &str, wanted: bool) -> Came {
        let line = format!("@{broker} offsets {at} latest replica=-2");
        let step = crate::script::Script::parse("await-offset", &line).steps.remove(0);
        let end = Instant::now() + self.stage.patience().limit;
        loop {
            let told = self.offsets(&step, at, "latest", &["replica=-2"]).await?.join("");
            if told.contains(" offset ") == wanted {
                return Ok(Vec::new());
            }
            if Instant::now() > end {
                return Ok(vec![format!("awaited in vain: {told}")]);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until a broker lists a replica, or does no more.
    async fn await_dirs(&self, step: &Step, broker: i32, at: &str, there: bool) -> Came {
        let step = Step { at: At::Broker(broker), ..step.clone() };
        let end = Instant::now() + self.stage.patience().limit;
        while (self.dirs(&step, &[at]).await?.len() > 1) != there {
            if Instant::now() > end {
                return Ok(vec!["awaited in vain".to_owned()]);
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(Vec::new())
    }

    /// Which replicas of these topics a broker has on disk; of no topic, of all.
    async fn dirs(&self, step: &Step, topics: &[&str]) -> Came {
        let wanted = topics.iter().filter(|word| !["all", "nothing"].contains(word)).map(|at| {
            let (topic, n) = self.at(at);
            DescribableLogDirTopic::default().with_topic(topic_name(&topic)).with_partitions(vec![n])
        });
        let wanted: Vec<_> = wanted.collect();
        let request = DescribeLogDirsRequest::default().with_topics((topics != ["all"]).then_some(wanted));
        let answer = self.send(step, &request).await?;
        let mut lines = Vec::new();
        for topic in answer.results.iter().flat_map(|dir| &dir.topics) {
            let Some(own) = self.own_name(&topic.name) else { continue };
            lines.extend(topic.partitions.iter().map(|p| format!("{own}-{}", p.partition_index)));
        }
        lines.sort();
        Ok([vec![format!("{} log dirs", answer.results.len())], lines].concat())
    }
}

fn changed(words: &[&str]) -> AlterableConfig {
    let [op, word] = words else { panic!("{words:?}") };
    let (short, after) = word.split_once('=').map_or((*word, None), |(k, v)| (k, Some(value(v))));
    let operation = match *op {
        "set" => 0,
        "delete" => 1,
        "append" => 2,
        "subtract" => 3,
        other => i8::try_from(number(other)).expect("a small number"),
    };
    AlterableConfig::default()
        .with_name(text(key(short)))
        .with_config_operation(operation)
        .with_value(after.as_deref().map(text))
}

/// Long values by their length.
fn short_value(value: Option<&str>) -> String {
    match value {
        None => "null".to_owned(),
        Some(value) if value.len() > 400 => format!("{} bytes", value.len()),
        Some("") => "\"\"".to_owned(),
        Some(value) => value.to_owned(),
    }
}
