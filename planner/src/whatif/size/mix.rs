//! Mixes of node types that are enough as sums: one integer program for each zone, as neither brokers nor replicas are
//! shared between zones, and prices add up.

use serde::Serialize;

use super::bear::Operation;
use super::cover::{self, Cover, Row};
use super::need::ZoneNeed;
use super::settle::Placing;
use super::{Offer, SizeError, Survive, Wish};
use crate::model::NodeType;
use crate::model::watch::Watch;
use crate::whatif::fail::Lost;
use crate::whatif::load::{Resource, Terms};

/// How many of one type in one zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Part {
    /// The zone; `-` where brokers have none.
    pub zone: String,
    /// The name of the node type.
    pub node_type: String,
    /// How many.
    pub count: u64,
}

/// How full a zone is, as a sum over its brokers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// The zone.
    pub zone: String,
    /// Of what.
    pub resource: Resource,
    /// When.
    pub operation: Operation,
    /// How much is needed.
    pub needed: u64,
    /// How much may be used: what there is, less the headroom.
    pub usable: u64,
    /// How much there is.
    pub limit: u64,
}

impl Fill {
    /// What stays free, in 1/10,000 of what there is.
    pub fn free(&self) -> u64 {
        let free = u128::from(self.limit.saturating_sub(self.needed));
        (free * 10_000 / u128::from(self.limit.max(1))) as u64
    }
}

/// What keeps a mix from being smaller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// A resource that has the least slack.
    Resource(Fill),
    /// A partition has as many replicas in a zone as the zone has brokers.
    Copies {
        /// The zone.
        zone: String,
        /// How many.
        copies: u32,
    },
}

/// Amounts that one broker of a type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amounts {
    pub disk: u64,
    /// In each direction.
    pub network: u64,
    /// `None`: as many as there are.
    pub replicas: Option<u64>,
}

impl Amounts {
    fn of(&self, resource: Resource) -> Option<u64> {
        match resource {
            Resource::Disk => Some(self.disk),
            Resource::NetworkIn | Resource::NetworkOut => Some(self.network),
            Resource::Replicas => self.replicas,
            Resource::Requests => None,
        }
    }
}

/// A node type that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind<'a> {
    pub node: &'a NodeType,
    pub price: u64,
    /// What it has.
    pub limit: Amounts,
    /// What may be used of it.
    pub usable: Amounts,
}

/// The highest price of a node, in hundredths: ten thousand million.
const MOST_PRICE: u64 = 1_000_000_000_000;

/// The node types that can be used, by name, and why others are left out.
pub(super) fn kinds<'a>(types: &'a [NodeType], wish: &Wish) -> (Vec<Kind<'a>>, Vec<String>) {
    let terms = Terms { peak: wish.peak, headroom: wish.headroom };
    let kind = |node: &'a NodeType| {
        let price = node.price_per_month.ok_or("its price is unknown")?;
        let disk = node.disk_bytes.ok_or("its disk is unknown")?;
        let network = node.network_bytes_per_second.ok_or("its network is unknown")?;
        let limit = Amounts { disk, network, replicas: node.replicas.map(u64::from) };
        let usable = Amounts {
            disk: terms.usable(disk),
            network: terms.usable(network),
            replicas: limit.replicas.map(|replicas| terms.usable(replicas)),
        };
        if price > MOST_PRICE {
            return Err("its price is beyond counting");
        }
        if usable.disk == 0 || usable.network == 0 || usable.replicas == Some(0) {
            return Err("nothing of it may be used with this headroom");
        }
        Ok(Kind { node, price, limit, usable })
    };
    let mut sorted: Vec<&NodeType> = types.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let (mut kinds, mut left_out) = (Vec::<Kind<'_>>::new(), Vec::new());
    for node in sorted {
        let is_known = kinds.last().is_some_and(|last| last.node.name == node.name);
        match kind(node) {
            Ok(_) if is_known => {
                left_out.push(format!("node type {} stands twice: the first counts", node.name));
            }
            Ok(kind) => kinds.push(kind),
            Err(why) => left_out.push(format!("node type {} is left out: {why}", node.name)),
        }
    }
    (kinds, left_out)
}

/// At least so much of each must be usable in a zone: what placing taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Raised {
    pub disk: u64,
    pub network: u64,
    pub replicas: u64,
}

/// Numbers of each kind in each zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// By zone and kind.
    pub counts: Vec<Vec<u64>>,
    pub price: u64,
    pub proved: bool,
    /// The kind that all brokers are to be of.
    pub only: Option<usize>,
}

impl Chosen {
    pub fn brokers(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    fn types(&self) -> usize {
        let kinds = self.counts.first().map_or(0, Vec::len);
        (0..kinds).filter(|kind| self.counts.iter().any(|zone| zone[*kind] > 0)).count()
    }

    /// Whether another one is as good in all that an operator looks at, and better in something.
    fn is_beaten_by(&self, other: &Chosen) -> bool {
        let of = |chosen: &Chosen| (chosen.price, chosen.brokers(), chosen.types());
        let (mine, theirs) = (of(self), of(other));
        theirs != mine && theirs.0 <= mine.0 && theirs.1 <= mine.1 && theirs.2 <= mine.2
    }
}

/// What is sought, over which types.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program<'a> {
    pub kinds: &'a [Kind<'a>],
    pub zones: &'a [ZoneNeed],
    pub survive: Survive,
}

impl Program<'_> {
    fn row(&self, need: u64, gives: impl Fn(&Kind<'_>) -> u64) -> Row {
        Row::new(need, self.kinds.iter().map(gives))
    }

    /// The programs of a zone, any of which will do: where the loss of a broker is to be survived, one for each
    /// network that the largest broker may have.
    fn covers(&self, zone: usize, raised: &Raised, only: Option<usize>) -> Vec<Cover> {
        let need = &self.zones[zone];
        let traffic =
            need.without.iter().map(|without| without.need.network()).fold(need.normal.network(), u64::max);
        let mut rows = vec![
            self.row(need.normal.disk.max(raised.disk), |kind| kind.usable.disk),
            self.row(traffic.max(raised.network), |kind| kind.usable.network),
            self.row(need.normal.replicas.max(raised.replicas), |kind| {
                kind.usable.replicas.unwrap_or(u32::MAX.into())
            }),
            self.row(need.copies.into(), |_| 1),
        ];
        // Replicas that do not fit on smaller disks have to fit on the larger ones.
        let mut disks: Vec<u64> = self.kinds.iter().map(|kind| kind.usable.disk).collect();
        disks.sort_unstable();
        disks.dedup();
        for disk in disks {
            let large = need.large.iter().filter(|size| **size > disk);
            let bytes = large.fold(0, |sum: u64, size| sum.saturating_add(*size));
            if bytes > 0 {
                rows.push(self.row(bytes, |kind| if kind.usable.disk > disk { kind.usable.disk } else { 0 }));
            }
        }
        let allowed: Vec<bool> =
            (0..self.kinds.len()).map(|kind| only.is_none_or(|only| only == kind)).collect();
        let prices: Vec<u64> = self.kinds.iter().map(|kind| kind.price).collect();
        if !self.survive.broker() || need.normal.network() == 0 {
            return vec![Cover { prices, allowed, rows }];
        }
        let networks =
            self.kinds.iter().zip(&allowed).filter(|(_, is)| **is).map(|(kind, _)| kind.usable.network);
        let mut networks: Vec<u64> = networks.collect();
        networks.sort_unstable();
        networks.dedup();
        let cover = |largest: u64| {
            let is_allowed = |(kind, is): (&Kind<'_>, &bool)| *is && kind.usable.network <= largest;
            let allowed = self.kinds.iter().zip(&allowed).map(is_allowed).collect();
            let spare = self.row(need.normal.network().saturating_add(largest), |kind| kind.usable.network);
            let rows = rows.iter().cloned().chain([spare]).collect();
            Cover { prices: prices.clone(), allowed, rows }
        };
        networks.into_iter().map(cover).collect()
    }

    /// The cheapest numbers for every zone, and the bound of their relaxations; of one kind where that is asked for.
    ///
    /// # Errors
    /// If a zone needs more nodes than a cluster has.
    pub fn cheapest(
        &self,
        raised: &[Raised],
        only: Option<usize>,
        watch: &dyn Watch,
    ) -> Result<(Chosen, u64), SizeError> {
        let mut chosen = Chosen { counts: Vec::new(), price: 0, proved: true, only };
        let mut bound = 0u64;
        for (zone, raised) in raised.iter().enumerate() {
            let covers = self.covers(zone, raised, only);
            let found = match only {
                Some(kind) => cover::alone(&covers, kind),
                None => cover::cheapest(&covers, watch),
            };
            let Some(found) = found else {
                return Err(SizeError::TooMany { zone: self.zones[zone].zone.clone(), most: cover::MOST });
            };
            let whole = |price: u128| u64::try_from(price).unwrap_or(u64::MAX);
            chosen.price = chosen.price.saturating_add(whole(found.price));
            bound = bound.saturating_add(whole(found.bound));
            chosen.proved &= found.proved;
            chosen.counts.push(found.counts);
        }
        Ok((chosen, bound))
    }

    /// What may be used of a resource in a zone, and what there is; `None` without a limit.
    fn sums(&self, counts: &[u64], resource: Resource) -> Option<(u64, u64)> {
        let mut sums = (0u64, 0u64);
        for (kind, count) in self.kinds.iter().zip(counts).filter(|(_, count)| **count > 0) {
            let more = |sum: &mut u64, one: u64| *sum = sum.saturating_add(one.saturating_mul(*count));
            more(&mut sums.0, kind.usable.of(resource)?);
            more(&mut sums.1, kind.limit.of(resource)?);
        }
        Some(sums)
    }

    /// What may be used of a resource in a zone, where it has a limit.
    pub fn usable(&self, counts: &[u64], resource: Resource) -> u64 {
        self.sums(counts, resource).map_or(0, |(usable, _)| usable)
    }

    fn fills(&self, zone: usize, counts: &[u64]) -> Vec<Fill> {
        let need = &self.zones[zone];
        let mut fills = Vec::new();
        let mut add = |resource, operation: &Operation, needed: u64, less: (u64, u64)| {
            let Some((usable, limit)) = self.sums(counts, resource).filter(|_| needed > 0) else { return };
            fills.push(Fill {
                zone: need.zone.clone(),
                resource,
                operation: operation.clone(),
                needed,
                usable: usable.saturating_sub(less.0),
                limit: limit.saturating_sub(less.1),
            });
        };
        let both = [Resource::NetworkIn, Resource::NetworkOut];
        for resource in [Resource::Disk, Resource::NetworkIn, Resource::NetworkOut, Resource::Replicas] {
            add(resource, &Operation::Normal, need.normal.of(resource), (0, 0));
        }
        if self.survive.broker() {
            let used = self.kinds.iter().zip(counts).filter(|(_, count)| **count > 0).map(|(kind, _)| kind);
            let largest = used.max_by_key(|kind| kind.usable.network);
            let less = largest.map_or((0, 0), |kind| (kind.usable.network, kind.limit.network));
            for resource in both {
                add(resource, &Operation::WithoutLargest, need.normal.of(resource), less);
            }
        }
        for without in &need.without {
            let operation = Operation::Without(Lost::Zone(without.zone.clone()));
            for resource in both {
                add(resource, &operation, without.need.of(resource), (0, 0));
            }
        }
        fills
    }

    /// The parts of a mix.
    pub fn parts(&self, counts: &[Vec<u64>]) -> Vec<Part> {
        let mut parts = Vec::new();
        for (need, counts) in self.zones.iter().zip(counts) {
            for (kind, count) in self.kinds.iter().zip(counts).filter(|(_, count)| **count > 0) {
                let (zone, node_type) = (need.zone.clone(), kind.node.name.clone());
                parts.push(Part { zone, node_type, count: *count });
            }
        }
        parts
    }

    /// A mix as an answer tells it.
    pub fn offer(&self, chosen: &Chosen, bound: u64, placed: Placing) -> Offer {
        let zones = chosen.counts.iter().enumerate();
        let fills: Vec<Fill> = zones.clone().flat_map(|(zone, counts)| self.fills(zone, counts)).collect();
        let part = |fill: &Fill| u128::from(fill.needed) * 1_000_000_000 / u128::from(fill.usable.max(1));
        let fullest = fills.iter().rev().max_by_key(|fill| part(fill));
        let tight = zones.map(|(zone, counts)| (&self.zones[zone], counts.iter().sum::<u64>()));
        let copies = tight.filter(|(need, brokers)| need.copies > 1 && *brokers == u64::from(need.copies));
        // As many brokers as replicas: it cannot be fuller than that.
        let copies =
            copies.map(|(need, _)| Binding::Copies { zone: need.zone.clone(), copies: need.copies }).next();
        let is_full = fullest.is_some_and(|fill| fill.needed == fill.usable);
        let binding = copies.filter(|_| !is_full).or_else(|| fullest.cloned().map(Binding::Resource));
        Offer {
            mix: self.parts(&chosen.counts),
            brokers: chosen.brokers(),
            price: chosen.price,
            bound,
            proved: chosen.proved,
            binding,
            fills,
            placed,
        }
    }
}

/// The best mixes, the cheapest first, and the bound below which nothing costs: the optimum over all types, and single types that nothing
/// beats in price, brokers and number of types together.
///
/// # Errors
/// If no mix is enough.
pub(super) fn best(
    program: &Program<'_>,
    wish: &Wish,
    watch: &dyn Watch,
) -> Result<(Vec<Chosen>, u64), SizeError> {
    let raised = vec![Raised::default(); program.zones.len()];
    let (mixed, bound) = program.cheapest(&raised, None, watch)?;
    let single =
        (0..program.kinds.len()).filter_map(|kind| program.cheapest(&raised, Some(kind), watch).ok());
    let mut all: Vec<Chosen> = single.map(|(chosen, _)| chosen).collect();
    if !wish.same_type {
        all.push(mixed);
    }
    let rank = |one: &Chosen| (one.price, one.brokers(), one.types());
    all.sort_by(|a, b| (rank(a), &a.counts, a.only).cmp(&(rank(b), &b.counts, b.only)));
    all.dedup_by(|next, first| next.counts == first.counts);
    let beaten: Vec<bool> = all.iter().map(|one| all.iter().any(|other| one.is_beaten_by(other))).collect();
    let mut beaten = beaten.into_iter();
    all.retain(|_| !beaten.next().unwrap_or(false));
    all.truncate(wish.offers);
    Ok((all, bound))
}
