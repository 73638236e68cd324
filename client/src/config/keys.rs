//! The keys of a client.properties: what is used, what cannot matter, what would change security.
//!
//! Source: the names that `AdminClientConfig`, `ProducerConfig` and `ConsumerConfig` of Kafka 4.3.1 define,
//! and three of older ones.

use super::error::ConfigError;
use super::oauth::{TOKEN_COMMAND, TOKEN_ENV};
use super::values::Values;

pub(super) const HANDLER: &str = "sasl.login.callback.handler.class";
pub(super) const RETRIEVER: &str = "sasl.oauthbearer.jwt.retriever.class";

/// Keys that are read.
const USED: &str = "
    bootstrap.servers client.dns.lookup client.id config.providers request.timeout.ms
    restow.oauth.token.command restow.oauth.token.command.timeout.ms restow.oauth.token.env
    sasl.jaas.config sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.mechanism
    sasl.oauthbearer.assertion.claim.iss sasl.oauthbearer.assertion.file
    sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
    sasl.oauthbearer.header.urlencode sasl.oauthbearer.scope sasl.oauthbearer.token.endpoint.url
    security.protocol socket.connection.setup.timeout.max.ms ssl.cipher.suites ssl.enabled.protocols
    ssl.endpoint.identification.algorithm ssl.key.password ssl.keystore.certificate.chain
    ssl.keystore.key ssl.keystore.location ssl.keystore.password ssl.keystore.type ssl.protocol
    ssl.truststore.certificates ssl.truststore.location ssl.truststore.password ssl.truststore.type
";

/// Keys that tune the Java client's producers, consumers, metrics and background logins, or check tokens on
/// the broker's side. `ssl.secure.random.implementation` is here because our random numbers are the operating
/// system's whatever it says.
const SILENT: &str = "
    acks allow.auto.create.topics auto.commit.interval.ms auto.include.jmx.reporter auto.offset.reset
    batch.size bootstrap.controllers buffer.memory check.crcs client.rack compression.gzip.level
    compression.lz4.level compression.type compression.zstd.level connections.max.idle.ms
    default.api.timeout.ms delivery.timeout.ms enable.auto.commit enable.idempotence enable.metrics.push
    exclude.internal.topics fetch.max.bytes fetch.max.wait.ms fetch.min.bytes group.id group.instance.id
    group.protocol group.remote.assignor heartbeat.interval.ms interceptor.classes
    internal.auto.downgrade.txn.commit internal.leave.group.on.close
    internal.throw.on.fetch.stable.offset.unsupported isolation.level key.deserializer key.serializer
    linger.ms max.block.ms max.in.flight.requests.per.connection max.partition.fetch.bytes
    max.poll.interval.ms max.poll.records max.request.size metadata.max.age.ms metadata.max.idle.ms
    metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy metric.reporters
    metrics.num.samples metrics.recording.level metrics.sample.window.ms partition.assignment.strategy
    partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms partitioner.class
    partitioner.ignore.keys receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms retries
    retry.backoff.max.ms retry.backoff.ms sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin
    sasl.kerberos.service.name sasl.kerberos.ticket.renew.jitter
    sasl.kerberos.ticket.renew.window.factor sasl.login.refresh.buffer.seconds
    sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor
    sasl.login.refresh.window.jitter sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms
    sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud
    sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.jti.include
    sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.sub
    sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase
    sasl.oauthbearer.assertion.template.file sasl.oauthbearer.clock.skew.seconds
    sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer
    sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
    sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.url
    sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.scope.claim.name
    sasl.oauthbearer.sub.claim.name send.buffer.bytes session.timeout.ms share.acknowledgement.mode
    share.acquire.mode socket.connection.setup.timeout.ms ssl.secure.random.implementation
    transaction.timeout.ms transaction.two.phase.commit.enable transactional.id value.deserializer
    value.serializer
";

/// A key that names code or algorithms of Java.
struct Restricted {
    key: &'static str,
    layer: Layer,
    /// Values that mean what restow does anyway: names of algorithms, or of classes without their package.
    taken: &'static [&'static str],
    advice: &'static str,
}

/// Where a key has effect.
#[derive(PartialEq)]
enum Layer {
    All,
    Tls,
    Sasl,
    /// SASL, unless restow is told by its own keys where tokens come from.
    Token,
}

const RESTRICTED: [Restricted; 9] = [
    Restricted {
        key: "security.providers",
        layer: Layer::All,
        taken: &[],
        advice: "restow cannot load cryptography from Java classes: leave it out",
    },
    Restricted {
        key: "ssl.provider",
        layer: Layer::Tls,
        taken: &["SunJSSE"],
        advice: "restow has one implementation of TLS: leave it out",
    },
    Restricted {
        key: "ssl.engine.factory.class",
        layer: Layer::Tls,
        taken: &["DefaultSslEngineFactory", "CommonNameLoggingSslEngineFactory"],
        advice: "restow cannot load Java classes: give certificates by ssl.truststore.* and ssl.keystore.*",
    },
    Restricted {
        key: "ssl.keymanager.algorithm",
        layer: Layer::Tls,
        taken: &["SunX509", "NewSunX509", "PKIX", "IbmX509"],
        advice: "leave it out, or set it to SunX509 or PKIX",
    },
    Restricted {
        key: "ssl.trustmanager.algorithm",
        layer: Layer::Tls,
        taken: &["PKIX", "SunPKIX", "SunX509", "X509", "IbmPKIX", "IbmX509"],
        advice: "certificates are checked as PKIX (RFC 5280) has it: leave it out, or set it to PKIX",
    },
    Restricted {
        key: "sasl.client.callback.handler.class",
        layer: Layer::Sasl,
        taken: &["SaslClientCallbackHandler", "OAuthBearerSaslClientCallbackHandler"],
        advice: "restow cannot load Java classes: give name and password in sasl.jaas.config",
    },
    Restricted {
        key: "sasl.login.class",
        layer: Layer::Sasl,
        taken: &["DefaultLogin", "OAuthBearerRefreshingLogin"],
        advice: "restow cannot load Java classes: leave it out",
    },
    Restricted {
        key: HANDLER,
        layer: Layer::Token,
        taken: &[
            "DefaultLoginCallbackHandler",
            "OAuthBearerLoginCallbackHandler",
            "OAuthBearerUnsecuredLoginCallbackHandler",
        ],
        advice: "restow cannot load Java classes: use OAuthBearerLoginCallbackHandler of Kafka, or let \
                 restow.oauth.token.command run a program that prints the token",
    },
    Restricted {
        key: RETRIEVER,
        layer: Layer::Token,
        taken: &["DefaultJwtRetriever", "FileJwtRetriever", "ClientCredentialsJwtRetriever"],
        advice: "restow has DefaultJwtRetriever, FileJwtRetriever and ClientCredentialsJwtRetriever of Kafka; \
                 for others let restow.oauth.token.command run a program that prints the token",
    },
];

/// Refuses what would change security and is not supported, in the layers that are used.
pub(super) fn check(values: &Values<'_>, has_tls: bool, has_sasl: bool) -> Result<(), ConfigError> {
    let is_used = |layer: &Layer| match layer {
        Layer::All => true,
        Layer::Tls => has_tls,
        Layer::Sasl => has_sasl,
        Layer::Token => has_sasl && !values.has(TOKEN_COMMAND) && !values.has(TOKEN_ENV),
    };
    for Restricted { key, taken, advice, .. } in RESTRICTED.iter().filter(|r| is_used(&r.layer)) {
        let Some(value) = values.text(key)? else { continue };
        if !taken.iter().any(|name| name.eq_ignore_ascii_case(simple_name(&value))) {
            return Err(values.unsupported(key, *advice));
        }
    }
    // No key of Kafka, but one that asks for more than restow does.
    if has_tls && values.entries.keys().any(|key| key.starts_with("ssl.crl")) {
        return Err(values.unsupported("ssl.crl…", "revocation lists are not read: leave it out"));
    }
    Ok(())
}

/// A class without its package and outer class.
pub(super) fn simple_name(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or_default()
}

/// Warnings about keys that mean nothing to us; one that claims to be ours is an error.
pub(super) fn unknown(values: &Values<'_>) -> Result<Vec<String>, ConfigError> {
    let mut warnings = Vec::new();
    let mut nameless = 0;
    for key in values.entries.keys().filter(|key| !is_known(key)) {
        let hint = nearest(key).map_or_else(String::new, |near| format!(": did you mean {near}?"));
        let shown = if is_plain(key) { key } else { "…" };
        if key.starts_with("restow.") {
            return Err(values.bad(shown, format!("is no key that restow has{hint}")));
        }
        if hint.is_empty() && !is_plain(key) {
            nameless += 1;
        } else {
            warnings.push(values.warning(format!("unknown key {shown}{hint}")));
        }
    }
    if nameless > 0 {
        warnings.push(values.warning(format!(
            "{nameless} entries have no key that Kafka could know: does a line end without its backslash?"
        )));
    }
    Ok(warnings)
}

fn known() -> impl Iterator<Item = &'static str> {
    let restricted = RESTRICTED.iter().map(|restricted| restricted.key);
    USED.split_ascii_whitespace().chain(SILENT.split_ascii_whitespace()).chain(restricted)
}

pub(super) fn is_known(key: &str) -> bool {
    key.starts_with("config.providers.") || known().any(|known| known == key)
}

/// Whether it can be shown. Where a backslash is missing, the next line of a private key or of a JAAS line is
/// read as a key; none of these is all lower case with a point in it.
fn is_plain(key: &str) -> bool {
    let is_key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    key.len() <= LONGEST && key.contains('.') && key.bytes().all(is_key)
}

const LONGEST: usize = 100;

/// The known key that most likely was meant: one slip in four letters at most.
fn nearest(key: &str) -> Option<&'static str> {
    let most = key.len() / 4;
    let near = known().filter(|known| key.len() <= LONGEST && known.len().abs_diff(key.len()) <= most);
    let (distance, near) = near.map(|known| (strsim::osa_distance(key, known), known)).min()?;
    (distance <= most).then_some(near)
}
