//! Where OAuth tokens come from: `sasl.oauthbearer.*` (KIP-768, KIP-1139), the JAAS line (KIP-255), and
//! restow's own `restow.oauth.token.*`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::jaas::{Login, Module};
use super::keys::{self, HANDLER, RETRIEVER};
use super::sasl::{JAAS, check_module, optional_login};
use super::values::Values;
use super::{endpoint, tls};
use crate::sasl::{Oidc, SaslSettings, TokenSource};
use crate::secret::Secret;
use crate::tls::TlsSettings;

pub(super) const TOKEN_ENV: &str = "restow.oauth.token.env";
pub(super) const TOKEN_COMMAND: &str = "restow.oauth.token.command";
pub(super) const TOKEN_COMMAND_TIMEOUT: &str = "restow.oauth.token.command.timeout.ms";
const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";

/// Programs that ask a cloud for a token start slowly.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// For connecting to a token endpoint, and again for its answer; Kafka waits for ever.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(10);
/// `OAuthBearerUnsecuredLoginCallbackHandler`.
const UNSECURED_LIFETIME: Duration = Duration::from_secs(3600);

/// Reads the source of tokens: our own keys first, so that one file can serve Kafka's tools and us.
pub(super) fn read(values: &Values<'_>) -> Result<SaslSettings, ConfigError> {
    let login = match optional_login(values)? {
        Some(login) => login,
        None => Login { module: Module::OAuthBearer, options: BTreeMap::new() },
    };
    check_module(values, &login, &[Module::OAuthBearer])?;
    let (source, prefix) = match own(values)? {
        Some(source) => (source, "extension_"),
        None if is_unsecured(values, &login)? => (unsecured(values, &login)?, "unsecuredLoginExtension_"),
        None => (remote(values, &login)?, "extension_"),
    };
    let extensions = extensions(values, &login, prefix)?;
    Ok(SaslSettings::OAuthBearer { source, extensions })
}

fn own(values: &Values<'_>) -> Result<Option<TokenSource>, ConfigError> {
    match (values.text(TOKEN_ENV)?, values.text(TOKEN_COMMAND)?) {
        (Some(_), Some(_)) => Err(values.bad(TOKEN_ENV, format!("and {TOKEN_COMMAND} exclude each other"))),
        (Some(name), None) => Ok(Some(TokenSource::Env(name))),
        (None, Some(line)) => command(values, &line).map(Some),
        (None, None) => Ok(None),
    }
}

/// Words as a shell would cut them; no shell runs them, so `$`, `|`, `>` and `~` are only characters.
fn command(values: &Values<'_>, line: &str) -> Result<TokenSource, ConfigError> {
    if values.written(TOKEN_COMMAND).contains("${") {
        let why = "has a variable: everybody sees arguments in the process list, so let the program read it";
        return Err(values.bad(TOKEN_COMMAND, why));
    }
    let words = shlex::split(line);
    let mut words =
        words.ok_or_else(|| values.bad(TOKEN_COMMAND, "has a quote that is not closed"))?.into_iter();
    let program = words.next().ok_or_else(|| values.bad(TOKEN_COMMAND, "names no program"))?;
    let timeout = values.millis(TOKEN_COMMAND_TIMEOUT)?.unwrap_or(COMMAND_TIMEOUT);
    Ok(TokenSource::Command { program, arguments: words.map(Secret::new).collect(), timeout })
}

/// Kafka makes unsecured tokens unless a callback handler is named. Where one is forgotten but an endpoint is
/// given, we take the endpoint, for Kafka could not log in.
fn is_unsecured(values: &Values<'_>, login: &Login) -> Result<bool, ConfigError> {
    Ok(match values.text(HANDLER)? {
        Some(class) => keys::simple_name(&class) == "OAuthBearerUnsecuredLoginCallbackHandler",
        None => login.options.keys().any(|name| name.starts_with("unsecuredLogin")),
    })
}

fn unsecured(values: &Values<'_>, login: &Login) -> Result<TokenSource, ConfigError> {
    let [subject, scope, lifetime] =
        ["unsecuredLoginStringClaim_sub", "unsecuredLoginListClaim_scope", "unsecuredLoginLifetimeSeconds"];
    let is_other = |name: &String| {
        let is_ours = [subject, scope, lifetime].contains(&name.as_str());
        name.starts_with("unsecuredLogin") && !is_ours && !name.starts_with("unsecuredLoginExtension_")
    };
    if login.options.keys().any(is_other) {
        let advice =
            format!("of the unsecuredLogin options only {subject}, {scope} and {lifetime} are there");
        return Err(values.unsupported(JAAS, advice));
    }
    let subject = match login.option(subject).filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => return Err(values.bad(JAAS, format!("has no option {subject}, or an empty one"))),
    };
    let lifetime = match login.option(lifetime).map(str::parse::<u32>) {
        None => UNSECURED_LIFETIME,
        Some(Ok(seconds)) if seconds > 0 => Duration::from_secs(seconds.into()),
        Some(_) => {
            return Err(values.bad(JAAS, format!("has an option {lifetime} that is not a number of seconds")));
        }
    };
    let scope = list_claim(login.option(scope).unwrap_or_default());
    Ok(TokenSource::Unsecured { subject, scope, lifetime })
}

/// `|one|two`: the first character is what stands between.
fn list_claim(text: &str) -> Vec<String> {
    let mut rest = text.chars();
    let Some(between) = rest.next() else { return Vec::new() };
    rest.as_str().split(between).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// What `DefaultJwtRetriever` takes: a file or a token endpoint, by the scheme of the URL.
fn remote(values: &Values<'_>, login: &Login) -> Result<TokenSource, ConfigError> {
    let url = values.text(ENDPOINT)?.ok_or_else(|| {
        values.bad(ENDPOINT, format!("is not set: OAUTHBEARER needs it, or {TOKEN_COMMAND}, or {TOKEN_ENV}"))
    })?;
    let retriever = values.text(RETRIEVER)?;
    let retriever = retriever.as_deref().map_or("DefaultJwtRetriever", keys::simple_name);
    let file = endpoint::file(&url).map_err(|reason| values.bad(ENDPOINT, reason))?;
    match (retriever, file) {
        ("DefaultJwtRetriever" | "FileJwtRetriever", Some(path)) => {
            Ok(TokenSource::File(PathBuf::from(path)))
        }
        ("DefaultJwtRetriever" | "ClientCredentialsJwtRetriever", None) => oidc(values, login, url),
        _ => Err(values.bad(RETRIEVER, format!("does not fit the scheme of {ENDPOINT}"))),
    }
}

fn oidc(values: &Values<'_>, login: &Login, endpoint: String) -> Result<TokenSource, ConfigError> {
    endpoint::check(&endpoint).map_err(|reason| values.bad(ENDPOINT, reason))?;
    for key in ["sasl.oauthbearer.assertion.file", "sasl.oauthbearer.assertion.claim.iss"] {
        if values.text(key)?.is_some() {
            return Err(values.unsupported(key, format!("use a client secret, or {TOKEN_COMMAND}")));
        }
    }
    let needed = |key, option| {
        let found = credential(values, login, key, option)?;
        found.ok_or_else(|| values.bad(key, format!("is not set, nor is the option {option} of {JAAS}")))
    };
    let client_id = needed("sasl.oauthbearer.client.credentials.client.id", "clientId")?.expose().to_owned();
    let client_secret = needed("sasl.oauthbearer.client.credentials.client.secret", "clientSecret")?;
    let scope = credential(values, login, "sasl.oauthbearer.scope", "scope")?;
    let connect = values.millis("sasl.login.connect.timeout.ms")?.unwrap_or(ENDPOINT_TIMEOUT);
    let read = values.millis("sasl.login.read.timeout.ms")?.unwrap_or(ENDPOINT_TIMEOUT);
    // Options stand resolved, and only those of the JAAS line count: Kafka's `JaasOptionsUtils`.
    let options = Values { file: JAAS, entries: &login.options, providers: None };
    keys::check(&options, true, false)?;
    // Java checks the host of an https URL whatever the options say, so that a warning would be false.
    let tls = TlsSettings { check_host: true, ..tls::read(&options, &mut Vec::new())? };
    Ok(TokenSource::Oidc(Oidc {
        endpoint,
        client_id,
        client_secret,
        scope: scope.map(|scope| scope.expose().to_owned()),
        url_encode: values.flag("sasl.oauthbearer.header.urlencode")?.unwrap_or(false),
        tls: Box::new(tls),
        timeout: connect + read,
    }))
}

/// The key of the file before the option of the JAAS line (Kafka's `ConfigOrJaas`), without blanks around it.
fn credential(
    values: &Values<'_>,
    login: &Login,
    key: &str,
    option: &str,
) -> Result<Option<Secret>, ConfigError> {
    let found = match values.secret(key)? {
        Some(value) => Some(value),
        None => login.option(option).map(|text| Secret::new(text.trim())),
    };
    Ok(found.filter(|value| !value.expose().is_empty()))
}

/// SASL extensions, as RFC 7628 section 3.1 lets them be
/// (`OAuthBearerClientInitialResponse.validateExtensions`).
fn extensions(
    values: &Values<'_>,
    login: &Login,
    prefix: &str,
) -> Result<Vec<(String, String)>, ConfigError> {
    let mut extensions = Vec::new();
    for (option, value) in &login.options {
        let Some(name) = option.strip_prefix(prefix) else { continue };
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()) && name != "auth";
        let is_text = |b: u8| matches!(b, b'!'..=b'~' | b' ' | b'\t' | b'\r' | b'\n');
        let value = value.expose();
        if !is_name || value.is_empty() || !value.bytes().all(is_text) {
            let reason = "has an extension_ option whose name is not all letters (or is auth), or whose value \
                          is empty or not ASCII";
            return Err(values.bad(JAAS, reason));
        }
        extensions.push((name.to_owned(), value.to_owned()));
    }
    Ok(extensions)
}
