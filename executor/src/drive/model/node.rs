//! A state of the model: Kafka, our process, our journal, the wire between them.

use restow_planner::model::BrokerId;

use super::kafka::Kafka;
use super::promise::Broken;

/// What a process wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// `apply`.
    Forward,
    /// `rollback`.
    Back,
    /// `sweep`: nothing new, and moves in flight may be cancelled.
    Sweep,
}

/// A request about the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Req {
    /// Reassign it to one of the move's lists.
    List(u8),
    /// Cancel what is in flight.
    Cancel,
    /// Elect the preferred leader.
    Elect,
}

/// How long `K[0]` leads with all of `K` in the ISR, as this process saw it, against the dwell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Steady {
    No,
    Young,
    Old,
}

/// Against the 65 s of promise E6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    Young,
    Old,
}

/// How far a request is that a process works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// In the process's mind only.
    Decided,
    /// In the journal.
    Asked,
    /// On the wire.
    Sent,
    /// Applied, with this answer on its way back.
    Applied(Option<i16>),
}

/// A write in the journal without an answer that settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Open {
    /// What was asked.
    pub req: Req,
    /// Since it was journalled.
    pub age: Age,
    /// Whether it was answered, by a code that says nothing.
    pub answered: bool,
    /// Since its broker was first heard of after it, as the journal has it.
    pub heard: Option<Age>,
}

/// A write on the wire: it may be applied, and again, until it is answered or 65 s have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wire {
    /// What it asks.
    pub req: Req,
    /// Whether the broker that took it hangs, which stops its clock.
    pub hangs: bool,
}

/// What a broker's metadata cache may still show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stale {
    /// The partition as it was.
    pub kafka: Kafka,
    /// Whether the leader epoch has grown since.
    pub is_old_epoch: bool,
}

/// Somebody else's reassignment of this partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Foreign {
    /// None yet.
    No,
    /// What is in flight is theirs.
    Flying,
    /// They have meddled.
    Done,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    pub kafka: Kafka,
    /// The goal of our process.
    pub want: Want,
    /// Gates that are approved: none, swap, both.
    pub approvals: u8,
    /// Lists that the journal says we asked for, as bits.
    pub asked: u8,
    pub steady: Steady,
    /// Whether a request of this process was answered less than half a second ago.
    pub recent: bool,
    /// The request that our process works on.
    pub doing: Option<(Req, Stage)>,
    pub open: Option<Open>,
    pub wire: Option<Wire>,
    pub stale: Option<Box<Stale>>,
    pub foreign: Foreign,
    /// Whether a dwell has passed since an election of ours took effect.
    pub dwelt: bool,
    /// The promise that was broken on the way here.
    pub broken: Option<Broken>,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A replica catches up and joins the ISR.
    Join(BrokerId),
    /// A replica falls behind and leaves the ISR.
    Leave(BrokerId),
    /// A broker stops to run. The controller does not know yet.
    Down(BrokerId),
    /// The controller fences it.
    Fence,
    /// It runs again.
    Up,
    /// Kafka elects the preferred leader, as it does by itself now and then.
    Rebalance,
    /// Somebody else reassigns the partition to this list.
    Meddle(u8),
    /// Somebody else cancels what is in flight.
    MeddleCancel,
    /// A broker's metadata begins to lag.
    Lag,
    /// Our process looks and decides.
    Look(Eyes),
    /// It journals its request.
    Journal,
    /// It sends it.
    Send,
    /// The request on the wire is applied.
    Land,
    /// Our process gets the answer.
    Answer,
    /// It gets REQUEST_TIMED_OUT.
    TimeOut,
    /// It gets no answer; whether the broker that took the request hangs.
    Lose(bool),
    /// Our process is killed and starts again with this goal; whether the broker hangs.
    Restart(Want, bool),
    /// A person approves the next gate.
    Approve,
    /// Half a second passes.
    Moment,
    /// The dwell passes.
    Dwell,
    /// 65 seconds pass.
    Minute,
    /// The broker that hung goes on.
    Wake,
}

/// How our process looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eyes {
    /// At metadata that is up to date.
    Fresh,
    /// The same, and it takes more than 2 s.
    Slow,
    /// At metadata that lags, and agreed with the list when it was looked at before.
    Lagging,
    /// At metadata and a reassignment list that do not show yet what was just answered.
    Behind,
}
