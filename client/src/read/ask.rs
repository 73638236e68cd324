//! How a question finds a broker that answers it, and when it is put again.

use std::sync::Arc;
use std::time::Duration;

use restow_planner::model::BrokerId;
use tokio::time::{Instant, sleep};

use crate::wire::Call;
use crate::wire::calls::metadata::{Metadata, MetadataAnswer};
use crate::wire::messenger::Messenger;
use crate::wire::pool::{Line, Place};
use crate::{Client, Code, Error};

/// How often one place is asked.
const TRIES: usize = 3;
/// No further try begins this many request deadlines after the first.
const PATIENCE: u32 = 2;

/// Before try `n` at the same place (from 1).
fn pause(n: usize) -> Duration {
    Duration::from_millis(if n <= 1 { 100 } else { 400 })
}

struct Failed {
    error: Error,
    // Whether the connection was opened for this try: if not, it may have died unseen before.
    fresh: bool,
}

/// Asks any broker: the one that answered last, then the others, then the bootstrap servers.
pub(crate) async fn any<C: Call>(client: &Client, call: &C) -> Result<(C::Answer, Arc<Messenger>), Error> {
    let begun = Instant::now();
    let brokers = client.book().readers().into_iter().map(Place::Broker);
    let places: Vec<Place> = brokers.chain((0..client.shared.servers.len()).map(Place::Seed)).collect();
    let mut last = None;
    for n in 0..places.len().max(TRIES) {
        if n > 0 && begun.elapsed() >= client.shared.options.request_timeout * PATIENCE {
            break;
        }
        if n >= places.len() {
            sleep(pause(n / places.len())).await;
        }
        let place = places[n % places.len()];
        let error = match once(client, place, Line::Reads, call).await {
            Ok((answer, messenger)) => {
                if let Place::Broker(id) = place {
                    client.book().answered(id);
                }
                return Ok((answer, messenger));
            }
            Err(failed) => failed.error,
        };
        // During a rolling upgrade another broker may offer what this one does not.
        if !error.is_retriable() && !matches!(error, Error::Unsupported { .. }) {
            return Err(error);
        }
        tracing::debug!(%error, "asking another broker");
        last = last.or(Some(error));
    }
    Err(last.unwrap_or(Error::NoServer { tried: Vec::new() }))
}

/// Asks one broker.
pub(crate) async fn at<C: Call>(client: &Client, broker: BrokerId, call: &C) -> Result<C::Answer, Error> {
    let begun = Instant::now();
    let mut n = 0;
    loop {
        n += 1;
        let failed = match once(client, Place::Broker(broker), Line::Reads, call).await {
            Ok((answer, _)) => return Ok(answer),
            Err(failed) => failed,
        };
        // A broker that lets a fresh connection wait will not do better on the next one.
        let hangs = failed.fresh && matches!(failed.error, Error::TimedOut { .. });
        let late = begun.elapsed() >= client.shared.options.request_timeout * PATIENCE;
        if n == TRIES || hangs || late || !failed.error.is_retriable() {
            return Err(failed.error);
        }
        tracing::debug!(error = %failed.error, "asking again");
        sleep(pause(n)).await;
    }
}

/// Asks the broker that takes cluster writes, on the line that may hang.
pub(crate) async fn at_controller<C: Call>(client: &Client, call: &C) -> Result<C::Answer, Error> {
    let begun = Instant::now();
    let mut n = 0;
    loop {
        n += 1;
        let broker = controller(client).await?;
        let error = match once(client, Place::Broker(broker), Line::Forwarded, call).await {
            Ok((answer, _)) => return Ok(answer),
            Err(failed) => failed.error,
        };
        misrouted(client, broker, &error);
        let late = begun.elapsed() >= client.shared.options.request_timeout * PATIENCE;
        if n == TRIES || late || !error.is_retriable() {
            return Err(error);
        }
        tracing::debug!(%error, "asking the controller again");
        sleep(pause(n)).await;
    }
}

/// The broker that cluster writes go to: in ZooKeeper mode the controller, in KRaft mode one that forwards.
pub(crate) async fn controller(client: &Client) -> Result<BrokerId, Error> {
    if let Some(id) = client.book().controller() {
        return Ok(id);
    }
    let (_, messenger) = metadata(client, Some(&[])).await?;
    let known = client.book().controller();
    known.ok_or_else(|| Error::Broken {
        broker: messenger.peer().clone(),
        reason: "it knows no controller at the moment".to_owned(),
    })
}

/// Remembers that a broker did not take what is for the controller.
pub(crate) fn misrouted(client: &Client, broker: BrokerId, error: &Error) {
    let elsewhere = match error {
        Error::Refused { code, .. } => *code == Code::NOT_CONTROLLER,
        error => error.is_retriable() || matches!(error, Error::UnknownBroker { .. }),
    };
    if elsewhere {
        client.book().avoid_controller(broker);
    }
}

/// Metadata from any broker of this cluster; the address book takes it over.
pub(crate) async fn metadata(
    client: &Client,
    names: Option<&[String]>,
) -> Result<(MetadataAnswer, Arc<Messenger>), Error> {
    let (answer, messenger) = any(client, &Metadata { names }).await?;
    client.learn(&answer, messenger.versions().kraft);
    Ok((answer, messenger))
}

async fn once<C: Call>(
    client: &Client,
    place: Place,
    line: Line,
    call: &C,
) -> Result<(C::Answer, Arc<Messenger>), Failed> {
    let options = &client.shared.options;
    let got = open(client, place, line, options.connect_timeout).await;
    let (messenger, fresh) = got.map_err(|error| Failed { error, fresh: true })?;
    match messenger.call(call, options.request_timeout).await {
        Ok(answer) => match C::cluster_id(&answer) {
            // An address may have gone to a broker of another cluster.
            Some(found) if found != client.cluster_id() => {
                let (expected, found) = (client.cluster_id().to_owned(), found.to_owned());
                let error = Error::OtherCluster { broker: messenger.peer().clone(), expected, found };
                Err(Failed { error, fresh })
            }
            _ => Ok((answer, messenger)),
        },
        Err(lost) => Err(Failed { error: lost.error, fresh }),
    }
}

/// A connection to a place, and whether it is a new one.
pub(crate) async fn open(
    client: &Client,
    place: Place,
    line: Line,
    within: Duration,
) -> Result<(Arc<Messenger>, bool), Error> {
    let address = match place {
        Place::Broker(id) => {
            client.book().address(id).map(str::to_owned).ok_or(Error::UnknownBroker { id })?
        }
        Place::Seed(at) => client.shared.servers[at].clone(),
    };
    client.shared.pool.get(place, line, &address, within).await
}
