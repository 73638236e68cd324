//! Edits of brokers, zones and partitions.

use std::collections::{BTreeMap, BTreeSet};

use super::WhatifError;
use super::rebuild::{Row, rebuild};
use super::world::World;
use crate::model::{Broker, BrokerId, Cluster, InFlight, LogDir, NodeType, Topic, UNKNOWN_SIZE};

/// More brokers. Their ids come after the largest.
pub(super) fn add(
    world: &mut World<'_>,
    count: u32,
    zone: Option<&str>,
    node: Option<&str>,
) -> Result<(), WhatifError> {
    let cluster = &world.cluster;
    let is_zoned = cluster.brokers.iter().any(|broker| broker.zone.is_some());
    match zone {
        None if is_zoned => {
            return Err(WhatifError::edit("no zone for new brokers".into(), "N@ZONE: the cluster has zones"));
        }
        Some(zone) if !is_zoned => {
            return Err(WhatifError::edit(
                format!("zone {zone:?} for new brokers"),
                "N: the cluster has no zones",
            ));
        }
        _ => {}
    }
    let peers: Vec<&Broker> =
        cluster.brokers.iter().filter(|broker| broker.zone.as_deref() == zone).collect();
    let like = peers.first().copied().or(cluster.brokers.first());
    if let Some(zone) = zone.filter(|_| peers.is_empty()) {
        world.notes.push(format!("zone {zone} is new: no broker stood in it"));
    }
    let made = match (node, like) {
        (Some(name), _) => with_node(Broker::bare(BrokerId(0)), &world.node_type(name)?),
        (None, Some(like)) => empty_as(like),
        (None, None) => {
            return Err(WhatifError::edit("the cluster has no broker".into(), "a node type: N:TYPE"));
        }
    };
    let rack = peers
        .iter()
        .map(|broker| &broker.rack)
        .min_by_key(|rack| (peers.iter().filter(|broker| broker.rack == **rack).count(), (*rack).clone()));
    let rack = rack.cloned().unwrap_or_else(|| zone.map(str::to_owned));
    let first = world.last_id;
    if first.checked_add(count.cast_signed()).is_none_or(|last| last < first) {
        return Err(WhatifError::edit(
            format!("{count} brokers after id {first}"),
            "fewer: ids end at 2147483647",
        ));
    }
    let zone = zone.map(str::to_owned);
    let new = (1..=count.cast_signed()).map(|n| Broker {
        id: BrokerId(first + n),
        rack: rack.clone(),
        zone: zone.clone(),
        ..made.clone()
    });
    let brokers = cluster.brokers.iter().cloned().chain(new).collect();
    world.last_id = first + count.cast_signed();
    let made = same_lists(cluster, brokers)?;
    world.take(made);
    Ok(())
}

/// Brokers of one node type become another.
pub(super) fn retype(world: &mut World<'_>, from: &str, to: &str) -> Result<(), WhatifError> {
    let to = world.node_type(to)?;
    let is_of = |broker: &Broker| broker.node.as_ref().is_some_and(|node| node.name == from);
    if !world.cluster.brokers.iter().any(is_of) {
        let mut names: Vec<&str> = world
            .cluster
            .brokers
            .iter()
            .filter_map(|broker| Some(broker.node.as_ref()?.name.as_str()))
            .collect();
        names.sort_unstable();
        names.dedup();
        let accepted = match names.as_slice() {
            [] => "node types of brokers: a topology file gives them (--topology)".into(),
            names => format!("one of {}", names.join(", ")),
        };
        return Err(WhatifError::edit(format!("no broker is of node type {from:?}"), accepted));
    }
    let held = crate::model::capacity::held_bytes(&world.cluster);
    let retyped = |(broker, held): (&Broker, u64)| {
        if !is_of(broker) {
            return broker.clone();
        }
        let mut broker = with_node(broker.clone(), &to);
        for dir in &mut broker.log_dirs {
            dir.usable_bytes = dir.total_bytes.map(|total| total.saturating_sub(held));
        }
        broker
    };
    let brokers = world.cluster.brokers.iter().zip(held).map(retyped).collect();
    let made = same_lists(&world.cluster, brokers)?;
    world.take(made);
    Ok(())
}

/// A broker of this type, its disk empty.
fn with_node(broker: Broker, node: &NodeType) -> Broker {
    let dir = |total| LogDir {
        path: String::new(),
        total_bytes: Some(total),
        usable_bytes: Some(total),
        offline: false,
    };
    let log_dirs = node.disk_bytes.map(dir).into_iter().collect();
    Broker { log_dirs, node: Some(node.clone()), ..broker }
}

/// A broker as another one, its disk empty. What other software keeps on the disk is not known, and not copied.
fn empty_as(like: &Broker) -> Broker {
    let empty = |dir: &LogDir| LogDir { usable_bytes: dir.total_bytes, offline: false, ..dir.clone() };
    Broker {
        log_dirs: like.log_dirs.iter().map(empty).collect(),
        node: like.node.clone(),
        sockets: like.sockets,
        ..Broker::bare(BrokerId(0))
    }
}

/// The same partitions on brokers that have changed or come.
fn same_lists(cluster: &Cluster, brokers: Vec<Broker>) -> Result<Cluster, WhatifError> {
    let copy = |topic: &Topic, number, row: &mut Row| row.copy(cluster, cluster.partition_in(topic, number));
    Ok(rebuild(cluster, brokers, |topic| topic.partitions, copy)?)
}

/// Partitions that a what-if has at most: a snapshot of more is not read in reasonable time either.
const MOST_PARTITIONS: u64 = 10_000_000;

/// More partitions for topics. What the topic holds and gets is spread evenly over all: as it is once the old data is
/// gone by retention, where keys are many. A new partition lies as an old one does, on the next brokers of its zones.
pub(super) fn partitions(world: &mut World<'_>, pattern: &str, count: u32) -> Result<(), WhatifError> {
    let found = world.matching(pattern)?;
    let cluster = &world.cluster;
    let more = cluster.topics.iter().zip(&found).find(|(topic, is)| **is && topic.partitions > count);
    if let Some((topic, _)) = more {
        let found = format!("topic {} has {} partitions", topic.name, topic.partitions);
        return Err(WhatifError::edit(found, format!("{} or more: Kafka takes none away", topic.partitions)));
    }
    let sum: u64 = cluster
        .topics
        .iter()
        .zip(&found)
        .map(|(topic, is)| u64::from(if *is { count } else { topic.partitions }))
        .sum();
    if sum > MOST_PARTITIONS {
        let accepted = format!("{MOST_PARTITIONS} at most in all topics together");
        return Err(WhatifError::edit(format!("{sum} partitions"), accepted));
    }
    if let Some((topic, _)) =
        cluster.topics.iter().zip(&found).find(|(topic, is)| **is && topic.partitions == 0)
    {
        let found = format!("topic {} has no partition in the snapshot", topic.name);
        return Err(WhatifError::edit(found, "topics with some, beside which new ones are placed"));
    }
    let next = Next::of(cluster);
    let is_found: BTreeSet<u32> =
        cluster.topics.iter().zip(&found).filter(|(_, is)| **is).map(|(topic, _)| topic.first).collect();
    let grows = |topic: &Topic| topic.partitions > 0 && is_found.contains(&topic.first);
    let counts = |topic: &Topic| if grows(topic) { count } else { topic.partitions };
    let mut sums = Sums::default();
    let made = rebuild(cluster, cluster.brokers.clone(), counts, |topic, number, row| {
        let old = topic.partitions.max(1);
        row.copy(cluster, cluster.partition_in(topic, number % old));
        if !grows(topic) {
            return;
        }
        if number == 0 {
            sums = Sums::of(cluster, topic);
        }
        let each = |sum: Option<u64>| sum.map(|sum| sum / u64::from(count));
        row.sizes.iter_mut().for_each(|size| *size = each(sums.bytes).unwrap_or(UNKNOWN_SIZE));
        (row.write_rate, row.read_rate, row.request_rate) =
            (each(sums.write), each(sums.read), each(sums.requests));
        if number >= old {
            next.place(row, (number / old) as usize);
        }
    })?;
    world.take(made);
    world.notes.push(format!(
        "new partitions of {pattern:?} are laid as old ones are, on the next brokers of their zones: what Kafka draws may \
         differ, and the bytes that go there over time are in no cost"
    ));
    Ok(())
}

/// What a topic holds and gets in all its partitions; `None` where that of one is unknown.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    bytes: Option<u64>,
    write: Option<u64>,
    read: Option<u64>,
    requests: Option<u64>,
}

impl Sums {
    fn of(cluster: &Cluster, topic: &Topic) -> Self {
        let mut sum = Sums { bytes: Some(0), write: Some(0), read: Some(0), requests: Some(0) };
        let add = |sum: Option<u64>, one: Option<u64>| sum?.checked_add(one?);
        for p in cluster.partitions_of(topic) {
            sum.bytes = add(sum.bytes, p.copy_bytes());
            sum.write = add(sum.write, p.write_rate);
            sum.read = add(sum.read, p.read_rate);
            sum.requests = add(sum.requests, p.request_rate);
        }
        sum
    }
}

/// The brokers that serve, zone by zone.
struct Next {
    /// By zone, its brokers that serve.
    circles: BTreeMap<Option<String>, Vec<BrokerId>>,
    /// By broker, its zone and its place in the circle; of one that does not serve, where it would be.
    places: BTreeMap<BrokerId, (Option<String>, usize)>,
}

impl Next {
    fn of(cluster: &Cluster) -> Self {
        let mut next = Next { circles: BTreeMap::new(), places: BTreeMap::new() };
        for broker in &cluster.brokers {
            let circle = next.circles.entry(broker.zone.clone()).or_default();
            next.places.insert(broker.id, (broker.zone.clone(), circle.len()));
            if broker.serves() {
                circle.push(broker.id);
            }
        }
        next
    }

    /// Puts a new partition so many places further than the old one: each replica in its zone, on a broker that serves and
    /// has none of it yet. Where a zone has no such broker, the partition has a replica less.
    fn place(&self, row: &mut Row, shift: usize) {
        let mut list: Vec<BrokerId> = Vec::with_capacity(row.replicas.len());
        for id in &row.replicas {
            let Some((zone, at)) = self.places.get(id) else { continue };
            let circle = self.circles.get(zone).map_or(&[][..], Vec::as_slice);
            let free = (0..circle.len())
                .map(|n| circle[(at + shift + n) % circle.len()])
                .find(|id| !list.contains(id));
            list.extend(free);
        }
        if list.is_empty() {
            // Nobody serves: the partition is offline as the old one is.
            row.isr.clear();
            row.leader = None;
            return;
        }
        row.sizes.truncate(list.len());
        row.moving = InFlight::default();
        row.isr.clone_from(&list);
        row.leader = list.first().copied();
        row.replicas = list;
    }
}

/// The brokers stand in so many zones, as even as they go. Brokers of the largest ids of each zone make up a new one;
/// those of zones that are given up go where there are fewest.
pub(super) fn zones(world: &mut World<'_>, count: u32) -> Result<(), WhatifError> {
    let cluster = &world.cluster;
    let mut names: Vec<String> = cluster.brokers.iter().filter_map(|broker| broker.zone.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let count = count as usize;
    if count > cluster.brokers.len() {
        let found = format!("{count} zones for {} brokers", cluster.brokers.len());
        return Err(WhatifError::edit(found, "a broker for each zone at least"));
    }
    let kept = names.len().min(count);
    names.truncate(count);
    for number in kept..count {
        let name = (number..).map(zone_name).find(|name| !names.contains(name));
        names.extend(name);
    }
    let mut brokers = cluster.brokers.clone();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut loose: Vec<usize> = Vec::new();
    for (at, broker) in brokers.iter().enumerate() {
        let own = names[..kept].iter().position(|name| broker.zone.as_ref() == Some(name));
        match own {
            Some(zone) => members[zone].push(at),
            None => loose.push(at),
        }
    }
    let (part, spare) = (brokers.len() / count, brokers.len() % count);
    // The larger parts go to the zones that have most.
    let mut allowed = vec![part; count];
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|zone| (std::cmp::Reverse(members[*zone].len()), *zone));
    order.iter().take(spare).for_each(|zone| allowed[*zone] += 1);
    for (zone, own) in members.iter_mut().enumerate() {
        loose.extend(own.drain(allowed[zone].min(own.len())..));
    }
    loose.sort_unstable();
    for at in loose {
        if let Some(zone) = (0..count).find(|zone| members[*zone].len() < allowed[*zone]) {
            members[zone].push(at);
        }
    }
    for (name, own) in names.iter().zip(&members) {
        for at in own.iter().filter(|at| cluster.brokers[**at].zone.as_ref() != Some(name)) {
            brokers[*at].zone = Some(name.clone());
            brokers[*at].rack = Some(name.clone());
        }
        let ids: Vec<BrokerId> = own.iter().map(|at| brokers[*at].id).collect();
        world.notes.push(format!("zone {name} has brokers {}", crate::model::replicas::show(&ids)));
    }
    let made = same_lists(cluster, brokers)?;
    world.take(made);
    Ok(())
}

/// `az-c` for 2.
fn zone_name(number: usize) -> String {
    match u8::try_from(number).ok().filter(|number| *number < 26) {
        Some(letter) => format!("az-{}", char::from(b'a' + letter)),
        None => format!("az-{number}"),
    }
}
