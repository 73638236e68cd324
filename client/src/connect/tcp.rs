//! Plain TCP.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::{Connect, Stream};

/// How long one address of several is tried: a name may stand for one that swallows packets.
const EACH: Duration = Duration::from_secs(3);

/// Plain TCP, as Kafka's `PLAINTEXT` and `SASL_PLAINTEXT` listeners speak it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Connect for Tcp {
    fn connect(&self, address: &str) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let address = address.to_owned();
        async move { Ok(Box::new(open(&address).await?) as Box<dyn Stream>) }.boxed()
    }
}

/// Connects to the first address of a name that takes it (Kafka's `client.dns.lookup=use_all_dns_ips`).
pub(super) async fn open(address: &str) -> io::Result<TcpStream> {
    let mut addresses = lookup_host(address).await?.peekable();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    while let Some(one) = addresses.next() {
        let connect = TcpStream::connect(one);
        // The last one has all the time that the caller gives.
        let opened = match addresses.peek() {
            None => connect.await,
            Some(_) => timeout(EACH, connect).await.unwrap_or(Err(io::ErrorKind::TimedOut.into())),
        };
        match opened {
            Ok(stream) => {
                // Requests are small and answers are waited for: Nagle would only add delay.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
