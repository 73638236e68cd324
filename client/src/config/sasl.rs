//! The `sasl.*` keys: which mechanism, who we are.

use super::error::ConfigError;
use super::jaas::{Login, Module};
use super::oauth;
use super::values::Values;
use crate::sasl::{SaslSettings, ScramHash};
use crate::secret::Secret;

pub(super) const JAAS: &str = "sasl.jaas.config";

pub(super) const NO_KERBEROS: &str = "asks for Kerberos (GSSAPI), which restow does not have: give it a \
                                      listener with SCRAM, OAUTHBEARER or mTLS";

pub(super) const NO_IAM_MODULE: &str = "asks for AWS's own login module, which restow does not have: MSK \
                                        takes sasl.mechanism=OAUTHBEARER too, with a token that AWS's signer \
                                        program prints (restow.oauth.token.command)";

/// Reads what `sasl.mechanism` needs.
pub(super) fn read(values: &Values<'_>) -> Result<SaslSettings, ConfigError> {
    let key = "sasl.mechanism";
    match values.text(key)?.as_deref() {
        Some("PLAIN") => plain(values),
        Some("SCRAM-SHA-256") => scram(values, ScramHash::Sha256),
        Some("SCRAM-SHA-512") => scram(values, ScramHash::Sha512),
        Some("OAUTHBEARER") => oauth::read(values),
        Some("GSSAPI") => Err(values.bad(key, NO_KERBEROS)),
        Some("AWS_MSK_IAM") => Err(values.bad(key, NO_IAM_MODULE)),
        Some(_) => Err(values.bad(key, format!("is `{}`: restow has {MECHANISMS}", values.written(key)))),
        None => Err(values.bad(
            key,
            format!(
                "is not set, and Kafka's default is Kerberos (GSSAPI), which restow does not have: set it to \
                 {MECHANISMS}"
            ),
        )),
    }
}

const MECHANISMS: &str = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER";

/// Kafka logs in with PLAIN by the module of SCRAM too: both keep name and password only.
fn plain(values: &Values<'_>) -> Result<SaslSettings, ConfigError> {
    let login = login(values, &[Module::Plain, Module::Scram])?;
    let (username, password) = name_and_password(values, &login)?;
    Ok(SaslSettings::Plain { username, password })
}

fn scram(values: &Values<'_>, hash: ScramHash) -> Result<SaslSettings, ConfigError> {
    let login = login(values, &[Module::Scram])?;
    let (username, password) = name_and_password(values, &login)?;
    let is_token = login.option("tokenauth").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    Ok(SaslSettings::Scram { hash, username, password, is_token })
}

fn name_and_password(values: &Values<'_>, login: &Login) -> Result<(String, Secret), ConfigError> {
    let option = |name: &str| {
        let option = login.options.get(name).filter(|text| !text.expose().is_empty());
        option.ok_or_else(|| values.bad(JAAS, format!("has no option {name}, or an empty one")))
    };
    Ok((option("username")?.expose().to_owned(), option("password")?.clone()))
}

fn login(values: &Values<'_>, modules: &[Module]) -> Result<Login, ConfigError> {
    let login = optional_login(values)?.ok_or_else(|| {
        values.bad(
            JAAS,
            "is not set: a JAAS file of -Djava.security.auth.login.config is not read, so copy what its \
             KafkaClient section has between the braces",
        )
    })?;
    check_module(values, &login, modules)?;
    Ok(login)
}

/// The JAAS line, if there is one.
pub(super) fn optional_login(values: &Values<'_>) -> Result<Option<Login>, ConfigError> {
    let Some(text) = values.secret(JAAS)? else { return Ok(None) };
    Login::parse(text.expose()).map(Some).map_err(|reason| values.bad(JAAS, reason))
}

/// A mechanism takes only modules that give it what it needs.
pub(super) fn check_module(
    values: &Values<'_>,
    login: &Login,
    modules: &[Module],
) -> Result<(), ConfigError> {
    if modules.contains(&login.module) {
        return Ok(());
    }
    let mechanism = values.written("sasl.mechanism");
    let reason = format!("has a {:?}LoginModule, which is not for sasl.mechanism={mechanism}", login.module);
    Err(values.bad(JAAS, reason))
}
