//! The guards by name, so that the model check can take each away and show that it is needed.

/// A guard: something that `decide` asks before it acts. Taken away, each gives a counterexample in
/// `drive/model`: none is decoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing is decided on a view older than 2 s (E2).
    Fresh,
    /// Only what was observed and probed in this very tick is acted on (E2).
    Seen,
    /// Where metadata shows other replicas than the reassignment list, the partition waits.
    Agree,
    /// What we submitted may not show yet: wait for it.
    Lag,
    /// Nothing is sent for what an open write names (E6).
    Open,
    /// An unanswered write stays open until its broker was heard of, however old it is (E6).
    Heard,
    /// An unanswered write stays open for 65 s (E6).
    Age,
    /// Nothing is submitted over a move in flight (E3).
    Alone,
    /// What is in flight is ours only if it is exactly a step of the move (E3).
    Foreign,
    /// What is in flight is ours only if our journal asked for it (E3).
    Explained,
    /// A list that is none of the plan's is left alone (E3).
    Known,
    /// A stage waits for its approval.
    Gate,
    /// A swapped partition stands for a while before it is shrunk.
    Dwell,
    /// Expand: every original is a live copy.
    Originals,
    /// Expand: every new broker answers.
    Destinations,
    /// Swap, election: all of the list is in the ISR.
    Whole,
    /// Swap, election: the one to be elected is a live copy.
    First,
    /// Shrink: every keeper is a live copy (E4).
    Keepers,
    /// Cancel, drop: as many live copies are left as the end needs (E4).
    Enough,
    /// A live copy's broker answered for it in this tick (E4).
    Answers,
    /// A live copy is at or past the high watermark (E4).
    Caught,
}

impl Guard {
    /// Whether it stands: always, but in the model check.
    #[cfg(not(test))]
    pub fn stands(self) -> bool {
        true
    }

    /// Whether it stands: unless [`without`] took it away on this thread.
    #[cfg(test)]
    pub fn stands(self) -> bool {
        REMOVED.get() != Some(self)
    }
}

#[cfg(test)]
thread_local! {
    static REMOVED: std::cell::Cell<Option<Guard>> = const { std::cell::Cell::new(None) };
}

/// Runs with one guard taken away.
#[cfg(test)]
pub(super) fn without<T>(guard: Option<Guard>, run: impl FnOnce() -> T) -> T {
    let before = REMOVED.replace(guard);
    let result = run();
    REMOVED.set(before);
    result
}
