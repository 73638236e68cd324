//! Everything that is true at one moment, and how it goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use restow_planner::model::BrokerId;

use crate::controller::{
    Broker, ConfigChange, Configs, InFlight, Life, Partition, Request, Resource, Response, State, Topic,
    apply,
};
use crate::faults::Faults;
use crate::replicate::{Hardware, Key, Logs};
use crate::rules::{Rules, UnknownVersion};
use crate::seed::Dice;
use crate::setup::{Setup, nth};

/// The longest span that is computed at once.
pub(crate) const TICK: Duration = Duration::from_millis(100);

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
    /// How often each broker's process was started.
    pub(crate) starts: BTreeMap<BrokerId, u64>,
    pub(crate) dice: Dice,
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
        let mut statics = BTreeMap::new();
        for broker in &setup.brokers {
            let id = BrokerId(broker.id);
            let host = format!("broker-{id}.sim");
            let (rack, configs) = (broker.rack.clone(), Configs::new());
            let (port, life) = (9092, Life::Up);
            let there = Broker { rack, host, port, fenced: false, shutting_down: false, life, configs };
            state.brokers.insert(id, there);
            let hardware = Hardware { line_speed: broker.line_speed, dirs: broker.dirs.clone() };
            logs.hardware.insert(id, hardware);
            statics.insert(id, broker.configs.clone());
        }
        for topic in &setup.topics {
            let id = state.next_topic_id();
            let mut partitions = Vec::with_capacity(topic.replicas.len());
            for (n, list) in topic.replicas.iter().enumerate() {
                let list: Vec<BrokerId> = list.iter().copied().map(BrokerId).collect();
                for broker in &list {
                    logs.place((id, n as i32), *broker, nth(&topic.bytes, n));
                }
                logs.set_ingest((id, n as i32), nth(&topic.ingest, n));
                partitions.push(Partition::settled(list));
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
            dice: Dice::new(setup.seed),
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
        let reads = matches!(request, Request::List { .. });
        let response = apply(&mut self.state, request);
        if !reads {
            self.publish();
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
        let response = apply(&mut read, Request::AlterConfigs { items, validate_only });
        if let Response::Resources(outcomes) = &response
            && !validate_only
        {
            for (resource, _) in outcomes.iter().filter(|(_, outcome)| outcome.is_ok()) {
                self.state.take_configs(resource, &read);
            }
            self.publish();
        }
        response
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
        if view.due.is_some_and(|due| due <= clock) {
            *view = View { seen: current, due: None };
        }
        view.seen.clone()
    }

    /// Computes what happens up to `clock`.
    pub(crate) fn advance(&mut self, clock: Duration) {
        while self.now < clock {
            let dt = (clock - self.now).min(TICK);
            self.now += dt;
            self.sessions();
            self.fill_vacancy();
            self.replicate(dt);
            self.rebalance();
        }
    }

    fn replicate(&mut self, dt: Duration) {
        let joins = self.logs.tick(&self.state, self.now, dt);
        if !self.controller_lost {
            for join in joins {
                self.ask(join);
            }
        }
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
            match life {
                Life::Up => {
                    *heard = self.now;
                    if fenced {
                        self.ask(Request::Unfence { broker });
                    }
                }
                // A new process registers when the session of the old one has ended.
                Life::Starting if fenced => {
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
