//! Changes: sent once, and what is known when there is no answer.

use std::time::Duration;

use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, BrokerId as WireBroker,
    ElectLeadersRequest, ElectLeadersResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use restow_planner::model::{BrokerId, TopicPartition};

use super::peer::{OFFERED, Peer, Scripts, metadata, topic};
use crate::read::Resource;
use crate::write::{self, Answer, ConfigChange, ConfigOp, ItemAnswer, Write};
use crate::{Code, Error};

fn reassign() -> Write {
    Write::Reassign {
        items: vec![
            (TopicPartition::new("b", 0), Some(vec![BrokerId(3), BrokerId(1)])),
            (TopicPartition::new("a", 2), None),
        ],
        allow_rf_change: false,
    }
}

fn alter_answer(b0: i16, a2: i16) -> AlterPartitionReassignmentsResponse {
    let one = |name, index, code| {
        let partition =
            ReassignablePartitionResponse::default().with_partition_index(index).with_error_code(code);
        ReassignableTopicResponse::default().with_name(topic(name)).with_partitions(vec![partition])
    };
    AlterPartitionReassignmentsResponse::default().with_responses(vec![one("a", 2, a2), one("b", 0, b0)])
}

fn items(answer: Answer) -> Vec<ItemAnswer> {
    match answer {
        Answer::Items(items) => items,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_reassignment_says_exactly_what_it_means() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let request: AlterPartitionReassignmentsRequest = asked.read();
        assert_eq!((asked.version, request.timeout_ms), (1, 30_000));
        assert!(!request.allow_replication_factor_change);
        assert_eq!(
            (request.topics[0].name.clone(), request.topics[1].name.clone()),
            (topic("a"), topic("b"))
        );
        assert_eq!(request.topics[0].partitions[0].replicas, None);
        assert_eq!(request.topics[1].partitions[0].replicas, Some(vec![WireBroker(3), WireBroker(1)]));
        peer.answer(&asked, &alter_answer(0, 85)).await;
        peer.hold().await;
    });
    let codes: Vec<_> = items(write::send(&client, &reassign()).await).into_iter().map(|i| i.code).collect();
    assert_eq!(codes, [None, Some(Code::NO_REASSIGNMENT_IN_PROGRESS)]);
}

#[tokio::test(start_paused = true)]
async fn the_rf_flag_is_left_out_where_the_broker_does_not_know_it() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        let older = OFFERED.map(|(key, max)| if key == 45 { (key, 0) } else { (key, max) });
        peer.greet_with(&older).await;
        let asked = peer.next().await;
        assert_eq!(asked.version, 0);
        peer.answer(&asked, &alter_answer(0, 0)).await;
        peer.hold().await;
    });
    assert_eq!(items(write::send(&client, &reassign()).await).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_late_leaves_the_write_open() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(2, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        tokio::time::sleep(Duration::from_secs(31)).await;
        peer.answer(&asked, &alter_answer(0, 0)).await;
        assert!(peer.next_or_end().await.is_none(), "a write was sent twice");
    });
    let answer = write::send(&client, &reassign()).await;
    assert!(
        matches!(&answer, Answer::Open(Error::TimedOut { api, .. }) if *api == "AlterPartitionReassignments")
    );
    assert_eq!(scripts.connected(), ["seed:1", "h1:1"]);
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_before_the_answer_leaves_the_write_open() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        peer.next().await;
    });
    let answer = write::send(&client, &reassign()).await;
    assert!(matches!(answer, Answer::Open(Error::Broken { .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_misses_an_item_is_no_answer() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let mut answer = alter_answer(0, 0);
        answer.responses.pop();
        peer.answer(&asked, &answer).await;
        peer.hold().await;
    });
    let answer = write::send(&client, &reassign()).await;
    assert!(
        matches!(&answer, Answer::Open(error) if error.to_string().contains("nothing about b-0")),
        "{answer:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_nothing_was_sent() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    let answer = write::send(&client, &reassign()).await;
    assert!(matches!(answer, Answer::NotSent(Error::Unreachable { .. })), "{answer:?}");
    let old = OFFERED.map(|(key, max)| if key == 45 { (145, 0) } else { (key, max) });
    let script = move |mut peer: Peer| async move {
        peer.greet_with(&old).await;
        peer.hold().await;
    };
    // In ZooKeeper mode the controller is asked for again.
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        peer.answer(&asked, &metadata(1, 1)).await;
        peer.hold().await;
    });
    scripts.then(script);
    let answer = write::send(&client, &reassign()).await;
    assert!(matches!(answer, Answer::NotSent(Error::Unsupported { .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_whole_request_is_given_to_every_item() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(2, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let answer = AlterPartitionReassignmentsResponse::default()
            .with_error_code(41)
            .with_error_message(Some("go away".into()));
        peer.answer(&asked, &answer).await;
        peer.hold().await;
    });
    let told = items(write::send(&client, &reassign()).await);
    let all = ItemAnswer { code: Some(Code::NOT_CONTROLLER), message: Some("go away".into()) };
    assert_eq!(told, [all.clone(), all]);
    // It is not sent again, but the next write asks for the controller first.
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        peer.answer(&asked, &metadata(2, 2)).await;
        peer.hold().await;
    });
    assert_eq!(write::route(&client, &reassign()).await.unwrap(), BrokerId(2));
}

#[tokio::test(start_paused = true)]
async fn an_election_is_preferred_and_never_of_the_whole_cluster() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let request: ElectLeadersRequest = asked.read();
        assert_eq!((request.election_type, request.timeout_ms), (0, 30_000));
        let topics = request.topic_partitions.unwrap();
        assert_eq!((topics.len(), &topics[0].partitions[..]), (1, &[4][..]));
        let result = PartitionResult::default().with_partition_id(4).with_error_code(84);
        let topic =
            ReplicaElectionResult::default().with_topic(topic("a")).with_partition_result(vec![result]);
        peer.answer(&asked, &ElectLeadersResponse::default().with_replica_election_results(vec![topic]))
            .await;
        peer.hold().await;
    });
    let told = items(write::send(&client, &Write::Elect { items: vec![TopicPartition::new("a", 4)] }).await);
    assert_eq!(told[0].code, Some(Code::ELECTION_NOT_NEEDED));
}

fn change(resource: Resource, key: &str, op: ConfigOp) -> ConfigChange {
    ConfigChange { resource, key: key.into(), op }
}

#[tokio::test(start_paused = true)]
async fn config_changes_are_answered_per_resource() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(2, 1)).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let request: IncrementalAlterConfigsRequest = asked.read();
        assert!(!request.validate_only);
        let seen: Vec<_> = request
            .resources
            .iter()
            .flat_map(|r| {
                r.configs.iter().map(move |c| (r.resource_type, c.config_operation, c.value.as_deref()))
            })
            .collect();
        assert_eq!(
            seen,
            [(2, 2, Some("0:1")), (2, 1, None), (2, 3, Some("0:2")), (4, 0, Some("9")), (4, 0, Some("7"))]
        );
        let result = |kind, name: &'static str, code| {
            AlterConfigsResourceResponse::default()
                .with_resource_type(kind)
                .with_resource_name(name.into())
                .with_error_code(code)
                .with_error_message(Some("".into()))
        };
        let responses = vec![result(4, "", 0), result(4, "2", 0), result(2, "a", 40), result(2, "b", 0)];
        peer.answer(&asked, &IncrementalAlterConfigsResponse::default().with_responses(responses)).await;
        peer.hold().await;
    });
    let topic = |name: &str| Resource::Topic(name.into());
    let write = Write::Configs {
        broker: Some(BrokerId(2)),
        items: vec![
            change(Resource::Broker(BrokerId(2)), "rate", ConfigOp::Set("9".into())),
            change(topic("a"), "x", ConfigOp::Append("0:1".into())),
            change(topic("b"), "x", ConfigOp::Subtract("0:2".into())),
            change(topic("a"), "y", ConfigOp::Delete),
            change(Resource::ClusterDefault, "rate", ConfigOp::Set("7".into())),
        ],
    };
    let told = items(write::send(&client, &write).await);
    let codes: Vec<_> = told.iter().map(|item| item.code.map(|c| c.0)).collect();
    assert_eq!(codes, [None, Some(40), None, Some(40), None]);
    assert!(told.iter().all(|item| item.message.is_none()));
    assert_eq!(scripts.connected(), ["seed:1", "h2:2"]);
}

#[tokio::test(start_paused = true)]
async fn what_brokers_would_misread_is_not_sent() {
    let scripts = Scripts::new();
    let client = scripts.client(metadata(1, 1)).await;
    let a0 = TopicPartition::new("a", 0);
    let list = |ids: &[i32]| Some(ids.iter().map(|id| BrokerId(*id)).collect::<Vec<_>>());
    let reassign = |items| Write::Reassign { items, allow_rf_change: true };
    let configs = |items| Write::Configs { broker: None, items };
    let topic = || Resource::Topic("a".into());
    let cases = [
        (Write::Elect { items: vec![] }, "nothing in it"),
        (Write::Elect { items: vec![a0.clone(), a0.clone()] }, "a-0 stands twice"),
        (reassign(vec![]), "nothing in it"),
        (reassign(vec![(a0.clone(), list(&[1])), (a0.clone(), None)]), "a-0 stands twice"),
        (reassign(vec![(a0.clone(), list(&[]))]), "the replica list of a-0 is empty"),
        (reassign(vec![(a0.clone(), list(&[1, 2, 1]))]), "broker 1 stands twice"),
        (reassign(vec![(TopicPartition::new("x".repeat(32_768), 0), None)]), "32768 bytes"),
        (configs(vec![change(topic(), "k", ConfigOp::Set("v".repeat(32_768)))]), "32768 bytes"),
        (
            configs(vec![
                change(topic(), "k", ConfigOp::Append("1".into())),
                change(topic(), "k", ConfigOp::Subtract("2".into())),
            ]),
            "k of topic a stands twice",
        ),
        (
            configs(vec![change(Resource::Broker(BrokerId(1)), "k", ConfigOp::Delete)]),
            "go to that broker only",
        ),
    ];
    for (write, part) in cases {
        let answer = write::send(&client, &write).await;
        assert!(matches!(&answer, Answer::NotSent(error) if error.to_string().contains(part)), "{answer:?}");
    }
    assert_eq!(scripts.connected(), ["seed:1"]);
}

#[test]
fn a_write_reads_as_it_was_journalled() {
    let writes = [
        reassign(),
        Write::Elect { items: vec![TopicPartition::new("a", 4)] },
        Write::Configs {
            broker: Some(BrokerId(2)),
            items: vec![
                change(Resource::ClusterDefault, "k", ConfigOp::Delete),
                change(Resource::Broker(BrokerId(2)), "k", ConfigOp::Set(String::new())),
                change(Resource::Topic("t".into()), "k", ConfigOp::Append("0:1".into())),
            ],
        },
    ];
    for write in writes {
        let json = serde_json::to_string(&write).unwrap();
        assert_eq!(serde_json::from_str::<Write>(&json).unwrap(), write, "{json}");
    }
}
