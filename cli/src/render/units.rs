//! Bytes, rates, counts and times as text: integers only, so that the same number always looks the same.

use std::time::Duration;

const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// Bytes to three digits, in powers of 1000: `999 B`, `1.5 kB`, `52.4 MB`.
pub fn bytes(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = 1000u64;
    for (at, unit) in UNITS.iter().enumerate() {
        let last = at + 1 == UNITS.len();
        let text = three_digits(bytes, size);
        // 999 950 rounds to 1000 kB: that is 1 MB.
        if last || (bytes / size < 1000 && text != "1000") {
            return format!("{text} {unit}");
        }
        size *= 1000;
    }
    format!("{bytes} B")
}

/// `n / size` to three digits, rounded half up, without zeros at the end.
fn three_digits(n: u64, size: u64) -> String {
    let decimals = match n / size {
        0..=9 => 2,
        10..=99 => 1,
        _ => 0,
    };
    decimal(u128::from(n), u128::from(size), decimals)
}

/// `n / d` with at most this many decimals, rounded half up, without zeros at the end.
pub fn decimal(n: u128, d: u128, decimals: u32) -> String {
    let scale = 10u128.pow(decimals);
    let scaled = (n * scale * 2 + d) / (d * 2);
    let (whole, part) = (scaled / scale, scaled % scale);
    if part == 0 {
        return whole.to_string();
    }
    let part = format!("{part:0width$}", width = decimals as usize);
    format!("{whole}.{}", part.trim_end_matches('0'))
}

/// Bytes both ways: `52.4 MB (52,428,800 bytes)`.
pub fn bytes_exact(n: u64) -> String {
    if n < 1000 { format!("{n} bytes") } else { format!("{} ({} bytes)", bytes(n), count(n)) }
}

/// A count with commas: `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate both ways: `50,000,000 bytes/s (50 MB/s)`.
pub fn rate(bytes_per_second: u64) -> String {
    let megabytes = decimal(u128::from(bytes_per_second), 1_000_000, 6);
    format!("{} bytes/s ({megabytes} MB/s)", count(bytes_per_second))
}

/// `1 partition`, `2 partitions`.
pub fn of(n: u64, thing: &str) -> String {
    if n == 1 {
        format!("1 {thing}")
    } else if let Some(stem) = thing.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        format!("{} {stem}ies", count(n))
    } else {
        format!("{} {thing}s", count(n))
    }
}

/// A signed difference: `+3`, `-2`, empty for none.
pub fn difference(before: u64, after: u64) -> String {
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("-{}", count(before - after)),
        std::cmp::Ordering::Equal => String::new(),
        std::cmp::Ordering::Greater => format!("+{}", count(after - before)),
    }
}

/// A length of time: `850 ms`, `12 s`, `3 min 05 s`, `2 h 05 min`.
pub fn time(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0 => format!("{} ms", length.subsec_millis()),
        1..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1 kB"),
            (1500, "1.5 kB"),
            (1_234_567, "1.23 MB"),
            (52_428_800, "52.4 MB"),
            (999_499, "999 kB"),
            (999_500, "1 MB"),
            (999_999_999, "1 GB"),
            (1_000_000_000_000, "1 TB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(n), text);
        }
        assert_eq!(bytes_exact(52_428_800), "52.4 MB (52,428,800 bytes)");
        assert_eq!(bytes_exact(7), "7 bytes");
    }

    #[test]
    fn rates_are_said_both_ways() {
        assert_eq!(rate(50_000_000), "50,000,000 bytes/s (50 MB/s)");
        assert_eq!(rate(52_428_800), "52,428,800 bytes/s (52.4288 MB/s)");
        assert_eq!(rate(50), "50 bytes/s (0.00005 MB/s)");
    }

    #[test]
    fn counts_and_times() {
        assert_eq!((count(0), count(999), count(1000)), ("0".into(), "999".into(), "1,000".into()));
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(of(1, "partition"), "1 partition");
        assert_eq!((of(2, "copy"), of(2, "day")), ("2 copies".into(), "2 days".into()));
        assert_eq!(
            (difference(3, 5), difference(5, 3), difference(5, 5)),
            ("+2".into(), "-2".into(), "".into())
        );
        assert_eq!(time(Duration::from_millis(850)), "850 ms");
        assert_eq!(time(Duration::from_secs(185)), "3 min 05 s");
        assert_eq!(time(Duration::from_secs(7500)), "2 h 05 min");
        assert_eq!(decimal(8, 3, 1), "2.7");
    }
}
