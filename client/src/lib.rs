//! Reaches a Kafka cluster over its own protocol, in the planner's words.
//!
//! ```text
//! connect    address → byte stream, over TCP or TLS
//! config     client.properties → who is trusted, how to log in
//! tls, sasl  certificates and keys, logins
//! wire       frames, correlation, deadlines, versions: the only room that names kafka_protocol
//! read       typed questions, tried again on another broker or a fresh connection, each bounded
//! write      typed changes, sent once and never again: NotSent, Items or Open
//! snapshot   a whole cluster → the planner's Cluster
//! ```
//!
//! Time comes from `tokio::time` only, and every answer is bounded in time and size.

mod book;
mod code;
mod error;
mod secret;
mod view;
mod wire;

pub mod config;
pub mod connect;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod read;
pub mod sasl;
pub mod snapshot;
pub mod tls;
pub mod write;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use restow_planner::model::BrokerId;

pub use code::Code;
pub use connect::{Connect, Dial, Outside, Secure, Stream, Tcp};
pub use error::{Error, Peer};
pub use secret::Secret;
use wire::calls::metadata::{Metadata, MetadataAnswer};
use wire::pool::{Line, Place, Pool};

/// How patient a client is, and what it calls itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// `client.id` in every request: brokers log it and apply quotas by it.
    pub client_id: String,
    /// For a connection up to the answer to its first request.
    pub connect_timeout: Duration,
    /// For one try of a read.
    pub request_timeout: Duration,
    /// For the answer to a write; brokers are told the same.
    pub write_timeout: Duration,
    /// The largest answer, in bytes. 200,000 partitions of metadata are 9 MB. A peer that has not yet
    /// answered `ApiVersions` has 1 MiB.
    pub frame_limit: usize,
    /// How to log in to brokers; none where listeners have no SASL.
    pub login: Option<Login>,
}

/// A SASL login, and what it needs of the world.
#[derive(Debug, Clone)]
pub struct Login {
    /// The mechanism and what it needs.
    pub sasl: sasl::SaslSettings,
    /// Clock, environment and network.
    pub world: Arc<dyn sasl::World>,
    tokens: Arc<sasl::Tokens>,
}

impl Login {
    /// A login that has no token yet. Clones share the one that they get.
    pub fn new(sasl: sasl::SaslSettings, world: Arc<dyn sasl::World>) -> Self {
        Login { sasl, world, tokens: Arc::default() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            client_id: "restow".to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            frame_limit: 256 << 20,
            login: None,
        }
    }
}

/// A client of one cluster. Clones share connections. It needs a tokio runtime; one thread is enough.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    options: Options,
    servers: Vec<String>,
    cluster_id: String,
    principal: Option<String>,
    book: Mutex<book::Book>,
}

impl Client {
    /// Connects to the first of `servers` (`host:port`) that answers, and learns the cluster's brokers.
    ///
    /// # Errors
    /// If no server could be used; with several, an error for each ([`Error::NoServer`]).
    pub async fn bootstrap(
        connect: Arc<dyn Connect>,
        servers: &[String],
        options: Options,
    ) -> Result<Client, Error> {
        let pool = Pool::new(connect, options.clone());
        let mut tried = Vec::new();
        for (at, server) in servers.iter().enumerate() {
            match greet(&pool, at, server, &options).await {
                Ok((cluster_id, answer, kraft)) => {
                    let servers = servers.iter().filter_map(|s| connect::parse_server(s).ok()).collect();
                    let book = Mutex::default();
                    // The seeds are asked again only if every broker fails.
                    pool.retain(|_| false);
                    let name = options.login.as_ref().and_then(|login| login.sasl.principal_name());
                    let principal = name.map(|name| format!("User:{name}"));
                    let shared = Shared { pool, options, servers, cluster_id, principal, book };
                    let client = Client { shared: Arc::new(shared) };
                    client.learn(&answer, kraft);
                    return Ok(client);
                }
                Err(error) => tried.push(error),
            }
        }
        Err(if tried.len() == 1 { tried.remove(0) } else { Error::NoServer { tried } })
    }

    /// Kafka's id of the cluster. Every answer that names another one is an error.
    pub fn cluster_id(&self) -> &str {
        &self.shared.cluster_id
    }

    /// Who we are to the cluster, as far as our login tells: `User:NAME`.
    pub fn principal(&self) -> Option<&str> {
        self.shared.principal.as_deref()
    }

    /// Whether the cluster is in KRaft mode.
    pub fn is_kraft(&self) -> bool {
        self.book().is_kraft()
    }

    /// The live brokers, as the last metadata told, in order of their ids.
    pub fn brokers(&self) -> Vec<BrokerId> {
        self.book().brokers()
    }

    /// Known brokers: first the one that answers what any broker can, then those that are asked when it fails.
    pub fn readers(&self) -> Vec<BrokerId> {
        self.book().readers()
    }

    /// Asks this broker first from now on.
    pub fn read_from(&self, broker: BrokerId) {
        self.book().answered(broker);
    }

    fn book(&self) -> MutexGuard<'_, book::Book> {
        self.shared.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, answer: &MetadataAnswer, kraft: bool) {
        let addresses = answer.brokers.iter().map(|(id, host, port)| (*id, connect::address(host, *port)));
        let addresses: BTreeMap<_, _> = addresses.collect();
        self.shared.pool.retain(|place| match place {
            Place::Broker(id) => addresses.contains_key(&id),
            Place::Seed(_) => true,
        });
        self.book().learn(addresses, answer.controller, kraft);
    }
}

async fn greet(
    pool: &Pool,
    at: usize,
    server: &str,
    options: &Options,
) -> Result<(String, MetadataAnswer, bool), Error> {
    let address = connect::parse_server(server).map_err(|source: io::Error| Error::Unreachable {
        address: server.to_owned(),
        source: Arc::new(source),
    })?;
    let (line, within) = (Line::Reads, options.connect_timeout);
    let (messenger, _) = pool.get(Place::Seed(at), line, &address, within).await?;
    let metadata = Metadata { names: Some(&[]) };
    let answer = messenger.call(&metadata, options.request_timeout).await;
    let answer = answer.map_err(|lost| match lost.error {
        // What a listener with SASL does to who does not log in.
        Error::Broken { reason, .. } if options.login.is_none() => {
            Error::NotKafka { address: address.clone(), reason }
        }
        error => error,
    })?;
    let broker = messenger.peer().clone();
    let cluster_id = answer.cluster_id.clone().ok_or(Error::NoClusterId { broker })?;
    Ok((cluster_id, answer, messenger.versions().kraft))
}
