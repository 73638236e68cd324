//! Every byte that is a file: snapshots, plans, the JSON of Kafka's own tools, and what a person adds: topology and
//! rates.
//!
//! Files of a cluster's size are read by streaming visitors straight into columns. They hold one partition
//! (or move) per line, so that an error names the line, the topic and the partition. Members that a version
//! does not know are skipped; a newer format version is refused. `docs/formats.md` describes every field.

mod document;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod json;
pub mod node_types;
pub mod plan;
pub mod rates;
pub mod reassignment;
pub mod scenarios;
pub mod snapshot;
pub mod topology;

/// Why a file cannot be used: one thing, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.show())]
pub struct FileError {
    /// The file as the caller names it.
    pub file: String,
    /// Line, from 1; 0 if it is about the whole file.
    pub line: usize,
    /// What stands there: `partition t-0`, `brokers[3]`; empty if it is about the whole file.
    pub place: String,
    /// What was found and what would be accepted.
    pub reason: String,
}

impl FileError {
    pub(crate) fn whole(file: &str, reason: impl Into<String>) -> Self {
        FileError { file: file.into(), line: 0, place: String::new(), reason: reason.into() }
    }

    fn show(&self) -> String {
        let mut text = self.file.clone();
        if self.line > 0 {
            text += &format!(", line {}", self.line);
        }
        if !self.place.is_empty() {
            text += ", ";
            text += &self.place;
        }
        format!("{text}: {}", self.reason)
    }
}
