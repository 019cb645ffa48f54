//! On-Demand Capacity Reservations: hours reserved that no instance ran in.
//!
//! A reservation is charged at the On-Demand rate whether instances run in it
//! or not (EC2 user guide, "Capacity Reservation pricing and billing"). Running
//! On-Demand instances of its type and zone use it, with "open" matching; they
//! are billed as nodes, and zonal Reserved Instances cover those as any other
//! (choice: AWS says that they do not apply to reservations, not whether that
//! is about the instances in them). What is left is billed here. Of several
//! reservations alike the first is used first (choice: AWS names no order).

use super::charge::Charge;
use super::commitments::{Ec2Item, ItemSource, UsageItem};
use super::meter::clock_hour;
use super::model::{PurchaseOption, SkuOf, Unit};
use super::prices::{CapacityReservation, Price};
use super::usage::{Meter, NO_GROUP, RawLine, Source};
use crate::Result;
use crate::cluster::Purchase;
use crate::units::{HOUR_MS, Money};

impl CapacityReservation {
    /// The name of its SKU.
    pub(super) fn sku_name(&self) -> String {
        format!("{} capacity reservation `{}`, unused", self.instance_type, self.name)
    }
}

/// The items of unused reservations.
pub(super) fn items(reservations: &[CapacityReservation]) -> Vec<UsageItem> {
    let of = |(i, r): (usize, &CapacityReservation)| UsageItem {
        name: r.sku_name(),
        unit: Unit::Hours,
        on_demand: r.on_demand.rate,
        ec2: Some(Ec2Item { instance_type: r.instance_type.clone(), zone: Some(r.zone.clone()) }),
        owner: true,
        idle_reservation: true,
        source: ItemSource::Reservation(i),
    };
    reservations.iter().enumerate().map(of).collect()
}

impl Meter<'_> {
    /// Replaces `out` with the unused hours of a reservation.
    pub(super) fn reservation(&mut self, index: usize, out: &mut Vec<RawLine>) -> Result<()> {
        out.clear();
        let plan = self.plan;
        let r = &plan.capacity_reservations[index];
        let before = plan.capacity_reservations[..index].iter();
        let alike = before.filter(|o| o.instance_type == r.instance_type && o.zone == r.zone);
        let taken: i64 = alike.map(|o| i64::from(o.count)).sum();
        let Price { rate, status, .. } = r.on_demand;
        let make = || super::model::Sku {
            name: r.sku_name(),
            charge: Charge::UnusedCapacity,
            purchase: PurchaseOption::OnDemand,
            status,
            unit: Unit::Hours,
            rate,
            contract: r.on_demand.contract(),
            commitment: None,
            of: Some(SkuOf::Reservation(index as u32)),
        };
        let (charge, purchase) = (Charge::UnusedCapacity, PurchaseOption::OnDemand);
        let source = Source::Reservation(index as u32);
        let sku = self.skus.intern(source, make, charge, purchase, Unit::Hours, None)?;
        let group = self.groups.of_reservation.get(index).copied().unwrap_or(NO_GROUP);
        for (hour, quantity) in self.unused(r, taken) {
            let list = rate.charge(quantity.into(), HOUR_MS.into());
            if quantity == 0 && list == Money::ZERO {
                continue;
            }
            out.push(RawLine {
                charge,
                sku,
                hour: clock_hour(hour)?,
                quantity,
                list,
                on_demand: list,
                group,
            });
        }
        Ok(())
    }

    /// Per clock hour: instance-milliseconds of a reservation without an
    /// instance, where `taken` instances use others.
    fn unused(&self, r: &CapacityReservation, taken: i64) -> Vec<(i64, i64)> {
        let (window, record) = (self.window, self.record);
        let unix = |t: i64| record.start_unix_ms.saturating_add(t).clamp(window.from, window.to);
        let mut changes: Vec<(i64, i64)> = Vec::new();
        for node in &record.nodes {
            let named = |names: Option<&String>, wanted: &str| names.is_some_and(|n| n == wanted);
            let shape = self.cluster.shapes.get(node.shape.index()).map(|s| &s.name);
            let zone = self.cluster.zones.get(node.zone.index());
            if node.purchase == Purchase::OnDemand
                && named(shape, &r.instance_type)
                && named(zone, &r.zone)
                && node.running < node.shutting_down
            {
                changes.push((unix(node.running.ms()), 1));
                changes.push((unix(node.shutting_down.ms()), -1));
            }
        }
        changes.sort_unstable();
        changes.push((window.to, 0));
        let mut hours: Vec<(i64, i64)> =
            (0..window.hours()).map(|h| (window.first_hour() + h as i64, 0)).collect();
        let (mut at, mut running) = (window.from, 0i64);
        let count = i64::from(r.count);
        for (time, change) in changes {
            let free = count - (running - taken).clamp(0, count);
            while at < time {
                let hour = at.div_euclid(HOUR_MS);
                let next = ((hour + 1) * HOUR_MS).min(time);
                if let Some(row) = hours.get_mut((hour - window.first_hour()) as usize) {
                    row.1 += free * (next - at);
                }
                at = next;
            }
            running += change;
        }
        hours
    }
}
