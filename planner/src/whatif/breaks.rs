//! What breaks first: the day on which a broker of the final layout holds more than it may.

use std::collections::BTreeMap;

use super::answer::{Break, State};
use super::grow::{Grown, Kind, Line, Ratio};
use super::growth::{Band, Group, Growth, first_day_above, share};
use super::load::{Counting, Resource};
use super::world::World;
use crate::model::{Day, Moment};

/// Which end of what a fit is sure of.
const ENDS: [fn(Band) -> i128; 2] = [|band| band.low_per_day_millionths, |band| band.high_per_day_millionths];

/// What one broker has of one resource, by how it grows.
#[derive(Debug, Clone, Default)]
struct Sum {
    /// By growth as it was given, in millionths per year: what there is at the horizon, and its part of today.
    given: BTreeMap<i64, (u64, Ratio)>,
    /// Of topics with a fit: what there is today, and what each day adds, as fitted and at both ends.
    fitted: u64,
    per_day: [i128; 3],
    has_band: bool,
}

impl Sum {
    fn add(&mut self, grown: &Grown, resource: Resource, amount: u64) {
        let is_bytes = resource == Resource::Disk;
        let ratio = if is_bytes { grown.bytes } else { grown.rates };
        match (grown.kind, resource) {
            (_, Resource::Replicas) | (Kind::Given(Growth::None | Growth::Linear { .. }), _) => {
                self.given(0, amount, Ratio::ONE);
            }
            (Kind::Given(Growth::Compound { per_year_millionths }), _) => {
                self.given(per_year_millionths, amount, ratio);
            }
            (Kind::Fitted { bytes, rates }, _) => match if is_bytes { bytes } else { rates } {
                None => self.given(0, amount, Ratio::ONE),
                Some(line) => self.line(line, ratio.back(amount)),
            },
        }
    }

    fn given(&mut self, per_year: i64, amount: u64, ratio: Ratio) {
        let (sum, _) = self.given.entry(per_year).or_insert((0, ratio));
        *sum = sum.saturating_add(amount);
    }

    fn line(&mut self, line: Line, today: u64) {
        self.fitted = self.fitted.saturating_add(today);
        self.has_band |= line.trend.band.is_some();
        let slopes = [line.trend.per_day_millionths, line.at(ENDS[0]), line.at(ENDS[1])];
        for (sum, slope) in self.per_day.iter_mut().zip(slopes) {
            *sum = sum.saturating_add(share(slope, today, line.whole));
        }
    }

    /// The first day above the limit, with the fitted part as fitted (0), or at the lower (1) or upper end (2).
    fn first_day(&self, limit: u64, end: usize) -> Option<u32> {
        let given = self.given.iter().map(|(per_year, (amount, ratio))| Group {
            growth: match per_year {
                0 => Growth::None,
                _ => Growth::Compound { per_year_millionths: *per_year },
            },
            amount: ratio.back(*amount),
        });
        let line =
            Group { growth: Growth::Linear { per_day_millionths: self.per_day[end] }, amount: self.fitted };
        let groups: Vec<Group> = given.chain((self.fitted > 0).then_some(line)).collect();
        first_day_above(&groups, limit)
    }
}

/// What breaks first of each resource, soonest first.
pub(super) fn of(world: &World<'_>, after: &State) -> Vec<Break> {
    let sums = sums(world);
    let from = world.cluster.taken_at.parse::<Moment>().ok().map(Moment::day);
    let mut breaks: Vec<Break> = Vec::new();
    for (number, resource) in Resource::ALL.into_iter().enumerate() {
        let each = after.brokers.iter().enumerate().filter(|(_, broker)| broker.serves);
        let sum_of = |id| {
            let at = usize::from(world.cluster.broker_index(id)?);
            Some(&sums[at * Resource::ALL.len() + number])
        };
        let found = each.filter_map(|(at, broker)| {
            let used = broker.of(resource);
            let sum: &Sum = sum_of(broker.broker)?;
            let day = sum.first_day(used.limit?, 0)?;
            Some((day, std::cmp::Reverse(used.part()), broker.broker, at))
        });
        if let Some((day, _, broker, at)) = found.min() {
            let used = after.brokers[at].of(resource);
            let Some(sum) = sum_of(broker) else { continue };
            let limit = used.limit.unwrap_or(0);
            let between = (sum.has_band && day > 0)
                .then(|| (sum.first_day(limit, 2).unwrap_or(day), sum.first_day(limit, 1)));
            let date = from.map(|from: Day| from.plus(day).to_string());
            let basis = basis(world, sum, resource);
            breaks.push(Break { resource, broker, day, date, between, limit, unknown: used.unknown, basis });
        }
    }
    breaks.sort_by_key(|broken| (broken.day, broken.resource));
    breaks
}

/// By broker and resource.
fn sums(world: &World<'_>) -> Vec<Sum> {
    let cluster = &world.cluster;
    let mut sums = vec![Sum::default(); cluster.brokers.len() * Resource::ALL.len()];
    let counting = Counting::of(cluster, world.terms);
    for (topic, grown) in cluster.topics.iter().zip(&world.growth) {
        for p in cluster.partitions_of(topic) {
            for share in counting.shares(p) {
                let first = usize::from(share.broker) * Resource::ALL.len();
                for (number, resource) in Resource::ALL.into_iter().enumerate() {
                    let amount = share.amounts[number].known;
                    if amount > 0 {
                        sums[first + number].add(grown, resource, amount);
                    }
                }
            }
        }
    }
    sums
}

/// Where the figures come from, in words.
fn basis(world: &World<'_>, sum: &Sum, resource: Resource) -> String {
    let mut parts = Vec::new();
    if let Some(fits) = world.fits.filter(|_| sum.fitted > 0) {
        let days = (fits.last.seconds() - fits.first.seconds()) / 86_400;
        let sure = if sum.has_band { "" } else { ", too few to say how sure" };
        parts.push(format!("growth fitted to {} snapshots over {days} days{sure}", fits.snapshots));
    }
    let given: Vec<String> =
        sum.given.keys().filter(|per_year| **per_year != 0).map(|per_year| percent(*per_year)).collect();
    match given.as_slice() {
        [] => {}
        [one] => parts.push(format!("growth as given, {one} a year")),
        [first, .., last] => parts.push(format!("growth as given, {first} to {last} a year")),
    }
    if parts.is_empty() {
        parts.push("nothing grows".into());
    }
    match resource {
        Resource::Disk => parts.push("sizes of the snapshot".into()),
        Resource::Replicas => parts.push("replicas as placed".into()),
        _ if world.terms.peak == 1_000 => parts.push("rates of the snapshot, taken for the mean".into()),
        _ => parts.push(format!("rates of the snapshot times {}", thousandths(world.terms.peak))),
    }
    parts.join("; ")
}

/// Millionths as a percentage.
fn percent(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let parts = millionths.unsigned_abs();
    let decimals = format!("{:04}", parts % 10_000);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{decimals} %", parts / 10_000)
}

/// Thousandths as a number.
fn thousandths(parts: u32) -> String {
    let decimals = format!("{:03}", parts % 1_000);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals}", parts / 1_000)
}
