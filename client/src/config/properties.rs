//! The format of `java.util.Properties`, as `Properties.load` reads it.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Where a text is not in the format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// From 1; of an entry with continuation lines, the first.
    pub(super) line: usize,
    pub(super) reason: &'static str,
}

/// A text in UTF-16, the unit in which Java reads: `\uD83D\uDE00` is one character.
pub(super) type Units = Zeroizing<Vec<u16>>;

/// Bytes as `Properties.load(InputStream)` takes them, which is how Kafka's tools read a client.properties
/// (`Utils.loadProps`): ISO-8859-1, where each byte is a character.
pub(super) fn latin1(bytes: &[u8]) -> Units {
    Zeroizing::new(bytes.iter().map(|&byte| byte.into()).collect())
}

/// Text as `Properties.load(Reader)` takes it, which is how `FileConfigProvider` reads a file.
pub(super) fn utf16(text: &str) -> Units {
    let mut units = Zeroizing::new(Vec::with_capacity(text.len()));
    units.extend(text.encode_utf16());
    units
}

/// All entries; of a key that comes twice, the last. Any value may be a secret.
pub(super) fn parse(text: &[u16]) -> Result<BTreeMap<String, Secret>, Malformed> {
    let mut entries = BTreeMap::new();
    let mut lines = Lines { rest: text, number: 0 };
    // One buffer that never grows: a copy that is left behind when a buffer moves would not be wiped.
    let mut entry: Units = Zeroizing::new(Vec::with_capacity(text.len()));
    while let Some(line) = lines.next_entry(&mut entry) {
        let (key, value) = split(&entry);
        let decode = |units| unescape(units).map_err(|reason| Malformed { line, reason });
        entries.insert(decode(key)?, Secret::new(decode(value)?));
    }
    Ok(entries)
}

/// The lines of a text that are still to be read.
struct Lines<'a> {
    rest: &'a [u16],
    /// Of the line read last.
    number: usize,
}

impl<'a> Lines<'a> {
    /// Up to the next CR, LF or CRLF, without leading blanks.
    fn next_line(&mut self) -> Option<&'a [u16]> {
        if self.rest.is_empty() {
            return None;
        }
        let is_end = |&unit: &u16| is(unit, '\n') || is(unit, '\r');
        let end = self.rest.iter().position(is_end).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        let skip = match rest {
            [cr, lf, ..] if is(*cr, '\r') && is(*lf, '\n') => 2,
            [_, ..] => 1,
            [] => 0,
        };
        self.rest = &rest[skip..];
        self.number += 1;
        Some(skip_blanks(line))
    }

    /// Reads an entry with its continuation lines into `entry`, and tells the number of its first line.
    ///
    /// A last line of nothing but a backslash is no entry here; to Java it is one of an empty key.
    fn next_entry(&mut self, entry: &mut Vec<u16>) -> Option<usize> {
        entry.clear();
        let mut first = 0;
        while let Some(line) = self.next_line() {
            if entry.is_empty() {
                // Also after a line of nothing but a backslash: Java's reader goes by what it has so far.
                if line.first().is_none_or(|&unit| is(unit, '#') || is(unit, '!')) {
                    continue;
                }
                first = self.number;
            }
            let backslashes = line.iter().rev().take_while(|&&unit| is(unit, '\\')).count();
            let is_continued = backslashes % 2 == 1;
            entry.extend_from_slice(&line[..line.len() - usize::from(is_continued)]);
            if !is_continued {
                return Some(first);
            }
        }
        (!entry.is_empty()).then_some(first)
    }
}

/// Key and value of an entry, escapes and all: apart at the first `=`, `:` or blank that is not escaped.
fn split(entry: &[u16]) -> (&[u16], &[u16]) {
    let mut is_escaped = false;
    let end = entry.iter().position(|&unit| {
        let ends = !is_escaped && (is_sign(unit) || is_blank(unit));
        is_escaped = is(unit, '\\') && !is_escaped;
        ends
    });
    let (key, rest) = entry.split_at(end.unwrap_or(entry.len()));
    let rest = skip_blanks(rest);
    match rest {
        [sign, value @ ..] if is_sign(*sign) => (key, skip_blanks(value)),
        value => (key, value),
    }
}

fn unescape(units: &[u16]) -> Result<String, &'static str> {
    let mut plain: Units = Zeroizing::new(Vec::with_capacity(units.len()));
    let mut rest = units;
    while let [unit, after @ ..] = rest {
        rest = after;
        if !is(*unit, '\\') {
            plain.push(*unit);
            continue;
        }
        let [escaped, after @ ..] = rest else { break };
        rest = after;
        plain.push(match u8::try_from(*escaped) {
            Ok(b't') => '\t' as u16,
            Ok(b'r') => '\r' as u16,
            Ok(b'n') => '\n' as u16,
            Ok(b'f') => 0x0c,
            Ok(b'u') => {
                let digits = rest.split_off(..4).ok_or(BAD_UNICODE)?;
                digits.iter().try_fold(0, |sum, &digit| Some(sum << 4 | hex(digit)?)).ok_or(BAD_UNICODE)?
            }
            _ => *escaped,
        });
    }
    let mut text = String::with_capacity(3 * plain.len());
    for decoded in char::decode_utf16(plain.iter().copied()) {
        text.push(decoded.map_err(|_| "an escape \\uD800 to \\uDFFF is only half a character")?);
    }
    Ok(text)
}

const BAD_UNICODE: &str = "\\u needs four hexadecimal digits after it (write \\\\ for a backslash)";

fn hex(unit: u16) -> Option<u16> {
    let digit = char::from(u8::try_from(unit).ok()?).to_digit(16)?;
    u16::try_from(digit).ok()
}

fn is(unit: u16, ascii: char) -> bool {
    u32::from(unit) == u32::from(ascii)
}

fn is_sign(unit: u16) -> bool {
    is(unit, '=') || is(unit, ':')
}

/// Space, tab and form feed; no other character is a blank in this format.
fn is_blank(unit: u16) -> bool {
    is(unit, ' ') || is(unit, '\t') || is(unit, '\u{c}')
}

fn skip_blanks(units: &[u16]) -> &[u16] {
    let blanks = units.iter().take_while(|&&unit| is_blank(unit)).count();
    &units[blanks..]
}
