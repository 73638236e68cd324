//! Log directories: where new replicas go, what is used, and what happens when one is full.

use std::time::Duration;

use restow_planner::model::BrokerId;

use super::{Copy, Key, Logs};

/// How often a directory is looked at.
const CHECK: Duration = Duration::from_secs(1);

impl Logs {
    /// The directory with the fewest replicas, as Kafka chooses it; failed ones take none.
    pub(super) fn emptiest_dir(&self, broker: BrokerId) -> usize {
        let dirs = self.hardware.get(&broker).map_or(1, |h| h.dirs.len());
        if dirs < 2 {
            return 0;
        }
        let mut counts = vec![0usize; dirs];
        for copy in self.logs.values().filter_map(|log| log.copies.get(&broker)) {
            counts[copy.dir] += 1;
        }
        let sound = (0..dirs).filter(|dir| !self.failed.contains(&(broker, *dir)));
        sound.min_by_key(|dir| counts[*dir]).unwrap_or(0)
    }

    /// The replicas on a broker: key and copy.
    pub(crate) fn on(&self, broker: BrokerId) -> impl Iterator<Item = (Key, Copy)> {
        self.logs.iter().filter_map(move |(key, log)| Some((*key, *log.copies.get(&broker)?)))
    }

    /// A broker's copy, if its directory has not failed.
    pub(crate) fn sound_copy(&self, key: Key, broker: BrokerId) -> Option<Copy> {
        let copy = *self.logs.get(&key)?.copies.get(&broker)?;
        (!self.failed.contains(&(broker, copy.dir))).then_some(copy)
    }

    /// Whether a broker's directory has failed.
    pub(crate) fn has_failed(&self, broker: BrokerId, dir: usize) -> bool {
        self.failed.contains(&(broker, dir))
    }

    /// Bytes used in each directory of a broker, those of deleted replicas included.
    pub(crate) fn used(&self, broker: BrokerId) -> Vec<u64> {
        let mut used = vec![0; self.hardware.get(&broker).map_or(1, |h| h.dirs.len())];
        for (_, copy) in self.on(broker) {
            used[copy.dir] += copy.bytes();
        }
        for (_, dir, _, bytes) in self.deleted.iter().filter(|(owner, ..)| *owner == broker) {
            used[*dir] += bytes;
        }
        used
    }

    /// The most that was used in each directory of a broker so far, looked at once a second.
    pub(crate) fn peak(&self, broker: BrokerId) -> Vec<u64> {
        self.peaks.get(&broker).cloned().unwrap_or_else(|| self.used(broker))
    }

    /// Looks how full the directories are; those that are more than full fail. Which ones, with what was in
    /// them.
    pub(crate) fn overfull(&mut self, now: Duration) -> Vec<(BrokerId, usize, Vec<Key>)> {
        if now < self.disks_due {
            return Vec::new();
        }
        self.disks_due = now + CHECK;
        let mut used: std::collections::BTreeMap<BrokerId, Vec<u64>> =
            self.hardware.iter().map(|(id, h)| (*id, vec![0; h.dirs.len()])).collect();
        let copies =
            self.logs.values().flat_map(|log| &log.copies).map(|(id, copy)| (*id, copy.dir, copy.bytes()));
        let deleted = self.deleted.iter().map(|(id, dir, _, bytes)| (*id, *dir, *bytes));
        for (id, dir, bytes) in copies.chain(deleted) {
            if let Some(sum) = used.get_mut(&id).and_then(|dirs| dirs.get_mut(dir)) {
                *sum += bytes;
            }
        }
        let mut full = Vec::new();
        for (id, used) in used {
            let sizes = &self.hardware[&id].dirs;
            for (dir, (bytes, size)) in used.iter().zip(sizes).enumerate() {
                if bytes > size && self.failed.insert((id, dir)) {
                    full.push((id, dir));
                }
            }
            let peaks = self.peaks.entry(id).or_insert_with(|| vec![0; used.len()]);
            for (peak, bytes) in peaks.iter_mut().zip(used) {
                *peak = bytes.max(*peak);
            }
        }
        let held = |id: BrokerId, dir: usize| {
            self.on(id).filter(|(_, copy)| copy.dir == dir).map(|(key, _)| key).collect()
        };
        full.into_iter().map(|(id, dir)| (id, dir, held(id, dir))).collect()
    }

    /// Makes a directory of a broker as large as this, and sound.
    pub(crate) fn resize(&mut self, broker: BrokerId, dir: usize, bytes: u64) {
        if let Some(size) = self.hardware.get_mut(&broker).and_then(|h| h.dirs.get_mut(dir)) {
            *size = bytes;
            self.failed.remove(&(broker, dir));
        }
    }
}
