//! What one simulation is given.

use std::sync::Arc;

use crate::cluster::ClusterSpec;
use crate::lifecycle::SpotSpec;
use crate::place::SchedulerProfile;
use crate::place::ecs::{Constraint, PlacementStrategy};
use crate::scale::cluster_autoscaler;
use crate::scale::ecs_capacity::{ManagedScaling, StrategyItem};
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
    /// Its further profiles: a class of profile n > 0 is placed by number n - 1.
    pub other_profiles: Vec<SchedulerProfile>,
    /// The Cluster Autoscaler, where a pool has one.
    pub autoscaler: Option<cluster_autoscaler::Config>,
    /// Spot interruptions.
    pub spot: SpotSpec,
    /// Amazon ECS in place of Kubernetes: the scheduler has no effect then.
    pub ecs: Option<Ecs>,
}

impl Setup {
    /// All profiles of the scheduler, by the number that classes have.
    #[must_use]
    pub fn profiles(&self) -> Vec<SchedulerProfile> {
        std::iter::once(&self.scheduler).chain(&self.other_profiles).cloned().collect()
    }
}

/// What Amazon ECS is told. A capacity provider is numbered as its pool; those
/// of Fargate follow the pools of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ecs {
    /// By workload.
    pub workloads: Vec<EcsWorkload>,
    /// Managed scaling of each pool of nodes that has it.
    pub scaling: Vec<Option<ManagedScaling>>,
    /// `ECS_ENABLE_SPOT_INSTANCE_DRAINING`.
    pub spot_instance_draining: bool,
    /// Waiting tasks that managed scaling counts, the oldest first.
    pub provisioning_limit: u32,
    /// Whether tasks share the ports of their instance (bridge and host mode).
    pub shared_ports: bool,
    /// Version of the agent on every instance, where it is stated.
    pub agent_version: Option<Vec<u64>>,
}

/// How ECS treats the tasks of one workload; of daemons only the constraints
/// mean anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EcsWorkload {
    /// Where a task goes.
    pub strategy: PlacementStrategy,
    /// Whether the strategy is what ECS does without one.
    pub default_strategy: bool,
    /// Which capacity providers; none is launch type EC2.
    pub providers: Vec<StrategyItem>,
    /// Where a task may go at all.
    pub constraints: Vec<Constraint>,
}
