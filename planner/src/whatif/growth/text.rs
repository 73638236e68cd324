//! Growths and horizons as a person types them.

use std::str::FromStr;

use super::{DAYS_PER_YEAR, Growth, LONGEST, MILLION, factor};

/// How far ahead to look: `90d`, `12w`, `18mo`, `2y`. A month is a twelfth of a year of 365 days, rounded half up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Horizon {
    days: u32,
}

/// A text that is no horizon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a horizon: {reason}")]
pub struct NotAHorizon {
    /// What was found.
    pub found: String,
    /// What is wrong, and what would be accepted.
    pub reason: String,
}

/// A text that is no growth.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a growth: {reason}")]
pub struct NotAGrowth {
    /// What was found.
    pub found: String,
    /// What is wrong, and what would be accepted.
    pub reason: String,
}

const HORIZONS: &str = "expected one like 90d, 12w, 18mo or 2y";
const GROWTHS: &str = "expected one like 40%/year, +3%/month, -10%/year, or none";
const NOTHING_LEFT: &str = "nothing would be left after a year: expected a smaller loss";
/// The most that is read: elevenfold in a year. Above it a slip of the pen is more likely.
const MOST_PER_YEAR: i64 = 10 * MILLION as i64;
/// Digits behind the point of a percentage, down to a millionth of the whole.
const DECIMALS: usize = 4;

impl Horizon {
    /// Its days.
    pub fn days(self) -> u32 {
        self.days
    }
}

impl FromStr for Horizon {
    type Err = NotAHorizon;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason: String| NotAHorizon { found: text.to_owned(), reason };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let twelfths = match unit {
            _ if number.is_empty() => return Err(wrong(HORIZONS.into())),
            "d" => 12,
            "w" => 12 * 7,
            "mo" => DAYS_PER_YEAR,
            "y" => 12 * DAYS_PER_YEAR,
            "" => return Err(wrong(format!("{HORIZONS}: did you mean {number}d?"))),
            "m" => return Err(wrong(format!("{HORIZONS}: did you mean {number}mo?"))),
            _ => return Err(wrong(HORIZONS.into())),
        };
        // Digits alone fail to be a number only where they are too many.
        let number = number.parse().unwrap_or(u64::MAX);
        let days = number.saturating_mul(u64::from(twelfths)).saturating_add(6) / 12;
        match u32::try_from(days) {
            Ok(days) if days <= LONGEST => Ok(Horizon { days }),
            _ => Err(wrong(format!("expected at most {}y", LONGEST / DAYS_PER_YEAR))),
        }
    }
}

impl FromStr for Growth {
    type Err = NotAGrowth;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Growth::None);
        }
        per_year(text)
            .map(|per_year_millionths| match per_year_millionths {
                0 => Growth::None,
                _ => Growth::Compound { per_year_millionths },
            })
            .map_err(|reason| NotAGrowth { found: text.to_owned(), reason })
    }
}

/// Millionths per year of `40%/year` and the like.
fn per_year(text: &str) -> Result<i64, String> {
    let Some((number, period)) = text.split_once('%') else { return Err(GROWTHS.into()) };
    let given = millionths(number).ok_or(GROWTHS)?;
    let least = -(MILLION as i64);
    if given <= least {
        return Err(NOTHING_LEFT.into());
    }
    let per_year = match period {
        "/year" => given,
        "/month" => compounded(given),
        "" => return Err(format!("{GROWTHS}: did you mean {text}/year?")),
        _ => return Err(GROWTHS.into()),
    };
    match per_year {
        // A month's loss may leave less than half a millionth after a year.
        _ if per_year <= least => Err(NOTHING_LEFT.into()),
        _ if per_year > MOST_PER_YEAR && period == "/month" => {
            Err(format!("it is more than {}%/year, the most that is accepted", MOST_PER_YEAR / 10_000))
        }
        _ if per_year > MOST_PER_YEAR => Err(format!("expected at most {}%/year", MOST_PER_YEAR / 10_000)),
        _ => Ok(per_year),
    }
}

/// Growth of twelve months, each of which grows by so many millionths.
fn compounded(per_month: i64) -> i64 {
    let year = factor(per_month, 12 * DAYS_PER_YEAR).millionths();
    i64::try_from(year).unwrap_or(i64::MAX) - MILLION as i64
}

/// Millionths of the whole in a percentage (`+3`, `-0.25`), where it is a whole number of them.
fn millionths(number: &str) -> Option<i64> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(part) || part.len() > DECIMALS {
        return None;
    }
    // Too many digits are too much growth: the limit says so.
    let parts: i64 = format!("{whole}{part:0<DECIMALS$}").parse().unwrap_or(i64::MAX);
    Some(sign * parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> u32 {
        text.parse::<Horizon>().unwrap().days()
    }

    fn yearly(text: &str) -> i64 {
        match text.parse().unwrap() {
            Growth::Compound { per_year_millionths } => per_year_millionths,
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn horizons_are_days() {
        assert_eq!(["90d", "12w", "2y", "20y", "0d"].map(days), [90, 84, 730, 7300, 0]);
        assert_eq!(["1mo", "2mo", "3mo", "12mo", "18mo", "24mo"].map(days), [30, 61, 91, 365, 548, 730]);
    }

    #[test]
    fn what_is_no_horizon_is_refused_with_what_would_be_one() {
        let reason = |text: &str| text.parse::<Horizon>().unwrap_err().reason;
        assert_eq!(reason("90"), format!("{HORIZONS}: did you mean 90d?"));
        assert_eq!(reason("18m"), format!("{HORIZONS}: did you mean 18mo?"));
        for text in ["21y", "7301d", "99999999999999999999y", "18446744073709551615mo"] {
            assert_eq!(reason(text), "expected at most 20y");
        }
        for text in ["", "y", "-1y", "1.5y", "1 y", "2years", "²y"] {
            assert_eq!(reason(text), HORIZONS, "{text}");
        }
        let error = "soon".parse::<Horizon>().unwrap_err();
        assert_eq!(error.to_string(), format!("\"soon\" is not a horizon: {HORIZONS}"));
    }

    #[test]
    fn growths_are_millionths_per_year() {
        assert_eq!(["40%/year", "+40%/year", "40.0%/year"].map(yearly), [400_000; 3]);
        assert_eq!(["-10%/year", "0.0001%/year", "-99.9999%/year"].map(yearly), [-100_000, 1, -999_999]);
        assert_eq!(yearly("1000%/year"), 10_000_000);
        for text in ["none", "0%/year", "-0%/month"] {
            assert_eq!(text.parse(), Ok(Growth::None));
        }
    }

    #[test]
    fn months_compound() {
        // 1.03^12 = 1.4257608868…, 0.97^12 = 0.6938423609…, 1.22^12 = 10.8722133987…
        assert_eq!(["+3%/month", "-3%/month", "22%/month"].map(yearly), [425_761, -306_158, 9_872_213]);
        assert_eq!(yearly("-50%/month"), -999_756);
    }

    #[test]
    fn what_is_no_growth_is_refused_with_what_would_be_one() {
        let reason = |text: &str| text.parse::<Growth>().unwrap_err().reason;
        assert_eq!(reason("40%"), format!("{GROWTHS}: did you mean 40%/year?"));
        for text in
            ["", "40", "%/year", "40/year", "40%/week", "40 %/year", "4e1%/year", "40.%/year", "--4%/year"]
        {
            assert_eq!(reason(text), GROWTHS, "{text}");
        }
        assert_eq!(reason("0.00001%/year"), GROWTHS, "less than a millionth");
        for text in ["-100%/year", "-100.0001%/year", "-100%/month", "-99%/month"] {
            assert_eq!(reason(text), NOTHING_LEFT);
        }
        for text in ["1000.0001%/year", "99999999999999999999999%/year"] {
            assert_eq!(reason(text), "expected at most 1000%/year");
        }
        for text in ["23%/month", "99999999999999%/month", "99999999999999999999999%/month"] {
            assert_eq!(reason(text), "it is more than 1000%/year, the most that is accepted");
        }
    }
}
