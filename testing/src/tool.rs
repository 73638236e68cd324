//! The stock tools, each run in a JVM of its own, as an operator would.

use crate::install::Install;
use crate::process::{end, wait};
use crate::watchdog::Watchdog;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// A stock tool that hangs is a failed test.
const LIMIT: Duration = Duration::from_secs(120);

/// `kafka-topics`.
pub(crate) const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
/// `kafka-reassign-partitions`.
pub(crate) const REASSIGN: &str = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand";
/// `kafka-leader-election`.
pub(crate) const ELECT: &str = "org.apache.kafka.tools.LeaderElectionCommand";
/// `kafka-configs`.
pub(crate) const CONFIGS: &str = "kafka.admin.ConfigCommand";

/// `kafka-acls`.
pub(crate) fn acls(install: &Install) -> &'static str {
    if install.version.starts_with("3.") {
        "kafka.admin.AclCommand"
    } else {
        "org.apache.kafka.tools.AclCommand"
    }
}

/// How a tool ended and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOutput {
    /// The exit code; `None` if it was ended by a signal or by the limit of time.
    pub status: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl ToolOutput {
    /// The standard output, if the tool ended with 0; panics with everything it said otherwise.
    #[allow(clippy::must_use_candidate)]
    pub fn expect_success(self) -> String {
        assert_eq!(self.status, Some(0), "the tool failed:\n{}\n{}", self.stdout, self.stderr);
        self.stdout
    }
}

/// Runs a Java class of this version with its arguments, for at most [`LIMIT`].
pub(crate) fn run(install: &Install, watchdog: &Watchdog, main_class: &str, args: &[&str]) -> ToolOutput {
    let mut child = install
        .java("tool")
        .args(["-Xmx256m", main_class])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("java cannot be run");
    watchdog.add(child.id());
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let status = wait(&mut child, LIMIT).and_then(|status| status.code());
    end(&mut child);
    watchdog.remove(child.id());
    let text = |thread: thread::JoinHandle<String>| thread.join().unwrap_or_default();
    ToolOutput { status, stdout: text(stdout), stderr: text(stderr) }
}

/// Reads a pipe to its end on a thread, so that a tool that prints much cannot block.
fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
