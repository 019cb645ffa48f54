//! What a cluster is made of before it runs: node shapes, offers, pools.
//!
//! Plain data that `plan` fills from the scenario and the catalog. Prices
//! appear only as opaque numbers to rank by; nothing here is billed.

use super::market::SpotPool;
use crate::rng::Distribution;
use crate::units::{Bytes, MilliCpu, Rate, SimDuration};
use crate::workload::pod_match::PodMatch;
use crate::workload::{Taint, id};

id! {
    /// Index into [`ClusterSpec::shapes`].
    ShapeId,
    /// Index into [`ClusterSpec::pools`].
    PoolId,
    /// Index into [`ClusterSpec::zones`].
    ZoneId,
}

/// An amount of everything a node has or offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Cpu.
    pub cpu: MilliCpu,
    /// Memory.
    pub memory: Bytes,
    /// Pods.
    pub pods: u32,
    /// Extended resources, by `ExtendedId`; one entry per name of the run.
    pub extended: Vec<i64>,
}

/// A kind of node: an instance type, or a custom shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeShape {
    /// Instance type or the custom shape's name.
    pub name: String,
    /// What the operating system sees.
    pub capacity: Capacity,
    /// What pods may request: capacity minus kube and system reserve.
    pub allocatable: Capacity,
    /// Advertised memory: what an autoscaler's template from the type list
    /// believes before it has seen a node.
    pub nominal_memory: Bytes,
}

/// How a node is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purchase {
    /// Stays until terminated.
    OnDemand,
    /// May be reclaimed.
    Spot,
}

impl Purchase {
    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Purchase::OnDemand => "on-demand",
            Purchase::Spot => "spot",
        }
    }
}

/// A (shape, zone, purchase) that can be launched, with what policies rank by.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// What.
    pub shape: ShapeId,
    /// Where.
    pub zone: ZoneId,
    /// How bought.
    pub purchase: Purchase,
    /// Price that policies compare; commitments never enter here. Of a Spot
    /// pool whose price moves: that at the start of the run.
    pub hourly: Rate,
    /// Reclaims per running hour; 0 for On-Demand.
    pub hazard_per_hour: f64,
    /// Labels such a node carries by itself (type, zone, architecture, capacity
    /// type), beside its pool's.
    pub labels: Vec<(String, String)>,
}

/// How an Auto Scaling group picks among Spot offers (EC2 Auto Scaling's own
/// names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpotAllocation {
    /// The cheapest offer.
    #[default]
    LowestPrice,
    /// The offer least often reclaimed, then the cheapest.
    CapacityOptimized,
    /// Among the third least often reclaimed, the cheapest.
    PriceCapacityOptimized,
}

/// How a pool gets its nodes.
#[derive(Debug, Clone, PartialEq)]
pub enum PoolKind {
    /// A constant number of nodes, ready from the start; a reclaimed one is
    /// replaced.
    Fixed {
        /// How many.
        count: u32,
    },
    /// An Auto Scaling group.
    AutoScalingGroup {
        /// Fewest nodes; also the number ready at the start.
        min: u32,
        /// Most nodes.
        max: u32,
        /// Whether the Cluster Autoscaler moves its desired size.
        autoscaled: bool,
    },
}

impl PoolKind {
    /// Whether the pool can ever have a node.
    #[must_use]
    pub fn can_have_nodes(&self) -> bool {
        match self {
            PoolKind::Fixed { count } => *count > 0,
            PoolKind::AutoScalingGroup { min, max, autoscaled } => {
                *min > 0 || (*autoscaled && *max > 0)
            }
        }
    }
}

/// Nodes bought and scaled alike.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolSpec {
    /// Its name in the scenario.
    pub name: String,
    /// How it gets nodes.
    pub kind: PoolKind,
    /// What it may launch; On-Demand offers in the order of preference.
    pub offers: Vec<Offer>,
    /// Nodes of the pool that are On-Demand before Spot is used.
    pub on_demand_base: u32,
    /// Of the nodes above the base, so many in a hundred are On-Demand, rounded
    /// up; the others are Spot.
    pub on_demand_percentage_above_base: u8,
    /// How a Spot offer is chosen.
    pub spot_allocation: SpotAllocation,
    /// Labels beyond the well-known ones, sorted by key.
    pub labels: Vec<(String, String)>,
    /// Taints of its nodes.
    pub taints: Vec<Taint>,
    /// Desired size raised → instance running, milliseconds.
    pub launch: Distribution,
    /// Instance running → node Ready, milliseconds.
    pub ready: Distribution,
}

/// Fargate as a pool: every matched pod gets a machine of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct FargateSpec {
    /// Its name in the scenario.
    pub name: String,
    /// Which pods go there; the first match at submission is final. Labels of
    /// pods that name a profile are accounted for.
    pub selectors: Vec<PodMatch>,
    /// Sizes that can be bought, the cheapest first: a pod gets the first that
    /// holds it. A pod that none holds is rejected and counted.
    pub sizes: Vec<FargateSize>,
    /// Memory added to every pod's request before rounding up (256 MiB on EKS).
    pub overhead_memory: Bytes,
    /// Launch admitted → machine Ready: image pull and billing start, milliseconds.
    pub start_latency: Distribution,
    /// Launch bucket: tokens at most.
    pub launch_burst: u32,
    /// Launch bucket: tokens per second.
    pub launch_per_second: u32,
    /// How long a completed Job pod stays, and bills, before it is removed.
    pub job_retention: SimDuration,
    /// Requests that sidecars add to every pod, for the waterfall.
    pub sidecar_cpu: MilliCpu,
    /// As `sidecar_cpu`.
    pub sidecar_memory: Bytes,
    /// Interruptions per running hour; 0 unless it is Fargate Spot.
    pub hazard_per_hour: f64,
}

/// One billed Fargate size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FargateSize {
    /// Billed cpu.
    pub cpu: MilliCpu,
    /// Billed memory.
    pub memory: Bytes,
}

/// A node of a fixed pool that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its pool.
    pub pool: PoolId,
    /// What it is, as an index into the pool's offers.
    pub offer: u32,
}

/// A cluster before it runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterSpec {
    /// Node shapes.
    pub shapes: Vec<NodeShape>,
    /// Zone names.
    pub zones: Vec<String>,
    /// Pools of nodes.
    pub pools: Vec<PoolSpec>,
    /// Nodes with names, pool by pool: the first nodes of their pools.
    pub members: Vec<Member>,
    /// Fargate pools, in the order in which they are matched.
    pub fargate: Vec<FargateSpec>,
    /// Spot pools whose prices move; those of others are those of the offers.
    pub spot_pools: Vec<SpotPool>,
}

impl ClusterSpec {
    /// The Fargate pool that takes pods of this workload and namespace.
    #[must_use]
    pub fn fargate_of(&self, workload: &str, namespace: &str) -> Option<usize> {
        self.fargate.iter().position(|f| f.selectors.iter().any(|s| s.matches(workload, namespace)))
    }
}
