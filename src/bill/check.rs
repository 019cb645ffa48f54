//! What no bill can hold, before it is made; that it adds up, after.

use super::around;
use super::model::{Bill, OwnerCost};
use super::prices::{BillingPlan, MAX_COMMITMENTS};
use super::waterfall::StepCost;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Refuses what no bill can hold.
pub(super) fn check_plan(plan: &BillingPlan) -> Result<()> {
    let check = |what: &str, rate: Rate| {
        if (Rate::ZERO..=Rate::MOST).contains(&rate) {
            return Ok(());
        }
        Err(Error::input(format!("{what}: {rate} USD is not between 0 and {} USD", Rate::MOST)))
    };
    for shape in &plan.shapes {
        for price in shape.on_demand.iter().chain(shape.spot.iter().flatten()) {
            check("the price of a node", price.rate)?;
        }
    }
    for burst in plan.bursts.iter().flatten() {
        check("the price of surplus credits", burst.vcpu_hour.rate)?;
    }
    for fee in plan.pools.iter().filter_map(|pool| pool.fee.as_ref()) {
        for price in fee.shapes.iter().flatten() {
            check("the fee of a node", price.rate)?;
        }
    }
    for pool in &plan.fargate {
        check("the price of a Fargate vCPU", pool.vcpu_hour.rate)?;
        check("the price of Fargate memory", pool.gb_hour.rate)?;
        for (what, price) in [
            ("the price of Fargate storage", pool.storage_gb_hour),
            ("the price of the licence of a Fargate pod", pool.os_licence),
            ("the price of the address of a Fargate pod", pool.public_ipv4),
        ] {
            if let Some(price) = price {
                check(what, price.rate)?;
            }
        }
        if let Some((vcpu_hour, gb_hour)) = pool.spot_of {
            check("the On-Demand price of a Fargate vCPU", vcpu_hour.rate)?;
            check("the On-Demand price of Fargate memory", gb_hour.rate)?;
        }
    }
    for (what, price) in [
        ("the price of a root volume", plan.root_volume.map(|v| v.gb_month)),
        ("the price of IOPS", plan.root_volume.and_then(|v| v.iops).map(|(_, p)| p)),
        ("the price of throughput", plan.root_volume.and_then(|v| v.throughput).map(|(_, p)| p)),
        ("the price of a public IPv4 address", plan.public_ipv4),
        ("the price of a node licence", plan.node_licence),
        ("the price of a Fargate licence", plan.fargate_licence),
    ] {
        if let Some(price) = price {
            check(what, price.rate)?;
        }
    }
    around::check(&plan.around, check)?;
    if plan.commitments.len() > MAX_COMMITMENTS {
        return Err(Error::input(format!("more than {MAX_COMMITMENTS} commitments")));
    }
    for c in &plan.commitments {
        check(&format!("commitment `{}`", c.name), c.usd_per_hour)?;
        let fargate = c.fargate.iter().flatten().flat_map(|p| [p.0, p.1]);
        for price in c.shapes.iter().flatten().copied().chain(fargate) {
            check(&format!("a plan price of commitment `{}`", c.name), price.rate)?;
        }
    }
    for r in &plan.capacity_reservations {
        for price in r.covered.iter().flatten().chain([&r.on_demand]) {
            check(&format!("the price of capacity reservation `{}`", r.name), price.rate)?;
        }
    }
    for item in plan.other_usage.iter().flat_map(|other| &other.items) {
        let what = format!("a price of other usage, `{}`", item.name);
        check(&what, item.on_demand.rate)?;
        for price in item.covered.iter().flatten() {
            check(&what, price.rate)?;
        }
    }
    check("the weight of a vCPU", plan.weight.vcpu_hour)?;
    check("the weight of a GB", plan.weight.gb_hour)
}

/// Every grouping sums to the total; every commitment to its parts.
pub(super) fn check_sums(bill: &Bill) -> Result<()> {
    let maps = [
        ("pools", &bill.by_pool),
        ("purchases", &bill.by_purchase),
        ("charges", &bill.by_charge),
        ("price status", &bill.by_price_status),
        ("namespaces", &bill.by_namespace),
        ("workloads", &bill.by_workload),
        ("loaded workloads", &bill.fully_loaded_by_workload),
    ];
    let sums = maps.map(|(name, map)| (name, map.values().copied().sum::<Money>()));
    let waterfall = bill.waterfall.iter().map(StepCost::amount).sum();
    let hours = bill.hourly.rows.iter().flatten().copied().sum();
    let items = bill.by_item.values().copied().sum();
    let owners = bill.owners.iter().map(OwnerCost::amount).sum();
    let more =
        [("the waterfall", waterfall), ("hours", hours), ("items", items), ("owners", owners)];
    let labels = bill
        .by_label
        .iter()
        .map(|(label, groups)| (label.as_str(), groups.values().copied().sum::<Money>()));
    let allocated = [
        ("allocated namespaces", &bill.allocated_by_namespace),
        ("allocated workloads", &bill.allocated_by_workload),
    ];
    let allocated = allocated.into_iter().filter(|(_, map)| !map.is_empty());
    let allocated = allocated.map(|(name, map)| (name, map.values().copied().sum::<Money>()));
    for (name, sum) in sums.into_iter().chain(more).chain(labels).chain(allocated) {
        if sum != bill.total {
            let total = bill.total;
            return Err(Error::failed(format!("{name} sum to {sum}, the bill to {total}")));
        }
    }
    for c in &bill.commitment.each {
        let negative = [c.unused, c.used_by_others].iter().any(|part| *part < Money::ZERO);
        if c.used + c.used_by_others + c.unused != c.committed || negative {
            return Err(Error::failed(format!(
                "commitment `{}`: {} used, {} used by others and {} unused of {}",
                c.name, c.used, c.used_by_others, c.unused, c.committed
            )));
        }
    }
    Ok(())
}
