//! Moments and days, in UTC by the Gregorian calendar.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

const SECONDS_PER_DAY: i64 = 86_400;

/// A second since 1970 (UTC), read from RFC 3339 as snapshots carry it: `2026-11-22T17:00:00Z`, `…T18:00:00+01:00`. A
/// date alone is its midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    seconds: i64,
}

/// A day since 1970 (UTC), written `2026-11-22`; read from such a date, or from any [`Moment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    number: i64,
}

/// A text that tells no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a time: expected one like 2026-11-22T17:00:00Z (RFC 3339), or a date")]
pub struct NotAMoment {
    /// What was found.
    pub found: String,
}

impl Moment {
    /// So many seconds after 1970.
    pub fn of_seconds(seconds: i64) -> Self {
        Moment { seconds }
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// The day that it is in UTC.
    pub fn day(self) -> Day {
        Day { number: self.seconds.div_euclid(SECONDS_PER_DAY) }
    }
}

impl Day {
    /// So many days later.
    pub fn plus(self, days: u32) -> Day {
        Day { number: self.number + i64::from(days) }
    }

    /// Days since 1970.
    pub fn number(self) -> i64 {
        self.number
    }
}

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = seconds(text).ok_or_else(|| NotAMoment { found: text.to_owned() })?;
        Ok(Moment { seconds })
    }
}

impl FromStr for Day {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Moment>().map(Moment::day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.number);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.day(), second / 3600, second / 60 % 60, second % 60)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Seconds since 1970 of a text in RFC 3339, fractions dropped.
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let midnight = day_of(date)? * SECONDS_PER_DAY;
    if time.is_empty() {
        return Some(midnight);
    }
    let (clock, rest) = time.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [hour, minute, second] = numbers(clock, ":", [2; 3])?;
    let rest = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            Some(rest).filter(|rest| rest.len() < fraction.len())?
        }
    };
    // A leap second is second 60.
    let legal = hour < 24 && minute < 60 && second <= 60;
    legal.then_some(midnight + hour * 3600 + minute * 60 + second - offset(rest)?)
}

/// Seconds that a clock with this offset is ahead of UTC.
fn offset(text: &str) -> Option<i64> {
    let ahead = match text.as_bytes().first()? {
        b'Z' | b'z' => return (text.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hour, minute] = numbers(&text[1..], ":", [2; 2])?;
    (hour < 24 && minute < 60).then_some(ahead * (hour * 3600 + minute * 60))
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: &str, digits: [usize; N]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(between);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

/// The day since 1970 of `YYYY-MM-DD`, where there is such a day.
fn day_of(text: &str) -> Option<i64> {
    let [year, month, day] = numbers(text, "-", [4, 2, 2])?;
    // Years begin in March here, so that the day that some of them have more comes last.
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_march = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (of_march.div_euclid(400), of_march.rem_euclid(400));
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let number = era * 146_097 + day_of_era - 719_468;
    (date(number) == (year, month, day)).then_some(number)
}

/// Year, month and day of a day since 1970.
fn date(number: i64) -> (i64, i64, i64) {
    let days = number + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_of(text: &str) -> i64 {
        text.parse::<Moment>().unwrap().seconds()
    }

    #[test]
    fn moments_are_utc() {
        assert_eq!(seconds_of("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds_of("2000-02-29T00:00:00Z"), 951_782_400);
        assert_eq!(seconds_of("2026-11-21T12:40:05Z"), 1_795_264_805);
        assert_eq!(seconds_of("2100-03-01T00:00:00Z"), 4_107_542_400);
        assert_eq!(seconds_of("1969-12-31T23:59:59Z"), -1);
        assert_eq!(seconds_of("2026-11-21t12:40:05.999z"), 1_795_264_805, "fractions are dropped");
        assert_eq!(seconds_of("2026-11-21 12:40:05Z"), 1_795_264_805);
        assert_eq!(seconds_of("2026-11-21"), seconds_of("2026-11-21T00:00:00Z"));
        assert_eq!(seconds_of("2016-12-31T23:59:60Z"), seconds_of("2017-01-01T00:00:00Z"), "a leap second");
    }

    #[test]
    fn an_offset_may_change_the_day() {
        let day = |text: &str| text.parse::<Day>().unwrap().to_string();
        assert_eq!(day("2026-11-22T00:30:00+01:00"), "2026-11-21");
        assert_eq!(day("2026-12-31T23:30:00-00:30"), "2027-01-01");
        assert_eq!(seconds_of("2026-11-22T18:00:00+01:00"), seconds_of("2026-11-22T17:00:00Z"));
        assert_eq!(
            "2026-11-22T18:00:07+05:45".parse::<Moment>().unwrap().to_string(),
            "2026-11-22T12:15:07Z"
        );
    }

    #[test]
    fn days_read_as_they_write() {
        // The calendar repeats after 400 years.
        for number in (0..=146_097).chain([-719_528, 2_932_896]) {
            let day = Day { number };
            assert_eq!(day_of(&day.to_string()), Some(number), "{day}");
        }
        assert_eq!([-719_528, 2_932_896].map(date), [(0, 1, 1), (9999, 12, 31)]);
    }

    #[test]
    fn days_add_up() {
        let day: Day = "2027-12-31".parse().unwrap();
        assert_eq!(day.plus(0), day);
        assert_eq!(day.plus(60).to_string(), "2028-02-29");
        assert_eq!(day.plus(366 + 1).to_string(), "2029-01-01");
        assert_eq!(day.plus(u32::MAX).number() - day.number(), i64::from(u32::MAX));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2026-11-2",
            "2026-11-31",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "+026-01-01",
            "2026-11-22T",
            "2026-11-22T17:00:00",
            "2026-11-22T24:00:00Z",
            "2026-11-22T17:60:00Z",
            "2026-11-22T17:00:61Z",
            "2026-11-22T17:00:00.Z",
            "2026-11-22T17:00:00ZZ",
            "2026-11-22T17:00:00+1:00",
            "2026-11-22T17:00:00+24:00",
            "2026-11-22T17:00:00€",
            "2026-11-2€",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(NotAMoment { found: text.into() }));
        }
        assert_eq!(
            "soon".parse::<Day>().unwrap_err().to_string(),
            "\"soon\" is not a time: expected one like 2026-11-22T17:00:00Z (RFC 3339), or a date"
        );
    }
}
