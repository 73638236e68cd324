//! The shapes of a move: from, to, and the zones of the brokers, up to renaming of brokers and zones.

use std::fmt;

use restow_planner::model::BrokerId;
use restow_planner::model::replicas::{show, union};

/// Zones at most.
const ZONES: u8 = 3;

/// A pair of lists. Its brokers are 1, 2, …: the old list first, then the new ones in their order.
///
/// Zones are no part of it: nothing in `drive` asks for one, so all zonings of the brokers behave alike. Each
/// of them is judged ([`zonings`]), and counts as a shape of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Shape {
    /// The list at the start.
    pub from: Vec<BrokerId>,
    /// The list at the end.
    pub to: Vec<BrokerId>,
}

impl Shape {
    /// A shape by the numbers of its brokers.
    pub fn new(from: &[i32], to: &[i32]) -> Self {
        let ids = |list: &[i32]| list.iter().copied().map(BrokerId).collect::<Vec<_>>();
        Shape { from: ids(from), to: ids(to) }
    }

    /// The brokers, in order.
    pub fn brokers(&self) -> Vec<BrokerId> {
        (1..=union(&self.from, &self.to).len() as i32).map(BrokerId).collect()
    }
}

/// Number of zones of a list, where these are the zones of broker 1, 2, …
pub fn count_zones(zones: &[u8], list: &[BrokerId]) -> u32 {
    list.iter().fold(0u8, |seen, id| seen | 1 << zones[id.0 as usize - 1]).count_ones()
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", show(&self.from), show(&self.to))
    }
}

/// Every pair of lists of these lengths, up to renaming; that which moves nothing left out.
pub fn patterns(from: usize, to: usize) -> Vec<Shape> {
    let from: Vec<i32> = (1..=from as i32).collect();
    let mut lists: Vec<Vec<i32>> = vec![vec![]];
    for _ in 0..to {
        lists = lists.iter().flat_map(|list| longer(&from, list)).collect();
    }
    lists.retain(|list| *list != from);
    lists.iter().map(|list| Shape::new(&from, list)).collect()
}

/// The list with one broker more: an old one, or the next new one.
fn longer(from: &[i32], list: &[i32]) -> Vec<Vec<i32>> {
    let next = 1 + list.iter().chain(from).max().copied().unwrap_or(0);
    let free = from.iter().copied().filter(|id| !list.contains(id));
    free.chain([next]).map(|id| [list, &[id]].concat()).collect()
}

/// Every way to lay brokers into zones, up to renaming of zones.
pub fn zonings(brokers: usize) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![vec![]];
    for _ in 0..brokers {
        let grow = |zones: &Vec<u8>| {
            let next = zones.iter().max().map_or(0, |most| most + 1).min(ZONES - 1);
            (0..=next).map(|zone| [&zones[..], &[zone]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(grow).collect();
    }
    all
}

#[test]
fn there_are_as_many_shapes_as_counted_by_hand() {
    let all = |most: usize| -> Vec<Shape> {
        (1..=most).flat_map(|from| (1..=most).flat_map(move |to| patterns(from, to))).collect()
    };
    let zoned = |most| -> usize { all(most).iter().map(|shape| zonings(shape.brokers().len()).len()).sum() };
    // Per pair of lengths: sum over the overlap k of C(from, k) · P(to, k), less the one that moves nothing.
    assert_eq!((all(3).len(), all(4).len()), (83 - 3, 490 - 4));
    // Times the partitions of that many brokers into at most three sets.
    assert_eq!((zoned(3), zoned(4)), (1_200 - 8, 29_902 - 22));
}
