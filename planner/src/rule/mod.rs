//! Rules: what must hold, when, and how strictly.

use serde::{Deserialize, Serialize};

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Replicas of a partition over zones. `Always`: a list touches at least min(zones at the start, zones at
    /// the end) zones. `After`: replicas per zone differ by at most one over the zones in use.
    ZoneSpread,
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
    /// The rules of a plan over a cluster; zone rules only where brokers have zones, and that on topics where it
    /// was asked for.
    pub fn of_plan(zoned: bool, spreads_topics: bool) -> Vec<Rule> {
        let mut rules = vec![Rule { what: What::Capacity, when: When::Always, policy: Policy::Hard }];
        if zoned {
            rules.insert(0, Rule { what: What::ZoneSpread, when: When::After, policy: Policy::Hard });
            rules.insert(1, Rule { what: What::ZoneSpread, when: When::Always, policy: Policy::Hard });
        }
        let spread = Rule { what: What::TopicSpread, when: When::After, policy: Policy::NoWorse };
        rules.extend(spreads_topics.then_some(spread));
        rules
    }
}
