//! The first words on a connection: is it a broker, and what does it offer?

use tokio::io::AsyncWriteExt;

use super::frame::{self, BadFrame};
use super::messenger::{correlation, decode};
use super::versions::{ApiVersions, Versions};
use super::{Call, Failure};
use crate::connect::{Stream, TlsFault};

/// The largest frame that is read before a peer has proved to speak Kafka, in bytes.
const HANDSHAKE_LIMIT: usize = 1 << 20;

/// Why a peer is no broker for us.
pub(super) enum Odd {
    /// TLS says so: with TLS 1.3 only after the handshake.
    Tls(std::io::Error),
    NotKafka(String),
}

impl From<BadFrame> for Odd {
    fn from(bad: BadFrame) -> Self {
        match bad {
            BadFrame::Io(error) if TlsFault::is_in(&error) => Odd::Tls(error),
            bad => Odd::NotKafka(bad.describe(HANDSHAKE_LIMIT)),
        }
    }
}

/// Asks for the API versions, before any limit is trusted to the peer.
pub(super) async fn hello(stream: &mut Box<dyn Stream>, client_id: &str) -> Result<Versions, Odd> {
    let version = ApiVersions::API.max;
    let frame = frame::request(&ApiVersions, version, 0, client_id).map_err(|why| Odd::NotKafka(why.0))?;
    stream.write_all(&frame).await.map_err(BadFrame::Io)?;
    stream.flush().await.map_err(BadFrame::Io)?;
    let answer = frame::read(stream, HANDSHAKE_LIMIT).await?;
    let answer = answer.ok_or_else(|| Odd::NotKafka("it closed the connection".to_owned()))?;
    match correlation(&answer) {
        0 => {}
        other => {
            return Err(Odd::NotKafka(format!("its first answer is to request {other}, not to ours")));
        }
    }
    decode(&ApiVersions, version, answer).map_err(|failure| match failure {
        Failure::Malformed(why) => Odd::NotKafka(format!("its first answer makes no sense: {why}")),
        Failure::Refused(code, _) => Odd::NotKafka(format!("it refused ApiVersions: {code}")),
    })
}
