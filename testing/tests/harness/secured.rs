//! Secured clusters: each listener and its client.properties, proven with the stock tools alone.

use restow_testing::{Flaw, Kafka, Kind, Spec, StoreFormat, ToolOutput, available_or_skip, wait_until};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

#[test]
fn the_stock_tools_reach_every_listener_of_4_3() {
    let Some(()) = available_or_skip() else { return };
    let kafka = every_listener_serves_its_client_properties("4.3.1");
    every_form_of_store_is_good(&kafka);
    a_broker_may_have_a_flawed_certificate(&kafka);
}

fn every_listener_serves_its_client_properties(version: &str) -> Kafka {
    let spec = Spec::with_brokers(version, &[(1, "az-a"), (2, "az-b")])
        .secured(&Kind::ALL)
        .authorized(&[])
        .property("connections.max.reauth.ms", "10000");
    let kafka = Kafka::start(spec);
    kafka.admin().create_topic("orders", &[vec![1, 2]], &[]).unwrap();
    for principal in ["User:restow", "User:CN=restow"] {
        kafka
            .acls(&format!(
                "kafka-acls --add --allow-principal '{principal}' --operation Describe --topic '*'"
            ))
            .expect_success();
    }
    // A topic is listed only for a principal that may describe it: so each listener's principal is proven too.
    for kind in Kind::ALL {
        let listed = kafka.through(kind).topics(&["--list"]).expect_success();
        assert_eq!(listed.trim(), "orders", "{kind:?}");
    }
    wrong_credentials_are_refused(&kafka);
    what_is_granted_can_be_taken_back(&kafka);
    the_files_hold_what_the_secrets_say(&kafka);
    kafka
}

fn every_form_of_store_is_good(kafka: &Kafka) {
    for stores in StoreFormat::ALL {
        let config = kafka.client_properties_in(Kind::Mtls, stores);
        kafka.through(Kind::Mtls).with_config(&config).topics(&["--list"]).expect_success();
    }
}

/// So that a listener which lets everybody in cannot pass.
fn wrong_credentials_are_refused(kafka: &Kafka) {
    let refused = |kind: Kind, text: &str, reason: &str| {
        let config = kafka.directory().join("changed.properties");
        fs::write(&config, text).unwrap();
        let ToolOutput { status, stdout, stderr } =
            kafka.through(kind).with_config(&config).topics(&["--list"]);
        let said = format!("{stdout}{stderr}");
        assert!(status != Some(0) && said.contains(reason), "{kind:?}: {status:?}\n{said}");
    };
    let text = |kind: Kind| fs::read_to_string(kafka.client_properties(kind)).unwrap();
    for kind in [Kind::Plain, Kind::ScramSha512] {
        let wrong = text(kind).replace("password=\"", "password=\"not-");
        refused(kind, &wrong, "SaslAuthenticationException");
    }
    let wrong = text(Kind::Oidc).replace("clientSecret=\"", "clientSecret=\"not-");
    refused(Kind::Oidc, &wrong, "401");
    // A token that the client made itself, where a signed one is asked for.
    refused(Kind::Oidc, &text(Kind::Unsecured), "SaslAuthenticationException");
    // No certificate of its own.
    refused(Kind::Mtls, &text(Kind::Ssl), "SslAuthenticationException");
}

fn what_is_granted_can_be_taken_back(kafka: &Kafka) {
    let line = "kafka-acls.sh --add --allow-principal User:restow --operation Describe --cluster";
    let tool = kafka.through(Kind::ScramSha512);
    let denied = || {
        let said = tool.reassign(&["--list"]);
        (said.stdout + &said.stderr).contains("ClusterAuthorizationException")
    };
    assert!(denied());
    kafka.acls(line).expect_success();
    assert!(wait_until(Duration::from_secs(10), || !denied()), "what was granted does not hold");
    // Asks every broker: a client that starts at one is led to the others on the same listener.
    let (first, file) = (
        kafka.listener_of(1, Kind::ScramSha512),
        kafka.client_properties(Kind::ScramSha512).display().to_string(),
    );
    let args = ["--bootstrap-server", &first, "--command-config", &file, "--describe"];
    let said = kafka.tool("org.apache.kafka.tools.LogDirsCommand", &args).expect_success();
    assert!(said.contains(r#"{"broker":1,"#) && said.contains(r#"{"broker":2,"#), "{said}");
    kafka.remove_acls(line).expect_success();
    assert!(wait_until(Duration::from_secs(10), denied), "what was taken back still holds");
}

fn the_files_hold_what_the_secrets_say(kafka: &Kafka) {
    let secrets = kafka.secrets();
    let holds = |path: PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        secrets.iter().filter(|secret| text.contains(secret.as_str())).count()
    };
    let counts = Kind::ALL.map(|kind| holds(kafka.client_properties(kind)));
    assert_eq!(counts, [0, 1, 1, 2, 1, 2, 1, 1]);
    // Passwords of two stores and five logins, the key, the credential, and a token for each login with the secret.
    assert!(secrets.len() > 9, "{}", secrets.len());
    assert!(secrets.iter().all(|secret| secret.len() > 20));
}

fn a_broker_may_have_a_flawed_certificate(kafka: &Kafka) {
    kafka.set_certificate(2, Kind::Ssl, &kafka.certificates().flawed(Flaw::Expired));
    kafka.stop(2);
    kafka.start_broker(2);
    let file = kafka.client_properties(Kind::Ssl).display().to_string();
    let args = ["--bootstrap-server", &kafka.listener_of(2, Kind::Ssl), "--command-config", &file, "--list"];
    let ToolOutput { status, stdout, stderr } = kafka.tool("org.apache.kafka.tools.TopicCommand", &args);
    let said = format!("{stdout}{stderr}");
    assert!(status == Some(1) && said.contains("CertificateExpiredException"), "{status:?}\n{said}");
}
