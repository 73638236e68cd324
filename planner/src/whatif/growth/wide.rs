//! Products of 256 bits, for quotients that are exact.

/// A number of 256 bits: its upper half, then its lower.
pub(super) type Wide = (u128, u128);

/// The whole product.
pub(super) fn product(a: u128, b: u128) -> Wide {
    const LOW: u128 = u64::MAX as u128;
    let (a_high, a_low, b_high, b_low) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let (low, one, other) = (a_low * b_low, a_high * b_low, a_low * b_high);
    let middle = (low >> 64) + (one & LOW) + (other & LOW);
    (a_high * b_high + (one >> 64) + (other >> 64) + (middle >> 64), middle << 64 | low & LOW)
}

/// What is left of a number that is not less than what is taken.
pub(super) fn less(from: Wide, taken: Wide) -> Wide {
    let (low, borrow) = from.1.overflowing_sub(taken.1);
    (from.0.wrapping_sub(taken.0).wrapping_sub(u128::from(borrow)), low)
}

/// The greatest number below 2^127 that this holds for; it holds for all numbers up to that one.
pub(super) fn greatest(holds: impl Fn(u128) -> bool) -> u128 {
    (0..127)
        .rev()
        .map(|bit| 1 << bit)
        .fold(0, |found, bit| if holds(found | bit) { found | bit } else { found })
}

/// `a * b / c`, rounded half away from nothing, where the quotient is one of `i128`; else the nearest that is. `c` is
/// above 0.
pub(super) fn scaled(a: i128, b: u128, c: u128) -> i128 {
    let size = a.unsigned_abs();
    let quotient = match size.checked_mul(b) {
        Some(product) => product / c + u128::from(product % c >= c.div_ceil(2)),
        None => {
            let whole = product(size, b);
            let floor = greatest(|quotient| product(quotient, c) <= whole);
            let rest = less(whole, product(floor, c));
            floor + u128::from(rest.0 > 0 || rest.1 >= c.div_ceil(2))
        }
    };
    let quotient = i128::try_from(quotient).unwrap_or(i128::MAX);
    if a < 0 { -quotient } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_whole() {
        assert_eq!(product(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(product(1 << 100, 1 << 100), (1 << 72, 0));
        assert_eq!(product(u128::MAX, 2), (1, u128::MAX - 1));
        assert_eq!(product(6, 7), (0, 42));
        assert_eq!(less((2, 0), (0, 1)), (1, u128::MAX));
    }

    #[test]
    fn quotients_are_rounded() {
        assert_eq!([5, 6, 7, -5, -6].map(|a| scaled(a, 1, 4)), [1, 2, 2, -1, -2]);
        assert_eq!([1, 2, -2].map(|a| scaled(a, 1, 3)), [0, 1, -1]);
        // Beyond 128 bits: 2^98 and one to three quarters.
        let found =
            [1, 2, 3, 5].map(|quarters| scaled((1 << 100) + quarters, 1 << 100, 1 << 102) - (1 << 98));
        assert_eq!(found, [0, 1, 1, 1]);
        assert_eq!(scaled(-(1 << 100) - 2, 1 << 100, 1 << 102), -(1 << 98) - 1);
        assert_eq!(scaled(i128::MAX, u128::MAX, u128::MAX), i128::MAX);
        assert_eq!(scaled(i128::MIN, 1, 1), -i128::MAX);
        assert_eq!(scaled(i128::MAX, 3, 1), i128::MAX);
        // The square root of three.
        let root = greatest(|n| product(n, n) <= product(1 << 100, 3 << 100));
        assert_eq!(root, 2_195_635_245_840_476_761_639_769_790_215);
    }
}
