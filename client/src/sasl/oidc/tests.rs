use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};

use super::super::testing::{Answer, Fake, http, serve};
use super::*;
use crate::connect::Stream;
use crate::tls::TlsSettings;

fn oidc(endpoint: &str) -> Oidc {
    Oidc {
        endpoint: endpoint.to_owned(),
        client_id: " my+id ".to_owned(),
        client_secret: Secret::new("hunter2/="),
        scope: None,
        url_encode: false,
        tls: Box::default(),
        timeout: Duration::from_secs(20),
    }
}

async fn ask(world: &Fake, oidc: &Oidc) -> Result<String, String> {
    let token = oidc.token(world).await;
    token.map(|token| token.expose().to_owned()).map_err(|error| {
        let seen = format!("{error} {error:?}");
        assert!(!seen.contains("hunter2"), "{seen}");
        error.to_string()
    })
}

/// The answer to each of these connections in turn.
async fn after(answers: impl Into<Vec<Answer>>) -> (Result<String, String>, usize) {
    let world = Fake::answering(answers);
    let got = ask(&world, &oidc("https://idp.example/token")).await;
    let opened = world.opened.lock().unwrap().len();
    (got, opened)
}

fn good() -> Answer {
    http("200 OK", r#"{"token_type":"Bearer","expires_in":3600,"access_token":"abc"}"#)
}

#[tokio::test(start_paused = true)]
async fn the_request_is_kafkas() {
    let world = Fake::answering([good()]);
    let oidc = Oidc { scope: Some(" a b%20c ".to_owned()), ..oidc("https://IDP.example:8443/o/token?x=1#y") };
    assert_eq!(ask(&world, &oidc).await.unwrap(), "abc");
    assert_eq!(*world.opened.lock().unwrap(), [("IDP.example".to_owned(), 8443, true)]);
    let basic = BASE64.encode("my+id:hunter2/=");
    let expected = format!(
        "POST /o/token?x=1 HTTP/1.1\r\nhost: IDP.example:8443\r\nauthorization: Basic {basic}\r\n\
         content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n\
         cache-control: no-cache\r\nuser-agent: restow\r\ncontent-length: 43\r\n\r\n\
         grant_type=client_credentials&scope=a b%20c"
    );
    assert_eq!(*world.requests.lock().unwrap(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn id_secret_and_scope_are_encoded_if_the_settings_say_so() {
    let world = Fake::answering([good()]);
    let oidc = Oidc { scope: Some("a b".to_owned()), url_encode: true, ..oidc("https://idp.example/token") };
    ask(&world, &oidc).await.unwrap();
    let request = world.requests.lock().unwrap().remove(0);
    assert!(request.contains(&BASE64.encode("my%2Bid:hunter2%2F%3D")), "{request}");
    assert!(request.ends_with("&scope=a+b"), "{request}");
}

#[tokio::test(start_paused = true)]
async fn an_id_token_will_do_where_there_is_no_access_token() {
    let answer = http("201 Created", r#"{"access_token":" ","id_token":"def"}"#);
    assert_eq!(after([answer]).await, (Ok("def".to_owned()), 1));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_three_times() {
    let passing = [
        || Answer::NoConnection(io::ErrorKind::ConnectionRefused),
        || Answer::Bytes(b"hunter2 is not HTTP\r\n\r\n".to_vec()),
        || Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"hunter2".to_vec()),
        || Answer::Bytes(Vec::new()),
        || Answer::Silence,
        || http("503 Service Unavailable", "hunter2"),
        || http("429 Too Many Requests", ""),
    ];
    for passing in passing {
        let (got, opened) = after([passing(), passing(), good()]).await;
        assert_eq!((got, opened), (Ok("abc".to_owned()), 3));
        let (got, opened) = after([passing(), passing(), passing(), good()]).await;
        assert_eq!((got.is_err(), opened), (true, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_tried_once_and_named() {
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(LIMIT));
    let cases = [
        (
            Answer::NoConnection(io::ErrorKind::InvalidData),
            "cannot connect to the token endpoint idp.example: ",
        ),
        (
            http("200 OK", "hunter2"),
            "the answer of the token endpoint idp.example is not JSON with an access_token",
        ),
        (http("200 OK", r#"{"access_token":7,"hunter2":1}"#), "the answer of the token endpoint"),
        (http("200 OK", r#"{"expires_in":1}"#), "the answer of the token endpoint"),
        (http("302 Found", ""), "the token endpoint idp.example answered 302, a redirect"),
        (http("403 Forbidden", "<p>hunter2"), "the token endpoint idp.example answered 403"),
        (http("501 Not Implemented", ""), "the token endpoint idp.example answered 501"),
        (
            http("401 Unauthorized", r#"{"error":"invalid_client","error_description":"no\u0007"}"#),
            "the token endpoint idp.example answered 401 (it said: invalid_client: no\\u{7})",
        ),
        (http("400 Bad Request", &long), "the token endpoint idp.example gave more than 65536 bytes"),
    ];
    for (answer, expected) in cases {
        let (got, opened) = after([answer, good()]).await;
        let error = got.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(opened, 1, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn headers_without_end_are_bounded() {
    let endless = || Answer::Bytes([&b"HTTP/1.1 200 OK\r\nx: "[..], &vec![b'a'; 4 * LIMIT]].concat());
    let (got, opened) = after([endless(), endless(), endless()]).await;
    assert!(got.unwrap_err().starts_with("the exchange with the token endpoint idp.example broke: "));
    assert_eq!(opened, 3);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_silent_is_left() {
    let start = tokio::time::Instant::now();
    let (got, _) = after([Answer::Silence, Answer::Silence, Answer::Silence]).await;
    assert_eq!(got.unwrap_err(), "the token endpoint idp.example gave no token within 20000 ms");
    assert_eq!(start.elapsed().as_millis(), 3 * 20_000 + 200 + 1_000);
}

#[test]
fn urls_that_would_leak_or_lead_nowhere_are_refused() {
    let cases = [
        ("http://idp.example/token", "use https"),
        ("http://localhost.example/", "use https"),
        ("https://user:hunter2@idp.example/", "set clientId and clientSecret"),
        ("ftp://idp.example/", "is not https"),
        ("/token", "has no host"),
        ("idp.example", "is not https"),
        ("", "is not a URL"),
        ("https://a b/", "is not a URL"),
    ];
    for (endpoint, expected) in cases {
        let error = Target::parse(endpoint).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("hunter2"), "{endpoint}: {error}");
    }
    for (endpoint, host, port) in [
        ("http://localhost/t", "localhost", 80),
        ("http://127.0.0.2:81", "127.0.0.2", 81),
        ("http://[::1]:82/", "::1", 82),
        ("HTTPS://[2001:db8::1]", "2001:db8::1", 443),
    ] {
        let target = Target::parse(endpoint).unwrap();
        assert_eq!((target.host.as_str(), target.port), (host, port));
    }
}

#[tokio::test]
async fn blank_credentials_are_named() {
    let world = Fake::default();
    let blank = Oidc { client_id: " ".to_owned(), ..oidc("https://idp.example") };
    assert_eq!(ask(&world, &blank).await.unwrap_err(), "clientId is blank");
    let blank = Oidc { client_secret: Secret::new(""), ..oidc("https://idp.example") };
    assert_eq!(ask(&world, &blank).await.unwrap_err(), "clientSecret is blank");
    assert!(world.opened.lock().unwrap().is_empty());
}

/// A world with real sockets.
#[derive(Debug)]
struct Loopback;

impl World for Loopback {
    fn wall(&self) -> u64 {
        0
    }

    fn variable(&self, _: &str) -> Option<Secret> {
        None
    }

    fn open<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        tls: Option<&'a TlsSettings>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        assert!(tls.is_none(), "http is without TLS");
        async move { Ok(Box::new(TcpStream::connect((host, port)).await?) as Box<dyn Stream>) }.boxed()
    }
}

#[tokio::test]
async fn a_token_comes_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/token", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move { serve(listener.accept().await.unwrap().0, good(), seen).await });
    assert_eq!(oidc(&endpoint).token(&Loopback).await.unwrap().expose(), "abc");
    assert_eq!(requests.lock().unwrap().len(), 1);
}
