//! Rules: what must hold, when, and how strictly.

use serde::{Deserialize, Serialize};

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Replicas of a partition over zones. `Always`: a list touches at least min(zones at the start, zones at
    /// the end) zones. `After`: replicas per zone differ by at most one over the zones in use.
    ZoneSpread,
    /// Replicas of a partition over the racks of each zone, where zones stand above racks: they differ by at most one.
    RackSpread,
    /// Bytes on a broker stay within its capacity (promise P5).
    Capacity,
    /// Replicas of a topic over the brokers of a zone: none gets more than twice its part, or than what some broker held at
    /// the start if that is more.
    TopicSpread,
}

/// When a rule is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At the end of the plan.
    After,
    /// In every list of every step.
    Always,
}

/// How strictly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It holds.
    Hard,
    /// It never gets worse than at the start.
    NoWorse,
    /// It is sought, not promised.
    Prefer,
}

/// One rule of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is about.
    pub what: What,
    /// When it is judged.
    pub when: When,
    /// How strictly.
    pub policy: Policy,
}

impl Rule {
    /// The rules of a plan over a cluster: on zones where brokers have some, on racks where zones stand above them, on
    /// topics where it was asked for.
    pub fn of_plan(zoned: bool, racks: Option<Policy>, spreads_topics: bool) -> Vec<Rule> {
        let rule = |what, when, policy| Rule { what, when, policy };
        let zones = [When::After, When::Always].map(|when| rule(What::ZoneSpread, when, Policy::Hard));
        let mut rules: Vec<Rule> = zones.into_iter().filter(|_| zoned).collect();
        rules.extend(racks.map(|policy| rule(What::RackSpread, When::After, policy)));
        rules.push(rule(What::Capacity, When::Always, Policy::Hard));
        rules.extend(spreads_topics.then_some(rule(What::TopicSpread, When::After, Policy::NoWorse)));
        rules
    }
}
