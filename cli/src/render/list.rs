//! Lists of numbers and names, short enough to read.

use std::fmt::Display;

/// Numbers as ranges: `0-3, 7, 9-11`.
pub fn ranges(numbers: &[i32]) -> String {
    let mut sorted: Vec<i64> = numbers.iter().map(|n| i64::from(*n)).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut parts: Vec<String> = Vec::new();
    let mut rest = sorted.as_slice();
    while let Some(first) = rest.first() {
        let len = rest.iter().zip(*first..).take_while(|(n, expected)| *n == expected).count();
        let last = rest[len - 1];
        parts.push(if len == 1 { first.to_string() } else { format!("{first}-{last}") });
        rest = &rest[len..];
    }
    parts.join(", ")
}

/// Items with commas between.
pub fn commas<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// Items as they are typed: `1,2,3`.
pub fn plain<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

/// Items with a blank between.
pub fn blanks<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// Items as a person lists them: `1, 2 and 3`.
pub fn and<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_ranges() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[4]), "4");
        assert_eq!(ranges(&[3, 0, 1, 2, 7, 9, 10, 7]), "0-3, 7, 9-10");
        assert_eq!(ranges(&[i32::MAX - 1, i32::MAX]), "2147483646-2147483647");
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(and(["a"]), "a");
        assert_eq!(and([1, 2, 3]), "1, 2 and 3");
        assert_eq!(commas([1, 2]), "1, 2");
    }
}
