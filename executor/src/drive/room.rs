//! Room on disks in a pipelined run, kept by reservations (promise P5).
//!
//! What a broker tells as free is free: the room of a dropped replica counts when its directory is gone, and not
//! before. From that goes what copies still lack: those in flight when the disks were read, and all that were asked
//! for since. Disks are read after the list of reassignments, so a copy that is not in that list is whole on its disk.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::BrokerId;
use restow_planner::model::replicas::same_set;
use restow_planner::plan::{Pacing, Plan, moves};
use restow_planner::schedule::Disks;

use super::health::Dir;
use super::hold::{Cause, Hold, Scope};
use super::seen::Known;
use super::standing::{Reached, Standing};
use super::view::View;
use super::{Moment, Pace, Stay};
use crate::journal::Memory;

/// How long the room of what was dropped is waited for without a word: files go after `file.delete.delay.ms`, 60 s by
/// default, and are then to be seen.
const DELETE: Moment = Moment::from_secs(180);

/// What changed since the disks were read.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Moves whose copies were not whole when the disks were read.
    arriving: BTreeSet<u32>,
    /// Moves whose replicas have come or gone since then: directories hold other numbers of replicas now.
    touched: BTreeSet<u32>,
    /// When this process last saw that old copies were dropped.
    dropped: Option<Moment>,
    /// How many moves had dropped theirs.
    drops: u64,
}

impl Room {
    /// A move was known in one way and is now known in another: a copy that became whole between two looks came after
    /// the disks were read, or was on its way then.
    pub(super) fn change(&mut self, at: u32, before: &Known, now: &Known) {
        if lacks(before) && !lacks(now) {
            self.arriving.insert(at);
        }
        if let (Known::At(before), Known::At(now)) = (before, now)
            && same_set(&before.replicas, &now.replicas)
        {
            return;
        }
        self.touched.insert(at);
    }

    /// Whether all copies are whole on the disks as they were read.
    pub(super) fn is_settled(&self) -> bool {
        self.arriving.is_empty()
    }
}

/// A copy that finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom {
    /// The move.
    pub at: u32,
    /// The broker that it would go to.
    pub broker: BrokerId,
    /// Bytes that are free there and promised to nobody.
    pub usable: u64,
}

/// Whether a move's new copies may not be whole, and may be under way.
fn lacks(known: &Known) -> bool {
    match known {
        Known::At(o) => !matches!(
            o.standing,
            Standing::Shrinking
                | Standing::Returning
                | Standing::Settled(Reached::Expanded | Reached::Swapped | Reached::Shrunk)
        ),
        Known::Unseen => true,
        Known::Gone | Known::Recreated => false,
    }
}

impl View {
    /// Learns which copies the disks do not show whole; `far` says that the disks were read in this tick.
    pub(super) fn keep_room(&mut self, plan: &Plan, memory: &Memory, far: bool) {
        if plan.pacing == Pacing::Staged {
            return;
        }
        let drops = self.counts.done.steps[2];
        if drops > self.room.drops {
            (self.room.drops, self.room.dropped) = (drops, Some(self.at));
        }
        let open = memory.open.values().flat_map(|open| &open.moves);
        let coming = self.listed.iter().chain(self.submitted.keys()).chain(open);
        let coming: BTreeSet<u32> = coming.copied().filter(|at| lacks(&self.moves[*at as usize])).collect();
        if far {
            self.room.arriving.clear();
            self.room.touched.clear();
        }
        self.room.arriving.extend(coming);
    }

    /// Brokers that get copies, serve, and did not tell their disks when they were last read.
    pub(super) fn untold(&self) -> impl Iterator<Item = BrokerId> {
        let told = self.health.as_ref().map(|health| &health.dirs);
        let is_told = move |id: &BrokerId| told.is_none_or(|dirs| dirs.contains_key(id));
        self.destinations.iter().copied().filter(move |id| !is_told(id) && !self.is_lost(*id))
    }

    /// What is free and promised to nobody; none in a staged run, where it was judged for all moves at once. `going` are
    /// moves whose old copies may be dropped at any time.
    pub(super) fn disks(&self, plan: &Plan, pace: &Pace, going: impl Iterator<Item = u32>) -> Option<Disks> {
        if plan.pacing == Pacing::Staged {
            return None;
        }
        let none = BTreeMap::new();
        let dirs = self.health.as_ref().map_or(&none, |health| &health.dirs);
        let sound = |id: &BrokerId| -> Vec<&Dir> {
            dirs.get(id).into_iter().flatten().filter(|dir| !dir.offline).collect()
        };
        let is_ignored = |id: BrokerId| {
            let (reason, clears) = Default::default();
            let hold = Hold { cause: Cause::Disk, scope: Scope::Broker(id), reason, clears };
            pace.ignore.iter().any(|ignore| ignore.covers(&hold))
        };
        let told = dirs.keys().copied().filter(|id| !is_ignored(*id)).filter_map(|id| {
            let row = |dir: &Dir| dir.space.map(|(total, usable)| (total, usable, dir.replicas.unwrap_or(0)));
            // Before Kafka 3.3 brokers do not tell: there nothing is known.
            let rows: Option<Vec<_>> = sound(&id).into_iter().map(row).collect();
            Some((id, rows?))
        });
        let mut disks = Disks::told(told);
        for at in going.chain(self.room.touched.iter().copied()) {
            let m = plan.moves.get(at as usize);
            moves::removed(m.from, m.to).into_iter().for_each(|id| disks.doubt(id));
        }
        for at in &self.room.touched {
            let m = plan.moves.get(*at as usize);
            moves::added(m.from, m.to).into_iter().for_each(|id| disks.doubt(id));
        }
        for at in &self.room.arriving {
            let m = plan.moves.get(*at as usize);
            let bytes = m.bytes.unwrap_or(0);
            for id in moves::added(m.from, m.to) {
                let place = sound(&id).iter().position(|dir| dir.copies.contains_key(at));
                match place.map(|place| (place, sound(&id)[place].copies[at])) {
                    Some((place, held)) => disks.fill(id, place, bytes.saturating_sub(held)),
                    None => disks.reserve(id, bytes),
                }
            }
        }
        Some(disks)
    }

    /// What a copy without room waits for, where no other is on its way: the room of what was dropped, else a person.
    pub(super) fn why_no_room(&self, plan: &Plan, no_room: NoRoom, more_will_go: bool) -> Option<Stay> {
        let NoRoom { at, broker, usable } = no_room;
        let m = plan.moves.get(at as usize);
        let is_new = |dropped: Moment| self.at.saturating_sub(dropped) < DELETE;
        if more_will_go || self.room.dropped.is_some_and(is_new) {
            return Some(Stay::Wait(format!("room on the disks of broker {broker}: old copies go there")));
        }
        let reason = format!(
            "{} needs {} bytes there, and {usable} are free and promised to nobody, in the log directory that Kafka \
             may choose",
            plan.partition_of(&m),
            m.bytes.unwrap_or(0)
        );
        let clears = "there is room".into();
        self.room
            .is_settled()
            .then(|| Hold { cause: Cause::Disk, scope: Scope::Broker(broker), reason, clears }.into())
    }
}
