//! Connections by place and line, opened when they are needed and never twice at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use restow_planner::model::BrokerId;
use tokio::time::timeout;

use super::login;
use super::messenger::Messenger;
use super::{Api, Call, versions::ApiVersions};
use crate::Options;
use crate::connect::Connect;
use crate::error::{Error, Peer};

/// Where a connection leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A broker that metadata lists.
    Broker(BrokerId),
    /// A bootstrap server, by its position in the list: whichever broker that is.
    Seed(usize),
}

/// What a connection is for. A broker serves each connection strictly in order, so what may hang has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    /// What the broker answers by itself.
    Reads,
    /// What it forwards to the controller: without one, such a request hangs for a minute.
    Forwarded,
    /// Only whether it answers at all; a long read must not look like a dead broker.
    Probe,
}

#[derive(Debug, Default)]
struct Slot {
    // Counts the attempts to connect, so that who waited for a failed one shares its error instead of
    // trying again after it: ten callers would wait for ten deadlines in a row.
    attempts: AtomicU64,
    open: tokio::sync::Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    messenger: Option<Arc<Messenger>>,
    error: Option<Error>,
}

/// All connections of a client.
#[derive(Debug)]
pub(crate) struct Pool {
    opener: Arc<Opener>,
    slots: Mutex<BTreeMap<(Place, Line), Arc<Slot>>>,
}

/// Opens connections and logs in.
#[derive(Debug)]
struct Opener {
    connect: Arc<dyn Connect>,
    options: Options,
}

impl Pool {
    pub(crate) fn new(connect: Arc<dyn Connect>, options: Options) -> Self {
        Pool { opener: Arc::new(Opener { connect, options }), slots: Mutex::default() }
    }

    /// A live connection, and whether it was opened by this call.
    pub(crate) async fn get(
        &self,
        place: Place,
        line: Line,
        address: &str,
        within: Duration,
    ) -> Result<(Arc<Messenger>, bool), Error> {
        let slot = Arc::clone(self.slots().entry((place, line)).or_default());
        let opener = Arc::clone(&self.opener);
        if self.opener.options.login.is_none() {
            return opener.fill(slot, place, address, within).await;
        }
        // Who loses patience with a login must not end it: the next one would begin it anew, for ever.
        let address = address.to_owned();
        let filling = tokio::spawn(async move { opener.fill(slot, place, &address, within).await });
        filling.await.unwrap_or_else(|error| {
            Err(Error::Unsendable { reason: format!("the connection could not be made: {error}") })
        })
    }

    /// Drops the connections to places that are gone.
    pub(crate) fn retain(&self, keep: impl Fn(Place) -> bool) {
        self.slots().retain(|(place, _), _| keep(*place));
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Place, Line), Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opener {
    /// What is in a slot, or a new connection, and whether it was opened by this call.
    async fn fill(
        self: Arc<Self>,
        slot: Arc<Slot>,
        place: Place,
        address: &str,
        within: Duration,
    ) -> Result<(Arc<Messenger>, bool), Error> {
        let seen = slot.attempts.load(Ordering::Relaxed);
        let mut last = slot.open.lock().await;
        if let Some(open) =
            last.messenger.take_if(|m| !m.is_open() || m.is_over() || m.peer().address != address)
        {
            tracing::debug!(peer = %open.peer(), "a connection is replaced");
        }
        if let Some(open) = &last.messenger {
            if open.is_due() {
                tokio::spawn(Arc::clone(&self).renew(Arc::clone(open), within));
            }
            return Ok((Arc::clone(open), false));
        }
        if let (true, Some(error)) = (slot.attempts.load(Ordering::Relaxed) > seen, &last.error) {
            return Err(error.clone());
        }
        let id = match place {
            Place::Broker(id) => Some(id),
            Place::Seed(_) => None,
        };
        let opened = self.open(Peer { id, address: address.to_owned() }, within).await;
        slot.attempts.fetch_add(1, Ordering::Relaxed);
        last.error = opened.as_ref().err().cloned();
        let opened = Arc::new(opened?);
        last.messenger = Some(Arc::clone(&opened));
        Ok((opened, true))
    }

    /// Logs in again behind those who use the connection; their requests wait for it, and it for theirs.
    async fn renew(self: Arc<Self>, open: Arc<Messenger>, within: Duration) {
        let renewed = match self.ready(open.peer()).await {
            Ok(Some(ready)) => timeout(within, login::log_in(&open, ready, within)).await,
            Ok(None) => return,
            Err(error) => Ok(Err(error)),
        };
        match renewed {
            Ok(Ok(())) => tracing::debug!(peer = %open.peer(), "the login is renewed"),
            // The next request finds the connection ended, and opens one; if it cannot, its error says why.
            Ok(Err(error)) => {
                tracing::debug!(%error, "a login could not be renewed");
                open.end("its login could not be renewed");
            }
            Err(_) => tracing::debug!(peer = %open.peer(), "a login could not be renewed in time"),
        }
    }

    async fn open(&self, peer: Peer, within: Duration) -> Result<Messenger, Error> {
        let Api { name: api, .. } = ApiVersions::API;
        let silent = Error::TimedOut { broker: peer.clone(), api, after: within };
        let address = peer.address.clone();
        let ready = self.ready(&peer).await?;
        let open = async {
            let stream = self.connect.connect(&address).await.map_err(|source| Error::Unreachable {
                address: address.clone(),
                source: Arc::new(source),
            })?;
            let Options { client_id, frame_limit, .. } = &self.options;
            let messenger = Messenger::begin(stream, peer, client_id.clone(), *frame_limit).await?;
            if let Some(ready) = ready {
                login::log_in(&messenger, ready, within).await?;
            }
            Ok(messenger)
        };
        timeout(within, open).await.unwrap_or(Err(silent))
    }

    /// The login to send to a broker, if we log in.
    async fn ready(&self, peer: &Peer) -> Result<Option<login::Ready>, Error> {
        let Some(login) = &self.options.login else { return Ok(None) };
        let ready = login::prepare(login).await;
        ready.map(Some).map_err(|source| Error::Login { broker: peer.clone(), source })
    }
}
