//! Fair shares, and the bands around them.

/// Lowest, highest and fair amount of each broker of those that hold `total` together, by their weights.
pub(super) fn of_total(total: u128, weights: &[u64], tolerance: u32) -> Vec<(u64, u64, u64)> {
    const WHOLE: u128 = 10_000;
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let tolerance = u128::from(tolerance).min(WHOLE);
    let of = |weight: &u64| {
        let part = total * u128::from(*weight);
        let (floor, ceiling) = (part / sum, part.div_ceil(sum));
        // `total` is below 2^64 and a weight below 2^17: no product overflows.
        let low = (part * (WHOLE - tolerance)).div_ceil(sum * WHOLE).min(floor);
        let high = (part * (WHOLE + tolerance) / (sum * WHOLE)).max(ceiling);
        (low as u64, high as u64, (floor as u64).max(1))
    };
    weights.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_holds_the_whole_numbers_around_the_share() {
        assert_eq!(of_total(1000, &[1, 1, 2], 500), [(238, 262, 250), (238, 262, 250), (475, 525, 500)]);
        // A share of 2.5: no whole number is within 5 %.
        assert_eq!(of_total(5, &[1, 1], 500), [(2, 3, 2), (2, 3, 2)]);
        assert_eq!(of_total(0, &[1, 1], 500), [(0, 0, 1), (0, 0, 1)]);
    }
}
