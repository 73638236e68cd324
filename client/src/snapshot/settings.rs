//! What is configured: throttle rates and listeners of brokers, what matters of topics, and where brokers
//! differ.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use restow_planner::model::{BrokerId, ConfigDifference, ConfigSource, SetConfig, Sockets};

use super::{Progress, Step, Told, Warning};
use crate::read::{self, ConfigEntry, Resource};
use crate::{Client, Code, Error};

/// Replication throttle rates, in bytes per second (KIP-73, KIP-113).
const RATES: [&str; 3] = [
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];
const ADVERTISED: &str = "advertised.listeners";
const LISTENERS: &str = "listeners";
const RECEIVE_BUFFER: &str = "replica.socket.receive.buffer.bytes";
const FETCHERS: &str = "num.replica.fetchers";
const MIN_ISR: &str = "min.insync.replicas";
const REMOTE: &str = "remote.storage.enable";
const THROTTLED_LEADERS: &str = "leader.replication.throttled.replicas";
const THROTTLED_FOLLOWERS: &str = "follower.replication.throttled.replicas";

/// Topic configs whose defaults come from each broker's own settings, and that change what a replica holds,
/// accepts or risks: a replica that moves to a broker with another value behaves otherwise there.
/// Keys that a version does not know are not in its answer.
const COMPARED: [&str; 18] = [
    "cleanup.policy",
    "compression.type",
    "local.retention.bytes",
    "local.retention.ms",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.difference.max.ms",
    "message.timestamp.type",
    MIN_ISR,
    REMOTE,
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
];

/// All settings of a snapshot.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub brokers: BTreeMap<BrokerId, OfBroker>,
    pub topics: BTreeMap<String, OfTopic>,
    pub differences: Vec<ConfigDifference>,
}

/// What is read of one broker.
#[derive(Debug)]
pub(super) struct OfBroker {
    pub listeners: Option<Vec<String>>,
    pub rates: Vec<SetConfig>,
    pub sockets: Option<Sockets>,
}

/// What is read of one topic.
#[derive(Debug, Default)]
pub(super) struct OfTopic {
    pub min_isr: Option<(u32, ConfigSource)>,
    pub remote_storage: bool,
    pub throttled_leaders: Option<String>,
    pub throttled_followers: Option<String>,
    /// The keys of [`COMPARED`] that the topic does not set itself, as indexes into that list.
    inherited: BTreeSet<usize>,
}

/// Asks a broker for its own settings.
pub(super) async fn of_broker(client: &Client, broker: BrokerId) -> Result<OfBroker, Error> {
    let keys: Vec<&str> =
        RATES.into_iter().chain([ADVERTISED, LISTENERS, RECEIVE_BUFFER, FETCHERS]).collect();
    let told = read::effective(client, Some(broker), &[Resource::Broker(broker)], Some(&keys), false).await?;
    let entries = match told.into_iter().next() {
        Some((_, Ok(entries))) => entries,
        Some((_, Err(code))) => return Err(refused(client, broker, code)),
        None => Vec::new(),
    };
    let value = |key: &str| {
        let entry = entries.iter().find(|entry| entry.name == key)?;
        Some((entry.value.clone()?, entry.source))
    };
    let listeners =
        [ADVERTISED, LISTENERS].iter().find_map(|key| value(key)).map(|(text, _)| listeners(&text));
    let rates = RATES.iter().filter_map(|key| {
        let (text, from) = value(key)?;
        // The default is Long.MAX_VALUE: no limit.
        let set = from != ConfigSource::Default;
        set.then(|| SetConfig { key: (*key).to_owned(), value: text, source: from })
    });
    let number = |key: &str| value(key).and_then(|(text, _)| text.trim().parse::<i64>().ok());
    let sockets = number(RECEIVE_BUFFER).zip(number(FETCHERS)).and_then(|(receive_buffer, fetchers)| {
        Some(Sockets { receive_buffer, fetchers: u32::try_from(fetchers).ok()? })
    });
    Ok(OfBroker { listeners, rates: rates.collect(), sockets })
}

fn refused(client: &Client, broker: BrokerId, code: Code) -> Error {
    let address = client.book().address(broker).unwrap_or_default().to_owned();
    let broker = crate::Peer { id: Some(broker), address };
    Error::Refused { api: "DescribeConfigs", broker, code, message: None }
}

/// The names in `NAME://host:port,NAME://host:port`.
fn listeners(text: &str) -> Vec<String> {
    let name = |one: &str| one.split_once("://").map(|(name, _)| name.trim().to_owned());
    text.split(',').filter_map(name).collect()
}

/// Reads what matters of every topic, and compares the brokers.
///
/// A broker answers for a topic with what the topic sets, and else with its own settings, which are the same
/// for all topics. So one broker tells what each topic sets, and every other broker is asked for a few topics
/// that together leave each key unset: what it says there holds for every topic that leaves it unset.
pub(super) async fn of_topics(
    client: &Client,
    answered: &[BrokerId],
    told: &mut Told,
    parallel: usize,
    progress: &mut dyn FnMut(Progress),
) {
    let names = || told.topics.iter().filter(|t| t.error.is_none()).map(|t| Resource::Topic(t.name.clone()));
    let resources: Vec<Resource> = names().collect();
    let total = answered.len();
    progress(Progress { step: Step::Configs, done: 0, total });
    if resources.is_empty() {
        return;
    }
    let keys: Vec<&str> = COMPARED.into_iter().chain([THROTTLED_LEADERS, THROTTLED_FOLLOWERS]).collect();
    let mut failed = None;
    let mut base = None;
    for broker in answered {
        match read::effective(client, Some(*broker), &resources, Some(&keys), false).await {
            Ok(answers) => {
                base = Some((*broker, answers));
                break;
            }
            Err(error) => failed = Some(error),
        }
    }
    let Some((base, answers)) = base else {
        told.warnings.extend(failed.map(|error| Warning::NoConfigs { error }));
        return;
    };
    let mut defaults = Defaults::default();
    let mut unknown = Vec::new();
    for (of, answer) in answers {
        let Resource::Topic(name) = of else { continue };
        match answer {
            Ok(entries) => {
                let topic = of_topic(&entries);
                defaults.learn(base, &entries, &topic.inherited);
                told.settings.topics.insert(name, topic);
            }
            Err(code) => unknown.push((name, code)),
        }
    }
    let count = unknown.len();
    let first = unknown.into_iter().next();
    told.warnings.extend(first.map(|(first, code)| Warning::ConfigsUnknown { count, first, code }));
    progress(Progress { step: Step::Configs, done: 1, total });

    let probes = probes(&told.settings.topics);
    let others: Vec<BrokerId> = answered.iter().copied().filter(|id| *id != base).collect();
    let (probes, compared) = (&probes, &COMPARED[..]);
    let ask = |id: BrokerId| async move {
        (id, read::effective(client, Some(id), probes, Some(compared), false).await)
    };
    let mut answers = stream::iter(others).map(ask).buffered(parallel);
    let mut done = 1;
    while let Some((broker, answer)) = answers.next().await {
        done += 1;
        progress(Progress { step: Step::Configs, done, total });
        let what = "topic defaults";
        match answer {
            Ok(answers) => {
                for (_, answer) in answers {
                    match answer {
                        Ok(entries) => {
                            let inherited = of_topic(&entries).inherited;
                            defaults.learn(broker, &entries, &inherited);
                        }
                        Err(code) => {
                            let error = refused(client, broker, code);
                            told.warnings.push(Warning::Withheld { broker, what, error });
                        }
                    }
                }
            }
            Err(error) => told.warnings.push(Warning::Withheld { broker, what, error }),
        }
    }
    drop(answers);
    defaults.apply(&mut told.settings);
}

fn of_topic(entries: &[ConfigEntry]) -> OfTopic {
    let mut topic = OfTopic::default();
    for entry in entries {
        let own = entry.source == ConfigSource::Topic;
        match entry.name.as_str() {
            MIN_ISR => {
                let least = entry.value.as_deref().and_then(|value| value.parse().ok());
                topic.min_isr = least.map(|least| (least, entry.source));
            }
            REMOTE => topic.remote_storage = entry.value.as_deref() == Some("true"),
            // An empty list that is set is not the same as none: it has to be there again after a run.
            THROTTLED_LEADERS if own => topic.throttled_leaders.clone_from(&entry.value),
            THROTTLED_FOLLOWERS if own => topic.throttled_followers.clone_from(&entry.value),
            _ => {}
        }
        if let (false, Ok(key)) = (own, COMPARED.binary_search(&entry.name.as_str())) {
            topic.inherited.insert(key);
        }
    }
    topic
}

/// A few topics that together leave every key unset that any topic leaves unset.
fn probes(topics: &BTreeMap<String, OfTopic>) -> Vec<Resource> {
    let mut missing: BTreeSet<usize> = topics.values().flat_map(|topic| &topic.inherited).copied().collect();
    let mut probes = Vec::new();
    let gain = |topic: &OfTopic, missing: &BTreeSet<usize>| topic.inherited.intersection(missing).count();
    while !missing.is_empty() {
        // The first of the best, so that the choice does not depend on anything else.
        let best = topics.iter().rev().max_by_key(|(_, topic)| gain(topic, &missing));
        let Some((name, topic)) = best.filter(|(_, topic)| gain(topic, &missing) > 0) else { break };
        probes.push(Resource::Topic(name.clone()));
        missing.retain(|key| !topic.inherited.contains(key));
    }
    probes
}

/// What each broker would apply to a topic that sets nothing.
#[derive(Debug, Default)]
struct Defaults {
    values: BTreeMap<usize, BTreeMap<String, BTreeSet<BrokerId>>>,
}

impl Defaults {
    fn learn(&mut self, broker: BrokerId, entries: &[ConfigEntry], inherited: &BTreeSet<usize>) {
        for key in inherited {
            let entry = entries.iter().find(|entry| entry.name == COMPARED[*key]);
            if let Some(value) = entry.and_then(|entry| entry.value.as_ref()) {
                let brokers = self.values.entry(*key).or_default();
                match brokers.get_mut(value) {
                    Some(same) => drop(same.insert(broker)),
                    None => drop(brokers.insert(value.clone(), BTreeSet::from([broker]))),
                }
            }
        }
    }

    /// Keeps the keys in which brokers differ, for each topic that does not set them itself.
    fn apply(mut self, settings: &mut Settings) {
        self.values.retain(|_, values| values.len() > 1);
        for (name, topic) in &mut settings.topics {
            for (key, values) in self.values.iter().filter(|(key, _)| topic.inherited.contains(key)) {
                if COMPARED[*key] == MIN_ISR {
                    // The strictest: a partition may be led anywhere.
                    let most = values.keys().filter_map(|value| value.parse().ok()).max();
                    topic.min_isr = topic.min_isr.zip(most).map(|((_, from), most)| (most, from));
                }
                settings.differences.push(ConfigDifference {
                    topic: name.clone(),
                    key: COMPARED[*key].to_owned(),
                    values: values
                        .iter()
                        .map(|(v, ids)| (v.clone(), ids.iter().copied().collect()))
                        .collect(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, value: &str, source: ConfigSource) -> ConfigEntry {
        ConfigEntry {
            name: name.into(),
            value: Some(value.into()),
            source,
            sensitive: false,
            synonyms: vec![],
        }
    }

    #[test]
    fn compared_keys_are_in_order() {
        assert!(COMPARED.is_sorted());
    }

    #[test]
    fn listener_names_are_read() {
        assert_eq!(listeners("PLAINTEXT://h:1, SSL://[::1]:2"), ["PLAINTEXT", "SSL"]);
        assert_eq!(listeners(""), [""; 0]);
    }

    #[test]
    fn a_list_that_is_set_and_empty_is_not_unset() {
        let set = of_topic(&[entry(THROTTLED_LEADERS, "", ConfigSource::Topic)]);
        let unset = of_topic(&[entry(THROTTLED_LEADERS, "", ConfigSource::Default)]);
        assert_eq!((set.throttled_leaders, unset.throttled_leaders), (Some(String::new()), None));
    }

    #[test]
    fn differences_are_kept_for_topics_that_inherit_them() {
        let own =
            [entry("retention.ms", "5", ConfigSource::Topic), entry(MIN_ISR, "1", ConfigSource::Default)];
        let none =
            [entry("retention.ms", "7", ConfigSource::Static), entry(MIN_ISR, "2", ConfigSource::Topic)];
        let mut settings = Settings::default();
        settings.topics.insert("a".into(), of_topic(&own));
        settings.topics.insert("b".into(), of_topic(&none));
        let probes = probes(&settings.topics);
        assert_eq!(probes, ["a", "b"].map(|name| Resource::Topic(name.into())));
        let mut defaults = Defaults::default();
        for (broker, retention, min_isr) in [(1, "7", "1"), (2, "8", "2"), (3, "7", "1")] {
            let own = [entry(MIN_ISR, min_isr, ConfigSource::Default)];
            let none = [entry("retention.ms", retention, ConfigSource::Static)];
            defaults.learn(BrokerId(broker), &own, &of_topic(&own).inherited);
            defaults.learn(BrokerId(broker), &none, &of_topic(&none).inherited);
        }
        defaults.apply(&mut settings);
        let shown: Vec<_> =
            settings.differences.iter().map(|d| (&*d.topic, &*d.key, d.values.clone())).collect();
        let ids = |list: &[i32]| list.iter().map(|id| BrokerId(*id)).collect::<Vec<_>>();
        assert_eq!(
            shown,
            [
                ("a", MIN_ISR, vec![("1".to_owned(), ids(&[1, 3])), ("2".to_owned(), ids(&[2]))]),
                ("b", "retention.ms", vec![("7".to_owned(), ids(&[1, 3])), ("8".to_owned(), ids(&[2]))]),
            ]
        );
        assert_eq!(settings.topics["a"].min_isr, Some((2, ConfigSource::Default)));
        assert_eq!(settings.topics["b"].min_isr, Some((2, ConfigSource::Topic)));
    }
}
