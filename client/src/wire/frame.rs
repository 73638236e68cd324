//! Frames on a stream, and a body that cannot make the codec allocate more than it holds.

use std::io;

use bytes::{Buf, Bytes, BytesMut, TryGetError};
use kafka_protocol::messages::RequestHeader;
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Encodable, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Api, Call, Malformed};

/// What came instead of a frame.
#[derive(Debug)]
pub(crate) enum BadFrame {
    /// The stream failed, or ended within a frame.
    Io(io::Error),
    /// The length is negative, too small for a header, or above the limit; the four bytes as they came.
    Length([u8; 4]),
}

impl BadFrame {
    /// What this says about the peer.
    pub(crate) fn describe(&self, limit: usize) -> String {
        match self {
            BadFrame::Io(error) => format!("the connection broke: {error}"),
            // TLS record type 21 (alert) or 22 (handshake), version 3.x.
            BadFrame::Length([0x15 | 0x16, 3, ..]) => "it speaks TLS".to_owned(),
            BadFrame::Length(bytes) if bytes.iter().all(u8::is_ascii_graphic) => {
                format!("it sent the text {:?}", String::from_utf8_lossy(bytes))
            }
            BadFrame::Length(bytes) => {
                format!("a frame of {} bytes, where {limit} are the limit", i32::from_be_bytes(*bytes))
            }
        }
    }
}

/// Reads one frame without its length. `None` if the stream ends before one begins.
pub(crate) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> Result<Option<Bytes>, BadFrame> {
    let mut prefix = [0; 4];
    let mut got = 0;
    while got < prefix.len() {
        match from.read(&mut prefix[got..]).await.map_err(BadFrame::Io)? {
            0 if got == 0 => return Ok(None),
            0 => return Err(BadFrame::Io(io::ErrorKind::UnexpectedEof.into())),
            n => got += n,
        }
    }
    // Every frame has a correlation id of 4 bytes.
    let length = match usize::try_from(i32::from_be_bytes(prefix)) {
        Ok(length) if (4..=limit).contains(&length) => length,
        _ => return Err(BadFrame::Length(prefix)),
    };
    // Room is made as bytes arrive: a wrong length within the limit must not cost its size in memory.
    let mut frame = BytesMut::with_capacity(length.min(64 << 10));
    let mut from = from.take(length as u64);
    while frame.len() < length {
        if frame.len() == frame.capacity() {
            frame.reserve((length - frame.len()).min(frame.len()));
        }
        if from.read_buf(&mut frame).await.map_err(BadFrame::Io)? == 0 {
            return Err(BadFrame::Io(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    Ok(Some(frame.freeze()))
}

/// A whole request frame, length included.
pub(crate) fn request<C: Call>(
    call: &C,
    version: i16,
    correlation: i32,
    client_id: &str,
) -> Result<Bytes, Malformed> {
    let Api { key, .. } = C::API;
    let mut frame = BytesMut::with_capacity(256);
    frame.extend_from_slice(&[0; 4]);
    RequestHeader::default()
        .with_request_api_key(key)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_string(client_id.to_owned())))
        .encode(&mut frame, C::API.headers().0)?;
    call.encode(&mut frame, version)?;
    let length = i32::try_from(frame.len() - 4).map_err(|_| "the request is larger than 2 GiB")?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}

/// The longest list, or text, of an answer: an element takes the codec some hundred bytes, so that one byte on the wire for
/// each would let a peer turn a frame into a hundred times its size. Kafka clusters have a fifth of this in partitions.
const MOST_ELEMENTS: u64 = 1 << 20;

/// The bytes of an answer on their way into the codec.
///
/// The codec allocates `Vec::with_capacity(n)` for an `n` read from the wire, and eight bytes can abort the
/// process. In flexible versions every length is an unsigned varint, read byte by byte with `try_get_u8`
/// (as are booleans, and nothing else), and no honest length exceeds the bytes that follow it. So the
/// varints are put together here a second time, and one that promises more than is left is an error.
#[derive(Debug)]
pub(crate) struct Body {
    bytes: Bytes,
    varint: u64,
    shift: u32,
}

impl Body {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Body { bytes, varint: 0, shift: 0 }
    }

    /// An unsigned varint that counts something that follows.
    pub(crate) fn length(&mut self) -> Result<usize, TryGetError> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.try_get_u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value as usize)
    }

    fn forget_varint(&mut self) {
        (self.varint, self.shift) = (0, 0);
    }
}

impl Buf for Body {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.forget_varint();
        self.bytes.advance(count);
    }

    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        self.forget_varint();
        self.bytes.copy_to_bytes(len)
    }

    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let byte = self.bytes.try_get_u8()?;
        self.varint |= u64::from(byte & 0x7f) << self.shift;
        self.shift += 7;
        if byte < 0x80 || self.shift == 35 {
            // Compact lengths are one more than what they count. Small ones pass: they may be the number of
            // a tagged field.
            let most = (self.bytes.remaining() as u64 + 1).clamp(64, MOST_ELEMENTS);
            if self.varint > most {
                let available = self.bytes.remaining();
                return Err(TryGetError { requested: self.varint as usize, available });
            }
            self.forget_varint();
        }
        Ok(byte)
    }
}

impl ByteBuf for Body {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.forget_varint();
        self.bytes.split_to(size)
    }
}
