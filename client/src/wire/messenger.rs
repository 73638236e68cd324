//! One connection, many requests: correlation, deadlines, and what is known when it breaks.
//!
//! One task owns the stream. Callers hand it whole frames, so a caller that is dropped never leaves half a
//! frame behind, and wait for the answer with their correlation id. The first error poisons the connection:
//! it wakes every waiter with that cause, and the connection takes no more requests. A request that gets no
//! answer in time poisons it too, because brokers answer in order: nothing behind it would be answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::Decodable;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{RwLock, RwLockWriteGuard, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::frame::{self, Body};
use super::hello::{Odd, hello};
use super::versions::Versions;
use super::{Call, Failure};
use crate::connect::Stream;
use crate::error::{Error, Peer};

/// A request without an answer.
#[derive(Debug)]
pub(crate) struct Lost {
    /// Why.
    pub error: Error,
    /// Whether any byte of the request may have been written: if so, a write may still happen.
    pub sent: bool,
}

/// Why a connection takes no more requests.
#[derive(Debug, Clone)]
enum Cause {
    Closed,
    Broke(String),
    Silent { api: &'static str, after: Duration },
}

struct Waiting {
    // Set by the writing task before the first byte goes out.
    started: bool,
    answer: oneshot::Sender<Result<Bytes, (Cause, bool)>>,
}

enum State {
    Open(BTreeMap<i32, Waiting>),
    Poisoned(Cause),
}

/// A connection to a broker.
pub(crate) struct Messenger {
    peer: Peer,
    versions: Versions,
    client_id: String,
    next: Mutex<i32>,
    state: Arc<Mutex<State>>,
    queue: mpsc::UnboundedSender<(i32, Bytes)>,
    task: AbortHandle,
    // Held alone during a login: brokers take nothing else in between.
    turn: RwLock<()>,
    session: Mutex<Option<Session>>,
}

/// A login that does not hold for as long as its connection.
struct Session {
    // When it has to be renewed, and whether somebody does that.
    due: Instant,
    is_claimed: bool,
    end: Instant,
    lifetime: Duration,
}

/// A request on its way.
pub(super) struct Asked {
    id: i32,
    version: i16,
    arrives: oneshot::Receiver<Result<Bytes, (Cause, bool)>>,
}

impl std::fmt::Debug for Messenger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messenger").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Messenger {
    /// Learns what the peer offers, and then takes requests. The caller bounds the time.
    ///
    /// # Errors
    /// [`Error::NotKafka`] if the peer does not answer as a broker does.
    pub(crate) async fn begin(
        mut stream: Box<dyn Stream>,
        peer: Peer,
        client_id: String,
        frame_limit: usize,
    ) -> Result<Messenger, Error> {
        let versions = hello(&mut stream, &client_id).await.map_err(|odd| match odd {
            Odd::Tls(error) => Error::Unreachable { address: peer.address.clone(), source: Arc::new(error) },
            Odd::NotKafka(reason) => Error::NotKafka { address: peer.address.clone(), reason },
        })?;
        let state = Arc::new(Mutex::new(State::Open(BTreeMap::new())));
        let (queue, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(run(stream, requests, Arc::clone(&state), frame_limit)).abort_handle();
        // Correlation id 0 was the greeting's.
        let (turn, session) = Default::default();
        Ok(Messenger { peer, versions, client_id, next: Mutex::new(1), state, queue, task, turn, session })
    }

    /// The broker at the other end.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What the broker offers.
    pub(crate) fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Whether it still takes requests.
    pub(crate) fn is_open(&self) -> bool {
        matches!(*lock(&self.state), State::Open(_))
    }

    /// Sends a request and waits for its answer. If there is none `within` that time, the connection ends.
    pub(crate) async fn call<C: Call>(&self, call: &C, within: Duration) -> Result<C::Answer, Lost> {
        let begun = Instant::now();
        let Ok(_turn) = tokio::time::timeout(within, self.turn.read()).await else {
            let error = Error::TimedOut { broker: self.peer.clone(), api: C::API.name, after: within };
            return Err(Lost { error, sent: false });
        };
        let asked = self.submit(call)?;
        self.finish(call, asked, within.saturating_sub(begun.elapsed())).await
    }

    /// Waits for all answers, and keeps everything else from being sent until it is dropped.
    pub(super) async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.turn.write().await
    }

    /// Ends the connection.
    pub(super) fn end(&self, reason: &str) {
        poison(&mut lock(&self.state), Cause::Broke(reason.to_owned()));
        self.task.abort();
    }

    /// Whether the login has ended: brokers answer the next request by hanging up.
    pub(super) fn is_over(&self) -> bool {
        lock(&self.session).as_ref().is_some_and(|session| session.end <= Instant::now())
    }

    /// Whether the login has to be renewed; said once for each login, to who then does it.
    pub(super) fn is_due(&self) -> bool {
        let mut session = lock(&self.session);
        let Some(session) = session.as_mut().filter(|session| !session.is_claimed) else { return false };
        session.is_claimed = session.due <= Instant::now();
        session.is_claimed
    }

    /// A login that began then holds for so long; none: for as long as the connection.
    pub(super) fn logged_in(&self, begun: Instant, lifetime: Option<Duration>) {
        // As Kafka's client: early enough for a slow network and for clocks that drift.
        let session = |lifetime| Session {
            due: begun + lifetime * 17 / 20,
            is_claimed: false,
            end: begun + lifetime,
            lifetime,
        };
        *lock(&self.session) = lifetime.map(session);
    }

    /// How long a login holds; none: for as long as the connection.
    pub(crate) fn session(&self) -> Option<Duration> {
        lock(&self.session).as_ref().map(|session| session.lifetime)
    }

    /// Queues a request.
    pub(super) fn submit<C: Call>(&self, call: &C) -> Result<Asked, Lost> {
        let api = C::API;
        let unsent = |error| Lost { error, sent: false };
        let Some(version) = self.versions.pick(api) else {
            let (min, max, broker) = (api.min, api.max, self.peer.clone());
            return Err(unsent(Error::Unsupported { api: api.name, min, max, broker }));
        };
        let id = self.next_id();
        let frame = frame::request(call, version, id, &self.client_id)
            .map_err(|why| unsent(Error::Unsendable { reason: format!("{}: {}", api.name, why.0) }))?;
        let (answer, arrives) = oneshot::channel();
        match &mut *lock(&self.state) {
            State::Poisoned(cause) => return Err(unsent(self.error(cause))),
            State::Open(waiting) => {
                waiting.insert(id, Waiting { started: false, answer });
            }
        }
        // If the task has just ended, it has poisoned the state and answered.
        let _ = self.queue.send((id, frame));
        Ok(Asked { id, version, arrives })
    }

    /// Waits for the answer to a queued request.
    pub(super) async fn finish<C: Call>(
        &self,
        call: &C,
        asked: Asked,
        within: Duration,
    ) -> Result<C::Answer, Lost> {
        let Asked { id, version, arrives } = asked;
        let body = match tokio::time::timeout(within, arrives).await {
            Ok(Ok(Ok(body))) => body,
            Ok(Ok(Err((cause, sent)))) => return Err(Lost { error: self.error(&cause), sent }),
            Ok(Err(_)) => {
                let reason = "the connection was dropped".to_owned();
                return Err(Lost { error: Error::Broken { broker: self.peer.clone(), reason }, sent: true });
            }
            Err(_) => {
                let api = C::API.name;
                let sent = self.give_up(id, Cause::Silent { api, after: within });
                let error = Error::TimedOut { broker: self.peer.clone(), api, after: within };
                return Err(Lost { error, sent });
            }
        };
        self.read(call, version, body).map_err(|error| Lost { error, sent: true })
    }

    fn read<C: Call>(&self, call: &C, version: i16, body: Bytes) -> Result<C::Answer, Error> {
        let api = C::API.name;
        let broker = self.peer.clone();
        decode(call, version, body).map_err(|failure| match failure {
            Failure::Malformed(why) => {
                Error::Broken { broker, reason: format!("its {api} v{version} answer makes no sense: {why}") }
            }
            Failure::Refused(code, message) => Error::Refused { api, broker, code, message },
        })
    }

    fn next_id(&self) -> i32 {
        let mut next = lock(&self.next);
        let id = *next;
        *next = next.checked_add(1).unwrap_or(1);
        id
    }

    /// Ends the connection. True if a byte of request `id` may have been written.
    fn give_up(&self, id: i32, cause: Cause) -> bool {
        // In one lock with the poisoning: after it the task cannot start the request any more.
        let mut state = lock(&self.state);
        let started = match &mut *state {
            State::Open(waiting) => waiting.remove(&id).is_none_or(|w| w.started),
            // Poisoned just now; whatever the waiter was told, this is the careful reading.
            State::Poisoned(_) => true,
        };
        poison(&mut state, cause);
        drop(state);
        self.task.abort();
        started
    }

    fn error(&self, cause: &Cause) -> Error {
        let broker = self.peer.clone();
        let reason = match cause {
            Cause::Closed => "it closed the connection".to_owned(),
            Cause::Broke(reason) => reason.clone(),
            Cause::Silent { api, after } => format!(
                "the connection was given up, because {api} on it got no answer within {} ms",
                after.as_millis()
            ),
        };
        Error::Broken { broker, reason }
    }
}

impl Drop for Messenger {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these; if it did, the state would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn poison(state: &mut State, cause: Cause) {
    if let State::Open(waiting) = state {
        for waiter in std::mem::take(waiting).into_values() {
            let _ = waiter.answer.send(Err((cause.clone(), waiter.started)));
        }
        *state = State::Poisoned(cause);
    }
}

/// The id at the head of an answer, looked at before anything in it is decoded.
pub(super) fn correlation(mut frame: &[u8]) -> i32 {
    frame.try_get_i32().unwrap_or(-1)
}

/// Reads an answer, header and body.
pub(super) fn decode<C: Call>(call: &C, version: i16, frame: Bytes) -> Result<C::Answer, Failure> {
    let mut body = Body::new(frame);
    ResponseHeader::decode(&mut body, C::API.headers().1)?;
    let answer = call.decode(&mut body, version)?;
    if body.has_remaining() {
        // Seen from a mock in the field: harmless, as every field that we know was read.
        tracing::debug!(api = C::API.name, version, bytes = body.remaining(), "bytes after the answer");
    }
    Ok(answer)
}

async fn run(
    stream: Box<dyn Stream>,
    requests: mpsc::UnboundedReceiver<(i32, Bytes)>,
    state: Arc<Mutex<State>>,
    limit: usize,
) {
    let (mut from, mut to) = tokio::io::split(stream);
    let cause = tokio::select! {
        biased;
        cause = read_answers(&mut from, &state, limit) => cause,
        cause = write_requests(&mut to, requests, &state) => cause,
    };
    poison(&mut lock(&state), cause);
}

async fn read_answers(from: &mut (impl AsyncRead + Unpin), state: &Mutex<State>, limit: usize) -> Cause {
    loop {
        let frame = match frame::read(from, limit).await {
            Ok(Some(frame)) => frame,
            // Brokers close idle connections: with nothing pending this is no error.
            Ok(None) => return Cause::Closed,
            Err(bad) => return Cause::Broke(bad.describe(limit)),
        };
        let id = correlation(&frame);
        let waiter = match &mut *lock(state) {
            State::Open(waiting) => waiting.remove(&id),
            State::Poisoned(cause) => return cause.clone(),
        };
        match waiter {
            // A caller that is gone does not want it any more.
            Some(waiter) => drop(waiter.answer.send(Ok(frame))),
            None => return Cause::Broke(format!("an answer to request {id}, which is not waiting for one")),
        }
    }
}

async fn write_requests(
    to: &mut (impl AsyncWrite + Unpin),
    mut requests: mpsc::UnboundedReceiver<(i32, Bytes)>,
    state: &Mutex<State>,
) -> Cause {
    while let Some((id, frame)) = requests.recv().await {
        if !start(state, id) {
            continue;
        }
        let written = async {
            to.write_all(&frame).await?;
            to.flush().await
        };
        if let Err(error) = written.await {
            return Cause::Broke(format!("the connection broke: {error}"));
        }
    }
    Cause::Closed
}

/// Marks a request as begun. False if nobody waits for it any more: then it is not written.
fn start(state: &Mutex<State>, id: i32) -> bool {
    let State::Open(waiting) = &mut *lock(state) else { return false };
    match waiting.get_mut(&id) {
        Some(waiter) if !waiter.answer.is_closed() => waiter.started = true,
        _ => {
            waiting.remove(&id);
            return false;
        }
    }
    true
}
