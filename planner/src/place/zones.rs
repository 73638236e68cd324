//! Zones from a person: of single brokers, and other names for racks.

use std::collections::{BTreeMap, BTreeSet};

use super::PlaceError;
use crate::model::{BrokerId, Cluster};

/// Sets the zones of brokers: first `--map-zone OLD=NEW` for all brokers of zone `OLD` at once (so that names
/// may be exchanged), then `--zone BROKER=ZONE`.
///
/// # Errors
/// A zone or a broker that the cluster lacks, one named twice, or an empty name; the cluster is then unchanged.
pub fn map_zones(
    cluster: &mut Cluster,
    zones: &[(BrokerId, String)],
    maps: &[(String, String)],
) -> Result<(), PlaceError> {
    let known: BTreeSet<&str> = cluster.brokers.iter().filter_map(|b| b.zone.as_deref()).collect();
    let listed = known.iter().copied().collect::<Vec<_>>().join(", ");
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (old, new) in maps {
        if !known.contains(old.as_str()) {
            let found = format!("no broker is in zone {old:?}");
            return Err(PlaceError::usage("--map-zone", found, format!("the zones are: {listed}")));
        }
        if new.is_empty() {
            let found = format!("zone {old:?} gets an empty name");
            return Err(PlaceError::usage("--map-zone", found, "OLD=NEW with two names"));
        }
        if names.insert(old, new).is_some_and(|before| before != new) {
            let found = format!("zone {old:?} gets two names");
            return Err(PlaceError::usage("--map-zone", found, "one new name for each zone"));
        }
    }
    let mut given: BTreeMap<BrokerId, &str> = BTreeMap::new();
    for (broker, zone) in zones {
        if cluster.broker(*broker).is_none() {
            return Err(PlaceError::usage(
                "--zone",
                format!("broker {broker} is not in the snapshot"),
                super::scope::known_brokers(cluster),
            ));
        }
        if zone.is_empty() {
            let found = format!("broker {broker} gets an empty zone");
            return Err(PlaceError::usage("--zone", found, "BROKER=ZONE with a name"));
        }
        if given.insert(*broker, zone).is_some_and(|before| before != zone) {
            let found = format!("broker {broker} gets two zones");
            return Err(PlaceError::usage("--zone", found, "one zone for each broker"));
        }
    }
    let new: Vec<Option<String>> = (cluster.brokers.iter())
        .map(|broker| {
            let mapped = broker.zone.as_deref().map(|zone| names.get(zone).copied().unwrap_or(zone));
            given.get(&broker.id).copied().or(mapped).map(str::to_owned)
        })
        .collect();
    for (broker, zone) in cluster.brokers.iter_mut().zip(new) {
        broker.zone = zone;
    }
    for zone in cluster.topics.iter_mut().flat_map(|topic| &mut topic.zones) {
        if let Some(new) = names.get(zone.as_str()) {
            *zone = (*new).to_owned();
        }
    }
    Ok(())
}
