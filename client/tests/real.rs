//! The client against real Kafka brokers, with Kafka's own Java client as the witness.

// Real processes in real time.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use restow_client::read::{self, OffsetQuery, Replica, Resource};
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

    /// Cluster and topics are as Kafka's own client sees them.
    async fn views(&self) {
        let witness = self.kafka.admin().cluster().unwrap();
        let view = read::cluster(&self.client).await.unwrap();
        assert_eq!((&view.cluster_id, self.client.cluster_id()), (&witness.id, &*witness.id));
        let racks: BTreeMap<_, _> = view.brokers.iter().map(|b| (b.id.0, b.rack.clone())).collect();
        assert_eq!(racks, witness.brokers);
        let fenced = if self.since(4, 0) { Some(false) } else { None };
        for b in &view.brokers {
            assert_eq!((b.fenced, format!("{}:{}", b.host, b.port)), (fenced, self.kafka.address(b.id.0)));
            read::ping(&self.client, b.id).await.unwrap();
            read::ping(&self.client, b.id).await.unwrap();
        }

        let witness = self.kafka.admin().topics().unwrap();
        let topics = read::topics(&self.client, None).await.unwrap();
        assert_eq!(topics.iter().map(|t| &t.name).collect::<Vec<_>>(), witness.keys().collect::<Vec<_>>());
        for (view, (_, topic)) in topics.iter().zip(&witness) {
            assert_eq!((view.id.to_string(), view.error), (topic.id.clone(), None));
            assert_eq!(view.partitions.len(), topic.partitions.len());
            for (ours, theirs) in view.partitions.iter().zip(&topic.partitions) {
                assert_eq!(ours.replicas, list(&theirs.replicas));
                assert_eq!(ours.leader, theirs.leader.map(BrokerId));
                let isr = |of: &[BrokerId]| of.iter().copied().collect::<BTreeSet<_>>();
                assert_eq!(isr(&ours.isr), isr(&list(&theirs.isr)));
                assert!(ours.leader_epoch >= 0 && ours.error.is_none());
            }
        }
        let topics = read::topics(&self.client, Some(&["nowhere".into(), "orders".into()])).await.unwrap();
        assert_eq!(topics[0].error, Some(Code::UNKNOWN_TOPIC_OR_PARTITION));
        assert_eq!((topics[1].error, topics[1].partitions.len()), (None, 4));
        assert_eq!(read::reassignments(&self.client).await.unwrap(), []);
    }

    async fn offsets_and_log_dirs(&self) {
        let witness = self.kafka.admin().offsets(Some(&["orders"])).unwrap();
        let query = |partition| OffsetQuery { topic: "orders".into(), partition, leader_epoch: -1 };
        let of: Vec<_> = [3, 0, 1, 2].map(query).into();
        let at = |as_replica| read::end_offsets(&self.client, broker(3), as_replica, &of);
        let (leader, local) = (at(Replica::Leader).await.unwrap(), at(Replica::Local).await.unwrap());
        let latest = |partition: i32| witness[&("orders".to_owned(), partition)].latest;
        let no = Err(Code::NOT_LEADER_OR_FOLLOWER);
        assert_eq!(leader, [Ok(latest(3)), no, Ok(latest(1)), no]);
        assert_eq!(local, [Ok(latest(3)), Ok(latest(0)), Ok(latest(1)), Ok(latest(2))]);
        assert!(latest(0) + latest(1) + latest(2) + latest(3) >= 20_000);
        let early = read::earliest_offsets(&self.client, broker(3), Replica::Leader, &of[..1]).await.unwrap();
        assert_eq!(early, [Ok(0)]);
        // No replica there, a topic that is not there, and an epoch that is not.
        let strange = [
            OffsetQuery { topic: "events".into(), partition: 0, leader_epoch: -1 },
            OffsetQuery { topic: "nowhere".into(), partition: 0, leader_epoch: -1 },
        ];
        let told = read::end_offsets(&self.client, broker(2), Replica::Local, &strange).await.unwrap();
        assert_eq!(told, [no, Err(Code::UNKNOWN_TOPIC_OR_PARTITION)]);
        let stale = [OffsetQuery { leader_epoch: 99, ..query(3) }];
        let told = read::end_offsets(&self.client, broker(3), Replica::Local, &stale).await.unwrap();
        assert_eq!(told, [Err(Code::UNKNOWN_LEADER_EPOCH)]);

        let witness = self.kafka.admin().log_dirs(&[1, 2, 3, 4]).unwrap();
        for id in 1..=4 {
            let dirs = read::log_dirs(&self.client, broker(id), None).await.unwrap();
            assert_eq!(dirs.len(), 2);
            let mut ours = Vec::new();
            for dir in &dirs {
                assert_eq!((dir.error, dir.cordoned), (None, self.since(4, 3).then_some(false)));
                assert!(dir.total.unwrap() > dir.usable.unwrap());
                let each =
                    dir.replicas.iter().map(|r| (&*dir.path, &*r.topic, r.partition, r.size, r.future));
                ours.extend(each);
            }
            ours.sort_unstable();
            let theirs = witness.iter().filter(|r| r.broker == id);
            let mut theirs: Vec<_> =
                theirs.map(|r| (&*r.dir, &*r.topic, r.partition, r.size as u64, r.future)).collect();
            theirs.sort_unstable();
            assert_eq!(ours, theirs);
            assert!(!ours.is_empty());
        }
        let some = read::log_dirs(&self.client, broker(1), Some(&["events".into()])).await.unwrap();
        let some: Vec<_> = some.iter().flat_map(|d| &d.replicas).map(|r| (&*r.topic, r.partition)).collect();
        assert_eq!(some, [("events", 0)]);
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

    /// Expand under a throttle, see it in flight, cancel; swap and elect; refusals.
    async fn moves(&self) {
        let slow = |id: i32| {
            [LEADER_RATE, FOLLOWER_RATE]
                .map(|key| change(Resource::Broker(broker(id)), key, ConfigOp::Set("20000".into())))
        };
        for id in [1, 3, 4] {
            assert_eq!(self.change(Some(id), slow(id).into()).await, [None, None]);
        }
        let lists = vec![
            change(topic("orders"), LEADERS, ConfigOp::Set("*".into())),
            change(topic("orders"), FOLLOWERS, ConfigOp::Set("*".into())),
        ];
        assert_eq!(self.change(None, lists).await, [None, None]);
        // Brokers apply topic configs a moment after the controller has written them.
        tokio::time::sleep(Duration::from_secs(1)).await;

        assert_eq!(self.reassign(0, Some(&[1, 3, 4]), true).await, None);
        self.until("in flight", async || !read::reassignments(&self.client).await.unwrap().is_empty()).await;
        let moving = read::reassignments(&self.client).await.unwrap();
        let one = &moving[0];
        assert_eq!((&*one.topic, one.partition, &one.replicas), ("orders", 0, &list(&[1, 3, 4])));
        assert_eq!((&one.adding, one.removing.len()), (&list(&[4]), 0));
        let taken = snapshot::take(&self.client, &SnapshotOptions::default(), &mut |_| {}).await.unwrap();
        let p = taken.cluster.find("orders", 0).unwrap();
        assert_eq!(taken.cluster.in_flight[&p.index].adding, list(&[4]));
        let query = OffsetQuery { topic: "orders".into(), partition: 0, leader_epoch: -1 };
        let local = read::end_offsets(&self.client, broker(4), Replica::Local, &[query]).await.unwrap();
        assert!(local[0].is_ok(), "an adding replica answers for itself: {local:?}");

        assert_eq!(self.reassign(0, None, true).await, None);
        self.until("cancelled", async || read::reassignments(&self.client).await.unwrap().is_empty()).await;
        self.until("as before", async || self.orders(0).await.0 == list(&[1, 3])).await;
        assert_eq!(self.reassign(0, None, true).await, Some(Code::NO_REASSIGNMENT_IN_PROGRESS));

        // An order-only change, guarded where the broker can guard it, and the election that follows.
        assert_eq!(self.reassign(0, Some(&[3, 1]), false).await, None);
        self.until("swapped", async || self.orders(0).await.0 == list(&[3, 1])).await;
        let elect = |topic: &str| Write::Elect { items: vec![TopicPartition::new(topic, 0)] };
        assert_eq!(self.send(elect("orders")).await, [None]);
        self.until("elected", async || self.orders(0).await.1 == Some(broker(3))).await;
        assert_eq!(self.send(elect("orders")).await, [Some(Code::ELECTION_NOT_NEEDED)]);
        assert_eq!(self.send(elect("nowhere")).await, [Some(Code::UNKNOWN_TOPIC_OR_PARTITION)]);
        assert_eq!(self.reassign(0, Some(&[3, 77]), true).await, Some(Code::INVALID_REPLICA_ASSIGNMENT));
        let guarded = self.reassign(0, Some(&[3]), false).await;
        let expected = self.since(4, 1).then_some(Code::INVALID_REPLICATION_FACTOR);
        assert_eq!(guarded, expected);

        for id in [1, 3, 4] {
            let off = [LEADER_RATE, FOLLOWER_RATE];
            let off = off.map(|key| change(Resource::Broker(broker(id)), key, ConfigOp::Delete));
            assert_eq!(self.change(Some(id), off.into()).await, [None, None]);
        }
    }

    /// A paused broker, a paused controller, a killed broker.
    async fn losses(&self) {
        let pinged = async |id| read::ping(&self.client, broker(id)).await;
        pinged(4).await.unwrap();
        self.kafka.pause(4);
        let begun = Instant::now();
        assert!(matches!(pinged(4).await, Err(Error::TimedOut { .. })));
        assert!(begun.elapsed() < Duration::from_secs(4));
        let hasty = Options { connect_timeout: Duration::from_secs(3), ..Options::default() };
        let client = connect(self.kafka, hasty).await;
        let taken = snapshot::take(&client, &SnapshotOptions::default(), &mut |_| {}).await.unwrap();
        let four = taken.cluster.broker(broker(4)).unwrap();
        assert!(!four.answered && four.log_dirs.is_empty());
        let p = taken.cluster.find("events", 1).unwrap();
        assert!(p.sizes[0] != UNKNOWN_SIZE && p.sizes[1] == UNKNOWN_SIZE);
        let expected = |w: &Warning| match w {
            Warning::Silent { broker: id, .. } => id.0 == 4,
            // If the controller has fenced it by now, Kafka before 4.0 does not list it.
            Warning::Unlisted { broker: id } => id.0 == 4 && !self.since(4, 0),
            _ => false,
        };
        assert!(taken.warnings.len() == 1 && taken.warnings.iter().all(expected), "{:?}", taken.warnings);
        self.kafka.resume(4);
        self.until("resumed", async || pinged(4).await.is_ok()).await;

        // Without a controller a forwarded write hangs; reads are not behind it.
        self.kafka.pause(CONTROLLER);
        let elect = Write::Elect { items: vec![TopicPartition::new("events", 0)] };
        let write = write::send(&self.client, &elect);
        let reads = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let begun = Instant::now();
            read::topics(&self.client, None).await.unwrap();
            begun.elapsed()
        };
        let (answer, read_in) = tokio::join!(write, reads);
        assert!(matches!(answer, Answer::Open(Error::TimedOut { .. })), "{answer:?}");
        assert!(read_in < Duration::from_secs(2), "{read_in:?}");
        self.kafka.resume(CONTROLLER);
        self.until("a controller", async || {
            matches!(write::send(&self.client, &elect).await, Answer::Items(items) if items[0].code == Some(Code::ELECTION_NOT_NEEDED))
        })
        .await;

        self.kafka.kill(2);
        let error = pinged(2).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. } | Error::UnknownBroker { .. }), "{error:?}");
        let to_two = Write::Configs {
            broker: Some(broker(2)),
            items: vec![change(Resource::Broker(broker(2)), LEADER_RATE, ConfigOp::Delete)],
        };
        let answer = write::send(&self.client, &to_two).await;
        assert!(matches!(answer, Answer::NotSent(_)), "{answer:?}");
        let fenced = || self.kafka.admin().cluster().is_ok_and(|c| !c.brokers.contains_key(&2));
        assert!(wait_until(SOON, fenced));
        let taken = snapshot::take(&client, &SnapshotOptions::default(), &mut |_| {}).await.unwrap();
        let two = taken.cluster.broker(broker(2)).unwrap();
        assert!(!two.answered);
        assert_eq!(two.fenced, self.since(4, 0).then_some(true));
        assert_eq!(two.rack.is_some(), self.since(4, 0));
        println!("{}: {}", self.version, taken.warnings[0]);
    }
}
