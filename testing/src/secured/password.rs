//! Passwords that no other text holds, so that a search for one finds a leak and nothing else.

use std::fs::File;
use std::io::Read as _;

/// A new one; `label` says in a finding what leaked. Letters, digits and dashes only: whatever escapes, quotes or encodes
/// it in a URL leaves it as it is, and it is found there too.
pub(crate) fn password(label: &str) -> String {
    let mut bytes = [0_u8; 12];
    let mut random = File::open("/dev/urandom").expect("there is no /dev/urandom");
    random.read_exact(&mut bytes).expect("/dev/urandom cannot be read");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{label}-{hex}")
}
