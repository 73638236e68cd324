//! Questions: where they go, and when they are put again.

use std::time::Duration;

use kafka_protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{
    BrokerId as WireBroker, DescribeLogDirsRequest, DescribeLogDirsResponse, ListOffsetsRequest,
    ListOffsetsResponse, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
    MetadataRequest, MetadataResponse,
};
use restow_planner::model::BrokerId;
use tokio::time::Instant;

use super::peer::{Peer, Scripts, metadata, topic};
use crate::read::{self, OffsetQuery, Replica};
use crate::{Code, Error};

const ONE: BrokerId = BrokerId(1);

/// Answers Metadata until the client goes.
async fn tell(mut peer: Peer, answer: MetadataResponse) {
    peer.greet().await;
    while let Some(asked) = peer.next_or_end().await {
        peer.answer(&asked, &answer).await;
    }
}

fn ids(list: &[i32]) -> Vec<WireBroker> {
    list.iter().map(|id| WireBroker(*id)).collect()
}

fn one_topic(replicas: &[i32], isr: &[i32]) -> MetadataResponse {
    let partition = |index: i32| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(WireBroker(-1))
            .with_error_code(5)
            .with_leader_epoch(3)
            .with_replica_nodes(ids(replicas))
            .with_isr_nodes(ids(isr))
    };
    let topic = MetadataResponseTopic::default()
        .with_name(Some(topic("orders")))
        .with_partitions(vec![partition(1), partition(0)]);
    metadata(2, 1).with_topics(vec![topic])
}

#[tokio::test(start_paused = true)]
async fn metadata_is_sorted_and_typed() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(2, 1)).await;
    assert_eq!((client.cluster_id(), client.brokers()), ("cluster", vec![ONE, BrokerId(2)]));
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let request: MetadataRequest = asked.read();
        assert_eq!((request.topics, request.allow_auto_topic_creation), (None, false));
        peer.answer(&asked, &one_topic(&[2, 1], &[1])).await;
        peer.hold().await;
    });
    let topics = read::topics(&client, None).await.unwrap();
    let p = &topics[0].partitions[0];
    assert_eq!((p.partition, p.leader, p.leader_epoch), (0, None, 3));
    assert_eq!((&p.replicas[..], &p.isr[..]), (&[BrokerId(2), ONE][..], &[ONE][..]));
    assert_eq!(p.error, Some(Code::LEADER_NOT_AVAILABLE));
}

#[tokio::test(start_paused = true)]
async fn what_a_broker_cannot_say_is_refused() {
    for (replicas, isr, part) in [
        (&[1, 1][..], &[1][..], "replicas of orders-1: broker 1 stands twice"),
        (&[1, 2], &[3], "broker 3 leads or is in sync, but is none"),
        (&[1, -7], &[1], "broker -7"),
    ] {
        let scripts = Scripts::new();
        let client = scripts.client(metadata(1, 1)).await;
        let answer = one_topic(replicas, isr);
        scripts.then(|peer| tell(peer, answer));
        let error = read::topics(&client, None).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|peer| tell(peer, one_topic(&[1], &[1])));
    let error = read::topics(&client, Some(&["other".into()])).await.unwrap_err().to_string();
    assert!(error.contains("other topics than those asked for"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn another_broker_is_asked_when_one_fails_and_stays_the_first() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(3, 1)).await;
    scripts.then(Peer::hold).then(|peer| tell(peer, metadata(3, 1)));
    let begun = Instant::now();
    read::topics(&client, None).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
    read::topics(&client, None).await.unwrap();
    assert_eq!(scripts.connected(), ["seed:1", "h1:1", "h2:2"]);
}

#[tokio::test(start_paused = true)]
async fn the_bootstrap_servers_are_the_last_resort() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|peer| async { drop(peer) }).then(|peer| tell(peer, metadata(2, 1)));
    read::topics(&client, None).await.unwrap();
    assert_eq!(scripts.connected(), ["seed:1", "h1:1", "seed:1"]);
    assert_eq!(client.brokers(), [ONE, BrokerId(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_broker_of_another_cluster_is_not_believed() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    let other = metadata(1, 1).with_cluster_id(Some("other".into()));
    scripts.then(|peer| tell(peer, other));
    let error = read::topics(&client, None).await.unwrap_err();
    assert_eq!(error.to_string(), "broker 1 (h1:1) belongs to cluster \"other\", not to \"cluster\"");
    // Another broker is asked, and stays the one to ask.
    let scripts = Scripts::new();
    let client = scripts.client(metadata(2, 1)).await;
    let other = metadata(2, 1).with_cluster_id(Some("other".into()));
    scripts.then(|peer| tell(peer, other)).then(|peer| tell(peer, metadata(2, 1)));
    read::topics(&client, None).await.unwrap();
    read::topics(&client, None).await.unwrap();
    assert_eq!(scripts.connected(), ["seed:1", "h1:1", "h2:2"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_the_broker_closed_is_replaced() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        peer.answer(&asked, &metadata(1, 1)).await;
    });
    read::topics(&client, None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    scripts.then(|peer| tell(peer, metadata(1, 1)));
    let begun = Instant::now();
    read::topics(&client, None).await.unwrap();
    assert_eq!((scripts.connected().len(), begun.elapsed()), (3, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_broker_costs_one_deadline_and_callers_share_it() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(Peer::hold);
    let begun = Instant::now();
    let asks = (0..10).map(|_| read::log_dirs(&client, ONE, None));
    for answer in futures_util::future::join_all(asks).await {
        assert!(matches!(answer, Err(Error::TimedOut { .. })), "{answer:?}");
    }
    assert_eq!((scripts.connected().len(), begun.elapsed()), (2, Duration::from_secs(10)));
    let error = read::ping(&client, BrokerId(7)).await.unwrap_err();
    assert_eq!(error.to_string(), "broker 7 is not among the live brokers of the cluster");
}

#[tokio::test(start_paused = true)]
async fn a_ping_has_its_own_line_and_a_short_deadline() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        // Closed between two pings: the second connects again.
    });
    read::ping(&client, ONE).await.unwrap();
    scripts.then(|mut peer| async move {
        peer.greet().await;
        peer.greet_again().await;
        peer.hold().await;
    });
    read::ping(&client, ONE).await.unwrap();
    read::ping(&client, ONE).await.unwrap();
    let begun = Instant::now();
    let error = read::ping(&client, ONE).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert_eq!(begun.elapsed(), Duration::from_millis(2500));
}

#[tokio::test(start_paused = true)]
async fn reassignments_follow_the_controller() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(2, 1)).await;
    // Broker 1 is not the controller any more; it says so, and then names broker 2.
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let request: ListPartitionReassignmentsRequest = asked.read();
        assert_eq!((request.topics, request.timeout_ms), (None, 15_000));
        peer.answer(&asked, &ListPartitionReassignmentsResponse::default().with_error_code(41)).await;
        peer.hold().await;
    });
    scripts.then(|peer| tell(peer, metadata(2, 2)));
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let partition = OngoingPartitionReassignment::default()
            .with_replicas(ids(&[2, 3, 1]))
            .with_adding_replicas(ids(&[2, 3]))
            .with_removing_replicas(ids(&[1]));
        let one =
            OngoingTopicReassignment::default().with_name(topic("orders")).with_partitions(vec![partition]);
        peer.answer(&asked, &ListPartitionReassignmentsResponse::default().with_topics(vec![one])).await;
        peer.hold().await;
    });
    let list = read::reassignments(&client).await.unwrap();
    assert_eq!(list[0].adding, [BrokerId(2), BrokerId(3)]);
    assert_eq!(scripts.connected(), ["seed:1", "h1:1", "h1:1", "h2:2"]);
}

#[tokio::test(start_paused = true)]
async fn offsets_keep_the_order_of_the_queries() {
    use kafka_protocol::messages::list_offsets_response::{
        ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
    };
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let request: ListOffsetsRequest = asked.read();
        assert_eq!(request.replica_id, WireBroker(-2));
        let all = request.topics.iter().flat_map(|t| &t.partitions);
        assert!(all.clone().all(|p| p.timestamp == -1 && p.current_leader_epoch == 4) && all.count() == 2);
        let partition = |index: i32, offset, code| {
            ListOffsetsPartitionResponse::default()
                .with_partition_index(index)
                .with_offset(offset)
                .with_error_code(code)
        };
        let answer = ListOffsetsTopicResponse::default()
            .with_name(topic("a"))
            .with_partitions(vec![partition(0, 70, 0), partition(1, -1, 6)]);
        peer.answer(&asked, &ListOffsetsResponse::default().with_topics(vec![answer])).await;
        peer.hold().await;
    });
    let query = |partition| OffsetQuery { topic: "a".into(), partition, leader_epoch: 4 };
    let of = [query(1), query(0), query(1)];
    let offsets = read::end_offsets(&client, ONE, Replica::Local, &of).await.unwrap();
    let no = Err(Code::NOT_LEADER_OR_FOLLOWER);
    assert_eq!(offsets, [no, Ok(70), no]);
    assert_eq!(read::end_offsets(&client, ONE, Replica::Leader, &[]).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_no_reason_to_ask_again() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let request: DescribeLogDirsRequest = asked.read();
        assert_eq!(request.topics, None);
        peer.answer(&asked, &DescribeLogDirsResponse::default().with_error_code(31)).await;
        peer.hold().await;
    });
    let error = read::log_dirs(&client, ONE, None).await.unwrap_err();
    assert!(error.is_authorisation());
    assert_eq!(
        error.to_string(),
        "broker 1 (h1:1) refused DescribeLogDirs: CLUSTER_AUTHORIZATION_FAILED(31)"
    );
    let long = "x".repeat(40_000);
    let error = read::topics(&client, Some(&[long])).await.unwrap_err();
    assert!(matches!(error, Error::Unsendable { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_poisoned_topic_does_not_hide_the_others() {
    use crate::read::Resource;
    use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
    use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        while let Some(asked) = peer.next_or_end().await {
            let request: DescribeConfigsRequest = asked.read();
            assert!(request.include_synonyms);
            let fails = request.resources.iter().any(|r| r.resource_name.as_str() == "c");
            let result = |r: &kafka_protocol::messages::describe_configs_request::DescribeConfigsResource| {
                DescribeConfigsResult::default()
                    .with_resource_type(r.resource_type)
                    .with_resource_name(r.resource_name.clone())
                    .with_error_code(if fails { -1 } else { 0 })
            };
            let results = request.resources.iter().map(result).collect();
            peer.answer(&asked, &DescribeConfigsResponse::default().with_results(results)).await;
        }
    });
    let topics: Vec<Resource> = ["e", "d", "c", "b", "a"].map(|n| Resource::Topic(n.into())).into();
    let told = read::configs(&client, Some(ONE), &topics, Some(&["retention.ms"])).await.unwrap();
    assert_eq!(told.iter().map(|(of, _)| of.clone()).collect::<Vec<_>>(), topics);
    let bad: Vec<_> = told.iter().filter(|(_, answer)| answer.is_err()).map(|(of, _)| of).collect();
    assert_eq!(bad, [&Resource::Topic("c".into())]);
}
