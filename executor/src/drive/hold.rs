//! Reasons not to act now, and how a person overrides them.

use std::fmt;
use std::str::FromStr;

use restow_planner::model::{BrokerId, TopicPartition};
use serde::Serialize;

/// What kind of hold it is: the name under which a person may override it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A guard of the action itself (promise E4).
    Guard,
    /// A write whose effect may still arrive (promise E6).
    OpenWrite,
    /// The view is too old, or the cluster cannot be read (promise E2).
    StaleView,
    /// In flight, and our journal does not explain it (promise E3).
    Unexplained,
    /// Somebody else moves data on the same brokers (promise E8).
    ForeignMove,
    /// A broker that was in service when the run began is not.
    OfflineBroker,
    /// More partitions outside the plan are under-replicated than when the run began.
    UnderReplicated,
    /// More partitions are below their `min.insync.replicas` than when the run began.
    MinIsr,
    /// A destination runs out of disk, or one of its log directories failed.
    Disk,
    /// What `--hold-file` or `--hold-command` says.
    External,
    /// A person paused the run.
    Paused,
    /// A copy in flight makes no progress. Nothing else waits for it but the end of its stage.
    Stalled,
}

impl Cause {
    /// All causes that a person may override: all but those of promises E2 to E6, a pause, which has a verb of
    /// its own, and a stall, which holds nothing.
    pub const OVERRIDABLE: [Cause; 6] = [
        Cause::ForeignMove,
        Cause::OfflineBroker,
        Cause::UnderReplicated,
        Cause::MinIsr,
        Cause::Disk,
        Cause::External,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Guard => "guard",
            Cause::OpenWrite => "open-write",
            Cause::StaleView => "stale-view",
            Cause::Unexplained => "unexplained",
            Cause::ForeignMove => "foreign-move",
            Cause::OfflineBroker => "offline-broker",
            Cause::UnderReplicated => "under-replicated",
            Cause::MinIsr => "min-isr",
            Cause::Disk => "disk",
            Cause::External => "external",
            Cause::Paused => "paused",
            Cause::Stalled => "stalled",
        }
    }

    /// Whether a person asked for it: it is waited for from the very start, and never a fault.
    pub fn is_asked_for(self) -> bool {
        matches!(self, Cause::Paused | Cause::External)
    }
}

/// What a hold holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everything.
    Cluster,
    /// What concerns this broker.
    Broker(BrokerId),
    /// This partition.
    Partition(TopicPartition),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Cluster => f.write_str("cluster"),
            Scope::Broker(id) => write!(f, "broker {id}"),
            Scope::Partition(partition) => partition.fmt(f),
        }
    }
}

/// A reason not to act now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hold {
    /// What kind it is.
    pub cause: Cause,
    /// What it holds.
    pub scope: Scope,
    /// Why.
    pub reason: String,
    /// What clears it.
    pub clears: String,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (clears when {})", self.scope, self.reason, self.clears)?;
        if Cause::OVERRIDABLE.contains(&self.cause) {
            write!(f, " [{}]", self.cause.name())?;
        }
        Ok(())
    }
}

/// Why a move is not acted on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stay {
    /// Something is wrong.
    Hold(Hold),
    /// Nothing is wrong; it takes time.
    Wait(String),
}

impl From<Hold> for Stay {
    fn from(hold: Hold) -> Self {
        Stay::Hold(hold)
    }
}

/// A kind of hold that a person overrides: `offline-broker`, or `offline-broker:7` for broker 7 only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignore {
    /// Which kind.
    pub cause: Cause,
    /// Where; none is everywhere.
    pub scope: Option<Scope>,
}

impl Ignore {
    /// Whether this hold is overridden.
    pub fn covers(&self, hold: &Hold) -> bool {
        self.cause == hold.cause && self.scope.as_ref().is_none_or(|scope| *scope == hold.scope)
    }
}

impl fmt::Display for Ignore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause.name())?;
        match &self.scope {
            None => Ok(()),
            Some(Scope::Cluster) => f.write_str(":cluster"),
            Some(Scope::Broker(id)) => write!(f, ":{id}"),
            Some(Scope::Partition(partition)) => write!(f, ":{partition}"),
        }
    }
}

impl FromStr for Ignore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, scope) = text.split_once(':').map_or((text, None), |(name, scope)| (name, Some(scope)));
        let cause = Cause::OVERRIDABLE.into_iter().find(|cause| cause.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Cause::OVERRIDABLE.iter().map(|cause| cause.name()).collect();
            format!("{name:?} is no hold that can be overridden: expected {}", names.join(", "))
        })?;
        let scope = match scope {
            None => None,
            Some("cluster") => Some(Scope::Cluster),
            Some(text) => Some(match text.parse::<BrokerId>() {
                Ok(id) => Scope::Broker(id),
                Err(_) => Scope::Partition(partition(text)?),
            }),
        };
        Ok(Ignore { cause, scope })
    }
}

/// A partition as it is printed: `orders-3`.
///
/// # Errors
/// If it does not end in a dash and a number.
pub fn partition(text: &str) -> Result<TopicPartition, String> {
    let parts = text.rsplit_once('-').filter(|(topic, _)| !topic.is_empty());
    let parsed = parts.and_then(|(topic, number)| Some((topic, number.parse::<i32>().ok()?)));
    let (topic, number) = parsed.filter(|(_, number)| *number >= 0).ok_or_else(|| {
        format!("{text:?} is no partition: expected a topic, a dash and a number, as in orders-3")
    })?;
    Ok(TopicPartition::new(topic, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_overridden_by_name_and_scope() {
        let hold = Hold {
            cause: Cause::OfflineBroker,
            scope: Scope::Broker(BrokerId(7)),
            reason: String::new(),
            clears: String::new(),
        };
        let covers = |text: &str| text.parse::<Ignore>().unwrap().covers(&hold);
        assert!(covers("offline-broker") && covers("offline-broker:7"));
        assert!(!covers("offline-broker:8") && !covers("disk") && !covers("offline-broker:cluster"));
        for text in ["offline-broker", "disk:3", "min-isr:a-b-0", "external:cluster"] {
            assert_eq!(text.parse::<Ignore>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_keeps_copies_alive_is_never_overridden() {
        for text in ["guard", "open-write", "stale-view", "unexplained", "paused", "", "disk:orders"] {
            assert!(text.parse::<Ignore>().is_err(), "{text}");
        }
    }
}
