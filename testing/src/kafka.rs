//! A running cluster.

use crate::admin::Admin;
use crate::install::{Install, home};
use crate::layout::lay_out;
use crate::node::Node;
use crate::process::{say, wait_until};
use crate::secured::Security;
use crate::shell::Shell;
use crate::spec::{HOST, Mode, Place, Spec, ZOOKEEPER_SESSION, properties};
use crate::watchdog::Watchdog;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The node id of the KRaft controller, or of ZooKeeper: give it to [`Kafka::kill`] and its like.
pub const CONTROLLER: i32 = 100;

/// The cluster id of every cluster under test.
const CLUSTER_ID: &str = "cmVzdG93LXRlc3RpbmctMQ";
/// Whose admin client, stock tools and load are used on releases that are too old for our Java programs.
const TOOLS_FOR_OLD: &str = "3.9.2";
const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(60);

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A running cluster; it and everything that it wrote is gone when this is dropped.
///
/// All methods take `&self`, so that a test may share it between threads.
#[derive(Debug)]
pub struct Kafka {
    admin: Admin,
    install: Install,
    /// The jars of our Java programs and of the stock tools.
    tools: Install,
    spec: Mutex<Spec>,
    places: BTreeMap<i32, Place>,
    nodes: BTreeMap<i32, Mutex<Node>>,
    directory: PathBuf,
    watchdog: Watchdog,
    security: Option<Security>,
    start_up: Duration,
    _lock: File,
}

impl Kafka {
    /// Starts a cluster and waits until every broker serves. Waits for other clusters on this machine to end first.
    ///
    /// # Panics
    /// When the cluster cannot be started; with the end of the log of the node that failed.
    #[must_use]
    pub fn start(spec: Spec) -> Kafka {
        let mut install = Install::of(spec.release());
        let mut tools =
            if install.runs_our_programs() { install.clone() } else { Install::of(TOOLS_FOR_OLD) };
        let lock = the_only_cluster();
        let begin = Instant::now();
        let name = format!("restow-kafka-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        let (places, nodes) = lay_out(&spec, &directory);
        let watchdog = Watchdog::start(&directory);
        let security = (!spec.secured.is_empty())
            .then(|| Security::make(&spec.secured, &directory.join("security"), &tools));
        if let Some(security) = &security {
            install.flags = security.flags();
            tools.flags = security.flags();
        }
        let shell = Shell::start(&tools, &directory.join("admin.log"));
        watchdog.add(shell.pid());
        let admin = Admin::new(shell, &directory);
        let mut kafka = Kafka {
            admin,
            install,
            tools,
            spec: Mutex::new(spec),
            places,
            nodes,
            directory,
            watchdog,
            security,
            start_up: Duration::ZERO,
            _lock: lock,
        };
        kafka.bring_up();
        kafka.start_up = begin.elapsed();
        say(&format!("ready after {:.1} s", kafka.start_up.as_secs_f64()));
        kafka
    }

    fn bring_up(&self) {
        let ids: Vec<i32> = self.places.keys().copied().collect();
        let spec = self.lock_spec().clone();
        say(&format!(
            "Kafka {}: {} brokers in {}",
            spec.version,
            spec.brokers.len(),
            self.directory.display()
        ));
        ids.iter().for_each(|&id| self.write_config(id));
        if spec.mode() == Mode::KRaft {
            let configs: Vec<PathBuf> = ids.iter().map(|&id| self.node(id).config()).collect();
            let users = self.security.as_ref().map(Security::format).unwrap_or_default();
            self.admin.format(CLUSTER_ID, &configs, &[spec.format, users].concat());
        }
        say("starting all nodes");
        self.start_nodes(&ids);
        self.admin.connect(&self.bootstrap());
        let all = |cluster: crate::Cluster| spec.brokers.iter().all(|b| cluster.brokers.contains_key(&b.id));
        let ready = wait_until(START_LIMIT, || self.admin.cluster().is_ok_and(all));
        assert!(ready, "the metadata does not show all brokers after {START_LIMIT:?}");
    }

    /// How long the start took, without the wait for other clusters and for Maven.
    #[must_use]
    pub fn start_up(&self) -> Duration {
        self.start_up
    }

    /// The version that runs, as the spec names it.
    #[must_use]
    pub fn version(&self) -> String {
        self.lock_spec().version.clone()
    }

    /// The admin client: the tests' own view of this cluster.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// The addresses of all brokers whose processes run, with commas.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let address = |&id: &i32| self.address(id);
        self.running_brokers().iter().map(address).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn running_brokers(&self) -> Vec<i32> {
        let running = |id: &i32| *id != CONTROLLER && self.node(*id).is_running();
        self.nodes.keys().copied().filter(running).collect()
    }

    /// The PLAINTEXT address of a broker (of the controller: its CONTROLLER listener).
    #[must_use]
    pub fn address(&self, id: i32) -> String {
        format!("{HOST}:{}", self.place(id).port)
    }

    /// The address that `{host}:{extra}` stands for in the properties of this node.
    #[must_use]
    pub fn extra_address(&self, id: i32) -> String {
        format!("{HOST}:{}", self.place(id).extra)
    }

    /// A node's own directory: its two log directories are `a` and `b` in it.
    #[must_use]
    pub fn node_dir(&self, id: i32) -> PathBuf {
        PathBuf::from(&self.place(id).dir)
    }

    /// A directory that goes away with the cluster, for files of the test.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.directory.clone()
    }

    /// What a node has logged: warnings and worse, and its starts.
    #[must_use]
    pub fn log(&self, id: i32) -> PathBuf {
        self.node(id).log()
    }

    /// SIGKILL: the power is gone. The controller notices after three seconds (with ZooKeeper: six).
    pub fn kill(&self, id: i32) {
        say(&format!("kill {id}"));
        self.node(id).kill(&self.watchdog);
    }

    /// SIGTERM, and waits: a controlled shutdown. False if the node had to be killed after a minute.
    #[allow(clippy::must_use_candidate)]
    pub fn stop(&self, id: i32) -> bool {
        say(&format!("stop {id}"));
        self.node(id).stop(&self.watchdog, STOP_LIMIT)
    }

    /// Starts a node again with its data, and waits until it serves.
    pub fn start_broker(&self, id: i32) {
        self.start_brokers(&[id]);
    }

    /// Starts several nodes again, at once.
    pub fn start_brokers(&self, ids: &[i32]) {
        if self.lock_spec().mode() == Mode::ZooKeeper {
            // A broker ends at its start while ZooKeeper still holds the registration of its last life.
            ids.iter().for_each(|&id| self.node(id).rest(ZOOKEEPER_SESSION + Duration::from_secs(1)));
        }
        ids.iter().for_each(|&id| self.write_config(id));
        self.start_nodes(ids);
    }

    /// SIGSTOP: the node keeps its connections and answers nothing.
    pub fn pause(&self, id: i32) {
        say(&format!("pause {id}"));
        self.node(id).pause();
    }

    /// SIGCONT.
    pub fn resume(&self, id: i32) {
        say(&format!("resume {id}"));
        self.node(id).resume();
    }

    /// Whether a node's process was started and neither killed nor stopped since.
    #[must_use]
    pub fn is_running(&self, id: i32) -> bool {
        self.node(id).is_running()
    }

    /// Adds properties to a node; they hold from its next start.
    pub fn set_properties(&self, id: i32, more: &[(&str, &str)]) {
        let more = more.iter().map(|&(key, value)| (key.to_owned(), value.to_owned()));
        let mut spec = self.lock_spec();
        if id == CONTROLLER {
            spec.controller_properties.extend(more);
        } else {
            let broker = spec.brokers.iter_mut().find(|broker| broker.id == id);
            broker.unwrap_or_else(|| panic!("there is no broker {id}")).properties.extend(more);
        }
    }

    pub(crate) fn tools(&self) -> &Install {
        &self.tools
    }

    pub(crate) fn watchdog(&self) -> &Watchdog {
        &self.watchdog
    }

    pub(crate) fn secured(&self) -> Option<&Security> {
        self.security.as_ref()
    }

    fn start_nodes(&self, ids: &[i32]) {
        let begin = Instant::now();
        ids.iter().for_each(|&id| self.node(id).start(&self.install, &self.watchdog));
        let mut waiting = ids.to_vec();
        let started = wait_until(START_LIMIT, || {
            waiting.retain(|&id| {
                let started = self.node(id).is_started();
                if started {
                    say(&format!(
                        "{} is up after {:.1} s",
                        self.node(id).name,
                        begin.elapsed().as_secs_f64()
                    ));
                }
                !started
            });
            waiting.is_empty()
        });
        if !started {
            let tails: Vec<String> = waiting.iter().map(|&id| self.node(id).tail()).collect();
            panic!("not started after {START_LIMIT:?}: {waiting:?}\n{}", tails.join("\n"));
        }
    }

    fn write_config(&self, id: i32) {
        let spec = self.lock_spec();
        let (place, controller) = (self.place(id), self.place(CONTROLLER));
        let mode = spec.mode();
        let text = if id == CONTROLLER {
            properties(mode, place, controller, None, &[&spec.controller_properties])
        } else {
            let broker = spec.brokers.iter().find(|broker| broker.id == id);
            let broker = broker.unwrap_or_else(|| panic!("there is no broker {id}"));
            let secured = self.security.as_ref().map(|security| security.broker_properties(place));
            let lists = [&secured.unwrap_or_default(), &spec.properties, &broker.properties];
            properties(mode, place, controller, broker.rack.as_deref(), &lists.map(Vec::as_slice))
        };
        fs::write(self.node(id).config(), text).expect("server.properties cannot be written");
    }

    pub(crate) fn place(&self, id: i32) -> &Place {
        self.places.get(&id).unwrap_or_else(|| panic!("there is no node {id}"))
    }

    fn node(&self, id: i32) -> MutexGuard<'_, Node> {
        let node = self.nodes.get(&id).unwrap_or_else(|| panic!("there is no node {id}"));
        node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_spec(&self) -> MutexGuard<'_, Spec> {
        self.spec.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the nodes logged where it outlives the cluster.
    fn keep_logs(&self) {
        let kept = home().join("failed").join(self.directory.file_name().unwrap_or_default());
        let _ = fs::create_dir_all(&kept);
        for &id in self.nodes.keys() {
            let node = self.node(id);
            for (path, name) in
                [(node.log(), "kafka.log"), (node.output(), "jvm.log"), (node.config(), "properties")]
            {
                let _ = fs::copy(path, kept.join(format!("{id}-{name}")));
            }
        }
        let _ = fs::copy(self.directory.join("admin.log"), kept.join("admin.log"));
        say(&format!("the test failed: the logs of its cluster are kept in {}", kept.display()));
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        for &id in self.nodes.keys() {
            let mut node = self.node(id);
            if node.is_running() {
                node.kill(&self.watchdog);
            }
        }
        self.watchdog.remove(self.admin.pid()); // it ends with the field `admin`
        if std::thread::panicking() {
            self.keep_logs();
        }
        if std::env::var_os("RESTOW_KAFKA_KEEP").is_some() {
            self.watchdog.keep_directory();
            say(&format!("RESTOW_KAFKA_KEEP is set: {} stays", self.directory.display()));
        }
    }
}

/// Waits until no other cluster runs on this machine (of this checkout), and holds that.
fn the_only_cluster() -> File {
    let path = home().join("lock");
    let lock =
        File::options().create(true).append(true).open(&path).expect("the cluster lock cannot be made");
    if lock.try_lock().is_err() {
        say("waiting for another test's cluster to end");
        lock.lock().expect("the cluster lock cannot be taken");
    }
    lock
}
