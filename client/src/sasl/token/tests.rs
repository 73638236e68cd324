use std::path::PathBuf;

use super::super::testing::Fake;
use super::*;

async fn token(source: &TokenSource) -> Result<String, TokenError> {
    let variables = [("GOOD", "\tabc.def.ghi\n"), ("BAD", "two words"), ("EMPTY", " ")].into();
    let world = Fake { variables, ..Fake::default() };
    source.token(&world).await.map(|token| token.expose().to_owned())
}

async fn fails(source: &TokenSource) -> String {
    token(source).await.unwrap_err().to_string()
}

fn command(program: &str, arguments: &[&str]) -> TokenSource {
    let arguments = arguments.iter().map(|text| Secret::new(*text)).collect();
    TokenSource::Command { program: program.to_owned(), arguments, timeout: Duration::from_secs(60) }
}

/// A file of this name and content, gone at the end of the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("restow-sasl-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Temporary(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn a_file_is_read_and_trimmed() {
    let file = Temporary::new("good", b" abc.def.ghi\r\n");
    assert_eq!(token(&TokenSource::File(file.0.clone())).await.unwrap(), "abc.def.ghi");
}

#[tokio::test]
async fn a_file_that_holds_no_token_is_named_and_not_shown() {
    let cases: [(&str, &[u8], &str); 4] = [
        ("words", b"hunter2 hunter2", "is not one bearer token"),
        ("binary", b"\xffhunter2", "is not one bearer token"),
        ("empty", b"", "is not one bearer token"),
        ("long", &[b'a'; LIMIT + 1], "gave more than 65536 bytes"),
    ];
    for (name, content, expected) in cases {
        let file = Temporary::new(name, content);
        let error = fails(&TokenSource::File(file.0.clone())).await;
        assert!(error.contains(expected) && error.contains(name) && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_a_file_is_not_opened() {
    assert!(fails(&TokenSource::File("/dev/null".into())).await.contains("is not a regular file"));
    assert!(fails(&TokenSource::File("/no/such".into())).await.starts_with("cannot read /no/such: "));
}

#[tokio::test]
async fn a_variable_is_read_and_trimmed() {
    assert_eq!(token(&TokenSource::Env("GOOD".to_owned())).await.unwrap(), "abc.def.ghi");
    let error = fails(&TokenSource::Env("BAD".to_owned())).await;
    assert!(error.starts_with("what the environment variable BAD gave is not one bearer token"), "{error}");
    assert!(fails(&TokenSource::Env("EMPTY".to_owned())).await.contains("EMPTY"));
    assert_eq!(fails(&TokenSource::Env("NONE".to_owned())).await, "the environment variable NONE is not set");
}

#[tokio::test]
async fn a_command_is_run_without_a_shell() {
    assert_eq!(token(&command("printf", &["%s\\n", "abc"])).await.unwrap(), "abc");
    assert!(fails(&command("printf", &["%s", "$HOME"])).await.contains("is not one bearer token"));
    assert!(fails(&command("printf abc", &[])).await.starts_with("cannot run printf abc: "));
}

#[tokio::test]
async fn a_command_has_no_standard_input() {
    assert_eq!(token(&command("sh", &["-c", "cat; echo abc"])).await.unwrap(), "abc");
}

#[tokio::test]
async fn a_failed_command_tells_its_status_and_no_more() {
    let error = fails(&command("sh", &["-c", "echo hunter2; echo hunter2 >&2; exit 3"])).await;
    assert_eq!(error, "sh failed (exit status: 3); run it by hand to see why");
}

#[tokio::test]
async fn a_command_that_prints_for_ever_is_stopped() {
    let error = fails(&command("yes", &["abc"])).await;
    assert_eq!(error, "the command yes gave more than 65536 bytes, which is no token");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_is_stopped() {
    let error = fails(&command("sleep", &["600"])).await;
    assert_eq!(error, "the command sleep gave no token within 60000 ms");
}

/// The parts of a JWS.
fn parts(token: &str) -> Vec<String> {
    let decoded = |part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    token.split('.').map(decoded).collect()
}

#[tokio::test]
async fn an_unsecured_token_has_kafkas_claims() {
    let scope = vec!["a".to_owned(), "b\"".to_owned()];
    let source =
        TokenSource::Unsecured { subject: "alice".to_owned(), scope, lifetime: Duration::from_secs(3600) };
    let token = token(&source).await.unwrap();
    let claims = r#"{"exp":1700003600,"iat":1700000000,"scope":["a","b\""],"sub":"alice"}"#;
    assert_eq!(parts(&token), [r#"{"alg":"none"}"#, claims, ""]);
}

#[tokio::test]
async fn an_unsecured_token_needs_a_subject_and_no_scope() {
    let source = |subject: &str| TokenSource::Unsecured {
        subject: subject.to_owned(),
        scope: Vec::new(),
        lifetime: Duration::MAX,
    };
    assert_eq!(fails(&source(" ")).await, "unsecuredLoginStringClaim_sub is blank");
    let token = token(&source("a")).await.unwrap();
    assert!(!parts(&token)[1].contains("scope"));
}
