//! How many replicas of one topic each broker of a zone holds, and may hold: a rebalance does not crowd topics.

use super::zone::Item;
use crate::model::capacity::uncrowded;

/// The number that a topic has which can crowd no broker: of those with one replica in the zone nothing is counted.
pub(super) const ALONE: u32 = u32::MAX;

/// Replicas of each topic on each broker of a zone.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    width: usize,
    /// Weights of the brokers, and their sum.
    weights: Vec<u64>,
    total: u64,
    /// By topic and broker.
    counts: Vec<u16>,
    /// By topic: its replicas in the zone, and the most that one broker held at the start.
    topics: Vec<(u32, u16)>,
}

impl Crowd {
    /// Counts the items, which name their topics by index, and gives each the number of its topic here. Brokers take
    /// replicas in proportion to their weights.
    pub fn count(topics: usize, items: &mut [Item], weights: Vec<u64>) -> Self {
        let mut held = vec![0u32; topics];
        items.iter().for_each(|item| held[item.topic as usize] += 1);
        let mut topics = Vec::new();
        for count in &mut held {
            let number = if *count > 1 { topics.len() as u32 } else { ALONE };
            topics.extend((*count > 1).then_some((*count, 0)));
            *count = number;
        }
        let width = weights.len();
        let counts = vec![0; topics.len() * width];
        let total = weights.iter().sum();
        let mut crowd = Crowd { width, weights, total, counts, topics };
        for item in items {
            item.topic = held[item.topic as usize];
            if item.topic != ALONE {
                let count = &mut crowd.counts[item.topic as usize * width + item.now as usize];
                *count = count.saturating_add(1);
                let most = &mut crowd.topics[item.topic as usize].1;
                *most = (*most).max(*count);
            }
        }
        crowd
    }

    /// A replica goes from one broker to another.
    pub fn shift(&mut self, topic: u32, from: usize, to: usize) {
        if topic != ALONE {
            let row = topic as usize * self.width;
            self.counts[row + from] = self.counts[row + from].saturating_sub(1);
            self.counts[row + to] = self.counts[row + to].saturating_add(1);
        }
    }

    /// Whether a broker may take one more of a topic: twice its part, or as many as some broker held at the start.
    pub fn takes(&self, topic: u32, to: usize) -> bool {
        if topic == ALONE {
            return true;
        }
        let (count, most) = self.topics[topic as usize];
        let has = self.counts[topic as usize * self.width + to];
        has < most || u64::from(has) < uncrowded(count.into(), self.weights[to], self.total)
    }
}
