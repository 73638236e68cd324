//! Logins: before the first request, renewed in time, refused, and by peers that play with us.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateResponse, SaslHandshakeResponse};
use kafka_protocol::protocol::StrBytes;
use tokio::time::{Instant, sleep, timeout};

use super::peer::{Asked, Peer, Scripts, metadata, options};
use crate::read;
use crate::sasl::fuzz::login;
use crate::{Client, Connect, Error, Options};

const HANDSHAKE: i16 = 17;
const AUTHENTICATE: i16 = 36;
const METADATA: i16 = 3;

impl Peer {
    /// Answers a login with PLAIN; it holds for so long.
    async fn logs_in(&mut self, lifetime_ms: i64) {
        let asked = self.agrees().await;
        assert_eq!((asked.key, &asked.body[..]), (AUTHENTICATE, &b"\x10\0alice\0Hunter2!\0"[..]));
        let done = SaslAuthenticateResponse::default().with_session_lifetime_ms(lifetime_ms);
        self.answer(&asked, &done).await;
    }

    /// Takes the mechanism; the next request.
    async fn agrees(&mut self) -> Asked {
        let asked = self.next().await;
        assert_eq!((asked.key, &asked.body[..]), (HANDSHAKE, &b"\0\x05PLAIN"[..]));
        self.answer(&asked, &SaslHandshakeResponse::default()).await;
        self.next().await
    }

    async fn answers_metadata(&mut self) {
        let asked = self.next().await;
        assert_eq!(asked.key, METADATA);
        self.answer(&asked, &metadata(1, 1)).await;
    }
}

async fn bootstrap(scripts: &Arc<Scripts>) -> Result<Client, Error> {
    let options = Options { login: Some(login()), ..options() };
    Client::bootstrap(Arc::clone(scripts) as Arc<dyn Connect>, &["seed:1".into()], options).await
}

/// A client whose bootstrap server took the login.
async fn client(scripts: &Arc<Scripts>) -> Client {
    scripts.then(|mut peer| async move {
        peer.greet().await;
        peer.logs_in(0).await;
        peer.answers_metadata().await;
        peer.hold().await;
    });
    bootstrap(scripts).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_login_goes_before_the_first_request_and_is_renewed_in_time() {
    let scripts = Scripts::new();
    let client = client(&scripts).await;
    assert_eq!(client.principal(), Some("User:alice"));
    scripts.then(|mut peer| async move {
        peer.greet().await;
        peer.logs_in(10_000).await;
        for _ in 0..3 {
            peer.answers_metadata().await;
            peer.answers_metadata().await;
            // 8.6 s later, behind the requests that ask, with nothing in between.
            peer.logs_in(10_000).await;
        }
        peer.answers_metadata().await;
        peer.answers_metadata().await;
        peer.hold().await;
    });
    for _ in 0..4 {
        let (one, two) = tokio::join!(read::topics(&client, Some(&[])), read::topics(&client, Some(&[])));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        sleep(Duration::from_millis(8_600)).await;
    }
    assert_eq!(scripts.connected(), ["seed:1", "h1:1"], "one connection serves both logins");
}

#[tokio::test(start_paused = true)]
async fn where_a_login_is_not_renewed_another_connection_serves() {
    let scripts = Scripts::new();
    let client = client(&scripts).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        peer.logs_in(10_000).await;
        peer.answers_metadata().await;
        // The broker restarts the moment that it is asked again.
        peer.next().await;
    });
    scripts.then(|mut peer| async move {
        peer.greet().await;
        peer.logs_in(0).await;
        peer.answers_metadata().await;
        peer.hold().await;
    });
    for _ in 0..2 {
        read::topics(&client, Some(&[])).await.unwrap();
        sleep(Duration::from_secs(9)).await;
    }
    assert_eq!(
        scripts.connected(),
        ["seed:1", "h1:1", "seed:1"],
        "what any broker can answer, another one does"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_that_has_ended_is_not_used() {
    let scripts = Scripts::new();
    let client = client(&scripts).await;
    for _ in 0..2 {
        scripts.then(|mut peer| async move {
            peer.greet().await;
            peer.logs_in(10_000).await;
            peer.answers_metadata().await;
            assert!(peer.next_or_end().await.is_none(), "a request after the end");
        });
    }
    for _ in 0..2 {
        read::topics(&client, Some(&[])).await.unwrap();
        sleep(Duration::from_secs(11)).await;
    }
    assert_eq!(scripts.connected(), ["seed:1", "h1:1", "h1:1"]);
}

#[tokio::test(start_paused = true)]
async fn who_loses_patience_does_not_end_a_login() {
    let scripts = Scripts::new();
    let client = client(&scripts).await;
    scripts.then(|mut peer| async move {
        peer.greet().await;
        sleep(Duration::from_secs(3)).await;
        peer.logs_in(0).await;
        peer.answers_metadata().await;
        peer.hold().await;
    });
    let hasty = timeout(Duration::from_secs(1), read::topics(&client, Some(&[]))).await;
    assert!(hasty.is_err());
    sleep(Duration::from_secs(3)).await;
    timeout(Duration::from_secs(1), read::topics(&client, Some(&[]))).await.unwrap().unwrap();
    assert_eq!(scripts.connected(), ["seed:1", "h1:1"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_is_told_by_whom_and_why_and_not_what_was_sent() {
    let scripts = Scripts::new();
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.agrees().await;
        let refused = SaslAuthenticateResponse::default()
            .with_error_code(58)
            .with_error_message(Some(StrBytes::from_static_str("Authentication failed: no such user")));
        peer.answer(&asked, &refused).await;
        peer.hold().await;
    });
    let error = bootstrap(&scripts).await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_authorisation() && text.contains("seed:1") && text.contains("no such user"), "{text}");
    assert!(!format!("{text} {error:?}").contains("Hunter2!"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn another_mechanism_is_named() {
    let scripts = Scripts::new();
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.next().await;
        let mechanisms = ["GSSAPI", "SCRAM-SHA-512"].map(StrBytes::from_static_str).to_vec();
        let refused = SaslHandshakeResponse::default().with_error_code(33).with_mechanisms(mechanisms);
        peer.answer(&asked, &refused).await;
        peer.hold().await;
    });
    let text = bootstrap(&scripts).await.unwrap_err().to_string();
    assert!(text.contains("PLAIN, but GSSAPI, SCRAM-SHA-512"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_silent_or_never_done_is_given_up() {
    let scripts = Scripts::new();
    scripts.then(|mut peer| async move {
        peer.greet().await;
        peer.hold().await;
    });
    let begun = Instant::now();
    assert!(matches!(bootstrap(&scripts).await.unwrap_err(), Error::TimedOut { .. }));
    assert_eq!(begun.elapsed(), options().connect_timeout);
    scripts.then(|mut peer| async move {
        peer.greet().await;
        let asked = peer.agrees().await;
        // PLAIN has nothing more to say.
        let more = SaslAuthenticateResponse::default().with_auth_bytes(Bytes::from_static(b"and then?"));
        peer.answer(&asked, &more).await;
        peer.hold().await;
    });
    assert!(matches!(bootstrap(&scripts).await.unwrap_err(), Error::Login { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_listener_with_sasl_that_gets_none_is_named_as_such() {
    let scripts = Scripts::new();
    scripts.then(|mut peer| async move {
        peer.greet().await;
        // What Kafka does to a request before the login: it hangs up.
        peer.next().await;
    });
    let text = scripts.bootstrap().await.unwrap_err().to_string();
    assert!(text.contains("does it want TLS or SASL?"), "{text}");
}
