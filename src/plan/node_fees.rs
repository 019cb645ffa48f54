//! What managing the nodes of a pool costs: EKS Auto Mode, ECS Managed
//! Instances, machines of one's own.

use super::around::{charge, stated};
use super::defaults::MANAGED_INSTANCES_FEE;
use super::ecs;
use super::nodes::NodePools;
use super::notes::{Notes, bill_price};
use crate::bill::{Charge, NodeFee, PoolCharges, Price, PriceStatus};
use crate::catalog::{ChargeItem, Region};
use crate::cluster::PoolSpec;
use crate::scenario::{self, ManagementFee, NodeManager, Scenario, Spanned, quote};
use crate::units::{HOUR_MS, MINUTE_MS, Percent};

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
