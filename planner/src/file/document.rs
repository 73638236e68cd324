//! TOML that a person wrote: read as a whole, so that every error tells its line.

use std::io::Read;

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::FileError;

/// The text of a file; `file` is its name in errors.
pub(super) fn text(mut from: impl Read, file: &str) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    let cannot = |error: &dyn std::fmt::Display| FileError::whole(file, format!("cannot be read: {error}"));
    from.read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    String::from_utf8(bytes).map_err(|_| FileError::whole(file, "is not text in UTF-8"))
}

/// The file at hand, for lines and errors.
pub(super) struct Reader<'a> {
    /// Its name in errors.
    pub file: &'a str,
    /// All of it.
    pub text: &'a str,
}

impl Reader<'_> {
    /// What the text says.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        toml::from_str(self.text).map_err(|error| {
            let line = error.span().map_or(0, |span| self.line(span.start));
            self.error(line, "", error.message().replace('\n', ", "))
        })
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    /// The line on which something stands, from 1.
    pub fn line_of<T>(&self, spanned: &Spanned<T>) -> usize {
        self.line(spanned.span().start)
    }

    /// What is wrong on a line.
    pub fn error(&self, line: usize, place: impl Into<String>, reason: impl Into<String>) -> FileError {
        FileError { file: self.file.into(), line, place: place.into(), reason: reason.into() }
    }
}
