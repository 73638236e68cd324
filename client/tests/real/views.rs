//! What brokers tell of topics, offsets and log directories.

use super::*;

impl Test<'_> {
    /// Cluster and topics are as Kafka's own client sees them.
    pub async fn views(&self) {
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

    /// Without an authorizer all is allowed, and brokers say so; each shows itself to who only looks.
    pub async fn permissions_and_probes(&self) {
        let names = ["orders".to_owned(), "nowhere".to_owned()];
        for topics in [None, Some(&names[..])] {
            let missing = permissions::missing(&self.client, Purpose::Apply, topics).await.unwrap();
            assert_eq!(missing, []);
        }
        for broker in self.client.brokers() {
            let probe = probe::probe(&self.client, broker).await.unwrap();
            assert_eq!((probe.address, probe.missing_apis), (self.kafka.address(broker.0), vec![]));
            assert!(probe.kraft && probe.metadata_version.is_some_and(|level| level >= 19));
        }
        let before = SystemTime::now();
        let quorum = probe::quorum(&self.client).await.unwrap();
        assert!(quorum.voters.contains(&quorum.leader), "{quorum:?}");
        let time = UNIX_EPOCH + Duration::from_millis(quorum.time.unwrap());
        let past = before - Duration::from_secs(1);
        assert!(
            past < time && time < SystemTime::now() + Duration::from_secs(1),
            "{time:?} since {before:?}"
        );
    }

    pub async fn offsets_and_log_dirs(&self) {
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
}
