//! What this process wrote to a config, and whether a read can be older than that.

use restow_client::write::ConfigOp;

use super::throttle::entries;
use super::{LAG, Moment, OPEN};

/// The last write of this process to a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrote {
    /// When.
    pub at: Moment,
    /// What it does, if the broker answered that it is done and no read has shown it yet.
    pub done: Option<ConfigOp>,
}

impl Wrote {
    /// A write of an earlier process: it may have been made just before this one began.
    pub(super) const INHERITED: Wrote = Wrote { at: Moment::ZERO, done: None };

    /// Whether what was read at a moment may be from before the write. A broker's metadata lags for less than a
    /// second; one that is cut off from the controller lags until it is fenced. Who reads from such a one again and
    /// again would take its own entries for removed by somebody.
    pub(super) fn hides_from(&self, value: Option<&str>, now: Moment) -> bool {
        let age = now.saturating_sub(self.at);
        age < LAG / 4 || (age < OPEN && !self.shows_in(value))
    }

    /// Learns what was read: once it has shown the write, a value without it is somebody else's doing.
    pub(super) fn read(&mut self, value: Option<&str>) {
        if self.shows_in(value) {
            self.done = None;
        }
    }

    fn shows_in(&self, value: Option<&str>) -> bool {
        let have = entries(value.unwrap_or(""));
        match &self.done {
            None => true,
            Some(ConfigOp::Set(set)) => value == Some(set),
            Some(ConfigOp::Delete) => value.is_none(),
            Some(ConfigOp::Append(list)) => entries(list).is_subset(&have),
            Some(ConfigOp::Subtract(list)) => entries(list).is_disjoint(&have),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e5_a_read_that_does_not_show_a_write_of_ours_is_older_than_it() {
        let wrote = |op| Wrote { at: Moment::from_secs(10), done: op };
        let append = wrote(Some(ConfigOp::Append("0:1,0:4".into())));
        let at = Moment::from_secs;
        assert!(append.hides_from(None, at(12)), "two brokers may be cut off at a time");
        assert!(append.hides_from(Some("0:4"), at(12)));
        assert!(!append.hides_from(Some("77:1, 0:4, 0:1"), at(12)));
        assert!(!append.hides_from(None, at(75)), "somebody removed them");
        let mut seen = append.clone();
        seen.read(Some("0:1,0:4"));
        assert!(!seen.hides_from(None, at(12)), "somebody removed them");
        assert!(
            append.hides_from(Some("0:1,0:4"), Moment::from_millis(10_100)),
            "and may go on to another value"
        );
        let subtract = wrote(Some(ConfigOp::Subtract("0:4".into())));
        assert!(subtract.hides_from(Some("0:4"), at(12)));
        assert!(!subtract.hides_from(Some(""), at(12)));
        let delete = wrote(Some(ConfigOp::Delete));
        assert!(delete.hides_from(Some(""), at(12)));
        assert!(!delete.hides_from(None, at(12)));
        assert!(wrote(Some(ConfigOp::Set("5".into()))).hides_from(None, at(12)));
        assert!(!wrote(None).hides_from(None, at(12)), "it was refused, or is open and blocks its key");
    }
}
