//! Node types (TOML): kinds of machines, as a topology file tells them under `[node_types]`.
//!
//! ```toml
//! [node_types."r6g.large"]
//! disk_bytes = 500_000_000_000
//! network_bytes_per_second = 93_750_000
//! replicas = 1000
//! price_per_month = 92.40
//! ```
//!
//! `testdata/node-types` holds such files.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::FileError;
use super::document::{self, Reader};
use crate::model::NodeType;

/// A node type as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeTable {
    disk_bytes: Option<Spanned<i64>>,
    network_bytes_per_second: Option<Spanned<i64>>,
    replicas: Option<Spanned<i64>>,
    /// Read from the text itself: a price is exact.
    price_per_month: Option<Spanned<IgnoredAny>>,
}

/// The members of a topology file; all but one are nothing to us.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    node_types: BTreeMap<Spanned<String>, NodeTable>,
    #[serde(rename = "zones")]
    _zones: Option<IgnoredAny>,
    #[serde(rename = "nodes")]
    _nodes: Option<IgnoredAny>,
    #[serde(rename = "rtt")]
    _rtt: Option<IgnoredAny>,
    #[serde(rename = "topics")]
    _topics: Option<IgnoredAny>,
}

/// The node types of a file, by name; `file` is its name in errors. A topology file is one too: what else it says is
/// passed over.
///
/// # Errors
/// The first thing that makes the file unusable, with its line: no TOML, an unknown member, a number that is not
/// above zero, a price that is none; or that there is no node type.
pub fn read(from: impl Read, file: &str) -> Result<Vec<NodeType>, FileError> {
    let text = document::text(from, file)?;
    let reader = Reader { file, text: &text };
    let document: Document = reader.parse()?;
    let types: Vec<NodeType> = reader.types(&document.node_types)?.into_values().collect();
    if types.is_empty() {
        return Err(FileError::whole(
            file,
            "defines no node type: expected some, like [node_types.\"r6g.large\"]",
        ));
    }
    Ok(types)
}

impl Reader<'_> {
    /// Node types by name.
    pub(super) fn types<'t>(
        &self,
        tables: &'t BTreeMap<Spanned<String>, NodeTable>,
    ) -> Result<BTreeMap<&'t str, NodeType>, FileError> {
        let mut types = BTreeMap::new();
        for (name, table) in tables {
            let place = format!("node_types.{}", name.get_ref());
            if name.get_ref().is_empty() {
                return Err(self.error(self.line_of(name), "node_types", "a node type has an empty name"));
            }
            let above = |what: &str, found: &Option<Spanned<i64>>, most: u64| match found {
                None => Ok(None),
                Some(found) => match u64::try_from(*found.get_ref()) {
                    Ok(number) if (1..=most).contains(&number) => Ok(Some(number)),
                    _ => {
                        let accepted = format!("expected a whole number from 1 to {most}");
                        let reason = format!("{what} is {}: {accepted}", found.get_ref());
                        Err(self.error(self.line_of(found), &place, reason))
                    }
                },
            };
            let most = i64::MAX.unsigned_abs();
            let node = NodeType {
                name: name.get_ref().clone(),
                disk_bytes: above("disk_bytes", &table.disk_bytes, most)?,
                network_bytes_per_second: above(
                    "network_bytes_per_second",
                    &table.network_bytes_per_second,
                    most,
                )?,
                replicas: above("replicas", &table.replicas, u32::MAX.into())?.map(|n| n as u32),
                price_per_month: table.price_per_month.as_ref().map(|p| self.price(p, &place)).transpose()?,
            };
            types.insert(name.get_ref().as_str(), node);
        }
        Ok(types)
    }

    /// A price in hundredths, from the digits as they stand.
    fn price(&self, found: &Spanned<IgnoredAny>, place: &str) -> Result<u64, FileError> {
        let text = self.text.get(found.span()).unwrap_or_default();
        hundredths(text).ok_or_else(|| {
            let accepted = "expected a number like 92 or 92.40, 0 or more, with two decimals at most";
            self.error(self.line_of(found), place, format!("price_per_month is {text}: {accepted}"))
        })
    }
}

/// `92`, `92.4`, `1_092.40` in hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(whole) || !is_plain(part) || part.len() > 2 {
        return None;
    }
    let cents: u64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(cents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;

    #[test]
    fn prices_are_exact() {
        let cents = [("92", Some(9200)), ("92.4", Some(9240)), ("1_092.45", Some(109_245)), ("0", Some(0))];
        for (text, expected) in
            cents.into_iter().chain(["-1", "1.234", "1e3", "inf", "\"1\"", "1.", "true"].map(|t| (t, None)))
        {
            assert_eq!(hundredths(text), expected, "{text}");
        }
    }

    #[test]
    fn the_files_hold_the_node_types_of_a_fleet() {
        let files = [
            ("aws.toml", include_str!("../../../testdata/node-types/aws.toml")),
            ("gcp.toml", include_str!("../../../testdata/node-types/gcp.toml")),
        ];
        let mut read: Vec<NodeType> =
            files.iter().flat_map(|(name, text)| super::read(text.as_bytes(), name).unwrap()).collect();
        let mut expected = generate::node_types();
        read.sort_by(|a, b| a.name.cmp(&b.name));
        expected.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(read, expected);
        assert_eq!(read.len(), 21);
    }

    fn says(text: &str) -> String {
        read(text.as_bytes(), "n.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_topology_file_holds_node_types_too() {
        let text = "[zones.a]\nracks = [1, 2]\n[node_types.small]\nprice_per_month = 1\n[nodes]\nother = [7]\n\
                    [rtt]\n[topics]\n";
        let types = read(text.as_bytes(), "t.toml").unwrap();
        assert_eq!(types.len(), 1);
        assert_eq!((types[0].name.as_str(), types[0].price_per_month), ("small", Some(100)));
        assert_eq!(types[0].disk_bytes, None, "unknown is not zero");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(
            says("[node_types.a]\n\n[node_types.b]\ndisk_bytes = 0\n"),
            "n.toml, line 4, node_types.b: disk_bytes is 0: expected a whole number from 1 to 9223372036854775807"
        );
        assert!(says("[node_types.a]\ndisk = 1\n").starts_with("n.toml, line 2: unknown field `disk`"));
        assert!(
            says("[node_type.a]\ndisk_bytes = 1\n").starts_with("n.toml, line 1: unknown field `node_type`")
        );
        assert!(
            says("[node_types.a]\nprice_per_month = 1.005\n")
                .contains("line 2, node_types.a: price_per_month")
        );
        assert_eq!(
            says("# nothing\n"),
            "n.toml: defines no node type: expected some, like [node_types.\"r6g.large\"]"
        );
        assert_eq!(read(&[0xff][..], "n.toml").unwrap_err().to_string(), "n.toml: is not text in UTF-8");
    }
}
