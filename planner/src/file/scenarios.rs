//! The scenario file (TOML): several what-ifs that are compared. A table for each; its keys are edits, in order.
//!
//! ```toml
//! ["lose b in march"]
//! grow-all = "40%/year"
//! horizon = "4mo"
//! lose-zone = "az-b"
//!
//! ["half the brokers, twice the size"]
//! retype = "m5.xlarge=im4gn.2xlarge"
//! remove = [4, 5, 6]
//! set-rf = { "orders.*" = 3, "clicks" = 2 }
//! then = "rebalance"
//!
//! ["one after the other"]
//! edits = ["remove 4", "then drain", "lose-broker 5", "then rebalance"]
//! ```
//!
//! Here they are text: what an edit means, [`whatif`](crate::whatif) knows.

use std::collections::BTreeMap;
use std::io::Read;

use toml::{Spanned, Value};

use super::FileError;

/// A scenario as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioRow {
    /// Its name.
    pub name: String,
    /// Its edits, in the order of the file.
    pub edits: Vec<EditRow>,
}

/// An edit as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditRow {
    /// Its key.
    pub key: String,
    /// Its value, as it would be typed behind a flag; empty for `true`.
    pub value: String,
    /// Line of its key, from 1.
    pub line: usize,
}

type Tables = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Value>>;

/// Reads a scenario file; `file` is its name in errors.
///
/// # Errors
/// No TOML, no scenario, one without edits, or a value that is none, with its line.
pub fn read(mut from: impl Read, file: &str) -> Result<Vec<ScenarioRow>, FileError> {
    let mut text = String::new();
    from.read_to_string(&mut text)
        .map_err(|error| FileError::whole(file, format!("cannot be read: {error}")))?;
    let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let wrong = |line, place: &str, reason: String| FileError {
        file: file.into(),
        line,
        place: place.into(),
        reason,
    };
    let tables: Tables = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| line(span.start));
        wrong(at, "", error.message().replace('\n', ", "))
    })?;
    if tables.is_empty() {
        return Err(FileError::whole(
            file,
            "has no scenario: expected tables like [lose-b] with edits as keys",
        ));
    }
    let mut tables: Vec<_> = tables.into_iter().collect();
    tables.sort_by_key(|(name, _)| name.span().start);
    let mut scenarios = Vec::new();
    for (name, table) in tables {
        let (begin, name) = (line(name.span().start), name.into_inner());
        if table.is_empty() {
            return Err(wrong(begin, &name, "has no edit: expected some, like lose-zone = \"az-b\"".into()));
        }
        let mut keys: Vec<_> = table.into_iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        let mut edits = Vec::new();
        for (key, value) in keys {
            let (line, key) = (line(key.span().start), key.into_inner());
            let values = typed(&value).map_err(|reason| wrong(line, &format!("{name}.{key}"), reason))?;
            edits.extend(values.into_iter().map(|value| match key.as_str() {
                "edits" => as_flag(&value, line),
                _ => EditRow { key: key.clone(), value, line },
            }));
        }
        scenarios.push(ScenarioRow { name, edits });
    }
    Ok(scenarios)
}

/// An edit as it would be typed as a flag: `then drain`, with dashes before it or without.
fn as_flag(text: &str, line: usize) -> EditRow {
    let text = text.trim().trim_start_matches("--");
    let (key, value) = text.split_once([' ', '=']).unwrap_or((text, ""));
    EditRow { key: key.to_owned(), value: value.trim().to_owned(), line }
}

/// A value as it would be typed behind flags: one for each string of a list or pair of a table, one for all numbers of a list.
fn typed(value: &Value) -> Result<Vec<String>, String> {
    const EXPECTED: &str = "expected a text, a number, true, a list, or a table of patterns";
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(is) => Err(format!("{is} is no value: {EXPECTED}")),
        other => Err(format!("a {} is no value: {EXPECTED}", other.type_str())),
    };
    match value {
        Value::Boolean(true) => Ok(vec![String::new()]),
        Value::Array(list) if list.is_empty() => Err(format!("an empty list is no value: {EXPECTED}")),
        Value::Table(table) if table.is_empty() => Err(format!("an empty table is no value: {EXPECTED}")),
        Value::Array(list) => {
            let all: Vec<String> = list.iter().map(one).collect::<Result<_, _>>()?;
            Ok(if list.iter().all(Value::is_integer) { vec![all.join(",")] } else { all })
        }
        Value::Table(table) => {
            table.iter().map(|(key, value)| Ok(format!("{key}={}", one(value)?))).collect()
        }
        other => one(other).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<ScenarioRow>, FileError> {
        read(text.as_bytes(), "s.toml")
    }

    #[test]
    fn edits_keep_the_order_of_the_file() {
        let text = "[\"z first\"]\nset-rf = { 'orders.*' = 3 }\nremove = [4, 5]\nadd = [\"2@az-a\", \"1@az-b\"]\n\
                    lose-any-zone = true\npeak = 2.2\n[a]\nzones = -3\n";
        let scenarios = read_text(text).unwrap();
        let rows: Vec<(&str, &str, usize)> =
            scenarios[0].edits.iter().map(|row| (&*row.key, &*row.value, row.line)).collect();
        assert_eq!((&*scenarios[0].name, &*scenarios[1].name), ("z first", "a"));
        let expected = [
            ("set-rf", "orders.*=3", 2),
            ("remove", "4,5", 3),
            ("add", "2@az-a", 4),
            ("add", "1@az-b", 4),
            ("lose-any-zone", "", 5),
            ("peak", "2.2", 6),
        ];
        assert_eq!(rows, expected);
        let listed = read_text("[a]\nedits = [\"--remove 4\", \"then drain\", \"lose-any-zone\"]\n").unwrap();
        let rows: Vec<(&str, &str)> = listed[0].edits.iter().map(|row| (&*row.key, &*row.value)).collect();
        assert_eq!(rows, [("remove", "4"), ("then", "drain"), ("lose-any-zone", "")]);
        assert_eq!(scenarios[1].edits[0], EditRow { key: "zones".into(), value: "-3".into(), line: 8 });
    }

    #[test]
    fn what_is_no_scenario_is_named_with_its_line() {
        let wrong = |text: &str| read_text(text).unwrap_err().to_string();
        assert!(wrong("").contains("has no scenario"), "{}", wrong(""));
        assert!(wrong("[a]\n").contains("s.toml, line 1, a: has no edit"), "{}", wrong("[a]\n"));
        assert!(wrong("[a]\nremove = []\n").contains("line 2, a.remove: an empty list"));
        assert!(wrong("[a]\nset-rf = {}\n").contains("line 2, a.set-rf: an empty table"));
        assert!(wrong("[a]\nremove = false\n").contains("line 2, a.remove: false is no value"));
        assert!(wrong("[a\n").contains("s.toml, line 1"), "{}", wrong("[a\n"));
        assert!(wrong("lose-zone = \"a\"\n").contains("s.toml, line 1"), "{}", wrong("lose-zone = \"a\"\n"));
    }
}
