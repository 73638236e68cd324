//! Families of moves whose makespan was measured (Kafka shares a throttle between copies as it pleases): for tests of
//! the schedule, and for benchmarks.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64;

use super::{Class, cluster};

/// A family of moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// One copy from each of thirty brokers to one of six new ones.
    ScaleOut,
    /// One copy from any of 36 brokers to any other.
    AnyToAny,
    /// All three copies from eighteen brokers to eighteen new ones: each leader sends three.
    FanOut,
    /// RF2 over two zones, brokers 1 and 2 with 3 to 4 and 5 with 6, 48 partitions of one size: broker 3 leads half of
    /// all, and broker 6 gets half of all, so that both have to be busy all the time.
    TwoZones,
}

/// A move: the list at the start (leader first), the list at the end, bytes of one copy.
pub type FamilyRow = (Vec<i32>, Vec<i32>, u64);

impl Family {
    /// All of them.
    pub const ALL: [Family; 4] = [Family::ScaleOut, Family::AnyToAny, Family::FanOut, Family::TwoZones];

    /// Its brokers: their ids are smaller than this.
    pub fn brokers(self) -> i32 {
        if self == Family::TwoZones { 7 } else { 36 }
    }

    /// Bytes/s at which its makespan is measured: the partitions of two zones are small.
    pub fn throttle(self) -> u64 {
        if self == Family::TwoZones { 10_000_000 } else { 50_000_000 }
    }

    /// About this many moves; the same seed gives the same ones. Sizes have a heavy tail.
    pub fn rows(self, count: u32, seed: u64) -> Vec<FamilyRow> {
        if self == Family::TwoZones {
            return two_zones();
        }
        let class = Class { factor: 1, zones: 0, ..Class::migrate(count, 30, 0) };
        let mut random = Pcg64::seed_from_u64(seed);
        let mut below = |most: u32| (random.next_u32() % most) as i32;
        let cluster = cluster(&class, seed);
        let row = |bytes: u64| {
            let (from, to) = match self {
                Family::ScaleOut => (vec![below(30)], vec![30 + below(6)]),
                Family::AnyToAny => {
                    let from = below(36);
                    (vec![from], vec![(from + 1 + below(35)) % 36])
                }
                _ => {
                    let (leader, first) = (below(18), below(18));
                    let second = first + 1 + below(8);
                    let third = second + 1 + below(8);
                    let old = vec![leader, (leader + 1) % 18, (leader + 2) % 18];
                    (old, [first, second, third].map(|n| 18 + n % 18).to_vec())
                }
            };
            (from, to, bytes)
        };
        cluster.partitions().map(|(_, p)| p.sizes[0]).map(row).collect()
    }
}

fn two_zones() -> Vec<FamilyRow> {
    let row = |n: u32| match n % 4 {
        0 => ([1, 3], [4, 6]),
        1 => ([3, 1], [6, 5]),
        2 => ([2, 3], [5, 6]),
        _ => ([3, 2], [6, 4]),
    };
    (0..48).map(row).map(|(from, to)| (from.to_vec(), to.to_vec(), 44_360_000)).collect()
}
