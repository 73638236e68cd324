//! How a cluster is reached: addresses and a client.properties.

use std::sync::Arc;

use restow_client::config::{self, ClientConfig};
use restow_client::sasl::SaslSettings;
use restow_client::tls::Tls;
use restow_client::{Client, Connect, Login, Options, Outside, Secure, Tcp};
use tokio::runtime::{Builder, Runtime};

use crate::args::Bootstrap;
use crate::clock;
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

/// A client of the cluster that was named.
pub async fn client(bootstrap: &Bootstrap) -> Result<Client, Error> {
    let way = Way::to(bootstrap)?;
    way.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    Ok(way.client().await?)
}

/// How a cluster is reached.
#[derive(Debug)]
pub struct Way {
    /// Where it begins.
    pub servers: Vec<String>,
    /// How patient it is, and how it logs in.
    pub options: Options,
    /// TLS, where it is asked for.
    pub secure: Option<Secure>,
    /// What should be changed about it.
    pub warnings: Vec<String>,
}

impl Way {
    /// Reads what was typed, and the files that it names.
    pub fn to(bootstrap: &Bootstrap) -> Result<Way, Error> {
        let Some(path) = &bootstrap.command_config else {
            let servers = bootstrap.servers.clone();
            return Ok(Way { servers, options: Options::default(), secure: None, warnings: vec![] });
        };
        let config = config::read_file(path, &variable).map_err(|error| Error::usage(error.to_string()))?;
        let ClientConfig { servers, client_id, request_timeout, connect_timeout, security, mut warnings } =
            config;
        let servers = if bootstrap.servers.is_empty() { servers } else { bootstrap.servers.clone() };
        if servers.is_empty() {
            let text = format!("{}: it names no bootstrap.servers", path.display());
            return Err(Error::usage(text).hint("say --bootstrap-server HOST:PORT"));
        }
        let outside = Outside { clock: clock::now, variable };
        let secure = match &security.tls {
            None => None,
            Some(settings) => {
                let tls =
                    Tls::new(settings, &outside.wall()).map_err(|error| Error::usage(error.to_string()))?;
                warnings.extend_from_slice(tls.warnings());
                Some(Secure::new(tls))
            }
        };
        if let Some(sasl) = security.sasl.as_ref().filter(|_| secure.is_none()) {
            warnings.extend(may_be_seen(sasl, bootstrap.allow_plaintext_credentials)?);
        }
        let usual = Options::default();
        let options = Options {
            client_id: client_id.unwrap_or(usual.client_id),
            request_timeout: request_timeout.unwrap_or(usual.request_timeout),
            connect_timeout: connect_timeout.unwrap_or(usual.connect_timeout),
            login: security.sasl.map(|sasl| Login::new(sasl, Arc::new(outside))),
            ..usual
        };
        Ok(Way { servers, options, secure, warnings })
    }

    /// Connects.
    pub async fn client(&self) -> Result<Client, restow_client::Error> {
        let connect: Arc<dyn Connect> = match &self.secure {
            Some(secure) => Arc::new(secure.clone()),
            None => Arc::new(Tcp),
        };
        Client::bootstrap(connect, &self.servers, self.options.clone()).await
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Refuses to send a password or a token where everybody on the way can read it; a warning if that is allowed.
fn may_be_seen(sasl: &SaslSettings, is_allowed: bool) -> Result<Option<String>, Error> {
    let what = match sasl {
        SaslSettings::Plain { .. } => "the password of SASL PLAIN",
        SaslSettings::OAuthBearer { .. } => "the token of OAUTHBEARER",
        // The password stays here.
        SaslSettings::Scram { .. } => return Ok(None),
    };
    if is_allowed {
        return Ok(Some(format!(
            "{what} goes over connections without TLS, for everybody on the way to read"
        )));
    }
    let text = format!("security.protocol=SASL_PLAINTEXT would send {what} over connections without TLS");
    Err(Error::usage(text).hint("use a SASL_SSL listener, or say --allow-plaintext-credentials"))
}
