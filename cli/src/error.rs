//! How a verb ends: its exit code, and what it says when it fails.

use std::fmt;
use std::process::ExitCode;

use restow_planner::file::FileError;
use restow_planner::place::PlaceError;

/// How a verb ends. The codes are an interface: scripts depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// A defect of restow, or of the machine it runs on.
    Internal,
    /// Usage, or input that cannot be read.
    Usage,
    /// The plan is refused by check or preflight; plan and cluster differ; the lock is held.
    Refused,
    /// Waiting at a gate, or stopped by a person.
    Waiting,
    /// The cluster diverged from the plan.
    Diverged,
    /// Unreachable, or not authorised.
    Unreachable,
    /// Finished, but something of ours is left.
    Left,
    /// Held past `--hold-timeout`.
    Held,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Waiting => 4,
            Exit::Diverged => 5,
            Exit::Unreachable => 6,
            Exit::Left => 7,
            Exit::Held => 8,
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Internal => "internal",
            Exit::Usage => "usage",
            Exit::Refused => "refused",
            Exit::Waiting => "waiting",
            Exit::Diverged => "diverged",
            Exit::Unreachable => "unreachable",
            Exit::Left => "left",
            Exit::Held => "held",
        }
    }

    /// The one of both that a run which saw both ends with: 2 and 3 come before a run, then 1, 6, 8, 5, 4, 7, 0.
    #[must_use]
    pub fn or(self, other: Exit) -> Exit {
        if self.rank() <= other.rank() { self } else { other }
    }

    fn rank(self) -> u8 {
        match self {
            Exit::Usage | Exit::Refused => 0,
            Exit::Internal => 1,
            Exit::Unreachable => 2,
            Exit::Held => 3,
            Exit::Diverged => 4,
            Exit::Waiting => 5,
            Exit::Left => 6,
            Exit::Done => 7,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a verb failed, and what may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Which exit it is.
    pub kind: Exit,
    /// One message, with the file and the place where there is one.
    pub message: String,
    /// What may help, most likely first.
    pub hints: Vec<String>,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Exit, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), hints: Vec::new() }
    }

    /// Usage, or input that cannot be read (2).
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(Exit::Usage, message)
    }

    /// Refused by check or preflight (3).
    pub fn refused(message: impl Into<String>) -> Self {
        Error::new(Exit::Refused, message)
    }

    /// A defect (1).
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(Exit::Internal, message)
    }

    /// A file of the user's that cannot be read or written (2).
    pub fn file(path: &std::path::Path, doing: &str, error: &std::io::Error) -> Self {
        Error::usage(format!("{}: cannot {doing}: {}", path.display(), plain(error)))
    }

    /// The same, with a hint more.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// An I/O error without Rust's `(os error 2)`.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        self.hints.iter().try_for_each(|hint| write!(f, "\n  hint: {hint}"))
    }
}

impl std::error::Error for Error {}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Error::usage(error.to_string())
    }
}

impl From<PlaceError> for Error {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Usage { flag, found, accepted } => {
                Error::usage(format!("{flag}: {found}")).hint(accepted)
            }
            refused @ PlaceError::Refused { .. } => Error::refused(refused.to_string()),
        }
    }
}

impl From<restow_client::Error> for Error {
    fn from(error: restow_client::Error) -> Self {
        let unreachable = Error::new(Exit::Unreachable, error.to_string());
        if matches!(error, restow_client::Error::Refused { .. }) && error.is_authorisation() {
            unreachable.hint("`restow acls` prints the permissions that restow needs, `restow doctor` those that are missing")
        } else {
            unreachable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Exit; 9] = [
        Exit::Done,
        Exit::Internal,
        Exit::Usage,
        Exit::Refused,
        Exit::Waiting,
        Exit::Diverged,
        Exit::Unreachable,
        Exit::Left,
        Exit::Held,
    ];

    #[test]
    fn the_codes_are_those_of_the_manual() {
        assert_eq!(ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn precedence_is_1_6_8_5_4_7() {
        let order = [
            Exit::Internal,
            Exit::Unreachable,
            Exit::Held,
            Exit::Diverged,
            Exit::Waiting,
            Exit::Left,
            Exit::Done,
        ];
        for (at, first) in order.iter().enumerate() {
            for later in &order[at..] {
                assert_eq!((first.or(*later), later.or(*first)), (*first, *first));
            }
        }
    }

    #[test]
    fn an_error_is_one_message_and_its_hints() {
        let error = Error::usage("plan.json: line 3: what").hint("do this");
        assert_eq!(error.to_string(), "error: plan.json: line 3: what\n  hint: do this");
        let io = std::io::Error::from_raw_os_error(2);
        let error = Error::file(std::path::Path::new("x/y"), "read", &io);
        assert_eq!(error.message, "x/y: cannot read: no such file or directory");
        assert_eq!(error.kind, Exit::Usage);
    }
}
