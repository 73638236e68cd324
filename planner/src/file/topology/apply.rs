//! A topology file on a cluster.

use std::collections::BTreeMap;

use super::{Rtt, TopicZones, TopologyFile};
use crate::file::FileError;
use crate::model::{Broker, BrokerId, Cluster, Topic};

impl TopologyFile {
    /// Sets zones and node types of the cluster's brokers, and where topics may be. Brokers and topics that the file does
    /// not name keep what they have.
    ///
    /// # Errors
    /// The first thing that does not fit: a broker, a rack, a zone or a topic that the cluster lacks, a broker whose rack
    /// is in another zone than the broker itself, or a topic that two entries name. The cluster is then unchanged.
    pub fn apply_to(&self, cluster: &mut Cluster) -> Result<(), FileError> {
        let known = |id: &BrokerId| cluster.broker(*id).is_some();
        let lines = self.brokers.iter().map(|(id, (zone, line))| (id, format!("zones.{zone}"), *line));
        let types = self.nodes.iter().map(|(id, (node, line))| (id, format!("nodes.{}", node.name), *line));
        if let Some((id, place, line)) = lines.chain(types).find(|(id, ..)| !known(id)) {
            let ids = list(cluster.brokers.iter().map(|broker| broker.id.to_string()));
            let reason = format!("broker {id} is not in the snapshot; the brokers are {ids}");
            return Err(self.error(line, place, reason));
        }
        self.know_racks(cluster)?;
        let zones: Vec<Option<String>> =
            cluster.brokers.iter().map(|broker| self.zone_of(broker)).collect::<Result<_, _>>()?;
        for rtt in &self.rtt {
            know_zones([&rtt.a, &rtt.b], &zones)
                .map_err(|reason| self.error(rtt.line, format!("rtt.{}:{}", rtt.a, rtt.b), reason))?;
        }
        let allowed = self.allowed(cluster, &zones)?;
        for (topic, entry) in allowed {
            cluster.topics[topic].zones.clone_from(&entry.zones);
        }
        for (broker, zone) in cluster.brokers.iter_mut().zip(zones) {
            broker.zone = zone;
            if let Some((node, _)) = self.nodes.get(&broker.id) {
                broker.node = Some(node.clone());
            }
        }
        Ok(())
    }

    /// The round-trip times between zones, by the names of the zones.
    pub fn rtt(&self) -> &[Rtt] {
        &self.rtt
    }

    /// The name of the file in errors.
    pub fn file(&self) -> &str {
        &self.file
    }

    fn know_racks(&self, cluster: &Cluster) -> Result<(), FileError> {
        let has = |rack: &str| cluster.brokers.iter().any(|broker| broker.rack.as_deref() == Some(rack));
        let Some((rack, (zone, line))) = self.racks.iter().find(|(rack, _)| !has(rack)) else {
            return Ok(());
        };
        let racks = list(cluster.brokers.iter().filter_map(|broker| broker.rack.clone()));
        let reason = if racks.is_empty() {
            format!(
                "no broker is in rack {rack:?}: none has a broker.rack, so name brokers in place of racks"
            )
        } else {
            format!("no broker is in rack {rack:?}; the racks are {racks}")
        };
        Err(self.error(*line, format!("zones.{zone}"), reason))
    }

    /// The zone of a broker: the file's, else the one it has.
    fn zone_of(&self, broker: &Broker) -> Result<Option<String>, FileError> {
        let by_rack = broker.rack.as_ref().and_then(|rack| self.racks.get(rack));
        match (self.brokers.get(&broker.id), by_rack) {
            (Some((own, line)), Some((other, at))) if own != other => {
                let reason = format!(
                    "broker {} is in zone {other} too, by its rack {:?} (line {at}): expected one zone for it",
                    broker.id,
                    broker.rack.as_deref().unwrap_or_default()
                );
                Err(self.error(*line, format!("zones.{own}"), reason))
            }
            (Some((zone, _)), _) | (None, Some((zone, _))) => Ok(Some(zone.clone())),
            (None, None) => Ok(broker.zone.clone()),
        }
    }

    /// The entry of each topic that has one, by topic index.
    fn allowed(
        &self,
        cluster: &Cluster,
        zones: &[Option<String>],
    ) -> Result<BTreeMap<usize, &TopicZones>, FileError> {
        let mut allowed: BTreeMap<usize, &TopicZones> = BTreeMap::new();
        for entry in &self.topics {
            let error = |reason| self.error(entry.line, format!("topics.{}", entry.text), reason);
            know_zones(&entry.zones, zones).map_err(error)?;
            let before = allowed.len();
            let matches = |(_, topic): &(usize, &Topic)| entry.pattern.matches(&topic.name);
            for (at, topic) in cluster.topics.iter().enumerate().filter(matches) {
                if let Some(other) = allowed.insert(at, entry) {
                    let (name, line) = (&topic.name, other.line);
                    let reason = format!("topic {name} matches line {line} too: expected one entry for it");
                    return Err(error(reason));
                }
            }
            if allowed.len() == before {
                return Err(error("no topic of the snapshot has such a name".into()));
            }
        }
        Ok(allowed)
    }

    fn error(&self, line: usize, place: String, reason: String) -> FileError {
        FileError { file: self.file.clone(), line, place, reason }
    }
}

/// What is wrong where no broker is in one of these zones.
fn know_zones<'a>(
    wanted: impl IntoIterator<Item = &'a String>,
    zones: &[Option<String>],
) -> Result<(), String> {
    match wanted.into_iter().find(|zone| !zones.iter().flatten().any(|known| known == *zone)) {
        None => Ok(()),
        Some(zone) => {
            let names = list(zones.iter().flatten().cloned());
            Err(format!("no broker is in zone {zone}; the zones are {names}"))
        }
    }
}

/// Each name once, in order of first appearance, separated by commas.
fn list(names: impl Iterator<Item = String>) -> String {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.join(", ")
}
