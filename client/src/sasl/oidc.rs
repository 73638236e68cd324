//! Tokens by the client credentials grant (RFC 6749 section 4.4), as Kafka's `HttpJwtRetriever` and
//! `ClientSecretRequestFormatter` ask for them (KIP-768).

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header;
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::error::shown;
use super::token::{LIMIT, buffer};
use super::{Oidc, TokenError, World};
use crate::secret::Secret;

/// What is waited between tries: one try more than this has entries.
const WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

impl Oidc {
    /// A token, with a few tries where another one may help.
    pub(super) async fn token(&self, world: &dyn World) -> Result<Secret, TokenError> {
        let target = Target::parse(&self.endpoint)?;
        let mut waits = WAITS.iter();
        loop {
            let late = |_| TokenError::TimedOut { place: target.place(), after: self.timeout };
            let error = match timeout(self.timeout, self.ask(&target, world)).await.map_err(late) {
                Ok(Ok(token)) => return Ok(token),
                Ok(Err(error)) | Err(error) => error,
            };
            match waits.next() {
                Some(wait) if may_pass(&error) => {
                    tracing::warn!(%error, "asking the token endpoint again");
                    sleep(*wait).await;
                }
                _ => return Err(error),
            }
        }
    }

    pub(super) fn place(&self) -> String {
        Target::parse(&self.endpoint)
            .map_or_else(|_| "the token endpoint".to_owned(), |target| target.place())
    }

    /// One try, on a connection of its own.
    async fn ask(&self, target: &Target, world: &dyn World) -> Result<Secret, TokenError> {
        let request = self.request(target)?;
        let tls = target.tls.then_some(&*self.tls);
        let opened = world.open(&target.host, target.port, tls).await;
        let stream = opened.map_err(|source| TokenError::Unreachable {
            host: target.shown.clone(),
            source: Arc::new(source),
        })?;
        let handshake = http1::Builder::new().max_buf_size(LIMIT).handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| target.broken(&error))?;
        let talk = async {
            let response = sender.send_request(request).await.map_err(|error| target.broken(&error))?;
            Ok((response.status(), target.body(response.into_body()).await?))
        };
        tokio::pin!(talk);
        let (status, body) = tokio::select! {
            biased;
            answer = &mut talk => answer,
            // What the connection has read before its end is still to be had.
            _ = connection => talk.await,
        }?;
        target.judge(status, &body)
    }

    fn request(&self, target: &Target) -> Result<Request<String>, TokenError> {
        let id = self.encoded("clientId", &self.client_id)?;
        let secret = self.encoded("clientSecret", self.client_secret.expose())?;
        let pair = Zeroizing::new([&id, ":", &secret].concat());
        let pair = Zeroizing::new(BASE64.encode(&*pair));
        let basic = Zeroizing::new(["Basic ", &pair].concat());
        let mut form = "grant_type=client_credentials".to_owned();
        if let Some(scope) = self.scope.as_deref().filter(|scope| !scope.trim().is_empty()) {
            form.push_str("&scope=");
            form.push_str(&self.encoded("scope", scope)?);
        }
        let request = Request::post(target.path.clone())
            .header(header::HOST, &target.shown)
            .header(header::AUTHORIZATION, &*basic)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .header(header::USER_AGENT, "restow");
        let request = request.body(form);
        let mut request =
            request.map_err(|_| TokenError::BadEndpoint { reason: "does not fit into HTTP" })?;
        if let Some(value) = request.headers_mut().get_mut(header::AUTHORIZATION) {
            value.set_sensitive(true);
        }
        Ok(request)
    }

    /// A value as Kafka sends it: trimmed, and encoded only if the settings say so, which holds for scopes too.
    fn encoded(&self, what: &'static str, text: &str) -> Result<Zeroizing<String>, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Blank { what });
        }
        let encode = || form_urlencoded::byte_serialize(text.as_bytes()).collect();
        Ok(Zeroizing::new(if self.url_encode { encode() } else { text.to_owned() }))
    }
}

/// The parts of an endpoint's URL.
#[derive(Debug)]
struct Target {
    tls: bool,
    host: String,
    port: u16,
    /// Host and port as in the URL, which is also what goes into `Host`.
    shown: String,
    path: PathAndQuery,
}

impl Target {
    fn parse(endpoint: &str) -> Result<Self, TokenError> {
        let bad = |reason| TokenError::BadEndpoint { reason };
        let uri: Uri = endpoint.trim().parse().map_err(|_| bad("is not a URL"))?;
        let parts = uri.into_parts();
        let authority = parts.authority.ok_or(bad("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("holds a user or password; set clientId and clientSecret instead"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let tls = match parts.scheme.as_ref().map(Scheme::as_str) {
            Some("https") => true,
            Some("http") if is_loopback => false,
            Some("http") => return Err(bad("is http, which would show the client's secret; use https")),
            _ => return Err(bad("is not https")),
        };
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = parts.path_and_query.unwrap_or(PathAndQuery::from_static("/"));
        Ok(Target { tls, host, port, shown: authority.to_string(), path })
    }

    fn place(&self) -> String {
        format!("the token endpoint {}", self.shown)
    }

    fn broken(&self, error: &hyper::Error) -> TokenError {
        TokenError::Broken { host: self.shown.clone(), reason: error.to_string() }
    }

    async fn body(&self, mut body: Incoming) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let mut bytes = buffer();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(|error| self.broken(&error))?.into_data() {
                if bytes.len() + data.len() > LIMIT {
                    return Err(TokenError::TooLong { place: self.place(), limit: LIMIT });
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(bytes)
    }

    /// The token in an answer, or why there is none. Nothing of a body is shown but what RFC 6749 means for people.
    fn judge(&self, status: StatusCode, body: &[u8]) -> Result<Secret, TokenError> {
        let (host, code) = (self.shown.clone(), status.as_u16());
        match status {
            // What Kafka takes for a yes.
            StatusCode::OK | StatusCode::CREATED => granted(body).ok_or(TokenError::NoToken { host }),
            _ if status.is_redirection() => Err(TokenError::Redirect { host, status: code }),
            _ => Err(TokenError::Status { host, status: code, said: refusal(body) }),
        }
    }
}

/// The first that is not blank, as Kafka's `JwtResponseParser` takes it.
fn granted(body: &[u8]) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: Option<String>,
        id_token: Option<String>,
    }
    let Granted { access_token, id_token } = serde_json::from_slice(body).ok()?;
    let mut tokens = [access_token, id_token].into_iter().flatten().map(Secret::new);
    tokens.find(|token| !token.expose().trim().is_empty())
}

/// RFC 6749 section 5.2.
fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        error_description: Option<String>,
    }
    let Ok(Refusal { error, error_description }) = serde_json::from_slice(body) else { return String::new() };
    let error = shown(error.as_bytes());
    match error_description {
        Some(text) => format!("{error}: {}", shown(text.as_bytes())),
        None => error,
    }
}

/// Whether the reason may be gone on another try. Kafka tries again for more, such as a status that it does not know.
fn may_pass(error: &TokenError) -> bool {
    match error {
        TokenError::Unreachable { source, .. } => source.kind() != io::ErrorKind::InvalidData,
        TokenError::Broken { .. } | TokenError::TimedOut { .. } => true,
        TokenError::Status { status, .. } => matches!(status, 429 | 500 | 502..=504 | 506..),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
