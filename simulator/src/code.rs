//! Kafka's error codes, as far as the simulator answers them.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// An error code of the Kafka protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum Code {
            $($(#[$doc])* #[doc = $text] $name = $code,)*
        }

        impl Code {
            /// The name that Kafka gives to it.
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    UnknownServerError = -1, "UNKNOWN_SERVER_ERROR";
    None = 0, "NONE";
    UnknownTopicOrPartition = 3, "UNKNOWN_TOPIC_OR_PARTITION";
    LeaderNotAvailable = 5, "LEADER_NOT_AVAILABLE";
    NotLeaderOrFollower = 6, "NOT_LEADER_OR_FOLLOWER";
    RequestTimedOut = 7, "REQUEST_TIMED_OUT";
    BrokerNotAvailable = 8, "BROKER_NOT_AVAILABLE";
    InvalidTopic = 17, "INVALID_TOPIC_EXCEPTION";
    UnsupportedVersion = 35, "UNSUPPORTED_VERSION";
    TopicAlreadyExists = 36, "TOPIC_ALREADY_EXISTS";
    InvalidPartitions = 37, "INVALID_PARTITIONS";
    InvalidReplicationFactor = 38, "INVALID_REPLICATION_FACTOR";
    InvalidReplicaAssignment = 39, "INVALID_REPLICA_ASSIGNMENT";
    InvalidConfig = 40, "INVALID_CONFIG";
    NotController = 41, "NOT_CONTROLLER";
    InvalidRequest = 42, "INVALID_REQUEST";
    KafkaStorageError = 56, "KAFKA_STORAGE_ERROR";
    ReassignmentInProgress = 60, "REASSIGNMENT_IN_PROGRESS";
    FencedLeaderEpoch = 74, "FENCED_LEADER_EPOCH";
    UnknownLeaderEpoch = 75, "UNKNOWN_LEADER_EPOCH";
    PreferredLeaderNotAvailable = 80, "PREFERRED_LEADER_NOT_AVAILABLE";
    EligibleLeadersNotAvailable = 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE";
    ElectionNotNeeded = 84, "ELECTION_NOT_NEEDED";
    NoReassignmentInProgress = 85, "NO_REASSIGNMENT_IN_PROGRESS";
    UnknownTopicId = 100, "UNKNOWN_TOPIC_ID";
    BrokerIdNotRegistered = 102, "BROKER_ID_NOT_REGISTERED";
    IneligibleReplica = 107, "INELIGIBLE_REPLICA";
    MismatchedEndpointType = 114, "MISMATCHED_ENDPOINT_TYPE";
}

impl Code {
    /// The number on the wire.
    pub fn code(self) -> i16 {
        self as i16
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.code())
    }
}

/// Why one item of a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{code}{}", message.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
pub struct Refusal {
    /// The error code.
    pub code: Code,
    /// What Kafka says with it; some errors carry no message.
    pub message: Option<String>,
}

impl Refusal {
    /// A refusal with a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Refusal { code, message: Some(message.into()) }
    }

    /// A refusal without a message.
    pub fn bare(code: Code) -> Self {
        Refusal { code, message: None }
    }
}
