//! The usage of a record that commitments can cover.
//!
//! All On-Demand nodes of a shape are one item, whatever their zone: prices
//! are the same everywhere in a Region. Only where something is bound to a zone
//! (a zonal Reserved Instance of that type) is every zone of the shape an item
//! of its own.

use super::usage::{Ec2Item, HourlyUsage, ItemSource, UsageItem};
use crate::Result;
use crate::bill::model::Unit;
use crate::bill::prices::BillingPlan;
use crate::bill::reservations;
use crate::bill::usage::{Meter, NO_GROUP, RawLine};
use crate::cluster::{ClusterSpec, Purchase};
use crate::observe::{NodeRecord, Record};

/// Which item a node or Fargate resource belongs to.
#[derive(Debug, Default)]
pub(in crate::bill) struct Groups {
    zones: usize,
    /// Per shape and zone.
    of_shape: Vec<u32>,
    /// Per Fargate pool: (vCPU, memory).
    pub(in crate::bill) of_fargate: Vec<(u32, u32)>,
    /// Per capacity reservation.
    pub(in crate::bill) of_reservation: Vec<u32>,
}

impl Groups {
    /// The item of an On-Demand node of a shape in a zone; [`NO_GROUP`] where
    /// nothing can cover it.
    pub(in crate::bill) fn of_node(&self, node: &NodeRecord) -> u32 {
        if node.purchase != Purchase::OnDemand || self.zones == 0 {
            return NO_GROUP;
        }
        let cell = node.shape.index() * self.zones + node.zone.index().min(self.zones - 1);
        self.of_shape.get(cell).copied().unwrap_or(NO_GROUP)
    }
}

/// The items of a record, and which of its resources are which.
#[derive(Debug, Default)]
pub(in crate::bill) struct Eligible {
    pub(in crate::bill) items: Vec<UsageItem>,
    pub(in crate::bill) groups: Groups,
}

impl Eligible {
    /// Finds what can be covered at all.
    pub(in crate::bill) fn of(meter: &Meter<'_>) -> Result<Self> {
        let (cluster, plan) = (meter.cluster, meter.plan);
        let zones = cluster.zones.len().max(1);
        let mut items = Vec::new();
        let mut of_shape = vec![NO_GROUP; cluster.shapes.len() * zones];
        for node in &meter.record.nodes {
            let (shape, zone) = (node.shape.index(), node.zone.index().min(zones - 1));
            if node.purchase != Purchase::OnDemand
                || of_shape.get(shape * zones + zone) != Some(&NO_GROUP)
            {
                continue;
            }
            let (name, price) = meter.shape(shape)?;
            let Some(on_demand) = price.on_demand.filter(|_| !price.custom) else { continue };
            let zonal = plan.is_zonal(name);
            let zone_name = cluster.zones.get(zone).filter(|_| zonal).cloned();
            let item = UsageItem {
                name: match &zone_name {
                    Some(zone) => format!("{name} {zone}"),
                    None => name.to_owned(),
                },
                unit: Unit::Hours,
                on_demand: on_demand.rate,
                ec2: Some(Ec2Item { instance_type: name.to_owned(), zone: zone_name }),
                owner: true,
                idle_reservation: false,
                source: ItemSource::Shape(shape),
            };
            let group = items.len() as u32;
            items.push(item);
            if zonal {
                of_shape[shape * zones + zone] = group;
            } else {
                of_shape[shape * zones..(shape + 1) * zones].fill(group);
            }
        }
        let mut of_fargate = Vec::new();
        for pool in 0..cluster.fargate.len() {
            let (name, prices) = meter.fargate(pool)?;
            if prices.spot_of.is_some() {
                // Savings Plans do not cover Spot.
                of_fargate.push((NO_GROUP, NO_GROUP));
                continue;
            }
            let first = items.len() as u32;
            for (what, unit, on_demand, source) in [
                ("vCPU", Unit::VcpuHours, prices.vcpu_hour, ItemSource::FargateCpu(pool)),
                ("memory", Unit::GbHours, prices.gb_hour, ItemSource::FargateMemory(pool)),
            ] {
                items.push(UsageItem {
                    name: format!("Fargate {name} {what}"),
                    unit,
                    on_demand: on_demand.rate,
                    ec2: None,
                    owner: true,
                    idle_reservation: false,
                    source,
                });
            }
            of_fargate.push((first, first + 1));
        }
        let first = items.len() as u32;
        items.extend(reservations::items(&plan.capacity_reservations));
        let of_reservation = (first..items.len() as u32).collect();
        Ok(Eligible { items, groups: Groups { zones, of_shape, of_fargate, of_reservation } })
    }
}

/// The hourly usage of a record that commitments can cover: On-Demand nodes of
/// real instance types and Fargate without Spot, billed seconds in the cost
/// window.
///
/// # Errors
/// A price that the record needs and the plan lacks, or an amount that leaves
/// its integer.
pub fn eligible_usage(
    record: &Record,
    cluster: &ClusterSpec,
    plan: &BillingPlan,
) -> Result<HourlyUsage> {
    collect(&mut Meter::new(record, cluster, plan))
}

/// Finds what can be covered, tells the meter, and sums it by hour.
pub(in crate::bill) fn collect(meter: &mut Meter<'_>) -> Result<HourlyUsage> {
    let Eligible { items, groups } = Eligible::of(meter)?;
    meter.groups = groups;
    let mut usage = HourlyUsage::new(meter.window.from, meter.window.to, items)?;
    let mut add = |lines: &[RawLine]| {
        for line in lines.iter().filter(|l| l.group != NO_GROUP) {
            usage.add(line.hour.into(), line.group as usize, line.quantity, line.list);
        }
    };
    let mut lines = Vec::new();
    for node in 0..meter.record.nodes.len() {
        meter.node(node, &mut lines)?;
        add(&lines);
    }
    for pod in 0..meter.record.fargate.len() {
        meter.pod(pod, &mut lines)?;
        add(&lines);
    }
    for reservation in 0..meter.plan.capacity_reservations.len() {
        meter.reservation(reservation, &mut lines)?;
        add(&lines);
    }
    Ok(usage)
}
