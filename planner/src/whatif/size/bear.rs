//! What every broker carries, in each operation that is to be survived, against what may be used of it.

use serde::Serialize;

use super::Wish;
use super::need::brokers_of;
use crate::model::{BrokerId, Cluster, Topology};
use crate::whatif::fail::{self, Lost};
use crate::whatif::load::{self, BrokerLoad, Resource, Terms};

/// How a cluster runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// With all brokers.
    Normal,
    /// Without the broker of a zone that has the largest network, whichever it is: what sums are judged by.
    WithoutLargest,
    /// Without a broker, or a zone.
    Without(Lost),
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Operation::Normal => f.write_str("in normal operation"),
            Operation::WithoutLargest => f.write_str("without its largest broker"),
            Operation::Without(lost) => write!(f, "without {lost}"),
        }
    }
}

/// How full a broker is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// The broker.
    pub broker: BrokerId,
    /// Its zone; `-` where brokers have none.
    pub zone: String,
    /// Of what.
    pub resource: Resource,
    /// When it is fullest.
    pub operation: Operation,
    /// How much is used then.
    pub used: u64,
    /// How much may be used.
    pub usable: u64,
}

impl Peak {
    /// How much too much it is.
    pub fn excess(&self) -> u64 {
        self.used.saturating_sub(self.usable)
    }
}

/// How full brokers are at their worst.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Borne {
    /// The fullest broker of each resource that has a limit.
    pub fullest: Vec<Peak>,
    /// Every broker that is above what may be used, once for each resource.
    pub over: Vec<Peak>,
}

/// What limits brokers.
const JUDGED: [Resource; 4] = [Resource::Disk, Resource::NetworkIn, Resource::NetworkOut, Resource::Replicas];
/// Losses of a broker that are looked at one by one, where many leave somebody too full.
const TOLD: usize = 8;

/// The worst of each broker and resource so far.
struct Worst<'a> {
    cluster: &'a Cluster,
    topology: &'a Topology,
    /// By broker and [`JUDGED`].
    peaks: Vec<[Option<Peak>; 4]>,
}

impl Worst<'_> {
    fn note(&mut self, loads: &[BrokerLoad], operation: &Operation) {
        for (at, load) in loads.iter().enumerate().filter(|(_, load)| load.serves) {
            for (peak, resource) in self.peaks[at].iter_mut().zip(JUDGED) {
                let of = load.of(resource);
                let Some(usable) = of.limit else { continue };
                if peak.as_ref().is_none_or(|peak| of.known > peak.used) {
                    *peak = Some(Peak {
                        broker: self.cluster.brokers[at].id,
                        zone: self.topology.name(self.topology.zone(at as u16)).to_owned(),
                        resource,
                        operation: operation.clone(),
                        used: of.known,
                        usable,
                    });
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.peaks.iter().flatten().flatten().any(|peak| peak.excess() > 0)
    }

    fn lose(&mut self, lost: &[u16], operation: &Operation, terms: Terms) {
        let mut left = self.cluster.clone();
        fail::lose(&mut left, lost);
        self.note(&load::loads(&left, terms), operation);
    }

    /// Losses of one broker each: what comes in stays as it is for the others, so that only what goes out is looked at.
    fn lose_each_broker(&mut self, loads: &[BrokerLoad], terms: Terms) {
        let mut cases = fail::cases(self.cluster, false, loads, terms);
        cases.sort_by_key(|case| std::cmp::Reverse(case.fullest.map_or(0, |(_, part)| part)));
        for (at, case) in cases.into_iter().enumerate() {
            // Full to the brim, in whole 1/10,000, may be over.
            let is_full = case.fullest.is_some_and(|(_, part)| part >= 10_000);
            let Lost::Broker(id) = &case.lost else { continue };
            let Some(broker) = self.cluster.broker_index(*id) else { continue };
            if at > 0 && (!is_full || at >= TOLD && self.is_over()) {
                return;
            }
            self.lose(&[broker], &Operation::Without(case.lost), terms);
        }
    }
}

/// What the brokers of a cluster carry at their worst.
pub(super) fn bear(cluster: &Cluster, topology: &Topology, wish: &Wish) -> Borne {
    let terms = Terms { peak: wish.peak, headroom: wish.headroom };
    let loads = load::loads(cluster, terms);
    let peaks = cluster.brokers.iter().map(|_| [const { None }; 4]).collect();
    let mut worst = Worst { cluster, topology, peaks };
    worst.note(&loads, &Operation::Normal);
    if wish.survive.broker() {
        worst.lose_each_broker(&loads, terms);
    }
    if wish.survive.zone() {
        for zone in 0..topology.len() as u16 {
            let name = topology.name(zone).to_owned();
            let lost = brokers_of(topology, cluster.brokers.len(), zone);
            worst.lose(&lost, &Operation::Without(Lost::Zone(name)), terms);
        }
    }
    let mut borne = Borne::default();
    let part = |peak: &Peak| u128::from(peak.used) * 1_000_000_000 / u128::from(peak.usable.max(1));
    for at in 0..JUDGED.len() {
        let of = worst.peaks.iter().filter_map(|peaks| peaks[at].as_ref());
        // The first of those that are equally full.
        borne.fullest.extend(of.rev().max_by_key(|peak| part(peak)).cloned());
    }
    borne.over = worst.peaks.into_iter().flatten().flatten().filter(|peak| peak.excess() > 0).collect();
    borne
}
