//! How one scheduler behaves: what of `KubeSchedulerConfiguration`
//! (`kubescheduler.config.k8s.io/v1`, 1.31) bears on where pods go.

use std::sync::Arc;

use super::queue::QueueProfile;
use crate::workload::ExtendedId;

/// The highest score of one plugin before its weight.
pub const MAX_NODE_SCORE: i64 = 100;
/// Weight of `TaintToleration` in the default profile.
pub const TAINT_WEIGHT: i64 = 3;

/// A corner of the shape of `RequestedToCapacityRatio`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapePoint {
    /// Percent of the allocatable amount, 0 to 100.
    pub utilization: i64,
    /// Score there, 0 to 10.
    pub score: i64,
}

/// The strategy of `NodeResourcesFit`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Scoring {
    /// Spreads: prefers the emptier node.
    #[default]
    LeastAllocated,
    /// Packs: prefers the fuller node.
    MostAllocated,
    /// By a piecewise linear function of the utilisation; corners in ascending
    /// utilisation, at least one.
    RequestedToCapacityRatio(Arc<[ShapePoint]>),
}

/// A resource that scores look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `cpu`.
    Cpu,
    /// `memory`.
    Memory,
    /// `ephemeral-storage`, which counts whether or not the pod asks for it.
    Storage(ExtendedId),
    /// Any other, which counts only for pods that ask for it.
    Extended(ExtendedId),
}

/// Constraints of pods that state none of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum DefaultSpread {
    /// `defaultingType: System`: soft, over nodes with a skew of 3 and zones
    /// with a skew of 5.
    #[default]
    System,
    /// `defaultingType: List`: these; none where empty.
    List(Arc<[DefaultConstraint]>),
}

/// One constraint of `defaultConstraints`; what it counts comes from the pod's
/// Services and owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefaultConstraint {
    /// `maxSkew`, at least 1.
    pub max_skew: i64,
    /// Label whose equal values make nodes one domain.
    pub topology_key: String,
    /// `DoNotSchedule`; otherwise `ScheduleAnyway`.
    pub hard: bool,
}

/// Weights of the score plugins; 0 disables one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PluginWeights {
    /// `TaintToleration`.
    pub taint_toleration: i64,
    /// `NodeAffinity`.
    pub node_affinity: i64,
    /// `PodTopologySpread`.
    pub topology_spread: i64,
    /// `InterPodAffinity`.
    pub pod_affinity: i64,
    /// `NodeResourcesFit`.
    pub resources_fit: i64,
    /// `NodeResourcesBalancedAllocation`.
    pub balanced_allocation: i64,
}

impl Default for PluginWeights {
    /// `apis/config/v1/default_plugins.go`, 1.31.
    fn default() -> Self {
        PluginWeights {
            taint_toleration: TAINT_WEIGHT,
            node_affinity: 2,
            topology_spread: 2,
            pod_affinity: 2,
            resources_fit: 1,
            balanced_allocation: 1,
        }
    }
}

/// How one scheduler behaves. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchedulerProfile {
    /// Strategy of `NodeResourcesFit`.
    pub scoring: Scoring,
    /// Resources of that strategy with their weights, each weight at least 1.
    pub resources: Arc<[(Resource, i64)]>,
    /// Weights of the score plugins.
    pub weights: PluginWeights,
    /// Constraints of pods that state none of their own.
    pub default_spread: DefaultSpread,
    /// Weight of other pods' required affinity (`hardPodAffinityWeight`).
    pub hard_pod_affinity_weight: i64,
    /// `percentageOfNodesToScore`; 0 adapts to the number of nodes.
    pub percentage_of_nodes_to_score: u8,
    /// Behaviour of the queue.
    pub queue: QueueProfile,
    /// Time one attempt takes, microseconds; `None` is none at all.
    pub service_time_us: Option<u64>,
}

impl Default for SchedulerProfile {
    fn default() -> Self {
        SchedulerProfile {
            scoring: Scoring::default(),
            resources: Arc::new([(Resource::Cpu, 1), (Resource::Memory, 1)]),
            weights: PluginWeights::default(),
            default_spread: DefaultSpread::default(),
            hard_pod_affinity_weight: 1,
            percentage_of_nodes_to_score: 0,
            queue: QueueProfile::default(),
            service_time_us: None,
        }
    }
}
