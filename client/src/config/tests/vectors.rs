//! What Java made of the same texts: `java.util.Properties.load(InputStream)` of Java 17, and the JAAS parser
//! of kafka-clients 4.3.1 (`JaasContext.loadClientContext`). A line has the text, `ok` or `error`, and what
//! came out, with tabs between; `\s` is a blank, `\uXXXX` a UTF-16 unit.

use std::collections::BTreeMap;

use crate::config::jaas::Login;
use crate::config::properties;
use crate::secret::Secret;

fn unescape(text: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        units.push(match (c, if c == '\\' { rest.next() } else { None }) {
            (_, Some('n')) => 10,
            (_, Some('r')) => 13,
            (_, Some('t')) => 9,
            (_, Some('f')) => 12,
            (_, Some('s')) => 32,
            (_, Some('u')) => u16::from_str_radix(&rest.by_ref().take(4).collect::<String>(), 16).unwrap(),
            (c, None) => c as u16,
            (_, Some(other)) => other as u16,
        });
    }
    units
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'\n') => escaped.push_str("\\n"),
            Ok(b'\r') => escaped.push_str("\\r"),
            Ok(b'\t') => escaped.push_str("\\t"),
            Ok(12) => escaped.push_str("\\f"),
            Ok(b' ') => escaped.push_str("\\s"),
            Ok(b'\\') => escaped.push_str("\\\\"),
            Ok(b @ b'!'..=b'~') => escaped.push(b.into()),
            _ => escaped.push_str(&format!("\\u{unit:04x}")),
        }
    }
    escaped
}

/// As the vectors have it: sorted by UTF-16 unit, as Java compares.
fn show(entries: &BTreeMap<String, Secret>) -> String {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
    entries.into_iter().map(|(key, value)| format!("\t{}\t{}", escape(key), escape(value.expose()))).collect()
}

fn differences(vectors: &str, ours: impl Fn(&[u16]) -> String) -> Vec<String> {
    let cases = vectors.lines().filter_map(|line| line.split_once('\t'));
    let answers = cases.map(|(text, java)| (text, java, ours(&unescape(text))));
    answers
        .filter(|(_, java, ours)| java != ours)
        .map(|(text, java, ours)| format!("{text}\n{java}\n{ours}\n"))
        .collect()
}

fn properties_of(text: &[u16]) -> String {
    properties::parse(text).map_or_else(|_| "error".into(), |entries| format!("ok{}", show(&entries)))
}

fn login_of(text: &[u16]) -> String {
    match Login::parse(&String::from_utf16(text).unwrap()) {
        Ok(login) => format!("ok{}", show(&login.options)),
        Err(_) => "error".into(),
    }
}

#[test]
fn properties_are_read_as_java_reads_them() {
    let differences = differences(include_str!("vectors/properties.txt"), properties_of);
    assert!(differences.is_empty(), "text, Java, restow:\n{}", differences.join("\n"));
}

#[test]
fn jaas_lines_are_read_as_kafka_reads_them() {
    let differences = differences(include_str!("vectors/jaas.txt"), login_of);
    assert!(differences.is_empty(), "text, Kafka, restow:\n{}", differences.join("\n"));
}
