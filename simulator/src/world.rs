//! Everything that is true at one moment, and how it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicPartition};

use crate::controller::{
    Broker, ConfigChange, Configs, InFlight, Life, Partition, Request, Resource, Response, State, Topic,
    apply,
};
use crate::faults::Faults;
use crate::replicate::{Fetching, Hardware, Key, Logs};
use crate::rules::{Rules, UnknownVersion};
use crate::seed::Dice;
use crate::setup::{Setup, nth};
use crate::trace::{self, By, Happened, What};

const REBALANCE: Duration = Duration::from_secs(300);
const REBALANCE_MOST: usize = 1_000;
const STOPPING: Duration = Duration::from_millis(500);
/// How long a ZooKeeper cluster has no controller after it lost one.
const VACANCY: Duration = Duration::from_secs(4);

/// What one broker has seen of the metadata.
#[derive(Debug, Clone)]
struct View {
    seen: Arc<State>,
    /// When it sees what is true by then; `None` if it has seen all.
    due: Option<Duration>,
}

/// A simulated cluster, without sockets or clocks.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cluster_id: String,
    pub(crate) state: State,
    pub(crate) logs: Logs,
    pub(crate) statics: BTreeMap<BrokerId, Configs>,
    pub(crate) faults: Faults,
    pub(crate) controller_lost: bool,
    /// With ZooKeeper: until when there is no controller, and who was it.
    vacant: Option<(Duration, Option<BrokerId>)>,
    pub(crate) latency: Duration,
    /// The longest span that is computed at once.
    pub(crate) tick: Duration,
    /// How often each broker's process was started.
    pub(crate) starts: BTreeMap<BrokerId, u64>,
    pub(crate) dice: Dice,
    /// Who asks the controller at this moment.
    pub(crate) by: By,
    /// Brokers that do not reach the controller.
    pub(crate) cut_off: BTreeSet<BrokerId>,
    /// What happened since it was last taken, if anybody wants to know.
    trace: Option<Vec<Happened>>,
    now: Duration,
    clock: Duration,
    session_timeout: Duration,
    metadata_lag: Duration,
    heard: BTreeMap<BrokerId, Duration>,
    stopping: BTreeMap<BrokerId, Duration>,
    rebalance: Option<Duration>,
    views: BTreeMap<BrokerId, View>,
    current: Option<Arc<State>>,
}

impl World {
    pub(crate) fn new(setup: &Setup) -> Result<World, UnknownVersion> {
        let mut state = State::new(Rules::of(&setup.version)?);
        state.cluster_configs.extend(setup.cluster_configs.clone());
        let mut logs = Logs::default();
        logs.rtt.clone_from(&setup.rtt);
        let mut statics = BTreeMap::new();
        for broker in &setup.brokers {
            let id = BrokerId(broker.id);
            let host = format!("broker-{id}.sim");
            let (rack, configs) = (broker.rack.clone(), Configs::new());
            let (port, life) = (9092, Life::Up);
            let there = Broker { rack, host, port, fenced: false, shutting_down: false, life, configs };
            state.brokers.insert(id, there);
            let (line_speed, disk_speed) = (broker.line_speed, broker.disk_speed);
            let (dirs, fetching) = (broker.dirs.clone(), Fetching::of(&broker.configs));
            logs.hardware.insert(id, Hardware { line_speed, disk_speed, fetching, dirs });
            statics.insert(id, broker.configs.clone());
        }
        for topic in &setup.topics {
            let made = state.next_topic_id();
            let id = topic.id.unwrap_or(made);
            let mut partitions = Vec::with_capacity(topic.replicas.len());
            for (n, list) in topic.replicas.iter().enumerate() {
                let list: Vec<BrokerId> = list.iter().copied().map(BrokerId).collect();
                for (position, broker) in list.iter().enumerate() {
                    let dir = topic.dirs.get(n).and_then(|dirs| dirs.get(position)).copied();
                    logs.place((id, n as i32), *broker, nth(&topic.bytes, n), dir);
                }
                logs.set_ingest((id, n as i32), nth(&topic.ingest, n));
                let leader = topic.leaders.get(n).copied().flatten().map(BrokerId);
                let settled = Partition::settled(list);
                partitions.push(Partition { leader: leader.or(settled.leader), ..settled });
            }
            let (internal, configs) = (topic.internal, topic.configs.clone());
            state.topics.insert(topic.name.clone(), Topic { id, internal, configs, partitions });
        }
        state.find_controller();
        let seen = Arc::new(state.clone());
        let views = state.brokers.keys().map(|id| (*id, View { seen: seen.clone(), due: None })).collect();
        Ok(World {
            cluster_id: setup.cluster_id.clone(),
            starts: state.brokers.keys().map(|id| (*id, 1)).collect(),
            heard: state.brokers.keys().map(|id| (*id, Duration::ZERO)).collect(),
            state,
            logs,
            statics,
            faults: Faults::default(),
            controller_lost: false,
            vacant: None,
            latency: setup.latency.max(Duration::from_millis(1)),
            tick: setup.tick.clamp(Duration::from_millis(1), Duration::from_secs(1)),
            dice: Dice::new(setup.seed),
            by: By::Cluster,
            cut_off: BTreeSet::new(),
            trace: None,
            now: Duration::ZERO,
            clock: Duration::ZERO,
            session_timeout: setup.session_timeout,
            metadata_lag: setup.metadata_lag,
            stopping: BTreeMap::new(),
            rebalance: setup.auto_leader_rebalance.then_some(REBALANCE),
            views,
            current: Some(seen),
        })
    }

    /// Whether what this broker forwards reaches the controller.
    pub(crate) fn reaches_controller(&self, broker: BrokerId) -> bool {
        !self.controller_lost && !self.cut_off.contains(&broker)
    }

    /// The time up to which everything is computed.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// It is this late: what follows happens now.
    pub(crate) fn at(&mut self, clock: Duration) {
        self.clock = clock;
    }

    /// Asks the controller, whether or not it can be reached.
    pub(crate) fn ask(&mut self, request: Request) -> Response {
        if matches!(request, Request::List { .. }) {
            return apply(&mut self.state, request);
        }
        let traced = self.trace.is_some().then(|| (self.state.clone(), request.clone()));
        let response = apply(&mut self.state, request);
        self.publish();
        if let Some((before, request)) = traced {
            self.note_change(&before, request, response.clone());
        }
        response
    }

    /// Changes configs as a broker does that has read them before: what others changed in between is lost.
    pub(crate) fn change_configs_as_read(
        &mut self,
        mut read: State,
        items: Vec<(Resource, Vec<ConfigChange>)>,
        validate_only: bool,
    ) -> Response {
        let request = Request::AlterConfigs { items, validate_only };
        let before = self.trace.is_some().then(|| self.state.clone());
        let response = apply(&mut read, request.clone());
        if let Response::Resources(outcomes) = &response
            && !validate_only
        {
            for (resource, _) in outcomes.iter().filter(|(_, outcome)| outcome.is_ok()) {
                self.state.take_configs(resource, &read);
            }
            self.publish();
        }
        if let Some(before) = before {
            self.note_change(&before, request, response.clone());
        }
        response
    }

    fn note_change(&mut self, before: &State, request: Request, response: Response) {
        let partitions = trace::partitions(before, &self.state);
        let configs = trace::configs(before, &self.state);
        let by = self.by.clone();
        self.note(What::Asked { by, request, response, partitions, configs });
    }

    /// Remembers what happened, if anybody wants to know.
    pub(crate) fn note(&mut self, what: What) {
        let at = self.clock.max(self.now);
        if let Some(trace) = &mut self.trace {
            trace.push(Happened { at, what });
        }
    }

    /// What happened since this was last asked for. It is remembered from the first time on.
    pub(crate) fn take_trace(&mut self) -> Vec<Happened> {
        self.trace.replace(Vec::new()).unwrap_or_default()
    }

    /// Brokers will see the state as it is now, each after a lag of its own.
    pub(crate) fn publish(&mut self) {
        self.current = None;
        let lag = u64::try_from(self.metadata_lag.as_micros()).unwrap_or(u64::MAX);
        for view in self.views.values_mut() {
            let due =
                self.clock.max(self.now) + Duration::from_micros(self.dice.below(lag.saturating_add(1)));
            view.due = Some(view.due.map_or(due, |earlier| earlier.min(due)));
        }
    }

    /// The metadata that a broker has seen by `clock`.
    pub(crate) fn view(&mut self, broker: BrokerId, clock: Duration) -> Arc<State> {
        let state = &self.state;
        let current = self.current.get_or_insert_with(|| Arc::new(state.clone())).clone();
        let view = self.views.entry(broker).or_insert_with(|| View { seen: current.clone(), due: None });
        if view.due.is_some_and(|due| due <= clock) && !self.cut_off.contains(&broker) {
            *view = View { seen: current, due: None };
        }
        view.seen.clone()
    }

    /// Computes what happens up to `clock`.
    pub(crate) fn advance(&mut self, clock: Duration) {
        while self.now < clock {
            let dt = (clock - self.now).min(self.tick);
            self.now += dt;
            self.sessions();
            self.fill_vacancy();
            self.replicate(dt);
            self.rebalance();
        }
    }

    fn replicate(&mut self, dt: Duration) {
        let reports = self.logs.tick(&self.state, &self.statics, self.now, dt);
        for (broker, dir, keys) in self.logs.overfull(self.now) {
            self.dir_failed(broker, dir, &keys);
        }
        if self.controller_lost {
            return;
        }
        for report in reports {
            // Leaders report, to the controller.
            let leader = match &report {
                Request::Join { partition, .. } | Request::Leave { partition, .. } => {
                    self.state.partition(&partition.topic, partition.partition).and_then(|p| p.leader)
                }
                _ => None,
            };
            if leader.is_none_or(|leader| !self.cut_off.contains(&leader)) {
                self.ask(report);
            }
        }
    }

    /// A log directory is full: its replicas are offline, and a broker without a sound one ends.
    fn dir_failed(&mut self, broker: BrokerId, dir: usize, keys: &[Key]) {
        let dirs = self.logs.hardware.get(&broker).map_or(0, |h| h.dirs.len());
        tracing::info!(%broker, dir, "a simulated log directory is full");
        if (0..dirs).all(|dir| self.logs.has_failed(broker, dir)) {
            self.set_life(broker, Life::Dead);
            return;
        }
        let partition = |key: &Key| Some(TopicPartition::new(self.state.topic_name(key.0)?, key.1));
        let partitions = keys.iter().filter_map(partition).collect();
        self.ask(Request::LogDirFailed { broker, partitions });
    }

    /// Heartbeats: who falls silent is fenced, who is back is not.
    fn sessions(&mut self) {
        let due: Vec<BrokerId> =
            self.stopping.iter().filter(|(_, at)| **at <= self.now).map(|(id, _)| *id).collect();
        for broker in due {
            self.stopping.remove(&broker);
            self.set_life(broker, Life::Dead);
            self.ask(Request::Fence { broker });
        }
        if self.controller_lost {
            return;
        }
        let brokers: Vec<(BrokerId, Life, bool)> =
            self.state.brokers.iter().map(|(id, b)| (*id, b.life, b.fenced)).collect();
        for (broker, life, fenced) in brokers {
            let heard = self.heard.entry(broker).or_insert(self.now);
            let reaches = !self.cut_off.contains(&broker);
            match life {
                Life::Up if reaches => {
                    *heard = self.now;
                    if fenced {
                        self.ask(Request::Unfence { broker });
                    }
                }
                // A new process registers when the session of the old one has ended.
                Life::Starting if fenced && reaches => {
                    *heard = self.now;
                    self.set_life(broker, Life::Up);
                    self.ask(Request::Unfence { broker });
                }
                _ if !fenced && self.now - *heard >= self.session_timeout => {
                    self.ask(Request::Fence { broker });
                }
                _ => {}
            }
        }
    }

    fn rebalance(&mut self) {
        let Some(at) = self.rebalance.filter(|at| *at <= self.now && !self.controller_lost) else { return };
        self.rebalance = Some(at + REBALANCE);
        let led_by_another = |p: &Partition| {
            p.leader != p.replicas.first().copied() && p.replicas.first().is_some_and(|r| p.isr.contains(r))
        };
        let wanted: Vec<_> = self
            .state
            .partitions()
            .filter(|(_, p)| led_by_another(p))
            .map(|(at, _)| at)
            .take(REBALANCE_MOST)
            .collect();
        if !wanted.is_empty() {
            self.ask(Request::Elect { unclean: false, only: Some(wanted) });
        }
    }

    /// Changes what a broker's process does; answers whether there is such a broker.
    pub(crate) fn set_life(&mut self, broker: BrokerId, life: Life) -> bool {
        let Some(known) = self.state.brokers.get_mut(&broker) else { return false };
        if life == Life::Starting {
            *self.starts.entry(broker).or_default() += 1;
        }
        known.life = life;
        self.note(What::Life { broker, life });
        true
    }

    /// Begins a controlled shutdown; the process ends half a second later.
    pub(crate) fn stop(&mut self, broker: BrokerId) {
        self.ask(Request::Shutdown { broker });
        self.stopping.insert(broker, self.now + STOPPING);
    }

    /// The controller is lost. With ZooKeeper, broker by broker says so, and then another broker is it.
    pub(crate) fn lose_controller(&mut self) {
        if self.state.rules.forwards {
            self.controller_lost = true;
        } else {
            self.vacant = Some((self.now + VACANCY, self.state.controller.take()));
            self.publish();
        }
    }

    /// The next controller, when its time has come.
    fn fill_vacancy(&mut self) {
        let Some((_, last)) = self.vacant.filter(|(at, _)| *at <= self.now) else { return };
        self.vacant = None;
        let next =
            self.state.brokers.keys().copied().find(|id| Some(*id) != last && self.state.is_active(*id));
        self.state.controller = next.or(last);
        self.publish();
    }

    /// The controller answers again; sessions start anew.
    pub(crate) fn restore_controller(&mut self) {
        self.controller_lost = false;
        for heard in self.heard.values_mut() {
            *heard = self.now;
        }
    }

    /// What is in flight.
    pub(crate) fn in_flight(&mut self) -> Vec<InFlight> {
        match self.ask(Request::List { only: None }) {
            Response::InFlight(list) => list,
            _ => Vec::new(),
        }
    }

    /// The identity of a partition's logs.
    pub(crate) fn key(&self, topic: &str, partition: i32) -> Option<Key> {
        self.state.partition(topic, partition)?;
        Some((self.state.topics.get(topic)?.id, partition))
    }
}
