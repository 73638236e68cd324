//! Another replication factor, and lists that are spread over zones again.

use super::changes::Changes;
use super::refuse::{Refused, refusal};
use super::scope::{Scope, is_in_service};
use super::seats::Seats;
use super::{Made, RefusalKind};
use crate::model::racks::kept;
use crate::model::watch::Watch;
use crate::model::{BrokerId, Partition, Topic, Topology};
use crate::plan::Intent;

/// Every partition gets `factor` replicas.
pub(super) fn set(
    scope: &Scope<'_>,
    topology: &Topology,
    factor: u32,
    refused: &mut Refused,
    watch: &mut dyn Watch,
) -> Made {
    let mut made = Made::default();
    let wanted = factor as usize;
    let mut tight = 0;
    for topic in covered(scope) {
        let Some((min_isr, _)) = topic.min_isr else { continue };
        tight += usize::from(min_isr == factor);
        if min_isr > factor {
            for p in scope.cluster.partitions_of(topic).filter(|p| p.replicas.len() > wanted) {
                let reason = format!(
                    "min.insync.replicas is {min_isr}: with {factor} replicas it could not be met any more"
                );
                let (kind, action) = (RefusalKind::MinIsrAboveFactor, "set min.insync.replicas first");
                refused.add(p.index, refusal(scope, topic, &p, kind, reason, action));
            }
        }
    }
    if tight > 0 {
        made.notes.push(format!(
            "min.insync.replicas of {tight} topics is the new replication factor: writes with acks=all stop while any \
             replica is away"
        ));
    }
    made.changes = each(scope, topology, refused, watch, |seats, p| {
        let mut list = p.replicas.to_vec();
        while list.len() > wanted {
            let at = dispensable(seats, &list, p);
            seats.take(list.remove(at), p.copy_bytes().unwrap_or(0));
        }
        seats.complete(list, wanted, p.copy_bytes().unwrap_or(0))
    });
    made
}

/// The position that a list can do without best: not on a pinned broker, not the preferred leader, in a zone where its
/// topic must not be, of the zone and then the rack with the most, out of sync, on the broker with the most.
fn dispensable(seats: &Seats<'_>, list: &[u16], p: &Partition<'_>) -> usize {
    let zones = seats.zones_of(list);
    let in_sync = |broker: u16| p.replicas.iter().position(|b| *b == broker).is_some_and(|at| p.in_sync(at));
    let key = |at: &usize| {
        let broker = list[*at];
        let is_outside = !seats.allowed()[seats.zone(broker)];
        let zone = zones[seats.zone(broker)];
        let leads = *at == 0 && in_sync(broker);
        let rack = seats.in_rack(list, broker);
        (!seats.is_pinned(broker), !leads, is_outside, zone, rack, !in_sync(broker), seats.load(broker), *at)
    };
    (0..list.len()).max_by_key(key).unwrap_or(0)
}

/// Replicas on dead brokers are made again, and what a zone or a rack has too many of goes to one that lacks it.
pub(super) fn repair(
    scope: &Scope<'_>,
    topology: &Topology,
    refused: &mut Refused,
    watch: &mut dyn Watch,
) -> Made {
    let is_dead: Vec<bool> = scope.cluster.brokers.iter().map(|broker| !is_in_service(broker)).collect();
    let mut crowded = 0;
    let changes = each(scope, topology, refused, watch, |seats, p| {
        let topic = scope.cluster.topic_of(p.index);
        let is_alive = p.replicas.iter().all(|broker| !is_dead[*broker as usize]);
        if is_alive && seats.is_spread(topic, p.replicas) {
            return Some(p.replicas.to_vec());
        }
        let kept = keep(seats, p, &is_dead);
        let (list, gone): (Vec<u16>, Vec<u16>) = p.replicas.iter().partition(|broker| kept.contains(broker));
        let bytes = p.copy_bytes().unwrap_or(0);
        gone.iter().for_each(|broker| seats.take(*broker, bytes));
        let list = seats.complete(list, p.replicas.len(), bytes)?;
        if topology.is_zoned() && topology.is_uneven(topic, &list) {
            return Some(list);
        }
        let back = gone.into_iter().filter(|broker| !is_dead[*broker as usize]).collect();
        let list = take_back(seats, list, back, p);
        crowded += usize::from(!seats.is_spread(topic, &list));
        Some(list)
    });
    let mut made = Made { changes, ..Made::default() };
    if crowded > 0 {
        made.notes.push(format!(
            "{crowded} partitions keep more replicas in one rack than they need: no broker in another rack of their zone \
             has a place now; repair again when this plan is done"
        ));
    }
    made
}

/// The list without replacements in the rack of what they replace, where no other rack had a place.
fn take_back(seats: &mut Seats<'_>, mut list: Vec<u16>, gone: Vec<u16>, p: &Partition<'_>) -> Vec<u16> {
    let bytes = p.copy_bytes().unwrap_or(0);
    for broker in gone {
        let is_no_better =
            |other: &u16| !p.replicas.contains(other) && seats.rack(*other) == seats.rack(broker);
        if let Some(at) = list.iter().position(is_no_better) {
            seats.take(list.remove(at), bytes);
            seats.put(broker, bytes);
            list.push(broker);
        }
    }
    let place = |broker: &u16| p.replicas.iter().position(|other| other == broker).unwrap_or(usize::MAX);
    list.sort_by_key(place);
    list
}

/// The replicas that stay: as many of each zone that their topic may be in, and of each of its racks, as its even part,
/// those on pinned brokers, in sync and leading first.
fn keep(seats: &Seats<'_>, p: &Partition<'_>, is_dead: &[bool]) -> Vec<u16> {
    let mut order: Vec<usize> =
        (0..p.replicas.len()).filter(|at| !is_dead[p.replicas[*at] as usize]).collect();
    let alive: Vec<u16> = order.iter().map(|at| p.replicas[*at]).collect();
    let racks = seats.racks_for(&alive, p.copy_bytes().unwrap_or(0));
    let held = |rack: &usize| alive.iter().filter(|broker| seats.rack(**broker) == *rack).count();
    let held: Vec<Vec<usize>> = racks.iter().map(|racks| racks.iter().map(held).collect()).collect();
    let mut parts = parts(&held, seats.allowed(), p.replicas.len());
    let is_loose = |at: usize| !seats.is_pinned(p.replicas[at]);
    order.sort_by_key(|at| (is_loose(*at), !p.in_sync(*at), *at != 0, seats.load(p.replicas[*at]), *at));
    let mut kept = Vec::new();
    for broker in order.into_iter().map(|at| p.replicas[at]) {
        let zone = seats.zone(broker);
        let in_rack = kept.iter().filter(|other| seats.rack(**other) == seats.rack(broker)).count();
        let (each, spare) = &mut parts[zone];
        if in_rack < *each || in_rack == *each && *spare > 0 {
            *spare -= usize::from(in_rack == *each);
            kept.push(broker);
        }
    }
    kept
}

/// How many replicas may stay in each zone: so many of each of its racks, and one more in so many racks. Zones that can
/// keep one more get it, as far as the factor is not a multiple of their number.
fn parts(held: &[Vec<usize>], allowed: &[bool], factor: usize) -> Vec<(usize, usize)> {
    let kept = |zone: usize, part: usize| kept(held[zone].iter().copied(), held[zone].len(), part);
    let zones = allowed.iter().filter(|allowed| **allowed).count().max(1);
    let (each, mut spare) = (factor / zones, factor % zones);
    let part = |zone: usize| {
        if !allowed[zone] {
            return (0, 0);
        }
        let more = usize::from(spare > 0 && kept(zone, each + 1) > kept(zone, each));
        spare -= more;
        let (part, racks) = (each + more, held[zone].len().max(1));
        (part / racks, part % racks)
    };
    (0..held.len()).map(part).collect()
}

/// A pinned broker that a list does not hold any more.
fn leaves_pinned(scope: &Scope<'_>, p: &Partition<'_>, list: &[u16]) -> Option<BrokerId> {
    let mut gone = p.replicas.iter().map(|broker| *broker as usize);
    let left = gone.find(|at| scope.is_pinned[*at] && !list.contains(&(*at as u16)));
    left.map(|at| scope.cluster.brokers[at].id)
}

fn covered<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = &'a Topic> {
    scope.cluster.topics.iter().zip(&scope.covered).filter(|(_, covered)| **covered).map(|(topic, _)| topic)
}

/// Lists of all partitions, topic by topic, the largest partitions first; those that get none are refused.
fn each(
    scope: &Scope<'_>,
    topology: &Topology,
    refused: &mut Refused,
    watch: &mut dyn Watch,
    mut list: impl FnMut(&mut Seats<'_>, &Partition<'_>) -> Option<Vec<u16>>,
) -> Changes {
    let cluster = scope.cluster;
    let is_repair = matches!(scope.intent, Intent::Repair { .. });
    let mut seats = Seats::new(scope, topology);
    let mut lists: Vec<(u32, Vec<u16>)> = Vec::new();
    let total = cluster.topics.len() as u64;
    for (number, topic) in covered(scope).enumerate() {
        watch.phase("place", number as u64, total);
        seats.begin(topic, cluster.partitions_of(topic).map(|p| p.replicas));
        let mut order: Vec<Partition<'_>> =
            cluster.partitions_of(topic).filter(|p| !refused.has(p.index)).collect();
        order.sort_by_key(|p| (std::cmp::Reverse(p.copy_bytes()), p.index));
        for p in order {
            let mut say = |kind, reason, action| {
                refused.add(p.index, refusal(scope, topic, &p, kind, reason, action));
            };
            let list = list(&mut seats, &p);
            if let Some(id) = list.as_ref().and_then(|list| leaves_pinned(scope, &p, list)) {
                let reason = format!("its replica on broker {id}, which is pinned, would have to leave");
                say(RefusalKind::Pinned, reason, "leave that broker out of --pin-brokers");
                continue;
            }
            match list {
                None => {
                    let zones = match &topic.zones[..] {
                        [] => String::new(),
                        zones => format!(" in the zones that its topic may be in ({})", zones.join(", ")),
                    };
                    let reason =
                        format!("there are fewer usable brokers with room for it than it needs{zones}");
                    say(RefusalKind::TooFewDestinations, reason, "add brokers first");
                }
                // What a repair leaves as it was is not repaired.
                Some(list) if list == p.replicas && !is_repair => {}
                Some(list) if topology.is_zoned() && topology.is_uneven(topic, &list) => {
                    let zones = seats.zones_of(&list);
                    let allowed = zones.iter().enumerate().filter(|(at, _)| seats.allowed()[*at]);
                    let least = allowed.min_by_key(|(_, count)| **count).map_or(0, |(at, _)| at);
                    let reason = format!(
                        "zone {} has too few usable brokers for its part of {} replicas",
                        topology.name(least as u16),
                        list.len()
                    );
                    say(RefusalKind::ZoneWithoutDestination, reason, "add brokers to that zone first");
                }
                Some(list) if list == p.replicas => {}
                Some(list) => lists.push((p.index, list)),
            }
        }
    }
    lists.sort_unstable();
    let mut changes = Changes::default();
    lists.iter().for_each(|(index, list)| changes.push(*index, list));
    changes
}
