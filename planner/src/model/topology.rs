//! Zones: the failure domains that replicas are spread over.

use super::{BrokerId, Cluster, Topic};

/// Which zone each broker of a cluster is in. Zones are numbered in order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    names: Vec<String>,
    of: Vec<u16>,
}

/// Why a cluster has no topology.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTopology {
    /// Some brokers have a zone and some have none: spreading over zones would be a guess.
    #[error("{} of {total} brokers have no broker.rack: {}", .without.len(), super::replicas::show(.without))]
    SomeLack {
        /// The brokers without a zone.
        without: Vec<BrokerId>,
        /// All brokers.
        total: usize,
    },
}

impl Topology {
    /// The zones of a cluster. Where no broker has one, there is one zone without a name, and
    /// [`Topology::is_zoned`] is false.
    ///
    /// # Errors
    /// If some brokers have a zone and some have none.
    pub fn of(cluster: &Cluster) -> Result<Self, NoTopology> {
        let zones: Vec<Option<&str>> = cluster.brokers.iter().map(|b| b.zone.as_deref()).collect();
        let ids: Vec<BrokerId> = cluster.brokers.iter().map(|b| b.id).collect();
        Topology::from_zones(&ids, &zones)
    }

    /// As [`Topology::of`], for brokers that are listed beside their zones.
    ///
    /// # Errors
    /// If some brokers have a zone and some have none.
    pub fn from_zones(brokers: &[BrokerId], zones: &[Option<&str>]) -> Result<Self, NoTopology> {
        let without: Vec<BrokerId> =
            brokers.iter().zip(zones).filter(|(_, zone)| zone.is_none()).map(|(id, _)| *id).collect();
        if !without.is_empty() && without.len() < brokers.len() {
            return Err(NoTopology::SomeLack { without, total: brokers.len() });
        }
        let mut names: Vec<String> = zones.iter().flatten().map(|zone| (*zone).to_owned()).collect();
        names.sort();
        names.dedup();
        let number = |zone: &Option<&str>| {
            zone.and_then(|z| names.binary_search_by(|name| name.as_str().cmp(z)).ok()).unwrap_or(0) as u16
        };
        let of = zones.iter().map(number).collect();
        Ok(Topology { names, of })
    }

    /// Whether brokers have zones at all. If not, zone rules are off.
    pub fn is_zoned(&self) -> bool {
        !self.names.is_empty()
    }

    /// Number of zones, at least 1.
    pub fn len(&self) -> usize {
        self.names.len().max(1)
    }

    /// Never: there is at least one zone.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The zone of a broker index.
    pub fn zone(&self, broker: u16) -> u16 {
        self.of[broker as usize]
    }

    /// A zone's name; `-` where brokers have none.
    pub fn name(&self, zone: u16) -> &str {
        self.names.get(zone as usize).map_or("-", String::as_str)
    }

    /// Whether a topic's replicas may be in each zone, by its number.
    pub fn allowed(&self, topic: &Topic) -> Vec<bool> {
        (0..self.len()).map(|zone| topic.allows(self.name(zone as u16))).collect()
    }

    /// Whether the replicas of a list differ by more than one per zone, over the zones that its topic may be in.
    pub fn is_uneven(&self, topic: &Topic, list: &[u16]) -> bool {
        let zones = (0..self.len() as u16).filter(|zone| topic.allows(self.name(*zone)));
        let counts = zones.map(|zone| list.iter().filter(|broker| self.zone(**broker) == zone).count());
        let (least, most) = counts.fold((usize::MAX, 0), |(least, most), n| (least.min(n), most.max(n)));
        most > least.saturating_add(1)
    }

    /// Number of different zones among these broker indexes.
    pub fn count_zones(&self, list: &[u16]) -> usize {
        let mut seen: Vec<u16> = list.iter().map(|broker| self.zone(*broker)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }
}
