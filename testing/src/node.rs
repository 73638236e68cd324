//! One Kafka process: started, killed, paused; its log.

use crate::install::Install;
use crate::process::{end, signal, wait};
use crate::watchdog::Watchdog;
use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Kafka,
    ZooKeeper,
}

impl Program {
    fn main_class(self) -> &'static str {
        match self {
            Program::Kafka => "kafka.Kafka",
            Program::ZooKeeper => "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        }
    }

    /// Whether this log tells that it is up: in KRaft the first words, with ZooKeeper the second.
    fn is_up(self, log: &str) -> bool {
        match self {
            Program::Kafka => {
                log.contains("Kafka Server started") || log.contains("] started (kafka.server.KafkaServer)")
            }
            Program::ZooKeeper => true,
        }
    }
}

/// A node of the cluster, running or not.
#[derive(Debug)]
pub(crate) struct Node {
    /// For messages.
    pub(crate) name: String,
    program: Program,
    pub(crate) port: u16,
    directory: PathBuf,
    heap_mb: u32,
    child: Option<Child>,
    paused: bool,
    /// How long the log was when this process was started: what is before tells of an earlier life.
    log_start: usize,
    /// When it was last killed, if it was.
    killed: Option<Instant>,
}

impl Node {
    pub(crate) fn new(name: &str, program: Program, port: u16, directory: &Path, heap_mb: u32) -> Node {
        let (name, directory) = (name.to_owned(), directory.to_path_buf());
        Node {
            name,
            program,
            port,
            directory,
            heap_mb,
            child: None,
            paused: false,
            log_start: 0,
            killed: None,
        }
    }

    /// The server.properties.
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.join("server.properties")
    }

    /// What Kafka logs (warnings and worse).
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("kafka.log")
    }

    /// What the JVM itself says.
    pub(crate) fn output(&self) -> PathBuf {
        self.directory.join("jvm.log")
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    pub(crate) fn start(&mut self, install: &Install, watchdog: &Watchdog) {
        assert!(self.child.is_none(), "{} is running already", self.name);
        self.log_start = fs::metadata(self.log()).map_or(0, |data| usize::try_from(data.len()).unwrap_or(0));
        let output =
            File::options().create(true).append(true).open(self.output()).expect("jvm.log cannot be made");
        let child = install
            .java("broker")
            .args(["-Xms96m", &format!("-Xmx{}m", self.heap_mb)])
            .arg(format!("-Drestow.log={}", self.log().display()))
            .arg(self.program.main_class())
            .arg(self.config())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("jvm.log cannot be shared"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("java cannot be run");
        watchdog.add(child.id());
        self.child = Some(child);
        self.paused = false;
    }

    /// Whether this life of the node has said that it is up. Panics if the process has ended instead.
    pub(crate) fn is_started(&mut self) -> bool {
        let child = self.child.as_mut().unwrap_or_else(|| panic!("{} was not started", self.name));
        if let Some(status) = child.try_wait().expect("a broker cannot be waited for") {
            panic!("{} ended at its start ({status}):\n{}", self.name, self.tail());
        }
        let log = fs::read(self.log()).unwrap_or_default();
        let said = log.get(self.log_start..).unwrap_or_default();
        self.program.is_up(&String::from_utf8_lossy(said))
            && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// SIGKILL, and the process is collected.
    pub(crate) fn kill(&mut self, watchdog: &Watchdog) {
        let mut child = self.take();
        end(&mut child);
        watchdog.remove(child.id());
        self.killed = Some(Instant::now());
    }

    /// Waits until its last death by SIGKILL is this long ago.
    pub(crate) fn rest(&self, since_killed: Duration) {
        if let Some(killed) = self.killed {
            thread::sleep(since_killed.saturating_sub(killed.elapsed()));
        }
    }

    /// SIGTERM: a controlled shutdown. After `limit` the node is killed; false then.
    pub(crate) fn stop(&mut self, watchdog: &Watchdog, limit: Duration) -> bool {
        if self.paused {
            self.resume();
        }
        let mut child = self.take();
        signal(child.id(), "TERM");
        let ended = wait(&mut child, limit).is_some();
        end(&mut child);
        watchdog.remove(child.id());
        ended
    }

    /// SIGSTOP: the process keeps its connections and answers nothing.
    pub(crate) fn pause(&mut self) {
        signal(self.pid(), "STOP");
        // A thread that runs on another processor stops a moment later, and could answer until then.
        std::thread::sleep(std::time::Duration::from_millis(100));
        self.paused = true;
    }

    /// SIGCONT.
    pub(crate) fn resume(&mut self) {
        signal(self.pid(), "CONT");
        self.paused = false;
    }

    /// The last lines of the log and of what the JVM said.
    pub(crate) fn tail(&self) -> String {
        let mut text = String::new();
        for path in [self.log(), self.output()] {
            let bytes = fs::read(&path).unwrap_or_default();
            let all = String::from_utf8_lossy(&bytes).into_owned();
            let lines: Vec<&str> = all.lines().collect();
            let from = lines.len().saturating_sub(30);
            text.push_str(&format!("--- {}\n{}\n", path.display(), lines[from..].join("\n")));
        }
        text
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().unwrap_or_else(|| panic!("{} is not running", self.name)).id()
    }

    fn take(&mut self) -> Child {
        self.child.take().unwrap_or_else(|| panic!("{} is not running", self.name))
    }
}
