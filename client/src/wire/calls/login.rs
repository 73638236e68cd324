//! `SaslHandshake` and `SaslAuthenticate`: the frames around a SASL login (KIP-43, KIP-152, KIP-368).

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::super::frame::Body;
use super::super::{Api, Call, Failure, Malformed};
use super::message;
use crate::code::Code;

/// The longest list of mechanisms that is read.
const MECHANISMS: usize = 64;

/// Names the mechanism. Its only versions are not flexible, so it is written and read by hand.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub mechanism: &'static str,
}

/// What the broker thinks of the mechanism.
#[derive(Debug)]
pub(crate) enum Agreed {
    Yes,
    /// It does not offer it; these it does.
    No(Vec<String>),
}

impl Call for Handshake {
    type Answer = Agreed;
    const API: Api = Api { name: "SaslHandshake", key: 17, min: 1, max: 1 };

    fn encode(&self, to: &mut BytesMut, _version: i16) -> Result<(), Malformed> {
        to.put_i16(i16::try_from(self.mechanism.len())?);
        to.put_slice(self.mechanism.as_bytes());
        Ok(())
    }

    fn decode(&self, from: &mut Body, _version: i16) -> Result<Agreed, Failure> {
        let code = from.try_get_i16()?;
        let count = usize::try_from(from.try_get_i32()?)?;
        if count > MECHANISMS {
            return Err(Failure::Malformed(format!("{count} mechanisms")));
        }
        let mechanisms = (0..count).map(|_| text(from)).collect::<Result<Vec<String>, Failure>>()?;
        match Code::of(code) {
            None => Ok(Agreed::Yes),
            Some(Code::UNSUPPORTED_SASL_MECHANISM) => Ok(Agreed::No(mechanisms)),
            Some(code) => Err(Failure::Refused(code, None)),
        }
    }
}

fn text(from: &mut Body) -> Result<String, Failure> {
    let length = usize::try_from(from.try_get_i16()?)?;
    if length > from.remaining() {
        return Err(Failure::Malformed(format!("a name of {length} bytes in {}", from.remaining())));
    }
    Ok(String::from_utf8_lossy(&from.copy_to_bytes(length)).into_owned())
}

/// One message of the mechanism.
pub(crate) struct Authenticate<'a> {
    pub bytes: &'a [u8],
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Authenticated {
    pub bytes: Bytes,
    /// How long the login is good for; none: for as long as the connection.
    pub lifetime: Option<Duration>,
}

impl Call for Authenticate<'_> {
    type Answer = Authenticated;
    const API: Api = Api { name: "SaslAuthenticate", key: 36, min: 2, max: 2 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        let bytes = Bytes::copy_from_slice(self.bytes);
        SaslAuthenticateRequest::default().with_auth_bytes(bytes).encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Authenticated, Failure> {
        let answer = SaslAuthenticateResponse::decode(from, version)?;
        if let Some(code) = Code::of(answer.error_code) {
            return Err(Failure::Refused(code, message(answer.error_message)));
        }
        let lifetime = u64::try_from(answer.session_lifetime_ms).ok().filter(|ms| *ms > 0);
        Ok(Authenticated { bytes: answer.auth_bytes, lifetime: lifetime.map(Duration::from_millis) })
    }
}
