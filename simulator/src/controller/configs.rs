//! IncrementalAlterConfigs: SET, DELETE, APPEND, SUBTRACT.

use std::collections::{BTreeMap, BTreeSet};

use restow_planner::model::BrokerId;

use super::schema::{self, Kind};
use super::state::{Configs, State};
use super::{Outcome, Resource};
use crate::code::{Code, Refusal};

/// One change of one config key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// The value becomes this one.
    Set(String, String),
    /// The value is unset.
    Delete(String),
    /// These items are added to the list; those that it has already are not repeated.
    Append(String, String),
    /// These items leave the list. An emptied list stays set, to `""`.
    Subtract(String, String),
    /// An operation that names no value where it needs one.
    Valueless(String),
}

impl Change {
    /// The key that it changes.
    pub fn key(&self) -> &str {
        match self {
            Change::Set(key, _)
            | Change::Delete(key)
            | Change::Append(key, _)
            | Change::Subtract(key, _)
            | Change::Valueless(key) => key,
        }
    }
}

/// The longest value that is stored, in bytes.
pub(crate) const LONGEST: usize = 32_767;

pub(super) fn alter(
    state: &mut State,
    items: Vec<(Resource, Vec<Change>)>,
    validate_only: bool,
) -> Vec<(Resource, Outcome)> {
    let mut times: BTreeMap<Resource, usize> = BTreeMap::new();
    for (resource, _) in &items {
        *times.entry(resource.clone()).or_default() += 1;
    }
    let mut outcomes = Vec::with_capacity(items.len());
    for (resource, changes) in items {
        let outcome = if times[&resource] > 1 {
            Err(Refusal::new(Code::InvalidRequest, "Each resource must appear at most once."))
        } else {
            changed(state, &resource, &changes).map(|configs| {
                if !validate_only && let Some(stored) = stored_mut(state, &resource) {
                    *stored = configs;
                }
            })
        };
        outcomes.push((resource, outcome));
    }
    outcomes
}

/// Whether a resource that does not exist yet may start with these values.
pub(super) fn check_new(state: &State, resource: &Resource, changes: &[Change]) -> Outcome {
    after(state, resource, &Configs::new(), changes).map(drop)
}

fn stored_mut<'a>(state: &'a mut State, resource: &Resource) -> Option<&'a mut Configs> {
    match resource {
        Resource::Topic(name) => state.topics.get_mut(name).map(|topic| &mut topic.configs),
        Resource::Broker(id) => state.brokers.get_mut(id).map(|broker| &mut broker.configs),
        Resource::AllBrokers => Some(&mut state.cluster_configs),
    }
}

fn changed(state: &State, resource: &Resource, changes: &[Change]) -> Result<Configs, Refusal> {
    let stored = match resource {
        Resource::Topic(name) => match state.topics.get(name) {
            Some(topic) => &topic.configs,
            None => {
                let text = format!("The topic '{name}' does not exist.");
                return Err(Refusal::new(Code::UnknownTopicOrPartition, text));
            }
        },
        Resource::Broker(id) => match state.brokers.get(id) {
            Some(broker) => &broker.configs,
            None => return Err(unexpected_broker(None, &id.to_string())),
        },
        Resource::AllBrokers => &state.cluster_configs,
    };
    after(state, resource, stored, changes)
}

/// What a broker answers when it is asked for the configs of another.
pub fn unexpected_broker(own: Option<BrokerId>, asked: &str) -> Refusal {
    let own = own.map_or_else(|| "a registered broker".to_owned(), |id| id.to_string());
    Refusal::new(Code::InvalidRequest, format!("Unexpected broker id, expected {own}, but received {asked}"))
}

fn after(
    state: &State,
    resource: &Resource,
    stored: &Configs,
    changes: &[Change],
) -> Result<Configs, Refusal> {
    let mut keys = BTreeSet::new();
    if let Some(twice) = changes.iter().find(|change| !keys.insert(change.key())) {
        let text = format!("Error due to duplicate config keys : {}", twice.key());
        return Err(Refusal::new(Code::InvalidRequest, text));
    }
    let mut configs = stored.clone();
    for change in changes {
        let kind = kind(resource, change.key())?;
        let value = match change {
            Change::Valueless(key) => {
                let text = format!("Null value not supported for : {key}");
                return Err(Refusal::new(Code::InvalidRequest, text));
            }
            Change::Delete(key) => {
                configs.remove(key);
                continue;
            }
            Change::Set(_, value) => value.clone(),
            Change::Append(key, items) | Change::Subtract(key, items) => {
                let adds = matches!(change, Change::Append(..));
                if kind != Kind::List {
                    let verb = if adds { "append to" } else { "subtract from" };
                    let text = format!("Can't {verb} key {key} because its type is not LIST.");
                    let rate = schema::throttle_kind(key).is_some();
                    let code = if rate { state.rules.append_to_rate } else { Code::InvalidConfig };
                    return Err(Refusal::new(code, text));
                }
                let base = configs.get(key).map(String::as_str).or_else(|| schema::topic_default(key));
                listed(base.unwrap_or(""), items, adds, state.rules.appends_once)
            }
        };
        let key = change.key();
        if value.len() > LONGEST
            && !matches!(change, Change::Set(..))
            && state.rules.oversized_append != Code::None
        {
            return Err(match state.rules.oversized_append {
                Code::UnknownServerError => Refusal::bare(Code::UnknownServerError),
                code => {
                    Refusal::new(code, format!("The configuration value of {key} cannot be added: too long."))
                }
            });
        }
        let code =
            if matches!(resource, Resource::Topic(_)) { Code::InvalidConfig } else { Code::InvalidRequest };
        schema::check(key, kind, &value).map_err(|text| Refusal::new(code, text))?;
        configs.insert(key.to_owned(), value);
    }
    Ok(configs)
}

fn kind(resource: &Resource, key: &str) -> Result<Kind, Refusal> {
    match resource {
        Resource::Topic(_) => match schema::topic_key(key) {
            Some(known) => Ok(known.kind),
            None => Err(Refusal::new(Code::InvalidConfig, format!("Unknown topic config name: {key}"))),
        },
        _ => match schema::broker_key(key) {
            Some(known) if known.read_only => {
                let text = format!("Cannot update these configs dynamically: Set({key})");
                Err(Refusal::new(Code::InvalidRequest, text))
            }
            Some(known) => Ok(known.kind),
            None => Ok(schema::throttle_kind(key).unwrap_or(Kind::Text)),
        },
    }
}

/// Items are compared as they stand, spaces included; that is how `"0:1, 1:2"` keeps its `1:2`. `once`: an append drops
/// what its own items repeat, too.
fn listed(stored: &str, items: &str, adds: bool, once: bool) -> String {
    let mut list: Vec<&str> = stored.split(',').filter(|item| !item.is_empty()).collect();
    let before = list.clone();
    for item in items.split(',') {
        let known = if once { list.contains(&item) } else { before.contains(&item) };
        if adds && !known && !item.is_empty() {
            list.push(item);
        } else if !adds && let Some(at) = list.iter().position(|have| *have == item) {
            list.remove(at);
        }
    }
    list.join(",")
}

#[cfg(test)]
mod tests {
    use super::super::{Placement, Request, Response, apply};
    use super::*;
    use crate::controller::NewTopic;
    use crate::controller::schema::{LEADER_LIST, LEADER_RATE};
    use crate::rules::Rules;

    fn state(version: &str) -> State {
        let mut state = State::new(Rules::of(version).unwrap());
        let broker = BrokerId(1);
        apply(&mut state, Request::Register { broker, rack: None, host: "b".to_owned(), port: 1 });
        apply(&mut state, Request::Unfence { broker });
        let placement = Placement::Given(vec![vec![broker]]);
        let items = vec![NewTopic { name: "t".to_owned(), placement, configs: Configs::new() }];
        apply(&mut state, Request::CreateTopics { items, validate_only: false });
        state
    }

    fn topic() -> Resource {
        Resource::Topic("t".to_owned())
    }

    fn ask(state: &mut State, resource: Resource, changes: Vec<Change>) -> Code {
        let request = Request::AlterConfigs { items: vec![(resource, changes)], validate_only: false };
        match apply(state, request) {
            Response::Resources(o) => o[0].1.as_ref().err().map_or(Code::None, |refusal| refusal.code),
            other => panic!("{other:?}"),
        }
    }

    fn append(value: &str) -> Change {
        Change::Append(LEADER_LIST.to_owned(), value.to_owned())
    }

    fn subtract(value: &str) -> Change {
        Change::Subtract(LEADER_LIST.to_owned(), value.to_owned())
    }

    fn set(key: &str, value: &str) -> Change {
        Change::Set(key.to_owned(), value.to_owned())
    }

    /// The rows of `research/wire.md` (g).
    #[test]
    fn throttled_lists_behave_as_measured() {
        for version in Rules::KNOWN.into_iter().filter(|version| !version.ends_with("-zk")) {
            let mut s = state(version);
            let mut row = |change: Change, code: Code, then: Option<&str>| {
                assert_eq!(ask(&mut s, topic(), vec![change.clone()]), code, "{version} {change:?}");
                let stored = s.topics["t"].configs.get(LEADER_LIST).map(String::as_str);
                assert_eq!(stored, then, "{version} {change:?}");
            };
            row(subtract("0:1"), Code::None, Some(""));
            row(append("0:1"), Code::None, Some("0:1"));
            row(append("0:1"), Code::None, Some("0:1"));
            row(append("0:2,0:2"), Code::None, Some("0:1,0:2"));
            row(append("9:77"), Code::None, Some("0:1,0:2,9:77"));
            row(subtract("0:5"), Code::None, Some("0:1,0:2,9:77"));
            row(append("*"), Code::InvalidConfig, Some("0:1,0:2,9:77"));
            row(append("abc"), Code::InvalidConfig, Some("0:1,0:2,9:77"));
            row(subtract("0:1,0:2,9:77"), Code::None, Some(""));
            row(Change::Delete(LEADER_LIST.to_owned()), Code::None, None);
            row(set(LEADER_LIST, "*"), Code::None, Some("*"));
            row(append("0:1"), Code::InvalidConfig, Some("*"));
            row(subtract("*"), Code::None, Some(""));
            row(set(LEADER_LIST, "0:1, 1:2"), Code::None, Some("0:1, 1:2"));
            row(subtract("1:2"), Code::None, Some("0:1, 1:2"));
            row(Change::Valueless(LEADER_LIST.to_owned()), Code::InvalidRequest, Some("0:1, 1:2"));
        }
    }

    #[test]
    fn a_list_that_grows_too_long_is_refused_as_the_version_does() {
        for version in Rules::KNOWN.into_iter().filter(|version| !version.ends_with("-zk")) {
            let mut s = state(version);
            let many = |from: usize| -> String {
                let items: Vec<String> = (from..from + 3_000).map(|n| format!("{n}:1")).collect();
                items.join(",")
            };
            assert_eq!(ask(&mut s, topic(), vec![append(&many(10_000))]), Code::None);
            let before = s.clone();
            let code = if version == "4.3.1" { Code::InvalidConfig } else { Code::UnknownServerError };
            assert_eq!(ask(&mut s, topic(), vec![append(&many(20_000))]), code, "{version}");
            assert_eq!(s, before);
        }
    }

    #[test]
    fn rates_are_set_and_lists_appended_and_a_bad_key_voids_its_resource() {
        let mut s = state("4.3.1");
        let broker = || Resource::Broker(BrokerId(1));
        assert_eq!(ask(&mut s, broker(), vec![set(LEADER_RATE, "0")]), Code::None);
        assert_eq!(ask(&mut s, broker(), vec![set(LEADER_RATE, "-1")]), Code::InvalidRequest);
        let rate = Change::Append(LEADER_RATE.to_owned(), "5".to_owned());
        assert_eq!(ask(&mut s, broker(), vec![rate]), Code::InvalidConfig);
        assert_eq!(s.brokers[&BrokerId(1)].configs[LEADER_RATE], "0");
        let twice = vec![append("0:1"), subtract("0:2")];
        assert_eq!(ask(&mut s, topic(), twice), Code::InvalidRequest);
        let before = s.clone();
        let bad = vec![set("retention.ms", "5"), set("no.such.key", "5")];
        assert_eq!(ask(&mut s, topic(), bad), Code::InvalidConfig);
        assert_eq!(s, before);
        assert_eq!(ask(&mut s, Resource::Topic("no".to_owned()), vec![]), Code::UnknownTopicOrPartition);
        assert_eq!(ask(&mut s, broker(), vec![set("node.id", "9")]), Code::InvalidRequest);
        let request =
            Request::AlterConfigs { items: vec![(topic(), vec![append("0:1")])], validate_only: true };
        apply(&mut s, request);
        assert_eq!(s, before, "validated only");
    }
}
