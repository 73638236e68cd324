//! Heavy-tailed numbers with integers only: two to the power of a sum of uniform numbers, which is about
//! log-normal.

use rand_core::RngCore;

/// Parts of one power of two.
const UNIT: i64 = 1 << 16;

/// About normal, mean 0, standard deviation [`UNIT`]: twelve uniform numbers less their mean.
fn normal(random: &mut impl RngCore) -> i64 {
    let sum: i64 = (0..12).map(|_| i64::from(random.next_u32() >> 16)).sum();
    sum - 6 * UNIT
}

/// Two to the power of `x / UNIT`, the fraction by a straight line.
fn power(x: i64) -> u64 {
    let (whole, fraction) = (x.div_euclid(UNIT), x.rem_euclid(UNIT) as u64);
    match u32::try_from(whole) {
        Ok(whole) if whole < 46 => (1u64 << whole) + (((1u128 << whole) * u128::from(fraction)) >> 16) as u64,
        Ok(_) => 1 << 46,
        Err(_) => 0,
    }
}

/// Log of a topic's typical partition size: about 1 GB, with a standard deviation of a factor of 5.
pub(super) fn topic(random: &mut impl RngCore) -> i64 {
    30 * UNIT + normal(random) * 23 / 10
}

/// Bytes of a partition of such a topic: a standard deviation of a factor of 1.4.
pub(super) fn partition(random: &mut impl RngCore, typical: i64) -> u64 {
    power(typical + normal(random) / 2)
}

/// Partitions of a topic: a dozen mostly, at most `most`.
pub(super) fn partitions(random: &mut impl RngCore, most: u32) -> u32 {
    let count = power(7 * UNIT / 2 + normal(random) * 18 / 10);
    u32::try_from(count).unwrap_or(most).clamp(1, most)
}

/// A broker's weight where replicas are drawn: a standard deviation of a quarter.
pub(super) fn weight(random: &mut impl RngCore) -> u64 {
    power(20 * UNIT + normal(random) * 36 / 100).max(1)
}

/// A cluster's weight where the brokers of a fleet are shared out: a standard deviation of a factor of three.
pub(super) fn crowd(random: &mut impl RngCore) -> u64 {
    power(20 * UNIT + normal(random) * 3 / 2).max(1)
}

/// Log of how much more a topic is written to than others of its size: a standard deviation of a factor of 2.2.
pub(super) fn pace(random: &mut impl RngCore) -> i64 {
    normal(random) * 115 / 100
}

/// Log of how much more a broker's partitions are written to than others: a standard deviation of a third.
pub(super) fn heat(random: &mut impl RngCore) -> i64 {
    normal(random) / 2
}

/// Seconds in which what is kept was written.
const KEPT_S: u64 = 3 * 24 * 3600;

/// Bytes/s that are written to a partition of this size.
pub(super) fn rate(random: &mut impl RngCore, bytes: u64, pace: i64) -> u64 {
    let factor = power(10 * UNIT + pace + normal(random) * 3 / 10);
    (u128::from(bytes) * u128::from(factor) / 1024 / u128::from(KEPT_S)) as u64
}
