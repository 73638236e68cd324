//! What was acknowledged, and what the log holds when it is read back: lost, duplicated, reordered.
//!
//! Every record's value starts with `WRITER.SEQUENCE`. A writer's sequence grows from record to record in each
//! partition (with gaps, where a writer counts over a whole topic).

use crate::admin::Admin;
use crate::view::AdminError;
use std::collections::{BTreeMap, BTreeSet};

/// Records that were acknowledged: for each topic and partition, which writer's sequence got which offset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acked {
    partitions: BTreeMap<(String, i32), Vec<Run>>,
    records: u64,
}

/// `count` records whose offsets and sequences both grow by one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    writer: i64,
    offset: i64,
    sequence: i64,
    count: i64,
}

impl Acked {
    /// Adds `count` acknowledged records that start at `offset` and `sequence`.
    pub fn add(&mut self, topic: &str, partition: i32, writer: i64, offset: i64, sequence: i64, count: i64) {
        self.records += u64::try_from(count).expect("a count of records is not negative");
        let key = (topic.to_owned(), partition);
        let runs = self.partitions.entry(key).or_default();
        match runs.last_mut() {
            Some(run)
                if run.writer == writer
                    && run.offset + run.count == offset
                    && run.sequence + run.count == sequence =>
            {
                run.count += count;
            }
            _ => runs.push(Run { writer, offset, sequence, count }),
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Acked) {
        for (key, runs) in other.partitions {
            self.partitions.entry(key).or_default().extend(runs);
        }
        self.records += other.records;
    }

    /// How many records.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The topics that records were written to.
    #[must_use]
    pub fn topics(&self) -> BTreeSet<String> {
        self.partitions.keys().map(|(topic, _)| topic.clone()).collect()
    }
}

/// One record that was read back. A value that is none of ours has writer and sequence -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The partition it was read from.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Who wrote it.
    pub writer: i64,
    /// The writer's number for it.
    pub sequence: i64,
}

/// The verdict over whole logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogCheck {
    /// Records read back.
    pub records: u64,
    /// Records that had been acknowledged.
    pub acked: u64,
    /// Acknowledged records that are not at the offset they were acknowledged with.
    pub lost: u64,
    /// Records that are in a partition more than once.
    pub duplicated: u64,
    /// Records that stand behind a later one of the same writer.
    pub reordered: u64,
    /// The first few of each, in words.
    pub examples: Vec<String>,
}

impl LogCheck {
    /// Nothing acknowledged was lost, duplicated or reordered.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.reordered == 0
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < 20 {
            self.examples.push(text);
        }
    }
}

/// Reads every topic of `acked` back from start to end, and compares.
///
/// # Errors
/// When a topic cannot be read.
pub fn verify_log(admin: &Admin, acked: &Acked) -> Result<LogCheck, AdminError> {
    let mut check = LogCheck::default();
    for topic in acked.topics() {
        let found = admin.read(&topic)?;
        compare(&topic, acked, &found, &mut check);
    }
    Ok(check)
}

/// Judges the records of one topic; `found` is in the order of offsets within each partition.
fn compare(topic: &str, acked: &Acked, found: &[Found], check: &mut LogCheck) {
    let mut by_partition: BTreeMap<i32, Vec<Found>> = BTreeMap::new();
    for record in found {
        by_partition.entry(record.partition).or_default().push(*record);
    }
    check.records += found.len() as u64;
    for (partition, records) in &by_partition {
        let mut seen = BTreeSet::new();
        let mut latest: BTreeMap<i64, i64> = BTreeMap::new();
        for record in records.iter().filter(|record| record.writer >= 0) {
            let (writer, sequence, offset) = (record.writer, record.sequence, record.offset);
            let last = latest.entry(writer).or_insert(-1);
            if !seen.insert((writer, sequence)) {
                check.duplicated += 1;
                check.example(format!(
                    "duplicated: {topic}-{partition} offset {offset} is {writer}.{sequence} again"
                ));
            } else if sequence < *last {
                check.reordered += 1;
                check.example(format!(
                    "reordered: {topic}-{partition} offset {offset} is {writer}.{sequence}, after {writer}.{last}"
                ));
            }
            *last = sequence.max(*last);
        }
    }
    for ((of, partition), runs) in &acked.partitions {
        if of != topic {
            continue;
        }
        let records = by_partition.get(partition).map_or(&[][..], Vec::as_slice);
        for run in runs {
            for step in 0..run.count {
                let (offset, sequence) = (run.offset + step, run.sequence + step);
                check.acked += 1;
                let at =
                    records.binary_search_by_key(&offset, |record| record.offset).ok().map(|at| records[at]);
                if at.is_some_and(|record| record.writer == run.writer && record.sequence == sequence) {
                    continue;
                }
                check.lost += 1;
                let writer = run.writer;
                let instead = at.map_or("nothing".to_owned(), |at| format!("{}.{}", at.writer, at.sequence));
                check.example(format!(
                    "lost: {topic}-{partition} offset {offset} was {writer}.{sequence}, holds {instead}"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(acks: &[(i64, i64)], log: &[i64]) -> LogCheck {
        let mut acked = Acked::default();
        for &(offset, sequence) in acks {
            acked.add("t", 0, 7, offset, sequence, 1);
        }
        let found: Vec<Found> = (0..)
            .zip(log)
            .map(|(offset, &sequence)| Found { partition: 0, offset, writer: 7, sequence })
            .collect();
        let mut check = LogCheck::default();
        compare("t", &acked, &found, &mut check);
        check
    }

    #[test]
    fn a_faithful_log_is_clean_and_may_hold_more_than_was_acknowledged() {
        let check = judged(&[(0, 1), (1, 2), (2, 5)], &[1, 2, 5, 6]);
        assert!(check.is_clean(), "{check:?}");
        assert_eq!((check.acked, check.records), (3, 4));
    }

    #[test]
    fn a_truncated_or_overwritten_log_has_lost() {
        assert_eq!(judged(&[(0, 1), (1, 2)], &[1]).lost, 1);
        assert_eq!(judged(&[(0, 1), (1, 2)], &[1, 3]).lost, 1);
    }

    #[test]
    fn twice_is_duplicated_and_behind_is_reordered() {
        let twice = judged(&[(0, 1), (1, 2)], &[1, 2, 1]);
        assert_eq!((twice.duplicated, twice.reordered, twice.lost), (1, 0, 0));
        let behind = judged(&[], &[1, 3, 2]);
        assert_eq!((behind.duplicated, behind.reordered), (0, 1));
    }

    #[test]
    fn runs_join() {
        let mut acked = Acked::default();
        acked.add("t", 0, 1, 10, 0, 5);
        acked.add("t", 0, 1, 15, 5, 5);
        acked.add("t", 0, 1, 21, 10, 1);
        assert_eq!(acked.len(), 11);
        assert_eq!(acked.partitions[&("t".to_owned(), 0)].len(), 2);
    }
}
