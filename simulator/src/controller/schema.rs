//! The config keys that simulated brokers know, with their defaults and types.

/// The type of a config value, by its number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Kind {
    /// `true` or `false`.
    Boolean = 1,
    /// Any text.
    Text = 2,
    /// A 32-bit number.
    Int = 3,
    /// A 16-bit number.
    Short = 4,
    /// A 64-bit number.
    Long = 5,
    /// A fraction.
    Double = 6,
    /// Items with commas between them.
    List = 7,
    /// A name of a Java class.
    Class = 8,
}

/// A topic config.
#[derive(Debug, Clone, Copy)]
pub struct TopicKey {
    /// Its name.
    pub name: &'static str,
    /// The broker config that it falls back to.
    pub broker_key: Option<&'static str>,
    /// The value if neither is set.
    pub default: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// A broker config.
#[derive(Debug, Clone, Copy)]
pub struct BrokerKey {
    /// Its name.
    pub name: &'static str,
    /// The default; `None` is null.
    pub default: Option<&'static str>,
    /// Its type.
    pub kind: Kind,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
}

const fn topic(
    name: &'static str,
    broker_key: Option<&'static str>,
    default: &'static str,
    kind: Kind,
) -> TopicKey {
    TopicKey { name, broker_key, default, kind }
}

const FOREVER: &str = "9223372036854775807";

/// The topic configs, by name.
pub const TOPIC_KEYS: &[TopicKey] = &[
    topic("cleanup.policy", Some("log.cleanup.policy"), "delete", Kind::List),
    topic("compression.type", Some("compression.type"), "producer", Kind::Text),
    topic("delete.retention.ms", Some("log.cleaner.delete.retention.ms"), "86400000", Kind::Long),
    topic("file.delete.delay.ms", Some("log.segment.delete.delay.ms"), "60000", Kind::Long),
    topic("flush.messages", Some("log.flush.interval.messages"), FOREVER, Kind::Long),
    topic("flush.ms", Some("log.flush.interval.ms"), FOREVER, Kind::Long),
    topic(FOLLOWER_LIST, None, "", Kind::List),
    topic("index.interval.bytes", Some("log.index.interval.bytes"), "4096", Kind::Int),
    topic(LEADER_LIST, None, "", Kind::List),
    topic("local.retention.bytes", Some("log.local.retention.bytes"), "-2", Kind::Long),
    topic("local.retention.ms", Some("log.local.retention.ms"), "-2", Kind::Long),
    topic("max.compaction.lag.ms", Some("log.cleaner.max.compaction.lag.ms"), FOREVER, Kind::Long),
    topic("max.message.bytes", Some("message.max.bytes"), "1048588", Kind::Int),
    topic("message.timestamp.type", Some("log.message.timestamp.type"), "CreateTime", Kind::Text),
    topic("min.cleanable.dirty.ratio", Some("log.cleaner.min.cleanable.ratio"), "0.5", Kind::Double),
    topic("min.compaction.lag.ms", Some("log.cleaner.min.compaction.lag.ms"), "0", Kind::Long),
    topic("min.insync.replicas", Some("min.insync.replicas"), "1", Kind::Int),
    topic("preallocate", Some("log.preallocate"), "false", Kind::Boolean),
    topic("remote.storage.enable", None, "false", Kind::Boolean),
    topic("retention.bytes", Some("log.retention.bytes"), "-1", Kind::Long),
    topic("retention.ms", Some("log.retention.ms"), "604800000", Kind::Long),
    topic("segment.bytes", Some("log.segment.bytes"), "1073741824", Kind::Int),
    topic("segment.index.bytes", Some("log.index.size.max.bytes"), "10485760", Kind::Int),
    topic("segment.jitter.ms", Some("log.roll.jitter.ms"), "0", Kind::Long),
    topic("segment.ms", Some("log.roll.ms"), "604800000", Kind::Long),
    topic("unclean.leader.election.enable", Some("unclean.leader.election.enable"), "false", Kind::Boolean),
];

const fn fixed(name: &'static str, default: Option<&'static str>, kind: Kind) -> BrokerKey {
    BrokerKey { name, default, kind, read_only: true }
}

const fn dynamic(name: &'static str, default: Option<&'static str>, kind: Kind) -> BrokerKey {
    BrokerKey { name, default, kind, read_only: false }
}

/// The broker configs, by name.
pub const BROKER_KEYS: &[BrokerKey] = &[
    fixed("advertised.listeners", None, Kind::Text),
    fixed("auto.create.topics.enable", Some("true"), Kind::Boolean),
    fixed("auto.leader.rebalance.enable", Some("true"), Kind::Boolean),
    dynamic("background.threads", Some("10"), Kind::Int),
    fixed("broker.heartbeat.interval.ms", Some("2000"), Kind::Int),
    fixed("broker.rack", None, Kind::Text),
    fixed("broker.session.timeout.ms", Some("9000"), Kind::Int),
    dynamic("compression.type", Some("producer"), Kind::Text),
    fixed("controlled.shutdown.enable", Some("true"), Kind::Boolean),
    fixed("controller.listener.names", None, Kind::Text),
    fixed("controller.quorum.voters", Some(""), Kind::List),
    fixed("default.replication.factor", Some("1"), Kind::Int),
    fixed("delete.topic.enable", Some("true"), Kind::Boolean),
    fixed("inter.broker.listener.name", None, Kind::Text),
    fixed("leader.imbalance.check.interval.seconds", Some("300"), Kind::Long),
    fixed("leader.imbalance.per.broker.percentage", Some("10"), Kind::Int),
    dynamic("listeners", Some("PLAINTEXT://:9092"), Kind::Text),
    dynamic("log.cleaner.delete.retention.ms", Some("86400000"), Kind::Long),
    dynamic("log.cleaner.max.compaction.lag.ms", Some(FOREVER), Kind::Long),
    dynamic("log.cleaner.min.cleanable.ratio", Some("0.5"), Kind::Double),
    dynamic("log.cleaner.min.compaction.lag.ms", Some("0"), Kind::Long),
    dynamic("log.cleanup.policy", Some("delete"), Kind::List),
    fixed("log.dir", Some("/tmp/kafka-logs"), Kind::Text),
    fixed("log.dirs", None, Kind::Text),
    dynamic("log.flush.interval.messages", Some(FOREVER), Kind::Long),
    dynamic("log.flush.interval.ms", None, Kind::Long),
    dynamic("log.index.interval.bytes", Some("4096"), Kind::Int),
    dynamic("log.index.size.max.bytes", Some("10485760"), Kind::Int),
    dynamic("log.local.retention.bytes", Some("-2"), Kind::Long),
    dynamic("log.local.retention.ms", Some("-2"), Kind::Long),
    dynamic("log.message.timestamp.type", Some("CreateTime"), Kind::Text),
    dynamic("log.preallocate", Some("false"), Kind::Boolean),
    dynamic("log.retention.bytes", Some("-1"), Kind::Long),
    fixed("log.retention.hours", Some("168"), Kind::Int),
    fixed("log.retention.minutes", None, Kind::Int),
    dynamic("log.retention.ms", None, Kind::Long),
    dynamic("log.roll.jitter.ms", None, Kind::Long),
    dynamic("log.roll.ms", None, Kind::Long),
    dynamic("log.segment.bytes", Some("1073741824"), Kind::Int),
    dynamic("log.segment.delete.delay.ms", Some("60000"), Kind::Long),
    dynamic("max.connections", Some("2147483647"), Kind::Int),
    dynamic("message.max.bytes", Some("1048588"), Kind::Int),
    dynamic("min.insync.replicas", Some("1"), Kind::Int),
    fixed("node.id", None, Kind::Int),
    dynamic("num.io.threads", Some("8"), Kind::Int),
    dynamic("num.network.threads", Some("3"), Kind::Int),
    fixed("num.partitions", Some("1"), Kind::Int),
    dynamic("num.recovery.threads.per.data.dir", Some("2"), Kind::Int),
    dynamic("num.replica.fetchers", Some("1"), Kind::Int),
    fixed("offsets.topic.num.partitions", Some("50"), Kind::Int),
    fixed("offsets.topic.replication.factor", Some("3"), Kind::Short),
    fixed("process.roles", Some("broker"), Kind::List),
    fixed("replica.fetch.backoff.ms", Some("1000"), Kind::Int),
    fixed("replica.fetch.max.bytes", Some("1048576"), Kind::Int),
    fixed("replica.fetch.response.max.bytes", Some("10485760"), Kind::Int),
    fixed("replica.lag.time.max.ms", Some("30000"), Kind::Long),
    fixed("replica.selector.class", None, Kind::Class),
    fixed("replication.quota.window.num", Some("11"), Kind::Int),
    fixed("replication.quota.window.size.seconds", Some("1"), Kind::Int),
    fixed("transaction.state.log.replication.factor", Some("3"), Kind::Short),
    dynamic("unclean.leader.election.enable", Some("false"), Kind::Boolean),
];

/// The topic config that lists replicas whose leader is throttled.
pub const LEADER_LIST: &str = "leader.replication.throttled.replicas";
/// The topic config that lists replicas that are throttled as followers.
pub const FOLLOWER_LIST: &str = "follower.replication.throttled.replicas";
/// The broker config with the rate of a leader.
pub const LEADER_RATE: &str = "leader.replication.throttled.rate";
/// The broker config with the rate of a follower.
pub const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";
/// The broker config with the rate of copies between log directories.
pub const LOG_DIR_RATE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";

/// The topic config of this name.
pub fn topic_key(name: &str) -> Option<&'static TopicKey> {
    TOPIC_KEYS.iter().find(|key| key.name == name)
}

/// The broker config of this name.
pub fn broker_key(name: &str) -> Option<&'static BrokerKey> {
    BROKER_KEYS.iter().find(|key| key.name == name)
}

pub(crate) fn topic_default(name: &str) -> Option<&'static str> {
    topic_key(name).map(|key| key.default)
}

/// The type of the throttle rates, which DescribeConfigs shows only when they are set.
pub fn throttle_kind(name: &str) -> Option<Kind> {
    [LEADER_RATE, FOLLOWER_RATE, LOG_DIR_RATE].contains(&name).then_some(Kind::Long)
}

/// Whether this value can be stored under this key; else what Kafka says.
///
/// # Errors
/// If it cannot.
pub fn check(key: &str, kind: Kind, value: &str) -> Result<(), String> {
    let number = |good: bool, what: &str| {
        if good {
            Ok(())
        } else {
            Err(format!("Invalid value {value} for configuration {key}: Not a number of type {what}"))
        }
    };
    match kind {
        _ if throttle_kind(key).is_some() => match value.trim().parse::<i64>() {
            Ok(0..) => Ok(()),
            Ok(_) => Err(format!("Invalid value {value} for configuration {key}: Value must be at least 0")),
            Err(_) => number(false, "LONG"),
        },
        Kind::List if key == LEADER_LIST || key == FOLLOWER_LIST => throttled_list(key, value),
        Kind::Boolean => match value.trim().to_ascii_lowercase().as_str() {
            "true" | "false" => Ok(()),
            _ => Err(format!(
                "Invalid value {value} for configuration {key}: Expected value to be either true or false"
            )),
        },
        Kind::Int => number(value.trim().parse::<i32>().is_ok(), "INT"),
        Kind::Short => number(value.trim().parse::<i16>().is_ok(), "SHORT"),
        Kind::Long => number(value.trim().parse::<i64>().is_ok(), "LONG"),
        Kind::Double => number(value.trim().parse::<f64>().is_ok(), "DOUBLE"),
        Kind::Text | Kind::List | Kind::Class => Ok(()),
    }
}

/// `*` alone, or `partition:broker` items; empty items are legal.
fn throttled_list(key: &str, value: &str) -> Result<(), String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let item = |text: &str| {
        let text = text.trim();
        text.is_empty() || text.split_once(':').is_some_and(|(p, b)| digits(p) && digits(b))
    };
    if value.trim() == "*" || value.split(',').all(item) {
        return Ok(());
    }
    Err(format!(
        "Invalid value [{value}] for configuration {key}: {key} must be the literal '*' or a list of replicas in \
         the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."
    ))
}
