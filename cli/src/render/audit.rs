//! The audit log: each request that changes the cluster as one JSON object a line.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use restow_executor::events::{Event, Watch, Wrote};
use serde::Serialize;

use super::progress::Screen;
use crate::clock::rfc3339;
use crate::error::Error;

/// A file that lines are appended to.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
}

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    #[serde(flatten)]
    wrote: &'a Wrote<'a>,
}

impl Log {
    /// Opens the file, and makes it if there is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::options().append(true).create(true).open(path);
        let file = file.map_err(|error| Error::file(path, "use as the audit log", &error))?;
        Ok(Log { path: path.to_owned(), file })
    }

    /// The journal has every request since before it was sent: a full disk here stops nothing, but is not silent.
    fn write(&mut self, wrote: &Wrote<'_>) {
        let line = Line { at: rfc3339(UNIX_EPOCH + Duration::from_millis(wrote.time)), wrote };
        let written = serde_json::to_string(&line).map_err(std::io::Error::from);
        let written = written.and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()));
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            eprintln!("warning: {}: a request is missing in the audit log: {error}", self.path.display());
        }
    }
}

/// A screen, and an audit log behind it where one was asked for.
#[derive(Debug)]
pub struct Audited<'a> {
    /// What a person sees.
    pub screen: Screen,
    /// What an auditor sees.
    pub log: Option<&'a mut Log>,
}

impl Watch for Audited<'_> {
    fn event(&mut self, event: &Event) {
        self.screen.event(event);
    }

    fn wrote(&mut self, wrote: &Wrote<'_>) {
        if let Some(log) = &mut self.log {
            log.write(wrote);
        }
    }
}
