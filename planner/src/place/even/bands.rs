//! Between what each broker is to end.

use super::Load;
use crate::model::capacity::Resource;
use crate::plan::Measure;

/// Position of each measure of replicas in a [`Load`].
pub(super) const MEASURES: [Measure; 3] = [Measure::Replicas, Measure::Bytes, Measure::WriteRate];
/// What a fair share of each is in proportion to.
pub(super) const RESOURCES: [Resource; 3] = [Resource::Replicas, Resource::Disk, Resource::Network];
pub(super) const REPLICAS: usize = 0;
pub(super) const BYTES: usize = 1;
pub(super) const RATE: usize = 2;

/// Bytes that a move without bytes counts as, in fair shares: gains are compared per byte.
pub(super) const LEAST_COST: f64 = 1e-7;
/// A gain in fair shares that is less is rounding: a byte of 100 TB.
pub(super) const LEAST_GAIN: f64 = 1e-14;

/// Between what a broker is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Band {
    pub low: Load,
    pub high: Load,
    /// The fair share, at least 1.
    pub fair: Load,
}

impl Band {
    /// No limits.
    pub const FREE: Band = Band { low: [0; 3], high: [u64::MAX; 3], fair: [1; 3] };
}
