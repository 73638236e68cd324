//! Pages to open: a folder for one test, with the binary that fills it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A folder for one test, removed at its end.
pub struct Room {
    dir: PathBuf,
}

impl Room {
    /// An empty one.
    pub fn new() -> Room {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("restow-pages-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a folder for the test");
        Room { dir }
    }

    /// A file of the room.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Copies a snapshot of the test data into the room.
    pub fn take(&self, snapshot: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/clusters").join(snapshot);
        std::fs::copy(from, self.file(snapshot)).expect("the snapshot");
    }

    /// Runs the binary in the room; it must succeed.
    #[track_caller]
    pub fn restow(&self, line: &str) {
        let output = Command::new(env!("CARGO_BIN_EXE_restow"))
            .args(line.split_whitespace())
            .current_dir(&self.dir)
            .env("XDG_STATE_HOME", self.dir.join("state"))
            .stdin(Stdio::null())
            .output()
            .expect("restow runs");
        assert!(output.status.success(), "restow {line}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
