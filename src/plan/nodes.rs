//! Pools of nodes: shapes, zones, offers and their prices.
//!
//! A node offers the memory its operating system sees less kube-reserved and
//! the eviction threshold, and as many pods as its network interfaces have
//! addresses for. Kube-reserved memory counts the pods of the interfaces even
//! where `max-pods` states another number, as nodeadm does on AL2023; a pool's
//! own `reserved` replaces all of it.

use super::control::Hazard;
use super::defaults::{BOOT_LAUNCH, BOOT_READY, Known, Latency, ZONE_LETTERS};
use super::notes::Notes;
use crate::bill::{Price, PriceStatus, ShapePrice};
use crate::catalog::{InstanceType, Region};
use crate::cluster::{
    Capacity, NodeShape, Offer, PoolKind, PoolSpec, Purchase, ShapeId, SpotAllocation, ZoneId,
};
use crate::rng::Distribution;
use crate::scenario::{
    self, Asg, AsgOptions, Fixed, Keyed, NodeType, NonEmpty, Pool, Reserved, Scaler, Span, Spanned,
    Text, TimeDist, quote,
};
use crate::units::{Bytes, MilliCpu, Rate};
use crate::workload::{Taint, TaintEffect};

/// Labels that the cloud sets; a pool cannot.
const CLOUD_LABELS: [&str; 7] = [
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
    /// By shape.
    pub(super) prices: Vec<ShapePrice>,
    /// By shape: what it is made from.
    pub(super) origins: Vec<ShapeOrigin>,
}

/// What decides a shape besides the Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShapeOrigin {
    kind: ShapeKind,
    max_pods: Option<u32>,
    reserved: Option<(MilliCpu, Bytes)>,
    /// Where the scenario first says that it is bought On-Demand.
    pub(super) on_demand: Option<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ShapeKind {
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
    pub(super) done: NodePools,
}

/// What a pool says about all its nodes.
struct Common<'p> {
    name: &'p Spanned<String>,
    path: String,
    max_pods: Option<u32>,
    reserved: Option<(MilliCpu, Bytes)>,
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
        let labels = labels(&pool.labels, notes);
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
        let zones = self.zones(&common.path, "fixed.", fixed.zones.as_ref(), notes);
        let path = format!("{}.fixed.purchase", common.path);
        let spot = match fixed.purchase {
            Some(purchase) => purchase.value == scenario::Purchase::Spot,
            None => {
                if matches!(fixed.node, NodeType::Named(_)) {
                    notes.default(path, scenario::Purchase::OnDemand, "choice");
                }
                false
            }
        };
        let mut offers = Vec::new();
        match &fixed.node {
            NodeType::Named(kind) => {
                let shape = self.instance_shape(kind, common, notes);
                self.offers(shape?, kind, spot, &zones?, common, &mut offers, notes)?;
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
            kind: PoolKind::Fixed { count: fixed.count.get() as u32 },
            offers,
            on_demand_base: 0,
            spot_above_base: spot,
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
        let min = match asg.min {
            Some(min) => min.value.get() as u32,
            None => {
                notes.default(path("min"), 0, "choice");
                0
            }
        };
        let max = asg.max.value.get() as u32;
        let base = match asg.purchase.on_demand_base {
            Some(base) => base.value.get() as u32,
            None => {
                notes.default(path("purchase.on-demand-base"), 0, "EC2 Auto Scaling default");
                0
            }
        };
        let above = asg.purchase.above_base.map_or_else(
            || {
                let value = scenario::Purchase::OnDemand;
                notes.default(path("purchase.above-base"), value, "choice");
                value
            },
            |p| p.value,
        );
        let spot = above == scenario::Purchase::Spot;
        let autoscaled = match options.scaler {
            Some(scaler) => scaler.value == Scaler::ClusterAutoscaler,
            None => {
                notes.default(format!("{}.scaler", common.path), Scaler::None, "choice");
                false
            }
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
                .help("state `scaler: cluster-autoscaler` beside `asg`");
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
        self.warn_of_mixture(&asg.types, common, notes);
        let zones = zones?;
        let mut offers = Vec::new();
        let mut fine = true;
        for wanted in [false, true] {
            if (wanted && !spot) || (!wanted && spot && base == 0) {
                continue;
            }
            for (id, kind) in &shapes {
                let sold = self.offers(*id, kind, wanted, &zones, common, &mut offers, notes);
                fine &= sold.is_some();
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
            spot_above_base: spot,
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

    /// The zones of a pool; `None` after a reported error.
    fn zones(
        &mut self,
        path: &str,
        kind: &str,
        given: Option<&NonEmpty<Spanned<String>>>,
        notes: &mut Notes<'_>,
    ) -> Option<Vec<ZoneId>> {
        let region = self.region.name().to_owned();
        let Some(given) = given else {
            let letters: &[char] =
                if is_local_zone(&region) { &['a'] } else { &ZONE_LETTERS.value };
            let names: Vec<String> = letters.iter().map(|l| format!("{region}{l}")).collect();
            notes.default(
                format!("{path}.{kind}zones"),
                format!("[{}]", names.join(", ")),
                ZONE_LETTERS.note,
            );
            return Some(names.into_iter().map(|n| self.zone(n)).collect());
        };
        let mut zones = Some(Vec::new());
        for name in given.iter() {
            let letter = name.value.strip_prefix(&*region).unwrap_or("");
            let is_zone = letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase());
            let twice = given.iter().any(|n| n.value == name.value && n.span < name.span);
            if !is_zone {
                notes
                    .diags
                    .error(
                        name.span,
                        format!("{} is no Availability Zone of {region}", quote(&name.value)),
                    )
                    .help(format!("a zone is the Region and a letter, such as `{region}a`"));
                zones = None;
            } else if twice {
                notes.diags.error(name.span, format!("{} is listed twice", quote(&name.value)));
                zones = None;
            } else if let Some(zones) = &mut zones {
                zones.push(self.zone(name.value.clone()));
            }
        }
        zones
    }

    fn zone(&mut self, name: String) -> ZoneId {
        let zones = &mut self.done.zones;
        let at = zones.iter().position(|z| *z == name).unwrap_or_else(|| {
            zones.push(name);
            zones.len() - 1
        });
        ZoneId(at as u32)
    }

    /// The shape of an instance type; `None` after a reported error.
    fn instance_shape(
        &mut self,
        kind: &Spanned<String>,
        common: &Common<'_>,
        notes: &mut Notes<'_>,
    ) -> Option<ShapeId> {
        let Some(found) = self.region.instance_type(&kind.value) else {
            notes
                .diags
                .error(kind.span, format!("unknown instance type {}", quote(&kind.value)))
                .suggest(&kind.value, self.region.names());
            return None;
        };
        let origin = ShapeOrigin {
            kind: ShapeKind::Type(kind.value.clone()),
            max_pods: common.max_pods,
            reserved: common.reserved,
            on_demand: None,
        };
        if let Some(id) = self.find(&origin) {
            return Some(id);
        }
        let pods = common.max_pods.unwrap_or(found.max_pods_eni);
        let (cpu, memory) = match common.reserved {
            Some((cpu, memory)) => (
                MilliCpu((i64::from(found.vcpu) * 1_000 - cpu.0).max(0)),
                Bytes((found.os_memory.0 - memory.0).max(0)),
            ),
            None => found.allocatable(found.max_pods_eni),
        };
        let extended: Vec<i64> =
            self.extended.iter().map(|name| extended_amount(found, name)).collect();
        notes.catalog(
            format!("instance-types.{}.allocatable", found.name),
            format!("cpu {cpu}, memory {memory}, {pods} pods"),
            format!(
                "memory seen by the system: {}; reserves: {}",
                found.os_memory_origin,
                if common.reserved.is_some() { "the pool's" } else { "EKS AMI bootstrap" }
            ),
        );
        let id = self.add(
            NodeShape {
                name: found.name.to_string(),
                capacity: Capacity {
                    cpu: MilliCpu(i64::from(found.vcpu) * 1_000),
                    memory: found.os_memory,
                    pods,
                    extended: extended.clone(),
                },
                allocatable: Capacity { cpu, memory, pods, extended },
                nominal_memory: found.memory,
            },
            origin,
        );
        Some(id)
    }

    fn custom_shape(
        &mut self,
        shape: &Spanned<scenario::NodeShape>,
        common: &Common<'_>,
        notes: &mut Notes<'_>,
    ) -> ShapeId {
        let (cpu, memory) = (shape.vcpu.value.0, shape.memory.value.0);
        let pods = common.max_pods.unwrap_or(shape.pods.get() as u32);
        let (kept_cpu, kept_memory) = common.reserved.unwrap_or_else(|| {
            let note = "a shape of your own offers all it has";
            notes.default(format!("{}.reserved", common.path), "none", note);
            Default::default()
        });
        if kept_cpu >= cpu || kept_memory >= memory {
            notes.diags.error(shape.span, "`reserved` leaves nothing of this shape");
        }
        let extended: Vec<i64> = self
            .extended
            .iter()
            .map(|name| shape.extended.get(name).map_or(0, |n| n.value.get() as i64))
            .collect();
        let id = self.add(
            NodeShape {
                name: common.name.value.clone(),
                capacity: Capacity { cpu, memory, pods, extended: extended.clone() },
                allocatable: Capacity {
                    cpu: MilliCpu((cpu.0 - kept_cpu.0).max(0)),
                    memory: Bytes((memory.0 - kept_memory.0).max(0)),
                    pods,
                    extended,
                },
                nominal_memory: memory,
            },
            ShapeOrigin {
                kind: ShapeKind::Custom(common.name.value.clone()),
                max_pods: common.max_pods,
                reserved: common.reserved,
                on_demand: None,
            },
        );
        if let Some(price) = self.done.prices.get_mut(id.index()) {
            price.on_demand = Some(Price::new(shape.usd_per_hour.value, PriceStatus::Stated));
            price.custom = true;
        }
        if shape.usd_per_hour.value == Rate::ZERO {
            notes.diags.warning(
                "free-nodes",
                shape.usd_per_hour.span,
                format!("nodes of pool {} cost nothing", quote(&common.name.value)),
            );
        }
        id
    }

    fn find(&self, wanted: &ShapeOrigin) -> Option<ShapeId> {
        let same = |o: &ShapeOrigin| {
            (&o.kind, o.max_pods, o.reserved) == (&wanted.kind, wanted.max_pods, wanted.reserved)
        };
        self.done.origins.iter().position(same).map(|at| ShapeId(at as u32))
    }

    fn add(&mut self, shape: NodeShape, origin: ShapeOrigin) -> ShapeId {
        self.done.shapes.push(shape);
        self.done.origins.push(origin);
        self.done.prices.push(ShapePrice::default());
        ShapeId(self.done.shapes.len() as u32 - 1)
    }

    /// Adds the offers of an instance type, one a zone; `None` after a
    /// reported error.
    #[allow(clippy::too_many_arguments)]
    fn offers(
        &mut self,
        shape: ShapeId,
        kind: &Spanned<String>,
        spot: bool,
        zones: &[ZoneId],
        common: &Common<'_>,
        offers: &mut Vec<Offer>,
        notes: &mut Notes<'_>,
    ) -> Option<()> {
        let name = &kind.value;
        let region = self.region;
        let (price, hazard) = if spot {
            let Some(quote) = region.spot(name) else {
                let with_spot = region.names().filter(|n| region.spot(n).is_some());
                notes
                    .diags
                    .error(kind.span, format!("no Spot price for `{name}` in {}", region.name()))
                    .suggest(name, with_spot);
                return None;
            };
            let price = notes.price(
                kind.span,
                format!("ec2-spot.{name}"),
                "instance-hour",
                &quote.quote,
            )?;
            let hazard = match self.hazard {
                Hazard::Advisor => quote.hazard_per_hour,
                Hazard::Fixed(hazard) => hazard,
            };
            (price, hazard)
        } else {
            let Some(quote) = region.on_demand(name) else {
                notes
                    .diags
                    .error(
                        kind.span,
                        format!("no On-Demand price for `{name}` in {}", region.name()),
                    )
                    .suggest(name, region.names());
                return None;
            };
            let path = format!("ec2-on-demand.{name}");
            (notes.price(kind.span, path, "instance-hour", quote)?, 0.0)
        };
        let arch = region.instance_type(name)?.arch.word();
        if let Some(known) = self.done.prices.get_mut(shape.index()) {
            if spot {
                for zone in zones {
                    if known.spot.len() <= zone.index() {
                        known.spot.resize(zone.index() + 1, None);
                    }
                    if let Some(slot) = known.spot.get_mut(zone.index()) {
                        *slot = Some(price);
                    }
                }
            } else {
                known.on_demand = Some(price);
            }
        }
        if let (false, Some(origin)) = (spot, self.done.origins.get_mut(shape.index())) {
            origin.on_demand.get_or_insert(kind.span);
        }
        for zone in zones {
            let labels = self.labels(common, name, arch, *zone, spot);
            offers.push(Offer {
                shape,
                zone: *zone,
                purchase: if spot { Purchase::Spot } else { Purchase::OnDemand },
                hourly: price.rate,
                hazard_per_hour: hazard,
                labels,
            });
        }
        Some(())
    }

    /// What the cloud writes on such a node, sorted by key.
    fn labels(
        &self,
        common: &Common<'_>,
        kind: &str,
        arch: &str,
        zone: ZoneId,
        spot: bool,
    ) -> Vec<(String, String)> {
        let zone = self.done.zones.get(zone.index()).map_or("", String::as_str);
        let capacity = if spot { "SPOT" } else { "ON_DEMAND" };
        let values =
            [kind, zone, self.region.name(), arch, "linux", capacity, common.name.value.as_str()];
        let mut labels: Vec<(String, String)> = CLOUD_LABELS
            .iter()
            .zip(values)
            .map(|(key, value)| ((*key).to_owned(), value.to_owned()))
            .collect();
        labels.sort();
        labels
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

/// Whether a code names a Local or Wavelength Zone: `us-east-1-atl-1`.
fn is_local_zone(region: &str) -> bool {
    let numbers = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    region.split('-').filter(numbers).count() > 1
}

/// How much of an extended resource the device plugin of its vendor offers
/// on a type.
fn extended_amount(kind: &InstanceType, name: &str) -> i64 {
    let gpu = kind.gpu_name.as_deref().unwrap_or("");
    let accelerator = kind.accelerator_name.as_deref().unwrap_or("");
    match name {
        "nvidia.com/gpu" if !gpu.starts_with("radeon") => i64::from(kind.gpu_count),
        "amd.com/gpu" if gpu.starts_with("radeon") => i64::from(kind.gpu_count),
        "aws.amazon.com/neuron"
            if accelerator.starts_with("inferentia") || accelerator.starts_with("trainium") =>
        {
            i64::from(kind.accelerator_count)
        }
        _ => 0,
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

fn labels(given: &Keyed<Spanned<Text>>, notes: &mut Notes<'_>) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    for (key, value) in given.iter() {
        if CLOUD_LABELS.contains(&key.value.as_str()) {
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
        key: taint.key.value.clone(),
        value: taint.value.as_ref().map_or_else(String::new, |v| v.value.0.clone()),
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
