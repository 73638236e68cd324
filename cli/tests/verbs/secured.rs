//! A client.properties: what is read, what is refused before anybody is asked, and what is printed of it.

use crate::network::{Demo, answering, closed};
use crate::{Ran, Room};

const SECRET: &str = "Hunter2-and-more";

/// A snapshot of what is at an address, with this client.properties.
fn snapshot_of(server: &str, room: &Room, text: &str) -> Ran {
    room.write("client.properties", text);
    let to = ["--bootstrap-server", server, "--command-config", "client.properties", "-o", "new.json"];
    let ran = room.unchanged_by(|| room.restow(&[&["snapshot"][..], &to].concat()));
    assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{}", ran.err);
    ran
}

/// Where nobody listens.
fn snapshot(text: &str) -> Ran {
    snapshot_of(&closed(), &Room::new(), text)
}

#[test]
fn what_cannot_be_used_is_refused_before_anybody_is_asked() {
    let plain = "sasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
                 required username=\"restow\" password=\"Hunter2-and-more\";\n";
    let clear = format!("security.protocol=SASL_PLAINTEXT\n{plain}");
    snapshot(&clear).exits(2).fails_once().says("--allow-plaintext-credentials");
    snapshot("security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\n").exits(2).fails_once().says("GSSAPI");
    snapshot("security.protocol=SLL\n").exits(2).fails_once().says("security.protocol");
    snapshot("security.protocol=SSL\nssl.truststore.location=nowhere.p12\n")
        .exits(2)
        .fails_once()
        .says("nowhere.p12");
    snapshot("security.protocol=SSL\nssl.engine.factory.class=com.example.Engine\n")
        .exits(2)
        .fails_once()
        .says("ssl.engine.factory.class");
    snapshot("sasl.jaas.config=\\u00zz\n").exits(2).fails_once().says("line 1");
    let room = Room::new();
    let args =
        ["snapshot", "--bootstrap-server", "b:1", "--command-config", "gone.properties", "-o", "new.json"];
    room.restow(&args).exits(2).fails_once().says("gone.properties");
}

#[test]
fn what_is_odd_is_said_and_does_no_harm() {
    // A key of another client, one that is mistyped, and one that has no effect.
    snapshot("acks=all\nrequest.timeout.msec=1000\nssl.key.password=Hunter2-and-more\n")
        .exits(6)
        .says("request.timeout.ms");
}

#[test]
fn a_listener_that_does_not_speak_tls_is_named_as_such() {
    let room = Room::new();
    std::fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/../client/testdata/stores/trust.pem"),
        room.dir.join("ca.pem"),
    )
    .expect("a trust store");
    let server = answering(&[0, 0, 0, 4, 0, 0, 0, 0]);
    let trusting = "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=ca.pem\n";
    snapshot_of(&server, &room, trusting).exits(6).fails_once().says("TLS");
    // And the other way round: a TLS alert, where Kafka is expected.
    let server = answering(&[0x15, 3, 3, 0, 2, 2, 80]);
    room.restow(&["snapshot", "--bootstrap-server", &server, "-o", "new.json"])
        .exits(6)
        .fails_once()
        .says("TLS");
}

#[test]
fn permissions_are_printed_as_commands() {
    let room = Room::new();
    let ran =
        room.restow(&["acls", "--principal", "User:restow", "--for", "apply", "--bootstrap-server", "b:1"]);
    let lines: Vec<String> =
        ran.exits(0).out.lines().filter(|line| !line.starts_with('#')).map(Into::into).collect();
    let begin = "kafka-acls.sh --bootstrap-server b:1 --add --allow-principal 'User:restow' --operation";
    let ends =
        ["Alter --cluster", "AlterConfigs --cluster", "Describe --topic '*'", "AlterConfigs --topic '*'"];
    assert_eq!(lines, ends.map(|end| format!("{begin} {end}")));
    let args = [
        "acls",
        "--principal",
        "User:restow",
        "--for",
        "plan",
        "--topic-prefix",
        "a.",
        "--topic-prefix",
        "b.",
    ];
    let ran = room
        .restow(&args)
        .exits(0)
        .says("--operation Describe --topic 'b.' --resource-pattern-type prefixed");
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("kafka-acls.sh")).count(), 6);
}

#[test]
fn the_doctor_visits_the_demo() {
    let demo = Demo::serve();
    let room = Room::new();
    let ran = room.restow(&["doctor", "--bootstrap-server", &demo.server]).exits(0);
    assert!(
        ran.out.contains("KRaft mode") && ran.out.contains("permissions: all that are needed"),
        "{}",
        ran.out
    );
    room.write("client.properties", &format!("bootstrap.servers={}\n", demo.server));
    let args = ["doctor", "--command-config", "client.properties", "--format", "json"];
    let told: serde_json::Value = serde_json::from_str(&room.restow(&args).exits(0).out).expect("JSON");
    assert_eq!(told["brokers"].as_array().map(Vec::len), Some(6));
    assert!(told["findings"].as_array().is_some());
}

#[test]
fn the_doctor_says_that_nobody_is_there() {
    let server = closed();
    Room::new().restow(&["doctor", "--bootstrap-server", &server]).exits(6).fails_once().says(&server);
}
