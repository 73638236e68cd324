//! Amounts of money.

/// Hundredths as an amount: `1,234.50`.
pub fn money(hundredths: u64) -> String {
    format!("{}.{:02}", super::units::count(hundredths / 100), hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn hundredths_have_two_places() {
        assert_eq!((money(123_450), money(5)), ("1,234.50".into(), "0.05".into()));
    }
}
