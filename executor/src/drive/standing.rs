//! Where a move stands, from what is observed alone. Total: every observation has an answer.

use restow_planner::model::BrokerId;
use restow_planner::model::replicas::{minus, same_set};
use restow_planner::plan::{Move, moves};

use super::switch::Guard;

/// What is observed of a partition's assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Its replica list, in Kafka's order.
    pub replicas: &'a [BrokerId],
    /// Replicas being added; empty if nothing is in flight.
    pub adding: &'a [BrokerId],
    /// Replicas being removed; empty if nothing is in flight.
    pub removing: &'a [BrokerId],
}

/// A settled list of a move. Lists of a move may coincide; see [`reached`] and [`is_start`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// `O`.
    Start,
    /// `O ++ (K minus O)`.
    Expanded,
    /// `K ++ (O minus K)`, or the form in which Kafka leaves it after a removal was cancelled: the same head,
    /// the rest in another order.
    Swapped,
    /// `K`.
    Shrunk,
}

/// Where a move stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is in flight, and the list is one of ours: the furthest that fits.
    Settled(Reached),
    /// Copies are being added, exactly those of our expand.
    Expanding,
    /// Copies are being removed, exactly those of our shrink.
    Shrinking,
    /// Copies are being removed, exactly those that our expand added: a rollback under way.
    Returning,
    /// Something else is in flight.
    Foreign,
    /// Nothing is in flight, and the list is none of ours.
    Diverged,
}

/// Where a move stands whose originals may lack brokers that a person gave up, and which of them it lacks.
///
/// Without them it is the same move with fewer originals. While they are being dropped, together with the copies
/// that are added, it is [`Standing::Expanding`].
pub fn standing_without(m: &Move<'_>, seen: &Seen<'_>, given_up: &[BrokerId]) -> (Standing, Vec<BrokerId>) {
    let whole = standing(m, seen);
    let may_go = |id: &BrokerId| given_up.contains(id) && !m.to.contains(id);
    if !matches!(whole, Standing::Foreign | Standing::Diverged) || !m.from.iter().any(may_go) {
        return (whole, vec![]);
    }
    let is_gone = |id: &&BrokerId| may_go(id) && (seen.removing.contains(id) || !seen.replicas.contains(id));
    let dropped: Vec<BrokerId> = m.from.iter().filter(is_gone).copied().collect();
    let kept = moves::kept(m.from, &dropped);
    if !seen.removing.is_empty() && seen.removing.iter().all(may_go) {
        let expanded = moves::expanded(&kept, m.to);
        let adds = seen.adding.iter().all(|id| m.to.contains(id));
        let standing = if adds && seen.replicas.starts_with(&expanded) { Standing::Expanding } else { whole };
        return (standing, dropped);
    }
    // A cancel in that moment leaves the dropped ones behind the others.
    let stays: Vec<BrokerId> = m.from.iter().filter(|id| !may_go(id)).copied().collect();
    let rest = seen.replicas.strip_prefix(stays.as_slice());
    if seen.adding.is_empty() && rest.is_some_and(|rest| !rest.is_empty() && rest.iter().all(may_go)) {
        return (Standing::Settled(Reached::Start), vec![]);
    }
    (standing(&Move { from: &kept, ..*m }, seen), dropped)
}

/// Where a move stands.
pub fn standing(m: &Move<'_>, seen: &Seen<'_>) -> Standing {
    let (added, removed) = (moves::added(m.from, m.to), moves::removed(m.from, m.to));
    if seen.adding.is_empty() && seen.removing.is_empty() {
        let unknown =
            if Guard::Known.stands() { Standing::Diverged } else { Standing::Settled(Reached::Start) };
        return reached(m, seen.replicas).map_or(unknown, Standing::Settled);
    }
    let adds = |what: &[BrokerId]| same_set(seen.adding, what);
    let removes = |what: &[BrokerId]| same_set(seen.removing, what);
    if adds(&added) && removes(&[]) && seen.replicas == moves::expanded(m.from, m.to) {
        Standing::Expanding
    } else if adds(&[]) && removes(&removed) && seen.replicas.starts_with(m.to) {
        Standing::Shrinking
    } else if adds(&[]) && removes(&added) && seen.replicas.starts_with(m.from) {
        Standing::Returning
    } else if Guard::Foreign.stands() {
        Standing::Foreign
    } else {
        Standing::Expanding
    }
}

/// The furthest of the move's lists that this list is.
pub fn reached(m: &Move<'_>, list: &[BrokerId]) -> Option<Reached> {
    if list == m.to {
        return Some(Reached::Shrunk);
    }
    let rest = minus(m.from, m.to);
    if list.starts_with(m.to) && same_set(&list[m.to.len()..], &rest) {
        return Some(Reached::Swapped);
    }
    if list == moves::expanded(m.from, m.to) {
        return Some(Reached::Expanded);
    }
    (list == m.from).then_some(Reached::Start)
}

/// Whether the list is the start, whatever else it is too.
pub fn is_start(m: &Move<'_>, list: &[BrokerId]) -> bool {
    list == m.from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[i32]) -> Vec<BrokerId> {
        list.iter().copied().map(BrokerId).collect()
    }

    fn stand(from: &[i32], to: &[i32], replicas: &[i32], adding: &[i32], removing: &[i32]) -> Standing {
        let (from, to) = (ids(from), ids(to));
        let m = Move { topic: 0, partition: 0, from: &from, to: &to, bytes: None, leader: None };
        let (replicas, adding, removing) = (ids(replicas), ids(adding), ids(removing));
        standing(&m, &Seen { replicas: &replicas, adding: &adding, removing: &removing })
    }

    #[test]
    fn a_whole_replacement_over_two_zones() {
        let at = |replicas: &[i32], adding: &[i32], removing: &[i32]| {
            stand(&[1, 3], &[4, 6], replicas, adding, removing)
        };
        assert_eq!(at(&[1, 3], &[], &[]), Standing::Settled(Reached::Start));
        assert_eq!(at(&[1, 3, 4, 6], &[4, 6], &[]), Standing::Expanding);
        assert_eq!(at(&[1, 3, 4, 6], &[], &[]), Standing::Settled(Reached::Expanded));
        assert_eq!(at(&[4, 6, 1, 3], &[], &[]), Standing::Settled(Reached::Swapped));
        assert_eq!(at(&[4, 6, 3, 1], &[], &[]), Standing::Settled(Reached::Swapped), "a cancelled removal");
        assert_eq!(at(&[4, 6, 1, 3], &[], &[1, 3]), Standing::Shrinking);
        assert_eq!(at(&[1, 3, 4, 6], &[], &[4, 6]), Standing::Returning);
        assert_eq!(at(&[4, 6], &[], &[]), Standing::Settled(Reached::Shrunk));
        assert_eq!(at(&[4, 6, 1, 3], &[4, 6], &[1, 3]), Standing::Foreign, "somebody moves in one step");
        assert_eq!(at(&[1, 3, 4], &[4], &[]), Standing::Foreign);
        assert_eq!(at(&[3, 1], &[], &[]), Standing::Diverged);
        assert_eq!(at(&[6, 4, 1, 3], &[], &[]), Standing::Diverged);
    }

    #[test]
    fn a_move_without_a_broker_that_was_given_up() {
        let (from, to) = (ids(&[1, 3]), ids(&[4, 6]));
        let m = Move { topic: 0, partition: 0, from: &from, to: &to, bytes: None, leader: None };
        let at = |replicas: &[i32], adding: &[i32], removing: &[i32]| {
            let (replicas, adding, removing) = (ids(replicas), ids(adding), ids(removing));
            let seen = Seen { replicas: &replicas, adding: &adding, removing: &removing };
            let (standing, dropped) = standing_without(&m, &seen, &ids(&[1]));
            (standing, dropped.iter().map(|id| id.0).collect::<Vec<_>>())
        };
        assert_eq!(at(&[1, 3], &[], &[]), (Standing::Settled(Reached::Start), vec![]));
        assert_eq!(at(&[1, 3, 4, 6], &[4, 6], &[]), (Standing::Expanding, vec![]));
        assert_eq!(at(&[3, 4, 6, 1], &[4, 6], &[1]), (Standing::Expanding, vec![1]));
        assert_eq!(at(&[3, 4, 6, 1], &[], &[1]), (Standing::Expanding, vec![1]));
        assert_eq!(at(&[3, 4, 6], &[], &[]), (Standing::Settled(Reached::Expanded), vec![1]));
        assert_eq!(at(&[4, 6, 3], &[], &[]), (Standing::Settled(Reached::Swapped), vec![1]));
        assert_eq!(at(&[4, 6, 3], &[], &[3]), (Standing::Shrinking, vec![1]));
        assert_eq!(at(&[4, 6, 1, 3], &[], &[1, 3]), (Standing::Shrinking, vec![]));
        assert_eq!(at(&[3], &[], &[]), (Standing::Settled(Reached::Start), vec![1]));
        assert_eq!(
            at(&[3, 1], &[], &[]),
            (Standing::Settled(Reached::Start), vec![]),
            "cancelled while dropped"
        );
        assert_eq!(at(&[3, 4, 6], &[], &[4, 6]), (Standing::Returning, vec![1]));
        assert_eq!(at(&[5, 3], &[], &[]).0, Standing::Diverged);
        assert_eq!(at(&[4, 6], &[], &[]), (Standing::Settled(Reached::Shrunk), vec![]));
    }

    #[test]
    fn lists_that_coincide_give_the_furthest() {
        assert_eq!(stand(&[1, 2], &[2, 1], &[2, 1], &[], &[]), Standing::Settled(Reached::Shrunk));
        assert_eq!(stand(&[1], &[1, 2], &[1, 2], &[], &[]), Standing::Settled(Reached::Shrunk));
        assert_eq!(stand(&[1, 2, 3], &[1, 2], &[1, 2, 3], &[], &[]), Standing::Settled(Reached::Swapped));
    }
}
