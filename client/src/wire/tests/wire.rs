//! One connection: correlation, deadlines, broken and foreign peers.

use std::sync::Arc;
use std::time::Duration;

use bytes::BufMut;
use kafka_protocol::messages::{DescribeClusterResponse, ResponseHeader};
use kafka_protocol::protocol::{Encodable, StrBytes};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::peer::{Peer, Scripts, metadata, options};
use crate::connect::Connect;
use crate::error::{Error, Peer as Named};
use crate::view::ClusterView;
use crate::wire::calls::metadata::DescribeCluster;
use crate::wire::messenger::{Lost, Messenger};

const SOON: Duration = Duration::from_secs(5);

async fn messenger<F: Future<Output = ()> + Send + 'static>(
    script: impl FnOnce(Peer) -> F + Send + 'static,
) -> Result<Messenger, Error> {
    let scripts = Scripts::new();
    scripts.then(script);
    let stream = scripts.connect("b:1").await.unwrap();
    let peer = Named { id: None, address: "b:1".into() };
    Messenger::begin(stream, peer, "test".into(), options().frame_limit).await
}

fn cluster(id: &'static str) -> DescribeClusterResponse {
    DescribeClusterResponse::default().with_cluster_id(StrBytes::from_static_str(id))
}

async fn ask(messenger: &Messenger) -> Result<ClusterView, Lost> {
    messenger.call(&DescribeCluster, SOON).await
}

#[tokio::test(start_paused = true)]
async fn answers_in_any_order_reach_who_asked() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        let (one, two, three) = (peer.next().await, peer.next().await, peer.next().await);
        assert_eq!([one.id, two.id, three.id], [1, 2, 3]);
        peer.answer(&three, &cluster("three")).await;
        peer.answer(&one, &cluster("one")).await;
        peer.answer(&two, &cluster("two")).await;
        peer.hold().await;
    })
    .await
    .unwrap();
    let (one, two, three) = tokio::join!(ask(&messenger), ask(&messenger), ask(&messenger));
    let ids = [one, two, three].map(|answer| answer.unwrap().cluster_id);
    assert_eq!(ids, ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_time_out_ends_the_connection_for_all() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        peer.hold().await;
    })
    .await
    .unwrap();
    let patient = messenger.call(&DescribeCluster, SOON * 10);
    let (quick, patient) = tokio::join!(ask(&messenger), patient);
    let quick = quick.unwrap_err();
    assert!(quick.sent);
    assert_eq!(quick.error.to_string(), "b:1 did not answer DescribeCluster within 5000 ms");
    let patient = patient.unwrap_err();
    assert!(patient.sent && patient.error.to_string().contains("given up"), "{patient:?}");
    assert!(!messenger.is_open());
    let next = ask(&messenger).await.unwrap_err();
    assert!(!next.sent);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_began_is_known_as_unsent() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        // Reads nothing more: the pipe of 4 KiB fills.
        sleep(Duration::from_secs(3600)).await;
    })
    .await
    .unwrap();
    let names: Vec<String> = (0..1000).map(|n| format!("topic-{n}")).collect();
    let large = crate::wire::calls::metadata::Metadata { names: Some(&names) };
    let (large, small) = tokio::join!(messenger.call(&large, SOON), ask(&messenger));
    assert!(large.unwrap_err().sent);
    assert!(!small.unwrap_err().sent);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_not_asked_for_ends_the_connection() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        let mut asked = peer.next().await;
        asked.id += 7;
        peer.answer(&asked, &cluster("x")).await;
        peer.hold().await;
    })
    .await
    .unwrap();
    let lost = ask(&messenger).await.unwrap_err();
    assert!(lost.sent && lost.error.to_string().contains("request 8"), "{lost:?}");
    assert!(!messenger.is_open());
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_is_no_answer() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        peer.next().await;
        let _ = peer.stream.write_all(&[0, 0, 0, 99, 0, 0, 0, 1, 0]).await;
    })
    .await
    .unwrap();
    let lost = ask(&messenger).await.unwrap_err();
    assert!(lost.sent && matches!(lost.error, Error::Broken { .. }), "{lost:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_sense_leaves_the_connection_alone() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let mut body = Vec::new();
        body.put_i32(asked.id);
        body.put_slice(&[0, 1, 2, 3]);
        peer.frame(&body).await;
        let asked = peer.next().await;
        peer.answer(&asked, &cluster("fine")).await;
        peer.hold().await;
    })
    .await
    .unwrap();
    let lost = ask(&messenger).await.unwrap_err();
    assert!(lost.error.to_string().contains("DescribeCluster v2 answer makes no sense"), "{lost:?}");
    assert_eq!(ask(&messenger).await.unwrap().cluster_id, "fine");
}

#[tokio::test(start_paused = true)]
async fn a_frame_above_the_limit_is_not_read() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        peer.next().await;
        let _ = peer.stream.write_all(&(300u32 << 20).to_be_bytes()).await;
        peer.hold().await;
    })
    .await
    .unwrap();
    let lost = ask(&messenger).await.unwrap_err();
    assert!(lost.error.to_string().contains("a frame of 314572800 bytes, where 268435456"), "{lost:?}");
}

#[tokio::test(start_paused = true)]
async fn peers_that_are_no_brokers_are_named_as_such() {
    let cases: [(&[u8], &str); 5] = [
        (&[0x15, 3, 3, 0, 2, 2, 40], "it speaks TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n", "it sent the text \"HTTP\""),
        (&[], "it closed the connection"),
        // The limit is 1 MiB before a peer has proved itself.
        (&[0, 0x20, 0, 0, 0, 0, 0, 0], "a frame of 2097152 bytes, where 1048576 are the limit"),
        (&[0, 0, 0, 6, 0, 0, 0, 9, 0, 0], "its first answer is to request 9"),
    ];
    for (bytes, expected) in cases {
        let script = move |mut peer: Peer| async move {
            peer.next().await;
            let _ = peer.stream.write_all(bytes).await;
        };
        let error = messenger(script).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::NotKafka { .. }), "{error:?}");
        assert!(text.contains(expected) && text.contains("b:1"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_may_arrive_byte_by_byte() {
    let messenger = messenger(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let mut body = bytes::BytesMut::new();
        ResponseHeader::default().with_correlation_id(asked.id).encode(&mut body, 1).unwrap();
        cluster("slow").encode(&mut body, asked.version).unwrap();
        let length = (body.len() as u32).to_be_bytes();
        for byte in length.iter().chain(body.iter()) {
            let _ = peer.stream.write_all(&[*byte]).await;
            sleep(Duration::from_millis(1)).await;
        }
        peer.hold().await;
    })
    .await
    .unwrap();
    assert_eq!(ask(&messenger).await.unwrap().cluster_id, "slow");
}

#[tokio::test(start_paused = true)]
async fn bootstrap_names_every_server_that_failed() {
    let scripts = Scripts::new();
    scripts.then(|mut peer: Peer| async move {
        peer.next().await;
    });
    let servers = ["a:1".to_owned(), "b:2".to_owned(), "nonsense".to_owned()];
    let connect = Arc::clone(&scripts) as Arc<dyn Connect>;
    let error = crate::Client::bootstrap(connect, &servers, options()).await.unwrap_err();
    let text = error.to_string();
    for part in
        ["a:1 answered, but not as a Kafka broker", "cannot connect to b:2", "nonsense: expected host:port"]
    {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_an_id_and_a_controller_listener_are_refused() {
    let scripts = Scripts::new();
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        peer.answer(&asked, &metadata(1, 1).with_cluster_id(None)).await;
    });
    let error = scripts.bootstrap().await.unwrap_err();
    assert_eq!(error.to_string(), "seed:1 tells no cluster id");
    scripts.then(|mut peer| async move {
        peer.greet_with(&[(18, 4), (60, 2)]).await;
        peer.hold().await;
    });
    let error = scripts.bootstrap().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "seed:1 does not offer Metadata in versions 9 to 13 (is it a controller listener?)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let scripts = Scripts::new();
    scripts.then(Peer::hold);
    let error = scripts.bootstrap().await.unwrap_err();
    assert_eq!(error.to_string(), "seed:1 did not answer ApiVersions within 10000 ms");
}
