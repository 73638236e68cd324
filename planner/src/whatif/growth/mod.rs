//! Growth over time, in integers: how much there will be on a day, and on which day it is too much.
//!
//! A [`Growth`] is typed by a person (`40%/year`) or fitted from several snapshots ([`Series`]). The day on which a
//! broker holds more than its limit follows from its amounts, grouped by growth.
//!
//! ```
//! use restow_planner::model::Day;
//! use restow_planner::whatif::growth::{Group, first_day_above};
//!
//! let taken: Day = "2026-11-22T17:00:00Z".parse()?;
//! let groups = [
//!     Group { growth: "40%/year".parse()?, amount: 600_000_000_000 },
//!     Group { growth: "none".parse()?, amount: 100_000_000_000 },
//! ];
//! let days = first_day_above(&groups, 1_000_000_000_000).expect("600 GB grow to 900 GB");
//! assert_eq!((days, taken.plus(days).to_string()), (440, "2028-02-05".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod first;
mod fit;
mod power;
mod text;
mod wide;

pub use first::{Group, amount_after, first_day_above};
pub use fit::{Band, CannotFit, Fits, MAX_SNAPSHOTS, Series, TopicFit, Trend, share};
pub use power::{Factor, Power, factor};
pub use text::{Horizon, NotAGrowth, NotAHorizon};

/// Days of a year of growth; there are no leap years in it.
pub const DAYS_PER_YEAR: u32 = 365;
/// The furthest day that is looked at: 20 years.
pub const LONGEST: u32 = 20 * DAYS_PER_YEAR;
/// Parts of one, in growths per year and per day.
const MILLION: u128 = 1_000_000;

/// How an amount (bytes, bytes/s, replicas) grows. Read from `40%/year`, `+3%/month`, `-10%/year` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Growth {
    /// It stays as it is.
    None,
    /// By the same part of itself every year.
    Compound {
        /// Millionths of the amount per year: 400,000 is 40 %; at -1,000,000 nothing is left.
        per_year_millionths: i64,
    },
    /// By the same amount every day, and never below nothing.
    Linear {
        /// Millionths of the amount's unit per day, so that a slow rate is not lost: 1,000,000 is one byte a day.
        per_day_millionths: i128,
    },
}
