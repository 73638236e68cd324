//! Takes back what need not have moved.

use super::bands::BYTES;
use super::zone::Zone;

/// Pairs that are looked at, at most, to put a smaller replica in the place of a larger one.
const PAIRS: usize = 40_000_000;

/// Sends moved items home where all bands allow it, the largest first, and puts smaller ones in their place.
pub(super) fn trim(zone: &mut Zone) {
    send_home(zone);
    let (mut held, moved) = (vec![Vec::new(); zone.width()], largest_moved(zone));
    for (number, item) in zone.items.iter().enumerate().filter(|(_, item)| !item.is_moved()) {
        held[item.now as usize].push(number as u32);
    }
    let pairs: usize = moved.iter().map(|item| held[zone.items[*item as usize].home as usize].len()).sum();
    if pairs > PAIRS {
        return;
    }
    held.iter_mut()
        .for_each(|held| held.sort_unstable_by_key(|item| (zone.items[*item as usize].bytes(), *item)));
    let mut has_changed = true;
    let mut rounds = 0;
    while has_changed && rounds < 4 {
        (has_changed, rounds) = (false, rounds + 1);
        for item in &moved {
            has_changed |= zone.items[*item as usize].is_moved() && substitute(zone, &mut held, *item);
        }
        send_home(zone);
    }
}

/// Items that moved, the largest first.
fn largest_moved(zone: &Zone) -> Vec<u32> {
    let mut moved = zone.moved();
    moved.sort_unstable_by_key(|item| (std::cmp::Reverse(zone.items[*item as usize].bytes()), *item));
    moved
}

fn send_home(zone: &mut Zone) {
    for number in largest_moved(zone) {
        let item = zone.items[number as usize];
        let home = item.home as usize;
        if zone.spares(item.now as usize, &item.load) && zone.fits(home, &item.load) && zone.may(number, home)
        {
            zone.apply(number, home);
        }
    }
}

/// A smaller item of the same home goes in the place of a moved one.
fn substitute(zone: &mut Zone, held: &mut [Vec<u32>], number: u32) -> bool {
    let item = zone.items[number as usize];
    let (home, now) = (item.home as usize, item.now as usize);
    if !zone.may(number, home) {
        return false;
    }
    let is_fine = |zone: &Zone, other: u32| {
        let load = zone.items[other as usize].load;
        let within = |at: usize, less: &[u64; 3], more: &[u64; 3]| {
            (0..3).all(|m| {
                let amount = zone.loads[at][m] + more[m] - less[m];
                amount >= zone.bands[at].low[m] && amount <= zone.bands[at].high[m]
            })
        };
        within(home, &load, &item.load) && within(now, &item.load, &load) && zone.may(other, now)
    };
    let smaller = held[home].partition_point(|other| zone.items[*other as usize].bytes() < item.load[BYTES]);
    let found = held[home][..smaller]
        .iter()
        .position(|other| !zone.items[*other as usize].is_moved() && is_fine(zone, *other));
    let Some(at) = found else { return false };
    let other = held[home].remove(at);
    zone.apply(number, home);
    zone.apply(other, now);
    let back = held[home].partition_point(|held| zone.items[*held as usize].bytes() < item.load[BYTES]);
    held[home].insert(back, number);
    true
}
