//! Replica lists: ordered, distinct, non-empty (promise P1); the first is the preferred leader.
//!
//! The algebra works on slices of any small identifier, so that columns of indexes and lists of
//! [`BrokerId`]s share it.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::BrokerId;

/// Why a list of brokers is not a replica list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAReplicaList {
    /// No broker at all.
    #[error("the replica list is empty")]
    Empty,
    /// One broker twice.
    #[error("broker {broker} stands twice in the replica list")]
    Twice {
        /// The broker that is repeated.
        broker: BrokerId,
    },
}

/// An ordered, distinct, non-empty list of brokers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<BrokerId>", into = "Vec<BrokerId>")]
pub struct ReplicaList(Vec<BrokerId>);

impl ReplicaList {
    /// The list of these brokers, in this order.
    ///
    /// # Errors
    /// If it is empty or names a broker twice.
    pub fn new(brokers: Vec<BrokerId>) -> Result<Self, NotAReplicaList> {
        if brokers.is_empty() {
            return Err(NotAReplicaList::Empty);
        }
        match first_repeated(&brokers) {
            Some(broker) => Err(NotAReplicaList::Twice { broker }),
            None => Ok(ReplicaList(brokers)),
        }
    }

    /// The preferred leader: the first of the list.
    pub fn preferred(&self) -> BrokerId {
        self.0[0]
    }
}

impl Deref for ReplicaList {
    type Target = [BrokerId];

    fn deref(&self) -> &[BrokerId] {
        &self.0
    }
}

impl TryFrom<Vec<BrokerId>> for ReplicaList {
    type Error = NotAReplicaList;

    fn try_from(brokers: Vec<BrokerId>) -> Result<Self, NotAReplicaList> {
        ReplicaList::new(brokers)
    }
}

impl From<ReplicaList> for Vec<BrokerId> {
    fn from(list: ReplicaList) -> Self {
        list.0
    }
}

impl fmt::Display for ReplicaList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(&self.0))
    }
}

impl fmt::Debug for ReplicaList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(&self.0))
    }
}

/// A list as `[1,2,3]`.
pub fn show<T: fmt::Display>(list: &[T]) -> String {
    let items: Vec<String> = list.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(","))
}

/// The first item that an earlier one equals.
pub fn first_repeated<T: Copy + Eq>(list: &[T]) -> Option<T> {
    list.iter().enumerate().find(|(at, item)| list[..*at].contains(item)).map(|(_, item)| *item)
}

/// `a minus b`, in the order of `a`.
pub fn minus<T: Copy + Eq>(a: &[T], b: &[T]) -> Vec<T> {
    a.iter().copied().filter(|x| !b.contains(x)).collect()
}

/// `a ++ (b minus a)`.
pub fn union<T: Copy + Eq>(a: &[T], b: &[T]) -> Vec<T> {
    let mut all = a.to_vec();
    all.extend(b.iter().filter(|x| !a.contains(x)));
    all
}

/// Whether both hold the same items, in any order (lists without repeats).
pub fn same_set<T: Copy + Eq>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().all(|x| b.contains(x))
}

/// Whether every item of `a` is in `b`.
pub fn is_subset<T: Copy + Eq>(a: &[T], b: &[T]) -> bool {
    a.iter().all(|x| b.contains(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_a_replica_list_is_distinct_and_not_empty() {
        assert_eq!(ReplicaList::new(vec![]), Err(NotAReplicaList::Empty));
        let twice = ReplicaList::new(vec![BrokerId(1), BrokerId(2), BrokerId(1)]);
        assert_eq!(twice, Err(NotAReplicaList::Twice { broker: BrokerId(1) }));
        let json = serde_json::from_str::<ReplicaList>("[3,3]");
        assert!(json.unwrap_err().to_string().contains("broker 3 stands twice"));
    }

    #[test]
    fn the_algebra_keeps_order() {
        assert_eq!(union(&[1, 2], &[4, 2, 3]), [1, 2, 4, 3]);
        assert_eq!(minus(&[3, 1, 2], &[1]), [3, 2]);
        assert!(same_set(&[1, 2], &[2, 1]) && !same_set(&[1, 2], &[2, 3]));
    }
}
