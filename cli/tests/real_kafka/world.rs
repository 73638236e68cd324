//! A cluster in two zones, the command under test, and what the tests compare.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use restow_testing::{ConfigChange, Kafka, Load, LoadSpec, Partition, Spec, wait_until};

/// How a run of the command ended.
#[derive(Debug)]
pub struct Out {
    pub code: i32,
    pub text: String,
}

impl Out {
    /// The run, if it ended with this code; panics with everything that it said otherwise.
    #[track_caller]
    pub fn exits(self, code: i32) -> Out {
        assert_eq!(self.code, code, "exit code\n{}", self.text);
        self
    }

    /// Panics unless the run said this.
    #[track_caller]
    pub fn says(self, what: &str) -> Out {
        assert!(self.text.contains(what), "{what:?} is not in:\n{}", self.text);
        self
    }
}

/// Everything that a rollback has to bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub lists: BTreeMap<(String, i32), Vec<i32>>,
    pub leaders: BTreeMap<(String, i32), Option<i32>>,
    pub topic_configs: BTreeMap<String, BTreeMap<String, String>>,
    pub broker_configs: BTreeMap<i32, BTreeMap<String, String>>,
}

/// A cluster, a directory for files, and a state directory of its own.
pub struct World {
    pub kafka: Kafka,
    pub dir: PathBuf,
    is_traced: bool,
}

pub const OLD: &str = "1,2,3";
pub const NEW: &str = "4,5,6";
/// The topic that a migration cannot take: min ISR 2 by the cluster's default, one replica.
pub const SINGLE: &str = "single_replica";

impl World {
    /// Starts a cluster: old brokers 1, 2 (az-a), 3 (az-b); new ones 4, 5 (az-a), 6 (az-b).
    pub fn start(spec: Spec) -> World {
        let kafka = Kafka::start(spec);
        let dir = kafka.directory().join("restow");
        fs::create_dir_all(&dir).unwrap();
        World { kafka, dir, is_traced: false }
    }

    /// The same, where the command traces all that it does, and what it says is kept in `said.log`.
    pub fn traced(self) -> World {
        World { is_traced: true, ..self }
    }

    /// The topics of the story.
    pub fn story(version: &str) -> World {
        let world = World::start(
            Spec::two_az(version)
                .property("log.retention.hours", "72")
                // A stalled test machine must not shrink ISRs: producers need two.
                .property("replica.lag.time.max.ms", "15000"),
        );
        world.topic("orders.v1", 104, &[]);
        world.topic("state_compacted", 6, &[("cleanup.policy", "compact")]);
        world.topic("payments-safe", 6, &[("min.insync.replicas", "2")]);
        world.topic("events.by-default", 4, &[("min.insync.replicas", "1")]);
        world.kafka.admin().create_topic(SINGLE, &[vec![2]], &[]).unwrap();
        world.topic("__consumer_offsets", 3, &[("cleanup.policy", "compact"), ("min.insync.replicas", "1")]);
        world
    }

    /// Min ISR 2 for all topics that do not set it: 4.1 and later take that from a dynamic config only.
    pub fn default_min_isr(&self) {
        let min_isr = ConfigChange::set("min.insync.replicas", "2");
        self.kafka.admin().alter_broker_config(None, &[min_isr]).unwrap();
    }

    /// A topic with RF2, one replica in each zone, on the old brokers; leaders in both zones.
    pub fn topic(&self, name: &str, partitions: usize, configs: &[(&str, &str)]) {
        let lists: Vec<Vec<i32>> =
            [[1, 3], [3, 2], [2, 3], [3, 1]].map(Vec::from).into_iter().cycle().take(partitions).collect();
        self.kafka.admin().create_topic(name, &lists, configs).unwrap();
    }

    /// Fills a topic, once its leaders serve: on a partition that was just created, Kafka can refuse a producer's
    /// first batch and take its second, and then the first is out of sequence for ever.
    pub fn fill(&self, topic: &str, records: u64, bytes: u32) {
        self.kafka.admin().offsets(Some(&[topic])).unwrap();
        self.kafka.admin().produce(topic, records, bytes).unwrap();
    }

    /// A load with idempotent producers and a group that reads along.
    pub fn load(&self) -> Load<'_> {
        let topics = ["payments-safe"];
        let mut spec = LoadSpec::verifiable(&topics, 50);
        spec.many = vec!["orders.v1".into(), "events.by-default".into()];
        Load::start(&self.kafka, &spec)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_restow"));
        command
            .args(args)
            .current_dir(&self.dir)
            .env("XDG_STATE_HOME", self.dir.join("state"))
            .stdin(Stdio::null());
        if self.is_traced {
            command.env("RESTOW_LOG", "trace").env("RUST_LOG", "trace");
        }
        command
    }

    /// Runs the command to its end.
    pub fn restow(&self, args: &[&str]) -> Out {
        eprintln!("$ restow {}", args.join(" "));
        let out = self.command(args).output().expect("restow cannot be run");
        let text =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(!text.contains("panicked at"), "{text}");
        if self.is_traced {
            let log = fs::File::options().append(true).create(true).open(self.dir.join("said.log"));
            log.unwrap().write_all(text.as_bytes()).unwrap();
        }
        Out { code: out.status.code().unwrap_or(-1), text }
    }

    /// Runs a verb on the cluster.
    pub fn on_cluster(&self, verb: &str, args: &[&str]) -> Out {
        let bootstrap = self.kafka.bootstrap();
        let mut all = vec![verb];
        all.extend(args);
        all.extend(["--bootstrap-server", &bootstrap]);
        self.restow(&all)
    }

    /// Takes a snapshot and plans a migration; the plan is `NAME.json`.
    pub fn plan(&self, name: &str, from: &str, to: &str, more: &[&str]) -> Out {
        self.on_cluster("snapshot", &["-o", "cluster.json"]).exits(0);
        let plan = format!("{name}.json");
        let mut args =
            vec!["plan", "migrate", "--cluster", "cluster.json", "--from", from, "--to", to, "-o", &plan];
        args.extend(more);
        self.restow(&args)
    }

    /// `restow apply` with the short times that tests need.
    pub fn apply(&self, plan: &str, more: &[&str]) -> Out {
        let mut args = vec![plan, "--yes", "--dwell", "2s", "--poll-interval", "500ms", "--sample", "2s"];
        if !more.contains(&"--throttle") {
            args.extend(["--throttle", "50MB/s"]);
        }
        args.extend(more);
        self.on_cluster("apply", &args)
    }

    pub fn rollback(&self, plan: &str) -> Out {
        self.on_cluster("rollback", &[plan, "--yes", "--poll-interval", "500ms"])
    }

    /// Starts `restow apply` and gives the process.
    pub fn start_apply(&self, plan: &str, more: &[&str]) -> Child {
        let pace = ["--dwell", "2s", "--poll-interval", "500ms", "--sample", "0s"];
        let args = [&[plan, "--yes"][..], &pace, more].concat();
        self.background("apply", &args)
    }

    /// Starts a verb on the cluster and gives the process.
    pub fn background(&self, verb: &str, args: &[&str]) -> Child {
        let bootstrap = self.kafka.bootstrap();
        let args = [&[verb], args, &["--bootstrap-server", &bootstrap]].concat();
        eprintln!("$ restow {} &", args.join(" "));
        let log = fs::File::create(self.dir.join("background.log")).unwrap();
        let mut command = self.command(&args);
        command.stderr(log.try_clone().unwrap()).stdout(log);
        command.spawn().expect("restow cannot be run")
    }

    /// The last line that the background run said.
    pub fn last_said(&self) -> String {
        let text = fs::read_to_string(self.dir.join("background.log")).unwrap_or_default();
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// Ends a process as a crash does.
    pub fn crash(&self, mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Ends a process as Ctrl-C does.
    pub fn interrupt(&self, child: Child) -> Out {
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.wait(child)
    }

    /// Waits for a background run to end and gives what it said.
    pub fn wait(&self, mut child: Child) -> Out {
        let code = child.wait().unwrap().code().unwrap_or(-1);
        let text = fs::read_to_string(self.dir.join("background.log")).unwrap_or_default();
        assert!(!text.contains("panicked at"), "{text}");
        Out { code, text }
    }

    /// Waits until the background run said this.
    #[track_caller]
    pub fn wait_for(&self, what: &str) {
        let log = self.dir.join("background.log");
        let said = || fs::read_to_string(&log).unwrap_or_default();
        assert!(
            wait_until(Duration::from_secs(90), || said().contains(what)),
            "{what:?} was not said:\n{}",
            said()
        );
    }

    /// Ordered lists, by Kafka's own client.
    pub fn lists(&self) -> BTreeMap<(String, i32), Vec<i32>> {
        self.partitions(|p| p.replicas)
    }

    /// Leaders.
    pub fn leaders(&self) -> BTreeMap<(String, i32), Option<i32>> {
        self.partitions(|p| p.leader)
    }

    fn partitions<T>(&self, what: impl Fn(Partition) -> T) -> BTreeMap<(String, i32), T> {
        let topics = self.kafka.admin().topics().unwrap();
        let all = topics.into_iter().flat_map(|(name, topic)| {
            (0..).zip(topic.partitions).map(move |(number, p)| ((name.clone(), number), p))
        });
        all.map(|(at, p)| (at, what(p))).collect()
    }

    /// Whether every partition has a leader, and every replica that is not being added is in the ISR.
    pub fn is_healthy(&self) -> bool {
        let admin = self.kafka.admin();
        let (Ok(topics), Ok(flying)) = (admin.topics(), admin.reassignments()) else { return false };
        topics.iter().all(|(name, topic)| {
            (0..).zip(&topic.partitions).all(|(number, p)| {
                let adding = flying.get(&(name.clone(), number)).map_or(&[][..], |r| &r.adding);
                let is_there = |id: &i32| p.isr.contains(id) || adding.contains(id);
                p.leader.is_some() && p.replicas.iter().all(is_there)
            })
        })
    }

    /// Ordered lists, leaders and every dynamic config. All brokers must be up.
    pub fn state(&self) -> State {
        let admin = self.kafka.admin();
        let brokers: Vec<i32> = admin.cluster().unwrap().brokers.into_keys().collect();
        State {
            lists: self.lists(),
            leaders: self.leaders(),
            topic_configs: admin.topic_configs().unwrap(),
            broker_configs: admin.broker_configs(&brokers).unwrap(),
        }
    }

    /// Elects every preferred leader, so that a test begins with none elsewhere.
    pub fn settle(&self) {
        self.kafka.admin().elect(None).unwrap();
        // A topic that was just made is not known to every broker yet.
        let settled = || {
            self.kafka.admin().topics().is_ok_and(|topics| {
                let mut all = topics.values().flat_map(|topic| &topic.partitions);
                all.all(|p| p.leader == p.replicas.first().copied())
            })
        };
        assert!(wait_until(Duration::from_secs(30), settled), "leaders do not settle");
    }

    /// Panics unless lists, leaders and configs are as they were.
    #[track_caller]
    pub fn is_as(&self, before: &State) {
        let now = self.state();
        assert_eq!(now.lists, before.lists, "replica lists, order included");
        assert_eq!(now.leaders, before.leaders, "leaders");
        self.configs_are_as(before);
    }

    /// Panics unless every config is as it was.
    #[track_caller]
    pub fn configs_are_as(&self, before: &State) {
        let now = self.state();
        assert_eq!(now.topic_configs, before.topic_configs, "topic configs");
        assert_eq!(now.broker_configs, before.broker_configs, "broker configs");
    }

    /// Panics unless every partition but those of `left` is on these brokers, led by its first replica.
    #[track_caller]
    pub fn is_on(&self, brokers: &[i32], left: &[&str]) {
        let state = self.state();
        for ((topic, partition), list) in &state.lists {
            if left.contains(&topic.as_str()) {
                continue;
            }
            assert_eq!(list.len(), 2, "{topic}-{partition}: {list:?}");
            assert!(list.iter().all(|id| brokers.contains(id)), "{topic}-{partition}: {list:?}");
            let leader = state.leaders[&(topic.clone(), *partition)];
            assert_eq!(leader, Some(list[0]), "leader of {topic}-{partition} {list:?}");
        }
    }
}

/// The files of a directory whose names contain this, in order.
pub fn files(dir: &Path, what: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(what)))
        .collect();
    found.sort();
    found
}
