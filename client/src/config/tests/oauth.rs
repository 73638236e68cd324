use std::path::Path;
use std::time::Duration;

use super::*;
use crate::sasl::{Oidc, TokenSource};
use crate::secret::Secret;
use crate::tls::{Store, StoreKind};

const MODULE: &str =
    "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
const HANDLER: &str = "sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer";

fn oauth(keys: &str) -> (TokenSource, Vec<(String, String)>) {
    let SaslSettings::OAuthBearer { source, extensions } =
        sasl(&format!("sasl.mechanism=OAUTHBEARER\n{keys}"))
    else {
        panic!()
    };
    (source, extensions)
}

fn oauth_refusal(keys: &str) -> String {
    sasl_refusal(&format!("sasl.mechanism=OAUTHBEARER\n{keys}"))
}

#[test]
fn client_credentials_come_from_the_jaas_line() {
    let (source, extensions) = oauth(&format!(
        "{HANDLER}.secured.OAuthBearerLoginCallbackHandler\n\
         sasl.oauthbearer.token.endpoint.url=https://id.example:8443/token\nsasl.login.connect.timeout.ms=1000\n\
         sasl.login.read.timeout.ms=2500\n{MODULE} clientId=\"restow\" clientSecret=\"Hunter2!\" scope=\"kafka\" \
         extension_logicalCluster=\"lkc-1\" ssl.truststore.type=\"PEM\" ssl.truststore.location=\"/ca.pem\";"
    ));
    let TokenSource::Oidc(Oidc { endpoint, client_id, client_secret, scope, url_encode, tls, timeout }) =
        source
    else {
        panic!()
    };
    assert_eq!((endpoint.as_str(), client_id.as_str()), ("https://id.example:8443/token", "restow"));
    assert_eq!((client_secret.expose(), scope.as_deref(), url_encode), ("Hunter2!", Some("kafka"), false));
    assert_eq!(timeout, Duration::from_millis(3500));
    assert!(matches!(tls.trust, Some(Store::File { kind: StoreKind::Pem, .. })) && tls.check_host);
    assert_eq!(extensions, [("logicalCluster".to_owned(), "lkc-1".to_owned())]);
}

#[test]
fn client_credentials_of_the_file_go_before_those_of_the_jaas_line() {
    let (source, _) = oauth(&format!(
        "{HANDLER}.OAuthBearerLoginCallbackHandler\nsasl.oauthbearer.token.endpoint.url=https://id/token\n\
         sasl.oauthbearer.client.credentials.client.id=file\nsasl.oauthbearer.client.credentials.client.secret=s1\n\
         sasl.oauthbearer.scope=all\nsasl.oauthbearer.header.urlencode=true\n\
         sasl.oauthbearer.jwt.retriever.class=org.apache.kafka.common.security.oauthbearer.ClientCredentialsJwtRetriever\n\
         {MODULE} clientId=\"jaas\" clientSecret=\"s2\" scope=\"none\";"
    ));
    let TokenSource::Oidc(Oidc { client_id, client_secret, scope, url_encode: true, .. }) = source else {
        panic!()
    };
    assert_eq!((client_id.as_str(), client_secret.expose(), scope.as_deref()), ("file", "s1", Some("all")));
}

#[test]
fn the_endpoint_does_not_inherit_the_trust_store_of_the_brokers() {
    let (source, _) = oauth(&format!(
        "ssl.truststore.type=PEM\nssl.truststore.location=/brokers.pem\nssl.endpoint.identification.algorithm=\n\
         sasl.oauthbearer.token.endpoint.url=https://id/token\n{MODULE} clientId=a clientSecret=b \
         ssl.endpoint.identification.algorithm=\"\";"
    ));
    let TokenSource::Oidc(oidc) = source else { panic!() };
    assert!(oidc.tls.trust.is_none() && oidc.tls.check_host);
}

#[test]
fn a_token_file_is_a_file_url() {
    for url in ["file:///var/run/token", "file:/var/run/token", "FILE://localhost/var/run/token"] {
        let (source, _) = oauth(&format!("sasl.oauthbearer.token.endpoint.url={url}\n{MODULE};"));
        assert!(
            matches!(&source, TokenSource::File(path) if path == Path::new("/var/run/token")),
            "{source:?}"
        );
    }
    let relative = oauth_refusal(&format!("sasl.oauthbearer.token.endpoint.url=file://token\n{MODULE};"));
    assert_names(&relative, &["sasl.oauthbearer.token.endpoint.url", "file:///"]);
}

#[test]
fn a_secret_goes_only_over_tls_or_to_this_machine() {
    let with =
        |url: &str| format!("sasl.oauthbearer.token.endpoint.url={url}\n{MODULE} clientId=a clientSecret=b;");
    for url in [
        "https://id/t",
        "HTTPS://id:443",
        "http://localhost:8080/t",
        "http://127.0.0.9/t",
        "http://[::1]:80/t",
    ] {
        assert!(matches!(oauth(&with(url)).0, TokenSource::Oidc { .. }), "{url}");
    }
    for (url, reason) in [
        ("http://id.example/t", "only https://"),
        ("http://localhost.example/t", "only https://"),
        ("http://user@localhost/t", "user in it"),
        ("https://localhost:0/t", "port"),
        ("https:///t", "no host"),
        ("https://[::1/t", "no host"),
        ("ldap://id", "neither an https://"),
        ("https://id/a b", "blanks"),
    ] {
        assert_names(&oauth_refusal(&with(url)), &["sasl.oauthbearer.token.endpoint.url", reason]);
    }
}

#[test]
fn unsecured_tokens_have_subject_scope_and_lifetime() {
    let (source, extensions) = oauth(&format!(
        "{MODULE} unsecuredLoginStringClaim_sub=\"alice\" unsecuredLoginListClaim_scope=\"|a|b\" \
         unsecuredLoginLifetimeSeconds=\"60\" unsecuredLoginExtension_x=\"1\" extension_y=\"2\";"
    ));
    let TokenSource::Unsecured { subject, scope, lifetime } = source else { panic!() };
    assert_eq!(
        (subject.as_str(), scope, lifetime),
        ("alice", vec!["a".into(), "b".into()], Duration::from_secs(60))
    );
    assert_eq!(extensions, [("x".to_owned(), "1".to_owned())]);
    let (plain, _) = oauth(&format!("{MODULE} unsecuredLoginStringClaim_sub=\"alice\";"));
    assert!(
        matches!(plain, TokenSource::Unsecured { lifetime, .. } if lifetime == Duration::from_secs(3600))
    );
}

#[test]
fn unsecured_claims_that_we_do_not_make_are_refused() {
    for (options, named) in [
        ("unsecuredLoginPrincipalClaimName=\"user\"", "unsecuredLoginStringClaim_sub"),
        ("unsecuredLoginListClaim_scope=\"|a\"", "no option unsecuredLoginStringClaim_sub"),
        (
            "unsecuredLoginStringClaim_sub=a unsecuredLoginLifetimeSeconds=\"soon\"",
            "unsecuredLoginLifetimeSeconds",
        ),
    ] {
        assert_names(&oauth_refusal(&format!("{MODULE} {options};")), &["sasl.jaas.config", named]);
    }
}

#[test]
fn our_own_keys_go_first_and_stand_in_for_java_classes() {
    let iam =
        "sasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler";
    assert_names(
        &oauth_refusal(&format!("{iam}\n{MODULE};")),
        &["sasl.login.callback.handler.class", "restow.oauth.token.command"],
    );
    let command = "restow.oauth.token.command=/opt/sign 'two words' a\\\\ b \"\" $HOME|x";
    let (source, _) = oauth(&format!("{iam}\n{MODULE};\n{command}"));
    let TokenSource::Command { program, arguments, timeout } = source else { panic!() };
    assert_eq!((program.as_str(), timeout), ("/opt/sign", Duration::from_secs(30)));
    let arguments: Vec<&str> = arguments.iter().map(Secret::expose).collect();
    assert_eq!(arguments, ["two words", "a b", "", "$HOME|x"]);
    let (source, _) = oauth("restow.oauth.token.env=TOKEN");
    assert!(matches!(source, TokenSource::Env(name) if name == "TOKEN"));
}

#[test]
fn a_token_command_that_cannot_be_run_is_refused() {
    for (keys, named) in [
        ("restow.oauth.token.command='open", "not closed"),
        ("restow.oauth.token.command=#", "names no program"),
        ("restow.oauth.token.command=a\nrestow.oauth.token.env=B", "exclude each other"),
        ("restow.oauth.token.command=a\nrestow.oauth.token.command.timeout.ms=0", "milliseconds"),
    ] {
        assert_names(&oauth_refusal(keys), &["restow.oauth.token", named]);
    }
}

#[test]
fn a_source_that_is_missing_or_not_supported_is_named() {
    let endpoint = "sasl.oauthbearer.token.endpoint.url=https://id/t";
    for (keys, named) in [
        (String::new(), "sasl.oauthbearer.token.endpoint.url is not set"),
        (format!("{endpoint}\n{MODULE} clientSecret=Hunter2;"), "client.credentials.client.id is not set"),
        (format!("{endpoint}\n{MODULE} clientId=a;"), "client.credentials.client.secret is not set"),
        (
            format!("{endpoint}\n{MODULE} clientId=a clientSecret=\" \";"),
            "client.credentials.client.secret is not set",
        ),
        (
            format!("{endpoint}\nsasl.oauthbearer.assertion.file=/a\n{MODULE} clientId=a;"),
            "assertion.file is not supported",
        ),
        ("sasl.oauthbearer.jwt.retriever.class=x.JwtBearerJwtRetriever".into(), "restow.oauth.token.command"),
        (
            format!("sasl.oauthbearer.jwt.retriever.class=FileJwtRetriever\n{endpoint}"),
            "does not fit the scheme",
        ),
        (
            format!("{endpoint}\n{MODULE} clientId=a clientSecret=Hunter2 extension_auth=x;"),
            "extension_ option",
        ),
        (
            format!("{endpoint}\n{MODULE} clientId=a clientSecret=Hunter2 extension_a1=x;"),
            "extension_ option",
        ),
    ] {
        let message = oauth_refusal(&keys);
        assert_names(&message, &[named]);
        assert!(!message.contains("Hunter2"), "{message}");
    }
}
