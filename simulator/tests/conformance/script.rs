//! Scenarios: one line, one step.
//!
//! ```text
//! [@BROKER|@other] VERB ARGUMENT… [OPTION…]
//! ```
//!
//! Arguments are words, replica lists (`[1,2]`), partitions (`t-0`) and `key=value`; quotes keep spaces, `<3000 from
//! 10000>` is a list of that many entries. What each verb does is told in `testdata/conformance/README.md`.

use std::time::Duration;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Where a client would send it: to the broker that metadata names as the controller.
    Controller,
    /// To a broker that metadata does not name as the controller.
    Other,
    /// To this broker.
    Broker(i32),
}

/// What may stand behind the arguments of any request.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `v0`: this version instead of the newest.
    pub version: Option<i16>,
    /// `timeout=0`: milliseconds, the request's own field.
    pub timeout_ms: Option<i32>,
    /// `gives-up=2s`: how long the client waits.
    pub gives_up: Option<Duration>,
    /// `validate`: `validate_only`.
    pub validate: bool,
    /// `same-rf`: `allow_replication_factor_change` is false.
    pub same_rf: bool,
    /// `unclean`: the election's type.
    pub unclean: bool,
    /// `says`: the messages are part of what is compared.
    pub says: bool,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    pub text: String,
    pub at: At,
    pub verb: String,
    pub args: Vec<String>,
    pub options: Options,
}

/// A scenario.
#[derive(Debug, Clone)]
pub struct Script {
    /// The name of its file, without the ending.
    pub name: String,
    /// It hurts brokers, or touches what others have (`alone`): it runs alone, after the others.
    pub hurts: bool,
    pub steps: Vec<Step>,
}

impl Script {
    pub fn parse(name: &str, text: &str) -> Script {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let steps: Vec<Step> = lines.map(|line| step(name, line)).collect();
        assert!(!steps.is_empty(), "{name}: no steps");
        let hurting = ["kill", "stop", "pause", "start", "resume", "alone"];
        let hurts = steps.iter().any(|step| hurting.contains(&step.verb.as_str()));
        Script { name: name.to_owned(), hurts, steps }
    }
}

fn step(name: &str, line: &str) -> Step {
    let mut words = words(line).into_iter().peekable();
    let at = match words.next_if(|word| word.starts_with('@')).as_deref() {
        None => At::Controller,
        Some("@other") => At::Other,
        Some(id) => At::Broker(id[1..].parse().unwrap_or_else(|_| panic!("{name}: {line}: {id}"))),
    };
    let verb = words.next().unwrap_or_else(|| panic!("{name}: {line}: no verb"));
    let (mut args, mut options) = (Vec::new(), Options::default());
    for word in words {
        match word.split_once('=') {
            _ if word == "validate" => options.validate = true,
            _ if word == "same-rf" => options.same_rf = true,
            _ if word == "unclean" => options.unclean = true,
            _ if word == "says" => options.says = true,
            Some(("timeout", ms)) => options.timeout_ms = Some(ms.parse().expect("milliseconds")),
            Some(("gives-up", after)) => {
                let seconds = after.trim_end_matches('s').parse().expect("seconds");
                options.gives_up = Some(Duration::from_secs(seconds));
            }
            _ => match word.strip_prefix('v').and_then(|n| n.parse().ok()) {
                Some(version) => options.version = Some(version),
                None => args.push(word),
            },
        }
    }
    Step { text: line.to_owned(), at, verb, args, options }
}

/// Words between spaces; quotes and `<>` hold theirs together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut end) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (end, c) {
            (None, '"') => end = Some('"'),
            (None, '<') => {
                end = Some('>');
                word.push(c);
            }
            (Some(last), _) if c == last => {
                end = None;
                word.extend((c == '>').then_some(c));
            }
            (None, ' ') => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            _ => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// `[1,2]`
pub fn list(word: &str) -> Option<Vec<i32>> {
    let inner = word.strip_prefix('[')?.strip_suffix(']')?;
    let ids = inner.split(',').filter(|id| !id.is_empty());
    Some(ids.map(|id| id.trim().parse().unwrap_or_else(|_| panic!("{word}: {id}"))).collect())
}

/// `t-0`
pub fn partition(word: &str) -> (&str, i32) {
    let (topic, n) = word.rsplit_once('-').unwrap_or_else(|| panic!("{word} is no partition"));
    (topic, n.parse().unwrap_or_else(|_| panic!("{word} is no partition")))
}

/// Short names of config keys, and what `<3000 from 10000>` stands for.
pub fn key(short: &str) -> &str {
    match short {
        "leader-list" => "leader.replication.throttled.replicas",
        "follower-list" => "follower.replication.throttled.replicas",
        "leader-rate" => "leader.replication.throttled.rate",
        "follower-rate" => "follower.replication.throttled.rate",
        other => other,
    }
}

pub fn value(word: &str) -> String {
    let many = word.strip_prefix('<').and_then(|inner| inner.strip_suffix('>'));
    let Some((count, from)) = many.and_then(|inner| inner.split_once(" from ")) else {
        return word.to_owned();
    };
    let (count, from): (i32, i32) = (count.parse().expect("a count"), from.parse().expect("a number"));
    let items: Vec<String> = (from..from + count).map(|n| format!("{n}:1")).collect();
    items.join(",")
}
