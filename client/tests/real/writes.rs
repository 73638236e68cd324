//! Writes: reassignments, elections, throttles; and brokers that are lost.

use super::*;

impl Test<'_> {
    /// Expand under a throttle, see it in flight, cancel; swap and elect; refusals.
    pub async fn moves(&self) {
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
    pub async fn losses(&self) {
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
