//! The handle that tests and the demo hold.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use restow_planner::model::BrokerId;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::controller::{InFlight, Life, State};
use crate::replicate::{RECORD_BYTES, is_up};
use crate::rules::UnknownVersion;
use crate::serve;
use crate::setup::Setup;
use crate::trace::Happened;
use crate::world::World;

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

    pub(crate) fn lives_changed(&self) {
        self.lives.send_modify(|n| *n += 1);
    }
}

/// A simulated cluster. Clones are handles to the same cluster; it ends when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Simulator {
    pub(crate) shared: Arc<Shared>,
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
        let mut whole = self.whole_copies(topic, partition);
        let world = self.shared.world();
        whole.retain(|r| is_up(&world.state, *r));
        whole
    }

    /// The replicas that really hold everything that was committed, wherever their brokers are.
    pub fn whole_copies(&self, topic: &str, partition: i32) -> BTreeSet<BrokerId> {
        let world = self.shared.world();
        let Some((at, key)) = world.state.partition(topic, partition).zip(world.key(topic, partition)) else {
            return BTreeSet::new();
        };
        let Some(watermark) = world.logs.log(key).map(|log| log.high_watermark) else {
            return BTreeSet::new();
        };
        let whole = |r: &BrokerId| world.logs.sound_copy(key, *r).is_some_and(|copy| copy.end >= watermark);
        at.replicas.iter().copied().filter(whole).collect()
    }

    /// Bytes of a partition that its leader holds, or the largest copy of its ISR where it has no leader.
    pub fn bytes(&self, topic: &str, partition: i32) -> Option<u64> {
        let world = self.shared.world();
        let at = world.state.partition(topic, partition)?;
        let log = world.logs.log(world.key(topic, partition)?)?;
        let holders = at.leader.map_or(at.isr.clone(), |leader| vec![leader]);
        holders.iter().filter_map(|id| log.copies.get(id)).map(|copy| copy.bytes()).max()
    }

    /// Bytes that are used in each log directory of a broker, deleted replicas included for a minute.
    pub fn disk_used(&self, broker: i32) -> Vec<u64> {
        self.shared.world().logs.used(BrokerId(broker))
    }

    /// The most bytes that were used in each log directory of a broker so far, looked at once a second.
    pub fn disk_peak(&self, broker: i32) -> Vec<u64> {
        self.shared.world().logs.peak(BrokerId(broker))
    }

    /// What happened since this was last called. Nothing is remembered before the first call.
    pub fn take_trace(&self) -> Vec<Happened> {
        self.shared.world().take_trace()
    }

    /// The time since the start, to the moment.
    pub fn clock(&self) -> Duration {
        self.shared.clock()
    }

    /// The reassignments that are in flight.
    pub fn in_flight(&self) -> Vec<InFlight> {
        self.shared.world().in_flight()
    }
}

/// Lets time pass while there is a handle.
async fn tick(shared: Weak<Shared>) {
    let Some(span) = shared.upgrade().map(|shared| shared.world().tick) else { return };
    let mut ticks = tokio::time::interval(span);
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
