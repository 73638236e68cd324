//! What clients do with partitions in a second, in columns.

use std::fmt;

use super::MAX_BYTES;

/// A rate that nobody measured. Unknown is never zero.
pub const UNKNOWN_RATE: u64 = u64::MAX;
/// The greatest rate that the columns hold, of bytes and of requests.
pub const MAX_RATE: u64 = MAX_BYTES;

/// A rate of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Bytes/s that producers write to it.
    Write,
    /// Bytes/s that consumers fetch from its leader, followers not counted.
    Read,
    /// Requests/s of producers and consumers to its leader, followers not counted.
    Requests,
}

impl Rate {
    /// All of them, in the order in which files hold them.
    pub const ALL: [Rate; 3] = [Rate::Write, Rate::Read, Rate::Requests];

    /// What it is told in.
    pub fn unit(self) -> &'static str {
        match self {
            Rate::Write | Rate::Read => "bytes/s",
            Rate::Requests => "requests/s",
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rate::Write => "write rate",
            Rate::Read => "read rate",
            Rate::Requests => "request rate",
        })
    }
}

/// A column for each of [`Rate::ALL`], by partition index; empty where nothing was ever known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RateColumns([Vec<u64>; 3]);

impl RateColumns {
    /// The one of the partition of this index.
    pub fn get(&self, rate: Rate, at: usize) -> Option<u64> {
        self.0[rate as usize].get(at).copied().filter(|value| *value != UNKNOWN_RATE)
    }

    /// Of how many partitions this one is known.
    pub fn known(&self, rate: Rate) -> usize {
        self.0[rate as usize].iter().filter(|value| **value != UNKNOWN_RATE).count()
    }

    /// Sets one of a cluster of this many partitions.
    pub fn set(&mut self, partitions: usize, rate: Rate, at: usize, value: Option<u64>) {
        let column = &mut self.0[rate as usize];
        if column.is_empty() && value.is_none() {
            return;
        }
        column.resize(partitions, UNKNOWN_RATE);
        column[at] = value.unwrap_or(UNKNOWN_RATE);
    }

    /// Adds those of the next partition, which comes after `before`, in the order of [`Rate::ALL`].
    pub fn add(&mut self, before: usize, values: &[Option<u64>; 3]) {
        for (column, value) in self.0.iter_mut().zip(values) {
            if value.is_some() || !column.is_empty() {
                column.resize(before, UNKNOWN_RATE);
                column.push(value.unwrap_or(UNKNOWN_RATE));
            }
        }
    }

    pub fn shrink_to_fit(&mut self) {
        self.0.iter_mut().for_each(Vec::shrink_to_fit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_begins_where_something_is_known() {
        let mut rates = RateColumns::default();
        rates.add(0, &[None, None, None]);
        rates.add(1, &[Some(5), None, Some(0)]);
        rates.add(2, &[None, None, None]);
        let of = |rate| [0, 1, 2].map(|at| rates.get(rate, at));
        assert_eq!(of(Rate::Write), [None, Some(5), None]);
        assert_eq!(of(Rate::Read), [None; 3]);
        assert_eq!(of(Rate::Requests), [None, Some(0), None], "zero is known");
        assert_eq!(Rate::ALL.map(|rate| rates.known(rate)), [1, 0, 1]);
        assert!(rates.0[1].is_empty(), "what nobody knows takes no room");
    }

    #[test]
    fn what_was_set_may_become_unknown_again() {
        let mut rates = RateColumns::default();
        rates.set(2, Rate::Read, 1, None);
        assert_eq!(rates, RateColumns::default());
        rates.set(2, Rate::Read, 1, Some(7));
        assert_eq!([0, 1].map(|at| rates.get(Rate::Read, at)), [None, Some(7)]);
        rates.set(2, Rate::Read, 1, None);
        assert_eq!(rates.known(Rate::Read), 0);
    }
}
