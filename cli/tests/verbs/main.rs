//! The binary on files: what it says, how it exits, what it writes, and what it leaves alone.

mod bad_files;
mod bad_flags;
mod beside;
mod incident;
mod network;
mod pipelined;
mod plans;
mod report;
mod round_trip;
mod secured;
mod size;
mod whatif;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The snapshot of the story: brokers 1 to 3 are old, 4 to 6 new; `single_replica` cannot be moved.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/clusters/two-az.json")
}

/// How the binary ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// The run, if it exited so and did not panic.
    #[track_caller]
    fn exits(self, code: i32) -> Ran {
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// The run, if it said this.
    #[track_caller]
    fn says(self, what: &str) -> Ran {
        assert!(
            self.out.contains(what) || self.err.contains(what),
            "{what:?} is not in stdout:\n{}\nor stderr:\n{}",
            self.out,
            self.err
        );
        self
    }

    /// The run, if it printed no result and one error.
    #[track_caller]
    fn fails_once(self) -> Ran {
        assert_eq!(self.out, "", "a failure has no result");
        assert_eq!(
            self.err.lines().filter(|line| line.starts_with("error:")).count(),
            1,
            "one message:\n{}",
            self.err
        );
        self
    }
}

/// A directory for one test, removed at its end.
struct Room {
    dir: PathBuf,
}

impl Room {
    fn new() -> Room {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("restow-verbs-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a directory for the test");
        fs::copy(fixture(), dir.join("cluster.json")).expect("the fixture");
        Room { dir }
    }

    /// A room with the plan of the story.
    fn with_plan() -> Room {
        let room = Room::new();
        room.plan(&["--leave-out-refused"]).exits(0);
        room
    }

    /// Runs the binary in the room.
    fn restow(&self, args: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_restow"))
            .args(args)
            .current_dir(&self.dir)
            .env("XDG_STATE_HOME", self.dir.join("state"))
            .stdin(Stdio::null())
            .output()
            .expect("restow runs");
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Plans the story into plan.json.
    fn plan(&self, more: &[&str]) -> Ran {
        let mut args = vec!["plan", "migrate", "--cluster", "cluster.json", "-o", "plan.json"];
        if !more.contains(&"--from") {
            args.extend(["--from", "1,2,3", "--to", "4,5,6"]);
        }
        args.extend(more);
        self.restow(&args)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Every file of the room with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        collect(&self.dir, &mut all);
        all
    }

    /// Runs something, and holds that no file came, went or changed.
    #[track_caller]
    fn unchanged_by(&self, run: impl FnOnce() -> Ran) -> Ran {
        let before = self.files();
        let ran = run();
        assert!(self.files() == before, "files changed: {:?}", self.files().keys());
        ran
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn collect(dir: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, all);
        } else {
            all.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
}
