//! Pools of nodes: shapes, zones, offers and their prices.
//!
//! A node offers the memory its operating system sees less kube-reserved and
//! the eviction threshold, and as many pods as its network interfaces have
//! addresses for. Kube-reserved memory counts the pods of the interfaces even
//! where `max-pods` states another number, as nodeadm does on AL2023; a pool's
//! own `reserved` replaces all of it.

use std::collections::BTreeSet;

use super::control::Hazard;
use super::defaults::{BOOT_LAUNCH, BOOT_READY, Known, Latency};
use super::ecs::{self, Instances};
use super::market::Market;
use super::notes::Notes;
use crate::bill::ShapePrice;
use crate::catalog::Region;
use crate::cluster::{
    Member, NodeShape, Offer, PoolKind, PoolSpec, Purchase, SpotAllocation, SpotPool,
};
use crate::rng::Distribution;
use crate::scenario::{
    self, Asg, AsgOptions, Fixed, FixedSize, NodeType, NonEmpty, Pool, Reserved, Scaler, Span,
    Spanned, TimeDist, quote,
};
use crate::units::{Bytes, MilliCpu};
use crate::workload::{Taint, TaintEffect};

/// Labels that the cloud sets; a pool cannot.
pub(super) const CLOUD_LABELS: [&str; 7] = [
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "eks.amazonaws.com/capacityType",
    "eks.amazonaws.com/nodegroup",
];

/// Nodes of every pool, and what they cost.
#[derive(Debug, Default)]
pub(super) struct NodePools {
    pub(super) shapes: Vec<NodeShape>,
    pub(super) zones: Vec<String>,
    pub(super) pools: Vec<PoolSpec>,
    pub(super) members: Vec<Member>,
    /// Spot pools whose prices move.
    pub(super) spot_pools: Vec<SpotPool>,
    /// By shape.
    pub(super) prices: Vec<ShapePrice>,
    /// By shape: what it is made from.
    pub(super) origins: Vec<ShapeOrigin>,
}

/// What decides a shape besides the Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShapeOrigin {
    pub(super) kind: ShapeKind,
    pub(super) max_pods: Option<u32>,
    pub(super) reserved: Option<(MilliCpu, Bytes)>,
    /// Where the scenario first says that it is bought On-Demand.
    pub(super) on_demand: Option<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShapeKind {
    /// An instance type, by name.
    Type(String),
    /// A pool's own shape, by the pool's name.
    Custom(String),
}

impl ShapeOrigin {
    /// The instance type, if it is one.
    pub(super) fn instance_type(&self) -> Option<&str> {
        match &self.kind {
            ShapeKind::Type(name) => Some(name),
            ShapeKind::Custom(_) => None,
        }
    }
}

/// Links one pool after another into [`NodePools`].
pub(super) struct Linker<'a> {
    pub(super) region: &'a Region,
    /// Extended resources of the run, in order.
    pub(super) extended: &'a [String],
    pub(super) hazard: Hazard,
    pub(super) market: Market,
    /// Names of nodes so far.
    pub(super) names: BTreeSet<String>,
    /// What makes nodes container instances of ECS.
    pub(super) ecs: Option<Instances>,
    pub(super) done: NodePools,
}

/// What a pool says about all its nodes.
pub(super) struct Common<'p> {
    pub(super) name: &'p Spanned<String>,
    pub(super) path: String,
    pub(super) max_pods: Option<u32>,
    pub(super) reserved: Option<(MilliCpu, Bytes)>,
}

impl Linker<'_> {
    /// Links a pool; after a reported error it is left out.
    pub(super) fn link(&mut self, name: &Spanned<String>, pool: &Pool, notes: &mut Notes<'_>) {
        let common = Common {
            name,
            path: format!("pools.{}", name.value),
            max_pods: pool.max_pods.map(|n| n.value.get() as u32),
            reserved: pool.reserved.as_ref().map(|r: &Reserved| (r.cpu.value, r.memory.value)),
        };
        let linked = match &pool.kind {
            scenario::PoolKind::Fixed(fixed) => self.fixed(&common, fixed, notes),
            scenario::PoolKind::Asg(asg, options) => self.asg(&common, asg, options, notes),
            scenario::PoolKind::Fargate(_) => return,
        };
        let labels = labels(pool, notes);
        // Custom attributes of ECS may have spaces, slashes and more.
        if self.ecs.is_none() {
            scenario::label::are_valid(&pool.labels, notes.diags);
        }
        if let Some(mut linked) = linked {
            linked.labels = labels;
            linked.taints = pool.taints.iter().map(|t| taint(t)).collect();
            self.done.pools.push(linked);
        }
    }

    fn fixed(
        &mut self,
        common: &Common<'_>,
        fixed: &Fixed,
        notes: &mut Notes<'_>,
    ) -> Option<PoolSpec> {
        let (count, zones) = match &fixed.size {
            FixedSize::Count(count, given) => {
                let zones = self.zones(&common.path, "fixed.", given.zones.as_ref(), notes);
                (count.get() as u32, zones)
            }
            FixedSize::Nodes(nodes) => (nodes.len() as u32, self.members(nodes, notes)),
        };
        let path = format!("{}.fixed.purchase", common.path);
        let spot = if let Some(purchase) = fixed.purchase {
            purchase.value == scenario::Purchase::Spot
        } else {
            if matches!(fixed.node, NodeType::Named(_)) {
                notes.default(path, scenario::Purchase::OnDemand, "choice");
            }
            false
        };
        let mut offers = Vec::new();
        match &fixed.node {
            NodeType::Named(kind) => {
                let shape = self.instance_shape(kind, common, notes);
                offers = self.offers(shape?, kind, spot, &zones?, common, notes)?;
            }
            NodeType::Shape(shape) => {
                if let (true, Some(purchase)) = (spot, &fixed.purchase) {
                    notes
                        .diags
                        .error(
                            purchase.span,
                            "a shape of your own has one price and no Spot market",
                        )
                        .help("leave `purchase` out, and state the price you expect");
                    return None;
                }
                let id = self.custom_shape(shape, common, notes);
                for zone in zones? {
                    let arch = shape.arch.map_or(scenario::Arch::Amd64, |a| a.value);
                    let labels =
                        self.labels(common, &common.name.value, arch.as_str(), zone, false);
                    offers.push(Offer {
                        shape: id,
                        zone,
                        purchase: Purchase::OnDemand,
                        hourly: shape.usd_per_hour.value,
                        hazard_per_hour: 0.0,
                        labels,
                    });
                }
            }
        }
        Some(PoolSpec {
            name: common.name.value.clone(),
            kind: PoolKind::Fixed { count },
            offers,
            on_demand_base: 0,
            on_demand_percentage_above_base: if spot { 0 } else { 100 },
            spot_allocation: SpotAllocation::PriceCapacityOptimized,
            labels: Vec::new(),
            taints: Vec::new(),
            // Only the replacement of a reclaimed node takes this time.
            launch: boot(None, spot, &common.path, "launch", BOOT_LAUNCH, notes),
            ready: boot(None, spot, &common.path, "ready", BOOT_READY, notes),
        })
    }

    fn asg(
        &mut self,
        common: &Common<'_>,
        asg: &Asg,
        options: &AsgOptions,
        notes: &mut Notes<'_>,
    ) -> Option<PoolSpec> {
        let path = |key: &str| format!("{}.asg.{key}", common.path);
        let zones = self.zones(&common.path, "asg.", asg.zones.as_ref(), notes);
        let min = if let Some(min) = asg.min {
            min.value.get() as u32
        } else {
            notes.default(path("min"), 0, "choice");
            0
        };
        let max = asg.max.value.get() as u32;
        let base = if let Some(base) = asg.purchase.on_demand_base {
            base.value.get() as u32
        } else {
            notes.default(path("purchase.on-demand-base"), 0, "EC2 Auto Scaling default");
            0
        };
        let percentage = asg.purchase.percentage().unwrap_or_else(|| {
            let value = scenario::Purchase::OnDemand;
            notes.default(path("purchase.above-base"), value, "EC2 Auto Scaling default");
            100
        });
        let spot = percentage < 100;
        let autoscaled = if self.ecs.is_some() {
            ecs::is_scaled(options)
        } else if let Some(scaler) = options.scaler {
            scaler.value == Scaler::ClusterAutoscaler
        } else {
            notes.default(format!("{}.scaler", common.path), Scaler::None, "choice");
            false
        };
        if !autoscaled && max > min {
            notes
                .diags
                .warning(
                    "unscaled-pool",
                    asg.max.span,
                    format!(
                        "nothing scales pool {}: it keeps its {min} nodes",
                        quote(&common.name.value)
                    ),
                )
                .help(if self.ecs.is_some() {
                    "state `capacity-provider: { managedScaling: { status: ENABLED } }`"
                } else {
                    "state `scaler: cluster-autoscaler` beside `asg`"
                });
        }
        let mut shapes = Vec::new();
        for (i, kind) in asg.types.iter().enumerate() {
            if asg.types.iter().take(i).any(|other| other.value == kind.value) {
                let message = format!("{} is listed twice", quote(&kind.value));
                notes.diags.error(kind.span, message);
                continue;
            }
            shapes.push(self.instance_shape(kind, common, notes).map(|id| (id, kind)));
        }
        let shapes = shapes.into_iter().collect::<Option<Vec<_>>>()?;
        if self.ecs.is_none() {
            self.warn_of_mixture(&asg.types, common, notes);
        }
        let zones = zones?;
        let mut offers = Vec::new();
        let mut fine = true;
        for wanted in [false, true] {
            if (wanted && !spot) || (!wanted && percentage == 0 && base == 0) {
                continue;
            }
            for (id, kind) in &shapes {
                let sold = self.offers(*id, kind, wanted, &zones, common, notes);
                fine &= sold.is_some();
                offers.extend(sold.into_iter().flatten());
            }
        }
        let strategy = asg.purchase.spot_allocation_strategy.map(|s| s.value);
        if spot && strategy.is_none() {
            let value = scenario::SpotStrategy::PriceCapacityOptimized;
            let note = "what AWS recommends (EC2 Auto Scaling user guide, allocation strategies)";
            notes.default(path("purchase.spot-allocation-strategy"), value, note);
        }
        let moves = autoscaled || spot;
        let spec = PoolSpec {
            name: common.name.value.clone(),
            kind: PoolKind::AutoScalingGroup { min, max, autoscaled },
            offers,
            on_demand_base: base,
            on_demand_percentage_above_base: percentage,
            spot_allocation: match strategy {
                Some(scenario::SpotStrategy::LowestPrice) => SpotAllocation::LowestPrice,
                Some(scenario::SpotStrategy::CapacityOptimized) => {
                    SpotAllocation::CapacityOptimized
                }
                Some(scenario::SpotStrategy::PriceCapacityOptimized) | None => {
                    SpotAllocation::PriceCapacityOptimized
                }
            },
            labels: Vec::new(),
            taints: Vec::new(),
            launch: boot(
                asg.boot.launch.as_ref(),
                moves,
                &path("boot"),
                "launch",
                BOOT_LAUNCH,
                notes,
            ),
            ready: boot(asg.boot.ready.as_ref(), moves, &path("boot"), "ready", BOOT_READY, notes),
        };
        fine.then_some(spec)
    }

    /// The Cluster Autoscaler takes the nodes of a group for alike.
    fn warn_of_mixture(
        &self,
        types: &NonEmpty<Spanned<String>>,
        common: &Common<'_>,
        notes: &mut Notes<'_>,
    ) {
        let size = |kind: &Spanned<String>| {
            self.region.instance_type(&kind.value).map(|t| (t.vcpu, t.memory, t.gpu_count))
        };
        let mut sizes = types.iter().map(|kind| (kind, size(kind)));
        let Some((first, reference)) = sizes.next() else { return };
        if let Some((odd, _)) = sizes.find(|(_, size)| *size != reference) {
            notes.diags.warning(
                "mixed-pool",
                odd.span,
                format!(
                    "`{}` and `{}` of pool {} differ in size, and a group is scaled as if all \
                     its nodes were alike",
                    first.value,
                    odd.value,
                    quote(&common.name.value)
                ),
            );
        }
    }
}

/// A boot time; the default is stated only where nodes ever boot.
fn boot(
    given: Option<&Spanned<TimeDist>>,
    boots: bool,
    path: &str,
    key: &str,
    default: Known<Latency>,
    notes: &mut Notes<'_>,
) -> Distribution {
    if let Some(given) = given {
        return given.value.distribution.clone();
    }
    if boots {
        notes.default(format!("{path}.{key}"), default.value, default.note);
    }
    default.value.distribution()
}

/// Labels of a pool. Those that the cloud sets are the cloud's, with two
/// exceptions that only the user knows: the node group that a fixed pool is
/// part of, and what nodes of a shape of one's own call their type.
fn labels(pool: &Pool, notes: &mut Notes<'_>) -> Vec<(String, String)> {
    let own = |key: &str| match &pool.kind {
        scenario::PoolKind::Fixed(fixed) => {
            key == "eks.amazonaws.com/nodegroup"
                || key == "node.kubernetes.io/instance-type"
                    && matches!(fixed.node, NodeType::Shape(_))
        }
        _ => false,
    };
    let mut labels = Vec::new();
    for (key, value) in pool.labels.iter() {
        if CLOUD_LABELS.contains(&key.value.as_str()) && !own(&key.value) {
            let message = format!("the label {} is set by the cloud", quote(&key.value));
            notes.diags.error(key.span, message).help("choose another key");
        }
        labels.push((key.value.clone(), value.value.0.clone()));
    }
    labels.sort();
    labels
}

fn taint(taint: &scenario::Taint) -> Taint {
    Taint {
        key: taint.key.to_string(),
        value: taint.value.as_ref().map_or_else(String::new, |v| v.to_string()),
        effect: effect(taint.effect.value),
    }
}

/// The effect in the engine's words.
pub(super) fn effect(effect: scenario::TaintEffect) -> TaintEffect {
    match effect {
        scenario::TaintEffect::NoSchedule => TaintEffect::NoSchedule,
        scenario::TaintEffect::PreferNoSchedule => TaintEffect::PreferNoSchedule,
        scenario::TaintEffect::NoExecute => TaintEffect::NoExecute,
    }
}
