//! One cluster from several snapshots of it: the layout of the last, the rates of all.

use super::rates::RateColumns;
use super::{Cluster, Rate};

/// Which of the known rates of a partition is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The largest.
    Maximum,
    /// By nearest rank: of `n` known rates in rising order, number `ceil(percent * n / 100)`; at least the first.
    Percentile(u8),
}

/// Two snapshots of different clusters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is of cluster {found}, and the last snapshot is of cluster {expected}")]
pub struct OtherCluster {
    /// The id that was found.
    pub found: String,
    /// The id of the cluster whose layout is kept.
    pub expected: String,
}

/// Snapshots on their way into one.
#[derive(Debug)]
pub struct Merge {
    last: Cluster,
    /// Of each snapshot, by partition of `last`.
    rates: Vec<RateColumns>,
}

impl Merge {
    /// Begins with the snapshot whose layout is kept; its own rates count too.
    pub fn into_layout_of(mut last: Cluster) -> Self {
        let own = std::mem::take(&mut last.rates);
        Merge { last, rates: vec![own] }
    }

    /// Takes the rates of another snapshot. Only topics of the same name and id count: one that was deleted and
    /// created again is another.
    ///
    /// # Errors
    /// If it is of another cluster.
    pub fn add(&mut self, other: &Cluster) -> Result<(), OtherCluster> {
        if other.id != self.last.id {
            return Err(OtherCluster { found: other.id.clone(), expected: self.last.id.clone() });
        }
        self.rates.push(rates_by(&self.last, other));
        Ok(())
    }

    /// The last snapshot, each rate the one to keep of all that are known; what none knows stays unknown.
    pub fn finish(self, keep: Keep) -> Cluster {
        let Merge { last: mut cluster, rates } = self;
        let mut known = Vec::with_capacity(rates.len());
        for at in 0..cluster.partition_count() {
            for rate in Rate::ALL {
                known.clear();
                known.extend(rates.iter().filter_map(|of| of.get(rate, at)));
                known.sort_unstable();
                cluster.set_rate(rate, at as u32, kept(&known, keep));
            }
        }
        cluster
    }
}

/// The one to keep of rates in rising order.
fn kept(known: &[u64], keep: Keep) -> Option<u64> {
    match keep {
        Keep::Maximum => known.last().copied(),
        Keep::Percentile(percent) => {
            let rank = (usize::from(percent) * known.len()).div_ceil(100);
            known.get(rank.clamp(1, known.len().max(1)) - 1).copied()
        }
    }
}

/// The rates that `from` knows, by partition of `layout`.
fn rates_by(layout: &Cluster, from: &Cluster) -> RateColumns {
    let mut rates = RateColumns::default();
    for topic in &layout.topics {
        let Some(same) = from.topic(&topic.name).filter(|other| other.id == topic.id) else { continue };
        for (mine, theirs) in layout.partitions_of(topic).zip(from.partitions_of(same)) {
            for (rate, value) in Rate::ALL.into_iter().zip(theirs.rates()) {
                rates.set(layout.partition_count(), rate, mine.index as usize, value);
            }
        }
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Broker, BrokerId, ClusterBuilder, PartitionRow, Topic, TopicId};

    /// A cluster of one broker: topics with their id and the write rate of each partition. Twice that is read, in three
    /// times as many requests.
    fn cluster(id: &str, topics: &[(&str, u8, &[Option<u64>])]) -> Cluster {
        let mut build = ClusterBuilder::new(id, vec![Broker::bare(BrokerId(1))]).unwrap();
        for (name, id, rates) in topics {
            build.topic(Topic { name: (*name).into(), id: TopicId([*id; 16]), ..Topic::default() }).unwrap();
            for rate in *rates {
                let [read_rate, request_rate] = [2, 3].map(|times| rate.map(|rate| rate * times));
                let row =
                    PartitionRow { write_rate: *rate, read_rate, request_rate, ..PartitionRow::default() };
                build.partition(&PartitionRow { replicas: &[BrokerId(1)], ..row }).unwrap();
            }
        }
        build.finish(String::new(), vec![])
    }

    fn merged(last: Cluster, others: &[Cluster], keep: Keep) -> Vec<[Option<u64>; 3]> {
        let mut merge = Merge::into_layout_of(last);
        others.iter().for_each(|other| merge.add(other).unwrap());
        merge.finish(keep).partitions().map(|(_, p)| p.rates()).collect()
    }

    #[test]
    fn the_largest_known_rate_is_kept() {
        let last = cluster("c", &[("a", 1, &[Some(5), None, None]), ("b", 2, &[Some(0)])]);
        let first = cluster("c", &[("a", 1, &[Some(3), Some(7)]), ("b", 2, &[None]), ("z", 3, &[Some(9)])]);
        let all = |rate: u64| [1, 2, 3].map(|times| Some(times * rate));
        let found = merged(last, &[first], Keep::Maximum);
        assert_eq!(found, [all(5), all(7), [None; 3], all(0)], "unknown stays unknown, zero stays zero");
    }

    #[test]
    fn a_percentile_is_one_of_the_known_rates() {
        let one = |rate| cluster("c", &[("a", 1, &[rate])]);
        let others: Vec<Cluster> = (1..20).map(|n| one(Some(n * 10))).chain([one(None)]).collect();
        let at = |percent| merged(one(Some(200)), &others, Keep::Percentile(percent))[0][0];
        assert_eq!([at(1), at(50), at(95), at(96), at(100)], [10, 100, 190, 200, 200].map(Some));
        assert_eq!(kept(&[], Keep::Percentile(95)), None);
        assert_eq!(kept(&[4], Keep::Percentile(0)), Some(4));
    }

    #[test]
    fn a_topic_that_was_made_anew_is_another() {
        let last = cluster("c", &[("a", 1, &[Some(1)])]);
        let before = cluster("c", &[("a", 9, &[Some(1000)])]);
        assert_eq!(merged(last, &[before], Keep::Maximum)[0][0], Some(1));
    }

    #[test]
    fn another_cluster_is_refused() {
        let mut merge = Merge::into_layout_of(cluster("c", &[]));
        let error = merge.add(&cluster("d", &[])).unwrap_err();
        assert_eq!(error.to_string(), "is of cluster d, and the last snapshot is of cluster c");
    }
}
