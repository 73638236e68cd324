//! Writes whose effect may still arrive (promise E6): what they block, and when they are settled.

use std::collections::BTreeSet;

use restow_client::write::Write;

use super::switch::Guard;
use super::view::View;
use super::{Cause, Hold, Now, OPEN, Scope};
use crate::journal::{ConfigKey, Memory, OpenWrite, Record};

/// What open writes block.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    /// Moves whose partition an open write names.
    pub moves: BTreeSet<u32>,
    /// Configs that an open write names.
    pub keys: BTreeSet<ConfigKey>,
    /// Why, for people.
    pub holds: Vec<Hold>,
    /// Writes that are settled now, and brokers heard of.
    pub records: Vec<Record>,
}

/// Judges every open write.
///
/// One is settled 65 s after it was journalled and, if its broker did not answer it, 65 s after that broker
/// next answered, restarted or was fenced, when what it names has been read back. Seeing the effect does not settle it:
/// it may come twice.
pub(super) fn blocked(memory: &Memory, view: &View, now: Now) -> Blocked {
    let mut blocked = Blocked::default();
    for (seq, open) in &memory.open {
        if is_settled(open, now) && open.moves.iter().all(|at| view.is_current(*at)) {
            blocked.records.push(Record::Settled { seq: *seq });
            continue;
        }
        let broker = view.brokers.get(&open.broker).copied().unwrap_or_default();
        if !open.answered && open.heard.is_none() && (broker.answered == Some(view.at) || broker.fenced) {
            blocked.records.push(Record::Heard { seq: *seq, time: now.wall });
        }
        blocked.moves.extend(&open.moves);
        if let Write::Configs { items, .. } = &open.write {
            blocked.keys.extend(items.iter().map(ConfigKey::of));
        }
        blocked.holds.push(hold(*seq, open));
    }
    blocked
}

fn is_settled(open: &OpenWrite, now: Now) -> bool {
    // A journalled time in the future says nothing: count from this process's start.
    let since = |time: u64| now.wall.checked_sub(time).unwrap_or(now.moment.as_millis() as u64);
    let has_passed = |time: u64| since(time) >= OPEN.as_millis() as u64;
    let is_over = open.answered || !Guard::Heard.stands() || open.heard.is_some_and(has_passed);
    is_over && (has_passed(open.time) || !Guard::Age.stands())
}

fn hold(seq: u64, open: &OpenWrite) -> Hold {
    let what = match &open.write {
        Write::Reassign { items, .. } => format!("a reassignment of {} partitions", items.len()),
        Write::Elect { items } => format!("an election for {} partitions", items.len()),
        Write::Configs { items, .. } => format!("a change of {} configs", items.len()),
    };
    Hold {
        cause: Cause::OpenWrite,
        scope: Scope::Broker(open.broker),
        reason: format!(
            "{what} (write {seq}) was sent to broker {} and not answered: it may still be applied",
            open.broker
        ),
        clears: format!("{} s have passed", OPEN.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use restow_planner::model::BrokerId;

    use super::*;

    fn open(time: u64, answered: bool, heard: Option<u64>) -> OpenWrite {
        OpenWrite {
            time,
            broker: BrokerId(1),
            write: Write::Elect { items: vec![] },
            moves: vec![],
            answered,
            heard,
        }
    }

    fn now(moment: u64, wall: u64) -> Now {
        Now { moment: Duration::from_secs(moment), wall: wall * 1000 }
    }

    #[test]
    fn e6_a_write_is_settled_by_time_and_never_by_sight() {
        assert!(!is_settled(&open(100_000, true, None), now(64, 164)));
        assert!(is_settled(&open(100_000, true, None), now(65, 165)));
        assert!(!is_settled(&open(100_000, false, None), now(500, 600)), "its broker was not seen since");
        assert!(!is_settled(&open(100_000, false, Some(550_000)), now(500, 600)));
        assert!(is_settled(&open(100_000, false, Some(535_000)), now(1, 600)), "heard by an earlier process");
        assert!(!is_settled(&open(900_000, true, None), now(64, 600)), "a time in the future");
        assert!(is_settled(&open(900_000, true, None), now(65, 600)));
    }
}
