//! The first day on which a broker holds more than it may.

use super::{Factor, Growth, LONGEST, MILLION, Power};

/// What grows in the same way: of one resource of one broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// How it grows. A linear growth is that of the whole group.
    pub growth: Growth,
    /// How much it is today.
    pub amount: u64,
}

/// The first day (0 is today) after which the groups together are more than the limit; `None` if that is not within
/// [`LONGEST`] days. A sum is rounded half up, as [`amount_after`] gives it.
///
/// Some groups may shrink, so the sum may fall and then rise. But each group is convex in time (a line, an exponential,
/// a line that stops at nothing), and so is the sum: while it is within the limit at both ends, it is so in between.
/// Halving therefore finds the first day.
pub fn first_day_above(groups: &[Group], limit: u64) -> Option<u32> {
    let sum = Sum::of(groups);
    let above = |day: u32| sum.after(day) > u128::from(limit);
    if above(0) || !above(LONGEST) {
        return above(0).then_some(0);
    }
    let (mut within, mut beyond) = (0, LONGEST);
    while beyond - within > 1 {
        let middle = within.midpoint(beyond);
        if above(middle) {
            beyond = middle;
        } else {
            within = middle;
        }
    }
    Some(beyond)
}

/// The groups together after so many days, rounded half up; `u64::MAX` where it is more.
pub fn amount_after(groups: &[Group], days: u32) -> u64 {
    u64::try_from(Sum::of(groups).after(days)).unwrap_or(u64::MAX)
}

/// Groups, in millionths of their unit.
#[derive(Debug, Default)]
struct Sum {
    /// All that does not shrink on a straight line: today, and what each day adds.
    today: u128,
    per_day: u128,
    /// What shrinks on a straight line: today, and what each day takes.
    shrinking: Vec<(u128, u128)>,
    compound: Vec<(u64, Power)>,
}

impl Sum {
    fn of(groups: &[Group]) -> Sum {
        let mut sum = Sum::default();
        for group in groups {
            let today = u128::from(group.amount) * MILLION;
            let per_day = match group.growth {
                Growth::None => 0,
                Growth::Linear { per_day_millionths } if per_day_millionths < 0 => {
                    sum.shrinking.push((today, per_day_millionths.unsigned_abs()));
                    continue;
                }
                Growth::Linear { per_day_millionths } => per_day_millionths.unsigned_abs(),
                Growth::Compound { per_year_millionths } => {
                    sum.compound.push((group.amount, Power::of_year(per_year_millionths)));
                    continue;
                }
            };
            sum.today = sum.today.saturating_add(today);
            sum.per_day = sum.per_day.saturating_add(per_day);
        }
        sum
    }

    /// In whole units, rounded half up.
    fn after(&self, days: u32) -> u128 {
        let each_day = u128::from(days);
        let steady = self.today.saturating_add(self.per_day.saturating_mul(each_day));
        let shrinking =
            self.shrinking.iter().map(|(today, loss)| today.saturating_sub(loss.saturating_mul(each_day)));
        let compound = self.compound.iter().map(|(amount, power)| {
            let factor: Factor = power.over(days);
            factor.millionths_of(*amount)
        });
        let sum = shrinking.chain(compound).fold(steady, u128::saturating_add);
        sum.saturating_add(MILLION / 2) / MILLION
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GB: u64 = 1_000_000_000;

    fn compound(percent: i64, amount: u64) -> Group {
        Group { growth: Growth::Compound { per_year_millionths: percent * 10_000 }, amount }
    }

    fn linear(per_day: i64, amount: u64) -> Group {
        Group { growth: Growth::Linear { per_day_millionths: i128::from(per_day) * 1_000_000 }, amount }
    }

    fn still(amount: u64) -> Group {
        Group { growth: Growth::None, amount }
    }

    #[test]
    fn lines_are_exact() {
        assert_eq!(
            first_day_above(&[linear(7, 100)], 170),
            Some(11),
            "170 after 10 days is within the limit"
        );
        assert_eq!(first_day_above(&[linear(7, 100)], 169), Some(10));
        assert_eq!(first_day_above(&[linear(3, 50), linear(4, 50)], 170), Some(11), "they add up");
        let slow = Group { growth: Growth::Linear { per_day_millionths: 250_000 }, amount: 10 };
        assert_eq!(first_day_above(&[slow], 10), Some(2), "10.5 rounds to 11");
        assert_eq!(first_day_above(&[slow], 12), Some(10));
        assert_eq!(first_day_above(&[linear(1, 0)], u64::from(LONGEST) - 1), Some(LONGEST));
        assert_eq!(first_day_above(&[linear(1, 0)], u64::from(LONGEST)), None, "beyond 20 years");
    }

    #[test]
    fn compound_growth_is_exact_to_the_day() {
        assert_eq!(first_day_above(&[compound(100, GB)], 2 * GB), Some(366), "exactly twice after a year");
        assert_eq!(first_day_above(&[compound(100, GB)], 2 * GB - 1), Some(365));
        assert_eq!(first_day_above(&[compound(100, GB)], 1024 * GB), Some(3651));
        // 365 * ln 2 / ln 1.4 = 751.9; 365 * ln 10 / ln 1.425761 = 2369.4
        assert_eq!(first_day_above(&[compound(40, 100 * GB)], 200 * GB), Some(752));
        let monthly = Group { growth: "+3%/month".parse().unwrap(), amount: GB };
        assert_eq!(first_day_above(&[monthly], 10 * GB), Some(2370));
    }

    #[test]
    fn mixtures_add_up() {
        // 500 stay, 100 grow to 200 (751.9 days), of 700.
        assert_eq!(first_day_above(&[still(500 * GB), compound(40, 100 * GB)], 700 * GB), Some(752));
        // A line of 1 GB a day beside a doubling of 365 GB: 365 + 365 + 730 after a year.
        let both = [linear(GB as i64, 365 * GB), compound(100, 365 * GB)];
        assert_eq!(first_day_above(&both, 1460 * GB), Some(366));
        assert_eq!(first_day_above(&both, 1460 * GB - 1), Some(365));
        assert_eq!(amount_after(&both, 365), 1460 * GB);
    }

    #[test]
    fn what_shrinks_makes_room_and_never_less_than_nothing() {
        // 1000 are gone after 100 days; 500 grow by 20 a day. 1500 - 10 d + 20 d, then 500 + 20 d.
        let groups = [linear(-10, 1000), linear(20, 500)];
        assert_eq!(first_day_above(&groups, 2400), Some(91));
        assert_eq!(first_day_above(&groups, 3000), Some(126));
        // 300 are gone after 3 days; until then the sum falls by 95 a day, then it rises by 5.
        let falls_first = [linear(-100, 300), linear(5, 100)];
        assert_eq!([0, 1, 3, 4].map(|day| amount_after(&falls_first, day)), [400, 305, 115, 120]);
        assert_eq!(first_day_above(&falls_first, 400), Some(61));
        assert_eq!(first_day_above(&falls_first, 399), Some(0));
        // A tenth less each year: 900 after one, 348.7 after ten.
        assert_eq!(first_day_above(&[compound(-10, 1000)], 1000), None);
        assert_eq!([0, 365, 3650].map(|day| amount_after(&[compound(-10, 1000)], day)), [1000, 900, 349]);
        let gone = Group { growth: Growth::Compound { per_year_millionths: -1_000_000 }, amount: 9 };
        assert_eq!([0, 1].map(|day| amount_after(&[gone], day)), [9, 0]);
    }

    #[test]
    fn already_and_never() {
        assert_eq!(first_day_above(&[still(101)], 100), Some(0));
        assert_eq!(first_day_above(&[compound(-50, 101)], 100), Some(0), "today counts, though it shrinks");
        assert_eq!(first_day_above(&[still(100)], 100), None);
        assert_eq!(first_day_above(&[], 0), None);
        assert_eq!(first_day_above(&[compound(1000, 0), linear(0, 0)], 0), None);
    }

    #[test]
    fn nothing_overflows() {
        let most = Growth::Linear { per_day_millionths: i128::MAX };
        let least = Growth::Linear { per_day_millionths: i128::MIN };
        let groups = [most, most, least, Growth::Compound { per_year_millionths: i64::MAX }];
        let groups = groups.map(|growth| Group { growth, amount: u64::MAX });
        assert_eq!(amount_after(&groups, LONGEST), u64::MAX);
        assert_eq!(first_day_above(&groups[..1], u64::MAX), Some(1));
        assert_eq!(first_day_above(&groups[2..3], u64::MAX), None);
        assert_eq!(first_day_above(&groups[3..], u64::MAX), Some(1));
    }

    fn a_group() -> impl Strategy<Value = Group> {
        let per_year = -999_999i64..3_000_000;
        let per_day = -3_000_000_000i128..3_000_000_000;
        let growth = prop_oneof![
            Just(Growth::None),
            per_year.prop_map(|per_year_millionths| Growth::Compound { per_year_millionths }),
            per_day.prop_map(|per_day_millionths| Growth::Linear { per_day_millionths }),
        ];
        (growth, 0u64..1_000_000).prop_map(|(growth, amount)| Group { growth, amount })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_first_day_is_the_first_of_all(
            groups in prop::collection::vec(a_group(), 0..6),
            part in 500u64..4_000,
        ) {
            let limit = amount_after(&groups, 0) * part / 1_000;
            let scanned = (0..=LONGEST).find(|day| amount_after(&groups, *day) > limit);
            prop_assert_eq!(first_day_above(&groups, limit), scanned);
        }

        #[test]
        fn sums_are_those_of_real_numbers(groups in prop::collection::vec(a_group(), 0..6), days in 0..=LONGEST) {
            let years = f64::from(days) / 365.0;
            let each = groups.iter().map(|group| match group.growth {
                Growth::None => group.amount as f64,
                Growth::Compound { per_year_millionths: g } => {
                    group.amount as f64 * (1.0 + g as f64 / 1e6).powf(years)
                }
                Growth::Linear { per_day_millionths: per_day } => {
                    (group.amount as f64 + per_day as f64 / 1e6 * f64::from(days)).max(0.0)
                }
            });
            let expected: f64 = each.sum();
            let found = amount_after(&groups, days) as f64;
            prop_assert!((found - expected).abs() <= 0.51 + expected * 1e-11, "{found}, {expected}");
        }
    }
}
