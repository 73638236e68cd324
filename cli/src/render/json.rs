//! Results as JSON objects, one a line.

use serde_json::{Value, json};

use crate::error::Error;

/// A result: one line.
pub fn line(value: &Value) -> String {
    format!("{value}\n")
}

/// An error as a result.
pub fn error(error: &Error) -> String {
    line(&json!({
        "outcome": error.kind.name(),
        "exit": error.kind.code(),
        "error": { "message": error.message, "hints": error.hints },
    }))
}
