//! Numbers of bytes.

use super::values::{scaled, split, unit};

/// A number of bytes with a unit: `200GB`, `1.5TiB`.
pub fn bytes(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a number of bytes like 500MB, 200GB or 1TiB";
    let (number, name) = split(text);
    if name.is_empty() {
        return Err(format!("{EXPECTED}: did you mean {number}GB?"));
    }
    let bytes = unit(name).and_then(|factor| scaled(number, factor));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| EXPECTED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!(bytes("200GB"), Ok(200_000_000_000));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        for bad in ["", "200", "GB", "0GB", "200GB/s", "-1GB", "1.0000000001GB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert!(bytes("200").unwrap_err().contains("200GB"));
    }
}
