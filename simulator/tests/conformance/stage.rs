//! Where scenarios are played: six brokers in two racks, simulated or real.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use restow_simulator::{BrokerSetup, Setup, Simulator, TopicSetup};
use restow_testing::{CONTROLLER, Kafka, Spec};
use tokio::net::TcpStream;

use crate::client::Stream;

/// The brokers and their racks, everywhere.
pub const BROKERS: [(i32, &str); 6] =
    [(1, "az-a"), (2, "az-a"), (3, "az-b"), (4, "az-a"), (5, "az-a"), (6, "az-b")];

/// So much that a throttle of one byte a second holds it for minutes. Real brokers fetch one record of 1 KB at a
/// time here (`replica.fetch.max.bytes`) and then wait until the quota's eleven seconds have forgotten it.
const HELD_RECORDS: u64 = 100;

enum Kind {
    Simulated(Simulator),
    Real(Box<Kafka>),
}

/// A cluster that is played on.
#[derive(Clone)]
pub struct Stage {
    kind: Rc<Kind>,
    /// The brokers that run and answer.
    serving: Rc<RefCell<BTreeSet<i32>>>,
    zookeeper: bool,
}

/// How patient a step is.
pub struct Patience {
    /// How long nothing may change for a view to be steady.
    pub steady: Duration,
    /// The same, until nothing more is expected.
    pub long: Duration,
    /// How long a step waits for what it awaits.
    pub limit: Duration,
}

impl Stage {
    /// A fresh simulated cluster of this version.
    pub fn simulated(version: &str) -> Stage {
        let broker = |(id, rack): (i32, &str)| BrokerSetup {
            line_speed: 1_000_000_000,
            dirs: vec![10_000_000_000_000; 2],
            ..BrokerSetup::new(id, rack)
        };
        let setup = Setup {
            version: version.to_owned(),
            brokers: BROKERS.map(broker).to_vec(),
            topics: Vec::<TopicSetup>::new(),
            session_timeout: Duration::from_secs(if version.ends_with("-zk") { 6 } else { 3 }),
            auto_leader_rebalance: false,
            ..Setup::default()
        };
        let simulator = Simulator::new(&setup).unwrap_or_else(|error| panic!("{error}"));
        Stage::of(Kind::Simulated(simulator), version)
    }

    /// A real cluster of this version.
    pub fn real(version: &str) -> Stage {
        let spec = Spec::with_brokers(version, &BROKERS)
            .property("replica.fetch.max.bytes", "1024")
            // A follower leaves the ISR when its broker is fenced, not when a throttle holds it.
            .property("replica.lag.time.max.ms", "30000");
        Stage::of(Kind::Real(Box::new(Kafka::start(spec))), version)
    }

    fn of(kind: Kind, version: &str) -> Stage {
        let serving = BROKERS.iter().map(|(id, _)| *id).collect();
        Stage {
            kind: Rc::new(kind),
            serving: Rc::new(RefCell::new(serving)),
            zookeeper: version.ends_with("-zk"),
        }
    }

    /// Whether one of the brokers is the controller.
    pub fn has_zookeeper(&self) -> bool {
        self.zookeeper
    }

    pub fn patience(&self) -> Patience {
        let (long, limit) = match &*self.kind {
            // What is held is 20 GB here, so it takes its time when it is let go.
            Kind::Simulated(_) => (120, 900),
            Kind::Real(_) => (6, 60),
        };
        let seconds = Duration::from_secs;
        Patience { steady: Duration::from_millis(800), long: seconds(long), limit: seconds(limit) }
    }

    pub fn serving(&self) -> Vec<i32> {
        self.serving.borrow().iter().copied().collect()
    }

    pub async fn connect(&self, broker: i32) -> io::Result<Stream> {
        match &*self.kind {
            Kind::Simulated(simulator) => {
                let address = simulator.with_state(|state| {
                    let known = state.brokers.iter().find(|(id, _)| id.0 == broker);
                    known.map(|(_, broker)| format!("{}:{}", broker.host, broker.port)).unwrap_or_default()
                });
                Ok(Box::new(simulator.connect(&address)?))
            }
            Kind::Real(kafka) => {
                let stream = TcpStream::connect(kafka.address(broker)).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }

    /// Where records are not produced over the protocol, they are put there.
    ///
    /// Answers how many are still to be produced, each a batch of its own.
    pub async fn write(&self, topic: &str, partition: i32, records: Option<u64>) -> u64 {
        let Kind::Simulated(simulator) = &*self.kind else { return records.unwrap_or(HELD_RECORDS) };
        // The simulator's records are 1,024 bytes; its brokers fetch more than one at a time.
        let bytes = records.map_or(20_000_000_000, |n| n * 1024);
        simulator.set_ingest(topic, partition, bytes);
        tokio::time::sleep(Duration::from_secs(1)).await;
        simulator.set_ingest(topic, partition, 0);
        0
    }

    pub fn kill(&self, broker: i32) {
        self.serving.borrow_mut().remove(&broker);
        match &*self.kind {
            Kind::Simulated(simulator) => simulator.kill(broker),
            Kind::Real(kafka) => kafka.kill(broker),
        }
    }

    pub fn stop(&self, broker: i32) {
        self.serving.borrow_mut().remove(&broker);
        match &*self.kind {
            Kind::Simulated(simulator) => simulator.stop(broker),
            Kind::Real(kafka) => assert!(kafka.stop(broker), "broker {broker} did not stop"),
        }
    }

    pub fn start(&self, broker: i32) {
        match &*self.kind {
            Kind::Simulated(simulator) => simulator.restart(broker),
            Kind::Real(kafka) => kafka.start_broker(broker),
        }
        self.serving.borrow_mut().insert(broker);
    }

    pub fn pause(&self, broker: i32) {
        self.serving.borrow_mut().remove(&broker);
        match &*self.kind {
            Kind::Simulated(simulator) => simulator.pause(broker),
            Kind::Real(kafka) => kafka.pause(broker),
        }
    }

    pub fn resume(&self, broker: i32) {
        match &*self.kind {
            Kind::Simulated(simulator) => simulator.resume(broker),
            Kind::Real(kafka) => kafka.resume(broker),
        }
        self.serving.borrow_mut().insert(broker);
    }

    /// Freezes the controller: with ZooKeeper that is the broker `named`.
    pub fn pause_controller(&self, named: i32) {
        match &*self.kind {
            _ if self.zookeeper => self.pause(named),
            Kind::Simulated(simulator) => simulator.lose_controller(),
            Kind::Real(kafka) => kafka.pause(CONTROLLER),
        }
    }

    /// Thaws it.
    pub fn resume_controller(&self, named: i32) {
        match &*self.kind {
            _ if self.zookeeper => self.resume(named),
            Kind::Simulated(simulator) => simulator.restore_controller(),
            Kind::Real(kafka) => kafka.resume(CONTROLLER),
        }
    }

    /// Brings back every broker that is down.
    pub fn mend(&self) {
        let down: BTreeMap<i32, &str> =
            BROKERS.into_iter().filter(|(id, _)| !self.serving().contains(id)).collect();
        for broker in down.into_keys() {
            let running = match &*self.kind {
                Kind::Simulated(_) => false,
                Kind::Real(kafka) => kafka.is_running(broker),
            };
            if running {
                self.resume(broker);
            } else {
                self.start(broker);
            }
        }
    }
}
