//! What one simulation is given.

use std::sync::Arc;

use crate::cluster::ClusterSpec;
use crate::lifecycle::SpotSpec;
use crate::place::SchedulerProfile;
use crate::scale::cluster_autoscaler;
use crate::units::SimTime;

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// When all batch work is done and removed.
    UntilIdle,
    /// At this time.
    At(SimTime),
}

/// Everything but the workloads and the seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Unix time of the start of the run, milliseconds.
    pub start_unix_ms: i64,
    /// When it ends.
    pub horizon: Horizon,
    /// Nothing before this is billed, and no pod submitted before it counts in
    /// waits. Counts of pods and nodes cover the whole run.
    pub warmup: SimTime,
    /// The cluster.
    pub cluster: Arc<ClusterSpec>,
    /// The scheduler.
    pub scheduler: SchedulerProfile,
    /// The Cluster Autoscaler, where a pool has one.
    pub autoscaler: Option<cluster_autoscaler::Config>,
    /// Spot interruptions.
    pub spot: SpotSpec,
}
