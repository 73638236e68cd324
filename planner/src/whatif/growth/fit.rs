//! Growth fitted from several snapshots of one cluster: a straight line through what each topic held.

use std::collections::BTreeMap;

use serde::Serialize;

use super::MILLION;
use super::wide::{greatest, less, product, scaled};
use crate::model::{Cluster, MAX_BYTES, Moment, NotAMoment, TopicId};

/// The most snapshots of a fit: hourly ones of almost two years. Sums over more may leave 128 bits.
pub const MAX_SNAPSHOTS: usize = 1 << 14;
/// Bits of the spread of amounts that is reckoned with: beyond 281 TB, the last bits are dropped.
const SPREAD: u32 = 48;
const SECONDS_PER_DAY: u64 = 86_400;

/// Why nothing can be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotFit {
    /// A snapshot of another cluster.
    #[error(
        "is of cluster {found}, and the snapshots before it are of cluster {expected}: expected one cluster"
    )]
    OtherCluster {
        /// The id that was found.
        found: String,
        /// The id of the snapshots before it.
        expected: String,
    },
    /// A snapshot whose time is none.
    #[error("taken_at: {0}")]
    Time(#[from] NotAMoment),
    /// More snapshots than a fit takes.
    #[error("is one snapshot more than a fit takes: expected at most {limit}")]
    TooMany {
        /// How many it takes.
        limit: usize,
    },
    /// Fewer than two snapshots with a time.
    #[error("{timed} of {all} snapshots tell when they were taken (taken_at): expected two at least")]
    TooFew {
        /// Snapshots with a time.
        timed: usize,
        /// Snapshots in all.
        all: usize,
    },
    /// All snapshots are of one moment.
    #[error("all {timed} snapshots were taken at {at}: expected two moments at least")]
    OneMoment {
        /// Snapshots with a time.
        timed: usize,
        /// The moment.
        at: Moment,
    },
}

/// Snapshots of one cluster on their way into a fit, in any order. Of each, only the sums of its topics are kept.
#[derive(Debug, Default)]
pub struct Series {
    cluster: Option<String>,
    untimed: usize,
    times: Vec<Moment>,
    /// A topic that was deleted and created again is another.
    topics: BTreeMap<(String, TopicId), Vec<Seen>>,
}

/// A topic in one snapshot.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Position of the snapshot in [`Series::times`].
    snapshot: usize,
    bytes: Option<u64>,
    write_rate: Option<u64>,
}

/// Growth of the topics of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fits {
    /// When the first of the snapshots was taken.
    pub first: Moment,
    /// When the last of them was taken.
    pub last: Moment,
    /// Snapshots with a time.
    pub snapshots: usize,
    /// Snapshots without a time: they are left out.
    pub untimed: usize,
    /// The topics of the last snapshot, ordered by name.
    pub topics: Vec<TopicFit>,
}

/// Growth of one topic. `None` is unknown, not zero: seen at one moment only, or a partition whose amount is unknown in one
/// of the snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicFit {
    /// The topic's name.
    pub topic: String,
    /// Of the bytes of one copy of each partition.
    pub bytes: Option<Trend>,
    /// Of the bytes/s that producers write.
    pub write_rate: Option<Trend>,
}

/// The straight line through amounts over time, by least squares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Trend {
    /// What each day adds, in millionths of the unit: rounded, from exact sums.
    pub per_day_millionths: i128,
    /// Where the truth hardly lies outside. `None` with two points: a line goes through any two, and tells nothing about
    /// how far they scatter.
    pub band: Option<Band>,
    /// How many points it goes through: snapshots that have the topic.
    pub points: usize,
    /// Whole days between the first of them and the last.
    pub days: u32,
}

/// Two standard errors of the slope to each side, in millionths of the unit per day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Band {
    /// The lower end.
    pub low_per_day_millionths: i128,
    /// The upper end.
    pub high_per_day_millionths: i128,
}

impl Series {
    /// Takes a snapshot. One whose time is unknown is counted, and left out.
    ///
    /// # Errors
    /// If it is of another cluster than those before it, its time is none, or it is one too many.
    pub fn add(&mut self, cluster: &Cluster) -> Result<(), CannotFit> {
        let expected = self.cluster.get_or_insert_with(|| cluster.id.clone());
        if *expected != cluster.id {
            return Err(CannotFit::OtherCluster { found: cluster.id.clone(), expected: expected.clone() });
        }
        if cluster.taken_at.is_empty() {
            self.untimed += 1;
            return Ok(());
        }
        if self.times.len() == MAX_SNAPSHOTS {
            return Err(CannotFit::TooMany { limit: MAX_SNAPSHOTS });
        }
        let at = cluster.taken_at.parse()?;
        let snapshot = self.times.len();
        self.times.push(at);
        for topic in &cluster.topics {
            let seen = Seen {
                snapshot,
                bytes: sum(cluster.partitions_of(topic).map(|p| p.copy_bytes())),
                write_rate: sum(cluster.partitions_of(topic).map(|p| p.write_rate)),
            };
            self.topics.entry((topic.name.clone(), topic.id)).or_default().push(seen);
        }
        Ok(())
    }

    /// The growth of each topic of the last snapshot.
    ///
    /// # Errors
    /// If there are not two snapshots with a time, or all are of one moment.
    pub fn fit(&self) -> Result<Fits, CannotFit> {
        let timed = self.times.len();
        let ends = self.times.iter().min().zip(self.times.iter().enumerate().max_by_key(|(_, at)| **at));
        let (&first, (latest, &last)) = match ends {
            Some(ends) if timed >= 2 => ends,
            _ => return Err(CannotFit::TooFew { timed, all: timed + self.untimed }),
        };
        if first == last {
            return Err(CannotFit::OneMoment { timed, at: first });
        }
        let there = self.topics.iter().filter(|(_, seen)| seen.iter().any(|seen| seen.snapshot == latest));
        let topics = there.map(|((name, _), seen)| TopicFit {
            topic: name.clone(),
            bytes: self.trend(seen, |seen| seen.bytes),
            write_rate: self.trend(seen, |seen| seen.write_rate),
        });
        Ok(Fits { first, last, snapshots: timed, untimed: self.untimed, topics: topics.collect() })
    }

    fn trend(&self, seen: &[Seen], amount: impl Fn(&Seen) -> Option<u64>) -> Option<Trend> {
        let point = |seen: &Seen| Some((self.times[seen.snapshot], amount(seen)?));
        trend(&seen.iter().map(point).collect::<Option<Vec<_>>>()?)
    }
}

/// The growth of a part of a topic, where the whole topic holds `whole` today. Part of nothing grows by nothing.
///
/// A broker's part counts each replica on it: it may be more than the whole, which is one copy.
pub fn share(per_day_millionths: i128, part: u64, whole: u64) -> i128 {
    match whole {
        0 => 0,
        _ => scaled(per_day_millionths, u128::from(part), u128::from(whole)),
    }
}

/// The sum, where all are known and it is one that can be.
fn sum(mut amounts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    amounts.try_fold(0u64, |sum, amount| sum.checked_add(amount?).filter(|sum| *sum <= MAX_BYTES))
}

/// The line through these points, where they are of two moments at least. There are no more than [`MAX_SNAPSHOTS`], and no
/// amount is more than [`MAX_BYTES`].
fn trend(points: &[(Moment, u64)]) -> Option<Trend> {
    let moments = points.iter().map(|(at, _)| at.seconds());
    let (first, last) = (moments.clone().min()?, moments.max()?);
    let sums = Sums::of(points, first)?;
    if sums.times == 0 {
        return None;
    }
    let slope = sums.per_day(sums.both);
    let band = sums.two_errors().map(|errors| Band {
        low_per_day_millionths: slope.saturating_sub(errors),
        high_per_day_millionths: slope.saturating_add(errors),
    });
    let days = u32::try_from((last - first).unsigned_abs() / SECONDS_PER_DAY).unwrap_or(u32::MAX);
    Some(Trend { per_day_millionths: slope, band, points: points.len(), days })
}

/// How far points spread: in time, in amount and in both, each times their number.
struct Sums {
    points: u32,
    times: u128,
    amounts: u128,
    both: i128,
    /// Bits that the amounts are short of.
    dropped: u32,
}

impl Sums {
    fn of(points: &[(Moment, u64)], first: i64) -> Option<Sums> {
        let amounts = points.iter().map(|(_, amount)| *amount);
        let (least, most) = (amounts.clone().min()?, amounts.max()?);
        let dropped = (u64::BITS - (most - least).leading_zeros()).saturating_sub(SPREAD);
        // Times have 39 bits (years have four digits), amounts 48, and there are 2^14 at most: all fits in 127 bits.
        let n = points.len() as i128;
        let [mut t, mut a, mut tt, mut aa, mut ta] = [0i128; 5];
        for (at, amount) in points {
            let (time, amount) = (i128::from(at.seconds() - first), i128::from((amount - least) >> dropped));
            t += time;
            a += amount;
            tt += time * time;
            aa += amount * amount;
            ta += time * amount;
        }
        // Neither of the spreads of one is below nothing.
        let (times, amounts) = ((n * tt - t * t).unsigned_abs(), (n * aa - a * a).unsigned_abs());
        Some(Sums { points: points.len() as u32, times, amounts, both: n * ta - t * a, dropped })
    }

    /// Millionths per day of a slope per second, which is given times `times`.
    fn per_day(&self, slope: i128) -> i128 {
        scaled(slope, (MILLION * u128::from(SECONDS_PER_DAY)) << self.dropped, self.times)
    }

    /// Two standard errors of the slope. One, per second, is the root of
    /// `(times * amounts - both^2) / (points - 2)`, over `times`.
    fn two_errors(&self) -> Option<i128> {
        let freedom = u128::from(self.points.checked_sub(2).filter(|freedom| *freedom > 0)?);
        let both = self.both.unsigned_abs();
        let scatter = less(product(self.times, self.amounts), product(both, both));
        // Rounded up. What leaves 128 bits is more than any scatter.
        let falls_short =
            |root: u128| root.checked_mul(freedom).is_some_and(|more| product(root, more) < scatter);
        let root = if scatter == (0, 0) { 0 } else { greatest(falls_short) + 1 };
        Some(self.per_day(i128::try_from(root).unwrap_or(i128::MAX).saturating_mul(2)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Day;
    use crate::model::{Broker, BrokerId, ClusterBuilder, PartitionRow, Topic, UNKNOWN_SIZE};
    use crate::whatif::growth::{Group, Growth, first_day_above};

    /// A partition: the bytes of its two replicas, and its write rate.
    type Row = ([u64; 2], Option<u64>);

    const UNKNOWN: u64 = UNKNOWN_SIZE;

    fn snapshot(id: &str, at: &str, topics: &[(&str, u8, &[Row])]) -> Cluster {
        let brokers = [1, 2].map(BrokerId);
        let mut build = ClusterBuilder::new(id, brokers.map(Broker::bare).to_vec()).unwrap();
        for (name, id, rows) in topics {
            build.topic(Topic { name: (*name).into(), id: TopicId([*id; 16]), ..Topic::default() }).unwrap();
            for (sizes, write_rate) in *rows {
                let row = PartitionRow { sizes, write_rate: *write_rate, ..PartitionRow::default() };
                build
                    .partition(&PartitionRow { replicas: &brokers, leader: Some(BrokerId(1)), ..row })
                    .unwrap();
            }
        }
        build.finish(at.into(), vec![])
    }

    fn fitted(snapshots: &[Cluster]) -> Fits {
        let mut series = Series::default();
        snapshots.iter().for_each(|snapshot| series.add(snapshot).unwrap());
        series.fit().unwrap()
    }

    /// The line through amounts on days from the first of 2026.
    fn through(points: &[(u32, u64)]) -> Option<Trend> {
        let day = |days: &u32| -> Moment {
            format!("{}T06:00:00Z", "2026-01-01".parse::<Day>().unwrap().plus(*days)).parse().unwrap()
        };
        trend(&points.iter().map(|(days, amount)| (day(days), *amount)).collect::<Vec<_>>())
    }

    fn millionths(per_day: i128) -> i128 {
        per_day * 1_000_000
    }

    #[test]
    fn two_snapshots_give_a_line_and_no_band() {
        let before: &[Row] = &[([700, 690], Some(40)), ([UNKNOWN, 300], Some(60))];
        let after: &[Row] = &[([1500, 1500], Some(10)), ([400, 400], Some(20)), ([100, 100], Some(30))];
        let fits = fitted(&[
            snapshot("c", "2026-01-01T00:00:00Z", &[("a", 1, before)]),
            snapshot("c", "2026-01-11T00:00:00Z", &[("a", 1, after)]),
        ]);
        let line =
            |per_day| Trend { per_day_millionths: millionths(per_day), band: None, points: 2, days: 10 };
        let expected = TopicFit { topic: "a".into(), bytes: Some(line(100)), write_rate: Some(line(-4)) };
        assert_eq!(fits.topics, [expected], "1000 bytes to 2000, one copy of each partition; 100 B/s to 60");
        assert_eq!((fits.snapshots, fits.untimed), (2, 0));
        assert_eq!(fits.first.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(fits.last.to_string(), "2026-01-11T00:00:00Z");
    }

    #[test]
    fn a_straight_line_has_a_band_of_no_width() {
        let line = through(&[(0, 100), (10, 200), (40, 500)]).unwrap();
        let (low, high) = (millionths(10), millionths(10));
        let band = Some(Band { low_per_day_millionths: low, high_per_day_millionths: high });
        assert_eq!(line, Trend { per_day_millionths: millionths(10), band, points: 3, days: 40 });
    }

    #[test]
    fn points_that_scatter_have_a_band() {
        // By the textbook: slope 98, standard error sqrt(360 / 3 / 10) = 3.464101615…
        let line = through(&[(0, 100), (1, 210), (2, 290), (3, 410), (4, 490)]).unwrap();
        let band = Band { low_per_day_millionths: 91_071_797, high_per_day_millionths: 104_928_203 };
        assert_eq!(line.per_day_millionths, millionths(98));
        assert_eq!(line.band, Some(band));
    }

    #[test]
    fn what_is_not_known_has_no_line() {
        let known: &[Row] = &[([10, 10], Some(1))];
        let no_size: &[Row] = &[([10, 10], Some(1)), ([UNKNOWN, UNKNOWN], Some(1))];
        let no_rate: &[Row] = &[([10, 10], Some(1)), ([10, 10], None)];
        let first = [("anew", 1, known), ("gone", 2, known), ("rate", 3, no_rate), ("size", 4, known)];
        let last = [
            ("anew", 9, known),
            ("new", 5, known),
            ("rate", 3, known),
            ("size", 4, no_size),
            ("still", 6, known),
        ];
        let fits = fitted(&[
            snapshot("c", "2026-01-02", &[("still", 6, known)]),
            snapshot("c", "2026-01-01", &first),
            snapshot("c", "2026-01-03", &last),
            snapshot("c", "", &last),
        ]);
        let found: Vec<_> = (fits.topics.iter())
            .map(|topic| (topic.topic.as_str(), topic.bytes.is_some(), topic.write_rate.is_some()))
            .collect();
        let expected = [
            ("anew", false, false),
            ("new", false, false),
            ("rate", true, false),
            ("size", false, true),
            ("still", true, true),
        ];
        assert_eq!(
            found, expected,
            "one that was deleted and made anew is another; one that is gone is not told"
        );
        assert_eq!((fits.snapshots, fits.untimed), (3, 1));
        assert_eq!(
            fits.topics[4].bytes.map(|line| (line.per_day_millionths, line.points, line.days)),
            Some((0, 2, 1))
        );
    }

    #[test]
    fn what_cannot_be_fitted_says_why() {
        let at = |at: &str| snapshot("c", at, &[]);
        let mut series = Series::default();
        let few = series.fit().unwrap_err().to_string();
        assert_eq!(few, "0 of 0 snapshots tell when they were taken (taken_at): expected two at least");
        series.add(&at("")).unwrap();
        series.add(&at("2026-01-01T01:00:00+01:00")).unwrap();
        let few = series.fit().unwrap_err().to_string();
        assert_eq!(few, "1 of 2 snapshots tell when they were taken (taken_at): expected two at least");
        series.add(&at("2026-01-01T00:00:00Z")).unwrap();
        let one = series.fit().unwrap_err().to_string();
        assert_eq!(one, "all 2 snapshots were taken at 2026-01-01T00:00:00Z: expected two moments at least");
        let other = series.add(&snapshot("d", "", &[])).unwrap_err().to_string();
        assert_eq!(
            other,
            "is of cluster d, and the snapshots before it are of cluster c: expected one cluster"
        );
        let time = series.add(&at("now")).unwrap_err().to_string();
        assert!(time.starts_with("taken_at: \"now\" is not a time: expected"), "{time}");
        series.add(&at("2026-01-02T00:00:00Z")).unwrap();
        assert_eq!(series.fit().unwrap().snapshots, 3, "what was refused does not count");
    }

    #[test]
    fn nothing_overflows() {
        let mut series = Series::default();
        let ends = ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"];
        for at in 0..MAX_SNAPSHOTS {
            let bytes = if at % 3 == 0 { 0 } else { 10_000_000_000_000 };
            series
                .add(&snapshot("c", ends[at % 2], &[("a", 1, &[([bytes, bytes], Some(MAX_BYTES))])]))
                .unwrap();
        }
        let line = series.fit().unwrap().topics[0].bytes.unwrap();
        assert_eq!((line.points, line.days), (MAX_SNAPSHOTS, 3_652_424));
        assert!(line.band.is_some_and(|band| band.low_per_day_millionths < band.high_per_day_millionths));
        let more = series.add(&snapshot("c", ends[0], &[])).unwrap_err();
        assert_eq!(more, CannotFit::TooMany { limit: MAX_SNAPSHOTS });

        // From 0 to 288 PB in a day, and again: sums of all 58 bits would not fit.
        let line = through(&[(0, 0), (1, MAX_BYTES), (2, 0), (3, MAX_BYTES)]).unwrap();
        let expected = millionths(MAX_BYTES.into()) / 5;
        assert!((line.per_day_millionths - expected).abs() < expected >> 40, "{line:?}");
    }

    #[test]
    fn a_part_of_a_topic_grows_by_its_part() {
        let line = through(&[(0, 1000), (10, 2000)]).unwrap();
        // Half of the topic, on a broker that may hold 1500.
        let per_day_millionths = share(line.per_day_millionths, 1000, 2000);
        assert_eq!(per_day_millionths, millionths(50));
        let group = Group { growth: Growth::Linear { per_day_millionths }, amount: 1000 };
        assert_eq!(first_day_above(&[group], 1500), Some(11));
        assert_eq!(share(line.per_day_millionths, 4000, 2000), millionths(200), "two copies");
        assert_eq!(share(-millionths(3), 1, 2), -1_500_000);
        assert_eq!(share(millionths(3), 0, 0), 0);
        assert_eq!(share(1 << 100, MAX_BYTES, MAX_BYTES), 1 << 100);
    }

    proptest! {
        #[test]
        fn points_on_a_line_give_the_line(
            days in prop::collection::btree_set(0u32..5_000, 2..20),
            per_day in -100_000_000i64..100_000_000,
        ) {
            let amount = |day: u32| (1i64 << 50) + i64::from(day) * per_day;
            let points: Vec<(u32, u64)> = days.into_iter().map(|day| (day, amount(day) as u64)).collect();
            let line = through(&points).unwrap();
            prop_assert_eq!(line.per_day_millionths, millionths(per_day.into()));
            let widths = line.band.map(|band| band.high_per_day_millionths - band.low_per_day_millionths);
            prop_assert_eq!(widths, (points.len() > 2).then_some(0));
        }

        #[test]
        fn slope_and_band_are_those_of_the_textbook(
            points in prop::collection::btree_map(0u32..1_000, 0u64..1_000_000, 3..20),
        ) {
            let points: Vec<(u32, u64)> = points.into_iter().collect();
            let line = through(&points).unwrap();
            let n = points.len() as f64;
            let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), (day, amount)| {
                (x + f64::from(*day) / n, y + *amount as f64 / n)
            });
            let off = |(day, amount): &(u32, u64)| (f64::from(*day) - mean_x, *amount as f64 - mean_y);
            let spread: f64 = points.iter().map(off).map(|(x, _)| x * x).sum();
            let slope = points.iter().map(off).map(|(x, y)| x * y).sum::<f64>() / spread;
            let residuals: f64 = points.iter().map(off).map(|(x, y)| (y - slope * x).powi(2)).sum();
            let two_errors = 2.0 * (residuals / (n - 2.0) / spread).sqrt();
            let band = line.band.unwrap();
            for (found, expected) in [
                (line.per_day_millionths, slope),
                (band.low_per_day_millionths, slope - two_errors),
                (band.high_per_day_millionths, slope + two_errors),
            ] {
                let found = found as f64 / 1e6;
                prop_assert!((found - expected).abs() < 1e-3 + expected.abs() * 1e-6, "{found}, {expected}");
            }
        }
    }
}
