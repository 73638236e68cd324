//! A world for tests: wall time, variables and token endpoints in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::World;
use crate::connect::Stream;
use crate::secret::Secret;
use crate::tls::TlsSettings;

/// 2023-11-14T22:13:20.999Z.
pub(super) const WALL: u64 = 1_700_000_000_999;

/// What a token endpoint does to one connection.
pub(super) enum Answer {
    NoConnection(io::ErrorKind),
    Silence,
    Bytes(Vec<u8>),
}

/// An HTTP answer.
pub(super) fn http(status: &str, body: &str) -> Answer {
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    Answer::Bytes(text.into_bytes())
}

#[derive(Default)]
pub(super) struct Fake {
    pub(super) variables: BTreeMap<&'static str, &'static str>,
    /// For one connection after the other.
    pub(super) answers: Mutex<Vec<Answer>>,
    /// Host, port and whether TLS was asked for.
    pub(super) opened: Mutex<Vec<(String, u16, bool)>>,
    /// As they came in.
    pub(super) requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(super) fn answering(answers: impl Into<Vec<Answer>>) -> Self {
        Fake { answers: Mutex::new(answers.into()), ..Fake::default() }
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl World for Fake {
    fn wall(&self) -> u64 {
        WALL
    }

    fn variable(&self, name: &str) -> Option<Secret> {
        self.variables.get(name).map(|text| Secret::new(*text))
    }

    fn open<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        tls: Option<&'a TlsSettings>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        self.opened.lock().unwrap().push((host.to_owned(), port, tls.is_some()));
        let answer = self.answers.lock().unwrap().remove(0);
        let requests = Arc::clone(&self.requests);
        async move {
            if let Answer::NoConnection(kind) = answer {
                return Err(kind.into());
            }
            let (ours, theirs) = tokio::io::duplex(1024);
            tokio::spawn(serve(theirs, answer, requests));
            Ok(Box::new(ours) as Box<dyn Stream>)
        }
        .boxed()
    }
}

/// Reads one request with a body, and answers.
pub(super) async fn serve(mut stream: impl Stream, answer: Answer, requests: Arc<Mutex<Vec<String>>>) {
    let mut request = String::new();
    while request.split_once("\r\n\r\n").is_none_or(|(_, body)| body.is_empty()) {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the request ended early");
        request.push_str(str::from_utf8(&buffer[..read]).unwrap());
    }
    requests.lock().unwrap().push(request);
    match answer {
        // The client may have left in the middle of it.
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        _ => std::future::pending().await,
    }
}
