//! Racks inside of zones: where zones stand above racks, the replicas in a zone are spread over its racks too.

use super::{Cluster, Topology};

/// Which rack each broker of a cluster is in. A zone with a broker whose `broker.rack` is unknown is one rack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Racks {
    /// By broker index: the number of its rack.
    of: Vec<u16>,
    /// By rack: its zone.
    zones: Vec<u16>,
    are_finer: bool,
}

impl Racks {
    /// The racks of a cluster, numbered zone by zone and in order of their names.
    pub fn of(cluster: &Cluster, topology: &Topology) -> Self {
        let mut is_whole = vec![!topology.is_zoned(); topology.len()];
        for (at, _) in cluster.brokers.iter().enumerate().filter(|(_, broker)| broker.rack.is_none()) {
            is_whole[topology.zone(at as u16) as usize] = true;
        }
        let name = |at: usize| {
            let zone = topology.zone(at as u16);
            (zone, cluster.brokers[at].rack.as_deref().filter(|_| !is_whole[zone as usize]))
        };
        let mut names: Vec<(u16, Option<&str>)> = (0..cluster.brokers.len()).map(name).collect();
        names.sort_unstable();
        names.dedup();
        let number = |at| names.binary_search(&name(at)).unwrap_or(0) as u16;
        let of = (0..cluster.brokers.len()).map(number).collect();
        let zones: Vec<u16> = names.iter().map(|(zone, _)| *zone).collect();
        let are_finer = zones.windows(2).any(|pair| pair[0] == pair[1]);
        Racks { of, zones, are_finer }
    }

    /// Number of racks.
    pub fn len(&self) -> usize {
        self.zones.len()
    }

    /// Whether there is none: of a cluster without brokers.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// Whether some zone has several: only then are racks spread over.
    pub fn are_finer(&self) -> bool {
        self.are_finer
    }

    /// The rack of a broker index.
    pub fn rack(&self, broker: u16) -> u16 {
        self.of[broker as usize]
    }

    /// The zone of a rack.
    pub fn zone(&self, rack: u16) -> u16 {
        self.zones[rack as usize]
    }

    /// Replicas of a list that racks have too many of: in each zone the numbers per rack may differ by one.
    pub fn crowded(&self, list: &[u16]) -> usize {
        if !self.are_finer() {
            return 0;
        }
        let mut counts = vec![0usize; self.len()];
        list.iter().for_each(|broker| counts[self.rack(*broker) as usize] += 1);
        let of_zone = self.zones.iter().zip(counts).collect::<Vec<_>>();
        let crowded = of_zone.chunk_by(|a, b| a.0 == b.0).map(|racks| {
            let held = racks.iter().map(|(_, count)| count).sum();
            held - kept(racks.iter().map(|(_, count)| *count), racks.len(), held)
        });
        crowded.sum()
    }
}

/// How many replicas of a zone can stay if `part` are its part and each of its `racks` gets its even part of those;
/// `counts` are those in each rack, empty ones may be left out.
pub fn kept(counts: impl Iterator<Item = usize>, racks: usize, part: usize) -> usize {
    let (each, spare) = (part / racks.max(1), part % racks.max(1));
    let (mut kept, mut more) = (0, 0);
    for count in counts {
        kept += count.min(each);
        more += usize::from(count > each);
    }
    kept + more.min(spare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Broker, BrokerId, ClusterBuilder};

    fn racks(brokers: &[(&str, Option<&str>)]) -> Racks {
        let broker = |(id, (zone, rack)): (usize, &(&str, Option<&str>))| Broker {
            zone: Some((*zone).into()),
            rack: rack.map(Into::into),
            ..Broker::bare(BrokerId(id as i32))
        };
        let brokers = brokers.iter().enumerate().map(broker).collect();
        let cluster = ClusterBuilder::new("c", brokers).unwrap().finish(String::new(), vec![]);
        Racks::of(&cluster, &Topology::of(&cluster).unwrap())
    }

    #[test]
    fn replicas_are_crowded_where_another_rack_of_their_zone_has_fewer() {
        let racks = racks(&[
            ("a", Some("a1")),
            ("a", Some("a1")),
            ("a", Some("a2")),
            ("b", Some("a1")),
            ("b", Some("a1")),
        ]);
        assert!(racks.are_finer());
        assert_eq!((racks.len(), racks.zone(2)), (3, 1));
        let crowded =
            [&[0, 1][..], &[0, 2], &[0, 1, 2], &[3, 4], &[0, 1, 3, 4]].map(|list| racks.crowded(list));
        assert_eq!(crowded, [1, 0, 0, 0, 1]);
    }

    #[test]
    fn a_zone_with_an_unknown_rack_is_one() {
        let racks = racks(&[("a", Some("a1")), ("a", None), ("a", Some("a2")), ("b", Some("b1"))]);
        assert!(!racks.are_finer());
        assert_eq!(racks.crowded(&[0, 2]), 0);
    }
}
