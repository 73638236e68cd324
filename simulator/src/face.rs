//! The handle that tests and the demo hold.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use restow_planner::model::{BrokerId, TopicId, TopicPartition};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::code::Refusal;
use crate::controller::{
    ConfigChange, Configs, InFlight, Life, NewPartitions, NewTopic, Outcome, Placement, Request, Resource,
    Response, State,
};
use crate::faults::{Fault, Filter};
use crate::replicate::{RECORD_BYTES, is_up};
use crate::rules::UnknownVersion;
use crate::serve;
use crate::setup::Setup;
use crate::world::{TICK, World};

const PIPE: usize = 256 * 1024;

/// What connections and the clock share with the handle.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Changes whenever a broker's life or the controller's does.
    pub(crate) lives: watch::Sender<u64>,
    started: Instant,
}

impl Shared {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Virtual time since the cluster was made.
    pub(crate) fn clock(&self) -> Duration {
        self.started.elapsed()
    }

    fn lives_changed(&self) {
        self.lives.send_modify(|n| *n += 1);
    }
}

/// A simulated cluster. Clones are handles to the same cluster; it ends when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

impl Simulator {
    /// Starts a cluster. Must be called within a tokio runtime, whose time is the cluster's.
    ///
    /// # Errors
    /// If there are no rules for the setup's version.
    pub fn new(setup: &Setup) -> Result<Simulator, UnknownVersion> {
        let world = Mutex::new(World::new(setup)?);
        let shared = Arc::new(Shared { world, lives: watch::Sender::new(0), started: Instant::now() });
        tokio::spawn(tick(Arc::downgrade(&shared)));
        Ok(Simulator { shared })
    }

    /// Addresses of all brokers, as `bootstrap.servers` has them.
    pub fn bootstrap(&self) -> String {
        let world = self.shared.world();
        let addresses: Vec<String> =
            world.state.brokers.values().map(|b| format!("{}:{}", b.host, b.port)).collect();
        addresses.join(",")
    }

    /// Connects to a broker by the address that it advertises.
    ///
    /// # Errors
    /// `ConnectionRefused` if the broker does not run, `NotFound` if no broker has this address.
    pub fn connect(&self, address: &str) -> io::Result<DuplexStream> {
        let (id, life) = {
            let world = self.shared.world();
            let found = world.state.brokers.iter().find(|(_, b)| format!("{}:{}", b.host, b.port) == address);
            let Some((id, broker)) = found else {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("no broker at {address}")));
            };
            (*id, broker.life)
        };
        if matches!(life, Life::Dead | Life::Starting) {
            let text = format!("broker {id} does not run");
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, text));
        }
        let (near, far) = tokio::io::duplex(PIPE);
        tokio::spawn(serve::connection(far, id, Arc::downgrade(&self.shared)));
        Ok(near)
    }

    /// Serves a broker on a TCP listener, and advertises its address from now on.
    ///
    /// # Errors
    /// If the listener has no address.
    pub fn serve_tcp(&self, broker: i32, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        {
            let mut world = self.shared.world();
            if let Some(known) = world.state.brokers.get_mut(&BrokerId(broker)) {
                known.host = address.ip().to_string();
                known.port = i32::from(address.port());
            }
            world.publish();
        }
        tokio::spawn(serve::listen(listener, BrokerId(broker), Arc::downgrade(&self.shared)));
        Ok(())
    }

    /// Looks at the true state.
    pub fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.shared.world().state)
    }

    /// The virtual time up to which everything is computed, since the start.
    pub fn now(&self) -> Duration {
        self.shared.world().now()
    }

    /// The true log end offset of each replica of a partition that has a log.
    pub fn replica_offsets(&self, topic: &str, partition: i32) -> BTreeMap<BrokerId, i64> {
        let world = self.shared.world();
        let log = world.key(topic, partition).and_then(|key| world.logs.log(key));
        let offset = |bytes: u64| i64::try_from(bytes / RECORD_BYTES).unwrap_or(i64::MAX);
        log.map(|log| log.copies.iter().map(|(id, copy)| (*id, offset(copy.end))).collect())
            .unwrap_or_default()
    }

    /// The replicas that really hold everything that was committed, on brokers that really run.
    pub fn true_live_copies(&self, topic: &str, partition: i32) -> BTreeSet<BrokerId> {
        let world = self.shared.world();
        let Some((at, log)) = world
            .state
            .partition(topic, partition)
            .zip(world.key(topic, partition).and_then(|key| world.logs.log(key)))
        else {
            return BTreeSet::new();
        };
        let live = |r: &BrokerId| {
            is_up(&world.state, *r) && log.copies.get(r).is_some_and(|copy| copy.end >= log.high_watermark)
        };
        at.replicas.iter().copied().filter(live).collect()
    }

    /// Bytes that are used in each log directory of a broker, deleted replicas included for a minute.
    pub fn disk_used(&self, broker: i32) -> Vec<u64> {
        self.shared.world().logs.used(BrokerId(broker))
    }

    /// The reassignments that are in flight.
    pub fn in_flight(&self) -> Vec<InFlight> {
        self.shared.world().in_flight()
    }

    /// Strikes the next request that fits.
    pub fn fault(&self, filter: Filter, fault: Fault) {
        self.fault_next(filter, fault, 0, 1);
    }

    /// Strikes requests that fit: not the first `skip`, then the next `times`.
    pub fn fault_next(&self, filter: Filter, fault: Fault, skip: u64, times: u64) {
        self.shared.world().faults.install(filter, fault, skip, times);
    }

    /// Takes back all faults that have not struck yet.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    fn set_life(&self, broker: i32, life: Life) {
        self.shared.world().set_life(BrokerId(broker), life);
        self.shared.lives_changed();
    }

    /// Kills a broker: connections break, new ones are refused; the controller notices after the session
    /// timeout.
    pub fn kill(&self, broker: i32) {
        self.set_life(broker, Life::Dead);
    }

    /// Starts a killed broker. It serves when it is registered: not before the old session ended.
    pub fn restart(&self, broker: i32) {
        if self.with_state(|s| s.brokers.get(&BrokerId(broker)).is_some_and(|b| b.life == Life::Dead)) {
            self.set_life(broker, Life::Starting);
        }
    }

    /// Freezes a broker: it accepts connections and never answers.
    pub fn pause(&self, broker: i32) {
        self.set_life(broker, Life::Paused);
    }

    /// Thaws a paused broker.
    pub fn resume(&self, broker: i32) {
        if self.with_state(|s| s.brokers.get(&BrokerId(broker)).is_some_and(|b| b.life == Life::Paused)) {
            self.set_life(broker, Life::Up);
        }
    }

    /// Stops a broker in an orderly way: leaders move first, the process ends half a second later.
    pub fn stop(&self, broker: i32) {
        self.shared.world().stop(BrokerId(broker));
    }

    /// The controller is lost: forwarded requests hang, nobody is fenced, nobody joins, until it is restored. With
    /// ZooKeeper the brokers answer NOT_CONTROLLER, and after four seconds another one is the controller.
    pub fn lose_controller(&self) {
        self.shared.world().lose_controller();
        self.shared.lives_changed();
    }

    /// The controller is back, and applies what was forwarded in the last minute.
    pub fn restore_controller(&self) {
        self.shared.world().restore_controller();
        self.shared.lives_changed();
    }

    /// Asks the controller directly, as somebody else would.
    pub fn ask(&self, request: Request) -> Response {
        let clock = self.shared.clock();
        let mut world = self.shared.world();
        world.at(clock);
        world.ask(request)
    }

    /// Somebody else reassigns a partition; `None` cancels.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn alter(&self, topic: &str, partition: i32, target: Option<&[i32]>) -> Outcome {
        let target = target.map(|list| list.iter().copied().map(BrokerId).collect());
        let items = vec![(TopicPartition::new(topic, partition), target)];
        first_partition(self.ask(Request::Alter { items, allow_rf_change: true }))
    }

    /// Somebody else elects the preferred leader of a partition.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn elect(&self, topic: &str, partition: i32) -> Outcome {
        let only = Some(vec![TopicPartition::new(topic, partition)]);
        first_partition(self.ask(Request::Elect { unclean: false, only }))
    }

    /// Somebody else creates a topic with these replicas.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn create_topic(&self, name: &str, replicas: &[&[i32]]) -> Result<TopicId, Refusal> {
        let list = |list: &&[i32]| list.iter().copied().map(BrokerId).collect();
        let placement = Placement::Given(replicas.iter().map(list).collect());
        let items = vec![NewTopic { name: name.to_owned(), placement, configs: Configs::new() }];
        first_topic(self.ask(Request::CreateTopics { items, validate_only: false }))
    }

    /// Somebody else deletes a topic.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn delete_topic(&self, name: &str) -> Result<TopicId, Refusal> {
        first_topic(self.ask(Request::DeleteTopic { name: name.to_owned() }))
    }

    /// Somebody else deletes a topic and creates it again, with the same replicas and another id.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn recreate_topic(&self, name: &str) -> Result<TopicId, Refusal> {
        let before = self.with_state(|state| {
            state.topics.get(name).map(|topic| {
                let lists = topic.partitions.iter().map(|p| p.replicas.clone()).collect();
                (lists, topic.configs.clone())
            })
        });
        self.delete_topic(name)?;
        let (lists, configs) = before.unwrap_or_default();
        let items = vec![NewTopic { name: name.to_owned(), placement: Placement::Given(lists), configs }];
        first_topic(self.ask(Request::CreateTopics { items, validate_only: false }))
    }

    /// Somebody else adds partitions, up to `count` in all.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn add_partitions(&self, name: &str, count: i32) -> Result<TopicId, Refusal> {
        let items = vec![NewPartitions { topic: name.to_owned(), count, replicas: None }];
        first_topic(self.ask(Request::CreatePartitions { items, validate_only: false }))
    }

    /// Somebody else sets a config, or deletes it.
    ///
    /// # Errors
    /// What Kafka refuses.
    pub fn set_config(&self, resource: Resource, key: &str, value: Option<&str>) -> Outcome {
        let change = match value {
            Some(value) => ConfigChange::Set(key.to_owned(), value.to_owned()),
            None => ConfigChange::Delete(key.to_owned()),
        };
        match self.ask(Request::AlterConfigs { items: vec![(resource, vec![change])], validate_only: false })
        {
            Response::Resources(mut outcomes) => outcomes.remove(0).1,
            other => unreachable!("{other:?}"),
        }
    }

    /// Producers write this much a second into a partition from now on.
    pub fn set_ingest(&self, topic: &str, partition: i32, bytes_per_second: u64) {
        let mut world = self.shared.world();
        if let Some(key) = world.key(topic, partition) {
            world.logs.set_ingest(key, bytes_per_second);
        }
    }
}

fn first_partition(response: Response) -> Outcome {
    match response {
        Response::Partitions(mut outcomes) if !outcomes.is_empty() => outcomes.remove(0).1,
        other => unreachable!("{other:?}"),
    }
}

fn first_topic(response: Response) -> Result<TopicId, Refusal> {
    match response {
        Response::Topics(mut outcomes) if !outcomes.is_empty() => outcomes.remove(0).1,
        other => unreachable!("{other:?}"),
    }
}

/// Lets time pass while there is a handle.
async fn tick(shared: Weak<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let clock = shared.clock();
        let mut world = shared.world();
        let serving = |world: &World| -> Vec<Life> { world.state.brokers.values().map(|b| b.life).collect() };
        let before = serving(&world);
        world.advance(clock);
        let changed = serving(&world) != before;
        drop(world);
        if changed {
            shared.lives_changed();
        }
    }
}
