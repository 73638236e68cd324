//! A Kafka `client.properties`, as the stock tools take it with `--command-config`.
//!
//! ```text
//! properties   the format: java.util.Properties
//! providers    variables in values: ${env:…}, ${file:…}, ${directory:…}
//! values       a key's value as a list, a path, a number
//! jaas         sasl.jaas.config
//! keys         known, refused and unknown keys
//! tls          ssl.*   → TlsSettings
//! sasl, oauth  sasl.*  → SaslSettings
//! exposure     secrets that others can read
//! ```
//!
//! A file that works with Kafka's tools works here unchanged, or an error says which key does not and what to
//! write instead. Names of classes are compared without their package, so that shaded copies are the same.

mod endpoint;
mod error;
mod exposure;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod jaas;
mod keys;
mod oauth;
mod properties;
mod providers;
mod sasl;
mod tls;
mod values;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::connect::parse_server;
use crate::sasl::SaslSettings;
use crate::tls::TlsSettings;

pub use error::ConfigError;
use providers::{Outside, Providers};
use values::Values;

/// What a client.properties says.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// `bootstrap.servers`, as written; often empty, since tools take them as an option.
    pub servers: Vec<String>,
    /// `client.id`.
    pub client_id: Option<String>,
    /// `request.timeout.ms`.
    pub request_timeout: Option<Duration>,
    /// `socket.connection.setup.timeout.max.ms`.
    pub connect_timeout: Option<Duration>,
    /// `security.protocol` and what it needs.
    pub security: Security,
    /// What the operator should know: one sentence each, without secrets.
    pub warnings: Vec<String>,
}

/// How a connection is secured, by `security.protocol`; without either it is PLAINTEXT.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// With `SSL` and `SASL_SSL`.
    pub tls: Option<TlsSettings>,
    /// With `SASL_PLAINTEXT` and `SASL_SSL`.
    pub sasl: Option<SaslSettings>,
}

/// Reads the text of a client.properties. `name` is what errors call it; `env` looks up an environment
/// variable.
///
/// # Errors
///
/// What is malformed, missing or not supported, by line or key. Secrets are never named.
pub fn read(
    bytes: &[u8],
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<ClientConfig, ConfigError> {
    parse(bytes, name, None, &Outside { env, files: &file::read })
}

/// Reads a client.properties, and warns if others than its owner can read a secret in it or in a file that it
/// names.
///
/// # Errors
///
/// Like [`read`]; or the file cannot be read.
pub fn read_file(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<ClientConfig, ConfigError> {
    let name = path.display().to_string();
    match file::read(path) {
        Ok(bytes) => parse(&bytes, &name, Some(path), &Outside { env, files: &file::read }),
        Err(source) => Err(ConfigError::Unreadable { file: name, source }),
    }
}

fn parse(
    bytes: &[u8],
    name: &str,
    path: Option<&Path>,
    outside: &Outside<'_>,
) -> Result<ClientConfig, ConfigError> {
    let entries = properties::parse(&properties::latin1(bytes)).map_err(|malformed| ConfigError::Syntax {
        file: name.to_owned(),
        line: malformed.line,
        reason: malformed.reason,
    })?;
    let providers = Providers { entries: &entries, outside };
    let values = Values { file: name, entries: &entries, providers: Some(&providers) };
    let mut warnings = keys::unknown(&values)?;
    warnings.extend(not_latin1(&values));
    let security = security(&values, &mut warnings)?;
    if let Some(path) = path {
        warnings.extend(exposure::warnings(path, &entries, &providers, &security));
    }
    dns(&values)?;
    Ok(ClientConfig {
        servers: servers(&values)?,
        client_id: values.text("client.id")?,
        request_timeout: values.millis("request.timeout.ms")?,
        connect_timeout: values.millis("socket.connection.setup.timeout.max.ms")?,
        security,
        warnings,
    })
}

/// Each address of a name is tried; the older ways of `client.dns.lookup` are not there.
fn dns(values: &Values<'_>) -> Result<(), ConfigError> {
    let key = "client.dns.lookup";
    match values.text(key)?.as_deref() {
        // `default` went with Kafka 3; it tried one address only.
        None | Some("use_all_dns_ips" | "default") => Ok(()),
        Some("resolve_canonical_bootstrap_servers_only") => {
            Err(values.unsupported(key, "write the brokers' canonical names in bootstrap.servers"))
        }
        Some(_) => Err(values.bad(key, format!("is `{}`: it can be use_all_dns_ips", values.written(key)))),
    }
}

fn servers(values: &Values<'_>) -> Result<Vec<String>, ConfigError> {
    let key = "bootstrap.servers";
    let servers = values.list(key)?;
    match servers.iter().find_map(|server| parse_server(server).err()) {
        Some(wrong) => Err(values.bad(key, format!("is `{}`: {wrong}", values.written(key)))),
        None => Ok(servers),
    }
}

fn security(values: &Values<'_>, warnings: &mut Vec<String>) -> Result<Security, ConfigError> {
    let key = "security.protocol";
    let protocol = values.text(key)?.map_or_else(|| "PLAINTEXT".to_owned(), |name| name.to_uppercase());
    let (has_tls, has_sasl) = match protocol.as_str() {
        "PLAINTEXT" => (false, false),
        "SSL" => (true, false),
        "SASL_PLAINTEXT" => (false, true),
        "SASL_SSL" => (true, true),
        _ => {
            let written = values.written(key);
            let reason = format!("is `{written}`: it can be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL");
            return Err(values.bad(key, reason));
        }
    };
    for (prefix, _) in [("ssl.", has_tls), ("sasl.", has_sasl)].iter().filter(|(_, is_used)| !is_used) {
        if let Some(first) = values.entries.keys().find(|key| key.starts_with(prefix) && keys::is_known(key))
        {
            let how = if values.has(key) { "is" } else { "is not set, which means" };
            let reason =
                format!("{key} {how} {protocol}: {first} and all other {prefix} keys have no effect");
            warnings.push(values.warning(reason));
        }
    }
    keys::check(values, has_tls, has_sasl)?;
    Ok(Security {
        tls: has_tls.then(|| tls::read(values, warnings)).transpose()?,
        sasl: has_sasl.then(|| sasl::read(values)).transpose()?,
    })
}

/// Warnings about values that were saved as UTF-8: Java reads two or more characters for one, and so do we.
fn not_latin1(values: &Values<'_>) -> Vec<String> {
    let keys = values.entries.iter().filter(|(key, value)| keys::is_known(key) && is_utf8(value.expose()));
    let advice = "looks like UTF-8, but Kafka's tools read ISO-8859-1, and so does restow: write \\uXXXX for \
                  letters beyond ASCII";
    keys.map(|(key, _)| values.warning(format!("{key} {advice}"))).collect()
}

/// Whether bytes that were read as ISO-8859-1 make sense as UTF-8.
fn is_utf8(text: &str) -> bool {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(text.chars().map_while(|c| u8::try_from(c).ok()));
    !text.is_ascii() && bytes.len() == text.chars().count() && std::str::from_utf8(&bytes).is_ok()
}
