use super::testing::Fake;
use super::*;

fn plain() -> SaslSettings {
    SaslSettings::Plain { username: "alice".to_owned(), password: Secret::new("hunter2") }
}

fn scram(is_token: bool) -> SaslSettings {
    let (username, password) = ("alice".to_owned(), Secret::new("hunter2"));
    SaslSettings::Scram { hash: ScramHash::Sha512, username, password, is_token }
}

fn oauth() -> SaslSettings {
    SaslSettings::OAuthBearer { source: TokenSource::Env("TOKEN".to_owned()), extensions: Vec::new() }
}

async fn begin(settings: &SaslSettings) -> (Message, Exchange) {
    let world = Fake { variables: [("TOKEN", " hunter2 \n")].into(), ..Fake::default() };
    settings.begin(&world, &Tokens::default()).await.unwrap()
}

#[tokio::test]
async fn plain_is_done_with_an_empty_answer() {
    let (message, exchange) = begin(&plain()).await;
    assert_eq!(message.expose(), b"\0alice\0hunter2");
    assert!(matches!(exchange.next(b""), Ok(Step::Done)));
    let (_, exchange) = begin(&plain()).await;
    let error = exchange.next(b"more?").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the broker's PLAIN message is not valid: data where only a yes or no belongs"
    );
}

#[tokio::test]
async fn a_refusal_says_who_how_and_what_to_check() {
    let (_, exchange) = begin(&plain()).await;
    assert_eq!(
        exchange.refused("Authentication failed\x07").to_string(),
        "the broker refused the PLAIN login of \"alice\" (it said: Authentication failed\\u{7}): check user name \
         and password; the broker does not say which of them is wrong"
    );
    let (_, exchange) = begin(&scram(true)).await;
    assert_eq!(
        exchange.refused("").to_string(),
        "the broker refused the SCRAM-SHA-512 login: check the delegation token's id and HMAC, and that it has not \
         expired"
    );
}

#[tokio::test]
async fn scram_takes_no_success_without_proof() {
    let (_, exchange) = begin(&scram(false)).await;
    assert!(matches!(exchange.next(b""), Err(SaslError::NoProof { mechanism: "SCRAM-SHA-512" })));
    let (message, exchange) = begin(&scram(false)).await;
    let nonce = str::from_utf8(message.expose()).unwrap().rsplit_once("r=").unwrap().1.to_owned();
    let challenge = format!("r={nonce}theirs,s=c2FsdA==,i=4096");
    let Ok(Step::Send { message, then }) = exchange.next(challenge.as_bytes()) else { panic!() };
    assert!(message.expose().starts_with(format!("c=biws,r={nonce}theirs,p=").as_bytes()));
    assert!(matches!(then.next(b""), Err(SaslError::NoProof { .. })));
}

#[tokio::test]
async fn the_error_of_a_scram_broker_is_shown() {
    let (_, exchange) = begin(&scram(false)).await;
    let error = exchange.next(b"e=unknown-user").unwrap_err().to_string();
    assert!(error.contains("login of \"alice\" (it said: unknown-user): check user name"), "{error}");
}

#[tokio::test]
async fn oauth_is_done_with_an_empty_answer() {
    let (message, exchange) = begin(&oauth()).await;
    assert_eq!(message.expose(), b"n,,\x01auth=Bearer hunter2\x01\x01");
    assert!(matches!(exchange.next(b""), Ok(Step::Done)));
}

#[tokio::test]
async fn an_oauth_error_is_acknowledged_and_then_final_whatever_the_broker_does() {
    for ending in ["", "yes!"] {
        let (_, exchange) = begin(&oauth()).await;
        let Ok(Step::Send { message, then }) = exchange.next(b"{\"status\":\"invalid_token\"}") else {
            panic!()
        };
        assert_eq!(message.expose(), b"\x01");
        let error = then.next(ending.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("invalid_token") && error.contains("token has not expired"), "{error}");
    }
    let (_, exchange) = begin(&oauth()).await;
    let Ok(Step::Send { then, .. }) = exchange.next(b"{\"status\":\"invalid_token\"}") else { panic!() };
    assert!(then.refused("no").to_string().contains("invalid_token"));
}

#[tokio::test]
async fn extensions_are_checked_before_a_token_is_fetched() {
    let extensions = vec![("auth".to_owned(), "x".to_owned())];
    let settings = SaslSettings::OAuthBearer { source: TokenSource::Env("MISSING".to_owned()), extensions };
    let error = settings.begin(&Fake::default(), &Tokens::default()).await.unwrap_err();
    assert!(matches!(error, SaslError::Extension { .. }), "{error}");
}

#[test]
fn names_are_those_of_kafka() {
    let subject = TokenSource::Unsecured {
        subject: "bob".to_owned(),
        scope: Vec::new(),
        lifetime: std::time::Duration::from_secs(1),
    };
    let unsecured = SaslSettings::OAuthBearer { source: subject, extensions: Vec::new() };
    let names = [plain(), scram(false), scram(true), oauth(), unsecured]
        .map(|settings| (settings.mechanism(), settings.principal_name().map(str::to_owned)));
    let alice = Some("alice".to_owned());
    assert_eq!(
        names,
        [
            ("PLAIN", alice.clone()),
            ("SCRAM-SHA-512", alice),
            ("SCRAM-SHA-512", None),
            ("OAUTHBEARER", None),
            ("OAUTHBEARER", Some("bob".to_owned())),
        ]
    );
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    for settings in [plain(), scram(false), oauth()] {
        let (message, exchange) = begin(&settings).await;
        let seen =
            format!("{settings:?} {message:?} {exchange:#?}") + &format!("{:?}", exchange.refused("x"));
        assert!(!seen.contains("hunter2"), "{seen}");
        let (_, exchange) = begin(&settings).await;
        let seen = format!("{:?}", exchange.next(b"n="));
        assert!(!seen.contains("hunter2"), "{seen}");
    }
}
