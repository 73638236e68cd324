//! The URL of a token endpoint or a token file.

use std::net::IpAddr;

/// The path of a `file:` URL. Kafka takes it as it stands (`FileJwtRetriever`): `%20` is three characters.
pub(super) fn file(url: &str) -> Result<Option<&str>, &'static str> {
    let Some(rest) = strip_scheme(url, "file:") else { return Ok(None) };
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => rest,
    };
    if path.starts_with('/') && path.len() > 1 {
        Ok(Some(path))
    } else {
        Err("has no absolute path: write file:///path/of/the/token")
    }
}

/// Whether a client secret may be sent there: over TLS, or without it to this machine only.
pub(super) fn check(url: &str) -> Result<(), &'static str> {
    let (is_secure, rest) = match (strip_scheme(url, "https://"), strip_scheme(url, "http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err("is neither an https:// nor a file:// URL"),
    };
    if url.chars().any(|c| c.is_control() || c == ' ') {
        return Err("has blanks or control characters in it");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("has a user in it: give client id and secret by their own keys");
    }
    let host = host(authority).ok_or("has no host, or no valid port")?;
    if is_secure || is_loopback(host) {
        Ok(())
    } else {
        Err("is http://, which carries the client secret in the clear: only https:// may leave this machine")
    }
}

/// URL schemes have no case.
fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = url.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    (is_port && !host.is_empty()).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
