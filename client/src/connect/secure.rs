//! TLS over TCP.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Connect, Stream, host, tcp};
use crate::tls::{Seen, Tls};

/// TLS, as Kafka's `SSL` and `SASL_SSL` listeners speak it.
#[derive(Debug, Clone)]
pub struct Secure {
    tls: Arc<Tls>,
}

impl Secure {
    /// All connections with these settings.
    pub fn new(tls: Tls) -> Self {
        Secure { tls: Arc::new(tls) }
    }

    /// Opens a stream to `address`, and tells what the broker showed.
    ///
    /// # Errors
    /// If there is no connection, or no TLS on it: then what is wrong and what to do.
    pub async fn open(&self, address: &str) -> io::Result<(Box<dyn Stream>, Seen)> {
        let stream = tcp::open(address).await?;
        let wrapped = self.tls.wrap(host(address), stream).await;
        let (stream, seen) = wrapped.map_err(|error| TlsFault(error.to_string()).into_io(None))?;
        Ok((Box::new(Explained { stream, tls: Arc::clone(&self.tls) }), seen))
    }
}

impl Connect for Secure {
    fn connect(&self, address: &str) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let address = address.to_owned();
        async move {
            let (stream, seen) = self.open(&address).await?;
            for warning in &seen.warnings {
                tracing::warn!(address, warning, "TLS");
            }
            tracing::debug!(address, protocol = seen.protocol, suite = seen.cipher_suite, "TLS");
            Ok(stream)
        }
        .boxed()
    }
}

/// What TLS has against a connection: its text says all, so that nothing is added to it.
#[derive(Debug)]
pub(crate) struct TlsFault(String);

impl TlsFault {
    fn into_io(self, kind: Option<io::ErrorKind>) -> io::Error {
        io::Error::new(kind.unwrap_or(io::ErrorKind::InvalidData), self)
    }

    /// Whether an error is one.
    pub(crate) fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<TlsFault>())
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsFault {}

/// A stream whose errors say what a broker has against us: with TLS 1.3 that comes after the handshake.
struct Explained {
    stream: TlsStream<TcpStream>,
    tls: Arc<Tls>,
}

impl Explained {
    fn explain(&self, error: &io::Error) -> io::Error {
        TlsFault(self.tls.explain(error)).into_io(Some(error.kind()))
    }
}

impl AsyncRead for Explained {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, into));
        Poll::Ready(read.map_err(|error| self.explain(&error)))
    }
}

impl AsyncWrite for Explained {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(written.map_err(|error| self.explain(&error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(flushed.map_err(|error| self.explain(&error)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
