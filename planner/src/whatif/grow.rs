//! Edits of load: growth and retention.

use super::WhatifError;
use super::growth::{Band, Fits, Growth, Horizon, Trend, factor};
use super::rebuild::{Row, rebuild};
use super::world::World;
use crate::model::{Cluster, Topic, UNKNOWN_SIZE};

/// By how much topics grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By so many millionths, now.
    Once(i64),
    /// Over time, up to the horizon.
    Over(Growth),
    /// As several snapshots show.
    Fitted,
}

/// Reads `+30%`, `40%/year`, `-3%/month` or `fitted`.
pub(super) fn growth_of(text: &str) -> Result<By, String> {
    const EXPECTED: &str = "expected +30%, 40%/year, 3%/month, or fitted";
    if text == "fitted" {
        return Ok(By::Fitted);
    }
    if text.ends_with('%') {
        // What is added at once is read as what a year adds.
        let growth =
            format!("{text}/year").parse().map_err(|_| format!("{text:?} is not a growth: {EXPECTED}"))?;
        return Ok(By::Once(match growth {
            Growth::Compound { per_year_millionths } => per_year_millionths,
            _ => 0,
        }));
    }
    text.parse().map(By::Over).map_err(|error: super::growth::NotAGrowth| format!("{error}, +30%, or fitted"))
}

/// Reads `18mo`.
pub(super) fn days_of(text: &str) -> Result<u32, String> {
    text.parse().map(Horizon::days).map_err(|error: super::growth::NotAHorizon| error.to_string())
}

/// A part: `num / den`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ratio {
    num: u64,
    den: u64,
}

impl Ratio {
    /// All of it.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };

    /// That part of an amount, rounded half up: many small ones must not all lose.
    pub fn of(self, amount: u64) -> u64 {
        let den = u128::from(self.den.max(1));
        u64::try_from((u128::from(amount) * u128::from(self.num) + den / 2) / den).unwrap_or(u64::MAX)
    }

    /// The amount of which this is that part.
    pub fn back(self, amount: u64) -> u64 {
        Ratio { num: self.den, den: self.num }.of(amount)
    }
}

/// How a topic grows, and by how much it has grown already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grown {
    /// How.
    pub kind: Kind,
    /// Its bytes at the horizon over those of now.
    pub bytes: Ratio,
    /// Its rates at the horizon over those of now.
    pub rates: Ratio,
    /// Seconds that it is kept, where that was edited: its bytes then go with its write rate.
    pub kept: Option<u64>,
}

/// How a topic grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By a part of itself.
    Given(Growth),
    /// On a line.
    Fitted {
        /// Of bytes.
        bytes: Option<Line>,
        /// Of bytes/s written; the other rates go with it.
        rates: Option<Line>,
    },
}

/// The line of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// What it is per day.
    pub trend: Trend,
    /// What there is of it now.
    pub whole: u64,
}

impl Grown {
    /// Not at all.
    pub const NOT: Grown =
        Grown { kind: Kind::Given(Growth::None), bytes: Ratio::ONE, rates: Ratio::ONE, kept: None };

    /// By a growth that a person gave.
    fn given(growth: Growth, days: u32, kept: Option<u64>) -> Self {
        const UNIT: u64 = 1 << 40;
        let ratio = match growth {
            Growth::Compound { per_year_millionths } => {
                Ratio { num: factor(per_year_millionths, days).of(UNIT), den: UNIT }
            }
            _ => Ratio::ONE,
        };
        Grown { kind: Kind::Given(growth), bytes: ratio, rates: ratio, kept }
    }

    /// By what was fitted, for so many days. What it has grown by before is taken out first.
    fn fitted(cluster: &Cluster, topic: &Topic, fits: &Fits, days: u32, old: &Grown) -> Self {
        let at = fits.topics.binary_search_by(|fit| fit.topic.cmp(&topic.name));
        let fit = at.ok().map(|at| &fits.topics[at]);
        let whole = |ratio: Ratio, of: fn(crate::model::Partition<'_>) -> Option<u64>| -> Option<u64> {
            let each = cluster.partitions_of(topic).map(of);
            let sum = each
                .map(|one| one.map(|one| ratio.back(one)))
                .try_fold(0u64, |sum, one| sum.checked_add(one?));
            sum.filter(|whole| *whole > 0)
        };
        let line = |trend: Option<Trend>, whole: Option<u64>| Some(Line { trend: trend?, whole: whole? });
        let rates = line(fit.and_then(|fit| fit.write_rate), whole(old.rates, |p| p.write_rate));
        let bytes = match old.kept {
            None => line(fit.and_then(|fit| fit.bytes), whole(old.bytes, |p| p.copy_bytes())),
            Some(seconds) => rates.and_then(|line| line.over(seconds)),
        };
        let ratio = |line: Option<Line>| line.map_or(Ratio::ONE, |line| line.after(days));
        Grown {
            kind: Kind::Fitted { bytes, rates },
            bytes: ratio(bytes),
            rates: ratio(rates),
            kept: old.kept,
        }
    }

    /// The same, kept for so many seconds: its bytes go with what is written.
    fn kept_for(self, seconds: u64) -> Self {
        let kind = match self.kind {
            Kind::Fitted { rates, .. } => {
                Kind::Fitted { bytes: rates.and_then(|line| line.over(seconds)), rates }
            }
            given => given,
        };
        Grown { kind, bytes: self.rates, kept: Some(seconds), ..self }
    }
}

impl Line {
    /// What there is after so many days over what there is now.
    fn after(self, days: u32) -> Ratio {
        let more = self.trend.per_day_millionths.saturating_mul(days.into()) / 1_000_000;
        let sum = i128::from(self.whole).saturating_add(more).max(0);
        Ratio { num: u64::try_from(sum).unwrap_or(u64::MAX), den: self.whole }
    }

    /// Of a rate: what is written in so many seconds.
    fn over(self, seconds: u64) -> Option<Self> {
        let times = |slope: i128| slope.saturating_mul(seconds.into());
        let band = self.trend.band.map(|band| Band {
            low_per_day_millionths: times(band.low_per_day_millionths),
            high_per_day_millionths: times(band.high_per_day_millionths),
        });
        let per_day_millionths = times(self.trend.per_day_millionths);
        Some(Line {
            trend: Trend { per_day_millionths, band, ..self.trend },
            whole: self.whole.checked_mul(seconds)?,
        })
    }
    /// The line at an end of its band, where it has one.
    pub fn at(self, end: fn(Band) -> i128) -> i128 {
        self.trend.band.map_or(self.trend.per_day_millionths, end)
    }
}

/// Topics grow. Of growths over time the last that names a topic holds.
pub(super) fn grow(world: &mut World<'_>, pattern: Option<&str>, by: By) -> Result<(), WhatifError> {
    let found = match pattern {
        Some(pattern) => world.matching(pattern)?,
        None => vec![true; world.cluster.topics.len()],
    };
    let base = |p: crate::model::Partition<'_>| p.copy_bytes().is_some() || p.write_rate.is_some();
    let topics = world.cluster.topics.iter().zip(&found).filter(|(_, is)| **is);
    if !topics.clone().any(|(topic, _)| world.cluster.partitions_of(topic).any(base)) {
        let found = "no size and no rate of these topics is known: growth has no base";
        return Err(WhatifError::edit(
            found.into(),
            "a snapshot that knows them (restow snapshot --sample 60s), or --rates",
        ));
    }
    if let By::Once(millionths) = by {
        let ratio = Ratio { num: u64::try_from(1_000_000 + millionths).unwrap_or(0), den: 1_000_000 };
        return scale(world, &found, |_, amount| ratio.of(amount), |_, amount| ratio.of(amount));
    }
    let Some(days) = world.horizon else {
        return Err(WhatifError::edit(
            "growth over time without a horizon".into(),
            "--horizon beside it, as in 18mo",
        ));
    };
    let mut unfit = 0u64;
    let mut grown = world.growth.clone();
    for (at, topic) in world.cluster.topics.iter().enumerate().filter(|(at, _)| found[*at]) {
        grown[at] = match by {
            By::Over(growth) => Grown::given(growth, days, grown[at].kept),
            _ => {
                let Some(fits) = world.fits else {
                    let found = "growth that is fitted, without older snapshots to fit it to";
                    return Err(WhatifError::edit(found.into(), "--history FILE beside it, once for each"));
                };
                Grown::fitted(&world.cluster, topic, fits, days, &grown[at])
            }
        };
        unfit += u64::from(matches!(grown[at].kind, Kind::Fitted { bytes: None, .. }));
    }
    if unfit > 0 {
        world.notes.push(format!(
            "the growth of {unfit} topics is not known (new, or of unknown size in some snapshot): they are counted as \
             they are now"
        ));
    }
    let old = std::mem::replace(&mut world.growth, grown);
    let new = world.growth.clone();
    let bytes = |at: usize, amount| new[at].bytes.of(old[at].bytes.back(amount));
    let rates = |at: usize, amount| new[at].rates.of(old[at].rates.back(amount));
    scale(world, &found, bytes, rates)
}

/// Changes the sizes and rates of topics, by topic index.
fn scale(
    world: &mut World<'_>,
    found: &[bool],
    bytes: impl Fn(usize, u64) -> u64,
    rates: impl Fn(usize, u64) -> u64,
) -> Result<(), WhatifError> {
    each_topic(world, |at, row| {
        if found[at] {
            row.scale(|amount| bytes(at, amount), |amount| rates(at, amount));
        }
    })
}

/// Changes each partition, by topic index.
fn each_topic(world: &mut World<'_>, change: impl Fn(usize, &mut Row)) -> Result<(), WhatifError> {
    let cluster = &world.cluster;
    // Topics come in their order, each from its partition 0 on; some have none.
    let mut at = 0;
    let made = rebuild(
        cluster,
        cluster.brokers.clone(),
        |topic| topic.partitions,
        |topic, number, row| {
            while cluster.topics[at].first != topic.first || cluster.topics[at].partitions == 0 {
                at += 1;
            }
            row.copy(cluster, cluster.partition_in(topic, number));
            change(at, row);
        },
    )?;
    world.take(made);
    Ok(())
}

/// Topics are kept for another time: each partition holds what is written in it.
pub(super) fn retain(world: &mut World<'_>, pattern: &str, seconds: u64) -> Result<(), WhatifError> {
    let found = world.matching(pattern)?;
    let topics = || world.cluster.topics.iter().zip(&found).filter(|(_, is)| **is).map(|(topic, _)| topic);
    let unknown = topics()
        .flat_map(|topic| world.cluster.partitions_of(topic))
        .filter(|p| p.write_rate.is_none())
        .count();
    let all: u64 = topics().map(|topic| u64::from(topic.partitions)).sum();
    if unknown as u64 == all {
        let found = format!("no write rate of topics {pattern:?} is known: retention has no base");
        return Err(WhatifError::edit(
            found,
            "a snapshot that knows them (restow snapshot --sample 60s), or --rates",
        ));
    }
    world.notes.push(format!(
        "retention of {pattern:?}: counted as what is written in that time; Kafka drops whole segments, so each replica \
         holds up to one segment more (segment.bytes, 1 GiB by default), and compacted topics do not follow it"
    ));
    if unknown > 0 {
        world.notes.push(format!(
            "{unknown} partitions of {pattern:?} have no known write rate: their size is unknown then"
        ));
    }
    for (grown, _) in world.growth.iter_mut().zip(&found).filter(|(_, is)| **is) {
        *grown = grown.kept_for(seconds);
    }
    each_topic(world, |at, row| {
        if found[at] {
            let bytes = row.write_rate.and_then(|rate| rate.checked_mul(seconds));
            row.sizes.iter_mut().for_each(|size| *size = bytes.unwrap_or(UNKNOWN_SIZE));
        }
    })
}
