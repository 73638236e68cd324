//! What is in flight, and whether one more fits.

use std::collections::{BTreeMap, BTreeSet};

use super::Disks;
use super::links::Links;
use crate::model::BrokerId;
use crate::plan::{Move, Plan, moves};

/// What a move occupies while it is in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The leader that its copies are fetched from.
    pub leader: BrokerId,
    /// Brokers that fetch a copy.
    pub incoming: Vec<BrokerId>,
    /// Bytes of each copy; `None` where unknown.
    pub bytes: Option<u64>,
    /// Bytes/s that producers write to it; `None` where unknown.
    pub ingest: Option<u64>,
    /// Followers in sync: the leader's quota counts what they fetch while the partition is listed.
    pub in_sync: usize,
}

impl Ports {
    /// The ports of a move whose leader is known.
    pub fn of(m: &Move<'_>, leader: BrokerId, ingest: Option<u64>) -> Self {
        let incoming = moves::added(m.from, m.to);
        Ports { leader, incoming, bytes: m.bytes, ingest, in_sync: m.from.len().saturating_sub(1) }
    }

    /// A copy has joined: its follower fetches as an in-sync one, and its place is free again.
    pub fn join(&mut self, broker: BrokerId) {
        let before = self.incoming.len();
        self.incoming.retain(|id| *id != broker);
        self.in_sync += before - self.incoming.len();
    }

    /// Known bytes of all its copies.
    pub fn all_bytes(&self) -> u64 {
        self.bytes.unwrap_or(0).saturating_mul(self.incoming.len() as u64)
    }

    /// Bytes/s that the leader's quota counts when its copies keep up: producers' bytes, once for each in-sync
    /// follower and each copy (KIP-73: in-sync replicas are counted, though never delayed).
    pub fn counted_at_leader(&self) -> u64 {
        self.ingest.unwrap_or(0).saturating_mul((self.in_sync + self.incoming.len()) as u64)
    }
}

/// Bytes that wait to be sent, and to be fetched, by broker.
pub(super) type Due = BTreeMap<BrokerId, (u64, u64)>;

/// How much may be in flight in one place. `usize::MAX` and `u64::MAX` are no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// Moves that take long; shorter ones count in proportion to their bytes. Of a broker, up to four times as
    /// many go where the other end would idle and has not much less to do.
    pub moves: usize,
    /// Bytes, unless a single move is larger.
    pub bytes: u64,
}

impl Cap {
    /// No limit.
    pub const NONE: Cap = Cap { moves: usize::MAX, bytes: u64::MAX };
}

/// How much may be in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Per broker and direction: what comes in and what it leads are counted apart.
    pub broker: Cap,
    /// Per zone: what comes in.
    pub zone: Cap,
    /// In the cluster.
    pub cluster: Cap,
    /// Copies that one leader sends at once at most, however short; a single move may have more.
    pub fan_out: usize,
    /// Replication throttle per broker and direction in bytes/s; `None` is no throttle.
    pub throttle: Option<u64>,
}

impl Limits {
    /// A number of long moves per broker and direction, and nothing else.
    pub fn per_broker(moves: usize, throttle: Option<u64>) -> Self {
        let broker = Cap { moves, bytes: u64::MAX };
        Limits { broker, zone: Cap::NONE, cluster: Cap::NONE, fan_out: usize::MAX, throttle }
    }
}

/// A move counts as a whole one if it takes at least this long at the throttle, else in proportion: a count that
/// was made for big partitions does not queue tiny ones.
const SLOT_SECONDS: u64 = 10;
/// The same where there is no throttle.
const SLOT_BYTES: u64 = 256 << 20;
/// A whole move.
const WHOLE: u64 = 1000;
/// A count is passed up to this many times where the other end would idle and has not much less to do: throttles are shared
/// evenly, so a broker whose few copies all go to (or come from) busy ones does not get its part.
const MOST: u64 = 4;
/// However small, a move counts as much as this: 200 of them as one.
const LEAST: u64 = 5;
/// Part of the throttle, in percent, that ingest may take: the rest is for copies that catch up.
const INGEST_PERCENT: u64 = 50;

/// Bytes from which on a copy counts as a whole move.
pub fn slot_bytes(throttle: Option<u64>) -> u64 {
    throttle.map_or(SLOT_BYTES, |rate| rate.saturating_mul(SLOT_SECONDS)).max(1)
}

/// What is in flight in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Port {
    moves: usize,
    copies: usize,
    /// Moves in thousandths, tiny ones in proportion.
    weight: u64,
    bytes: u64,
    /// Bytes/s that the quota counts of producers' writes.
    counted: u64,
}

impl Port {
    fn add(&mut self, more: Port) {
        self.moves += more.moves;
        self.copies += more.copies;
        self.weight += more.weight;
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.counted = self.counted.saturating_add(more.counted);
    }

    fn take(&mut self, less: Port) {
        self.moves = self.moves.saturating_sub(less.moves);
        self.copies = self.copies.saturating_sub(less.copies);
        self.weight = self.weight.saturating_sub(less.weight);
        self.bytes = self.bytes.saturating_sub(less.bytes);
        self.counted = self.counted.saturating_sub(less.counted);
    }

    /// Whether the count is reached `times` times.
    fn is_full(&self, cap: &Cap, times: u64) -> bool {
        self.weight >= (cap.moves as u64).saturating_mul(WHOLE * times)
    }

    fn fits_bytes(&self, more: &Port, cap: &Cap) -> bool {
        self.moves == 0 || self.bytes.saturating_add(more.bytes) <= cap.bytes
    }

    fn fits(&self, more: &Port, cap: &Cap) -> bool {
        !self.is_full(cap, 1) && self.fits_bytes(more, cap)
    }

    /// The progress condition: what is counted already leaves the copies a share. One that takes more than its
    /// part alone goes alone.
    fn leaves_share(&self, more: &Port, throttle: Option<u64>) -> bool {
        let Some(rate) = throttle else { return true };
        let counted = self.counted.saturating_add(more.counted);
        more.counted == 0
            || u128::from(counted) * 100 <= u128::from(rate) * u128::from(INGEST_PERCENT)
            || self.counted == 0
    }
}

/// Whether an end of a copy takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It does.
    Open,
    /// Its count is reached: only where the other end idles.
    Full,
    /// Nothing, whatever it is.
    Closed,
}

/// What is in flight.
#[derive(Debug, Clone)]
pub struct Window {
    limits: Limits,
    zones: BTreeMap<BrokerId, u32>,
    leads: BTreeMap<BrokerId, Port>,
    comes: BTreeMap<BrokerId, Port>,
    comes_to_zone: BTreeMap<u32, Port>,
    all: Port,
    links: Links,
    unfit: BTreeSet<BrokerId>,
    /// Room on disks; `None` where it was judged for all moves at once (staged runs).
    pub disks: Option<Disks>,
}

impl Window {
    /// An empty window over the brokers of a plan.
    pub fn new(plan: &Plan, limits: Limits) -> Self {
        let mut names: Vec<Option<&str>> = plan.brokers.iter().map(|b| b.zone.as_deref()).collect();
        names.sort_unstable();
        names.dedup();
        let zone = |name: &Option<String>| names.partition_point(|n| *n < name.as_deref()) as u32;
        Window {
            limits,
            zones: plan.brokers.iter().map(|b| (b.id, zone(&b.zone))).collect(),
            leads: BTreeMap::new(),
            comes: BTreeMap::new(),
            comes_to_zone: BTreeMap::new(),
            all: Port::default(),
            links: Links::default(),
            unfit: BTreeSet::new(),
            disks: None,
        }
    }

    /// Brokers that must not take part now: nothing is admitted that they send or fetch.
    pub fn keep_out(&mut self, brokers: impl IntoIterator<Item = BrokerId>) {
        self.unfit.extend(brokers);
    }

    /// Takes a move that is in flight already, whatever the limits say.
    pub fn occupy(&mut self, ports: &Ports) {
        let (out, into, zones) = self.shares(ports);
        self.leads.entry(ports.leader).or_default().add(out);
        ports.incoming.iter().for_each(|id| self.comes.entry(*id).or_default().add(into));
        zones.into_iter().for_each(|(zone, part)| self.comes_to_zone.entry(zone).or_default().add(part));
        self.all.add(out);
        ports.incoming.iter().for_each(|id| self.links.add(ports.leader, *id));
    }

    /// Gives back what a move occupied. Its bytes stay on the disks.
    pub fn release(&mut self, ports: &Ports) {
        let (out, into, zones) = self.shares(ports);
        let take = |port: Option<&mut Port>, part| port.into_iter().for_each(|port| port.take(part));
        take(self.leads.get_mut(&ports.leader), out);
        ports.incoming.iter().for_each(|id| take(self.comes.get_mut(id), into));
        zones.into_iter().for_each(|(zone, part)| take(self.comes_to_zone.get_mut(&zone), part));
        self.all.take(out);
        ports.incoming.iter().for_each(|id| self.links.take(ports.leader, *id));
    }

    /// Takes a move if there is room for it; whether it did. `due` are the bytes that wait for each broker.
    pub(super) fn admit(&mut self, ports: &Ports, due: &Due) -> bool {
        let fits = self.fits(ports, due);
        if fits {
            self.occupy(ports);
            if let Some(disks) = &mut self.disks {
                ports.incoming.iter().for_each(|id| disks.reserve(*id, ports.bytes.unwrap_or(0)));
            }
        }
        fits
    }

    fn fits(&self, ports: &Ports, due: &Due) -> bool {
        let (out, into, zones) = self.shares(ports);
        let (limits, none) = (&self.limits, Port::default());
        let leader = self.leads.get(&ports.leader).unwrap_or(&none);
        let fits_disk =
            |id: &BrokerId| self.disks.as_ref().is_none_or(|d| d.fits(*id, ports.bytes.unwrap_or(0)));
        let cap = &limits.broker;
        self.are_open(ports, due)
            && leader.fits_bytes(&out, cap)
            && leader.leaves_share(&out, limits.throttle)
            && (leader.copies == 0 || leader.copies + out.copies <= limits.fan_out)
            && self.all.fits(&out, &limits.cluster)
            && zones
                .iter()
                .all(|(zone, part)| self.comes_to_zone.get(zone).unwrap_or(&none).fits(part, &limits.zone))
            && ports.incoming.iter().all(|id| {
                let port = self.comes.get(id).unwrap_or(&none);
                port.fits_bytes(&into, cap) && port.leaves_share(&into, limits.throttle) && fits_disk(id)
            })
    }

    /// Whether the leader can send more.
    pub(super) fn gate_out(&self, leader: BrokerId) -> Gate {
        let port = self.leads.get(&leader);
        let is_out =
            self.unfit.contains(&leader) || port.is_some_and(|port| port.copies >= self.limits.fan_out);
        self.gate(is_out, port)
    }

    /// Whether the broker can take more.
    pub(super) fn gate_in(&self, broker: BrokerId) -> Gate {
        let zone = self.zones.get(&broker).and_then(|zone| self.comes_to_zone.get(zone));
        let is_zone_full = zone.is_some_and(|port| port.is_full(&self.limits.zone, 1));
        self.gate(is_zone_full || self.unfit.contains(&broker), self.comes.get(&broker))
    }

    fn gate(&self, is_out: bool, port: Option<&Port>) -> Gate {
        let is_full = |times| port.is_some_and(|port| port.is_full(&self.limits.broker, times));
        match (is_out || is_full(MOST), is_full(1)) {
            (true, _) => Gate::Closed,
            (_, true) => Gate::Full,
            _ => Gate::Open,
        }
    }

    /// Whether one more copy may go from this leader to this broker: both have room, or one has reached its count
    /// while the other idles and has not much less to do.
    pub(super) fn is_open(&self, leader: BrokerId, to: BrokerId, due: &Due) -> bool {
        let gates = (self.gate_out(leader), self.gate_in(to));
        if gates.0 == Gate::Closed || gates.1 == Gate::Closed {
            return false;
        }
        if gates == (Gate::Open, Gate::Open) {
            return true;
        }
        let waits = |id: &BrokerId| due.get(id).copied().unwrap_or_default();
        let (sent, fetched) = (self.bytes(leader).0, self.bytes(to).1);
        let (sends, fetches) = (waits(&leader).0.saturating_add(sent), waits(&to).1.saturating_add(fetched));
        (gates.0 == Gate::Open || (fetches.saturating_mul(MOST) > sends && self.links.idles_in(to)))
            && (gates.1 == Gate::Open || (sends.saturating_mul(MOST) > fetches && self.idles_out(leader)))
    }

    /// Whether the leader's copies get less than its throttle.
    pub(super) fn idles_out(&self, leader: BrokerId) -> bool {
        self.links.idles_out(leader)
    }

    /// Whether a move of this lane may go, whatever its other copies are.
    pub(super) fn may_open(&self, leader: BrokerId, to: BrokerId, due: &Due) -> bool {
        self.is_open(leader, to, due) || self.is_stuck(leader, to)
    }

    /// Whether the leader's copies are stuck at busy brokers like this one, so that it idles.
    fn is_stuck(&self, leader: BrokerId, to: BrokerId) -> bool {
        let is_closed = self.gate_out(leader) == Gate::Closed || self.gate_in(to) == Gate::Closed;
        !is_closed && self.idles_out(leader)
    }

    /// Whether all copies may go; or the leader is stuck, and one of them goes where there is room.
    fn are_open(&self, ports: &Ports, due: &Due) -> bool {
        let is_open = |id: &BrokerId| self.is_open(ports.leader, *id, due);
        ports.incoming.iter().all(is_open)
            || (ports.incoming.iter().all(|id| self.is_stuck(ports.leader, *id))
                && ports
                    .incoming
                    .iter()
                    .any(|id| self.gate_in(*id) == Gate::Open && self.links.idles_in(*id)))
    }

    /// Whether the bytes in flight in the whole cluster leave room for a move.
    pub(super) fn has_bytes(&self, ports: &Ports) -> bool {
        self.all.fits_bytes(&self.shares(ports).0, &self.limits.cluster)
    }

    /// Whether nothing more can be admitted anywhere.
    pub(super) fn is_closed(&self) -> bool {
        self.all.is_full(&self.limits.cluster, 1)
    }

    /// Bytes in flight that this broker sends, and that it fetches.
    pub(super) fn bytes(&self, broker: BrokerId) -> (u64, u64) {
        let bytes = |ports: &BTreeMap<BrokerId, Port>| ports.get(&broker).map_or(0, |port| port.bytes);
        (bytes(&self.leads), bytes(&self.comes))
    }

    /// What a move takes at its leader, at each broker that fetches, and in each zone.
    fn shares(&self, ports: &Ports) -> (Port, Port, BTreeMap<u32, Port>) {
        let slot = u128::from(slot_bytes(self.limits.throttle));
        let part = |bytes: Option<u64>, copies: u64| match bytes {
            // Unknown is never small.
            None => WHOLE,
            Some(bytes) => {
                let part = u128::from(bytes) * u128::from(copies) * u128::from(WHOLE) / slot;
                (part as u64).clamp(LEAST, WHOLE)
            }
        };
        let copies = ports.incoming.len();
        let out = Port {
            moves: 1,
            copies,
            weight: part(ports.bytes, copies as u64),
            bytes: ports.all_bytes(),
            counted: ports.counted_at_leader(),
        };
        let into = Port {
            moves: 1,
            copies: 1,
            weight: part(ports.bytes, 1),
            bytes: ports.bytes.unwrap_or(0),
            counted: ports.ingest.unwrap_or(0),
        };
        let mut zones: BTreeMap<u32, Port> = BTreeMap::new();
        for zone in ports.incoming.iter().filter_map(|id| self.zones.get(id)) {
            zones.entry(*zone).or_default().add(into);
        }
        (out, into, zones)
    }
}
