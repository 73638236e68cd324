//! What logins need of the world outside.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Secure, Stream, address, tcp};
use crate::sasl::World;
use crate::secret::Secret;
use crate::tls::{Tls, TlsSettings, UnixTime, Wall};

/// The machine that we run on. Clock and environment are handed in: this crate reads neither.
#[derive(Clone)]
pub struct Outside {
    /// Wall time.
    pub clock: fn() -> SystemTime,
    /// Environment variables.
    pub variable: fn(&str) -> Option<String>,
}

impl Outside {
    /// Wall time, as TLS wants it.
    pub fn wall(&self) -> Wall {
        let clock = self.clock;
        Arc::new(move || UnixTime::since_unix_epoch(clock().duration_since(UNIX_EPOCH).unwrap_or_default()))
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

impl World for Outside {
    fn wall(&self) -> u64 {
        (self.clock)().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }

    fn variable(&self, name: &str) -> Option<Secret> {
        (self.variable)(name).map(Secret::new)
    }

    fn open<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        tls: Option<&'a TlsSettings>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        async move {
            let address = address(host, port);
            let Some(settings) = tls else {
                return Ok(Box::new(tcp::open(&address).await?) as Box<dyn Stream>);
            };
            let tls = Tls::new(settings, &Outside::wall(self));
            let tls = tls.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            Ok(Secure::new(tls).open(&address).await?.0)
        }
        .boxed()
    }
}
