//! The judge: promises as functions over what is really so, at every record and every change.

mod case;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use restow_client::Options;
use restow_client::write::Write;
use restow_executor::journal::{PriorValue, Record};
use restow_planner::model::TopicPartition;
use restow_planner::plan::Plan;
use restow_simulator::Simulator;
use restow_simulator::controller::{Partition, Request};
use restow_simulator::faults::Fault;
use restow_simulator::trace::{By, PartitionChange, What};

use self::case::Case;
use super::history::{History, WINDOW};
use super::scene::Scene;
use super::throttles::Throttles;
use super::writes::Book;

/// All that the judge knows.
#[derive(Debug)]
pub struct Audit {
    sim: Simulator,
    plan: Plan,
    moves: BTreeMap<TopicPartition, usize>,
    history: History,
    pub throttles: Throttles,
    books: Vec<Book>,
    /// Partitions that somebody else changed.
    pub touched: BTreeSet<TopicPartition>,
    /// Brokers that are cut off from the controller: they serve old metadata, and views may be as old.
    cut: BTreeSet<i32>,
    stale_until: Duration,
    aloud: bool,
}

impl Audit {
    pub fn new(scene: &Scene, aloud: bool) -> Self {
        let sim = scene.sim.clone();
        sim.take_trace();
        let moves = scene.plan.moves.iter().enumerate().map(|(n, m)| (scene.plan.partition_of(&m), n));
        Audit {
            moves: moves.collect(),
            history: History::new(&sim),
            throttles: Throttles::new(&sim, scene.hosts, scene.pace.throttle),
            books: (0..scene.hosts).map(|_| Book::default()).collect(),
            plan: scene.plan.clone(),
            touched: BTreeSet::new(),
            cut: BTreeSet::new(),
            stale_until: Duration::ZERO,
            sim,
            aloud,
        }
    }

    /// Says something, if the seed is played aloud.
    pub fn say(&self, text: impl FnOnce() -> String) {
        if self.aloud {
            println!("{:9.3} {}", self.sim.clock().as_secs_f64(), text());
        }
    }

    /// A broker is cut off from the controller, or is not any more.
    pub fn cut(&mut self, broker: i32, off: bool) {
        if off {
            self.cut.insert(broker);
        } else if self.cut.remove(&broker) {
            self.stale_until = self.sim.clock() + WINDOW;
            self.throttles.is_known(broker, self.sim.clock());
        }
    }

    fn is_stale(&self) -> bool {
        !self.cut.is_empty() || self.sim.clock() < self.stale_until
    }

    /// Judges what happened in the cluster since the last look.
    pub fn see(&mut self) {
        for happened in self.sim.take_trace() {
            let at = happened.at;
            match happened.what {
                What::Life { broker, life } => self.history.life(at, broker, life),
                What::Arrived { broker, fault, client, api } => {
                    if let Some(fault) = fault {
                        self.say(|| format!("    {fault:?} strikes {api:?} of {client} at broker {broker}"));
                        // What waits behind it on its connection is not answered either.
                        let held = match fault {
                            Fault::Hang => Options::default().request_timeout,
                            Fault::Delay(time) | Fault::Late(time) => time,
                            _ => Duration::ZERO,
                        };
                        self.history.strike(at + held, broker);
                    }
                }
                What::Asked { by, request, partitions, configs, .. } => {
                    self.tell(at, &by, &request, &partitions);
                    configs.iter().for_each(|change| self.throttles.learn(change));
                    match host(&by) {
                        Some(host) => {
                            let asked = self.books[host].applied(&request);
                            for change in &partitions {
                                self.keeps_copies(change);
                                if !self.is_stale() && self.is_at_its_start(change) {
                                    let (topic, n) = (&change.partition.topic, change.partition.partition);
                                    self.throttles.begins(change, self.sim.bytes(topic, n));
                                }
                            }
                            for change in &configs {
                                self.throttles.ours(asked, change, &self.books[host]);
                            }
                        }
                        None if by == By::Somebody => {
                            let moved = partitions.iter().filter(|change| is_moved(change));
                            self.touched.extend(moved.map(|change| change.partition.clone()));
                            for change in &configs {
                                self.throttles.foreign(at, change, &self.books, &self.cut);
                            }
                            for change in partitions.iter().filter(|change| change.after.is_none()) {
                                self.throttles.forget(&change.partition.topic);
                            }
                        }
                        None => {
                            if let Request::Fence { broker } = request {
                                self.throttles.is_known(broker.0, at);
                            }
                        }
                    }
                    for change in &partitions {
                        self.history.learn(at, change);
                    }
                }
            }
        }
    }

    fn tell(&self, at: Duration, by: &By, request: &Request, partitions: &[PartitionChange]) {
        if self.aloud {
            println!("{:9.3} {by:?}: {request:?}", at.as_secs_f64());
            for change in partitions {
                let brief = |p: &Option<Partition>| match p {
                    Some(p) => format!(
                        "{:?} isr {:?} leader {:?} +{:?} -{:?}",
                        p.replicas, p.isr, p.leader, p.adding, p.removing
                    ),
                    None => "-".into(),
                };
                println!(
                    "              {}: {} => {}",
                    change.partition,
                    brief(&change.before),
                    brief(&change.after)
                );
            }
        }
    }

    /// Whether nobody else moved the partition before this change.
    fn is_at_its_start(&self, change: &PartitionChange) -> bool {
        let from = |at: &usize| self.plan.moves.get(*at).from;
        let now = change.before.as_ref().map(|p| &p.replicas[..]);
        now.is_some() && now == self.moves.get(&change.partition).map(from)
    }

    /// P4: no change of ours leaves a partition with fewer copies than its start and end have.
    fn keeps_copies(&self, change: &PartitionChange) {
        let (Some(before), Some(after)) = (&change.before, &change.after) else { return };
        let Some(m) = self.moves.get(&change.partition).map(|at| self.plan.moves.get(*at)) else {
            panic!("{} is not in the plan, and we changed it", change.partition)
        };
        let stay = |p: &Partition| p.replicas.iter().filter(|r| !p.removing.contains(r)).count();
        let floor = m.from.len().min(m.to.len()).min(stay(before));
        assert!(stay(after) >= floor, "P4: {}: {before:?} becomes {after:?}", change.partition);
    }

    /// A record of a host's journal is about to be durable.
    pub fn record(&mut self, host: usize, record: &Record) {
        self.see();
        let now = self.sim.clock();
        self.say(|| format!("  host {host}: {record:?}"));
        if let Record::Prior { key, value } = record {
            self.is_true_prior(key, value);
        }
        if let Record::Asked { write, moves, .. } = record {
            self.asked(host, write, moves, now);
        }
        self.books[host].learn(record, now);
    }

    /// A host lost power; these records are what its disk kept.
    pub fn forget(&mut self, host: usize, kept: &[Record]) {
        self.books[host].forget(kept);
    }

    /// E5: what is journalled as the value before ours was it, or somebody changes it at this moment.
    fn is_true_prior(&mut self, key: &restow_executor::journal::ConfigKey, value: &PriorValue) {
        // Values of ours are never journalled as somebody else's.
        if let PriorValue::Value(value) = value
            && let Some(ours) = self.books.iter().find_map(|book| book.entries.get(key))
            && self.books.len() == 1
        {
            let kept: Vec<&str> = value.split(',').filter(|e| ours.contains(*e)).collect();
            let is_left = self.books[0].priors.contains_key(key);
            let is_excused = self.throttles.is_excused(key);
            let is_sound = kept.is_empty() || is_left || is_excused;
            assert!(is_sound, "E5: {key}: our own {kept:?} are journalled as a prior");
        }
    }

    fn asked(&mut self, host: usize, write: &Write, at: &[u32], now: Duration) {
        match write {
            Write::Reassign { items, .. } => {
                for ((partition, list), at) in items.iter().zip(at) {
                    let case = Case::of(self, host, partition, *at as usize, now);
                    match list {
                        Some(list) => case.submit(list),
                        None => case.cancel(),
                    }
                }
            }
            Write::Elect { items } => {
                for partition in items {
                    let at = self.moves[partition];
                    Case::of(self, host, partition, at, now).elect();
                }
            }
            Write::Configs { .. } => {}
        }
    }
}

/// Whether a change is more than an election.
fn is_moved(change: &PartitionChange) -> bool {
    let lists = |p: &Option<Partition>| {
        p.as_ref().map(|p| (p.replicas.clone(), p.adding.clone(), p.removing.clone()))
    };
    lists(&change.before) != lists(&change.after)
}

/// Which host's executor a client is.
fn host(by: &By) -> Option<usize> {
    let By::Client(name) = by else { return None };
    name.strip_prefix("host-")?.split('.').next()?.parse().ok()
}
