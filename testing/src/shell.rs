//! The long-lived JVM behind [`Admin`](crate::Admin): `testing/java/restow/Shell.java`, one JSON line in, one out.
//!
//! It ends by itself when its input does; the watchdog knows it too, as a request may take its time to fail.

use crate::install::Install;
use crate::process::{end, wait};
use crate::view::AdminError;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// No request may take longer: the shell's own limits are shorter.
const LIMIT: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(crate) struct Shell {
    child: Child,
    pipes: Mutex<(Option<ChildStdin>, Receiver<String>)>,
}

impl Shell {
    pub(crate) fn start(install: &Install, log: &Path) -> Shell {
        let mut child = install
            .java("tool")
            .args(["-Xms32m", "-Xmx384m", "restow.Shell"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log).expect("the shell's log cannot be made"))
            .spawn()
            .expect("java cannot be run");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("the shell's output is a pipe"));
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Shell { child, pipes: Mutex::new((input, receiver)) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// One request and its answer. Panics if the shell itself is gone: that is no answer about Kafka.
    pub(crate) fn ask(&self, request: &Value) -> Result<Value, AdminError> {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, answers) = &mut *pipes;
        let sent = input.as_mut().is_some_and(|pipe| writeln!(pipe, "{request}").is_ok());
        assert!(sent, "the admin shell has ended; its log lies beside the brokers'");
        let line = answers
            .recv_timeout(LIMIT)
            .unwrap_or_else(|error| panic!("the admin shell did not answer {request}: {error}"));
        let mut answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("the admin shell said {line:?}: {error}"));
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        if answer.get("error").is_some() {
            return Err(AdminError { code: text("error"), message: text("message") });
        }
        Ok(answer["ok"].take())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
        wait(&mut self.child, Duration::from_secs(2));
        end(&mut self.child);
    }
}
