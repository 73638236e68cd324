//! Typed values of keys, read as Kafka's `ConfigDef` reads them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::providers::Providers;
use crate::secret::Secret;

/// The entries of a file, or the options of a JAAS line.
pub(super) struct Values<'a> {
    /// What errors call it.
    pub(super) file: &'a str,
    pub(super) entries: &'a BTreeMap<String, Secret>,
    /// None where variables are resolved already.
    pub(super) providers: Option<&'a Providers<'a>>,
}

impl Values<'_> {
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The value with its variables resolved, and without blanks around it: `ConfigDef.parseType` trims
    /// passwords too, though `Properties` keeps blanks at the end.
    pub(super) fn secret(&self, key: &str) -> Result<Option<Secret>, ConfigError> {
        let Some(value) = self.entries.get(key) else { return Ok(None) };
        let Some(providers) = self.providers else { return Ok(Some(trimmed(value))) };
        let resolved = providers.resolve(value).map_err(|unresolved| ConfigError::Variable {
            file: self.file.to_owned(),
            key: key.to_owned(),
            variable: unresolved.variable,
            reason: unresolved.reason,
        })?;
        Ok(Some(trimmed(&resolved)))
    }

    /// A value that is no secret; empty is as good as absent.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.secret(key)?.map(|value| value.expose().to_owned()).filter(|text| !text.is_empty()))
    }

    /// A list with commas; empty ones are left out.
    pub(super) fn list(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let text = self.text(key)?.unwrap_or_default();
        Ok(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
    }

    /// The name of a file. Here empty is a mistake (an environment variable that is, perhaps) and no default.
    pub(super) fn path(&self, key: &str) -> Result<Option<PathBuf>, ConfigError> {
        match self.text(key)? {
            None if self.has(key) => Err(self.bad(key, "is empty: name a file, or leave the line out")),
            path => Ok(path.map(PathBuf::from)),
        }
    }

    /// Milliseconds, an `int` in Kafka.
    pub(super) fn millis(&self, key: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let millis =
            text.parse::<i32>().ok().and_then(|millis| u64::try_from(millis).ok()).filter(|&ms| ms > 0);
        let millis =
            millis.ok_or_else(|| self.bad(key, "is not a number of milliseconds from 1 to 2147483647"))?;
        Ok(Some(Duration::from_millis(millis)))
    }

    /// `true` or `false` in any case.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(self.bad(key, "is neither true nor false")),
        }
    }

    /// An error about a value. The reason must not quote it: use [`Values::written`].
    pub(super) fn bad(&self, key: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError::Value { file: self.file.to_owned(), key: key.to_owned(), reason: reason.into() }
    }

    /// An error about something that restow does not do.
    pub(super) fn unsupported(&self, key: &str, advice: impl Into<String>) -> ConfigError {
        ConfigError::Unsupported { file: self.file.to_owned(), key: key.to_owned(), advice: advice.into() }
    }

    /// A warning about the file.
    pub(super) fn warning(&self, text: impl std::fmt::Display) -> String {
        format!("{}: {text}", self.file)
    }

    /// What the file says for a key that holds no secret, if it is one word: of a variable its name, and
    /// nothing of further lines that a stray backslash has joined to it. Either could be a password.
    pub(super) fn written(&self, key: &str) -> &str {
        let written = self.entries.get(key).map_or("", |value| value.expose().trim());
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b"._-${:}".contains(&b);
        if self.providers.is_some() && written.len() <= 40 && written.bytes().all(is_word) {
            written
        } else {
            "…"
        }
    }
}

/// Java's `String.trim`: all up to U+0020.
fn trimmed(value: &Secret) -> Secret {
    Secret::new(value.expose().trim_matches(|c| c <= ' '))
}
