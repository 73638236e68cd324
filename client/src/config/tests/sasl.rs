use super::*;
use crate::sasl::ScramHash;

const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"Hunter2!\";";
const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"Hunter2!\"";

#[test]
fn plain_takes_name_and_password_of_the_jaas_line() {
    let SaslSettings::Plain { username, password } =
        sasl(&format!("sasl.mechanism=PLAIN\nsasl.jaas.config={PLAIN}"))
    else {
        panic!()
    };
    assert_eq!((username.as_str(), password.expose()), ("alice", "Hunter2!"));
}

#[test]
fn scram_takes_hash_and_delegation_tokens() {
    for (mechanism, extra, hash, is_token) in [
        ("SCRAM-SHA-256", "", ScramHash::Sha256, false),
        ("SCRAM-SHA-512", " tokenauth=true", ScramHash::Sha512, true),
        ("SCRAM-SHA-512", " tokenauth=no", ScramHash::Sha512, false),
    ] {
        let settings = sasl(&format!("sasl.mechanism={mechanism}\nsasl.jaas.config={SCRAM}{extra};"));
        let SaslSettings::Scram { hash: read_hash, username, password, is_token: read_token } = settings
        else {
            panic!()
        };
        assert_eq!(
            (read_hash, read_token, username.as_str()),
            (hash, is_token, "alice"),
            "{mechanism}{extra}"
        );
        assert_eq!(password.expose(), "Hunter2!");
    }
}

#[test]
fn shaded_modules_are_known_by_their_last_name() {
    let shaded = PLAIN.replace("org.apache", "com.example.shaded.org.apache");
    assert!(matches!(
        sasl(&format!("sasl.mechanism=PLAIN\nsasl.jaas.config={shaded}")),
        SaslSettings::Plain { .. }
    ));
}

#[test]
fn kerberos_is_refused_with_what_to_use_instead() {
    let advice = ["Kerberos", "SCRAM", "mTLS"];
    assert_names(&sasl_refusal("sasl.mechanism=GSSAPI"), &advice);
    let jaas = "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;";
    assert_names(&sasl_refusal(&format!("sasl.mechanism=PLAIN\nsasl.jaas.config={jaas}")), &advice);
}

#[test]
fn a_missing_mechanism_is_named_with_the_default_of_kafka() {
    assert_names(
        &sasl_refusal(&format!("sasl.jaas.config={PLAIN}")),
        &["sasl.mechanism is not set", "GSSAPI", "PLAIN"],
    );
    assert_names(&sasl_refusal("sasl.mechanism=CRAM-MD5"), &["`CRAM-MD5`", "SCRAM-SHA-512"]);
}

#[test]
fn the_modules_of_aws_are_refused_with_the_command_to_use() {
    let advice = ["sasl.mechanism=OAUTHBEARER", "restow.oauth.token.command"];
    assert_names(&sasl_refusal("sasl.mechanism=AWS_MSK_IAM"), &advice);
    let jaas = "software.amazon.msk.auth.iam.IAMLoginModule required;";
    assert_names(&sasl_refusal(&format!("sasl.mechanism=PLAIN\nsasl.jaas.config={jaas}")), &advice);
}

#[test]
fn a_module_of_another_mechanism_is_refused() {
    let message = sasl_refusal(&format!("sasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config={PLAIN}"));
    assert_names(&message, &["PlainLoginModule", "SCRAM-SHA-256"]);
    let scram_for_plain = format!("sasl.mechanism=PLAIN\nsasl.jaas.config={SCRAM};");
    assert!(matches!(sasl(&scram_for_plain), SaslSettings::Plain { .. }));
}

#[test]
fn a_missing_jaas_line_or_option_is_named() {
    assert_names(&sasl_refusal("sasl.mechanism=PLAIN"), &["sasl.jaas.config is not set", "KafkaClient"]);
    for (options, missing) in [
        ("password=\"x\"", "username"),
        ("username=\"a\"", "password"),
        ("username=\"a\" password=\"\"", "password"),
    ] {
        let message = sasl_refusal(&format!(
            "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required {options};"
        ));
        assert_names(&message, &["sasl.jaas.config has no option", missing]);
    }
}

#[test]
fn a_malformed_jaas_line_says_what_was_expected_and_no_secret() {
    for (line, expected) in [
        ("\"\"", "login module"),
        ("x.PlainLoginModule Hunter2! required;", "control flag"),
        ("x.PlainLoginModule username=\"alice\" password=\"Hunter2!\";", "control flag"),
        ("x.PlainLoginModule required username=\"alice\" password=Hunter2!;", "option password"),
        (
            "x.PlainLoginModule required username=\"alice\" password=\"Hunter2!\"",
            "does not end with `;` after option password",
        ),
        (
            "x.PlainLoginModule required username=\"alice\" password \"Hunter2!\";",
            "without `=` after option username",
        ),
        ("x.PlainLoginModule required password=2Hunter2!;", "no value for option password"),
        (
            "x.PlainLoginModule required password=\"Hunter2!;",
            "not closed: in the file, a quote within a value is `\\\\\"` and a backslash is `\\\\\\\\`",
        ),
        (
            "x.PlainLoginModule required password=\"Hunter2!\"; y.PlainLoginModule required;",
            "one login module",
        ),
        ("com.example.Hunter2! required;", "does not have"),
        ("com.example.Hunter2 required;", "does not have"),
    ] {
        let message = sasl_refusal(&format!("sasl.mechanism=PLAIN\nsasl.jaas.config={line}"));
        assert_names(&message, &["sasl.jaas.config", expected]);
        assert!(!message.contains("Hunter2"), "{message}");
    }
}

#[test]
fn debug_shows_no_password() {
    let config = config(&format!(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config={PLAIN}\nssl.keystore.type=PKCS12\n\
         ssl.keystore.location=/k\nssl.keystore.password=Hunter2!\nssl.key.password=Hunter2!"
    ));
    assert!(!format!("{:?} {:#?}", config.as_ref().unwrap(), config.as_ref().unwrap()).contains("Hunter2"));
}
