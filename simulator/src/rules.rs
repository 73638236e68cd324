//! What differs between Kafka versions. No other file compares versions.
//!
//! One field per difference that was measured on released brokers (`testdata/conformance/records`). A version with
//! `-zk` behind it is that release with ZooKeeper: further values of the same fields.

use std::time::Duration;

use crate::code::Code;

/// When a reassignment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Completion {
    /// Every adding replica is in the ISR and one kept replica is.
    AddingInIsr,
    /// Every target replica is in the ISR.
    TargetInIsr,
    /// Every adding replica is in the ISR; and the whole target, where more replicas go than come.
    AddingInIsrTargetIfShrinking,
}

/// What a reassignment is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Base {
    /// The whole present list, replicas that are being added included (KRaft): cases B, C and D follow from this.
    /// What goes is sorted by id, so that a cancel does not restore the order (case A).
    Present,
    /// The replicas from before the reassignment that is in flight, in their order (ZooKeeper). A cancel is a
    /// reassignment to them, whoever of them lives.
    Originals,
}

/// A range of versions of one API, as a broker advertises it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versions {
    /// The API's number.
    pub api: Api,
    /// The lowest version.
    pub min: i16,
    /// The highest version.
    pub max: i16,
}

/// The APIs that simulated brokers answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Api {
    /// Log end offsets and high watermarks.
    ListOffsets = 2,
    /// Brokers, topics, partitions.
    Metadata = 3,
    /// Which versions a broker speaks.
    ApiVersions = 18,
    /// New topics.
    CreateTopics = 19,
    /// Topics that go.
    DeleteTopics = 20,
    /// Configs of topics and brokers.
    DescribeConfigs = 32,
    /// Bytes on disk.
    DescribeLogDirs = 35,
    /// More partitions.
    CreatePartitions = 37,
    /// Leader elections.
    ElectLeaders = 43,
    /// Changes of configs.
    IncrementalAlterConfigs = 44,
    /// Reassignments, and their cancellation.
    AlterPartitionReassignments = 45,
    /// What is in flight.
    ListPartitionReassignments = 46,
    /// The metadata quorum.
    DescribeQuorum = 55,
    /// The brokers.
    DescribeCluster = 60,
}

impl Api {
    /// All of them, by number.
    pub const ALL: [Api; 14] = [
        Api::ListOffsets,
        Api::Metadata,
        Api::ApiVersions,
        Api::CreateTopics,
        Api::DeleteTopics,
        Api::DescribeConfigs,
        Api::DescribeLogDirs,
        Api::CreatePartitions,
        Api::ElectLeaders,
        Api::IncrementalAlterConfigs,
        Api::AlterPartitionReassignments,
        Api::ListPartitionReassignments,
        Api::DescribeQuorum,
        Api::DescribeCluster,
    ];

    /// The number on the wire.
    pub fn key(self) -> i16 {
        self as i16
    }

    /// The API with this number.
    pub fn of(key: i16) -> Option<Api> {
        Api::ALL.into_iter().find(|api| api.key() == key)
    }

    /// Whether the broker that gets it asks the controller.
    pub fn is_forwarded(self) -> bool {
        matches!(
            self,
            Api::CreateTopics
                | Api::DeleteTopics
                | Api::CreatePartitions
                | Api::ElectLeaders
                | Api::IncrementalAlterConfigs
                | Api::AlterPartitionReassignments
                | Api::ListPartitionReassignments
                | Api::DescribeQuorum
        )
    }
}

/// How a cluster of one Kafka version behaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The version that these are the rules of.
    pub version: &'static str,
    /// The finalized feature `metadata.version`; none with ZooKeeper.
    pub metadata_version: Option<i16>,
    /// Whether every broker forwards to the controller (KRaft). With ZooKeeper one of the brokers is the
    /// controller, metadata names it, and the others answer NOT_CONTROLLER.
    pub forwards: bool,
    /// What a reassignment is compared with (cases A to E).
    pub base: Base,
    /// Whether a replica on a dead broker may be added (case G).
    pub adds_dead_replicas: bool,
    /// Whether the first of a partition's items in one request wins, and each is answered; else the last, alone.
    pub first_item_wins: bool,
    /// Whether a topic may grow, with the replicas of the union, while a reassignment of it is in flight (case M).
    pub grows_in_flight: bool,
    /// Whether an AlterPartitionReassignments with a timeout of 0 is refused; else it is carried out.
    pub alter_heeds_timeout: bool,
    /// Whether creations and deletions with a timeout of 0 are carried out, though answered REQUEST_TIMED_OUT.
    pub late_is_done: bool,
    /// What answers an APPEND to a key of a broker that is no config of the server: the rates.
    pub append_to_rate: Code,
    /// Whether a topic may be created with replicas on brokers that are dead, or that nobody knows.
    pub creates_on_dead_brokers: bool,
    /// Whether an APPEND drops what its own value repeats.
    pub appends_once: bool,
    /// Whether a broker changes configs as it has read them before: of concurrent changes some are lost.
    pub loses_concurrent_changes: bool,
    /// Whether an election of everything names the topics where nothing was to do.
    pub elections_name_all_topics: bool,
    /// How long the controller takes for each partition of an AlterPartitionReassignments.
    pub alter_takes: Duration,
    /// When a reassignment ends (cases D, F, R).
    pub completion: Completion,
    /// Eligible leader replicas (KIP-966): the ISR may become empty, and `min.insync.replicas` is a
    /// dynamic default of the cluster.
    pub eligible_leader_replicas: bool,
    /// What answers an APPEND that grows a stored value past 32,767 bytes. Where it is taken, it cannot be described.
    pub oversized_append: Code,
    /// Whether ListOffsets refuses special timestamps that are newer than the request's version.
    pub refuses_unknown_timestamps: bool,
    /// Most records that one request may write.
    pub max_records: usize,
    /// What its brokers advertise.
    pub versions: Vec<Versions>,
}

/// A version that has no rules here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no rules for Kafka {found:?}; there are rules for {}", Rules::KNOWN.join(", "))]
pub struct UnknownVersion {
    /// What was asked for.
    pub found: String,
}

impl Rules {
    /// The versions that have rules, oldest first.
    pub const KNOWN: [&'static str; 5] = ["3.7.2", "3.9.2", "3.9.2-zk", "4.0.2", "4.3.1"];

    /// The rules of a Kafka version; `-zk` behind it is that version with ZooKeeper.
    ///
    /// # Errors
    /// If there are none for it.
    pub fn of(version: &str) -> Result<Rules, UnknownVersion> {
        Ok(match version {
            "3.7.2" => Rules {
                metadata_version: Some(19),
                completion: Completion::AddingInIsr,
                refuses_unknown_timestamps: false,
                versions: versions(&Tops { quorum: Some(1), ..OLD }),
                ..kraft("3.7.2")
            },
            "3.9.2" => Rules {
                metadata_version: Some(21),
                versions: versions(&Tops { api_versions: 4, offsets: 9, ..OLD }),
                ..kraft("3.9.2")
            },
            "3.9.2-zk" => Rules {
                versions: versions(&Tops { api_versions: 4, offsets: 9, quorum: None, ..OLD }),
                ..zookeeper("3.9.2-zk")
            },
            "4.0.2" => Rules { metadata_version: Some(25), ..kraft("4.0.2") },
            "4.3.1" => Rules {
                metadata_version: Some(30),
                completion: Completion::AddingInIsrTargetIfShrinking,
                eligible_leader_replicas: true,
                oversized_append: Code::InvalidConfig,
                append_to_rate: Code::InvalidConfig,
                // Real brokers go to ListOffsets v11 and DescribeLogDirs v5: the protocol crate (0.18) cannot answer
                // those, and what is advertised must be spoken.
                versions: versions(&Tops { alter: 1, ..NEW }),
                ..kraft("4.3.1")
            },
            other => return Err(UnknownVersion { found: other.to_owned() }),
        })
    }

    /// The range that a broker advertises for an API.
    pub fn range(&self, api: Api) -> Option<Versions> {
        self.versions.iter().copied().find(|range| range.api == api)
    }

    /// Whether a broker speaks this version of the API.
    pub fn speaks(&self, api: Api, version: i16) -> bool {
        self.range(api).is_some_and(|range| (range.min..=range.max).contains(&version))
    }
}

/// KRaft as most versions have it.
fn kraft(version: &'static str) -> Rules {
    Rules {
        version,
        metadata_version: None,
        forwards: true,
        base: Base::Present,
        adds_dead_replicas: true,
        first_item_wins: true,
        grows_in_flight: true,
        alter_heeds_timeout: true,
        late_is_done: false,
        append_to_rate: Code::UnknownServerError,
        creates_on_dead_brokers: false,
        appends_once: true,
        loses_concurrent_changes: false,
        elections_name_all_topics: true,
        alter_takes: Duration::from_micros(200),
        completion: Completion::TargetInIsr,
        eligible_leader_replicas: false,
        oversized_append: Code::UnknownServerError,
        refuses_unknown_timestamps: true,
        max_records: 10_000,
        versions: versions(&NEW),
    }
}

/// A release with ZooKeeper.
fn zookeeper(version: &'static str) -> Rules {
    Rules {
        forwards: false,
        base: Base::Originals,
        adds_dead_replicas: false,
        first_item_wins: false,
        grows_in_flight: false,
        alter_heeds_timeout: false,
        late_is_done: true,
        creates_on_dead_brokers: true,
        appends_once: false,
        loses_concurrent_changes: true,
        elections_name_all_topics: false,
        alter_takes: Duration::from_millis(10),
        oversized_append: Code::None,
        max_records: usize::MAX,
        ..kraft(version)
    }
}

/// The highest versions; `raised` is whether the lowest ones were raised (KIP-896).
struct Tops {
    api_versions: i16,
    metadata: i16,
    cluster: i16,
    offsets: i16,
    log_dirs: i16,
    alter: i16,
    /// Absent with ZooKeeper.
    quorum: Option<i16>,
    raised: bool,
}

const OLD: Tops = Tops {
    api_versions: 3,
    metadata: 12,
    cluster: 1,
    offsets: 8,
    log_dirs: 4,
    alter: 0,
    quorum: Some(2),
    raised: false,
};
const NEW: Tops = Tops {
    api_versions: 4,
    metadata: 13,
    cluster: 2,
    offsets: 10,
    log_dirs: 4,
    alter: 0,
    quorum: Some(2),
    raised: true,
};

fn versions(tops: &Tops) -> Vec<Versions> {
    let raised = |to: i16| if tops.raised { to } else { 0 };
    let range = |api, min, max| Versions { api, min, max };
    let mut all = vec![
        range(Api::ListOffsets, raised(1), tops.offsets),
        range(Api::Metadata, 0, tops.metadata),
        range(Api::ApiVersions, 0, tops.api_versions),
        range(Api::CreateTopics, raised(2), 7),
        range(Api::DeleteTopics, raised(1), 6),
        range(Api::DescribeConfigs, raised(1), 4),
        range(Api::DescribeLogDirs, raised(1), tops.log_dirs),
        range(Api::CreatePartitions, 0, 3),
        range(Api::ElectLeaders, 0, 2),
        range(Api::IncrementalAlterConfigs, 0, 1),
        range(Api::AlterPartitionReassignments, 0, tops.alter),
        range(Api::ListPartitionReassignments, 0, 0),
        range(Api::DescribeCluster, 0, tops.cluster),
    ];
    all.extend(tops.quorum.map(|max| range(Api::DescribeQuorum, 0, max)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_version_has_rules_and_every_api_a_range() {
        for version in Rules::KNOWN {
            let rules = Rules::of(version).unwrap();
            assert_eq!(rules.version, version);
            for api in Api::ALL {
                let absent = api == Api::DescribeQuorum && !rules.forwards;
                assert_eq!(rules.range(api).is_none(), absent, "{version} {api:?}");
                assert_eq!(Api::of(api.key()), Some(api));
            }
        }
        assert!(Rules::of("2.4").unwrap_err().to_string().contains("4.3.1"));
    }
}
