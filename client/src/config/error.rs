//! Why a client.properties cannot be used.

use std::io;

/// What is wrong in a client.properties, and where. No variant holds a secret: values are never quoted when
/// they may be one, or came through a variable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {file}: {source}")]
    Unreadable {
        /// Its path.
        file: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The file is not in the format of `java.util.Properties`.
    #[error("{file}, line {line}: {reason}")]
    Syntax {
        /// Its path or name.
        file: String,
        /// Of the text, from 1; of an entry with continuation lines, the first.
        line: usize,
        /// What is malformed.
        reason: &'static str,
    },
    /// A key has a value that cannot be used, or lacks one.
    #[error("{file}: {key} {reason}")]
    Value {
        /// Path or name of the file.
        file: String,
        /// The key.
        key: String,
        /// What is wrong with its value, and what to write instead.
        reason: String,
    },
    /// A key asks for something that restow does not have, and leaving it out would change security.
    #[error("{file}: {key} is not supported: {advice}")]
    Unsupported {
        /// Path or name of the file.
        file: String,
        /// The key.
        key: String,
        /// What to use instead.
        advice: String,
    },
    /// A variable in a value has no value of its own. Kafka would keep its text as it stands, and so log in
    /// with it.
    #[error("{file}: {key} needs {variable}, but {reason}")]
    Variable {
        /// Path or name of the file.
        file: String,
        /// The key in whose value the variable stands.
        key: String,
        /// `${provider:path:key}`.
        variable: String,
        /// Why there is no value.
        reason: String,
    },
}
