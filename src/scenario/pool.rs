//! The part of the model that says what pods may run on.

use super::decode::{Ctx, Keyed, NonEmpty, OneOrMany, Spanned};
use super::diagnostic::Span;
use super::dist::TimeDist;
use super::ecs::{CapacityProvider, FargateInterruptions};
use super::label::{LabelKey, LabelValue};
use super::leaf::Text;
use super::number::{Int, Positive};
use super::record::{choice, names, record};
use super::workload::{ExtendedAmount, TaintEffect};
use crate::units::{Bytes, MilliCpu, Percent, Rate, SimDuration};

/// A number of nodes.
pub type NodeCount = Int<0, 1_000_000>;

record! {
    /// Nodes, or Fargate, bought and scaled alike.
    pub struct Pool {
        one of kind: PoolKind,
        /// Labels of the nodes; on ECS custom attributes of the instances.
        "labels" => labels: Keyed<Spanned<Text>> = Keyed::default(),
        /// Taints of the nodes.
        "taints" => taints: Vec<Spanned<Taint>> = Vec::new(),
        /// Most pods on a node; by its network interfaces unless stated.
        "max-pods" => max_pods: Option<Spanned<Int<1, 10_000>>>,
        /// What the system keeps of each node.
        "reserved" => reserved: Option<Reserved>,
        /// The service that manages the nodes for a fee.
        "managed-by" => managed_by: Option<Spanned<NodeManager>>,
        /// The fee; as published unless stated.
        "management-fee" => management_fee: Option<Spanned<ManagementFee>>,
    }
    check check_pool;
}

names! {
    /// A service that manages nodes.
    pub enum NodeManager {
        /// EKS Auto Mode.
        "eks-auto-mode" => EksAutoMode,
        /// ECS Managed Instances.
        "ecs-managed-instances" => EcsManagedInstances,
        /// ECS Anywhere: machines of your own, each an external instance.
        "ecs-anywhere" => EcsAnywhere,
        /// EKS Anywhere: machines of your own.
        "eks-anywhere" => EksAnywhere,
    }
}

choice! {
    /// What managing a node costs.
    pub enum ManagementFee {
        /// A share of the On-Demand price of its instance type.
        "of-on-demand" => OfOnDemand(Spanned<Percent>),
        /// Price per node and hour.
        "usd-per-node-hour" => PerHour(Spanned<Rate>),
    }
}

fn check_pool(it: &Pool, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    let node_keys = !it.labels.is_empty()
        || !it.taints.is_empty()
        || it.max_pods.is_some()
        || it.managed_by.is_some()
        || it.reserved.is_some();
    if matches!(it.kind, PoolKind::Fargate(_)) && node_keys {
        ctx.diags().error(owner, "a fargate pool has no nodes").help(
            "`labels`, `taints`, `max-pods`, `reserved` and `managed-by` apply to `fixed` and \
                 `asg` pools",
        );
        return false;
    }
    if let (Some(fee), None) = (&it.management_fee, &it.managed_by) {
        ctx.diags()
            .error(fee.span, "`management-fee` is what `managed-by` costs")
            .help("state `managed-by: eks-auto-mode` or another service as well");
        return false;
    }
    true
}

choice! {
    /// How a pool is bought.
    pub enum PoolKind {
        /// A fixed number of nodes.
        "fixed" => Fixed(Box<Fixed>),
        /// An Auto Scaling group.
        "asg" => Asg(Box<Asg>, + AsgOptions),
        /// AWS Fargate.
        "fargate" => Fargate(Box<Fargate>),
    }
}

record! {
    /// A fixed number of nodes.
    pub struct Fixed {
        one of node: NodeType,
        one of size: FixedSize,
        /// How they are bought; on-demand unless stated.
        "purchase" => purchase: Option<Spanned<Purchase>>,
    }
}

choice! {
    /// Which nodes a fixed pool has.
    pub enum FixedSize {
        /// How many.
        "count" => Count(Spanned<NodeCount>, + FixedZones),
        /// Each node by its name, with its Availability Zone.
        "nodes" => Nodes(Keyed<Spanned<String>>),
    }
}

record! {
    /// Where a number of nodes is.
    pub struct FixedZones {
        /// Availability Zones, used in turn; the Region's unless stated.
        "zones" => zones: Option<NonEmpty<Spanned<String>>>,
    }
}

choice! {
    /// What a node is.
    pub enum NodeType {
        /// An EC2 instance type.
        "type" => Named(Spanned<String>),
        /// A shape of your own.
        "shape" => Shape(Spanned<NodeShape>),
    }
}

record! {
    /// A node shape of your own, with its price.
    pub struct NodeShape {
        /// Number of vCPU.
        "vcpu" => vcpu: Spanned<Positive<MilliCpu>>,
        /// Memory.
        "memory" => memory: Spanned<Positive<Bytes>>,
        /// Most pods.
        "pods" => pods: Spanned<Int<1, 10_000>>,
        /// Extended resources such as nvidia.com/gpu.
        "extended" => extended: Keyed<Spanned<ExtendedAmount>> = Keyed::default(),
        /// Price per hour; 0 is allowed.
        "usd-per-hour" => usd_per_hour: Spanned<Rate>,
        /// Processor architecture; amd64 unless stated.
        "arch" => arch: Option<Spanned<Arch>>,
    }
}

names! {
    /// Processor architectures.
    pub enum Arch {
        /// x86-64.
        "amd64" => Amd64,
        /// AArch64.
        "arm64" => Arm64,
    }
}

names! {
    /// Operating systems.
    pub enum Os {
        /// Linux.
        "linux" => Linux,
        /// Windows Server.
        "windows" => Windows,
    }
}

names! {
    /// How the price of a Windows vCPU on Fargate is read.
    pub enum WindowsLicence {
        /// It contains the licence of the operating system.
        "included" => Included,
        /// The licence comes on top of it.
        "added" => Added,
    }
}

names! {
    /// Purchase options of EC2.
    pub enum Purchase {
        /// On-Demand.
        "on-demand" => OnDemand,
        /// Spot.
        "spot" => Spot,
    }
}

record! {
    /// An Auto Scaling group.
    pub struct Asg {
        /// Instance types, alike in cpu and memory.
        "types" => types: NonEmpty<Spanned<String>>,
        /// Fewest nodes; 0 unless stated.
        "min" => min: Option<Spanned<NodeCount>>,
        /// Most nodes.
        "max" => max: Spanned<NodeCount>,
        /// Availability Zones; the Region's unless stated.
        "zones" => zones: Option<NonEmpty<Spanned<String>>>,
        /// How nodes are bought; On-Demand unless stated.
        "purchase" => purchase: AsgPurchase = AsgPurchase::default(),
        /// How long a node takes to become usable.
        "boot" => boot: Boot = Boot::default(),
    }
    check check_asg;
}

fn check_asg(it: &Asg, _: Span, ctx: &mut Ctx<'_>) -> bool {
    match &it.min {
        Some(min) if it.max.get() < min.get() => {
            let message = format!("max {} is below min {}", it.max.value, min.value);
            ctx.diags().error(it.max.span, message);
            false
        }
        _ => true,
    }
}

record! {
    /// How the nodes of an Auto Scaling group are bought.
    #[derive(Default)]
    pub struct AsgPurchase {
        /// This many nodes are On-Demand before anything else.
        "on-demand-base" => on_demand_base: Option<Spanned<NodeCount>>,
        /// How nodes above the base are bought; on-demand unless stated.
        "above-base" => above_base: Option<Spanned<Purchase>>,
        /// Instead of `above-base`: of the nodes above the base, so many in a hundred are On-Demand, the others Spot.
        "on-demand-percentage-above-base" => on_demand_percentage_above_base: Option<Spanned<Int<0, 100>>>,
        /// How Spot types and zones are chosen; price-capacity-optimized unless stated.
        "spot-allocation-strategy" => spot_allocation_strategy: Option<Spanned<SpotStrategy>>,
    }
    check check_purchase;
}

fn check_purchase(it: &AsgPurchase, _: Span, ctx: &mut Ctx<'_>) -> bool {
    match (&it.above_base, &it.on_demand_percentage_above_base) {
        (Some(_), Some(percentage)) => {
            ctx.diags()
                .error(percentage.span, "how nodes above the base are bought is stated twice")
                .help("`above-base: spot` is 0, `above-base: on-demand` is 100: leave one out");
            false
        }
        _ => true,
    }
}

impl AsgPurchase {
    /// Of the nodes above the base, so many in a hundred are On-Demand; `None`
    /// where nothing is stated.
    #[must_use]
    pub fn percentage(&self) -> Option<u8> {
        let named = self.above_base.map(|p| if p.value == Purchase::Spot { 0 } else { 100 });
        let stated = self.on_demand_percentage_above_base.map(|p| p.value.get() as u8);
        stated.or(named)
    }
}

names! {
    /// How an Auto Scaling group chooses Spot types and zones.
    pub enum SpotStrategy {
        /// The cheapest.
        "lowest-price" => LowestPrice,
        /// The least likely to be interrupted.
        "capacity-optimized" => CapacityOptimized,
        /// A balance of both.
        "price-capacity-optimized" => PriceCapacityOptimized,
    }
}

record! {
    /// How long a node takes to become usable.
    #[derive(Default)]
    pub struct Boot {
        /// From the request to a running instance.
        "launch" => launch: Option<Spanned<TimeDist>>,
        /// From the running instance to a ready node.
        "ready" => ready: Option<Spanned<TimeDist>>,
    }
}

record! {
    /// What scales an Auto Scaling group.
    pub struct AsgOptions {
        /// What changes the number of nodes; none unless stated. On ECS managed scaling does.
        "scaler" => scaler: Option<Spanned<Scaler>>,
        /// On ECS, the group as a capacity provider.
        "capacity-provider" => capacity_provider: Option<Box<Spanned<CapacityProvider>>>,
    }
}

names! {
    /// What changes the number of nodes.
    pub enum Scaler {
        /// The Cluster Autoscaler.
        "cluster-autoscaler" => ClusterAutoscaler,
        /// Nothing: the group keeps its minimum.
        "none" => None,
    }
}

record! {
    /// AWS Fargate.
    pub struct Fargate {
        /// On EKS, the selectors of the Fargate profile, five at most: it takes pods that match one of them.
        "selectors" => selectors: Option<Spanned<NonEmpty<Spanned<FargateProfileSelector>>>>,
        /// Instead of `selectors`, rules by namespace and workload.
        "match" => rules: Option<OneOrMany<Spanned<FargateMatch>>>,
        /// How it is bought; on-demand unless stated. Spot is for ECS only.
        "purchase" => purchase: Option<Spanned<Purchase>>,
        /// Processor architecture; amd64 unless stated. arm64 is for ECS only.
        "arch" => arch: Option<Spanned<Arch>>,
        /// Operating system; linux unless stated. windows is for ECS only, on amd64 and On-Demand, with 1 to 4 vCPU.
        "os" => os: Option<Spanned<Os>>,
        /// Whether the published price of a Windows vCPU contains the licence; included unless stated.
        "windows-licence" => windows_licence: Option<Spanned<WindowsLicence>>,
        /// On ECS, whether each task has a public IPv4 address, as assignPublicIp says; false unless stated.
        "public-ipv4" => public_ipv4: Option<Spanned<bool>>,
        /// Shortest time that a pod is billed for; 60s, with Windows 5m, unless stated.
        "minimum-charge" => minimum_charge: Option<Spanned<SimDuration>>,
        /// How often Spot tasks are interrupted.
        "interruptions" => interruptions: Option<Spanned<FargateInterruptions>>,
        /// From the request to a started container.
        "start-latency" => start_latency: Option<Spanned<TimeDist>>,
        /// How fast pods can be launched.
        "launch-rate" => launch_rate: Option<LaunchRate>,
        /// How long a completed job pod stays, and is charged; 0s unless stated.
        "job-retention" => job_retention: Option<Spanned<SimDuration>>,
    }
    check check_fargate;
}

/// Selectors of one profile (Amazon EKS service quotas).
const MAX_SELECTORS: usize = 5;

fn check_fargate(it: &Fargate, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let Some(selectors) = &it.selectors else { return true };
    if it.rules.is_some() {
        ctx.diags()
            .error(selectors.span, "`selectors` and `match` say the same in two ways")
            .help("leave `match` out; a selector with `labels` means a workload by its labels");
        return false;
    }
    if selectors.value.len() > MAX_SELECTORS {
        let message = format!(
            "a Fargate profile has at most {MAX_SELECTORS} selectors, and these are {}",
            selectors.value.len()
        );
        ctx.diags()
            .error(selectors.span, message)
            .help("use wildcards, or another pool for a second profile");
        return false;
    }
    true
}

record! {
    /// A selector of a Fargate profile: `*` and `?` are wildcards in all of it.
    pub struct FargateProfileSelector {
        /// Namespace of the pods.
        "namespace" => namespace: Spanned<String>,
        /// Labels that the pods must have, all of them.
        "labels" => labels: Keyed<Spanned<Text>> = Keyed::default(),
    }
}

record! {
    /// A rule of the pods that Fargate takes.
    pub struct FargateMatch {
        /// Namespace; `*` stands for any characters.
        "namespace" => namespace: Spanned<String>,
        /// Workload; all unless stated.
        "workload" => workload: Option<Spanned<String>>,
    }
}

record! {
    /// A bucket of launches that refills.
    pub struct LaunchRate {
        /// Launches at once.
        "burst" => burst: Spanned<Int<1, 1_000_000>>,
        /// Launches per second after that.
        "per-second" => per_second: Spanned<Positive<f64>>,
    }
}

record! {
    /// A taint of the nodes.
    pub struct Taint {
        /// The key.
        "key" => key: Spanned<LabelKey>,
        /// The value; empty unless stated.
        "value" => value: Option<Spanned<LabelValue>>,
        /// What it does.
        "effect" => effect: Spanned<TaintEffect>,
    }
}

record! {
    /// What the system keeps of each node.
    pub struct Reserved {
        /// Processor time.
        "cpu" => cpu: Spanned<MilliCpu>,
        /// Memory.
        "memory" => memory: Spanned<Bytes>,
    }
}
