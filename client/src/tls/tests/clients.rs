//! Certificates of our own, and listeners that do not want us.

use rcgen::date_time_ymd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::pki::*;
use crate::tls::{Protocol, Store, Tls, TlsSettings};

fn client(trusted: &Made, identity: Option<Store>, protocol: Protocol) -> Tls {
    tls(&TlsSettings { identity, protocols: vec![protocol], ..trusting(&[trusted]) }).unwrap()
}

/// What becomes of a connection up to the first byte.
async fn outcome(tls: &Tls, broker: &Made, clients: &Made) -> Result<u8, String> {
    match connect(tls, "broker.example", server(broker, &[], Some(clients))).await {
        Ok((mut stream, _)) => first_read(tls, &mut stream).await,
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn a_certificate_of_ours_is_shown_when_it_is_asked_for() {
    let root = root("root");
    let (broker, ours) = (root.broker(), root.issue(params("restow", &[])));
    for protocol in [Protocol::Tls12, Protocol::Tls13] {
        let tls = client(&root, Some(ours.as_identity()), protocol);
        assert_eq!(outcome(&tls, &broker, &root).await, Ok(b'!'));
    }
}

#[tokio::test]
async fn a_missing_certificate_of_ours_is_explained() {
    let root = root("root");
    for protocol in [Protocol::Tls12, Protocol::Tls13] {
        let error = outcome(&client(&root, None, protocol), &root.broker(), &root).await.unwrap_err();
        assert!(
            error.contains("demands a client certificate") && error.contains("ssl.keystore.location"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_certificate_of_ours_from_an_unknown_ca_is_explained() {
    let (root, stranger) = (root("root"), super::pki::root("stranger"));
    let ours = stranger.issue(params("restow", &[]));
    for protocol in [Protocol::Tls12, Protocol::Tls13] {
        let tls = client(&root, Some(ours.as_identity()), protocol);
        let error = outcome(&tls, &root.broker(), &root).await.unwrap_err();
        assert!(error.contains("does not know the CA of our certificate"), "{error}");
    }
}

#[tokio::test]
async fn an_expired_certificate_of_ours_is_warned_about_and_explained() {
    let root = root("root");
    let mut old = params("restow", &[]);
    old.not_after = date_time_ymd(2026, 12, 31);
    let tls = client(&root, Some(root.issue(old).as_identity()), Protocol::Tls13);
    assert!(tls.warnings()[0].contains("CN=restow expired on 2026-12-31"), "{:?}", tls.warnings());
    let error = outcome(&tls, &root.broker(), &root).await.unwrap_err();
    assert!(error.contains("our certificate has expired"), "{error}");
}

#[tokio::test]
async fn the_near_end_of_our_certificate_is_warned_about() {
    let root = root("root");
    let mut old = params("restow", &[]);
    old.not_after = date_time_ymd(2027, 2, 1);
    let tls = client(&root, Some(root.issue(old).as_identity()), Protocol::Tls13);
    assert!(tls.warnings()[0].contains("CN=restow expires on 2027-02-01"), "{:?}", tls.warnings());
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let root = root("root");
    let (one, other) = (root.issue(params("one", &[])), root.issue(params("other", &[])));
    let mixed = Made { pem: other.pem, ..one };
    let settings = TlsSettings { identity: Some(mixed.as_identity()), ..trusting(&[&root]) };
    let error = tls(&settings).unwrap_err().to_string();
    assert!(error.contains("does not belong to the first certificate (CN=other)"), "{error}");
}

/// What is said when the peer does `answer` to our greeting.
async fn against(answer: &'static [u8]) -> String {
    let tls = tls(&trusting(&[&root("root")])).unwrap();
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let serve = async {
        let mut greeting = [0; 5];
        theirs.read_exact(&mut greeting).await.unwrap();
        theirs.write_all(answer).await.unwrap();
        drop(theirs);
    };
    let (outcome, ()) = tokio::join!(tls.wrap("broker.example", ours), serve);
    outcome.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn a_listener_that_speaks_no_tls_is_recognised() {
    // Kafka takes the greeting for an oversized request, and hangs up.
    let silent = against(b"").await;
    assert!(silent.contains("does not speak TLS"), "{silent}");
    let answering = against(b"\0\0\0\x0a\0\0\0\x01\0\x23\0\0\0\0").await;
    assert!(answering.contains("does not speak TLS"), "{answering}");
    let http = against(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert!(http.contains("does not speak TLS"), "{http}");
}

#[tokio::test]
async fn alerts_of_a_handshake_are_explained() {
    let handshake_failure = against(b"\x15\x03\x03\0\x02\x02\x28").await;
    assert!(handshake_failure.contains("ssl.keystore.location"), "{handshake_failure}");
    let protocol_version = against(b"\x15\x03\x03\0\x02\x02\x46").await;
    assert!(protocol_version.contains("compare ssl.enabled.protocols"), "{protocol_version}");
}
