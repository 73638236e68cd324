//! Room on disks, kept by reservations (promise P5).

use std::collections::BTreeMap;

use crate::model::capacity::may_be_one;
use crate::model::{BrokerId, Cluster, UNKNOWN_DIR};

/// A volume: one or more log directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Volume {
    total: u64,
    usable: u64,
}

/// A log directory: its volume, and how many replicas it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dir {
    volume: usize,
    replicas: u32,
}

/// The log directories of one broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shelf {
    volumes: Vec<Volume>,
    dirs: Vec<Dir>,
    /// Whether this is a broker's own word, to be kept on a live cluster.
    is_told: bool,
    /// Whether a copy may go to, or another may have gone to, any of several volumes.
    is_unsure: bool,
}

/// What is free on every volume, less what was promised to copies on their way.
///
/// Kafka puts a new replica into the directory with the fewest replicas, however full it is. Directories that
/// [may be on one volume](may_be_one) count once. Brokers that do not tell have endless room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disks {
    shelves: BTreeMap<BrokerId, Shelf>,
}

impl Disks {
    /// The disks as a snapshot shows them.
    pub fn of(cluster: &Cluster) -> Self {
        let mut shelves = BTreeMap::new();
        for broker in &cluster.brokers {
            let mut shelf = Shelf::default();
            for dir in &broker.log_dirs {
                let (Some(total), Some(usable)) = (dir.total_bytes, dir.usable_bytes) else {
                    shelf = Shelf::default();
                    break;
                };
                let at = shelf.volume(total, usable);
                shelf.dirs.push(Dir { volume: at, replicas: 0 });
            }
            shelves.insert(broker.id, shelf);
        }
        for (_, p) in cluster.partitions() {
            for (broker, dir) in p.replicas.iter().zip(p.dirs).filter(|(_, dir)| **dir != UNKNOWN_DIR) {
                let shelf = shelves.get_mut(&cluster.brokers[*broker as usize].id);
                if let Some(dir) = shelf.and_then(|shelf| shelf.dirs.get_mut(*dir as usize)) {
                    dir.replicas += 1;
                }
            }
        }
        Disks { shelves }
    }

    /// The disks as their brokers tell them at one moment: total and usable bytes of each log directory that takes
    /// replicas, and how many it holds. A broker that does not tell is left out.
    ///
    /// While copies come in, two directories of one volume are never told with quite the same figures: those that are
    /// as large, and as full to a thousandth, count once. Nor is it known in which order a broker begins several copies:
    /// where it has several volumes, what is promised to one is promised on each of them, until it is seen in its
    /// directory ([`fill`](Disks::fill)).
    pub fn told(brokers: impl IntoIterator<Item = (BrokerId, Vec<(u64, u64, u32)>)>) -> Self {
        let mut shelves = BTreeMap::new();
        for (broker, dirs) in brokers {
            let mut shelf = Shelf { is_told: true, ..Shelf::default() };
            for (total, usable, replicas) in dirs {
                let at = shelf.volume(total, usable);
                shelf.dirs.push(Dir { volume: at, replicas });
            }
            shelves.insert(broker, shelf);
        }
        Disks { shelves }
    }

    /// Whether a copy of this size fits wherever Kafka may put it now.
    pub fn fits(&self, broker: BrokerId, bytes: u64) -> bool {
        let Some(shelf) = self.shelves.get(&broker) else { return true };
        if shelf.is_unsure {
            return shelf.volumes.iter().all(|volume| volume.usable >= bytes);
        }
        shelf.next().all(|dir| shelf.volumes[dir.volume].usable >= bytes)
    }

    /// Promises room to a copy.
    pub fn reserve(&mut self, broker: BrokerId, bytes: u64) {
        let Some(shelf) = self.shelves.get_mut(&broker) else { return };
        if shelf.is_told && shelf.volumes.len() > 1 {
            shelf.is_unsure = true;
            shelf.volumes.iter_mut().for_each(|volume| volume.usable = volume.usable.saturating_sub(bytes));
            return;
        }
        // Of directories that are equal to Kafka, the one with the least room: it may be that one.
        let tightest = shelf.next().min_by_key(|dir| shelf.volumes[dir.volume].usable).copied();
        let Some(dir) = shelf.dirs.iter_mut().find(|dir| Some(**dir) == tightest) else { return };
        dir.replicas += 1;
        let volume = &mut shelf.volumes[dir.volume];
        volume.usable = volume.usable.saturating_sub(bytes);
    }

    /// Promises room to what a copy still lacks; `dir` is the position of the directory that it is in already.
    pub fn fill(&mut self, broker: BrokerId, dir: usize, bytes: u64) {
        let Some(shelf) = self.shelves.get_mut(&broker) else { return };
        let Some(at) = shelf.dirs.get(dir).map(|dir| dir.volume) else { return };
        shelf.volumes[at].usable = shelf.volumes[at].usable.saturating_sub(bytes);
    }

    /// Replicas come and go on this broker, so how many each of its directories holds is not known for now: with several
    /// volumes, a copy has to fit on each.
    pub fn doubt(&mut self, broker: BrokerId) {
        if let Some(shelf) = self.shelves.get_mut(&broker) {
            shelf.is_unsure |= shelf.volumes.len() > 1;
        }
    }

    /// Counts the room of a replica whose directory is gone; `dir` is its position, where it is known.
    pub fn release(&mut self, broker: BrokerId, dir: Option<u8>, bytes: u64) {
        let Some(shelf) = self.shelves.get_mut(&broker) else { return };
        let known = dir.map(usize::from).filter(|at| *at < shelf.dirs.len());
        // Where several volumes are possible none is sure to have become emptier.
        let Some(at) = known.or((shelf.volumes.len() == 1).then_some(0)) else { return };
        let dir = &mut shelf.dirs[at];
        dir.replicas = dir.replicas.saturating_sub(1);
        let volume = &mut shelf.volumes[dir.volume];
        volume.usable = (volume.usable + bytes).min(volume.total);
    }

    /// Bytes that are free on a broker and promised to nobody; `None` where it does not tell.
    pub fn usable(&self, broker: BrokerId) -> Option<u64> {
        let shelf = self.shelves.get(&broker).filter(|shelf| !shelf.volumes.is_empty())?;
        Some(shelf.volumes.iter().map(|volume| volume.usable).sum())
    }
}

impl Shelf {
    /// The number of the volume of a directory that tells these bytes; a new one where it can be none of those.
    fn volume(&mut self, total: u64, usable: u64) -> usize {
        let is_one = |known: &Volume| may_be_one((known.total, known.usable), (total, usable));
        let at = self.volumes.iter().position(is_one).unwrap_or(self.volumes.len());
        if at == self.volumes.len() {
            self.volumes.push(Volume { total, usable });
        }
        self.volumes[at].usable = self.volumes[at].usable.min(usable);
        at
    }

    /// The directories that Kafka may choose next.
    fn next(&self) -> impl Iterator<Item = &Dir> {
        let fewest = self.dirs.iter().map(|dir| dir.replicas).min();
        self.dirs.iter().filter(move |dir| Some(dir.replicas) == fewest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disks(dirs: &[(u64, u32)]) -> Disks {
        let volumes = dirs.iter().map(|(usable, _)| Volume { total: 1000, usable: *usable }).collect();
        let dir = |(volume, (_, replicas)): (usize, &(u64, u32))| Dir { volume, replicas: *replicas };
        let dirs = dirs.iter().enumerate().map(dir).collect();
        let shelf = Shelf { volumes, dirs, ..Shelf::default() };
        Disks { shelves: [(BrokerId(1), shelf)].into() }
    }

    #[test]
    fn p5_kafka_chooses_by_count_and_not_by_room() {
        let one = BrokerId(1);
        let mut disks = disks(&[(10, 1), (500, 2)]);
        assert!(!disks.fits(one, 11), "the emptier directory holds more replicas");
        assert!(disks.fits(one, 10));
        disks.reserve(one, 10);
        assert!(!disks.fits(one, 10), "either may be next now, and one is full");
        disks.release(one, Some(1), 100);
        assert!(disks.fits(one, 600), "the second has fewer again, and what was freed");
        assert_eq!(disks.usable(one), Some(600));
        assert!(disks.fits(BrokerId(9), u64::MAX), "a broker that does not tell");
    }

    #[test]
    fn p5_what_brokers_tell_while_copies_come_in() {
        let one = BrokerId(1);
        let told = |a: u64, b: u64| Disks::told([(one, vec![(10_000, a, 3), (10_000, b, 4)])]);
        assert_eq!(told(2_000, 5_000).usable(one), Some(7_000));
        assert_eq!(told(5_009, 5_000).usable(one), Some(5_000), "they may be one volume");
        let mut disks = told(2_000, 5_000);
        assert!(disks.fits(one, 2_000) && !disks.fits(one, 2_001), "the first holds fewer replicas");
        disks.fill(one, 0, 500);
        assert!(disks.fits(one, 1_500) && !disks.fits(one, 1_501));
        disks.fill(one, 7, 500);
        disks.fill(BrokerId(9), 0, 500);
        assert_eq!(disks.usable(one), Some(6_500));
        let mut doubted = disks.clone();
        doubted.doubt(one);
        doubted.fill(one, 1, 4_500);
        assert!(doubted.fits(one, 500) && !doubted.fits(one, 501), "the second has less now");
        // Two that begin at once may begin in either order.
        disks.reserve(one, 700);
        assert!(disks.fits(one, 800) && !disks.fits(one, 801));
    }

    #[test]
    fn p5_a_release_into_an_unknown_directory_is_not_counted() {
        let one = BrokerId(1);
        let mut several = disks(&[(10, 1), (10, 1)]);
        several.release(one, None, 100);
        assert!(!several.fits(one, 11));
        let mut single = disks(&[(10, 1)]);
        single.release(one, None, 100);
        assert!(single.fits(one, 110) && !single.fits(one, 111));
    }
}
