//! The one raw client: frames over any byte stream, every field as the scenario says it.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, RequestHeader, ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, Request, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a connection is made of.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> ByteStream for T {}

/// A connection.
pub type Stream = Box<dyn ByteStream>;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Nobody listens.
    Refused,
    /// The broker closed the connection.
    Closed,
    /// The client gave up.
    NoAnswer,
}

impl Silence {
    pub fn text(self) -> &'static str {
        match self {
            Silence::Refused => "connection refused",
            Silence::Closed => "connection closed",
            Silence::NoAnswer => "no answer",
        }
    }
}

/// Sends one request and waits for its answer.
pub async fn ask<R: Request>(
    stream: &mut Stream,
    request: &R,
    version: i16,
    within: Duration,
) -> Result<R::Response, Silence> {
    let mut body = BytesMut::new();
    RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(7)
        .with_client_id(Some(StrBytes::from_static_str("conformance")))
        .encode(&mut body, R::header_version(version))
        .expect("a header");
    request.encode(&mut body, version).unwrap_or_else(|error| panic!("version {version}: {error}"));
    let answer = tokio::time::timeout(within, frame(stream, &body)).await;
    let mut answer = answer.map_err(|_| Silence::NoAnswer)?.map_err(|_| Silence::Closed)?;
    let header = ResponseHeader::decode(&mut answer, R::Response::header_version(version)).expect("a header");
    assert_eq!(header.correlation_id, 7);
    let response =
        R::Response::decode(&mut answer, version).expect("an answer in the version that was asked");
    assert!(!answer.has_remaining(), "bytes are left over");
    Ok(response)
}

/// Sends bytes as a frame; the frame that comes back.
pub async fn frame(stream: &mut Stream, body: &[u8]) -> io::Result<Bytes> {
    let length = i32::try_from(body.len()).expect("a short request");
    let mut whole = length.to_be_bytes().to_vec();
    whole.extend_from_slice(body);
    stream.write_all(&whole).await?;
    stream.flush().await?;
    let length = usize::try_from(stream.read_i32().await?).expect("a length");
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    Ok(Bytes::from(answer))
}

/// The newest version that both sides speak; the oldest of ours where the broker does not know the API.
pub fn newest<R: Request>(of: &ApiVersionsResponse) -> i16 {
    let ours = <R as Message>::VERSIONS;
    let range = of.api_keys.iter().find(|range| range.api_key == R::KEY);
    range.map_or(ours.min, |range| range.max_version.min(ours.max))
}

/// The name of an error code as Kafka writes it.
pub fn code(code: i16) -> String {
    let Some(error) = ResponseError::try_from_code(code) else { return "NONE".to_owned() };
    let mut name = String::new();
    for (n, c) in format!("{error:?}").chars().enumerate() {
        if c.is_ascii_uppercase() && n > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

pub fn api_versions() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text("conformance"))
        .with_client_software_version(text("1"))
}

pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}
