//! ZooKeeper mode, against the simulator: who takes writes, and which of them survive each other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use restow_planner::model::{BrokerId, TopicPartition};
use restow_simulator::{BrokerSetup, Setup, Simulator, TopicSetup};

use super::*;
use crate::{Connect, Options, Stream, read};

const LIST: &str = "leader.replication.throttled.replicas";

#[derive(Debug)]
struct Simulated(Simulator);

impl Connect for Simulated {
    fn connect(&self, address: &str) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let stream = self.0.connect(address).map(|stream| Box::new(stream) as Box<dyn Stream>);
        async move { stream }.boxed()
    }
}

fn cluster() -> Simulator {
    let setup = Setup {
        version: "3.9.2-zk".to_owned(),
        brokers: (1..=4).map(|id| BrokerSetup::new(id, "az-a")).collect(),
        topics: vec![TopicSetup::new("t", vec![vec![3, 4]], 0)],
        session_timeout: Duration::from_secs(6),
        ..Setup::default()
    };
    Simulator::new(&setup).unwrap()
}

/// A client that was only told of broker 3: the controller is 1.
async fn client(simulator: &Simulator) -> Client {
    let servers = ["broker-3.sim:9092".to_owned()];
    let connect = Arc::new(Simulated(simulator.clone()));
    Client::bootstrap(connect, &servers, Options::default()).await.unwrap()
}

fn reorder(list: [i32; 2]) -> Write {
    let target = list.map(BrokerId).to_vec();
    Write::Reassign { items: vec![(TopicPartition::new("t", 0), Some(target))], allow_rf_change: true }
}

fn codes(answer: &Answer) -> Vec<Option<Code>> {
    match answer {
        Answer::Items(items) => items.iter().map(|item| item.code).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn writes_go_to_the_controller_and_follow_it() {
    let simulator = cluster();
    let client = client(&simulator).await;
    assert_eq!(route(&client, &reorder([4, 3])).await.unwrap(), BrokerId(1));
    assert_eq!(codes(&send(&client, &reorder([4, 3])).await), [None]);
    assert_eq!(codes(&send_to(&client, BrokerId(2), &reorder([3, 4])).await), [Some(Code::NOT_CONTROLLER)]);
    let elect = Write::Elect { items: vec![TopicPartition::new("t", 0)] };
    assert_eq!(codes(&send_to(&client, BrokerId(2), &elect).await), [Some(Code::NOT_CONTROLLER)]);
    assert_eq!(codes(&send(&client, &elect).await), [None]);

    simulator.kill(1);
    tokio::time::sleep(Duration::from_secs(10)).await;
    // The first finds nobody at the old place, and says that nothing was sent; the next finds the new one.
    assert!(matches!(send(&client, &reorder([3, 4])).await, Answer::NotSent(_) | Answer::Open(_)));
    assert_eq!(codes(&send(&client, &reorder([3, 4])).await), [None]);
    assert_eq!(route(&client, &elect).await.unwrap(), BrokerId(2));
    assert!(read::reassignments(&client).await.unwrap().is_empty());

    simulator.lose_controller();
    assert_eq!(codes(&send(&client, &reorder([4, 3])).await), [Some(Code::NOT_CONTROLLER)]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(codes(&send(&client, &reorder([4, 3])).await), [None]);
    assert_eq!(route(&client, &elect).await.unwrap(), BrokerId(3));
}

/// How many of forty appends that are sent at once, by these clients in turn, are kept.
async fn kept(simulator: &Simulator, clients: &[Client]) -> usize {
    let append = |n: usize| {
        let resource = Resource::Topic("t".to_owned());
        let op = ConfigOp::Append(format!("{n}:1"));
        let items = vec![ConfigChange { resource, key: LIST.to_owned(), op }];
        let client = &clients[n % clients.len()];
        async move { send(client, &Write::Configs { broker: None, items }).await }
    };
    for answer in join_all((0..40).map(append)).await {
        assert_eq!(codes(&answer), [None], "all are told that it was done");
    }
    simulator.with_state(|state| state.topics["t"].configs[LIST].split(',').count())
}

#[tokio::test(start_paused = true)]
async fn config_writes_of_one_client_are_all_kept_and_those_of_two_are_not() {
    let simulator = cluster();
    assert_eq!(kept(&simulator, &[client(&simulator).await]).await, 40);
    let simulator = cluster();
    let two = [client(&simulator).await, client(&simulator).await];
    let kept = kept(&simulator, &two).await;
    assert!(kept < 40, "{kept}");
}
