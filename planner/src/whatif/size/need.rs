//! What the brokers of each zone have to carry: in normal operation, and after each loss of a zone.
//!
//! Needs are counted at the horizon and in good health: sizes and rates are grown, every replica is in sync, the
//! preferred leader leads, and a broker that is away today is there. Each replica takes as many bytes as a new copy of
//! it would.

use serde::Serialize;

use super::{SizeError, Wish};
use crate::model::{BadCluster, Broker, Cluster, Rate, Topology, UNKNOWN_SIZE};
use crate::whatif::fail::{self, Lost};
use crate::whatif::load::{self, BrokerLoad, Resource, Terms};
use crate::whatif::rebuild::rebuild;

/// What some brokers have to carry together. What is not known is in no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Need {
    /// Bytes on disks.
    pub disk: u64,
    /// Bytes/s that come in: what producers write, and what followers fetch.
    pub network_in: u64,
    /// Bytes/s that go out: to followers, and to consumers.
    pub network_out: u64,
    /// Replicas.
    pub replicas: u64,
}

impl Need {
    /// How much of a resource.
    pub fn of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Disk => self.disk,
            Resource::NetworkIn => self.network_in,
            Resource::NetworkOut => self.network_out,
            Resource::Replicas => self.replicas,
            Resource::Requests => 0,
        }
    }

    /// The greater of both directions: a network has the same capacity for each.
    pub fn network(&self) -> u64 {
        self.network_in.max(self.network_out)
    }

    fn add(&mut self, load: &BrokerLoad) {
        let sum = |sum: &mut u64, resource| *sum = sum.saturating_add(load.of(resource).known);
        sum(&mut self.disk, Resource::Disk);
        sum(&mut self.network_in, Resource::NetworkIn);
        sum(&mut self.network_out, Resource::NetworkOut);
        sum(&mut self.replicas, Resource::Replicas);
    }
}

/// What a zone has to carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ZoneNeed {
    /// The zone; `-` where brokers have none.
    pub zone: String,
    /// In normal operation.
    pub normal: Need,
    /// When another zone is lost; empty where that need not be survived.
    pub without: Vec<Without>,
    /// The most replicas of one partition that go there: as many brokers are needed at least. Where the loss of a broker
    /// is to be survived there may still be no more, so that its replicas are not made anew before it is replaced.
    pub copies: u32,
    /// Bytes of the replicas that do not fit on every node type, in any order.
    #[serde(skip)]
    pub(super) large: Vec<u64>,
}

/// What a zone has to carry when another one is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Without {
    /// The zone that is lost.
    pub zone: String,
    /// What this one carries then.
    pub need: Need,
}

/// What is not known: it is in no figure, and is never taken for zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Unknown {
    /// Partitions in all.
    pub partitions: u64,
    /// Partitions whose size is unknown.
    pub sizes: u64,
    /// Partitions whose write rate is unknown.
    pub write_rates: u64,
    /// Partitions whose read rate is unknown.
    pub read_rates: u64,
}

impl Unknown {
    /// Counts what is not known of a cluster.
    pub(super) fn of(cluster: &Cluster) -> Unknown {
        let partitions = cluster.partition_count() as u64;
        Unknown {
            partitions,
            sizes: cluster.partitions().filter(|(_, p)| p.copy_bytes().is_none()).count() as u64,
            write_rates: partitions - cluster.known_rates(Rate::Write) as u64,
            read_rates: partitions - cluster.known_rates(Rate::Read) as u64,
        }
    }

    /// What a reader has to know of it, in words.
    pub(super) fn notes(&self) -> Vec<String> {
        let all = self.partitions;
        let told = [
            (self.sizes, "size", "disks are not sized", "which count nothing"),
            (self.write_rates, "write rate", "networks are not sized", "which count nothing"),
            (
                self.read_rates,
                "read rate",
                "what goes out is replication only",
                "of which what goes out counts nothing",
            ),
        ];
        let mut notes = Vec::new();
        for (unknown, what, without, so) in told.into_iter().filter(|(unknown, ..)| *unknown > 0) {
            notes.push(if unknown == all {
                format!("no {what} is known: {without}")
            } else {
                format!("not known: {what}s of {unknown} of {all} partitions, {so}")
            });
        }
        notes
    }
}

/// How much is offline after a loss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// What is lost.
    pub lost: Lost,
    /// Partitions all of whose replicas are there: they are offline, and count nothing elsewhere.
    pub offline: u32,
}

/// A cluster at the horizon and in good health, with these of its brokers.
pub(super) fn at_horizon(
    cluster: &Cluster,
    mut brokers: Vec<Broker>,
    grown: u64,
) -> Result<Cluster, BadCluster> {
    for broker in &mut brokers {
        (broker.answered, broker.fenced) = (true, Some(false));
    }
    let grow = |amount: u64| {
        let amount = (u128::from(amount) * u128::from(grown)).div_ceil(1_000_000);
        u64::try_from(amount).unwrap_or(u64::MAX)
    };
    rebuild(
        cluster,
        brokers,
        |topic| topic.partitions,
        |topic, number, row| {
            let p = cluster.partition_in(topic, number);
            row.copy(cluster, p);
            row.sizes.fill(p.copy_bytes().unwrap_or(UNKNOWN_SIZE));
            row.scale(grow, grow);
            row.leader = row.replicas.first().copied();
            row.isr.clone_from(&row.replicas);
        },
    )
}

/// What zones need, and what a loss of a zone leaves offline.
pub(super) struct Needs {
    pub zones: Vec<ZoneNeed>,
    pub losses: Vec<Loss>,
}

impl Needs {
    /// The needs of a cluster [at the horizon](at_horizon). `fits` are the bytes that fit on every node type.
    ///
    /// # Errors
    /// If a partition is larger than `most`, what fits on the largest.
    pub fn of(
        cluster: &Cluster,
        topology: &Topology,
        wish: &Wish,
        fits: u64,
        most: u64,
    ) -> Result<Needs, SizeError> {
        let terms = Terms { peak: wish.peak, headroom: 0 };
        let normal = sums(&load::loads(cluster, terms), topology);
        let copies = copies(cluster, topology);
        let mut zones: Vec<ZoneNeed> = (normal.into_iter().zip(copies).enumerate())
            .map(|(zone, (normal, copies))| ZoneNeed {
                zone: topology.name(zone as u16).to_owned(),
                normal,
                without: Vec::new(),
                copies,
                large: Vec::new(),
            })
            .collect();
        for (_, p) in cluster.partitions() {
            for (size, broker) in p.sizes.iter().zip(p.replicas) {
                if *size == UNKNOWN_SIZE || *size <= fits {
                    continue;
                }
                if *size > most {
                    return Err(SizeError::TooLarge {
                        partition: cluster.name_of(p.index),
                        bytes: *size,
                        most,
                    });
                }
                zones[usize::from(topology.zone(*broker))].large.push(*size);
            }
        }
        let mut losses = Vec::new();
        if wish.survive.zone() {
            for lost in 0..zones.len() {
                let (need, offline) = without(cluster, topology, lost as u16, terms);
                let zone = zones[lost].zone.clone();
                losses.push(Loss { lost: Lost::Zone(zone.clone()), offline });
                for (at, need) in need.into_iter().enumerate().filter(|(at, _)| *at != lost) {
                    zones[at].without.push(Without { zone: zone.clone(), need });
                }
            }
            losses.retain(|loss| loss.offline > 0);
        }
        Ok(Needs { zones, losses })
    }
}

/// The brokers of a zone, by index.
pub(super) fn brokers_of(topology: &Topology, brokers: usize, zone: u16) -> Vec<u16> {
    (0..brokers as u16).filter(|at| topology.zone(*at) == zone).collect()
}

fn sums(loads: &[BrokerLoad], topology: &Topology) -> Vec<Need> {
    let mut sums = vec![Need::default(); topology.len()];
    for (at, load) in loads.iter().enumerate() {
        sums[usize::from(topology.zone(at as u16))].add(load);
    }
    sums
}

fn without(cluster: &Cluster, topology: &Topology, zone: u16, terms: Terms) -> (Vec<Need>, u32) {
    let mut left = cluster.clone();
    fail::lose(&mut left, &brokers_of(topology, cluster.brokers.len(), zone));
    let offline = left.partitions().filter(|(_, p)| p.leader.is_none()).count();
    (sums(&load::loads(&left, terms), topology), offline as u32)
}

/// The most replicas of one partition in each zone.
fn copies(cluster: &Cluster, topology: &Topology) -> Vec<u32> {
    let mut most = vec![0; topology.len()];
    let mut counts = vec![0; topology.len()];
    for (_, p) in cluster.partitions() {
        counts.fill(0);
        p.replicas.iter().for_each(|broker| counts[usize::from(topology.zone(*broker))] += 1);
        most.iter_mut().zip(&counts).for_each(|(most, count)| *most = (*most).max(*count));
    }
    most
}
