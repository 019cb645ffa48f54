//! What nodes are charged besides their instances: root volume, the fee of the
//! service that manages them, surplus cpu credits.

use super::around::{self, charge, stated};
use super::defaults::MANAGED_INSTANCES_FEE;
use super::ecs;
use super::nodes::{NodePools, ShapeOrigin};
use super::notes::{Notes, bill_price};
use crate::bill::{Burst, Charge, NodeFee, PoolCharges, Price, PriceStatus, RootVolume};
use crate::catalog::{Arch, ChargeItem, Region};
use crate::cluster::PoolSpec;
use crate::scenario::{
    self, Charges, ManagementFee, NodeManager, Scenario, Span, Spanned, VolumeType, quote,
};
use crate::units::{Bytes, HOUR_MS, MINUTE_MS, Percent};
use crate::workload::plan::{Content, PlannedWorkload};

/// What EBS offers of a volume type.
struct Limits {
    gib: [i64; 2],
    /// Bounds of the IOPS; `None` where they follow from the size.
    iops: Option<[i64; 2]>,
    /// Most IOPS for a GiB.
    iops_per_gib: i64,
}

/// EBS user guide, volume types; EC2 API reference, `ModifyVolume`.
const fn limits(kind: VolumeType) -> Limits {
    match kind {
        VolumeType::Gp3 => {
            Limits { gib: [1, 65_536], iops: Some([3_000, 80_000]), iops_per_gib: 500 }
        }
        VolumeType::Gp2 => Limits { gib: [1, 16_384], iops: None, iops_per_gib: 0 },
        VolumeType::Io1 => Limits { gib: [4, 16_384], iops: Some([100, 64_000]), iops_per_gib: 50 },
        VolumeType::Io2 => {
            Limits { gib: [4, 65_536], iops: Some([100, 256_000]), iops_per_gib: 1_000 }
        }
    }
}

/// IOPS and throughput, MiB/s, that a gp3 volume comes with.
const GP3_INCLUDED: [i64; 2] = [3_000, 125];
/// Most throughput of a gp3 volume, MiB/s, and IOPS for each of it.
const GP3_THROUGHPUT: [i64; 2] = [2_000, 4];
/// IOPS of an io1 or io2 volume up to which the price is known.
const IO_PRICED: i64 = 32_000;

/// The root volume of every node; `None` without one or after a reported
/// error.
pub(super) fn root_volume(
    charges: &Charges,
    region: &Region,
    notes: &mut Notes<'_>,
) -> Option<RootVolume> {
    let Some(given) = &charges.root_volume else {
        notes.default("charges.root-volume", "none", "not stated, so not charged");
        return None;
    };
    let spec = match &given.value {
        scenario::RootVolume::Size(size) => scenario::RootVolumeSpec {
            size: Spanned { value: *size, span: given.span },
            kind: None,
            iops: None,
            throughput: None,
        },
        scenario::RootVolume::Volume(spec) => {
            if spec.kind.is_none() {
                notes.default("charges.root-volume.type", VolumeType::Gp3, "choice");
            }
            spec.clone()
        }
    };
    let kind = spec.kind.map_or(VolumeType::Gp3, |k| k.value);
    let gib = size(&spec.size, kind, notes)?;
    let iops = iops(&spec, kind, gib, notes)?;
    let throughput = throughput(&spec, kind, iops, notes)?;
    let item = match kind {
        VolumeType::Gp3 => ChargeItem::Gp3Storage,
        VolumeType::Gp2 => ChargeItem::Gp2Storage,
        VolumeType::Io1 | VolumeType::Io2 => ChargeItem::IoStorage,
    };
    let gb_month = charge(item, spec.size.span, region, notes)?;
    let mut priced = |beyond: i64, span: Span, item: ChargeItem| {
        if beyond <= 0 {
            return Some(None);
        }
        Some(Some((u32::try_from(beyond).ok()?, charge(item, span, region, notes)?)))
    };
    let span = |given: Option<Span>| given.unwrap_or(spec.size.span);
    let iops_span = span(spec.iops.as_ref().map(|i| i.span));
    let iops = match kind {
        VolumeType::Gp3 => priced(iops - GP3_INCLUDED[0], iops_span, ChargeItem::Gp3Iops)?,
        VolumeType::Gp2 => None,
        VolumeType::Io1 | VolumeType::Io2 => priced(iops, iops_span, ChargeItem::IoIops)?,
    };
    let throughput_span = span(spec.throughput.as_ref().map(|t| t.span));
    let beyond = throughput - GP3_INCLUDED[1];
    let throughput = priced(beyond, throughput_span, ChargeItem::Gp3Throughput)?;
    let (kind, gib) = (kind.as_str(), u32::try_from(gib).ok()?);
    Some(RootVolume { kind, iops, throughput, ..RootVolume::new(gib, gb_month) })
}

/// Size in whole GiB; `None` after a reported error.
fn size(given: &Spanned<Bytes>, kind: VolumeType, notes: &mut Notes<'_>) -> Option<i64> {
    let gib = around::gib(given.value);
    let [least, most] = limits(kind).gib;
    // Less than one is most likely a number whose unit is missing.
    if given.value.0 < least << 30 || gib > most {
        let article = if matches!(kind, VolumeType::Io1 | VolumeType::Io2) { "an" } else { "a" };
        let message = format!("{article} {kind} volume has between {least} GiB and {most} GiB");
        notes.diags.error(given.span, message).help(
            "state the size with its unit, as in 50Gi; leave the key out for no charged volume",
        );
        return None;
    }
    Some(gib)
}

/// IOPS provisioned; `None` after a reported error.
fn iops(
    spec: &scenario::RootVolumeSpec,
    kind: VolumeType,
    gib: i64,
    notes: &mut Notes<'_>,
) -> Option<i64> {
    let Limits { iops: bounds, iops_per_gib, .. } = limits(kind);
    let Some(given) = &spec.iops else {
        if matches!(kind, VolumeType::Io1 | VolumeType::Io2) {
            let message = format!("an {kind} volume needs the key `iops`");
            notes.diags.error(spec.size.span, message).help("state how many it is provisioned for");
            return None;
        }
        return Some(if kind == VolumeType::Gp3 { GP3_INCLUDED[0] } else { 0 });
    };
    let Some([least, most]) = bounds else {
        let message = format!("`iops` has no effect on a {kind} volume: its size decides");
        notes.diags.error(given.span, message).help("remove it, or choose another `type`");
        return None;
    };
    let wanted = i64::try_from(given.value.get()).unwrap_or(i64::MAX);
    let most = most.min(least.max(iops_per_gib * gib));
    if !(least..=most).contains(&wanted) {
        let message = format!("a {kind} volume of {gib} GiB has between {least} and {most} IOPS");
        notes.diags.error(given.span, message);
        return None;
    }
    if matches!(kind, VolumeType::Io1 | VolumeType::Io2) && wanted > IO_PRICED {
        let message = format!("no price is known for more than {IO_PRICED} IOPS of {kind}");
        notes.diags.error(given.span, message);
        return None;
    }
    Some(wanted)
}

/// Throughput provisioned, MiB/s; `None` after a reported error.
fn throughput(
    spec: &scenario::RootVolumeSpec,
    kind: VolumeType,
    iops: i64,
    notes: &mut Notes<'_>,
) -> Option<i64> {
    let Some(given) = &spec.throughput else { return Some(GP3_INCLUDED[1]) };
    if kind != VolumeType::Gp3 {
        let message = format!("`throughput` has no effect on a volume of type {kind}");
        notes.diags.error(given.span, message).help("remove it, or choose `type: gp3`");
        return None;
    }
    let wanted = i64::try_from(given.value.get()).unwrap_or(i64::MAX);
    let most = GP3_THROUGHPUT[0].min(iops / GP3_THROUGHPUT[1]);
    if !(GP3_INCLUDED[1]..=most).contains(&wanted) {
        let least = GP3_INCLUDED[1];
        let message = format!("a gp3 volume of {iops} IOPS has between {least} and {most} MiB/s");
        notes.diags.error(given.span, message).help("more throughput needs more `iops`");
        return None;
    }
    Some(wanted)
}

/// What the nodes of each pool are charged, by `PoolId`.
pub(super) fn pools(
    scenario: &Scenario,
    region: &Region,
    pools: &[PoolSpec],
    nodes: &NodePools,
    notes: &mut Notes<'_>,
) -> Vec<PoolCharges> {
    let linked = |name: &str| scenario.pools.iter().find(|(n, _)| n.value == name);
    let mut all = Vec::with_capacity(pools.len());
    for spec in pools {
        let Some((name, pool)) = linked(&spec.name) else {
            all.push(PoolCharges::default());
            continue;
        };
        let mut charges = PoolCharges::default();
        if let Some(manager) = pool.managed_by {
            charges.outside_aws = is_outside(manager.value);
            if suits(name, pool, manager, scenario, notes) {
                let shapes: Vec<usize> = spec.offers.iter().map(|o| o.shape.index()).collect();
                charges.fee = fee(name, pool, manager, &shapes, nodes, region, notes);
            }
        }
        all.push(charges);
    }
    if all.iter().all(|charges| *charges == PoolCharges::default()) {
        all.clear();
    }
    all
}

const fn is_outside(manager: NodeManager) -> bool {
    matches!(manager, NodeManager::EcsAnywhere | NodeManager::EksAnywhere)
}

/// Whether a service can manage the nodes of a pool; if not, that is reported.
fn suits(
    name: &Spanned<String>,
    pool: &scenario::Pool,
    manager: Spanned<NodeManager>,
    scenario: &Scenario,
    notes: &mut Notes<'_>,
) -> bool {
    let wants_ecs =
        matches!(manager.value, NodeManager::EcsManagedInstances | NodeManager::EcsAnywhere);
    let mut fine = true;
    if wants_ecs != ecs::is_ecs(scenario) {
        let (for_, other) = if wants_ecs { ("ECS", "eks") } else { ("EKS", "ecs") };
        let message = format!("{} is for {for_}, and the orchestrator is {other}", manager.value);
        notes.diags.error(manager.span, message);
        fine = false;
    }
    let own = match &pool.kind {
        scenario::PoolKind::Fixed(fixed) => matches!(fixed.node, scenario::NodeType::Shape(_)),
        _ => false,
    };
    if own != is_outside(manager.value) {
        let message = if own {
            format!(
                "{} manages instance types, and {} has a shape of its own",
                manager.value,
                quote(name)
            )
        } else {
            format!(
                "{} manages machines of your own, and {} has instance types",
                manager.value,
                quote(name)
            )
        };
        let help = if own {
            "state `type` instead of `shape`"
        } else {
            "state `shape` with its `usd-per-hour`"
        };
        notes.diags.error(manager.span, message).help(help);
        fine = false;
    }
    fine
}

/// The fee for the nodes of a pool; `None` where there is none and after a
/// reported error.
fn fee(
    name: &Spanned<String>,
    pool: &scenario::Pool,
    manager: Spanned<NodeManager>,
    used: &[usize],
    nodes: &NodePools,
    region: &Region,
    notes: &mut Notes<'_>,
) -> Option<NodeFee> {
    let path = format!("pools.{}.management-fee", name.value);
    let charge_of = match manager.value {
        NodeManager::EksAutoMode => Charge::EksAutoMode,
        NodeManager::EcsManagedInstances => Charge::EcsManagedInstances,
        NodeManager::EcsAnywhere => Charge::EcsAnywhere,
        NodeManager::EksAnywhere => Charge::EksAnywhere,
    };
    let given = pool.management_fee.as_ref().map(|fee| &fee.value);
    if let (Some(ManagementFee::OfOnDemand(share)), true) = (given, is_outside(manager.value)) {
        let message = "machines of your own have no On-Demand price";
        notes.diags.error(share.span, message).help("state `usd-per-node-hour`");
        return None;
    }
    let rate = match given {
        Some(ManagementFee::PerHour(rate)) => Fee::PerHour(stated(rate.value)),
        Some(ManagementFee::OfOnDemand(share)) => {
            Fee::OfOnDemand(share.value.ppm.into(), PriceStatus::Stated)
        }
        None => default_fee(manager, &path, region, notes)?,
    };
    let price = |shape: usize| match rate {
        Fee::PerHour(price) => Some(price),
        Fee::OfOnDemand(ppm, status) => {
            let listed = nodes.prices.get(shape)?.on_demand?;
            Some(Price::new(listed.rate.scale(ppm, WHOLE), listed.status.max(status)))
        }
    };
    let shapes = (0..nodes.prices.len()).map(|s| price(s).filter(|_| used.contains(&s))).collect();
    // "Per-hour (1 hr min.)" and "per second with a one-minute minimum", says
    // the ECS pricing page; EKS Auto Mode is metered as the latter.
    let minimum_ms = if charge_of == Charge::EcsAnywhere { HOUR_MS } else { MINUTE_MS };
    Some(NodeFee { charge: charge_of, shapes, minimum_ms })
}

/// Parts of a whole, as in [`Percent::ppm`].
const WHOLE: i128 = 1_000_000;

#[derive(Clone, Copy)]
enum Fee {
    PerHour(Price),
    /// Parts per million of the On-Demand price, and how far that can be
    /// trusted.
    OfOnDemand(i128, PriceStatus),
}

/// The published fee; `None` where there is none, and after a reported error.
fn default_fee(
    manager: Spanned<NodeManager>,
    path: &str,
    region: &Region,
    notes: &mut Notes<'_>,
) -> Option<Fee> {
    match manager.value {
        NodeManager::EksAutoMode => {
            let item = ChargeItem::EksAutoMode;
            let Some(found) = region.charge(item) else {
                let message = format!("no price is known for `{item}` in {}", region.name());
                notes.diags.error(manager.span, message).help("state `management-fee`");
                return None;
            };
            let known = bill_price(found);
            let note = format!("{}, {}, {}", found.status, &*found.as_of, &*found.source);
            // A fraction of one in pico is parts per million in micro.
            let ppm = found.rate.pico() / WHOLE;
            let value = Percent { ppm: i64::try_from(ppm).unwrap_or(i64::MAX) };
            notes.catalog(path, format!("{{ of-on-demand: {value} }}"), note);
            notes.weak.insert(format!("charges.{item}"), known.status);
            Some(Fee::OfOnDemand(ppm, known.status))
        }
        NodeManager::EcsManagedInstances => {
            let known = MANAGED_INSTANCES_FEE;
            notes.default(path, format!("{{ of-on-demand: {} }}", known.value), known.note);
            notes.weak.insert("ecs-managed-instances".to_owned(), PriceStatus::Representative);
            Some(Fee::OfOnDemand(known.value.ppm.into(), PriceStatus::Representative))
        }
        NodeManager::EcsAnywhere => {
            charge(ChargeItem::EcsAnywhere, manager.span, region, notes).map(Fee::PerHour)
        }
        NodeManager::EksAnywhere => {
            let note = "unverified: EKS Anywhere itself is free; a subscription for support is not";
            notes.default(path, "none", note);
            None
        }
    }
}

/// Which shapes pay for surplus credits, by `ShapeId`.
pub(super) fn bursts(
    scenario: &Scenario,
    region: &Region,
    nodes: &NodePools,
    workloads: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) -> Vec<Option<Burst>> {
    let kind = |origin: &ShapeOrigin| region.instance_type(origin.instance_type()?);
    let bursts =
        |origin: &ShapeOrigin| kind(origin).and_then(|k| Some((k.arch, k.credit_baseline()?)));
    if !nodes.origins.iter().any(|origin| bursts(origin).is_some()) {
        return Vec::new();
    }
    let span = match scenario.charges.surplus_credits {
        Some(Spanned { value: true, span }) => span,
        Some(_) => return Vec::new(),
        None => {
            let note =
                "choice: the price is unverified; stated, it is charged where usage is known";
            notes.default("charges.surplus-credits", false, note);
            return Vec::new();
        }
    };
    let unknown: Vec<String> = workloads
        .iter()
        .filter(|w| match &w.content {
            Content::Service(s) => s.demand.is_none() && s.usage.cpu.is_none(),
            Content::Daemon(d) => d.usage.cpu.is_none(),
            Content::Generator(g) => g.usage.cpu.is_none(),
            // Each row of a trace may or may not state it.
            Content::Trace(_) => false,
        })
        .map(|w| quote(&w.name))
        .collect();
    if !unknown.is_empty() {
        let message = format!(
            "the cpu usage of {} is not known: a node pays no surplus credits for days on which it \
             runs such pods",
            unknown.join(", ")
        );
        notes.diags.warning("surplus-unknown", span, message).help("state their `usage`");
    }
    let mut price = |arch: Arch| {
        let item = match arch {
            Arch::Amd64 => ChargeItem::SurplusCredits,
            Arch::Arm64 => ChargeItem::SurplusCreditsArm,
        };
        charge(item, span, region, notes)
    };
    let burst = |origin| {
        let (arch, baseline) = bursts(origin)?;
        Some(Burst { baseline, vcpu_hour: price(arch)? })
    };
    nodes.origins.iter().map(burst).collect()
}
