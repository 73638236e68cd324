//! How bytes reach a broker: the one seam for TCP, TLS and the in-memory streams of the simulator.

mod outside;
mod secure;
mod tcp;

use std::fmt;
use std::io;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

pub use outside::Outside;
pub use secure::Secure;
pub(crate) use secure::TlsFault;
pub use tcp::Tcp;

/// A byte stream to a broker.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens byte streams to brokers. What is needed before Kafka's own frames (TLS) happens in here.
pub trait Connect: Send + Sync + fmt::Debug {
    /// Opens a stream to `address`, written `host:port` or `[v6]:port`.
    ///
    /// There is no deadline in here: the caller bounds it with [`Options::connect_timeout`](crate::Options).
    fn connect(&self, address: &str) -> BoxFuture<'_, io::Result<Box<dyn Stream>>>;
}

/// Streams from a function of the address: what is not TCP, such as a cluster in memory.
pub struct Dial<F>(pub F);

impl<F> fmt::Debug for Dial<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}

impl<F, S> Connect for Dial<F>
where
    F: Fn(&str) -> io::Result<S> + Send + Sync,
    S: Stream + 'static,
{
    fn connect(&self, address: &str) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let stream = (self.0)(address).map(|stream| Box::new(stream) as Box<dyn Stream>);
        std::future::ready(stream).boxed()
    }
}

/// `host:port`, with the brackets that an IPv6 address needs.
pub(crate) fn address(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// The host of an address, without the brackets of an IPv6 one.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// A bootstrap server as people write it: `host:port`, `[v6]:port`, also behind a `PROTOCOL://`.
pub(crate) fn parse_server(text: &str) -> io::Result<String> {
    let server = text.trim();
    let server = server.split_once("://").map_or(server, |(_, rest)| rest);
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "expected host:port or [IPv6]:port");
    let (host, port) = server.rsplit_once(':').ok_or_else(wrong)?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let port: u16 = port.parse().map_err(|_| wrong())?;
    if host.is_empty() || port == 0 || (host.contains(':') && !bracketed) {
        return Err(wrong());
    }
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_as_kafka_reads_it() {
        assert_eq!(parse_server(" a.b:9092 ").unwrap(), "a.b:9092");
        assert_eq!(parse_server("PLAINTEXT://a:9").unwrap(), "a:9");
        assert_eq!(parse_server("[::1]:9092").unwrap(), "[::1]:9092");
        for bad in ["a", "a:", ":9092", "a:0", "a:99999", "::1:9092", ""] {
            assert!(parse_server(bad).is_err(), "{bad:?}");
        }
        assert_eq!(address("::1", 9), "[::1]:9");
        assert_eq!(address("a", 9), "a:9");
        assert_eq!((host("[::1]:9"), host("a.b:9")), ("::1", "a.b"));
    }
}
