//! P6 for bands: the least bytes that bring brokers as near to their fair shares as the plan does, computed from the
//! snapshot, the intent and the plan's prices.

use super::book::Book;
use super::shape::Lists;
use super::{Promise, Verdict};
use crate::model::{Broker, Cluster, capacity};
use crate::plan::{Bands, Intent, Measure, Plan, Price};

const REPLICAS: usize = 0;
const BYTES: usize = 1;
const RATE: usize = 2;
/// Pairs of replica and broker for which prices are weighed at most.
const PAIRS: usize = 4_000_000_000;

type Amounts = [i128; 3];

/// What brokers hold at the start and at the end, each replica with the bytes of a new copy.
#[derive(Debug)]
pub(super) struct Evenness<'a> {
    cluster: &'a Cluster,
    bands: &'a Bands,
    /// Brokers that get a share; of an addition, the new ones.
    named: Option<&'a [crate::model::BrokerId]>,
    start: Vec<Amounts>,
    end: Vec<Amounts>,
}

pub(super) fn is_in_service(broker: &Broker) -> bool {
    broker.serves() && !broker.log_dirs.iter().any(|dir| dir.offline)
}

impl<'a> Evenness<'a> {
    /// For intents with bands.
    pub fn of(plan: &'a Plan, cluster: &'a Cluster) -> Option<Self> {
        let (bands, named) = match &plan.intent {
            Intent::Rebalance { bands, .. } => (bands, None),
            Intent::Add { bands, brokers, .. } => (bands, Some(brokers.as_slice())),
            _ => return None,
        };
        let mut start = vec![[0; 3]; cluster.brokers.len()];
        for (_, p) in cluster.partitions() {
            let load = amounts(p.copy_bytes(), p.write_rate);
            for broker in p.replicas {
                add(&mut start[*broker as usize], load, 1);
            }
        }
        let end = start.clone();
        Some(Evenness { cluster, bands, named, start, end })
    }

    /// Counts a move.
    pub fn add(&mut self, book: &Book<'_>, lists: &Lists, p: &crate::model::Partition<'_>) {
        let load = amounts(p.copy_bytes(), p.write_rate);
        for (list, sign) in [(&lists.added, 1), (&lists.removed, -1)] {
            for at in list {
                if let Some(broker) = book.entry(*at).at_cluster {
                    add(&mut self.end[broker as usize], load, sign);
                }
            }
        }
    }

    /// The plan's bound must not be above the best that is found here.
    pub fn judge(&self, plan: &Plan, book: &Book<'_>, verdict: &mut Verdict) {
        let mut best = 0;
        let zones = if self.bands.across_zones { 1 } else { book.zones.max(1) as u32 };
        for zone in 0..zones {
            let is_of = |at: u16| zones == 1 || book.zone(book.of_cluster[at as usize]) == zone;
            let brokers: Vec<u16> = (0..self.cluster.brokers.len() as u16)
                .filter(|at| is_of(*at))
                .filter(|at| is_in_service(&self.cluster.brokers[*at as usize]))
                .collect();
            let zone = Zone { even: self, ends: self.ends(&brokers), brokers };
            best += zone.closed().max(zone.dual(&plan.certificate.prices));
        }
        let claimed = i128::from(plan.certificate.bound_bytes);
        if claimed > best {
            let message = format!(
                "the lower bound: the plan says {claimed} bytes, and its bands and prices prove {best}; plan again"
            );
            verdict.add(Promise::P6, None, None, message);
        }
    }

    /// The band of each broker of a zone, as wide as the plan leaves it.
    fn ends(&self, brokers: &[u16]) -> Vec<[(i128, i128); 3]> {
        const WHOLE: i128 = 10_000;
        let resources = [capacity::Resource::Replicas, capacity::Resource::Disk, capacity::Resource::Network];
        let weights = resources.map(|resource| capacity::weights(self.cluster, brokers, resource));
        let tolerance = i128::from(self.bands.tolerance).min(WHOLE);
        let ceiling = |a: i128, b: i128| (a + b - 1) / b;
        let band = |at: usize, m: usize| {
            let (start, end) = (self.start[brokers[at] as usize][m], self.end[brokers[at] as usize][m]);
            let measure = [Measure::Replicas, Measure::Bytes, Measure::WriteRate][m];
            if !self.bands.measures.contains(&measure) {
                return (0, i128::MAX);
            }
            let total: i128 = brokers.iter().map(|broker| self.start[*broker as usize][m]).sum();
            let sum: i128 = weights[m].iter().map(|weight| i128::from(*weight)).sum::<i128>().max(1);
            let part = total * i128::from(weights[m][at]);
            let mut low = ceiling(part * (WHOLE - tolerance), sum * WHOLE).min(part / sum);
            let mut high = (part * (WHOLE + tolerance) / (sum * WHOLE)).max(ceiling(part, sum));
            let id = self.cluster.brokers[brokers[at] as usize].id;
            if self.named.is_some_and(|named| !named.contains(&id)) {
                (low, high) = (low.min(start), high.max(start));
            }
            (low.min(end), high.max(end))
        };
        (0..brokers.len()).map(|at| [band(at, REPLICAS), band(at, BYTES), band(at, RATE)]).collect()
    }
}

fn amounts(bytes: Option<u64>, rate: Option<u64>) -> Amounts {
    [1, i128::from(bytes.unwrap_or(0)), i128::from(rate.unwrap_or(0))]
}

fn add(sum: &mut Amounts, more: Amounts, sign: i128) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += sign * more);
}

/// A zone, or all where replicas may leave theirs. None leaves its own otherwise, so bounds of zones add up.
struct Zone<'a> {
    even: &'a Evenness<'a>,
    brokers: Vec<u16>,
    ends: Vec<[(i128, i128); 3]>,
}

impl Zone<'_> {
    /// What must leave or arrive, in bytes; or what sheds the other measures at the fewest bytes for each unit.
    fn closed(&self) -> i128 {
        let start = |at: usize, m: usize| self.even.start[self.brokers[at] as usize][m];
        let over = |at: usize, m: usize| (start(at, m) - self.ends[at][m].1).max(0);
        let under = |at: usize| (self.ends[at][BYTES].0 - start(at, BYTES)).max(0);
        let all = 0..self.brokers.len();
        let bytes = all.clone().map(|at| over(at, BYTES)).sum::<i128>().max(all.clone().map(under).sum());
        let shed = |m: usize| self.shed(m, all.clone().map(|at| over(at, m)).collect());
        bytes.max(shed(REPLICAS)).max(shed(RATE))
    }

    fn shed(&self, m: usize, over: Vec<i128>) -> i128 {
        let mut held: Vec<Vec<(i128, i128)>> = vec![Vec::new(); over.len()];
        let mut seats = vec![None; self.even.cluster.brokers.len()];
        for (at, broker) in self.brokers.iter().enumerate().filter(|(at, _)| over[*at] > 0) {
            seats[*broker as usize] = Some(at);
        }
        if seats.iter().all(Option::is_none) {
            return 0;
        }
        for (_, p) in self.even.cluster.partitions() {
            let load = amounts(p.copy_bytes(), p.write_rate);
            for at in p.replicas.iter().filter_map(|broker| seats[*broker as usize]) {
                if load[m] > 0 {
                    held[at].push((load[BYTES], load[m]));
                }
            }
        }
        let mut sum = 0;
        for (mut left, mut items) in over.into_iter().zip(held) {
            items.sort_unstable_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)));
            for (bytes, amount) in items {
                let taken = left.min(amount);
                sum += bytes * taken / amount;
                left -= taken;
                if left == 0 {
                    break;
                }
            }
        }
        sum
    }

    /// Weak duality: with any prices, the cheapest place of each replica on its own, less what the bands are worth.
    fn dual(&self, prices: &[Price]) -> i128 {
        let scale = i128::from(Price::SCALE);
        let mut of: Vec<Amounts> = vec![[0; 3]; self.brokers.len()];
        let mut worth = 0;
        for price in prices {
            let seat =
                self.brokers.iter().position(|at| self.even.cluster.brokers[*at as usize].id == price.broker);
            let m = match price.measure {
                Measure::Replicas => REPLICAS,
                Measure::Bytes => BYTES,
                Measure::WriteRate => RATE,
                Measure::Leaders | Measure::ReadRate => continue,
            };
            let Some(seat) = seat else { continue };
            let (low, high) = self.ends[seat][m];
            let price = i128::from(price.price);
            if price > 0 && high == i128::MAX || of[seat][m] != 0 {
                continue;
            }
            of[seat][m] = price;
            worth += price * if price > 0 { high } else { low };
        }
        let replicas: usize =
            self.brokers.iter().map(|b| self.even.start[*b as usize][REPLICAS] as usize).sum();
        if of.iter().all(|price| *price == [0; 3]) || replicas.saturating_mul(of.len()) > PAIRS {
            return 0;
        }
        let mut seats = vec![None; self.even.cluster.brokers.len()];
        self.brokers.iter().enumerate().for_each(|(at, broker)| seats[*broker as usize] = Some(at));
        let mut sum: i128 = -worth;
        for (_, p) in self.even.cluster.partitions() {
            let load = amounts(p.copy_bytes(), p.write_rate);
            let dear = |at: usize| (0..3).map(|m| of[at][m] * load[m]).sum::<i128>();
            for home in p.replicas.iter().filter_map(|broker| seats[*broker as usize]) {
                let away = (0..of.len()).map(dear).min().unwrap_or(0) + load[BYTES] * scale;
                sum += dear(home).min(away);
            }
        }
        sum.max(0) / scale
    }
}
