//! Frames in, frames out. The only room here that names `kafka_protocol`.

mod api;
mod cluster;
mod configs;
mod offsets;
mod reassign;
#[cfg(test)]
mod tests;
mod topics;

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};
use restow_planner::model::BrokerId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::code::Code;
use crate::controller::{Life, State};
use crate::face::Shared;
use crate::faults::Fault;
use crate::rules::Api;
use crate::trace::{By, What};

/// How long a broker tries to reach a lost controller.
const FORWARDING: Duration = Duration::from_secs(60);

/// How long a broker takes to read configs from ZooKeeper, change them and write them back.
const CHANGING: Duration = Duration::from_millis(5);

const LONGEST_FRAME: usize = 100 << 20;

/// Accepts connections for a broker while it runs.
pub(crate) async fn listen(listener: TcpListener, broker: BrokerId, shared: Weak<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let Some(strong) = shared.upgrade() else { return };
        // A listener cannot refuse as a dead broker does; it closes at once instead.
        if matches!(life(&strong, broker), Life::Up | Life::Paused) {
            let _ = stream.set_nodelay(true);
            tokio::spawn(connection(stream, broker, shared.clone()));
        }
    }
}

/// Serves one connection until either side ends it.
pub(crate) async fn connection<S>(stream: S, broker: BrokerId, shared: Weak<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    tokio::select! {
        biased;
        () = ended(broker, shared.clone()) => {}
        _ = talk(stream, broker, shared) => {}
    }
}

fn life(shared: &Shared, broker: BrokerId) -> Life {
    shared.world().state.brokers.get(&broker).map_or(Life::Dead, |b| b.life)
}

/// Returns when the broker's process has ended.
async fn ended(broker: BrokerId, shared: Weak<Shared>) {
    let starts = |shared: &Shared| shared.world().starts.get(&broker).copied();
    let (mut lives, first) = match shared.upgrade() {
        Some(shared) => (shared.lives.subscribe(), starts(&shared)),
        None => return,
    };
    loop {
        match shared.upgrade() {
            Some(shared) if life(&shared, broker) != Life::Dead && starts(&shared) == first => {}
            _ => return,
        }
        if lives.changed().await.is_err() {
            return;
        }
    }
}

/// Waits until what is asked of the cluster is so. `None` if the cluster ends.
async fn until(shared: &Weak<Shared>, is_so: impl Fn(&Shared) -> bool) -> Option<()> {
    let mut lives = shared.upgrade()?.lives.subscribe();
    loop {
        if is_so(&*shared.upgrade()?) {
            return Some(());
        }
        lives.changed().await.ok()?;
    }
}

/// One request after the other, in order: a slow one keeps those behind it waiting.
async fn talk<S>(mut stream: S, broker: BrokerId, shared: Weak<Shared>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let length = usize::try_from(stream.read_i32().await?).unwrap_or(usize::MAX);
        if length > LONGEST_FRAME {
            return Ok(());
        }
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await?;
        let Some(()) = until(&shared, |shared| life(shared, broker) == Life::Up).await else { return Ok(()) };
        let Some(latency) = shared.upgrade().map(|shared| shared.world().latency) else { return Ok(()) };
        tokio::time::sleep(latency).await;
        let Some(answer) = serve(Bytes::from(frame), broker, &shared).await else { return Ok(()) };
        stream.write_all(&answer).await?;
        stream.flush().await?;
    }
}

/// A request as it came, its header read.
#[derive(Debug, Clone)]
struct Call {
    api: Api,
    version: i16,
    correlation: i32,
    client: String,
    body: Bytes,
}

/// The answer frame, or nothing where the broker closes the connection.
async fn serve(frame: Bytes, broker: BrokerId, shared: &Weak<Shared>) -> Option<Bytes> {
    let (call, fault) = {
        let shared = shared.upgrade()?;
        let mut world = shared.world();
        let call = match read_call(frame, |api, version| world.state.rules.speaks(api, version))? {
            Ok(call) => call,
            // Only ApiVersions is answered in a version that the broker does not speak: error 35, version 0.
            Err(correlation) => {
                let body = api::versions(&world.state.rules, Code::UnsupportedVersion.code());
                return written(correlation, 0, &body, 0);
            }
        };
        let fault = world.faults.take(call.api, broker);
        let (client, api) = (call.client.clone(), call.api);
        world.note(What::Arrived { client, broker, api, fault: fault.clone() });
        (call, fault)
    };
    match fault {
        None => carried_out(call, broker, shared, FORWARDING).await,
        Some(Fault::Drop) => None,
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Delay(by)) => {
            tokio::time::sleep(by).await;
            carried_out(call, broker, shared, FORWARDING).await
        }
        Some(Fault::Error(code)) => refused(&call, broker, shared, code),
        Some(Fault::LoseAnswer) => {
            carried_out(call, broker, shared, FORWARDING).await;
            None
        }
        Some(Fault::Late(by)) => late(call, broker, shared, by).await.ok().flatten(),
        Some(Fault::LateAfterError(code, by)) => {
            let answer = refused(&call, broker, shared, code);
            drop(late(call, broker, shared, by));
            answer
        }
        Some(Fault::Twice) => {
            let first = carried_out(call.clone(), broker, shared, FORWARDING).await;
            carried_out(call, broker, shared, FORWARDING).await;
            first
        }
    }
}

/// Does it later, whoever still waits for it; the time that brokers forward for counts from now.
fn late(call: Call, broker: BrokerId, shared: &Weak<Shared>, by: Duration) -> JoinHandle<Option<Bytes>> {
    let shared = shared.clone();
    tokio::spawn(async move {
        tokio::time::sleep(by).await;
        carried_out(call, broker, &shared, FORWARDING.saturating_sub(by)).await
    })
}

/// Reads the header. `Err` is the correlation id of an ApiVersions request in a version that is not spoken.
fn read_call(mut frame: Bytes, speaks: impl Fn(Api, i16) -> bool) -> Option<Result<Call, i32>> {
    if frame.len() < 8 {
        return None;
    }
    let (key, version) = ((&frame[0..2]).get_i16(), (&frame[2..4]).get_i16());
    let api = Api::of(key)?;
    if !speaks(api, version) {
        let correlation = (&frame[4..8]).get_i32();
        return (api == Api::ApiVersions).then_some(Err(correlation));
    }
    let header_version = ApiKey::try_from(key).ok()?.request_header_version(version);
    let header = RequestHeader::decode(&mut frame, header_version).ok()?;
    let client = header.client_id.map_or_else(String::new, |id| id.to_string());
    Some(Ok(Call { api, version, correlation: header.correlation_id, client, body: frame }))
}

/// Does what is asked. What goes through the controller is done even if the client is gone by then, as long as
/// the broker goes on forwarding it.
async fn carried_out(
    call: Call,
    broker: BrokerId,
    shared: &Weak<Shared>,
    forwarding: Duration,
) -> Option<Bytes> {
    if !call.api.is_forwarded() {
        return answered(&call, broker, shared, None).await;
    }
    let shared = shared.clone();
    let forwards = shared.upgrade()?.world().state.rules.forwards;
    let done = tokio::spawn(async move {
        if forwards {
            forwarded(call, broker, &shared, forwarding).await
        } else {
            not_forwarded(call, broker, &shared).await
        }
    });
    done.await.ok().flatten()
}

/// A KRaft broker waits for the controller, for a minute at most.
async fn forwarded(
    call: Call,
    broker: BrokerId,
    shared: &Weak<Shared>,
    forwarding: Duration,
) -> Option<Bytes> {
    let reached = until(shared, |shared| shared.world().reaches_controller(broker));
    match tokio::time::timeout(forwarding, reached).await {
        Ok(reached) => {
            reached?;
            answered(&call, broker, shared, None).await
        }
        Err(_) => refused(&call, broker, shared, Code::RequestTimedOut.code()),
    }
}

/// With ZooKeeper every broker changes configs by itself; all else is done by the controller alone.
async fn not_forwarded(call: Call, broker: BrokerId, shared: &Weak<Shared>) -> Option<Bytes> {
    if call.api == Api::IncrementalAlterConfigs {
        let read = shared.upgrade()?.world().state.clone();
        tokio::time::sleep(CHANGING).await;
        return answered(&call, broker, shared, Some(read)).await;
    }
    if shared.upgrade()?.world().state.controller != Some(broker) {
        return refused(&call, broker, shared, Code::NotController.code());
    }
    answered(&call, broker, shared, None).await
}

/// It is done now; the answer may take its time.
async fn answered(
    call: &Call,
    broker: BrokerId,
    shared: &Weak<Shared>,
    read: Option<State>,
) -> Option<Bytes> {
    let (body, takes) = {
        let shared = shared.upgrade()?;
        let clock = shared.clock();
        let mut world = shared.world();
        world.at(clock);
        world.by = By::Client(call.client.clone());
        let takes = Duration::ZERO;
        let mut asked = api::Asked { world: &mut world, broker, clock, version: call.version, read, takes };
        let body = api::answer(call.api, &mut asked, call.body.clone());
        let takes = asked.takes;
        world.by = By::Cluster;
        (body?, takes)
    };
    if !takes.is_zero() {
        tokio::time::sleep(takes).await;
    }
    frame_of(call, &body)
}

fn refused(call: &Call, broker: BrokerId, shared: &Weak<Shared>, code: i16) -> Option<Bytes> {
    let shared: Arc<Shared> = shared.upgrade()?;
    let clock = shared.clock();
    let mut world = shared.world();
    world.at(clock);
    let (read, takes) = (None, Duration::ZERO);
    let mut asked = api::Asked { world: &mut world, broker, clock, version: call.version, read, takes };
    let body = api::refuse(call.api, &mut asked, call.body.clone(), code)?;
    frame_of(call, &body)
}

fn frame_of(call: &Call, body: &Bytes) -> Option<Bytes> {
    let header_version = ApiKey::try_from(call.api.key()).ok()?.response_header_version(call.version);
    framed(call.correlation, header_version, body)
}

fn written(correlation: i32, header_version: i16, body: &ApiVersionsResponse, version: i16) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    body.encode(&mut bytes, version).ok()?;
    framed(correlation, header_version, &bytes)
}

fn framed(correlation: i32, header_version: i16, body: &[u8]) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    bytes.put_i32(0);
    let header = ResponseHeader::default().with_correlation_id(correlation);
    header.encode(&mut bytes, header_version).ok()?;
    bytes.put_slice(body);
    let length = i32::try_from(bytes.len() - 4).ok()?;
    bytes[0..4].copy_from_slice(&length.to_be_bytes());
    Some(bytes.freeze())
}
