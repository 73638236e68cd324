//! Where bearer tokens come from.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{TokenError, TokenSource, World, oauth};
use crate::secret::Secret;

/// The most bytes that a source may give. Tokens have some kilobytes.
pub(super) const LIMIT: usize = 64 * 1024;

impl TokenSource {
    /// A fresh token, which has the form of one; whether it is any good is for the broker to say.
    pub(super) async fn token(&self, world: &dyn World) -> Result<Secret, TokenError> {
        let text = match self {
            TokenSource::File(path) => self.text(&read(path)?)?,
            TokenSource::Env(name) => {
                world.variable(name).ok_or_else(|| TokenError::NotSet { name: name.clone() })?
            }
            TokenSource::Command { program, arguments, timeout: after } => {
                let printed = timeout(*after, run(program, arguments)).await;
                let late = |_| TokenError::TimedOut { place: self.place(), after: *after };
                self.text(&printed.map_err(late)??)?
            }
            TokenSource::Oidc(oidc) => oidc.token(world).await?,
            TokenSource::Unsecured { subject, scope, lifetime } => {
                unsecured(subject, scope, *lifetime, world.wall())?
            }
        };
        let token = text.expose().trim();
        if token.len() > LIMIT {
            return Err(TokenError::TooLong { place: self.place(), limit: LIMIT });
        }
        if !oauth::is_bearer_token(token) {
            return Err(TokenError::NotAToken { place: self.place() });
        }
        Ok(Secret::new(token))
    }

    /// How errors name the source. Arguments of a program may be secret.
    fn place(&self) -> String {
        match self {
            TokenSource::File(path) => format!("the file {}", path.display()),
            TokenSource::Env(name) => format!("the environment variable {name}"),
            TokenSource::Command { program, .. } => format!("the command {program}"),
            TokenSource::Oidc(oidc) => oidc.place(),
            TokenSource::Unsecured { .. } => "the unsecured login".to_owned(),
        }
    }

    fn text(&self, bytes: &[u8]) -> Result<Secret, TokenError> {
        if bytes.len() > LIMIT {
            return Err(TokenError::TooLong { place: self.place(), limit: LIMIT });
        }
        let text = str::from_utf8(bytes).map_err(|_| TokenError::NotAToken { place: self.place() })?;
        Ok(Secret::new(text))
    }
}

/// A file, up to one byte more than a token may have.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    let failed = |source: io::Error| TokenError::File { path: path.to_owned(), source: Arc::new(source) };
    // Opening a pipe that nobody writes to would block for ever.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(TokenError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = buffer();
    File::open(path).and_then(|file| file.take(LIMIT as u64 + 1).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

/// What a program prints, up to one byte more than a token may have. It is killed if we lose interest in it.
async fn run(program: &str, arguments: &[Secret]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    let failed =
        |source: io::Error| TokenError::NotRun { program: program.to_owned(), source: Arc::new(source) };
    let mut command = Command::new(program);
    // Its standard error may hold secrets, and ours is a terminal or a log.
    command
        .args(arguments.iter().map(Secret::expose))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    let mut bytes = buffer();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LIMIT as u64 + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    }
    if bytes.len() > LIMIT {
        return Ok(bytes);
    }
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        return Err(TokenError::Failed { program: program.to_owned(), status: status.to_string() });
    }
    Ok(bytes)
}

/// Large enough never to move: the copy left behind would not be wiped.
pub(super) fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(2 * LIMIT))
}

/// An unsecured JWS (RFC 7515 appendix A.5) with the claims of Kafka's `OAuthBearerUnsecuredLoginCallbackHandler`.
fn unsecured(subject: &str, scope: &[String], lifetime: Duration, wall: u64) -> Result<Secret, TokenError> {
    if subject.trim().is_empty() {
        return Err(TokenError::Blank { what: "unsecuredLoginStringClaim_sub" });
    }
    let issued = wall / 1000;
    let mut claims =
        json!({ "sub": subject, "iat": issued, "exp": issued.saturating_add(lifetime.as_secs()) });
    if !scope.is_empty() {
        claims["scope"] = json!(scope);
    }
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    Ok(Secret::new(format!("{}.{}.", part(json!({ "alg": "none" })), part(claims))))
}

#[cfg(test)]
mod tests;
