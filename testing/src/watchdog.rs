//! The last guard against JVMs that outlive their test.
//!
//! `Drop` does not run in a test process that is killed. So each cluster has one `sh` whose standard input is a pipe
//! from the test process: it is told of every process that starts and ends, and when the pipe ends, however that came,
//! it kills what is left and removes the cluster's directory. It has a process group of its own, so that a Ctrl-C in the
//! terminal reaches the test process only.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

const SCRIPT: &str = r#"
pids=
while read -r verb pid; do
  case $verb in
    add) pids="$pids $pid" ;;
    del) left=; for p in $pids; do [ "$p" = "$pid" ] || left="$left $p"; done; pids=$left ;;
    keep) set -- ;;
  esac
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
[ $# -eq 0 ] || rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"#;

/// The watching shell of one cluster.
#[derive(Debug)]
pub(crate) struct Watchdog {
    child: Child,
    words: Mutex<Option<ChildStdin>>,
}

impl Watchdog {
    /// Starts to watch; `directory` is removed at the end.
    pub(crate) fn start(directory: &Path) -> Watchdog {
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh cannot be run");
        let words = Mutex::new(child.stdin.take());
        Watchdog { child, words }
    }

    /// Tells it that a process has started.
    pub(crate) fn add(&self, pid: u32) {
        self.tell(&format!("add {pid}"));
    }

    /// Tells it that a process has ended and been collected: its number may soon be somebody else's.
    pub(crate) fn remove(&self, pid: u32) {
        self.tell(&format!("del {pid}"));
    }

    /// Tells it to leave the directory.
    pub(crate) fn keep_directory(&self) {
        self.tell("keep");
    }

    fn tell(&self, line: &str) {
        let mut words = self.words.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(pipe) = words.as_mut() {
            let _ = writeln!(pipe, "{line}");
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        *self.words.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_what_is_left_and_removes_the_directory() {
        let directory = std::env::temp_dir().join(format!("restow-watchdog-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("x")).unwrap();
        let mut left = Command::new("sleep").arg("60").spawn().unwrap();
        let mut told = Command::new("sleep").arg("60").spawn().unwrap();
        let watchdog = Watchdog::start(&directory);
        watchdog.add(left.id());
        watchdog.add(told.id());
        watchdog.remove(told.id());
        drop(watchdog);
        assert!(!left.wait().unwrap().success());
        assert!(!directory.exists());
        assert!(told.try_wait().unwrap().is_none(), "a process that was taken off the list was killed");
        told.kill().unwrap();
        told.wait().unwrap();
    }
}
