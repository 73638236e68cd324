//! The client against real Kafka brokers, with Kafka's own Java client as the witness.

// Real processes in real time.
#![allow(clippy::disallowed_methods)]

mod views;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use restow_client::read::permissions::{self, Purpose};
use restow_client::read::{self, OffsetQuery, Replica, Resource, probe};
use restow_client::snapshot::{self, Snapshot, SnapshotOptions, Step, Warning};
use restow_client::write::{self, Answer, ConfigChange, ConfigOp, Write};
use restow_client::{Client, Code, Error, Options, Tcp};
use restow_planner::model::{BrokerId, ConfigSource, TopicPartition, UNKNOWN_SIZE};
use restow_testing::{CONTROLLER, Kafka, Spec, available_or_skip, wait_until};

const SOON: Duration = Duration::from_secs(20);
const LEADER_RATE: &str = "leader.replication.throttled.rate";
const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";
const LEADERS: &str = "leader.replication.throttled.replicas";
const FOLLOWERS: &str = "follower.replication.throttled.replicas";

#[test]
fn kafka_4_3_1() {
    let Some(()) = available_or_skip() else { return };
    exercise("4.3.1");
}

#[test]
fn kafka_4_0_2() {
    let Some(()) = available_or_skip() else { return };
    exercise("4.0.2");
}

#[test]
fn kafka_3_7_2() {
    let Some(()) = available_or_skip() else { return };
    exercise("3.7.2");
}

#[test]
fn kafka_3_9_2() {
    let Some(()) = available_or_skip() else { return };
    exercise("3.9.2");
}

fn exercise(version: &str) {
    let mut spec = Spec::with_brokers(version, &[(1, "az-a"), (2, "az-a"), (3, "az-b"), (4, "az-b")]);
    // Broker 3 would apply another retention and another minimum to topics that set none.
    spec.brokers[2].properties.push(("log.retention.hours".into(), "24".into()));
    spec.brokers[2].properties.push(("min.insync.replicas".into(), "2".into()));
    let kafka = Kafka::start(spec);
    let admin = kafka.admin();
    admin
        .create_topic(
            "orders",
            &[vec![1, 3], vec![3, 1], vec![2, 3], vec![3, 2]],
            &[("retention.ms", "600000")],
        )
        .unwrap();
    admin.create_topic("events", &[vec![1, 3], vec![2, 4]], &[("min.insync.replicas", "1")]).unwrap();
    // 5 MB a partition: the first fetches, of up to 1 MB each, pass any throttle.
    admin.produce("orders", 20_000, 1_000).unwrap();
    admin.produce("events", 100, 1_000).unwrap();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = Options { write_timeout: Duration::from_secs(4), ..Options::default() };
        let test = Test { kafka: &kafka, version, client: connect(&kafka, options).await };
        test.views().await;
        test.permissions_and_probes().await;
        test.offsets_and_log_dirs().await;
        test.configs().await;
        test.snapshot().await;
        test.moves().await;
        test.losses().await;
    });
}

async fn connect(kafka: &Kafka, options: Options) -> Client {
    let servers: Vec<String> = kafka.bootstrap().split(',').map(str::to_owned).collect();
    Client::bootstrap(Arc::new(Tcp), &servers, options).await.unwrap()
}

fn broker(id: i32) -> BrokerId {
    BrokerId(id)
}

fn list(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn topic(name: &str) -> Resource {
    Resource::Topic(name.into())
}

fn change(resource: Resource, key: &str, op: ConfigOp) -> ConfigChange {
    ConfigChange { resource, key: key.into(), op }
}

struct Test<'a> {
    kafka: &'a Kafka,
    version: &'a str,
    client: Client,
}

impl Test<'_> {
    /// Whether the brokers are of this version or a later one.
    fn since(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().unwrap());
        (parts.next().unwrap(), parts.next().unwrap()) >= (major, minor)
    }

    async fn send(&self, write: Write) -> Vec<Option<Code>> {
        match write::send(&self.client, &write).await {
            Answer::Items(items) => items.into_iter().map(|item| item.code).collect(),
            other => panic!("{write:?}: {other:?}"),
        }
    }

    async fn reassign(&self, partition: i32, to: Option<&[i32]>, allow_rf_change: bool) -> Option<Code> {
        let items = vec![(TopicPartition::new("orders", partition), to.map(list))];
        self.send(Write::Reassign { items, allow_rf_change }).await[0]
    }

    async fn change(&self, at: Option<i32>, items: Vec<ConfigChange>) -> Vec<Option<Code>> {
        self.send(Write::Configs { broker: at.map(BrokerId), items }).await
    }

    /// The replicas of a partition of `orders`, and its leader.
    async fn orders(&self, partition: usize) -> (Vec<BrokerId>, Option<BrokerId>, usize) {
        let topics = read::topics(&self.client, Some(&["orders".into()])).await.unwrap();
        let p = &topics[0].partitions[partition];
        (p.replicas.clone(), p.leader, p.isr.len())
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            assert!(begun.elapsed() < SOON, "{what}: not after {SOON:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn configs(&self) {
        let keys = ["retention.ms", "min.insync.replicas", LEADERS];
        let of = [topic("orders"), topic("nowhere")];
        let told = read::configs(&self.client, Some(broker(3)), &of, Some(&keys)).await.unwrap();
        let entries = told[0].1.as_ref().unwrap();
        let show = |name: &str| {
            let e = entries.iter().find(|e| e.name == name).unwrap();
            (e.value.clone().unwrap(), e.source)
        };
        assert_eq!(show("retention.ms"), ("600000".into(), ConfigSource::Topic));
        // From 4.1 on a new cluster has eligible leader replicas (KIP-966), and then the controller keeps the
        // minimum for all: what a broker's own file says does not count.
        let least = if self.since(4, 1) { "1" } else { "2" };
        assert_eq!(show("min.insync.replicas").0, least);
        assert_eq!(show("min.insync.replicas").1 == ConfigSource::Static, !self.since(4, 1));
        assert_eq!(show(LEADERS), (String::new(), ConfigSource::Default));
        let synonyms = &entries.iter().find(|e| e.name == "retention.ms").unwrap().synonyms;
        assert_eq!(*synonyms, [("retention.ms".to_owned(), Some("600000".to_owned()), ConfigSource::Topic)]);
        assert_eq!(told[1].1, Err(Code::UNKNOWN_TOPIC_OR_PARTITION));

        // Broker 2 answers for broker 2 only; without a place the client finds it.
        let two = [Resource::Broker(broker(2)), Resource::ClusterDefault, topic("events")];
        let told = read::configs(&self.client, None, &two, None).await.unwrap();
        assert!(told.iter().all(|(_, answer)| answer.is_ok()), "{told:?}");
        assert_eq!(told.iter().map(|(of, _)| of.clone()).collect::<Vec<_>>(), two);
        assert!(
            told[0]
                .1
                .as_ref()
                .unwrap()
                .iter()
                .any(|e| e.name == "log.dirs" && e.source == ConfigSource::Static)
        );
        let told = read::configs(&self.client, Some(broker(1)), &two[..1], None).await.unwrap();
        assert_eq!(told[0].1, Err(Code::INVALID_REQUEST));

        // Lists: append, append again, take away, what is left is set and empty, delete.
        let list = |op| change(topic("events"), LEADERS, op);
        let value = async || {
            let told = read::configs(&self.client, None, &[topic("events")], Some(&[LEADERS])).await.unwrap();
            let entries = told[0].1.clone().unwrap();
            (entries[0].value.clone().unwrap(), entries[0].source == ConfigSource::Topic)
        };
        let steps = [
            (ConfigOp::Append("0:1".into()), "0:1", true),
            (ConfigOp::Append("0:1,0:3".into()), "0:1,0:3", true),
            (ConfigOp::Subtract("0:1".into()), "0:3", true),
            (ConfigOp::Subtract("0:3".into()), "", true),
            (ConfigOp::Delete, "", false),
        ];
        for (op, text, set) in steps {
            assert_eq!(self.change(None, vec![list(op)]).await, [None]);
            self.until(text, async || value().await == (text.to_owned(), set)).await;
        }
        // One bad key voids its resource, not the others.
        let mixed = vec![
            change(topic("events"), "nonsense", ConfigOp::Set("1".into())),
            change(topic("orders"), "segment.ms", ConfigOp::Set("3600000".into())),
            change(topic("events"), "segment.ms", ConfigOp::Set("3600000".into())),
            change(topic("nowhere"), "segment.ms", ConfigOp::Delete),
        ];
        let codes = self.change(None, mixed).await;
        let (bad, gone) = (Some(Code::INVALID_CONFIG), Some(Code::UNKNOWN_TOPIC_OR_PARTITION));
        assert_eq!(codes, [bad, None, bad, gone]);
        assert_eq!(
            self.change(None, vec![change(topic("orders"), "segment.ms", ConfigOp::Delete)]).await,
            [None]
        );
    }

    async fn snapshot(&self) {
        let one = |key, value: &str| change(Resource::Broker(broker(1)), key, ConfigOp::Set(value.into()));
        let rates = vec![one(LEADER_RATE, "9000000"), one(FOLLOWER_RATE, "8000000")];
        assert_eq!(self.change(Some(1), rates).await, [None, None]);
        let all = vec![change(Resource::ClusterDefault, FOLLOWER_RATE, ConfigOp::Set("7000000".into()))];
        assert_eq!(self.change(None, all).await, [None]);
        let lists = vec![
            change(topic("orders"), LEADERS, ConfigOp::Append("0:1".into())),
            change(topic("orders"), FOLLOWERS, ConfigOp::Append("0:3".into())),
        ];
        assert_eq!(self.change(None, lists).await, [None, None]);

        // Brokers learn what the controller wrote a moment later.
        self.until("rates and lists are known", async || {
            let of = [Resource::Broker(broker(2)), topic("orders")];
            let told =
                read::configs(&self.client, None, &of, Some(&[FOLLOWER_RATE, FOLLOWERS])).await.unwrap();
            told.iter().all(|(_, answer)| {
                let entries = answer.as_ref().unwrap();
                let set = [ConfigSource::DynamicDefault, ConfigSource::Topic];
                entries.iter().any(|e| set.contains(&e.source))
            })
        })
        .await;

        let mut steps = Vec::new();
        let options =
            SnapshotOptions { taken_at: "2026-01-01T00:00:00Z".into(), ..SnapshotOptions::default() };
        let begun = Instant::now();
        let taken = snapshot::take(&self.client, &options, &mut |p| steps.push(p)).await.unwrap();
        println!("{}: a snapshot took {:?}", self.version, begun.elapsed());
        let Snapshot { cluster, warnings } = taken;
        assert!(warnings.is_empty(), "{warnings:?}");
        assert!(steps.iter().any(|p| p.step == Step::Configs && (p.done, p.total) == (4, 4)));
        assert_eq!((&*cluster.id, &*cluster.taken_at), (self.client.cluster_id(), &*options.taken_at));
        let facts: Vec<_> = cluster
            .brokers
            .iter()
            .map(|b| {
                (b.id.0, b.zone.clone().unwrap(), b.answered, b.log_dirs.len(), b.listeners.clone().unwrap())
            })
            .collect();
        let fact = |id, zone: &str| (id, zone.to_owned(), true, 2, vec!["PLAINTEXT".to_owned()]);
        assert_eq!(facts, [fact(1, "az-a"), fact(2, "az-a"), fact(3, "az-b"), fact(4, "az-b")]);
        let rates = |id| {
            let rates = &cluster.broker(broker(id)).unwrap().rates;
            rates.iter().map(|r| (r.key.clone(), r.value.clone(), r.source)).collect::<Vec<_>>()
        };
        let follower = (FOLLOWER_RATE.to_owned(), "7000000".to_owned(), ConfigSource::DynamicDefault);
        assert_eq!(rates(2), [follower]);
        let own = [(LEADER_RATE, "9000000"), (FOLLOWER_RATE, "8000000")];
        assert_eq!(rates(1), own.map(|(k, v)| (k.to_owned(), v.to_owned(), ConfigSource::DynamicBroker)));

        let orders = cluster.topic("orders").unwrap();
        // Before 4.1 broker 3 asks for two and the others for one: the strictest counts.
        assert_eq!(orders.min_isr.map(|(n, _)| n), Some(if self.since(4, 1) { 1 } else { 2 }));
        assert_eq!(cluster.topic("events").unwrap().min_isr, Some((1, ConfigSource::Topic)));
        assert_eq!(orders.throttled_leaders.as_deref(), Some("0:1"));
        assert_eq!(orders.throttled_followers.as_deref(), Some("0:3"));
        assert!(!orders.remote_storage);
        let witness = self.kafka.admin().log_dirs(&[1, 2, 3, 4]).unwrap();
        let mut replicas = 0;
        for (topic, p) in cluster.partitions() {
            for (at, id) in cluster.ids(p.replicas).into_iter().enumerate() {
                let theirs = witness
                    .iter()
                    .find(|r| (r.broker, &*r.topic, r.partition) == (id.0, &*topic.name, p.number))
                    .unwrap();
                let dir = &cluster.broker(id).unwrap().log_dirs[p.dirs[at] as usize].path;
                assert_eq!((p.sizes[at], &**dir), (theirs.size as u64, &*theirs.dir));
                replicas += 1;
            }
        }
        assert_eq!(replicas, witness.len());
        self.differences(&cluster).await;

        let back = vec![
            change(topic("orders"), LEADERS, ConfigOp::Delete),
            change(topic("orders"), FOLLOWERS, ConfigOp::Delete),
            change(Resource::ClusterDefault, FOLLOWER_RATE, ConfigOp::Delete),
        ];
        assert_eq!(self.change(None, back).await, [None; 3]);
    }

    /// What the snapshot says about differing configs is what asking every broker for every topic shows.
    async fn differences(&self, cluster: &restow_planner::model::Cluster) {
        let topics: Vec<Resource> = cluster.topics.iter().map(|t| topic(&t.name)).collect();
        let mut values = BTreeMap::<(String, String), BTreeMap<String, Vec<BrokerId>>>::new();
        for id in 1..=4 {
            for (of, entries) in read::configs(&self.client, Some(broker(id)), &topics, None).await.unwrap() {
                let Resource::Topic(name) = of else { panic!("{of}") };
                for e in entries.unwrap() {
                    let at = values.entry((name.clone(), e.name)).or_default();
                    at.entry(e.value.unwrap_or_default()).or_default().push(broker(id));
                }
            }
        }
        let expected: Vec<_> = values.into_iter().filter(|(_, values)| values.len() > 1).collect();
        let found = cluster.config_differences.iter();
        let found: Vec<_> = found
            .map(|d| ((d.topic.clone(), d.key.clone()), d.values.iter().cloned().collect::<BTreeMap<_, _>>()))
            .collect();
        assert_eq!(found, expected);
        let keys: Vec<_> = found.iter().map(|((topic, key), _)| (&**topic, &**key)).collect();
        let both = [("events", "retention.ms"), ("orders", "min.insync.replicas")];
        assert_eq!(keys, if self.since(4, 1) { &both[..1] } else { &both[..] });
    }
}
