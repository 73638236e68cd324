//! Which brokers hold a partition.

use std::cmp::Reverse;

use rand_core::RngCore;
use rand_pcg::Pcg64;

use super::{Class, Shape, size};
use crate::model::BrokerId;

/// Brokers by zone, and how they are drawn.
pub(super) struct Seats {
    zones: Vec<Vec<BrokerId>>,
    factor: usize,
    draw: Draw,
}

enum Draw {
    /// Each in turn.
    Round,
    /// By zone, the sums of the brokers' weights.
    Weighted(Vec<Vec<u64>>),
    /// By partition its place in a snake over the brokers by size; by place its heat.
    Snake(Vec<u32>, Vec<i64>),
}

impl Seats {
    pub fn new(class: &Class, zones: u32, sizes: &[u64], random: &mut Pcg64) -> Self {
        let mut seats = vec![Vec::new(); zones as usize];
        for at in 0..class.brokers {
            seats[(at % zones) as usize].push(BrokerId(at as i32 + 1));
        }
        let widest = seats.iter().map(Vec::len).max().unwrap_or(0);
        let draw = match class.shape {
            Shape::Round => Draw::Round,
            Shape::Grown => Draw::Weighted(seats.iter().map(|zone| weights(zone.len(), random)).collect()),
            Shape::HotSpots => {
                Draw::Snake(snake(sizes, widest), (0..widest).map(|_| size::heat(random)).collect())
            }
        };
        Seats { zones: seats, factor: class.factor as usize, draw }
    }

    /// The list of a partition: zones in rotation, in each a broker. Tells how much more is written to it than is
    /// usual; `None` where that is unknown.
    pub fn list(&self, at: usize, turn: u32, random: &mut Pcg64, list: &mut Vec<BrokerId>) -> Option<i64> {
        list.clear();
        let zones = self.zones.len();
        for n in 0..self.factor {
            let number = (turn as usize + n) % zones;
            let zone = &self.zones[number];
            let seat = match &self.draw {
                Draw::Round => round(turn as usize, n, zones, zone.len()),
                Draw::Weighted(sums) => pick(&sums[number], random),
                // The same place in each zone; another one where a zone holds two.
                Draw::Snake(places, _) => places[at] as usize + n / zones * (zone.len() / 2).max(1),
            };
            let free = (0..zone.len()).map(|n| zone[(seat + n) % zone.len()]).find(|id| !list.contains(id));
            list.extend(free);
        }
        match &self.draw {
            Draw::Round => None,
            Draw::Weighted(_) => Some(0),
            Draw::Snake(places, heats) => Some(heats[places[at] as usize]),
        }
    }
}

/// The next broker of a zone. Replicas of one zone lie a stride apart, so that pairs of brokers vary.
fn round(turn: usize, n: usize, zones: usize, width: usize) -> usize {
    let width = width.max(1);
    let stride = 1 + turn / zones / width % width;
    turn / zones + (n / zones + n) * stride
}

fn weights(count: usize, random: &mut Pcg64) -> Vec<u64> {
    let mut sum = 0;
    let mut next = || {
        sum += size::weight(random);
        sum
    };
    (0..count).map(|_| next()).collect()
}

fn pick(sums: &[u64], random: &mut Pcg64) -> usize {
    let Some(all) = sums.last() else { return 0 };
    let at = random.next_u64() % all.max(&1);
    sums.partition_point(|sum| *sum <= at)
}

/// To and fro over `width` places, the largest first: bytes and counts come out even.
fn snake(sizes: &[u64], width: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
    order.sort_by_key(|at| (Reverse(sizes[*at as usize]), *at));
    let mut places = vec![0; sizes.len()];
    let width = width.max(1);
    for (rank, at) in order.into_iter().enumerate() {
        let (lap, place) = (rank / width, rank % width);
        places[at as usize] = if lap % 2 == 0 { place } else { width - 1 - place } as u32;
    }
    places
}
