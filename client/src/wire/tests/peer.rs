//! A peer that follows a script: each connection takes the next one.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
use kafka_protocol::messages::{
    ApiVersionsResponse, BrokerId, MetadataResponse, RequestHeader, ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::connect::{Connect, Stream};
use crate::{Client, Error, Options};

/// What brokers of 4.x offer, as far as we ask for it: key, highest version.
pub(super) const OFFERED: [(i16, i16); 12] = [
    (2, 10),
    (3, 13),
    (17, 1),
    (18, 4),
    (36, 2),
    (32, 4),
    (35, 4),
    (43, 2),
    (44, 1),
    (45, 1),
    (46, 0),
    (60, 2),
];

type Script = Box<dyn FnOnce(Peer) -> BoxFuture<'static, ()> + Send>;

/// Gives each connection the next script; without one, the connection is refused.
#[derive(Default)]
pub(super) struct Scripts {
    scripts: Mutex<VecDeque<Script>>,
    connected: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Scripts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripts")
    }
}

impl Scripts {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What the next connection meets.
    pub(super) fn then<F: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        script: impl FnOnce(Peer) -> F + Send + 'static,
    ) -> &Arc<Self> {
        self.scripts.lock().unwrap().push_back(Box::new(|peer| script(peer).boxed()));
        self
    }

    /// The addresses that were connected to, or tried, in order.
    pub(super) fn connected(&self) -> Vec<String> {
        self.connected.lock().unwrap().clone()
    }

    /// A client of this cluster; its first connection is answered here.
    pub(super) async fn client(self: &Arc<Self>, cluster: MetadataResponse) -> Client {
        self.then(move |mut peer| async move {
            peer.greet().await;
            let asked = peer.next().await;
            peer.answer(&asked, &cluster).await;
        });
        self.bootstrap().await.unwrap()
    }

    pub(super) async fn bootstrap(self: &Arc<Self>) -> Result<Client, Error> {
        Client::bootstrap(Arc::clone(self) as Arc<dyn Connect>, &["seed:1".into()], options()).await
    }
}

pub(super) fn options() -> Options {
    Options { client_id: "test".into(), ..Options::default() }
}

impl Connect for Scripts {
    fn connect(&self, address: &str) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        self.connected.lock().unwrap().push(address.to_owned());
        let script = self.scripts.lock().unwrap().pop_front();
        async move {
            let script = script.ok_or(io::ErrorKind::ConnectionRefused)?;
            // Small, so that a peer that does not read blocks the writer.
            let (ours, theirs) = tokio::io::duplex(4096);
            tokio::spawn(script(Peer { stream: theirs }));
            Ok(Box::new(ours) as Box<dyn Stream>)
        }
        .boxed()
    }
}

/// One request as the peer read it.
#[derive(Debug)]
pub(super) struct Asked {
    pub key: i16,
    pub version: i16,
    pub id: i32,
    pub body: Bytes,
}

impl Asked {
    /// The request, decoded.
    pub(super) fn read<T: Decodable>(&self) -> T {
        T::decode(&mut self.body.clone(), self.version).unwrap()
    }
}

/// The broker's side of a connection.
pub(super) struct Peer {
    pub stream: DuplexStream,
}

impl Peer {
    pub(super) async fn next(&mut self) -> Asked {
        self.next_or_end().await.expect("a request")
    }

    pub(super) async fn next_or_end(&mut self) -> Option<Asked> {
        let length = self.stream.read_u32().await.ok()? as usize;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        let mut body = Bytes::from(body);
        // SaslHandshake never became flexible.
        let version = if body.starts_with(&[0, 17]) { 1 } else { 2 };
        let header = RequestHeader::decode(&mut body, version).unwrap();
        let (key, version) = (header.request_api_key, header.request_api_version);
        Some(Asked { key, version, id: header.correlation_id, body })
    }

    pub(super) async fn answer(&mut self, asked: &Asked, response: &impl Encodable) {
        let mut body = BytesMut::new();
        let header = if matches!(asked.key, 17 | 18) { 0 } else { 1 };
        ResponseHeader::default().with_correlation_id(asked.id).encode(&mut body, header).unwrap();
        response.encode(&mut body, asked.version).unwrap();
        self.frame(&body).await;
    }

    pub(super) async fn frame(&mut self, body: &[u8]) {
        // The client may have gone: a script does not care.
        let _ = self.stream.write_u32(body.len() as u32).await;
        let _ = self.stream.write_all(body).await;
    }

    /// Answers ApiVersions.
    pub(super) async fn greet(&mut self) {
        self.greet_with(&OFFERED).await;
    }

    pub(super) async fn greet_with(&mut self, offered: &[(i16, i16)]) {
        let asked = self.next().await;
        assert_eq!((asked.key, asked.version, asked.id), (18, 3, 0));
        let keys =
            offered.iter().map(|(key, max)| ApiVersion::default().with_api_key(*key).with_max_version(*max));
        self.answer(&asked, &ApiVersionsResponse::default().with_api_keys(keys.collect())).await;
    }

    /// Waits until the client hangs up.
    pub(super) async fn hold(mut self) {
        while self.next_or_end().await.is_some() {}
    }
}

/// Metadata of a cluster with brokers 1 to `brokers` at `h1:1`, `h2:2`, … and no topics.
pub(super) fn metadata(brokers: i32, controller: i32) -> MetadataResponse {
    let broker = |id: i32| {
        let host = StrBytes::from_string(format!("h{id}"));
        MetadataResponseBroker::default().with_node_id(BrokerId(id)).with_host(host).with_port(id)
    };
    MetadataResponse::default()
        .with_cluster_id(Some(StrBytes::from_static_str("cluster")))
        .with_controller_id(BrokerId(controller))
        .with_brokers((1..=brokers).map(broker).collect())
}

pub(super) fn topic(name: &'static str) -> TopicName {
    TopicName(StrBytes::from_static_str(name))
}

impl Peer {
    /// Answers ApiVersions on a connection that was greeted before.
    pub(super) async fn greet_again(&mut self) {
        let asked = self.next().await;
        assert_eq!(asked.key, 18);
        self.answer(&asked, &ApiVersionsResponse::default()).await;
    }
}
