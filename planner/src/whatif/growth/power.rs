//! Compound growth in integers, so that every machine gives the same bytes.
//!
//! `(1 + g)^(days / 365)` is `2^(days / 365 * log2(1 + g))`. The logarithm comes bit by bit from squaring, the power
//! from square roots of two, both to 60 bits behind the point: over 20 years less than one part in 10^15 is lost.

use super::{DAYS_PER_YEAR, MILLION};

/// Bits behind the point of logarithms.
const BITS: usize = 60;
/// The bits of a mantissa. What is below them is noise: without it `1.5^2` is 2.25 exactly.
const KEPT: u32 = 52;
/// Bits of a logarithm that are raised at once, and how many values they have.
const STEP: usize = 4;
const VALUES: usize = 1 << STEP;
/// One in powers of two.
const ONE: u64 = 1 << 63;
/// Two to each value of each four bits behind the point, from the first four on, in parts of 2^63.
static POWERS: [[u64; VALUES]; BITS / STEP] = powers();

const fn powers() -> [[u64; VALUES]; BITS / STEP] {
    let mut powers = [[ONE; VALUES]; BITS / STEP];
    // 2^(1/2), 2^(1/4), 2^(1/8), …
    let mut root = 2 * ONE as u128;
    let mut at = 0;
    while at < BITS {
        root = (root << 63).isqrt();
        let bit = VALUES >> (1 + at % STEP);
        let mut value = 0;
        while value < VALUES {
            if value & bit != 0 {
                powers[at / STEP][value] = times(powers[at / STEP][value], root as u64);
            }
            value += 1;
        }
        at += 1;
    }
    powers
}

/// The product of two powers of two, rounded down.
const fn times(a: u64, b: u64) -> u64 {
    ((a as u128 * b as u128) >> 63) as u64
}

/// What an amount is multiplied by; the greater one is the greater factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor {
    // `mantissa * 2^(exponent + 1 - KEPT)`; the mantissa has KEPT bits, or is 0.
    exponent: i32,
    mantissa: u64,
}

impl Factor {
    /// Leaves an amount as it is.
    pub const ONE: Factor = Factor { exponent: 0, mantissa: 1 << (KEPT - 1) };
    /// Leaves nothing.
    pub const ZERO: Factor = Factor { exponent: i32::MIN, mantissa: 0 };

    /// That many times the amount, rounded half up; `u64::MAX` where it is more.
    pub fn of(self, amount: u64) -> u64 {
        u64::try_from(shifted(self.product(amount), self.behind())).unwrap_or(u64::MAX)
    }

    /// The same in millionths of the amount's unit.
    pub(super) fn millionths_of(self, amount: u64) -> u128 {
        // The product has 116 bits: nine make room for the million.
        const ROOM: u32 = 9;
        shifted((self.product(amount) >> ROOM) * MILLION, self.behind() - i64::from(ROOM))
    }

    /// The factor itself in millionths: 1,400,000 for 1.4.
    pub fn millionths(self) -> u64 {
        self.of(MILLION as u64)
    }

    fn product(self, amount: u64) -> u128 {
        u128::from(amount) * u128::from(self.mantissa)
    }

    /// Bits of a product that stand behind the point; fewer than none where it ends before the point.
    fn behind(self) -> i64 {
        i64::from(KEPT) - 1 - i64::from(self.exponent)
    }
}

/// A number without its last bits, rounded half up; `u128::MAX` where fewer than none are too many to add.
fn shifted(number: u128, bits: i64) -> u128 {
    match bits {
        _ if number == 0 => 0,
        1..=127 => ((number >> (bits - 1)) + 1) >> 1,
        ..=0 if -bits < i64::from(number.leading_zeros()) => number << -bits,
        ..=0 => u128::MAX,
        _ => 0,
    }
}

/// Growth of a year, ready to be raised to any number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Power {
    /// `log2(1 + g)` in parts of `2^BITS`; `None` where nothing is left.
    log: Option<i128>,
}

impl Power {
    /// Growth in millionths per year; nothing is left of an amount at -1,000,000 or below.
    pub fn of_year(per_year_millionths: i64) -> Power {
        let base = i128::from(per_year_millionths) + MILLION as i128;
        let base = u64::try_from(base).ok().filter(|base| *base > 0);
        Power { log: base.map(|base| log2(base) - log2(MILLION as u64)) }
    }

    /// The factor after so many days of a year of 365.
    pub fn over(self, days: u32) -> Factor {
        match self.log {
            _ if days == 0 => Factor::ONE,
            None => Factor::ZERO,
            Some(log) => exp2((log * i128::from(days)).div_euclid(i128::from(DAYS_PER_YEAR))),
        }
    }
}

/// `(1 + g)^(days / 365)`, with `g` in millionths per year.
pub fn factor(per_year_millionths: i64, days: u32) -> Factor {
    Power::of_year(per_year_millionths).over(days)
}

/// The logarithm of a number above 0, in parts of `2^BITS`.
fn log2(number: u64) -> i128 {
    let whole = number.ilog2();
    // In [1, 2), in parts of 2^63. Its square is in [1, 4): whether it reaches 2 is the next bit.
    let mut rest = number << (63 - whole);
    let mut log = i128::from(whole);
    for _ in 0..BITS {
        let square = u128::from(rest) * u128::from(rest);
        let bit = square >> 127;
        rest = (square >> (63 + bit)) as u64;
        log = log << 1 | bit as i128;
    }
    log
}

/// Two to a number in parts of `2^BITS`.
fn exp2(log: i128) -> Factor {
    // Roots and products are rounded down, so it stays below 2.
    let power = POWERS.iter().enumerate().fold(ONE, |power, (at, powers)| {
        let value = log >> (BITS - STEP * (at + 1)) & (VALUES as i128 - 1);
        times(power, powers[value as usize])
    });
    let mantissa = ((power >> (63 - KEPT)) + 1) >> 1;
    let exponent = (log >> BITS) as i32;
    match mantissa >> KEPT {
        0 => Factor { exponent, mantissa },
        _ => Factor { exponent: exponent + 1, mantissa: mantissa >> 1 },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGITS: u64 = 1_000_000_000_000_000_000;

    /// A factor of an amount of 18 digits is this, but for one part in 10^15.
    fn is_near(per_year: i64, days: u32, expected: u64) {
        let found = factor(per_year, days).of(DIGITS);
        let off = u128::from(found.abs_diff(expected)) * 1_000_000_000_000_000;
        assert!(off <= u128::from(expected), "{per_year}, {days}: {found}, expected {expected}");
    }

    #[test]
    fn factors_are_those_of_longer_arithmetic() {
        // (1 + g)^(days / 365) in decimals of 60 digits.
        is_near(400_000, 73, 1_069_610_375_725_068_868);
        // 1.4^1.5 = 1.656502… is between these.
        is_near(400_000, 547, 1_655_738_998_698_382_874);
        is_near(400_000, 548, 1_657_266_031_758_100_672);
        is_near(400_000, 1095, 2_744_000_000_000_000_000);
        is_near(30_000, 4380, 1_425_760_886_846_178_945);
        is_near(-100_000, 3650, 348_678_440_100_000_000);
        is_near(-300_000, 100, 906_903_560_320_154_866);
        is_near(1, 1, 1_000_000_002_739_724_661);
        is_near(1, 7300, 1_000_020_000_190_001_140);
        is_near(-1, 7300, 999_980_000_189_998_860);
    }

    #[test]
    fn the_ends_of_the_range_are_near_too() {
        // 11^20 is 6.7274999493256000920…e20, and 0.090909^20 is 1.4864065517982532…e-21.
        assert_eq!(factor(10_000_000, 7300).of(1), u64::MAX, "saturates");
        assert_eq!(factor(10_000_000, 7300).exponent, 69);
        let ten_years = factor(10_000_000, 3650).of(1_000_000);
        assert!(ten_years.abs_diff(25_937_424_601_000_000) < 30, "11^10 is 25,937,424,601: {ten_years}");
        assert_eq!(factor(-909_091, 7300).of(u64::MAX), 0);
        assert_eq!(factor(-900_000, 3650).of(u64::MAX), 1_844_674_407, "a tenth, ten times");
    }

    #[test]
    fn powers_of_two_are_exact() {
        for years in 0..40 {
            assert_eq!(factor(1_000_000, years * 365).of(3), 3 << years);
            assert_eq!(factor(-500_000, years * 365).of(3 << 40), 3 << (40 - years));
            assert_eq!(factor(3_000_000, years * 365).exponent, 2 * years as i32);
        }
        for years in 0..12 {
            assert_eq!(factor(500_000, years * 365).of(1 << years), 3u64.pow(years), "halves are exact too");
        }
    }

    #[test]
    fn no_time_and_no_growth_change_nothing() {
        for per_year in [i64::MIN, -1_000_000, -1, 0, 1, i64::MAX] {
            assert_eq!(factor(per_year, 0), Factor::ONE);
        }
        assert_eq!(factor(0, u32::MAX), Factor::ONE);
        assert_eq!([0, 1, u64::MAX].map(|amount| Factor::ONE.of(amount)), [0, 1, u64::MAX]);
        assert_eq!(Factor::ONE.millionths_of(u64::MAX), u128::from(u64::MAX) * MILLION);
    }

    #[test]
    fn nothing_overflows() {
        for per_year in [-1_000_000, -1_000_001, i64::MIN] {
            assert_eq!(factor(per_year, 1), Factor::ZERO);
        }
        let most = factor(i64::MAX, u32::MAX);
        let least = factor(-999_999, u32::MAX);
        assert_eq!([0, 1, u64::MAX].map(|amount| most.of(amount)), [0, u64::MAX, u64::MAX]);
        assert_eq!([0, 1, u64::MAX].map(|amount| least.of(amount)), [0; 3]);
        assert_eq!([0, 1].map(|amount| most.millionths_of(amount)), [0, u128::MAX]);
        assert_eq!(least.millionths_of(u64::MAX), 0);
        assert!(Factor::ZERO < least && least < Factor::ONE && Factor::ONE < most);
    }

    #[test]
    fn amounts_are_rounded_half_up() {
        let one_and_a_half = factor(500_000, 365);
        assert_eq!([0, 1, 2, 3, 5].map(|amount| one_and_a_half.of(amount)), [0, 2, 3, 5, 8]);
        assert_eq!([1, 3].map(|amount| one_and_a_half.millionths_of(amount)), [1_500_000, 4_500_000]);
        let quarter = factor(-750_000, 365);
        assert_eq!([1, 2, 3].map(|amount| quarter.of(amount)), [0, 1, 1]);
    }

    proptest! {
        #[test]
        fn more_days_or_more_growth_is_more(
            per_year in -999_999i64..10_000_000,
            more in 1i64..1_000,
            days in 0u32..7_300,
        ) {
            let today = factor(per_year, days);
            let tomorrow = factor(per_year, days + 1);
            prop_assert_eq!(today.cmp(&tomorrow), 0.cmp(&per_year));
            prop_assert!(factor(per_year + more, days + 1) > tomorrow);
        }

        #[test]
        fn years_follow_years(per_year in -900_000i64..10_000_000, one in 0u32..2_000, other in 0u32..2_000) {
            let both = factor(per_year, one + other).of(DIGITS / 1_000_000);
            let apart = factor(per_year, one).of(factor(per_year, other).of(DIGITS / 1_000_000));
            let rounded = factor(per_year, one).of(1) + 2;
            prop_assert!(both.abs_diff(apart) <= rounded + both / 100_000_000_000_000, "{both}, {apart}");
        }

        #[test]
        fn floats_agree(per_year in -900_000i64..10_000_000, days in 0u32..3_650) {
            let expected = (1.0 + per_year as f64 / 1e6).powf(f64::from(days) / 365.0) * 1e8;
            let found = factor(per_year, days).of(100_000_000) as f64;
            prop_assert!((found - expected).abs() <= 0.51 + expected * 1e-12, "{found}, {expected}");
        }
    }
}
