//! What brokers run on.

/// A kind of machine. A number that nobody told is `None`, never zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeType {
    /// Its name, as in `r6g.large`.
    pub name: String,
    /// Bytes of its disks.
    pub disk_bytes: Option<u64>,
    /// Bytes/s of its network, each direction.
    pub network_bytes_per_second: Option<u64>,
    /// Replicas that one broker may hold.
    pub replicas: Option<u32>,
    /// What one costs in a month, in hundredths of the currency.
    pub price_per_month: Option<u64>,
}
