//! What a cluster under test should be.

use crate::secured::Kind;
use std::collections::BTreeMap;
use std::time::Duration;

/// A cluster to start: one KRaft controller or one ZooKeeper (node [`CONTROLLER`](crate::CONTROLLER)) and these brokers.
///
/// In every value `{id}`, `{host}`, `{port}` (the PLAINTEXT listener), `{extra}` (a second free port of that node, for a
/// TLS or SASL listener) and `{dir}` (the node's own directory) are filled in.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// A release that has a `testdata/kafka/RELEASE/pom.xml`; with `-zk` behind it, that release with ZooKeeper.
    pub version: String,
    /// The brokers.
    pub brokers: Vec<BrokerSpec>,
    /// Extra properties of the controller, or of ZooKeeper.
    pub controller_properties: Vec<(String, String)>,
    /// Extra properties of every broker.
    pub properties: Vec<(String, String)>,
    /// Extra arguments of `StorageTool format`, for example `--add-scram …` or `-r 3.7-IV4`.
    pub format: Vec<String>,
    /// Heap of each node in MiB; 320 without it.
    pub heap_mb: Option<u32>,
    /// The listeners of every broker beside PLAINTEXT; only with KRaft.
    pub secured: Vec<Kind>,
}

/// Heap of a node in MiB: enough for some hundred partitions.
pub(crate) const HEAP_MB: u32 = 320;

/// One broker of a [`Spec`].
#[derive(Debug, Clone, Default)]
pub struct BrokerSpec {
    /// `node.id`.
    pub id: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Extra properties of this broker; they win over all others.
    pub properties: Vec<(String, String)>,
}

impl Spec {
    /// Brokers with their racks, and nothing else out of the ordinary.
    #[must_use]
    pub fn with_brokers(version: &str, brokers: &[(i32, &str)]) -> Spec {
        let brokers = brokers
            .iter()
            .map(|&(id, rack)| BrokerSpec { id, rack: Some(rack.to_owned()), properties: Vec::new() })
            .collect();
        Spec { version: version.to_owned(), brokers, ..Spec::default() }
    }

    /// Six brokers in two zones: 1, 2 (old) and 4, 5 (new) in `az-a`; 3 (old) and 6 (new) in `az-b`.
    #[must_use]
    pub fn two_az(version: &str) -> Spec {
        let brokers = [(1, "az-a"), (2, "az-a"), (3, "az-b"), (4, "az-a"), (5, "az-a"), (6, "az-b")];
        Spec::with_brokers(version, &brokers)
    }

    /// What keeps the metadata.
    pub(crate) fn mode(&self) -> Mode {
        if self.version.ends_with(ZOOKEEPER_SUFFIX) { Mode::ZooKeeper } else { Mode::KRaft }
    }

    /// The release of Kafka, without the mode.
    pub(crate) fn release(&self) -> &str {
        self.version.strip_suffix(ZOOKEEPER_SUFFIX).unwrap_or(&self.version)
    }

    /// Gives each node this much heap: a thousand partitions on a broker take some 30 MiB.
    #[must_use]
    pub fn heap_mb(mut self, heap_mb: u32) -> Spec {
        self.heap_mb = Some(heap_mb);
        self
    }

    /// Adds a property to every broker.
    #[must_use]
    pub fn property(mut self, key: &str, value: &str) -> Spec {
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Gives every broker these listeners beside PLAINTEXT, with certificates, passwords and a token endpoint as they
    /// need them. Short sessions come with `.property("connections.max.reauth.ms", "10000")`.
    #[must_use]
    pub fn secured(mut self, kinds: &[Kind]) -> Spec {
        self.secured = kinds.to_vec();
        self
    }

    /// Lets `StandardAuthorizer` decide who may do what. These may do everything, and so may whoever has not logged in:
    /// the nodes themselves and all clients on PLAINTEXT and on [`Kind::Ssl`].
    #[must_use]
    pub fn authorized(mut self, super_users: &[&str]) -> Spec {
        let users = [&["User:ANONYMOUS"], super_users].concat().join(";");
        let authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
        for (key, value) in [("authorizer.class.name", authorizer), ("super.users", &users)] {
            self.controller_properties.push((key.to_owned(), value.to_owned()));
            self.properties.push((key.to_owned(), value.to_owned()));
        }
        self
    }
}

const ZOOKEEPER_SUFFIX: &str = "-zk";

/// What keeps a cluster's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A quorum of controllers; here it is one, node 100.
    KRaft,
    /// ZooKeeper, node 100; one of the brokers is the controller.
    ZooKeeper,
}

/// Where one node lives.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) id: i32,
    pub(crate) port: u16,
    pub(crate) extra: u16,
    /// The ports of [`Spec::secured`].
    pub(crate) secured: BTreeMap<Kind, u16>,
    pub(crate) dir: String,
}

/// The host of every listener.
pub(crate) const HOST: &str = "127.0.0.1";

/// What every Kafka process has; short times, so that tests of failures end soon.
const COMMON: &[(&str, &str)] = &[
    ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
    ("num.network.threads", "1"),
    ("num.io.threads", "2"),
    ("background.threads", "2"),
];

/// What every broker has.
const BROKER: &[(&str, &str)] = &[
    ("listeners", "PLAINTEXT://{host}:{port}"),
    ("advertised.listeners", "PLAINTEXT://{host}:{port}"),
    ("inter.broker.listener.name", "PLAINTEXT"),
    ("log.dirs", "{dir}/a,{dir}/b"),
    ("log.cleaner.dedupe.buffer.size", "4194304"),
    ("offsets.topic.num.partitions", "3"),
    ("offsets.topic.replication.factor", "2"),
    ("transaction.state.log.num.partitions", "3"),
    ("transaction.state.log.replication.factor", "2"),
    ("transaction.state.log.min.isr", "1"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("auto.create.topics.enable", "false"),
    ("auto.leader.rebalance.enable", "false"),
    ("replica.fetch.backoff.ms", "100"),
    ("replica.lag.time.max.ms", "2000"),
];

/// What every node of a KRaft cluster has. Only the controller's session timeout fences.
const KRAFT: &[(&str, &str)] = &[
    ("controller.listener.names", "CONTROLLER"),
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "300"),
];

/// What a KRaft controller has.
const CONTROLLER_ONLY: &[(&str, &str)] =
    &[("process.roles", "controller"), ("listeners", "CONTROLLER://{host}:{port}"), ("log.dirs", "{dir}/a")];

/// What the brokers of a ZooKeeper cluster have.
const WITH_ZOOKEEPER: &[(&str, &str)] =
    &[("zookeeper.session.timeout.ms", "6000"), ("zookeeper.connection.timeout.ms", "60000")];

/// How long ZooKeeper keeps the registration of a broker that was killed.
pub(crate) const ZOOKEEPER_SESSION: Duration = Duration::from_secs(6);

/// What ZooKeeper has (`zoo.cfg`). Sessions last from 2 to 20 ticks.
const ZOOKEEPER: &[(&str, &str)] = &[
    ("dataDir", "{dir}/a"),
    ("clientPort", "{port}"),
    ("clientPortAddress", "{host}"),
    ("tickTime", "1000"),
    ("maxClientCnxns", "0"),
    ("admin.enableServer", "false"),
];

type Properties = BTreeMap<String, String>;

/// The server.properties (or zoo.cfg) of one node: defaults, then each list in turn, later ones winning.
pub(crate) fn properties(
    mode: Mode,
    place: &Place,
    controller: &Place,
    rack: Option<&str>,
    more: &[&[(String, String)]],
) -> String {
    let mut all = defaults(mode, place, controller);
    if let Some(rack) = rack {
        all.insert("broker.rack".to_owned(), rack.to_owned());
    }
    for list in more {
        all.extend(list.iter().cloned());
    }
    let filled = |value: &str| {
        value
            .replace("{id}", &place.id.to_string())
            .replace("{host}", HOST)
            .replace("{port}", &place.port.to_string())
            .replace("{extra}", &place.extra.to_string())
            .replace("{dir}", &place.dir)
    };
    // A properties file reads a backslash as an escape and a line end as the end of a value.
    let line = |(key, value): (&String, &String)| {
        format!("{key}={}\n", filled(value).replace('\\', "\\\\").replace('\n', "\\n"))
    };
    all.iter().map(line).collect()
}

fn defaults(mode: Mode, place: &Place, controller: &Place) -> Properties {
    let is_controller = place.id == controller.id;
    let lists: &[&[(&str, &str)]] = match (mode, is_controller) {
        (Mode::KRaft, true) => &[COMMON, KRAFT, CONTROLLER_ONLY],
        (Mode::KRaft, false) => &[COMMON, KRAFT, BROKER, &[("process.roles", "broker")]],
        (Mode::ZooKeeper, true) => &[ZOOKEEPER],
        (Mode::ZooKeeper, false) => &[COMMON, BROKER, WITH_ZOOKEEPER],
    };
    let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
    let mut all: Properties = lists.iter().flat_map(|list| list.iter().map(own)).collect();
    let (id, port) = (controller.id, controller.port);
    match mode {
        Mode::KRaft => {
            all.insert("node.id".to_owned(), place.id.to_string());
            all.insert("controller.quorum.voters".to_owned(), format!("{id}@{HOST}:{port}"));
        }
        Mode::ZooKeeper if !is_controller => {
            all.insert("broker.id".to_owned(), place.id.to_string());
            all.insert("zookeeper.connect".to_owned(), format!("{HOST}:{port}"));
        }
        Mode::ZooKeeper => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: i32, port: u16) -> Place {
        Place { id, port, extra: port + 1, secured: BTreeMap::new(), dir: format!("/d/{id}") }
    }

    #[test]
    fn later_properties_win_and_places_are_filled_in() {
        let mine = [
            ("num.io.threads".to_owned(), "9".to_owned()),
            ("x".to_owned(), "{host}:{extra}\nline".to_owned()),
        ];
        let text = properties(Mode::KRaft, &place(1, 20_000), &place(100, 20_010), Some("az-a"), &[&mine]);
        assert!(text.contains("node.id=1\n"), "{text}");
        assert!(text.contains("broker.rack=az-a\n"));
        assert!(text.contains("log.dirs=/d/1/a,/d/1/b\n"));
        assert!(text.contains("controller.quorum.voters=100@127.0.0.1:20010\n"));
        assert!(text.contains("num.io.threads=9\n"));
        assert!(text.contains("x=127.0.0.1:20001\\nline\n"));
    }

    #[test]
    fn a_version_with_zk_behind_it_is_that_release_with_zookeeper() {
        let spec = Spec::two_az("3.9.2-zk");
        assert_eq!((spec.mode(), spec.release()), (Mode::ZooKeeper, "3.9.2"));
        let text = properties(spec.mode(), &place(1, 20_000), &place(100, 20_010), Some("az-a"), &[]);
        assert!(text.contains("broker.id=1\n") && text.contains("zookeeper.connect=127.0.0.1:20010\n"));
        for kraft in ["node.id", "process.roles", "quorum", "controller.listener"] {
            assert!(!text.contains(kraft), "{kraft}");
        }
        let text = properties(spec.mode(), &place(100, 20_010), &place(100, 20_010), None, &[]);
        assert!(text.contains("clientPort=20010\n") && text.contains("dataDir=/d/100/a\n"), "{text}");
    }
}
