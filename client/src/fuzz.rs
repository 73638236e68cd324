//! Fuzz targets: what a peer, an operator's file or a store can make us read. `fuzz/` links them with libFuzzer, and
//! the tests here replay the corpora that it keeps.
//!
//! Each takes any bytes, and tells whether they were taken for good; it panics on what must never be.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time;

pub use crate::config::fuzz::properties;
pub use crate::sasl::fuzz::sasl;
pub use crate::tls::fuzz::{certificates, stores};
pub use crate::wire::fuzz::{frames, responses};
use crate::{Client, Dial, Options, read};

/// Everything that a broker says to a client that connects, logs in if the first byte says so, and asks for all
/// topics. What follows each request has two bytes of length before it; a length of 0 hangs up.
pub fn peer(data: &[u8]) -> bool {
    let [how, script @ ..] = data else { return false };
    let login = (how & 1 == 1).then(crate::sasl::fuzz::login);
    let options = Options { frame_limit: 1 << 20, login, ..Options::default() };
    let script = Arc::new(tokio::sync::Mutex::new(script.to_vec()));
    let connect = Dial(move |_: &str| {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(play(theirs, Arc::clone(&script)));
        Ok(ours)
    });
    let talk = async {
        time::pause();
        let client = Client::bootstrap(Arc::new(connect), &["seed:1".to_owned()], options).await;
        let topics = match client {
            Ok(client) => read::topics(&client, None).await,
            Err(error) => Err(error),
        };
        topics.map_err(|error| error.to_string()).is_ok()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(talk)
}

/// Answers each request with the next piece of the script, until there is none.
async fn play(mut stream: DuplexStream, script: Arc<tokio::sync::Mutex<Vec<u8>>>) {
    while let Ok(length) = stream.read_u32().await {
        let mut request = (&mut stream).take(length.into());
        if tokio::io::copy(&mut request, &mut tokio::io::sink()).await.is_err() {
            return;
        }
        let piece = next(&mut *script.lock().await);
        if piece.is_empty() || stream.write_all(&piece).await.is_err() {
            return;
        }
    }
}

fn next(script: &mut Vec<u8>) -> Vec<u8> {
    let Some((length, after)) = script.split_first_chunk() else { return Vec::new() };
    let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
    script.drain(..2 + length).skip(2).collect()
}

#[cfg(test)]
mod tests;
