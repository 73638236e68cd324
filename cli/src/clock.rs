//! The one place of the command that reads the wall clock.

use std::time::{Duration, SystemTime};

use restow_planner::model::Moment;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "wall time enters here and is handed on")]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// A time as RFC 3339 in UTC, to the second: `2026-11-21T12:40:05Z`.
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    Moment::of_seconds(seconds.cast_signed()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        let at = |seconds| rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_264_805), "2026-11-21T12:40:05Z");
        assert_eq!(at(4_107_542_399), "2100-02-28T23:59:59Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
