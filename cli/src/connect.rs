//! How a cluster is reached. PLAINTEXT; TLS and SASL come in behind [`Connect`](restow_client::Connect).

use std::sync::Arc;

use restow_client::{Client, Options, Tcp};
use tokio::runtime::{Builder, Runtime};

use crate::args::Bootstrap;
use crate::error::Error;

/// The runtime of a verb that talks to a cluster: one thread, so that what happens has one order.
pub fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("cannot start: {error}")))
}

/// A runtime whose clock stands still while there is something to do and jumps when there is nothing: a
/// simulated cluster's day takes seconds.
pub fn paused_runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .map_err(|error| Error::internal(format!("cannot start: {error}")))
}

/// A client of the cluster at these addresses.
pub async fn client(bootstrap: &Bootstrap) -> Result<Client, Error> {
    Ok(Client::bootstrap(Arc::new(Tcp), &bootstrap.servers, Options::default()).await?)
}
