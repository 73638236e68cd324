//! Load on a cluster: Kafka's own verifiable producers and consumers, or ours where a test has many topics.

use crate::kafka::Kafka;
use crate::process::{end, say, signal, wait, wait_until};
use crate::verify::Acked;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Every writer in this process has a number of its own, so that two loads on one topic can be told apart.
static WRITERS: AtomicI64 = AtomicI64::new(1);

/// What producers need to survive failures without loss or doubles; VerifiableProducer alone would not retry.
const PRODUCER: &str = "acks=all\nenable.idempotence=true\nretries=2147483647\ndelivery.timeout.ms=300000\n\
    request.timeout.ms=10000\nretry.backoff.ms=50\nmetadata.max.age.ms=5000\nlinger.ms=2\n";
const CONSUMER: &str = "metadata.max.age.ms=5000\nretry.backoff.ms=50\n";

/// The load that a test wants.
#[derive(Debug, Clone)]
pub struct LoadSpec {
    /// Topics that Kafka's VerifiableProducer writes to: one JVM each, so give few.
    pub verifiable: Vec<String>,
    /// Topics that one JVM of ours writes to, in turn: give as many as you like.
    pub many: Vec<String>,
    /// Records per second: of each verifiable producer, and of all `many` together.
    pub rate: u32,
    /// Bytes per record of the `many`.
    pub bytes: u32,
    /// Whether consumers read along, in this group: a VerifiableConsumer per verifiable topic, one of ours for `many`.
    pub group: Option<String>,
}

impl LoadSpec {
    /// VerifiableProducers and VerifiableConsumers on these topics.
    #[must_use]
    pub fn verifiable(topics: &[&str], rate: u32) -> LoadSpec {
        let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
        let group = Some("restow-load".to_owned());
        LoadSpec { verifiable: topics, many: Vec::new(), rate, bytes: 100, group }
    }
}

/// What one consumer group read of one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consumed {
    /// The offset after the last one read.
    pub next: i64,
    /// Records read again: a group may do so after a rebalance before a commit.
    pub again: i64,
    /// Offsets that were jumped over; 0 unless something was lost.
    pub skipped: i64,
}

/// What a load did.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// What was acknowledged; hand it to [`verify_log`](crate::verify_log).
    pub acked: Acked,
    /// Sends that failed for good.
    pub failed: u64,
    /// The longest time without an acknowledgement, over the writers, after their first.
    pub longest_pause: Duration,
    /// What was consumed.
    pub consumed: BTreeMap<(String, i32), Consumed>,
    /// Commits that succeeded and that failed.
    pub commits: (u64, u64),
    /// What went wrong, in the processes' own words (the first few).
    pub errors: Vec<String>,
    /// First and last + 1 of everything that was polled.
    ranges: BTreeMap<(String, i32), Vec<(i64, i64)>>,
}

#[derive(Debug)]
struct Part {
    child: Child,
    name: String,
    reader: JoinHandle<()>,
}

/// A running load; ended by [`Load::stop`], or at once when dropped.
#[derive(Debug)]
pub struct Load<'a> {
    kafka: &'a Kafka,
    parts: Vec<Part>,
    seen: Arc<Mutex<LoadReport>>,
    stopped: bool,
}

impl<'a> Load<'a> {
    /// Starts all processes and returns when every writer has been acknowledged once.
    #[must_use]
    pub fn start(kafka: &'a Kafka, spec: &LoadSpec) -> Load<'a> {
        let mut load = Load { kafka, parts: Vec::new(), seen: Arc::default(), stopped: false };
        let directory = kafka.directory();
        let (producer, consumer) =
            (directory.join("producer.properties"), directory.join("consumer.properties"));
        std::fs::write(&producer, PRODUCER).expect("producer.properties cannot be written");
        std::fs::write(&consumer, CONSUMER).expect("consumer.properties cannot be written");
        let (producer, consumer) = (producer.display().to_string(), consumer.display().to_string());
        let bootstrap = kafka.bootstrap();
        let rate = spec.rate.to_string();
        for topic in &spec.verifiable {
            let writer = WRITERS.fetch_add(1, Ordering::Relaxed).to_string();
            let args = ["--bootstrap-server", &bootstrap, "--topic", topic, "--throughput", &rate];
            let more =
                ["--value-prefix", &writer, "--repeating-keys", "1000", "--producer.config", &producer];
            load.spawn("org.apache.kafka.tools.VerifiableProducer", &[&args[..], &more[..]].concat());
        }
        if !spec.many.is_empty() {
            let writer = WRITERS.fetch_add(1, Ordering::Relaxed).to_string();
            let args = [&bootstrap, &spec.many.join(","), &rate, &writer, &spec.bytes.to_string()];
            load.spawn("restow.Writer", &args.map(String::as_str));
        }
        if let Some(group) = &spec.group {
            for topic in &spec.verifiable {
                let args = ["--bootstrap-server", &bootstrap, "--topic", topic, "--group-id", group];
                let more = ["--reset-policy", "earliest", "--consumer.config", &consumer];
                load.spawn("org.apache.kafka.tools.VerifiableConsumer", &[&args[..], &more[..]].concat());
            }
            if !spec.many.is_empty() {
                load.spawn("restow.Reader", &[&bootstrap, &spec.many.join(","), group]);
            }
        }
        let written: Vec<&String> = spec.verifiable.iter().chain(&spec.many).collect();
        let begun = wait_until(Duration::from_secs(60), || {
            let topics = load.lock().acked.topics();
            written.iter().all(|topic| topics.contains(*topic))
        });
        assert!(begun, "not every topic has been written to after a minute: {:?}", load.lock().errors);
        load
    }

    /// How many records have been acknowledged so far.
    #[must_use]
    pub fn acked(&self) -> u64 {
        self.lock().acked.len()
    }

    /// Waits until `more` records have been acknowledged from now on; false after `limit`.
    #[must_use]
    pub fn wait_for(&self, more: u64, limit: Duration) -> bool {
        let goal = self.acked() + more;
        wait_until(limit, || self.acked() >= goal)
    }

    /// Ends the load in good order: what was sent is awaited, what was read is committed.
    ///
    /// # Panics
    /// When a process does not end within six minutes (the limit of a delivery is five).
    #[must_use]
    pub fn stop(mut self) -> LoadReport {
        self.stopped = true;
        // Writers stand before consumers in the list, and end first.
        for part in std::mem::take(&mut self.parts) {
            let Part { mut child, name, reader } = part;
            drop(child.stdin.take());
            if name.starts_with("org.apache") && child.try_wait().ok().flatten().is_none() {
                signal(child.id(), "TERM");
            }
            let ended = wait(&mut child, Duration::from_secs(360)).is_some();
            end(&mut child);
            self.kafka.watchdog().remove(child.id());
            let _ = reader.join();
            assert!(ended, "{name} did not end");
        }
        let mut report = std::mem::take(&mut *self.lock());
        report.sum_up();
        say(&format!("load ended: {} acknowledged, {} failed", report.acked.len(), report.failed));
        report
    }

    fn spawn(&mut self, main_class: &str, args: &[&str]) {
        let log = self.kafka.directory().join(format!("load-{}.log", self.parts.len()));
        let mut child = self
            .kafka
            .tools()
            .java("tool")
            .args(["-Xms32m", "-Xmx256m", main_class])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log).expect("a load log cannot be made"))
            .spawn()
            .expect("java cannot be run");
        self.kafka.watchdog().add(child.id());
        let output = BufReader::new(child.stdout.take().expect("the output of a load is a pipe"));
        let seen = Arc::clone(&self.seen);
        let reader = thread::spawn(move || {
            let mut last_ack = None;
            for line in output.lines().map_while(Result::ok) {
                let mut report = seen.lock().unwrap_or_else(PoisonError::into_inner);
                report.take(&line, &mut last_ack);
            }
        });
        self.parts.push(Part { child, name: main_class.to_owned(), reader });
    }

    fn lock(&self) -> MutexGuard<'_, LoadReport> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        for part in &mut self.parts {
            end(&mut part.child);
            self.kafka.watchdog().remove(part.child.id());
        }
        if !self.stopped && thread::panicking() {
            say(&format!("a load was running: {:?}", self.lock().errors));
        }
    }
}

impl LoadReport {
    /// Takes in one line of a process.
    fn take(&mut self, line: &str, last_ack: &mut Option<Instant>) {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let long = |item: &Value, key: &str| item[key].as_i64().unwrap_or(-1);
        match value["name"].as_str().unwrap_or_default() {
            "producer_send_success" => {
                let now = Instant::now();
                if let Some(before) = last_ack.replace(now) {
                    self.longest_pause = self.longest_pause.max(now - before);
                }
                let (writer, sequence) = value["value"].as_str().and_then(mark).unwrap_or((-1, -1));
                let topic = value["topic"].as_str().unwrap_or_default();
                let partition = i32::try_from(long(&value, "partition")).unwrap_or(-1);
                self.acked.add(topic, partition, writer, long(&value, "offset"), sequence, 1);
            }
            "producer_send_error" => {
                self.failed += 1;
                self.error(line);
            }
            "records_consumed" => {
                for item in value["partitions"].as_array().into_iter().flatten() {
                    let topic = item["topic"].as_str().unwrap_or_default().to_owned();
                    let partition = i32::try_from(long(item, "partition")).unwrap_or(-1);
                    let ranges = self.ranges.entry((topic, partition)).or_default();
                    ranges.push((long(item, "minOffset"), long(item, "maxOffset") + 1));
                }
            }
            "offsets_committed" if value["success"] == true => self.commits.0 += 1,
            "offsets_committed" => {
                self.commits.1 += 1;
                self.error(line);
            }
            _ => {}
        }
    }

    /// What the group as a whole read: its members' lines come in no order.
    fn sum_up(&mut self) {
        for (key, mut ranges) in std::mem::take(&mut self.ranges) {
            ranges.sort_unstable();
            let mut of = Consumed { next: ranges[0].0, again: 0, skipped: 0 };
            for (first, end) in ranges {
                of.skipped += (first - of.next).max(0);
                of.again += (of.next.min(end) - first).max(0);
                of.next = of.next.max(end);
            }
            self.consumed.insert(key, of);
        }
    }

    fn error(&mut self, line: &str) {
        if self.errors.len() < 20 {
            self.errors.push(line.to_owned());
        }
    }
}

/// Writer and sequence of a value that reads `WRITER.SEQUENCE`.
fn mark(value: &str) -> Option<(i64, i64)> {
    let (writer, sequence) = value.split_once('.')?;
    Some((writer.parse().ok()?, sequence.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_stock_tools_are_understood() {
        let mut report = LoadReport::default();
        let mut last = None;
        for line in [
            r#"{"timestamp":1,"name":"startup_complete"}"#,
            r#"{"timestamp":2,"name":"producer_send_success","key":"0","value":"3.0","topic":"t","partition":1,"offset":7}"#,
            r#"{"timestamp":3,"name":"producer_send_error","key":"0","value":"3.1","topic":"t","exception":"x","message":"y"}"#,
            r#"{"timestamp":4,"name":"records_consumed","count":5,"partitions":[{"topic":"t","partition":1,"count":5,"minOffset":0,"maxOffset":4}]}"#,
            r#"{"timestamp":4,"name":"records_consumed","count":5,"partitions":[{"topic":"t","partition":1,"count":5,"minOffset":3,"maxOffset":7}]}"#,
            r#"{"timestamp":5,"name":"offsets_committed","success":true,"offsets":[]}"#,
            "not json",
        ] {
            report.take(line, &mut last);
        }
        report.sum_up();
        assert_eq!((report.acked.len(), report.failed, report.commits), (1, 1, (1, 0)));
        let of = report.consumed[&("t".to_owned(), 1)];
        assert_eq!(of, Consumed { next: 8, again: 2, skipped: 0 });
        assert_eq!(mark("3.0"), Some((3, 0)));
    }
}
