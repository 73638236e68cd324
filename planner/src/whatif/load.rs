//! What brokers carry: disk, network, replicas, leaders, requests. Recounted from the cluster each time.

use serde::{Deserialize, Serialize};

use crate::model::capacity::volumes;
use crate::model::{Broker, BrokerId, Cluster, Partition, Rate, UNKNOWN_SIZE};

/// Something that a broker has only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// Bytes on its disks.
    Disk,
    /// Bytes/s that it takes in: what producers write to it as a leader, what it fetches as a follower.
    NetworkIn,
    /// Bytes/s that it sends: to the live followers of what it leads, and to consumers.
    NetworkOut,
    /// Replicas.
    Replicas,
    /// Requests/s of producers and consumers to what it leads.
    Requests,
}

impl Resource {
    /// All of them.
    pub const ALL: [Resource; 5] =
        [Resource::Disk, Resource::NetworkIn, Resource::NetworkOut, Resource::Replicas, Resource::Requests];

    /// Its name as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Resource::Disk => "disk",
            Resource::NetworkIn => "network in",
            Resource::NetworkOut => "network out",
            Resource::Replicas => "replicas",
            Resource::Requests => "requests",
        }
    }
}

/// How much of something is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Use {
    /// What is known of it: bytes, bytes/s, or a number.
    pub known: u64,
    /// Replicas (of leaders' resources: partitions) of which it is not known; they are not in `known`.
    pub unknown: u32,
    /// What there is of it; `None` where nobody told.
    pub limit: Option<u64>,
}

impl Use {
    /// How full it is, in 1/10,000 of the limit; `None` without a limit.
    pub fn part(&self) -> Option<u64> {
        let limit = u128::from(self.limit?.max(1));
        Some(u64::try_from(u128::from(self.known) * 10_000 / limit).unwrap_or(u64::MAX))
    }

    /// Whether it is above the limit, by what is known of it.
    pub fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.known > limit)
    }

    fn add(&mut self, amount: Amount) {
        self.known = self.known.saturating_add(amount.known);
        self.unknown += u32::from(amount.has_more);
    }
}

/// What one broker carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerLoad {
    /// The broker.
    pub broker: BrokerId,
    /// Its zone.
    pub zone: Option<String>,
    /// The name of its node type.
    pub node: Option<String>,
    /// Whether it serves. What does not carries nothing.
    pub serves: bool,
    /// Partitions that it leads.
    pub leaders: u32,
    /// Bytes on its disks.
    pub disk: Use,
    /// Bytes/s in.
    pub network_in: Use,
    /// Bytes/s out.
    pub network_out: Use,
    /// Replicas.
    pub replicas: Use,
    /// Requests/s.
    pub requests: Use,
}

impl BrokerLoad {
    /// Its use of a resource.
    pub fn of(&self, resource: Resource) -> &Use {
        match resource {
            Resource::Disk => &self.disk,
            Resource::NetworkIn => &self.network_in,
            Resource::NetworkOut => &self.network_out,
            Resource::Replicas => &self.replicas,
            Resource::Requests => &self.requests,
        }
    }

    pub(super) fn of_mut(&mut self, resource: Resource) -> &mut Use {
        match resource {
            Resource::Disk => &mut self.disk,
            Resource::NetworkIn => &mut self.network_in,
            Resource::NetworkOut => &mut self.network_out,
            Resource::Replicas => &mut self.replicas,
            Resource::Requests => &mut self.requests,
        }
    }
}

/// How loads are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The peak over the mean, in 1/1,000: rates are counted so many times.
    pub peak: u32,
    /// The part of each limit that stays free, in 1/10,000.
    pub headroom: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Terms { peak: 1_000, headroom: 0 }
    }
}

impl Terms {
    fn at_peak(&self, rate: Option<u64>) -> Option<u64> {
        rate.map(|rate| u64::try_from(u128::from(rate) * u128::from(self.peak) / 1_000).unwrap_or(u64::MAX))
    }

    /// What may be used of a limit.
    pub fn usable(&self, limit: u64) -> u64 {
        let part = 10_000u128.saturating_sub(self.headroom.into());
        u64::try_from(u128::from(limit) * part / 10_000).unwrap_or(u64::MAX)
    }
}

/// How much of something a partition needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// What is known of it.
    pub known: u64,
    /// Whether there is more that is not known.
    pub has_more: bool,
}

impl Amount {
    fn of(known: Option<u64>) -> Self {
        Amount { known: known.unwrap_or(0), has_more: known.is_none() }
    }

    fn plus(self, other: Amount) -> Self {
        let known = self.known.saturating_add(other.known);
        Amount { known, has_more: self.has_more || other.has_more }
    }
}

/// What a partition puts on one of its brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The broker, by index.
    pub broker: u16,
    /// Whether it leads the partition there.
    pub leads: bool,
    /// How much of each of [`Resource::ALL`].
    pub amounts: [Amount; 5],
}

/// How the load of a cluster's partitions is counted.
#[derive(Debug)]
pub(super) struct Counting {
    serves: Vec<bool>,
    /// Where nobody told the rate of any consumer, reads count as nothing.
    knows_reads: bool,
    terms: Terms,
}

impl Counting {
    pub fn of(cluster: &Cluster, terms: Terms) -> Self {
        let serves = cluster.brokers.iter().map(Broker::serves).collect();
        Counting { serves, knows_reads: cluster.known_rates(Rate::Read) > 0, terms }
    }

    /// Whether a broker (by index) serves.
    pub fn serves(&self, broker: u16) -> bool {
        self.serves[usize::from(broker)]
    }

    /// Bytes/s that the leader of a partition sends: to so many followers, and to consumers.
    pub fn sent(&self, p: &Partition<'_>, followers: usize) -> Amount {
        let reads = if self.knows_reads { self.terms.at_peak(p.read_rate) } else { Some(0) };
        let copies = match followers as u64 {
            0 => Some(0),
            many => self.terms.at_peak(p.write_rate).map(|rate| rate.saturating_mul(many)),
        };
        Amount::of(copies).plus(Amount::of(reads))
    }

    /// What a partition puts on each broker that serves and holds a replica of it.
    pub fn shares<'a>(&'a self, p: Partition<'a>) -> impl Iterator<Item = Share> + 'a {
        let live = p.replicas.iter().filter(|at| self.serves(**at)).count();
        let share = move |(at, broker): (usize, &u16)| {
            let leads = p.leader == Some(*broker);
            let of_leader = |amount| if leads { amount } else { Amount::default() };
            let amounts = [
                Amount::of(Some(p.sizes[at]).filter(|size| *size != UNKNOWN_SIZE)),
                Amount::of(self.terms.at_peak(p.write_rate)),
                of_leader(self.sent(&p, live.saturating_sub(1))),
                Amount::of(Some(1)),
                of_leader(Amount::of(self.terms.at_peak(p.request_rate))),
            ];
            Share { broker: *broker, leads, amounts }
        };
        p.replicas.iter().enumerate().filter(|(_, at)| self.serves(**at)).map(share)
    }
}

/// What every broker carries, in the cluster's order.
pub fn loads(cluster: &Cluster, terms: Terms) -> Vec<BrokerLoad> {
    let counting = Counting::of(cluster, terms);
    let mut table: Vec<BrokerLoad> = cluster.brokers.iter().map(|b| empty(b, terms)).collect();
    for (_, p) in cluster.partitions() {
        for share in counting.shares(p) {
            let row = &mut table[usize::from(share.broker)];
            row.leaders += u32::from(share.leads);
            for (resource, amount) in Resource::ALL.into_iter().zip(share.amounts) {
                row.of_mut(resource).add(amount);
            }
        }
    }
    table
}

fn empty(broker: &Broker, terms: Terms) -> BrokerLoad {
    let node = broker.node.as_ref();
    let disk = volumes(broker).map(|volumes| volumes.total).or(node.and_then(|node| node.disk_bytes));
    let network = node.and_then(|node| node.network_bytes_per_second);
    let limited =
        |limit: Option<u64>| Use { limit: limit.map(|limit| terms.usable(limit)), ..Use::default() };
    BrokerLoad {
        broker: broker.id,
        zone: broker.zone.clone(),
        node: node.map(|node| node.name.clone()),
        serves: broker.serves(),
        leaders: 0,
        disk: limited(disk),
        network_in: limited(network),
        network_out: limited(network),
        replicas: limited(broker.replica_limit().map(u64::from)),
        requests: Use::default(),
    }
}
