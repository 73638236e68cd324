//! Replication quotas as Kafka measures them: eleven windows of one second.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use restow_planner::model::BrokerId;

use crate::controller::schema::{FOLLOWER_LIST, LEADER_LIST};
use crate::controller::{State, Topic};

const WINDOW: Duration = Duration::from_secs(1);
const WINDOWS: u32 = 11;
/// `replica.fetch.response.max.bytes`.
const ONE_FETCH: u64 = 10 << 20;

/// Bytes over the last eleven seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter {
    samples: VecDeque<(Duration, u64)>,
}

impl Meter {
    /// Counts bytes at this time.
    pub(crate) fn record(&mut self, now: Duration, bytes: u64) {
        match self.samples.back_mut() {
            Some((start, sum)) if now < *start + WINDOW => *sum += bytes,
            _ => self.samples.push_back((now, bytes)),
        }
    }

    /// Bytes that may be fetched until the average passes `rate`; none if it has. The check comes before a fetch, so
    /// one more fetch may pass, and after a pause the average leaves room for a burst.
    pub(crate) fn room(&mut self, now: Duration, rate: u64) -> u64 {
        while self.samples.front().is_some_and(|(start, _)| *start + WINDOW * WINDOWS <= now) {
            self.samples.pop_front();
        }
        let since = self.samples.front().map_or(now, |(start, _)| *start);
        let elapsed = (now - since).max(WINDOW).as_millis();
        let sum: u128 = self.samples.iter().map(|(_, bytes)| u128::from(*bytes)).sum();
        let most = u128::from(rate) * elapsed / 1000;
        most.checked_sub(sum)
            .map_or(0, |left| u64::try_from(left).unwrap_or(u64::MAX).saturating_add(ONE_FETCH))
    }
}

/// What a broker's replication counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meters {
    pub(crate) leader: Meter,
    pub(crate) follower: Meter,
}

/// Which replicas of a topic are throttled.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Listed {
    All,
    These(BTreeSet<(i32, BrokerId)>),
}

impl Listed {
    fn parse(text: Option<&String>) -> Listed {
        let text = text.map_or("", |text| text.trim());
        if text == "*" {
            return Listed::All;
        }
        let item = |item: &str| {
            let (partition, broker) = item.trim().split_once(':')?;
            Some((partition.parse().ok()?, BrokerId(broker.parse().ok()?)))
        };
        Listed::These(text.split(',').filter_map(item).collect())
    }

    fn holds(&self, partition: i32, broker: BrokerId) -> bool {
        match self {
            Listed::All => true,
            Listed::These(items) => items.contains(&(partition, broker)),
        }
    }
}

/// A topic's two throttled replica lists.
pub(crate) struct Throttled {
    leaders: Listed,
    followers: Listed,
}

impl Throttled {
    pub(crate) fn of(topic: &Topic) -> Self {
        Throttled {
            leaders: Listed::parse(topic.configs.get(LEADER_LIST)),
            followers: Listed::parse(topic.configs.get(FOLLOWER_LIST)),
        }
    }

    /// Whether this leader throttles the partition. It does not look at which follower fetches.
    pub(crate) fn leader(&self, partition: i32, leader: BrokerId) -> bool {
        self.leaders.holds(partition, leader)
    }

    /// Whether this follower throttles the partition.
    pub(crate) fn follower(&self, partition: i32, follower: BrokerId) -> bool {
        self.followers.holds(partition, follower)
    }
}

/// A broker's rate: its own value, else the cluster's default, else none.
pub(crate) fn rate(state: &State, broker: BrokerId, key: &str) -> Option<u64> {
    let own = state.brokers.get(&broker).and_then(|b| b.configs.get(key));
    own.or_else(|| state.cluster_configs.get(key))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_over_eleven_seconds_so_a_rest_leaves_room_for_a_burst() {
        let mut meter = Meter::default();
        let at = Duration::from_millis;
        let room = |meter: &mut Meter, millis| meter.room(at(millis), 100).saturating_sub(ONE_FETCH);
        assert_eq!(room(&mut meter, 0), 100, "what a second may carry");
        meter.record(at(0), 150);
        assert_eq!(meter.room(at(500), 100), 0, "150 in the first second");
        assert_eq!(room(&mut meter, 2_500), 100, "150 in two seconds and a half");
        meter.record(at(10_000), 1_000);
        assert_eq!(meter.room(at(10_100), 100), 0);
        assert_eq!(meter.room(at(11_100), 100), 0, "the old window is gone, the burst is not");
        assert_eq!(room(&mut meter, 21_000), 100, "all forgotten");
    }
}
