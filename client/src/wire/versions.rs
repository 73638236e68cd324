//! What a broker offers: `ApiVersions`, asked once on every connection.
//!
//! Brokers of one cluster differ during a rolling upgrade, and a version that a broker does not know makes
//! it close the connection without a word: so every connection has its own table.

use std::collections::BTreeMap;

use bytes::{Buf, BytesMut};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, api_versions_response::ApiVersion};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

use super::frame::Body;
use super::{Api, Call, Failure, Malformed};
use crate::code::Code;

/// `DescribeQuorum`: only brokers in KRaft mode offer it.
const DESCRIBE_QUORUM: i16 = 55;

/// The API versions of one broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Versions {
    ranges: BTreeMap<i16, (i16, i16)>,
    /// Whether the broker is in KRaft mode. In ZooKeeper mode only the controller takes cluster writes.
    pub kraft: bool,
    /// The finalised feature level `metadata.version`.
    pub metadata_version: Option<i16>,
}

impl Versions {
    /// The highest version that both sides speak.
    pub(crate) fn pick(&self, api: Api) -> Option<i16> {
        let (min, max) = *self.ranges.get(&api.key)?;
        let (min, max) = (min.max(api.min), max.min(api.max));
        (min <= max).then_some(max)
    }

    fn of(keys: &[ApiVersion], metadata_version: Option<i16>) -> Versions {
        let ranges: BTreeMap<_, _> =
            keys.iter().map(|k| (k.api_key, (k.min_version, k.max_version))).collect();
        let kraft = metadata_version.is_some() || ranges.contains_key(&DESCRIBE_QUORUM);
        Versions { ranges, kraft, metadata_version }
    }
}

/// The question. Version 3 is in every broker since 2.4, and is the first that names our software.
#[derive(Debug)]
pub(crate) struct ApiVersions;

impl Call for ApiVersions {
    type Answer = Versions;
    const API: Api = Api { name: "ApiVersions", key: 18, min: 3, max: 3 };

    fn encode(&self, to: &mut BytesMut, version: i16) -> Result<(), Malformed> {
        // Without a software name the answer is INVALID_REQUEST.
        ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("restow"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")))
            .encode(to, version)?;
        Ok(())
    }

    fn decode(&self, from: &mut Body, version: i16) -> Result<Versions, Failure> {
        let mut peek = from.chunk();
        if peek.remaining() >= 2 && peek.get_i16() == Code::UNSUPPORTED_VERSION.0 {
            return old(from);
        }
        let answer = ApiVersionsResponse::decode(from, version)?;
        Failure::check(answer.error_code, None)?;
        let feature = answer.finalized_features.iter().find(|f| f.name.as_str() == "metadata.version");
        Ok(Versions::of(&answer.api_keys, feature.map(|f| f.max_version_level)))
    }
}

/// A broker that does not know the version asked for answers in version 0, with what it has.
fn old(from: &mut Body) -> Result<Versions, Failure> {
    from.try_get_i16()?;
    let count = usize::try_from(from.try_get_i32()?)?;
    if count > from.remaining() / 6 {
        return Err(Failure::Malformed(format!("{count} APIs in {} bytes", from.remaining())));
    }
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        let key = ApiVersion::default().with_api_key(from.try_get_i16()?);
        keys.push(key.with_min_version(from.try_get_i16()?).with_max_version(from.try_get_i16()?));
    }
    Ok(Versions::of(&keys, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn the_highest_common_version_is_picked() {
        let keys = [ApiVersion::default().with_api_key(3).with_min_version(2).with_max_version(11)];
        let versions = Versions::of(&keys, None);
        let api = |min, max| Api { name: "Metadata", key: 3, min, max };
        assert_eq!(versions.pick(api(9, 13)), Some(11));
        assert_eq!(versions.pick(api(0, 4)), Some(4));
        assert_eq!(versions.pick(api(12, 13)), None);
        assert_eq!(versions.pick(Api { key: 4, ..api(0, 1) }), None);
    }

    #[test]
    fn error_35_is_read_as_version_0() {
        let body = [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 2];
        let versions = ApiVersions.decode(&mut Body::new(Bytes::copy_from_slice(&body)), 3).unwrap();
        assert_eq!(versions.pick(Api { name: "", key: 18, min: 0, max: 9 }), Some(2));
        let lie = [0, 35, 0x7f, 0, 0, 0, 0, 18, 0, 0, 0, 2];
        assert!(ApiVersions.decode(&mut Body::new(Bytes::copy_from_slice(&lie)), 3).is_err());
    }
}
