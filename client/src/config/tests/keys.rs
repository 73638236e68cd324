use std::time::Duration;

use super::*;

#[test]
fn an_empty_file_is_plaintext() {
    let config = config("").unwrap();
    assert!(config.security.tls.is_none() && config.security.sasl.is_none());
    assert!(config.servers.is_empty() && config.client_id.is_none() && config.warnings.is_empty());
    assert_eq!((config.request_timeout, config.connect_timeout), (None, None));
}

#[test]
fn general_keys_are_read() {
    let config = config(
        "bootstrap.servers = a:9092 , [::1]:9093,\nclient.id=me\nrequest.timeout.ms= 1500 \n\
         socket.connection.setup.timeout.max.ms=3000\nclient.dns.lookup=use_all_dns_ips",
    )
    .unwrap();
    assert_eq!(config.servers, ["a:9092", "[::1]:9093"]);
    assert_eq!(config.client_id.as_deref(), Some("me"));
    assert_eq!(config.request_timeout, Some(Duration::from_millis(1500)));
    assert_eq!(config.connect_timeout, Some(Duration::from_secs(3)));
    assert_names(
        &refusal("client.dns.lookup=resolve_canonical_bootstrap_servers_only"),
        &["client.dns.lookup"],
    );
    assert_names(&refusal("bootstrap.servers=a:1,kafka"), &["bootstrap.servers", "host:port"]);
}

#[test]
fn security_protocol_has_no_case() {
    for (name, has_tls, has_sasl) in [
        ("plaintext", false, false),
        ("Ssl", true, false),
        (" sasl_plaintext ", false, true),
        ("SASL_SSL", true, true),
    ] {
        let keys = "sasl.mechanism=OAUTHBEARER\nrestow.oauth.token.env=T";
        let security = config(&format!("security.protocol={name}\n{keys}")).unwrap().security;
        assert_eq!((security.tls.is_some(), security.sasl.is_some()), (has_tls, has_sasl), "{name}");
    }
    assert_names(&refusal("security.protocol=TLS"), &["security.protocol is `TLS`", "SASL_SSL"]);
}

#[test]
fn values_that_are_no_numbers_are_named() {
    for bad in ["soon", "-1", "0", "2147483648", "1.5"] {
        assert_names(&refusal(&format!("request.timeout.ms={bad}")), &["request.timeout.ms", "milliseconds"]);
    }
    assert_names(&refusal("client.dns.lookup=all"), &["client.dns.lookup is `all`", "use_all_dns_ips"]);
}

#[test]
fn keys_without_effect_are_a_warning() {
    let keys = "sasl.mechanism=PLAIN\nssl.truststore.location=/x\nssl.engine.factory.class=com.example.Own";
    let warnings = config(keys).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_names(&warnings[0], &["security.protocol is not set", "PLAINTEXT", "ssl.engine.factory.class"]);
    assert_names(&warnings[1], &["sasl.mechanism"]);
    let warnings = config(&format!("security.protocol=PLAINTEXT\n{keys}")).unwrap().warnings;
    assert_names(&warnings[0], &["security.protocol is PLAINTEXT"]);
}

#[test]
fn keys_that_tune_the_java_client_pass_in_silence() {
    let keys = "acks=all\nenable.idempotence=true\nfetch.min.bytes=1\nmetadata.max.age.ms=1\nssl.secure.random.implementation=\
                NativePRNG\nsasl.login.refresh.window.factor=0.8\ndefault.api.timeout.ms=60000\nconfig.providers=vault\n\
                config.providers.vault.class=com.example.Vault\ninterceptor.classes=${vault:a:b}";
    let warnings = config(&format!("security.protocol=SSL\n{keys}")).unwrap().warnings;
    assert_eq!(warnings.iter().filter(|warning| !warning.contains("sasl.")).count(), 0, "{warnings:?}");
}

#[test]
fn classes_that_change_security_are_refused_by_key() {
    for key in [
        "security.providers",
        "ssl.provider",
        "ssl.engine.factory.class",
        "ssl.trustmanager.algorithm",
        "ssl.keymanager.algorithm",
    ] {
        assert_names(&tls_refusal(&format!("{key}=com.example.Own")), &[key, "is not supported"]);
    }
    for key in ["sasl.client.callback.handler.class", "sasl.login.callback.handler.class", "sasl.login.class"]
    {
        let keys = format!("sasl.mechanism=PLAIN\n{key}=com.example.Own");
        assert_names(&sasl_refusal(&keys), &[key, "is not supported"]);
    }
    assert_names(&tls_refusal("ssl.crl.location=/x"), &["ssl.crl", "is not supported"]);
}

#[test]
fn classes_that_are_the_default_pass() {
    let tls = "ssl.provider=SunJSSE\nssl.trustmanager.algorithm=PKIX\nssl.keymanager.algorithm=SunX509\n\
               ssl.engine.factory.class=org.apache.kafka.common.security.ssl.DefaultSslEngineFactory\nsecurity.providers=";
    assert!(config(&format!("security.protocol=SSL\n{tls}")).unwrap().warnings.is_empty());
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_known_one() {
    for (key, near) in [
        ("ssl.truststore.locaton", "ssl.truststore.location"),
        ("bootstrap.server", "bootstrap.servers"),
        ("sasl.mechanisms", "sasl.mechanism"),
        ("security.protocl", "security.protocol"),
    ] {
        let warnings = config(&format!("{key}=Hunter2!")).unwrap().warnings;
        assert_eq!(warnings, [format!("client.properties: unknown key {key}: did you mean {near}?")]);
    }
    let far = config("schema.registry.url=https://example").unwrap().warnings;
    assert_eq!(far, ["client.properties: unknown key schema.registry.url"]);
}

#[test]
fn an_unknown_key_of_ours_is_an_error() {
    assert_names(
        &refusal("restow.oauth.token.cmd=x"),
        &["restow.oauth.token.cmd is no key", "restow.oauth.token.env"],
    );
}

#[test]
fn a_line_that_lost_its_backslash_is_reported_without_its_text() {
    let warnings = config(
        "ssl.keystore.key=-----BEGIN PRIVATE KEY-----\\n\\\nMIIEvQIBADANBgkqhki\nG9w0BAQEFAASCBKcwggSj\nAgEAAoIBAQC7",
    );
    let warnings = warnings.unwrap().warnings.concat();
    assert_names(&warnings, &["2 entries", "backslash"]);
    assert!(!warnings.contains("G9w0") && !warnings.contains("AgEA"), "{warnings}");
    let joined = refusal("security.protocol=SASL_SSL \\\nssl.key.password=Hunter2!");
    assert!(!joined.contains("Hunter2"), "{joined}");
}

#[test]
fn malformed_text_is_named_by_its_line() {
    assert_eq!(
        refusal("# one\n\na=b\\\n  c\r\nssl.key.password=Hunter\\u12"),
        "client.properties, line 5: \\u needs four hexadecimal digits after it (write \\\\ for a backslash)"
    );
    assert_names(&refusal("a=\\ud83d"), &["line 1", "half a character"]);
}

#[test]
fn bytes_are_latin1_and_utf8_is_a_warning() {
    let read = |bytes: &[u8]| read(bytes, "client.properties", &|_| None).unwrap();
    let latin1 = read(b"client.id=\xe9t\xe9");
    assert_eq!((latin1.client_id.as_deref(), latin1.warnings.len()), (Some("été"), 0));
    let utf8 = read("client.id=été\n# été".as_bytes());
    assert_eq!(utf8.client_id.as_deref(), Some("Ã©tÃ©"));
    assert_names(&utf8.warnings.concat(), &["client.id", "ISO-8859-1"]);
}
