//! What is compared: nodes, a mix of pods, ways of buying either.

use crate::bill::PriceStatus;
use crate::catalog::{Arch, InstanceType};
use crate::cluster::FargateSize;
use crate::plan;
use crate::units::{Bytes, MilliCpu, Rate};

/// An amount of what a node has or pods ask for; a mean where several kinds
/// are mixed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amount {
    /// Milli-cores.
    pub cpu: f64,
    /// Bytes.
    pub memory: f64,
    /// Pods.
    pub pods: f64,
}

/// What a node offers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NodeOffer {
    /// vCPU and memory as advertised; pod slots.
    pub raw: Amount,
    /// What pods may request: less kubelet's and the system's reserve.
    pub allocatable: Amount,
    /// What `DaemonSet` pods take of it on every node.
    pub daemons: Amount,
}

/// One kind of pod of a mix.
#[derive(Debug, Clone, PartialEq)]
pub struct MixPod {
    /// What to call it; empty where its requests say enough.
    pub name: String,
    /// Its share of pod-hours among the mix, as a weight.
    pub weight: i128,
    /// Requests of one pod.
    pub cpu: MilliCpu,
    /// As `cpu`.
    pub memory: Bytes,
    /// The Fargate size that it is billed as.
    pub size: FargateSize,
}

/// A way of buying, with its price per node-hour or per pod-hour of the mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// Its name in results: `on-demand`, `spot`, `compute-sp-1y`.
    pub option: String,
    /// The commitment whose rates these are. Both sides of a comparison are
    /// priced under the same one, or Fargate at its own list price.
    pub plan: Option<String>,
    /// Everything that an hour of it costs.
    pub per_hour: Rate,
    /// The parts of `per_hour` by name; they sum to it.
    pub parts: Vec<(String, Rate)>,
    /// The weakest status among its prices.
    pub status: PriceStatus,
}

/// How a pool is run now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredPacking {
    /// Mean number of pods on a node while it is paid for.
    pub pods_per_node: f64,
    /// Metered node-hours.
    pub node_hours: f64,
}

/// What the figures of a comparison do not say by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caveat {
    /// Machines of this type are arm64; Fargate on EKS is amd64 only.
    OnAmd64(String),
    /// Machines of a type have accelerators, which Fargate has none of and the
    /// pods that are compared do not request.
    Accelerators {
        /// The instance type.
        kind: String,
        /// Accelerators of one machine.
        count: u32,
        /// What they are, as in `a10g GPU`.
        name: String,
    },
    /// Machines of this type take as many tasks as they have network
    /// interfaces for, without trunking.
    NoTrunking(String),
}

impl Caveat {
    /// What is to be said of a type that stands against Fargate.
    pub(super) fn of(kind: &InstanceType, orchestrator: Orchestrator) -> Vec<Caveat> {
        let mut caveats = Vec::new();
        if orchestrator == Orchestrator::Eks && kind.arch == Arch::Arm64 {
            caveats.push(Caveat::OnAmd64(kind.name.to_string()));
        }
        let gpus = (kind.gpu_count, &kind.gpu_name, "GPU");
        let others = (kind.accelerator_count, &kind.accelerator_name, "accelerator");
        for (count, name, what) in [gpus, others] {
            if count > 0 {
                let name = name.as_ref().map_or(what.to_owned(), |name| format!("{name} {what}"));
                caveats.push(Caveat::Accelerators { kind: kind.name.to_string(), count, name });
            }
        }
        caveats
    }
}

/// Pods of a pool that Fargate cannot run.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Why, by the name of the reason in results.
    pub reason: String,
    /// Their share of all pod-hours of the pool.
    pub share: f64,
}

/// EC2 nodes of one kind against Fargate for one mix of pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakeven {
    /// The instance type or the pool.
    pub subject: String,
    /// What a node offers; means over node-hours of a pool.
    pub node: NodeOffer,
    /// The mix.
    pub mix: Vec<MixPod>,
    /// Ways of buying a node-hour.
    pub ec2: Vec<Priced>,
    /// Ways of buying a pod-hour of the mix on Fargate.
    pub fargate: Vec<Priced>,
    /// Pods that are no part of the mix, though nodes carry them.
    pub left_out: Vec<LeftOut>,
    /// What else is to be known.
    pub caveats: Vec<Caveat>,
    /// How full its nodes are now, where they were simulated.
    pub measured: Option<MeasuredPacking>,
}

/// Break-evens of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakevens {
    /// Scenario, case and seed, where they come from a simulation.
    pub simulated: Option<Simulated>,
    /// The AWS Region.
    pub region: String,
    /// What runs the pods.
    pub orchestrator: Orchestrator,
    /// One per instance type or pool.
    pub comparisons: Vec<Breakeven>,
}

/// Where figures were measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// Name of the scenario.
    pub scenario: String,
    /// Its case.
    pub case: String,
    /// The seed that was run.
    pub seed: u64,
}

/// What runs the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Orchestrator {
    /// Amazon EKS.
    #[default]
    Eks,
    /// Amazon ECS.
    Ecs,
}

impl Orchestrator {
    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Orchestrator::Eks => "eks",
            Orchestrator::Ecs => "ecs",
        }
    }

    /// Memory that it adds to every pod on Fargate.
    pub(super) const fn fargate_overhead(self) -> Bytes {
        match self {
            Orchestrator::Eks => plan::fargate_overhead(),
            Orchestrator::Ecs => Bytes(0),
        }
    }
}
