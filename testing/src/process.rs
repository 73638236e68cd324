//! Small things about processes that std lacks: signals by number of process, waiting with a limit, uncaptured words.

use std::io::Write as _;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// Says something on the real stderr: `eprintln!` would be captured by the test runner and lost when the test passes.
pub(crate) fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "[kafka] {text}");
}

/// Sends a signal (`TERM`, `STOP`, `CONT`) with the shell's own `kill`; std can only send SIGKILL.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("sh")
        .args(["-c", "kill -\"$1\" \"$2\"", "sh", name, &pid.to_string()])
        .status()
        .expect("sh cannot be run");
    assert!(status.success(), "signal {name} could not be sent to process {pid}");
}

/// Waits for a child, at most `limit`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("a child cannot be waited for") {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Ends a child at once and collects it.
pub(crate) fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Asks `done` every 50 ms until it holds; false after `limit`.
#[must_use]
pub fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !done() {
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    true
}
